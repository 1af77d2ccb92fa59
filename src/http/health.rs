//! Whether the hub lives, whether it takes work, and what it has done.

use actix_web::web::Json;
use actix_web::{HttpResponse, Responder};
use rogerrat_domain::{Code, Refusal};
use serde::Serialize;

use super::problem::Problem;
use super::state::Shared;

/// `GET /livez` and `GET /healthz`
pub(crate) async fn live() -> impl Responder {
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ok")
}

/// `GET /readyz`
pub(crate) async fn ready(state: Shared) -> Result<impl Responder, Problem> {
    if state.hub.is_ready().await {
        return Ok(HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ready"));
    }
    Err(Refusal::new(Code::Overloaded, "the hub is going down").retry_after_ms(2000).into())
}

#[derive(Serialize)]
struct Stats {
    channels_created: u64,
    joins_total: u64,
    messages_total: u64,
    started_at: u64,
}

/// `GET /api/stats`
pub(crate) async fn stats(state: Shared) -> impl Responder {
    let totals = state.hub.totals();
    Json(Stats {
        channels_created: totals.channels_created,
        joins_total: totals.joins_total,
        messages_total: totals.messages_total,
        started_at: totals.started_at_ms,
    })
}
