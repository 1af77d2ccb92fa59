//! The HTML page of a room. It contains no secret: its script asks for the password, or takes it from the URL.

use actix_web::HttpResponse;
use actix_web::http::header;

use crate::web::page::secure;

const PAGE: &str = include_str!("../../../web/chatroom.html");
const SCRIPT: &str = include_str!("../../../web/chatroom.js");
const STYLE: &str = include_str!("../../../web/chatroom.css");

/// Serves the page.
pub(super) async fn page() -> HttpResponse {
    serve("text/html; charset=utf-8", PAGE)
}

/// Serves the script.
pub(super) async fn script() -> HttpResponse {
    serve("text/javascript; charset=utf-8", SCRIPT)
}

/// Serves the stylesheet.
pub(super) async fn style() -> HttpResponse {
    serve("text/css; charset=utf-8", STYLE)
}

/// Not cacheable, because the URL may contain a password.
fn serve(kind: &'static str, text: &'static str) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    secure(&mut response);
    response.content_type(kind).insert_header((header::CACHE_CONTROL, "no-store"));
    response.body(text)
}
