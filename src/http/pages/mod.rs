//! Pages for people, and the files they load.
//!
//! A page is a shell of HTML from `web/pages`, filled with the origin of the request; its modules call the API like any
//! other client. No page contains a secret, and none needs a token to be loaded.

pub(super) mod app;
pub(super) mod files;
mod policy;

use actix_web::http::header;
use actix_web::web::ServiceConfig;
use actix_web::{HttpRequest, HttpResponse};

use super::discovery::cards::{self, Info};
use super::{Paths, read};
use crate::web::page::{Page, escaped};
use crate::web::state::SharedState;

static LANDING: Page = Page::indexed(include_str!("../../../web/pages/landing.html"));
static REMOTE: Page = Page::unlisted(include_str!("../../../web/pages/remote.html"));
static ACCOUNT: Page = Page::unlisted(include_str!("../../../web/pages/account.html"));
static ADMIN: Page = Page::unlisted(include_str!("../../../web/pages/admin.html"));
static DOCS: Page = Page::indexed(include_str!("../../../web/pages/docs.html"));
static POLICY: Page = Page::indexed(include_str!("../../../web/pages/policy.html"));

/// Registers the routes of this module.
pub(crate) fn routes(config: &mut ServiceConfig, at: &Paths<'_>) {
    config
        .service(at.get("/", read().to(home)))
        .service(at.get("/start", read().to(start)))
        .service(at.get("/remote", read().to(remote)))
        .service(at.get("/remote/{id}", read().to(remote_channel)))
        .service(at.get("/account", read().to(account)))
        .service(at.get("/account/verify", read().to(verify)))
        .service(at.get("/account/recover", read().to(recover)))
        .service(at.get("/admin", read().to(admin)))
        .service(at.get("/docs", read().to(docs)))
        .service(at.get("/policy", read().to(policy)))
        .service(at.get("/policy.txt", read().to(policy_text)))
        .service(at.get("/robots.txt", read().to(robots)))
        .service(at.get("/favicon.svg", read().to(files::favicon)))
        .service(at.get("/icons/{name}", read().to(app::icon)))
        .service(at.get("/manifest.webmanifest", read().to(app::manifest)))
        .service(at.get("/sw.js", read().to(app::service_worker)))
        .service(at.get("/static/{hash}/{tail:.*}", read().to(files::file)));
}

/// Get the start page.
///
/// A client that accepts JSON and no HTML gets the reply of `/api/v1/info` instead.
#[utoipa::path(
    get,
    path = "/",
    operation_id = "get_home",
    tag = "Pages",
    responses(
        (status = 200, description = "The page, or the info.",
            headers(("Link" = String, description = "The guide for agents and the OpenAPI description.")),
            content((String = "text/html"), (Info = "application/json"))),
        (status = 304, description = "The copy is valid."),
    ),
)]
pub(super) async fn home(state: SharedState, request: HttpRequest) -> HttpResponse {
    let origin = state.public_origin(&request);
    let mut response = if wants_json(&request) {
        HttpResponse::Ok().json(cards::info(&state, &cards::Addresses::of(&state, &request)))
    } else {
        landing(&request, &origin)
    };
    let link = format!(
        "<{origin}/llms.txt>; rel=\"alternate\"; type=\"text/markdown\", <{origin}/openapi.json>; \
         rel=\"service-desc\"; type=\"application/json\", <{origin}/docs>; rel=\"service-doc\"; type=\"text/html\""
    );
    if let Ok(link) = header::HeaderValue::from_str(&link) {
        response.headers_mut().insert(header::LINK, link);
    }
    response.headers_mut().append(header::VARY, header::HeaderValue::from_static("accept"));
    response
}

/// Get the start page, also where `/` is a chat room.
#[utoipa::path(
    get,
    path = "/start",
    operation_id = "get_start",
    tag = "Pages",
    responses(
        (status = 200, body = String, content_type = "text/html", description = "The page."),
        (status = 304, description = "The copy is valid."),
    ),
)]
pub(super) async fn start(state: SharedState, request: HttpRequest) -> HttpResponse {
    landing(&request, &state.public_origin(&request))
}

/// Get the page that opens a channel from a link, or lists the remembered ones.
#[utoipa::path(
    get,
    path = "/remote",
    operation_id = "get_remote",
    tag = "Pages",
    responses(
        (status = 200, body = String, content_type = "text/html", description = "The page."),
        (status = 304, description = "The copy is valid."),
    ),
)]
pub(super) async fn remote(request: HttpRequest) -> HttpResponse {
    REMOTE.respond(&request, &[])
}

/// Get the chat page of a channel or band.
///
/// It is the same for every id, whether the channel exists or not. Its secrets are in the fragment of the URL, which
/// browsers do not send.
#[utoipa::path(
    get,
    path = "/remote/{id}",
    operation_id = "get_remote_channel",
    tag = "Pages",
    params(("id" = String, Path, description = "Id of a channel, or name of a band.")),
    responses(
        (status = 200, body = String, content_type = "text/html", description = "The page."),
        (status = 304, description = "The copy is valid."),
    ),
)]
pub(super) async fn remote_channel(request: HttpRequest) -> HttpResponse {
    REMOTE.respond(&request, &[])
}

/// Get the account page.
#[utoipa::path(
    get,
    path = "/account",
    operation_id = "get_account_page",
    tag = "Pages",
    responses(
        (status = 200, body = String, content_type = "text/html", description = "The page."),
        (status = 304, description = "The copy is valid."),
    ),
)]
pub(super) async fn account(request: HttpRequest) -> HttpResponse {
    ACCOUNT.respond(&request, &[])
}

/// Get the account page at a path that is reserved for links in e-mails.
#[utoipa::path(
    get,
    path = "/account/verify",
    operation_id = "get_verify_page",
    tag = "Pages",
    responses(
        (status = 200, body = String, content_type = "text/html", description = "The account page."),
        (status = 304, description = "The copy is valid."),
    ),
)]
pub(super) async fn verify(request: HttpRequest) -> HttpResponse {
    ACCOUNT.respond(&request, &[])
}

/// Get the account page at another path that is reserved for links in e-mails. Loading it changes nothing.
#[utoipa::path(
    get,
    path = "/account/recover",
    operation_id = "get_recover_page",
    tag = "Pages",
    responses(
        (status = 200, body = String, content_type = "text/html", description = "The account page."),
        (status = 304, description = "The copy is valid."),
    ),
)]
pub(super) async fn recover(request: HttpRequest) -> HttpResponse {
    ACCOUNT.respond(&request, &[])
}

/// Get the administration page. It asks for the admin token.
#[utoipa::path(
    get,
    path = "/admin",
    operation_id = "get_admin_page",
    tag = "Pages",
    responses(
        (status = 200, body = String, content_type = "text/html", description = "The page."),
        (status = 304, description = "The copy is valid."),
    ),
)]
pub(super) async fn admin(request: HttpRequest) -> HttpResponse {
    ADMIN.respond(&request, &[])
}

/// Get the API reference as a page, with a form to try each route.
#[utoipa::path(
    get,
    path = "/docs",
    operation_id = "get_docs",
    tag = "Pages",
    responses(
        (status = 200, body = String, content_type = "text/html", description = "The page."),
        (status = 304, description = "The copy is valid."),
    ),
)]
pub(super) async fn docs(request: HttpRequest) -> HttpResponse {
    DOCS.respond(&request, &[])
}

/// Get the usage policy as a page.
#[utoipa::path(
    get,
    path = "/policy",
    operation_id = "get_policy",
    tag = "Pages",
    responses(
        (status = 200, body = String, content_type = "text/html", description = "The page."),
        (status = 304, description = "The copy is valid."),
    ),
)]
pub(super) async fn policy(request: HttpRequest) -> HttpResponse {
    POLICY.respond(&request, &[("policy", &policy::html())])
}

/// Get the usage policy as Markdown.
#[utoipa::path(
    get,
    path = "/policy.txt",
    operation_id = "get_policy_text",
    tag = "Pages",
    responses((status = 200, body = String, content_type = "text/markdown", description = "The policy.")),
)]
pub(super) async fn policy_text() -> HttpResponse {
    HttpResponse::Ok().content_type("text/markdown; charset=utf-8").body(policy::markdown())
}

/// Get the rules for crawlers.
#[utoipa::path(
    get,
    path = "/robots.txt",
    operation_id = "get_robots",
    tag = "Pages",
    responses((status = 200, body = String, description = "The rules.")),
)]
pub(super) async fn robots() -> HttpResponse {
    const RULES: &str =
        "User-agent: *\nDisallow: /api/\nDisallow: /remote\nDisallow: /account\nDisallow: /admin\nDisallow: /compat/\n";
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body(RULES)
}

fn landing(request: &HttpRequest, origin: &str) -> HttpResponse {
    LANDING.respond(request, &[("origin", &escaped(origin))])
}

/// Whether the client is a program: it accepts JSON and no HTML.
fn wants_json(request: &HttpRequest) -> bool {
    let accepts = |kind| {
        let values = request.headers().get_all(header::ACCEPT).filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|item| item.trim().to_ascii_lowercase().starts_with(kind))
    };
    accepts("application/json") && !accepts("text/html")
}
