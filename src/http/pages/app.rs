//! What makes the pages an app that can be installed and notified: the manifest, its icons and the service worker. Their
//! paths never change, and they contain no secret.

use actix_web::http::header::{self, EntityTag, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};
use rogerrat_domain::{Code, Refusal};
use sha2::{Digest as _, Sha256};

use crate::web::assets::short;
use crate::web::etag::is_known;
use crate::web::problem::Problem;

const MANIFEST: &[u8] = include_bytes!("../../../web/manifest.json");
const SERVICE_WORKER: &[u8] = include_bytes!("../../../web/sw.js");
const ICONS: [(&str, &[u8]); 2] = [
    ("192.png", include_bytes!("../../../web/icons/192.png")),
    ("512.png", include_bytes!("../../../web/icons/512.png")),
];

/// A browser asks whether its copy is current each time.
static NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache");
static ONE_DAY: HeaderValue = HeaderValue::from_static("public, max-age=86400");
/// The worker requests nothing. Its policy is its own, not that of a page.
static POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
static SAME_ORIGIN: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// Get the description of the installed app.
#[utoipa::path(
    get,
    path = "/manifest.webmanifest",
    operation_id = "get_manifest",
    tag = "Pages",
    responses(
        (status = 200, body = Value, content_type = "application/manifest+json", description = "The web app manifest."),
        (status = 304, description = "The copy is valid."),
    ),
)]
pub(crate) async fn manifest(request: HttpRequest) -> HttpResponse {
    respond(&request, MANIFEST, "application/manifest+json", &NO_CACHE)
}

/// Get the service worker, which shows what is pushed.
#[utoipa::path(
    get,
    path = "/sw.js",
    operation_id = "get_service_worker",
    tag = "Pages",
    responses(
        (status = 200, body = String, content_type = "text/javascript", description = "The script."),
        (status = 304, description = "The copy is valid."),
    ),
)]
pub(crate) async fn service_worker(request: HttpRequest) -> HttpResponse {
    respond(&request, SERVICE_WORKER, "text/javascript; charset=utf-8", &NO_CACHE)
}

/// Get an icon of the installed app.
#[utoipa::path(
    get,
    path = "/icons/{name}",
    operation_id = "get_icon",
    tag = "Pages",
    params(("name" = String, Path, description = "192.png or 512.png.")),
    responses(
        (status = 200, body = String, content_type = "image/png", description = "The icon."),
        (status = 304, description = "The copy is valid."),
    ),
    extensions(("x-error-codes" = json!(["not_found"]))),
)]
pub(crate) async fn icon(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let name = request.match_info().get("name").unwrap_or_default();
    let found = ICONS.iter().find(|(known, _)| *known == name);
    let (_, content) = found.ok_or_else(|| Refusal::new(Code::NotFound, "there is no such icon"))?;
    Ok(respond(&request, content, "image/png", &ONE_DAY))
}

fn respond(request: &HttpRequest, content: &'static [u8], kind: &'static str, lifetime: &HeaderValue) -> HttpResponse {
    // The tag is weak, because a compressed copy has it too.
    let tag = EntityTag::new_weak(short(&Sha256::digest(content)));
    let known = is_known(request, &tag);
    let mut response = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response
        .insert_header((SAME_ORIGIN.clone(), "same-origin"))
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY.clone()))
        .insert_header(header::ETag(tag))
        .insert_header((header::CACHE_CONTROL, lifetime.clone()));
    if known { response.finish() } else { response.content_type(kind).body(content) }
}
