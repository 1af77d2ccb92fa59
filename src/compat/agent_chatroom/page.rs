//! The HTML page of a room. It contains no secret: its script asks for the password, or takes it from the URL.

use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};

use crate::web::page::Page;

static ROOM: Page = Page::unlisted(include_str!("../../../web/pages/room.html"));

/// Serves the page. It is not cacheable, because the URL may contain a password.
pub(super) async fn page(request: HttpRequest) -> HttpResponse {
    let mut response = ROOM.respond(&request, &[]);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
