//! Conditional requests: whether a client already has what it asks for.

use actix_web::HttpRequest;
use actix_web::http::header::{self, EntityTag, Header as _, IfNoneMatch};

/// Whether the client has a copy. Without the header `IfNoneMatch` would read as `Any`.
pub(crate) fn is_known(request: &HttpRequest, tag: &EntityTag) -> bool {
    match IfNoneMatch::parse(request) {
        Ok(IfNoneMatch::Any) => request.headers().get(header::IF_NONE_MATCH).is_some_and(|tags| tags == "*"),
        Ok(IfNoneMatch::Items(tags)) => tags.iter().any(|known| known.weak_eq(tag)),
        Err(_) => false,
    }
}
