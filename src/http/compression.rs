//! Compression of responses that may be long and are not on the hot path: history, rosters, snippets.
//!
//! Polls and streams are never compressed: a compressor takes a body before it is written, and taking a message counts
//! as its delivery. Replies to sends and acks are too short to benefit.

use actix_http::encoding::Encoder;
use actix_web::HttpMessage;
use actix_web::body::{BodySize, BoxBody, MessageBody as _};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, AcceptEncoding, ContentEncoding, Encoding, Header as _, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;

/// Shorter responses are not compressed.
const MIN_BYTES: u64 = 1024;

/// Compresses a long response if the client accepts gzip.
pub(super) async fn compress(
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let is_wanted = request.method() != Method::HEAD && wants_gzip(&request);
    let mut response = next.call(request).await?;
    // A file has an ETag of its bytes: it is stored in compressed form, or of a type that is compressed already.
    let is_file = response.headers().get(header::ETAG).is_some_and(|tag| tag.as_bytes().starts_with(b"\""));
    if is_file || response.status() != StatusCode::OK || !is_long(response.response().body().size()) {
        return Ok(response);
    }
    if !is_wanted {
        response.headers_mut().append(header::VARY, HeaderValue::from_static("accept-encoding"));
        return Ok(response);
    }
    Ok(response.map_body(|head, body| BoxBody::new(Encoder::response(ContentEncoding::Gzip, head, body))))
}

fn is_long(size: BodySize) -> bool {
    matches!(size, BodySize::Stream) || matches!(size, BodySize::Sized(bytes) if bytes >= MIN_BYTES)
}

/// Whether a client accepts gzip.
pub(super) fn wants_gzip<M: HttpMessage>(request: &M) -> bool {
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
    fn gzip_is_used_only_if_accepted() {
        for accept in ["gzip", "deflate, gzip, br", "gzip;q=0.5", "br, gzip;q=0.8, *;q=0.1"] {
            assert!(wants(Some(accept)), "{accept}");
        }
        for accept in [None, Some(""), Some("br"), Some("gzip;q=0"), Some("identity"), Some("rubbish;;q=x")] {
            assert!(!wants(accept), "{accept:?}");
        }
    }

    #[test]
    fn short_responses_are_not_compressed() {
        assert!(is_long(BodySize::Sized(MIN_BYTES)) && !is_long(BodySize::Sized(MIN_BYTES - 1)));
        assert!(is_long(BodySize::Stream) && !is_long(BodySize::None));
    }
}
