//! Compression, for what is read now and then and may be long: history, rosters, snippets.
//!
//! It is never put around a poll or a stream: a compressor takes a body before it is written, and taking is what counts
//! as delivery there. Sends and acks are answered in a few bytes, so they do not pay for asking either.

use actix_http::encoding::Encoder;
use actix_web::body::{BodySize, BoxBody, MessageBody as _};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, AcceptEncoding, ContentEncoding, Encoding, Header as _, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;

/// From here on it is worth it.
const LEAST_BYTES: u64 = 1024;

/// Compresses a long answer for who asked for it.
pub(super) async fn compress(
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let is_wanted = request.method() != Method::HEAD && wants_gzip(&request);
    let mut response = next.call(request).await?;
    if response.status() != StatusCode::OK || !is_long(response.response().body().size()) {
        return Ok(response);
    }
    if !is_wanted {
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        return Ok(response);
    }
    Ok(response.map_body(|head, body| BoxBody::new(Encoder::response(ContentEncoding::Gzip, head, body))))
}

fn is_long(size: BodySize) -> bool {
    matches!(size, BodySize::Sized(bytes) if bytes >= LEAST_BYTES)
}

fn wants_gzip(request: &ServiceRequest) -> bool {
    if !request.headers().contains_key(header::ACCEPT_ENCODING) {
        return false;
    }
    let supported = [Encoding::gzip(), Encoding::identity()];
    let best = AcceptEncoding::parse(request).ok().and_then(|accepted| accepted.negotiate(supported.iter()));
    best == Some(Encoding::gzip())
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn wants(accept: Option<&str>) -> bool {
        let request = TestRequest::get();
        wants_gzip(
            &match accept {
                Some(accept) => request.insert_header((header::ACCEPT_ENCODING, accept)),
                None => request,
            }
            .to_srv_request(),
        )
    }

    #[test]
    fn only_who_asks_gets_gzip() {
        for accept in ["gzip", "deflate, gzip, br", "gzip;q=0.5", "br, gzip;q=0.8, *;q=0.1"] {
            assert!(wants(Some(accept)), "{accept}");
        }
        for accept in [None, Some(""), Some("br"), Some("gzip;q=0"), Some("identity"), Some("rubbish;;q=x")] {
            assert!(!wants(accept), "{accept:?}");
        }
    }

    #[test]
    fn short_answers_and_streams_are_left_alone() {
        assert!(is_long(BodySize::Sized(LEAST_BYTES)) && !is_long(BodySize::Sized(LEAST_BYTES - 1)));
        assert!(!is_long(BodySize::Stream) && !is_long(BodySize::None));
    }
}
