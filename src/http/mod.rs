//! The HTTP door: extract, call the [`Hub`](rogerrat_actors::Hub), answer. No rule and no bound of the domain is here.

mod address;
mod body;
mod channels;
mod discovery;
mod front;
mod health;
mod hosts;
mod members;
mod messages;
mod offers;
mod poll;
mod presets;
mod problem;
mod query;
mod snippets;
mod state;
mod stream;
mod throttle;

use actix_web::http::header;
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
        .service(post("/api/channels", web::post().to(channels::create)))
        .service(web::scope("/api/channels/{id}").configure(in_channel))
        .service(get("/api/bands", web::get().to(channels::bands)))
        .service(get("/api/stats", web::get().to(health::stats)))
        .service(get("/livez", web::get().to(health::live)))
        .service(get("/healthz", web::get().to(health::live)))
        .service(get("/readyz", web::get().to(health::ready)))
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
        .service(post("/join", web::post().to(members::join)))
        .service(post("/leave", web::post().to(members::leave)))
        .service(get("/roster", web::get().to(members::roster)))
        .service(get("/history", web::get().to(messages::history)))
        .service(get("/stats", web::get().to(members::stats)))
        .service(get("/transcript", web::get().to(members::transcript)))
        .service(get("/consumers", web::get().to(messages::consumers)))
        .service(only("DELETE", "/consumers/{name}", web::delete().to(messages::remove_consumer)))
        .service(get("", web::get().to(channels::describe)))
        .service(get("/messages/{message}/receipts", web::get().to(messages::receipts)))
        .default_service(web::to(not_found));
}

fn post(path: &str, route: Route) -> Resource {
    only("POST", path, route)
}

/// A path that can be read: HEAD is served like GET, its body dropped, because reading it changes nothing.
fn get(path: &str, route: Route) -> Resource {
    web::resource(path).route(route).default_service(wrong_method("GET, HEAD"))
}

/// The route of what can be read: `web::get()` alone would turn HEAD away.
fn reads() -> Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
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
