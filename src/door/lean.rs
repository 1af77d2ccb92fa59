//! A request that waits keeps its headers for as long: before it does, they move into a map of their own size.
//!
//! actix makes room for 28 of them with every request, which is 6.7 KB; a poll has four or five.

use actix_web::http::header::HeaderMap;

/// Beyond so much room a map is worth moving out of.
const ROOM: usize = 14;

/// Moves headers into a map of their own size.
pub(super) fn fit(headers: &mut HeaderMap) {
    if headers.capacity() <= ROOM || headers.len_keys() > ROOM / 2 {
        return;
    }
    let mut fitting = HeaderMap::with_capacity(headers.len_keys());
    let mut last = None;
    for (name, value) in headers.drain() {
        last = name.or(last);
        if let Some(name) = &last {
            fitting.append(name.clone(), value);
        }
    }
    *headers = fitting;
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::{self, HeaderName, HeaderValue};

    #[test]
    fn a_map_that_fits_has_every_header_in_its_order() {
        let mut headers = HeaderMap::with_capacity(28);
        for value in ["10.0.0.1", "10.0.0.2"] {
            headers.append(HeaderName::from_static("x-forwarded-for"), HeaderValue::from_static(value));
        }
        headers.insert(header::HOST, HeaderValue::from_static("hub"));
        let room = headers.capacity();
        fit(&mut headers);
        assert!(headers.capacity() < room / 2, "{} of {room}", headers.capacity());
        let hops: Vec<_> = headers.get_all("x-forwarded-for").map(HeaderValue::as_bytes).collect();
        assert_eq!((hops, headers.len()), (vec![&b"10.0.0.1"[..], b"10.0.0.2"], 3));
        assert_eq!(headers.get(header::HOST).unwrap(), "hub");
    }

    #[test]
    fn a_map_that_is_full_stays() {
        let mut headers = HeaderMap::with_capacity(28);
        for n in 0..20_u8 {
            headers.insert(HeaderName::from_bytes(&[b'a' + n]).unwrap(), HeaderValue::from_static("x"));
        }
        let room = headers.capacity();
        fit(&mut headers);
        assert_eq!((headers.capacity(), headers.len()), (room, 20));
    }
}
