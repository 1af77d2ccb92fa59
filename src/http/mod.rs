//! The REST interface: handlers extract a request, call the [`Hub`](rogerrat_actors::Hub), and build the response.
//!
//! It contains no rule and no limit of the domain.

mod account;
mod account_email;
mod account_sessions;
mod admin;
mod channels;
#[cfg(test)]
mod checks;
mod compression;
mod discovery;
mod error_codes;
mod fetch;
mod file_name;
mod health;
mod members;
mod messages;
mod metrics;
mod oauth;
mod openapi;
mod pages;
mod parameters;
mod poll;
mod push;
mod query;
mod remote;
mod stream;
mod tasks;
mod transcript;
mod webhooks;

use actix_web::dev::fn_service;
use actix_web::http::{Method, header};
use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, Resource, Route, guard};
use rogerrat_domain::{ChannelId, Code, Refusal};
use serde::Serialize;
use utoipa::ToSchema;

use crate::web::AppState;
use crate::web::peers::channel_after;
use crate::web::problem::Problem;
use crate::web::request_metrics::RequestMetrics;
#[cfg(test)]
use crate::web::{address, hosts, json};

/// The path prefix of a channel's routes.
const CHANNEL: &str = "/api/channels/{id}";

/// The prefixes of paths whose next segment is a channel.
const CHANNEL_PREFIXES: [&str; 3] = ["/api/channels/", "/api/account/channels/", "/api/admin/channels/"];

/// The channel that a decoded path names: its owner must respond. The page of a channel is the same everywhere.
pub(crate) fn channel_of_path(path: &str) -> Option<ChannelId> {
    CHANNEL_PREFIXES.iter().find_map(|prefix| channel_after(path, prefix))
}

/// Whether a GET request to a path delivers messages, which the next one does not deliver again.
pub(crate) fn delivers(path: &str) -> bool {
    path.starts_with(CHANNEL_PREFIXES[0]) && ["/listen", "/wait", "/stream"].iter().any(|read| path.ends_with(read))
}

/// Registers the routes of one channel. They must be registered before all others: routes are matched in order, those
/// with parameters by regular expression, and these are the most frequent ones.
pub(crate) fn channel_routes(config: &mut ServiceConfig, state: &AppState) {
    let at = Paths { prefix: CHANNEL, metrics: &state.request_metrics };
    config.service(web::scope(CHANNEL).configure(|config| in_channel(config, &at)));
}

/// Registers all other routes. A known path with an unsupported method returns 405, an unknown path 404.
pub(crate) fn routes(config: &mut ServiceConfig, state: &AppState) {
    let at = Paths { prefix: "", metrics: &state.request_metrics };
    config
        .app_data(state.request_metrics.worker_counters())
        .app_data(web::Data::new(openapi::DescriptionCell::default()))
        .service(at.post("/api/channels", web::post().to(channels::create).wrap(from_fn(compression::compress))))
        .service(at.post("/api/remote-control", web::post().to(remote::open).wrap(from_fn(compression::compress))))
        .service(at.post("/api/qr", web::post().to(remote::qr).wrap(from_fn(compression::compress))))
        .service(at.get("/api/bands", read().to(channels::bands)))
        .service(at.get("/api/stats", read().to(health::stats)))
        .service(at.get("/livez", read().to(health::live)))
        .service(at.get("/healthz", read().to(health::healthy)))
        .service(at.get("/readyz", read().to(health::ready)))
        .service(at.get("/metrics", read().to(metrics::metrics)))
        .service(at.get("/openapi.json", read().to(openapi::openapi)))
        .configure(|config| account::routes(config, &at))
        .configure(|config| account_email::routes(config, &at))
        .configure(|config| account_sessions::routes(config, &at))
        .configure(|config| webhooks::account_routes(config, &at))
        .configure(|config| push::routes(config, &at))
        .configure(|config| admin::routes(config, &at))
        .configure(|config| discovery::routes(config, &at))
        .configure(|config| pages::routes(config, &at))
        .configure(oauth::routes)
        .default_service(web::to(not_found));
}

/// The routes of one channel, the most frequent ones first.
fn in_channel(config: &mut ServiceConfig, at: &Paths<'_>) {
    config
        .service(at.only("GET", "/listen", by(Method::GET).service(fn_service(poll::listen))))
        .service(at.post("/send", by(Method::POST).to(messages::send)))
        .service(at.only("GET", "/wait", by(Method::GET).service(fn_service(poll::wait))))
        .service(at.either("/stream", by(Method::GET).to(stream::stream), by(Method::POST).to(stream::post_stream)))
        .service(at.post("/ack", by(Method::POST).to(messages::ack)))
        .service(at.post("/keepalive", by(Method::POST).to(members::keepalive)))
        .service(at.post("/join", by(Method::POST).to(members::join).wrap(from_fn(compression::compress))))
        .service(at.post("/leave", by(Method::POST).to(members::leave)))
        .service(at.post("/ask", by(Method::POST).to(tasks::ask)))
        .service(at.post("/tasks/take", by(Method::POST).to(tasks::take_next)))
        .service(at.post("/tasks/{task}/take", by(Method::POST).to(tasks::take)))
        .service(at.get("/tasks/{task}", read().to(tasks::task)))
        .service(at.get("/tasks", read().to(tasks::board)))
        .service(at.get("/roster", read().to(members::roster)))
        .service(at.get("/history", read().to(messages::history)))
        .service(at.get("/stats", read().to(members::stats)))
        .service(at.get("/transcript", read().to(transcript::transcript)))
        .service(at.get("/consumers", read().to(messages::consumers)))
        .service(at.only("DELETE", "/consumers/{name}", by(Method::DELETE).to(messages::remove_consumer)))
        .service(at.get("", read().to(channels::describe)))
        .service(at.get("/receipts", read().to(messages::receipts_of_many)))
        .service(at.get("/messages/{message}/receipts", read().to(messages::receipts)))
        .service(at.get("/messages/{message}", read().to(fetch::message)))
        .service(at.get("/messages/{message}/attachments/{n}", read().to(fetch::attachment)))
        .service(at.post("/remote-link", by(Method::POST).to(remote::link)))
        .configure(|config| webhooks::in_channel_routes(config, at))
        .configure(|config| push::in_channel_routes(config, at))
        .default_service(web::to(not_found));
}

/// Success.
#[derive(Serialize, ToSchema)]
struct Done {
    /// Always true.
    ok: bool,
}

impl Default for Done {
    fn default() -> Self {
        Self { ok: true }
    }
}

/// The result of closing a session.
#[derive(Serialize, ToSchema)]
struct EndSessionReply {
    /// Always true.
    ok: bool,
    /// Whether a session was closed. False if the callsign had none.
    ended: bool,
}

/// A route for GET and HEAD. The body of a HEAD response is dropped.
fn read() -> Route {
    web::route().guard(guard::fn_guard(|context| matches!(context.head().method, Method::GET | Method::HEAD)))
}

/// A route for one method. The guards of actix would record every tried method on the request, for a 405 that it
/// builds; ours is built by `wrong_method`.
fn by(method: Method) -> Route {
    web::route().guard(guard::fn_guard(move |context| context.head().method == method))
}

/// Builds the resources below a path prefix, with their request counters.
#[derive(Clone, Copy)]
struct Paths<'a> {
    prefix: &'static str,
    metrics: &'a RequestMetrics,
}

impl Paths<'_> {
    fn post(&self, path: &str, route: Route) -> Resource {
        self.only("POST", path, route)
    }

    /// A path with GET and HEAD. Long responses are compressed.
    fn get(&self, path: &str, route: Route) -> Resource {
        let route = route.wrap(from_fn(compression::compress));
        self.counted(path).route(route).default_service(wrong_method("GET, HEAD"))
    }

    /// A path with one method. Polls and streams have no HEAD: it would consume messages without returning them.
    fn only(&self, method: &'static str, path: &str, route: Route) -> Resource {
        self.counted(path).route(route).default_service(wrong_method(method))
    }

    /// A path with GET and POST, but no HEAD.
    fn either(&self, path: &str, get: Route, post: Route) -> Resource {
        self.counted(path).route(get).route(post).default_service(wrong_method("GET, POST"))
    }

    /// A path with GET, HEAD and one other method.
    fn get_and(&self, method: &'static str, path: &str, reading: Route, other: Route) -> Resource {
        let allow = if method == "POST" { "GET, HEAD, POST" } else { "GET, HEAD, DELETE" };
        let reading = reading.wrap(from_fn(compression::compress));
        self.counted(path).route(reading).route(other).default_service(wrong_method(allow))
    }

    /// A path with POST and DELETE.
    fn post_and_delete(&self, path: &str, posting: Route, deleting: Route) -> Resource {
        self.counted(path).route(posting).route(deleting).default_service(wrong_method("POST, DELETE"))
    }

    /// A path with GET, HEAD, POST and DELETE.
    fn all(&self, path: &str, reading: Route, posting: Route, deleting: Route) -> Resource {
        let reading = reading.wrap(from_fn(compression::compress));
        let resource = self.counted(path).route(reading).route(posting).route(deleting);
        resource.default_service(wrong_method("GET, HEAD, POST, DELETE"))
    }

    fn counted(&self, path: &str) -> Resource {
        web::resource(path).app_data(self.metrics.route_counters(format!("{}{path}", self.prefix)))
    }
}

fn wrong_method(allow: &'static str) -> Route {
    web::to(move || async move {
        let refusal = Refusal::new(Code::MethodNotAllowed, format!("method not allowed; use {allow}"));
        let mut response = HttpResponse::from_error(Problem(refusal));
        response.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static(allow));
        response
    })
}

async fn not_found() -> Result<HttpResponse, Problem> {
    Err(Refusal::new(Code::NotFound, "not found").into())
}
