//! How a stranger finds the way in: the page for agents, the cards for programs, and the pages for people.
//!
//! All of it is compiled in and rendered with the origin of the request. Numbers come from the domain's limits and the
//! configuration, and what is not here yet from `offers.rs`.

mod cards;
mod guide;
mod pages;

use actix_web::http::header;
use actix_web::web::ServiceConfig;
use actix_web::{HttpRequest, HttpResponse};

use super::state::Shared;
use super::{Paths, read};

/// The routes of this module. `/docs` itself is not one of them.
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
        .service(at.get("/docs/{tail:.*}", read().to(to_the_guide)));
}

/// `GET /`: a page for people, the info for programs. It always points to the page for agents.
async fn home(state: Shared, request: HttpRequest) -> HttpResponse {
    let origin = state.public_origin(&request);
    let mut response = if wants_json(&request) {
        HttpResponse::Ok().json(cards::info(&state, &origin))
    } else {
        html(pages::home(&origin))
    };
    let link = format!("<{origin}/llms.txt>; rel=\"alternate\"; type=\"text/markdown\"");
    if let Ok(link) = header::HeaderValue::from_str(&link) {
        response.headers_mut().insert(header::LINK, link);
    }
    response.headers_mut().insert(header::VARY, header::HeaderValue::from_static("accept"));
    response
}

async fn llms(state: Shared, request: HttpRequest) -> HttpResponse {
    markdown(guide::guide(&state, &state.public_origin(&request), state.preset(&request)))
}

async fn info(state: Shared, request: HttpRequest) -> HttpResponse {
    HttpResponse::Ok().json(cards::info(&state, &state.public_origin(&request)))
}

async fn mcp(state: Shared, request: HttpRequest) -> HttpResponse {
    HttpResponse::Ok().json(cards::mcp(&state, &state.public_origin(&request)))
}

async fn agent(state: Shared, request: HttpRequest) -> HttpResponse {
    HttpResponse::Ok().json(cards::agent(&state.public_origin(&request)))
}

async fn policy() -> HttpResponse {
    html(pages::policy())
}

async fn policy_text() -> HttpResponse {
    markdown(pages::policy_text())
}

async fn robots() -> HttpResponse {
    text("text/plain; charset=utf-8", "User-agent: *\nDisallow: /api/\n".to_owned())
}

async fn style() -> HttpResponse {
    text("text/css; charset=utf-8", pages::STYLE.to_owned())
}

async fn to_the_guide() -> HttpResponse {
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
