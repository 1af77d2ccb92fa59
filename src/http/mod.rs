//! The HTTP door: extract, call the [`Hub`](rogerrat_actors::Hub), answer. No rule and no bound of the domain is here.

mod account;
mod admin;
mod channels;
#[cfg(test)]
mod checks;
mod compression;
mod discovery;
mod health;
mod members;
mod messages;
mod metrics;
mod openapi;
mod poll;
mod query;
mod stream;
mod transcript;
mod webhooks;

use actix_web::dev::fn_service;
use actix_web::http::{Method, header};
use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, Resource, Route, guard};
use rogerrat_domain::{Code, Refusal};
use serde::Serialize;
use utoipa::ToSchema;

use crate::web::request_metrics::RequestMetrics;
#[cfg(test)]
use crate::web::{address, hosts, json};
use crate::web::{body, presets, problem, snippets, state};
use problem::Problem;
use state::AppState;

/// The paths of one channel.
const CHANNEL: &str = "/api/channels/{id}";

/// The routes of one channel. Whoever puts the hub's doors together asks for them first: routes are tried in their order,
/// each that has a name in it by a regular expression, and these are the ones an agent uses all day.
pub(crate) fn channel_routes(config: &mut ServiceConfig, state: &AppState) {
    let at = Paths { under: CHANNEL, metrics: &state.request_metrics };
    config.service(web::scope(CHANNEL).configure(|config| in_channel(config, &at)));
}

/// Every other route of the hub. A path that is known with other methods is 405, one that is not is 404.
pub(crate) fn routes(config: &mut ServiceConfig, state: &AppState) {
    let at = Paths { under: "", metrics: &state.request_metrics };
    config
        .app_data(state.request_metrics.worker_counters())
        .app_data(web::Data::new(openapi::Made::default()))
        .service(at.post("/api/channels", web::post().to(channels::create).wrap(from_fn(compression::compress))))
        .service(at.get("/api/bands", read().to(channels::bands)))
        .service(at.get("/api/stats", read().to(health::stats)))
        .service(at.get("/livez", read().to(health::live)))
        .service(at.get("/healthz", read().to(health::healthy)))
        .service(at.get("/readyz", read().to(health::ready)))
        .service(at.get("/metrics", read().to(metrics::metrics)))
        .service(at.get("/openapi.json", read().to(openapi::openapi)))
        .configure(|config| account::routes(config, &at))
        .configure(|config| webhooks::account_routes(config, &at))
        .configure(|config| admin::routes(config, &at))
        .configure(|config| discovery::routes(config, &at))
        .default_service(web::to(not_found));
}

/// The routes of one channel, those an agent uses all day first.
fn in_channel(config: &mut ServiceConfig, at: &Paths<'_>) {
    config
        .service(at.only("GET", "/listen", by(Method::GET).service(fn_service(poll::listen))))
        .service(at.post("/send", by(Method::POST).to(messages::send)))
        .service(at.only("GET", "/wait", by(Method::GET).service(fn_service(poll::wait))))
        .service(at.only("GET", "/stream", by(Method::GET).to(stream::stream)))
        .service(at.post("/ack", by(Method::POST).to(messages::ack)))
        .service(at.post("/keepalive", by(Method::POST).to(members::keepalive)))
        .service(at.post("/join", by(Method::POST).to(members::join).wrap(from_fn(compression::compress))))
        .service(at.post("/leave", by(Method::POST).to(members::leave)))
        .service(at.get("/roster", read().to(members::roster)))
        .service(at.get("/history", read().to(messages::history)))
        .service(at.get("/stats", read().to(members::stats)))
        .service(at.get("/transcript", read().to(transcript::transcript)))
        .service(at.get("/consumers", read().to(messages::consumers)))
        .service(at.only("DELETE", "/consumers/{name}", by(Method::DELETE).to(messages::remove_consumer)))
        .service(at.get("", read().to(channels::describe)))
        .service(at.get("/messages/{message}/receipts", read().to(messages::receipts)))
        .configure(|config| webhooks::in_channel_routes(config, at))
        .default_service(web::to(not_found));
}

/// It is done.
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

/// GET, and HEAD served like it with its body dropped.
fn read() -> Route {
    web::route().guard(guard::fn_guard(|asked| matches!(asked.head().method, Method::GET | Method::HEAD)))
}

/// One method. actix's own guards would write down with every request which ones were tried, for a 405 that we answer.
fn by(method: Method) -> Route {
    web::route().guard(guard::fn_guard(move |asked| asked.head().method == method))
}

/// Where paths begin, and where their requests are counted.
#[derive(Clone, Copy)]
struct Paths<'a> {
    under: &'static str,
    metrics: &'a RequestMetrics,
}

impl Paths<'_> {
    fn post(&self, path: &str, route: Route) -> Resource {
        self.only("POST", path, route)
    }

    /// A path that can be read, by HEAD too, because reading it changes nothing. What is long is compressed for who asks.
    fn get(&self, path: &str, route: Route) -> Resource {
        let route = route.wrap(from_fn(compression::compress));
        self.counted(path).route(route).default_service(wrong_method("GET, HEAD"))
    }

    /// A path with one method. A poll or stream has no HEAD: it would consume what nobody sees.
    fn only(&self, method: &'static str, path: &str, route: Route) -> Resource {
        self.counted(path).route(route).default_service(wrong_method(method))
    }

    /// A path that can be read, and takes one method more.
    fn get_and(&self, method: &'static str, path: &str, reading: Route, other: Route) -> Resource {
        let allow = if method == "POST" { "GET, HEAD, POST" } else { "GET, HEAD, DELETE" };
        let reading = reading.wrap(from_fn(compression::compress));
        self.counted(path).route(reading).route(other).default_service(wrong_method(allow))
    }

    /// A path that can be read, posted to, and deleted.
    fn all(&self, path: &str, reading: Route, posting: Route, deleting: Route) -> Resource {
        let reading = reading.wrap(from_fn(compression::compress));
        let resource = self.counted(path).route(reading).route(posting).route(deleting);
        resource.default_service(wrong_method("GET, HEAD, POST, DELETE"))
    }

    fn counted(&self, path: &str) -> Resource {
        web::resource(path).app_data(self.metrics.route_counters(format!("{}{path}", self.under)))
    }
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
