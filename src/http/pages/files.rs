//! The files of pages: styles, modules, icons.

use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};
use rogerrat_domain::{Code, Refusal};

use crate::http::compression::wants_gzip;
use crate::web::assets::{Asset, assets};
use crate::web::etag::is_known;
use crate::web::problem::Problem;

/// The hash in the URL changes with any file, so a copy never becomes stale.
static IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// Other origins cannot load it.
static SAME_ORIGIN: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
pub(super) static ONE_DAY: HeaderValue = HeaderValue::from_static("public, max-age=86400");

/// Get a file of a page: a module, a stylesheet, an icon.
///
/// `hash` identifies the version of all files, so copies may be cached indefinitely. Pages contain the current one.
#[utoipa::path(
    get,
    path = "/static/{hash}/{tail}",
    operation_id = "get_static_file",
    tag = "Pages",
    params(
        ("hash" = String, Path, description = "The hash of all files."),
        ("tail" = String, Path, description = "The path of the file, slashes included."),
        ("If-None-Match" = Option<String>, Header, description = "The ETag of a copy: 304 if it is still valid."),
    ),
    responses(
        (status = 200, description = "The file.",
            headers(
                ("Cache-Control" = String, description = "It may be cached indefinitely."),
                ("ETag" = String, description = "Identifies the content."),
            ),
            content(
                (String = "text/javascript"), (String = "text/css"), (String = "image/svg+xml"), (String = "text/plain"),
            )),
        (status = 304, description = "The copy is valid."),
    ),
    extensions(("x-error-codes" = json!(["not_found"]))),
)]
pub(crate) async fn file(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let of = |name| request.match_info().get(name).unwrap_or_default();
    let found = assets().find(of("tail")).filter(|_| of("hash") == assets().hash());
    let file = found.ok_or_else(|| {
        Refusal::new(Code::NotFound, "there is no such file in this version of the hub").hint("load the page again")
    })?;
    Ok(respond(&request, file, &IMMUTABLE))
}

/// Get the icon of the pages.
#[utoipa::path(
    get,
    path = "/favicon.svg",
    operation_id = "get_favicon",
    tag = "Pages",
    responses(
        (status = 200, body = String, content_type = "image/svg+xml", description = "The icon."),
        (status = 304, description = "The copy is valid."),
    ),
)]
pub(crate) async fn favicon(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let file = assets().find("favicon.svg").ok_or_else(|| Refusal::new(Code::NotFound, "not found"))?;
    Ok(respond(&request, file, &ONE_DAY))
}

pub(super) fn respond(request: &HttpRequest, file: &Asset, lifetime: &HeaderValue) -> HttpResponse {
    let known = is_known(request, &file.tag());
    let mut response = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    // The policy of the API stays: nothing may run in a file that is opened as a document.
    response
        .insert_header((SAME_ORIGIN.clone(), "same-origin"))
        .insert_header(header::ETag(file.tag()))
        .insert_header((header::CACHE_CONTROL, lifetime.clone()))
        .insert_header((header::VARY, "accept-encoding"));
    if known {
        return response.finish();
    }
    response.content_type(file.kind);
    match file.gzip().filter(|_| wants_gzip(request)) {
        Some(compressed) => response.insert_header((header::CONTENT_ENCODING, "gzip")).body(compressed),
        None => response.body(file.content()),
    }
}
