//! The HTTP door: extract, call the [`Hub`], answer. No rule and no bound of the domain is here.

mod address;
mod body;
mod channels;
mod discovery;
mod front;
mod health;
mod hosts;
mod leftover;
mod members;
mod messages;
mod offers;
mod poll;
mod presets;
mod problem;
mod query;
mod snippets;
mod squeeze;
mod state;
mod stream;
mod throttle;

use actix_web::http::header;
use actix_web::middleware::from_fn;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpResponse, Resource, Route, guard};
use rogerrat_actors::{Clock, Hub};
use rogerrat_domain::{Code, Refusal, TokenHash};

use crate::config::Config;
use crate::machine;

pub(crate) use front::door;
use hosts::Hosts;
use problem::Problem;
pub(crate) use state::State;
use throttle::Throttle;

impl State {
    /// What the handlers share.
    pub(crate) fn new(config: &Config, hub: Hub, clock: Clock) -> Data<Self> {
        let server = &config.server;
        Data::new(Self {
            hub,
            clock,
            hosts: Hosts::of(server, &machine::hostname()),
            throttle: Throttle::of(&config.limits),
            limits: config.limits.clone(),
            server_token: server.token.as_deref().map(TokenHash::of),
            origin: server.origin.clone(),
            scheme: server.scheme(),
            trusted_proxies: server.trusted_proxies.clone(),
        })
    }

    /// Forgets what has expired.
    pub(crate) fn sweep(&self) {
        self.throttle.forget_the_quiet();
    }
}

/// Every route of the hub. A path that is known with other methods is 405, one that is not is 404.
pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(post("/api/channels", web::post().to(channels::create).wrap(from_fn(squeeze::squeeze))))
        .service(web::scope("/api/channels/{id}").configure(in_channel))
        .service(get("/api/bands", read().to(channels::bands)))
        .service(get("/api/stats", read().to(health::stats)))
        .service(get("/livez", read().to(health::live)))
        .service(get("/healthz", read().to(health::live)))
        .service(get("/readyz", read().to(health::ready)))
        .configure(discovery::routes)
        .default_service(web::to(not_found));
}

/// The routes of one channel, those an agent uses all day first.
fn in_channel(config: &mut ServiceConfig) {
    config
        .service(only("GET", "/listen", web::get().to(poll::listen)))
        .service(post("/send", web::post().to(messages::send)))
        .service(only("GET", "/wait", web::get().to(poll::wait)))
        .service(only("GET", "/stream", web::get().to(stream::stream)))
        .service(post("/ack", web::post().to(messages::ack)))
        .service(post("/keepalive", web::post().to(members::keepalive)))
        .service(post("/join", web::post().to(members::join).wrap(from_fn(squeeze::squeeze))))
        .service(post("/leave", web::post().to(members::leave)))
        .service(get("/roster", read().to(members::roster)))
        .service(get("/history", read().to(messages::history)))
        .service(get("/stats", read().to(members::stats)))
        .service(get("/transcript", read().to(members::transcript)))
        .service(get("/consumers", read().to(messages::consumers)))
        .service(only("DELETE", "/consumers/{name}", web::delete().to(messages::remove_consumer)))
        .service(get("", read().to(channels::describe)))
        .service(get("/messages/{message}/receipts", read().to(messages::receipts)))
        .default_service(web::to(not_found));
}

fn post(path: &str, route: Route) -> Resource {
    only("POST", path, route)
}

/// GET, and HEAD served like it with its body dropped.
fn read() -> Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}

/// A path that can be read, by HEAD too, because reading it changes nothing. What is long is compressed for who asks.
fn get(path: &str, route: Route) -> Resource {
    let route = route.wrap(from_fn(squeeze::squeeze));
    web::resource(path).route(route).default_service(wrong_method("GET, HEAD"))
}

/// A path with one method. A poll or stream has no HEAD: it would consume what nobody sees.
fn only(method: &'static str, path: &str, route: Route) -> Resource {
    web::resource(path).route(route).default_service(wrong_method(method))
}

fn wrong_method(allow: &'static str) -> Route {
    web::to(move || async move {
        let refusal = Refusal::new(Code::MethodNotAllowed, format!("this path knows {allow} only"));
        let mut response = HttpResponse::from_error(Problem(refusal));
        response.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static(allow));
        response
    })
}

async fn not_found() -> Result<HttpResponse, Problem> {
    Err(Refusal::new(Code::NotFound, "not found").into())
}
