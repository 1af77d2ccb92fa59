//! Which headers are forwarded: all that concern the message and not the connection (RFC 9110, section 7.6.1).

use actix_web::http::header::{
    self, CONNECTION, CONTENT_LENGTH, EXPECT, HOST, HeaderMap, HeaderName, HeaderValue, TE, TRAILER, TRANSFER_ENCODING,
    UPGRADE,
};

use super::proof::PROOF;

/// Headers of one connection, and those that are written anew for the next.
static NOT_FORWARDED: [HeaderName; 12] = [
    CONNECTION,
    CONTENT_LENGTH,
    EXPECT,
    HOST,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
];

/// The headers of a request that are forwarded. A proof that a client sends is none of them.
pub(super) fn forwarded(headers: &HeaderMap) -> impl Iterator<Item = (&HeaderName, &HeaderValue)> {
    let named = headers.get_all(CONNECTION).filter_map(|value| value.to_str().ok());
    let named: Vec<_> =
        named.flat_map(|value| value.split(',')).map(str::trim).filter(|name| !name.is_empty()).collect();
    headers.iter().filter(move |(name, _)| {
        !NOT_FORWARDED.contains(name)
            && **name != PROOF
            && !named.iter().any(|own| own.eq_ignore_ascii_case(name.as_str()))
    })
}

/// Whether a header of a response is passed on. The length of the body is computed from the body.
pub(super) fn is_returned(name: &str) -> bool {
    !NOT_FORWARDED.iter().any(|own| own.as_str() == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn c10_headers_of_the_connection_and_forged_proofs_are_not_forwarded() {
        let request = TestRequest::get()
            .insert_header(("host", "hub"))
            .insert_header(("connection", "close, X-Hop"))
            .insert_header(("x-hop", "1"))
            .insert_header(("keep-alive", "timeout=5"))
            .insert_header(("transfer-encoding", "chunked"))
            .insert_header(("te", "trailers"))
            .insert_header((PROOF.as_str(), "forged"))
            .insert_header(("x-session-id", "s"))
            .append_header(("accept", "a"))
            .append_header(("accept", "b"))
            .to_http_request();
        let mut names: Vec<_> = forwarded(request.headers()).map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, ["accept", "accept", "x-session-id"]);
        assert!(is_returned("content-type") && !is_returned("transfer-encoding") && !is_returned("content-length"));
    }
}
