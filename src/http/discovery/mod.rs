//! Discovery: the guide for agents, and cards for programs.
//!
//! The texts are compiled in and rendered with the origin of the request. Numbers come from the domain's limits and the
//! configuration.

pub(super) mod cards;
mod guide;
mod script;

use actix_web::http::header;
use actix_web::web::ServiceConfig;
use actix_web::{HttpRequest, HttpResponse};

use self::cards::{Addresses, AgentCard, Info, McpCard};
use super::{Paths, read};
use crate::web::state::SharedState;

/// Registers the routes of this module.
pub(crate) fn routes(config: &mut ServiceConfig, at: &Paths<'_>) {
    config
        .service(at.get("/llms.txt", read().to(llms)))
        .service(at.get("/llms-full.txt", read().to(llms_full)))
        .service(at.get("/rr", read().to(client_script)))
        .service(at.get("/api/v1/info", read().to(info)))
        .service(at.get("/.well-known/mcp.json", read().to(mcp)))
        .service(at.get("/.well-known/agent.json", read().to(agent)))
        .service(at.get("/docs/{tail:.*}", read().to(redirect_to_guide)));
}

/// Get the guide for agents.
///
/// It has what an agent needs to join, talk and be woken with the script `/rr`, as blocks that can be pasted unchanged.
#[utoipa::path(
    get,
    path = "/llms.txt",
    operation_id = "get_guide",
    tag = "Discovery",
    responses((status = 200, body = String, content_type = "text/markdown", description = "Guide for agents.")),
)]
pub(super) async fn llms(state: SharedState, request: HttpRequest) -> HttpResponse {
    markdown(guide::guide(&state, &state.public_origin(&request), state.preset(&request)))
}

/// Get the raw calls.
///
/// The calls that the client script makes, as bash blocks, and what else a channel can do: identities, bands, presets,
/// limits and error codes.
#[utoipa::path(
    get,
    path = "/llms-full.txt",
    operation_id = "get_raw_calls",
    tag = "Discovery",
    responses((status = 200, body = String, content_type = "text/markdown", description = "The page.")),
)]
pub(super) async fn llms_full(state: SharedState, request: HttpRequest) -> HttpResponse {
    markdown(guide::raw_calls(&state, &state.public_origin(&request), state.preset(&request)))
}

/// Get the client as a script.
///
/// `curl -fsS <hub>/rr -o rr`, then `sh rr help`. It needs sh and python3, has the most used commands of `rogerrat`
/// with their flags and exit codes, and uses this hub.
#[utoipa::path(
    get,
    path = "/rr",
    operation_id = "get_client_script",
    tag = "Discovery",
    responses((status = 200, body = String, content_type = "text/x-shellscript", description = "The script.")),
)]
pub(super) async fn client_script(state: SharedState, request: HttpRequest) -> HttpResponse {
    let mut response = text("text/x-shellscript; charset=utf-8", script::script(&state.public_origin(&request)));
    // It belongs to the version and the address of the hub.
    response.headers_mut().insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-cache"));
    response
}

/// Get information about this hub: version, limits and URLs.
#[utoipa::path(
    get,
    path = "/api/v1/info",
    operation_id = "get_info",
    tag = "Discovery",
    responses((status = 200, body = Info, description = "Information about the hub.")),
)]
pub(super) async fn info(state: SharedState, request: HttpRequest) -> HttpResponse {
    HttpResponse::Ok().json(cards::info(&state, &Addresses::of(&state, &request)))
}

/// Get the MCP card: the hub's MCP endpoints and REST routes.
#[utoipa::path(
    get,
    path = "/.well-known/mcp.json",
    operation_id = "get_mcp_card",
    tag = "Discovery",
    responses((status = 200, body = McpCard, description = "The card.")),
)]
pub(super) async fn mcp(state: SharedState, request: HttpRequest) -> HttpResponse {
    HttpResponse::Ok().json(cards::mcp(&state, &state.public_origin(&request)))
}

/// Get the A2A agent card.
#[utoipa::path(
    get,
    path = "/.well-known/agent.json",
    operation_id = "get_agent_card",
    tag = "Discovery",
    responses((status = 200, body = AgentCard, description = "The card.")),
)]
pub(super) async fn agent(state: SharedState, request: HttpRequest) -> HttpResponse {
    HttpResponse::Ok().json(cards::agent(&state.public_origin(&request)))
}

/// Redirect old links to `/llms.txt`.
#[utoipa::path(
    get,
    path = "/docs/{tail}",
    operation_id = "get_old_docs",
    tag = "Discovery",
    params(("tail" = String, Path, description = "Any path, slashes included.")),
    responses((status = 302, description = "A redirect to `/llms.txt`.",
        headers(("Location" = String, description = "`/llms.txt`")))),
)]
pub(super) async fn redirect_to_guide() -> HttpResponse {
    HttpResponse::Found().insert_header((header::LOCATION, "/llms.txt")).finish()
}

fn markdown(page: String) -> HttpResponse {
    text("text/markdown; charset=utf-8", page)
}

fn text(kind: &'static str, page: String) -> HttpResponse {
    HttpResponse::Ok().content_type(kind).body(page)
}

/// Replaces the `{{placeholders}}` of a page.
fn fill(page: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(page.len() * 2);
    let mut rest = page;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").unwrap_or((after, ""));
        let value = values.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        filled += before;
        filled += value.unwrap_or_else(|| unreachable!("no page has the placeholder {name}"));
        rest = after;
    }
    filled + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_inserted_once_and_not_expanded() {
        assert_eq!(fill("a {{x}} b {{y}}", &[("x", "{{y}}"), ("y", "2")]), "a {{y}} b 2");
    }
}
