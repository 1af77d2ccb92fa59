//! What makes the pages an app that can be installed and notified: the manifest, its icons and the service worker. Their
//! paths never change, and they contain no secret.

use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};
use rogerrat_domain::{Code, Refusal};

use super::files::{ONE_DAY, respond};
use crate::web::assets::Asset;
use crate::web::problem::Problem;
use crate::web::state::SharedState;

static MANIFEST: Asset =
    Asset::of("manifest.webmanifest", "application/manifest+json", include_bytes!("../../../web/manifest.json"));
/// The manifest of a page that browsers shall not offer to install.
static PASSING_MANIFEST: Asset =
    Asset::of("manifest.webmanifest", "application/manifest+json", br#"{"name":"rogerrat","display":"browser"}"#);
static SERVICE_WORKER: Asset =
    Asset::of("sw.js", "text/javascript; charset=utf-8", include_bytes!("../../../web/sw.js"));
static ICONS: [Asset; 2] = [
    Asset::of("192.png", "image/png", include_bytes!("../../../web/icons/192.png")),
    Asset::of("512.png", "image/png", include_bytes!("../../../web/icons/512.png")),
];

/// A browser asks whether its copy is current each time.
static NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache");
/// The worker requests the shells and files of pages. Its policy is its own, not that of a page.
static POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'; connect-src 'self'; frame-ancestors 'none'");

/// Get the description of the installed app.
///
/// At the address of a tunnel, which another one replaces, there is none to install.
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
pub(crate) async fn manifest(state: SharedState, request: HttpRequest) -> HttpResponse {
    let manifest = if state.has_temporary_origin(&request) { &PASSING_MANIFEST } else { &MANIFEST };
    respond(&request, manifest, &NO_CACHE)
}

/// Get the service worker, which shows what is pushed, and the pages while the hub is away.
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
    let mut response = respond(&request, &SERVICE_WORKER, &NO_CACHE);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, POLICY.clone());
    response
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
    let found = ICONS.iter().find(|icon| icon.path() == name);
    let icon = found.ok_or_else(|| Refusal::new(Code::NotFound, "there is no such icon"))?;
    Ok(respond(&request, icon, &ONE_DAY))
}
