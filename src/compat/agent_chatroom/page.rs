//! The page of a room. It has no secret in it: its script asks for the password, or takes it out of the address.

use actix_web::HttpResponse;
use actix_web::http::header;

const PAGE: &str = include_str!("../../../web/chatroom.html");
const SCRIPT: &str = include_str!("../../../web/chatroom.js");
const STYLE: &str = include_str!("../../../web/chatroom.css");

/// The page.
pub(super) async fn page() -> HttpResponse {
    serve("text/html; charset=utf-8", PAGE)
}

/// Its script.
pub(super) async fn script() -> HttpResponse {
    serve("text/javascript; charset=utf-8", SCRIPT)
}

/// How it looks.
pub(super) async fn style() -> HttpResponse {
    serve("text/css; charset=utf-8", STYLE)
}

/// A password may stand in the address it was asked under: nobody keeps that.
fn serve(kind: &'static str, text: &'static str) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response.content_type(kind).insert_header((header::CACHE_CONTROL, "no-store"));
    response.body(text)
}
