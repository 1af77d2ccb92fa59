//! The protocol of agent-chatroom: every channel is a room, and its token is the password. `serve --chatroom` adds a
//! room at the root path.
//!
//! Its clients have free-form names and no sessions. A client that posts becomes a member, with a callsign derived from
//! its name; a client that only reads does not. It contains no rule and no limit of the domain.

mod admission;
mod callsign;
mod chatroom;
mod page;
mod post;
mod read;
mod wire;

use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpResponse, Resource, Route, guard};
use rogerrat_domain::ChannelId;

use crate::web::AppState;
use crate::web::peers::channel_after;
pub(crate) use admission::password;
pub(crate) use chatroom::Chatroom;

const ROOM: &str = "/compat/agent-chatroom/{id}";

/// The channel of the room that a decoded path names.
pub(crate) fn channel_of_path(path: &str, chatroom: Option<&Chatroom>) -> Option<ChannelId> {
    let at_root = || chatroom.filter(|_| path == "/messages" || path.starts_with("/messages/"));
    channel_after(path, "/compat/agent-chatroom/").or_else(|| at_root().map(Chatroom::channel))
}

/// Registers the routes of all rooms, and those of the room at the root if there is one.
pub(crate) fn routes(config: &mut ServiceConfig, state: &AppState, chatroom: Option<&Data<Chatroom>>) {
    let at = |path: &str| web::resource(path).app_data(state.request_metrics.route_counters(path.to_owned()));
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
                .route(web::post().to(post::post))
                .default_service(wrong_method("GET, POST")),
        )
        .service(only(at("/messages/poll"), "GET", web::get().to(read::poll)))
        .service(only(at("/messages/stream"), "GET", web::get().to(read::stream)))
        .service(only(at("/health"), "GET, HEAD", read_only().to(read::health)))
        .service(only(at("/"), "GET, HEAD", read_only().to(page::page)));
    if !prefix.is_empty() {
        config.service(only(at(""), "GET, HEAD", read_only().to(page::page)));
        config.service(at("/{rest:.*}").default_service(web::to(async || not_found())));
    }
}

fn read_only() -> Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}

fn only(resource: Resource, allow: &'static str, route: Route) -> Resource {
    resource.route(route).default_service(wrong_method(allow))
}

fn wrong_method(allow: &'static str) -> Route {
    web::to(move || async move { admission::wrong_method(allow) })
}

fn not_found() -> HttpResponse {
    admission::RoomError::not_found().response()
}
