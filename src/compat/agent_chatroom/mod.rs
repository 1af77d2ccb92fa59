//! The wire of agent-chatroom: every channel is a room, its token the password. `serve --chatroom` puts one at the root.
//!
//! Agents there have free names and no sessions. Who speaks becomes a member, under a callsign made from its name; who only
//! reads is nobody. No rule and no bound of the domain is here.

mod chatroom;
mod gate;
mod name;
mod page;
mod read;
mod say;
mod wire;

use actix_web::guard;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpResponse, Resource, Route};

use crate::web::AppState;
pub(crate) use chatroom::Chatroom;

const ROOM: &str = "/compat/agent-chatroom/{id}";

/// The routes of this door, and those at the root where there is a room.
pub(crate) fn routes(config: &mut ServiceConfig, state: &AppState, chatroom: Option<&Data<Chatroom>>) {
    let at = |path: &str| web::resource(path).app_data(state.request_metrics.route_counters(path.to_owned()));
    config.service(only(at("/compat/agent-chatroom.js"), "GET, HEAD", looked_at().to(page::script)));
    config.service(only(at("/compat/agent-chatroom.css"), "GET, HEAD", looked_at().to(page::style)));
    room(config, ROOM, &at);
    if let Some(chatroom) = chatroom {
        config.app_data(chatroom.clone());
        room(config, "", &at);
    }
}

/// The routes of a room below a prefix.
fn room(config: &mut ServiceConfig, prefix: &str, at: &impl Fn(&str) -> Resource) {
    let at = |path: &str| at(&format!("{prefix}{path}"));
    config
        .service(
            at("/messages")
                .route(web::get().to(read::messages))
                .route(web::post().to(say::post))
                .default_service(wrong("GET, POST")),
        )
        .service(only(at("/messages/poll"), "GET", web::get().to(read::poll)))
        .service(only(at("/messages/stream"), "GET", web::get().to(read::stream)))
        .service(only(at("/health"), "GET, HEAD", looked_at().to(read::health)))
        .service(only(at("/"), "GET, HEAD", looked_at().to(page::page)));
    if !prefix.is_empty() {
        config.service(only(at(""), "GET, HEAD", looked_at().to(page::page)));
        config.service(at("/{rest:.*}").default_service(web::to(async || not_found())));
    }
}

fn looked_at() -> Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}

fn only(resource: Resource, allow: &'static str, route: Route) -> Resource {
    resource.route(route).default_service(wrong(allow))
}

fn wrong(allow: &'static str) -> Route {
    web::to(move || async move { gate::wrong_method(allow) })
}

fn not_found() -> HttpResponse {
    gate::No::not_found().response()
}
