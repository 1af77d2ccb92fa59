//! How a stranger finds the way in: the page for agents, the cards for programs, and the pages for people.
//!
//! All of it is compiled in and rendered with the origin of the request. Numbers come from the domain's limits and the
//! configuration.

pub(super) mod cards;
mod guide;
mod pages;

use actix_web::http::header;
use actix_web::web::ServiceConfig;
use actix_web::{HttpRequest, HttpResponse};

use super::openapi::{AgentCard, Info, McpCard};
use super::state::SharedState;
use super::{Paths, read};

/// The routes of this module.
pub(crate) fn routes(config: &mut ServiceConfig, at: &Paths<'_>) {
    config
        .service(at.get("/", read().to(home)))
        .service(at.get("/llms.txt", read().to(llms)))
        .service(at.get("/api/v1/info", read().to(info)))
        .service(at.get("/.well-known/mcp.json", read().to(mcp)))
        .service(at.get("/.well-known/agent.json", read().to(agent)))
        .service(at.get("/policy", read().to(policy)))
        .service(at.get("/policy.txt", read().to(policy_text)))
        .service(at.get("/robots.txt", read().to(robots)))
        .service(at.get("/style.css", read().to(style)))
        .service(at.get("/docs", read().to(docs)))
        .service(at.get("/docs.js", read().to(docs_script)))
        .service(at.get("/docs/{tail:.*}", read().to(to_the_guide)));
}

/// A page for people; the info for programs that accept JSON and no HTML.
#[utoipa::path(
    get,
    path = "/",
    operation_id = "get_home",
    tag = "Finding the way in",
    responses((status = 200, description = "The way in.", headers(("Link" = String, description = "The page for agents and the description of the API.")), content((String = "text/html"), (Info = "application/json")))),
    extensions(("x-error-codes" = json!([]))),
)]
pub(super) async fn home(state: SharedState, request: HttpRequest) -> HttpResponse {
    let origin = state.public_origin(&request);
    let mut response = if wants_json(&request) {
        HttpResponse::Ok().json(cards::info(&state, &origin))
    } else {
        html(pages::home(&origin))
    };
    let link = format!(
        "<{origin}/llms.txt>; rel=\"alternate\"; type=\"text/markdown\", <{origin}/openapi.json>; \
         rel=\"service-desc\"; type=\"application/json\", <{origin}/docs>; rel=\"service-doc\"; type=\"text/html\""
    );
    if let Ok(link) = header::HeaderValue::from_str(&link) {
        response.headers_mut().insert(header::LINK, link);
    }
    response.headers_mut().insert(header::VARY, header::HeaderValue::from_static("accept"));
    response
}

/// All an agent needs, in blocks of bash to be pasted as they stand.
#[utoipa::path(
    get,
    path = "/llms.txt",
    operation_id = "get_guide",
    tag = "Finding the way in",
    responses((status = 200, body = String, content_type = "text/markdown", description = "The page.")),
    extensions(("x-error-codes" = json!([]))),
)]
pub(super) async fn llms(state: SharedState, request: HttpRequest) -> HttpResponse {
    markdown(guide::guide(&state, &state.public_origin(&request), state.preset(&request)))
}

/// What this hub is, its limits, and where to read on.
#[utoipa::path(
    get,
    path = "/api/v1/info",
    operation_id = "get_info",
    tag = "Finding the way in",
    responses((status = 200, body = Info, description = "The info.")),
    extensions(("x-error-codes" = json!([]))),
)]
pub(super) async fn info(state: SharedState, request: HttpRequest) -> HttpResponse {
    HttpResponse::Ok().json(cards::info(&state, &state.public_origin(&request)))
}

/// What this hub offers over MCP, and its REST routes.
#[utoipa::path(
    get,
    path = "/.well-known/mcp.json",
    operation_id = "get_mcp_card",
    tag = "Finding the way in",
    responses((status = 200, body = McpCard, description = "The card.")),
    extensions(("x-error-codes" = json!([]))),
)]
pub(super) async fn mcp(state: SharedState, request: HttpRequest) -> HttpResponse {
    HttpResponse::Ok().json(cards::mcp(&state, &state.public_origin(&request)))
}

/// An A2A agent card.
#[utoipa::path(
    get,
    path = "/.well-known/agent.json",
    operation_id = "get_agent_card",
    tag = "Finding the way in",
    responses((status = 200, body = AgentCard, description = "The card.")),
    extensions(("x-error-codes" = json!([]))),
)]
pub(super) async fn agent(state: SharedState, request: HttpRequest) -> HttpResponse {
    HttpResponse::Ok().json(cards::agent(&state.public_origin(&request)))
}

/// How to behave, as a page.
#[utoipa::path(
    get,
    path = "/policy",
    operation_id = "get_policy",
    tag = "Finding the way in",
    responses((status = 200, body = String, content_type = "text/html", description = "The page.")),
    extensions(("x-error-codes" = json!([]))),
)]
pub(super) async fn policy() -> HttpResponse {
    html(pages::policy())
}

/// How to behave, as Markdown.
#[utoipa::path(
    get,
    path = "/policy.txt",
    operation_id = "get_policy_text",
    tag = "Finding the way in",
    responses((status = 200, body = String, content_type = "text/markdown", description = "The page.")),
    extensions(("x-error-codes" = json!([]))),
)]
pub(super) async fn policy_text() -> HttpResponse {
    markdown(pages::policy_text())
}

/// For crawlers.
#[utoipa::path(
    get,
    path = "/robots.txt",
    operation_id = "get_robots",
    tag = "Finding the way in",
    responses((status = 200, body = String, description = "The rules.")),
    extensions(("x-error-codes" = json!([]))),
)]
pub(super) async fn robots() -> HttpResponse {
    text("text/plain; charset=utf-8", "User-agent: *\nDisallow: /api/\n".to_owned())
}

/// The look of the pages.
#[utoipa::path(
    get,
    path = "/style.css",
    operation_id = "get_style",
    tag = "Finding the way in",
    responses((status = 200, body = String, content_type = "text/css", description = "The style.")),
    extensions(("x-error-codes" = json!([]))),
)]
pub(super) async fn style() -> HttpResponse {
    text("text/css; charset=utf-8", pages::STYLE.to_owned())
}

/// This description of the API as a page, with a form to try each route.
#[utoipa::path(
    get,
    path = "/docs",
    operation_id = "get_docs",
    tag = "Finding the way in",
    responses((status = 200, body = String, content_type = "text/html", description = "The page.")),
    extensions(("x-error-codes" = json!([]))),
)]
pub(super) async fn docs() -> HttpResponse {
    html(pages::DOCS.to_owned())
}

/// The script of `/docs`.
#[utoipa::path(
    get,
    path = "/docs.js",
    operation_id = "get_docs_script",
    tag = "Finding the way in",
    responses((status = 200, body = String, content_type = "text/javascript", description = "The script.")),
    extensions(("x-error-codes" = json!([]))),
)]
pub(super) async fn docs_script() -> HttpResponse {
    text("text/javascript; charset=utf-8", pages::DOCS_SCRIPT.to_owned())
}

/// Leads old links to `/llms.txt`.
#[utoipa::path(
    get,
    path = "/docs/{tail}",
    operation_id = "get_old_docs",
    tag = "Finding the way in",
    params(("tail" = String, Path, description = "Anything, slashes included.")),
    responses((status = 302, description = "To `/llms.txt`.", headers(("Location" = String, description = "`/llms.txt`")))),
    extensions(("x-error-codes" = json!([]))),
)]
pub(super) async fn to_the_guide() -> HttpResponse {
    HttpResponse::Found().insert_header((header::LOCATION, "/llms.txt")).finish()
}

/// Whether a program asks: it accepts JSON and no HTML.
fn wants_json(request: &HttpRequest) -> bool {
    let accepts = |kind| {
        let values = request.headers().get_all(header::ACCEPT).filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|item| item.trim().to_ascii_lowercase().starts_with(kind))
    };
    accepts("application/json") && !accepts("text/html")
}

fn html(page: String) -> HttpResponse {
    text("text/html; charset=utf-8", page)
}

fn markdown(page: String) -> HttpResponse {
    text("text/markdown; charset=utf-8", page)
}

fn text(kind: &'static str, page: String) -> HttpResponse {
    HttpResponse::Ok().content_type(kind).body(page)
}

/// Puts values into the `{{places}}` of a page.
fn fill(page: &str, places: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(page.len() * 2);
    let mut rest = page;
    while let Some((before, after)) = rest.split_once("{{") {
        let (place, after) = after.split_once("}}").unwrap_or((after, ""));
        let value = places.iter().find(|(name, _)| *name == place).map(|(_, value)| *value);
        filled += before;
        filled += value.unwrap_or_else(|| unreachable!("no page has the place {place}"));
        rest = after;
    }
    filled + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_put_in_once_and_not_read_again() {
        assert_eq!(fill("a {{x}} b {{y}}", &[("x", "{{y}}"), ("y", "2")]), "a {{y}} b 2");
    }
}
