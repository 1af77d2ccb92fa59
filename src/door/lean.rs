//! A request that waits keeps only what its answer is counted and logged by: its method and its path.
//!
//! actix makes room for 28 headers with every request over HTTP/1, which is 6 KB, and never less than 0.9 KB over HTTP/2.

use std::cell::RefCell;
use std::mem::take;

use actix_web::HttpMessage as _;
use actix_web::dev::{Extensions, ServiceRequest};
use actix_web::http::header::HeaderMap;

/// Emptied header maps a worker keeps for requests that have waited; actix keeps as many requests to be used again.
const SPARE: usize = 128;

thread_local! {
    static SPARES: RefCell<Vec<HeaderMap>> = const { RefCell::new(Vec::new()) };
}

/// Gives back what a request carries that nobody reads any more: its headers, the pieces of its path, and its data.
pub(crate) fn strip(request: &mut ServiceRequest) {
    let mut headers = take(request.headers_mut());
    take(request.match_info_mut());
    *request.extensions_mut() = Extensions::new();
    SPARES.with_borrow_mut(|spares| {
        if spares.len() < SPARE {
            headers.clear();
            spares.push(headers);
        }
    });
}

/// Gives a stripped request room for headers again, if there is any to spare: actix will use it for another one, whose
/// headers would find none.
pub(crate) fn dress(request: &mut ServiceRequest) {
    if request.headers().capacity() == 0
        && let Some(headers) = SPARES.with_borrow_mut(Vec::pop)
    {
        *request.headers_mut() = headers;
    }
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

    #[test]
    fn the_room_of_a_request_that_waited_is_used_again_and_empty() {
        let mut request = TestRequest::get().insert_header(("host", "hub")).to_srv_request();
        let room = request.headers().capacity();
        assert!(room > 0);
        strip(&mut request);
        dress(&mut request);
        assert_eq!((request.headers().capacity(), request.headers().len()), (room, 0));
        dress(&mut request);
        assert_eq!(request.headers().capacity(), room, "none to spare, none taken away");
    }
}
