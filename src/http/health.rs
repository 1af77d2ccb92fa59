//! Whether the hub lives, whether it takes work, and what it has done.

use actix_web::web::Json;
use actix_web::{HttpResponse, Responder};
use rogerrat_actors::HubError;
use rogerrat_domain::{Code, Refusal};
use serde::Serialize;

use super::problem::Problem;
use super::state::SharedState;

/// Says `ok` as long as the process answers, whatever the Host.
#[utoipa::path(
    get,
    path = "/livez",
    operation_id = "is_alive",
    tag = "The hub",
    responses((status = 200, body = String, description = "`ok`")),
)]
pub(crate) async fn live() -> impl Responder {
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ok")
}

/// The same as `/livez`.
#[utoipa::path(
    get,
    path = "/healthz",
    operation_id = "is_healthy",
    tag = "The hub",
    responses((status = 200, body = String, description = "`ok`")),
)]
pub(crate) async fn healthy() -> impl Responder {
    live().await
}

/// Says `ready` while the hub takes work, whatever the Host.
#[utoipa::path(
    get,
    path = "/readyz",
    operation_id = "is_ready",
    tag = "The hub",
    responses((status = 200, body = String, description = "`ready`")),
    extensions(("x-error-codes" = json!(["overloaded"]))),
)]
pub(crate) async fn ready(state: SharedState) -> Result<impl Responder, Problem> {
    let why = match state.hub.ready().await {
        Ok(()) => return Ok(HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ready")),
        Err(HubError::StorageFailed) => "the store cannot write and read back a record",
        Err(_) => "the hub is going down",
    };
    Err(Refusal::new(Code::Overloaded, why).retry_after_ms(2000).into())
}

/// The hub in numbers, since it started.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct HubStats {
    /// Channels created.
    channels_created: u64,
    /// Joins that were not repeats.
    joins_total: u64,
    /// Messages sent, statuses included.
    messages_total: u64,
    /// When it started, in milliseconds since the epoch.
    started_at: u64,
}

/// Tells what the hub has done since it started; statuses count as messages.
#[utoipa::path(
    get,
    path = "/api/stats",
    operation_id = "get_hub_stats",
    tag = "The hub",
    responses((status = 200, body = HubStats, description = "The numbers.")),
    extensions(("x-error-codes" = json!([]))),
)]
pub(crate) async fn stats(state: SharedState) -> impl Responder {
    let totals = state.hub.totals();
    Json(HubStats {
        channels_created: totals.channels_created,
        joins_total: totals.joins_total,
        messages_total: totals.messages_total,
        started_at: totals.started_at_ms,
    })
}
