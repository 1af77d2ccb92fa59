//! A pool of header maps, so that waiting requests hold no header memory: only method and path are needed for metrics
//! and logs when they complete.
//!
//! actix reserves 28 headers for every HTTP/1 request, which is 6 KB, and at least 0.9 KB over HTTP/2.

use std::cell::RefCell;
use std::mem::take;

use actix_web::HttpMessage as _;
use actix_web::dev::{Extensions, ServiceRequest};
use actix_web::http::header::HeaderMap;

/// Empty header maps a worker keeps; actix pools the same number of requests.
const CAPACITY: usize = 128;

thread_local! {
    static POOL: RefCell<Vec<HeaderMap>> = const { RefCell::new(Vec::new()) };
}

/// Frees the parts of a request that are not read again: its headers, path parameters and extensions.
pub(crate) fn release(request: &mut ServiceRequest) {
    let mut headers = take(request.headers_mut());
    take(request.match_info_mut());
    *request.extensions_mut() = Extensions::new();
    POOL.with_borrow_mut(|pool| {
        if pool.len() < CAPACITY {
            headers.clear();
            pool.push(headers);
        }
    });
}

/// Gives a released request an empty header map with capacity from the pool, if there is one: actix reuses the request
/// object, and the next request would have to allocate.
pub(crate) fn restore(request: &mut ServiceRequest) {
    if request.headers().capacity() == 0
        && let Some(headers) = POOL.with_borrow_mut(Vec::pop)
    {
        *request.headers_mut() = headers;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn a_released_request_keeps_its_method_and_path_only() {
        let request = TestRequest::get().uri("/api/channels/park/wait?timeout=5").insert_header(("host", "hub"));
        let mut request = request.param("id", "park").to_srv_request();
        request.extensions_mut().insert(5_u8);
        release(&mut request);
        assert_eq!((request.method().as_str(), request.path()), ("GET", "/api/channels/park/wait"));
        assert_eq!(request.headers().capacity(), 0);
        assert!(request.match_info().is_empty() && request.extensions().get::<u8>().is_none());
    }

    #[test]
    fn a_released_header_map_is_reused_and_empty() {
        let mut request = TestRequest::get().insert_header(("host", "hub")).to_srv_request();
        let capacity = request.headers().capacity();
        assert!(capacity > 0);
        release(&mut request);
        restore(&mut request);
        assert_eq!((request.headers().capacity(), request.headers().len()), (capacity, 0));
        restore(&mut request);
        assert_eq!(request.headers().capacity(), capacity, "a map with capacity is left alone");
    }
}
