//! A request that waits keeps only what its answer is counted and logged by: its method and its path.
//!
//! actix makes room for 28 headers with every request over HTTP/1, which is 6 KB, and never less than 0.9 KB over HTTP/2.

use actix_web::HttpMessage as _;
use actix_web::dev::{Extensions, ServiceRequest};
use actix_web::http::header::HeaderMap;

/// Gives back what a request carries that nobody reads any more: its headers, the pieces of its path, and its data.
pub(crate) fn strip(request: &mut ServiceRequest) {
    *request.headers_mut() = HeaderMap::new();
    *request.match_info_mut() = Default::default();
    *request.extensions_mut() = Extensions::new();
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn a_stripped_request_still_knows_what_it_was_and_holds_nothing_else() {
        let request = TestRequest::get().uri("/api/channels/park/wait?timeout=5").insert_header(("host", "hub"));
        let mut request = request.param("id", "park").to_srv_request();
        request.extensions_mut().insert(5_u8);
        strip(&mut request);
        assert_eq!((request.method().as_str(), request.path()), ("GET", "/api/channels/park/wait"));
        assert_eq!(request.headers().capacity(), 0);
        assert!(request.match_info().is_empty() && request.extensions().get::<u8>().is_none());
    }
}
