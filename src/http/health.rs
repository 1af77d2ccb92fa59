//! Health probes and public counters.

use actix_web::web::Json;
use actix_web::{HttpResponse, Responder};
use rogerrat_actors::HubError;
use rogerrat_domain::{Code, Refusal};
use serde::Serialize;

use super::error_codes::codes;
use crate::web::peers::{InstancesReport, StatsReport};
use crate::web::problem::Problem;
use crate::web::state::SharedState;

/// Check that the process responds.
///
/// It accepts any Host.
#[utoipa::path(
    get,
    path = "/livez",
    operation_id = "is_alive",
    tag = "Health and metrics",
    responses((status = 200, body = String, description = "`ok`")),
)]
pub(crate) async fn live() -> impl Responder {
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ok")
}

/// Check that the process responds.
///
/// The same as `/livez`.
#[utoipa::path(
    get,
    path = "/healthz",
    operation_id = "is_healthy",
    tag = "Health and metrics",
    responses((status = 200, body = String, description = "`ok`")),
)]
pub(crate) async fn healthy() -> impl Responder {
    live().await
}

/// Check that the hub accepts requests and that its storage works.
///
/// It accepts any Host.
#[utoipa::path(
    get,
    path = "/readyz",
    operation_id = "is_ready",
    tag = "Health and metrics",
    responses((status = 200, body = String, description = "`ready`")),
    extensions(("x-error-codes" = json!(codes(&[&[Code::Overloaded]])))),
)]
pub(crate) async fn ready(state: SharedState) -> Result<impl Responder, Problem> {
    let reason = match state.hub.ready().await {
        Ok(()) => return Ok(HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ready")),
        Err(HubError::StorageFailed) => "storage health check failed",
        Err(_) => "the hub is shutting down",
    };
    Err(Refusal::new(Code::Overloaded, reason).retry_after_ms(2000).into())
}

/// Counters since the hub started.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct HubStats {
    /// Channels created.
    channels_created: u64,
    /// Joins, without repeated ones.
    joins_total: u64,
    /// Messages sent, statuses included.
    messages_total: u64,
    /// When the hub started, in milliseconds since the epoch.
    started_at: u64,
    /// Present where several hubs share a log: the counters are sums over the instances that answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    instances: Option<InstancesReport>,
}

/// Get public counters of the hub, since it started.
#[utoipa::path(
    get,
    path = "/api/stats",
    operation_id = "get_hub_stats",
    tag = "Health and metrics",
    responses((status = 200, body = HubStats, description = "Counters.")),
)]
pub(crate) async fn stats(state: SharedState) -> impl Responder {
    let mut totals = StatsReport::of(&state.hub.totals());
    let instances = match &state.peers {
        Some(peers) => peers.add_stats(&mut totals).await,
        None => None,
    };
    let StatsReport { channels_created, joins_total, messages_total, started_at_ms: started_at } = totals;
    Json(HubStats { channels_created, joins_total, messages_total, started_at, instances })
}
