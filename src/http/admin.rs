//! The administration: channels without what is said on them, sessions, bans, counters. Off unless it has a token.
//!
//! Whatever changes something leaves a line in the log, under `audit`.

use std::net::IpAddr;

use actix_web::web::{self, Json, Payload, ServiceConfig};
use actix_web::{HttpRequest, Responder};
use rogerrat_domain::op::Inspection;
use rogerrat_domain::{Ban, BanInput, Code, Refusal, limits};
use serde::Serialize;
use utoipa::ToSchema;

use super::body;
use super::openapi::{AdminQuery, InChannel};
use super::problem::Problem;
use super::query::Query;
use super::state::{SharedState, channel_of};
use super::{Done, Paths, read};

/// The routes of the administration.
pub(super) fn routes(config: &mut ServiceConfig, at: &Paths<'_>) {
    config
        .service(at.get("/api/admin/channels", read().to(channels)))
        .service(at.get_and("DELETE", "/api/admin/channels/{id}", read().to(channel), web::delete().to(delete_channel)))
        .service(at.only("DELETE", "/api/admin/channels/{id}/sessions/{callsign}", web::delete().to(end_session)))
        .service(at.get_and("POST", "/api/admin/bans", read().to(bans), web::post().to(ban)))
        .service(at.only("DELETE", "/api/admin/bans/{ban}", web::delete().to(unban)))
        .service(at.get("/api/admin/counters", read().to(counters)));
}

/// Channels in memory.
#[derive(Serialize, ToSchema)]
pub(super) struct Channels {
    /// The last used first.
    #[schema(max_items = 1000)]
    channels: Vec<Inspection>,
    /// How many there are in memory.
    total: usize,
}

/// Lists the channels in memory, the last used first: their settings and sessions, never their messages.
#[utoipa::path(
    get,
    path = "/api/admin/channels",
    operation_id = "admin_list_channels",
    tag = "Administration",
    params(AdminQuery),
    responses((status = 200, body = Channels, description = "The channels.")),
    security(("admin_token" = [])),
    extensions(("x-error-codes" = json!(["unauthorized", "rate_limited"]))),
)]
pub(crate) async fn channels(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    state.admit_admin(&request)?;
    let limit = Query::of(request.query_string()).admin_limit();
    let channels = state.hub.inspect_live(limit).await;
    Ok(Json(Channels { channels, total: state.hub.live_count() }))
}

/// Shows one channel and its sessions, never its messages. It is brought into memory for it.
#[utoipa::path(
    get,
    path = "/api/admin/channels/{id}",
    operation_id = "admin_inspect_channel",
    tag = "Administration",
    params(InChannel),
    responses((status = 200, body = Inspection, description = "The channel.")),
    security(("admin_token" = [])),
    extensions(("x-error-codes" = json!(["unauthorized", "not_found", "rate_limited", "overloaded", "storage_failed"]))),
)]
pub(crate) async fn channel(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    state.admit_admin(&request)?;
    let at = state.hub.find(channel_of(&request)).await?;
    Ok(Json(state.hub.ask(&at, rogerrat_domain::op::Inspect).await?))
}

/// Deletes a channel with everything that was said on it. Sessions and streams end. A band cannot be deleted.
#[utoipa::path(
    delete,
    path = "/api/admin/channels/{id}",
    operation_id = "admin_delete_channel",
    tag = "Administration",
    params(InChannel),
    responses((status = 200, body = Done, description = "It is gone.")),
    security(("admin_token" = [])),
    extensions(("x-error-codes" = json!(["unauthorized", "forbidden", "not_found", "rate_limited", "overloaded", "storage_failed"]))),
)]
pub(crate) async fn delete_channel(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let client = state.admit_admin(&request)?;
    let at = state.hub.find(channel_of(&request)).await?;
    if at.settings().is_band {
        return Err(Refusal::new(Code::Forbidden, "a band cannot be deleted").into());
    }
    state.hub.delete(&at).await?;
    audit(client, "delete_channel", at.id());
    Ok(Json(Done::default()))
}

/// Whether there was a session.
#[derive(Serialize, ToSchema)]
pub(super) struct Ended {
    /// Always true.
    ok: bool,
    /// Whether there was a session that has ended now.
    ended: bool,
}

/// Ends the session of a callsign; it may join again. A ban keeps it out.
#[utoipa::path(
    delete,
    path = "/api/admin/channels/{id}/sessions/{callsign}",
    operation_id = "admin_end_session",
    tag = "Administration",
    params(InChannel, ("callsign" = String, Path, description = "Whose session.")),
    responses((status = 200, body = Ended, description = "It has no session.")),
    security(("admin_token" = [])),
    extensions(("x-error-codes" = json!(["invalid", "unauthorized", "not_found", "rate_limited", "overloaded", "storage_failed"]))),
)]
pub(crate) async fn end_session(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let client = state.admit_admin(&request)?;
    let at = state.hub.find(channel_of(&request)).await?;
    let callsign = request.match_info().get("callsign").unwrap_or_default();
    let ended = state.hub.evict(&at, callsign).await?;
    audit(client, "end_session", at.id());
    Ok(Json(Ended { ok: true, ended }))
}

/// The bans that hold.
#[derive(Serialize, ToSchema)]
pub(super) struct Bans {
    /// The newest first.
    #[schema(max_items = 1000)]
    bans: Vec<Ban>,
}

/// Lists the bans that hold, the newest first.
#[utoipa::path(
    get,
    path = "/api/admin/bans",
    operation_id = "admin_list_bans",
    tag = "Administration",
    responses((status = 200, body = Bans, description = "The bans.")),
    security(("admin_token" = [])),
    extensions(("x-error-codes" = json!(["unauthorized", "rate_limited"]))),
)]
pub(crate) async fn bans(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    state.admit_admin(&request)?;
    Ok(Json(Bans { bans: state.hub.bans() }))
}

/// A ban that holds now.
#[derive(Serialize, ToSchema)]
pub(super) struct BanReply {
    #[serde(flatten)]
    ban: Ban,
    /// Sessions that ended by it, on the channels in memory. On others they end when the channel is next used.
    sessions_ended: usize,
}

/// Bans a callsign, an identity or an address. Sessions of the callsign or identity end; what an address has open stays
/// open until it ends by itself. It outlives a restart.
#[utoipa::path(
    post,
    path = "/api/admin/bans",
    operation_id = "admin_ban",
    tag = "Administration",
    request_body = BanInput,
    responses((status = 200, body = BanReply, description = "The ban.")),
    security(("admin_token" = [])),
    extensions(("x-error-codes" = json!(["invalid", "invalid_json", "unauthorized", "not_found", "limit_reached", "too_large", "rate_limited", "overloaded", "storage_failed"]))),
)]
pub(crate) async fn ban(state: SharedState, request: HttpRequest, payload: Payload) -> Result<impl Responder, Problem> {
    let client = state.admit_admin(&request)?;
    let input: BanInput = body::json(&request, payload, limits::BODY_BYTES).await?;
    let (ban, sessions_ended) = state.hub.ban(input, client).await?;
    audit(client, "ban", &ban.id);
    Ok(Json(BanReply { ban, sessions_ended }))
}

/// Lifts a ban.
#[utoipa::path(
    delete,
    path = "/api/admin/bans/{ban}",
    operation_id = "admin_unban",
    tag = "Administration",
    params(("ban" = String, Path, description = "The ban's id.")),
    responses((status = 200, body = Done, description = "It is lifted.")),
    security(("admin_token" = [])),
    extensions(("x-error-codes" = json!(["unauthorized", "not_found", "rate_limited", "overloaded", "storage_failed"]))),
)]
pub(crate) async fn unban(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let client = state.admit_admin(&request)?;
    let id = request.match_info().get("ban").unwrap_or_default();
    state.hub.unban(id).await?;
    audit(client, "unban", id);
    Ok(Json(Done::default()))
}

/// The hub in numbers, as its operator sees it.
#[derive(Serialize, ToSchema)]
pub(super) struct Counters {
    /// When it started, in milliseconds since the epoch.
    started_at: u64,
    /// Channels created.
    channels_created: u64,
    /// Joins that were not repeats.
    joins_total: u64,
    /// Messages sent, statuses included.
    messages_total: u64,
    /// Channels there are, bands included.
    channels: u64,
    /// Channels in memory.
    channels_live: u64,
    /// Members of channels in memory, online or not.
    members: u64,
    /// Members online.
    members_live: u64,
    /// Polls parked.
    polls: u64,
    /// Streams open.
    streams: u64,
    /// Undelivered DMs held.
    held: u64,
    /// Their bytes.
    held_bytes: u64,
    /// Bans that hold.
    bans: usize,
    /// Requests refused, by code.
    refused: std::collections::BTreeMap<&'static str, u64>,
}

/// Tells the hub in numbers.
#[utoipa::path(
    get,
    path = "/api/admin/counters",
    operation_id = "admin_counters",
    tag = "Administration",
    responses((status = 200, body = Counters, description = "The numbers.")),
    security(("admin_token" = [])),
    extensions(("x-error-codes" = json!(["unauthorized", "rate_limited"]))),
)]
pub(crate) async fn counters(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    state.admit_admin(&request)?;
    let totals = state.hub.totals();
    let refused = state.request_metrics.totals().refusals;
    Ok(Json(Counters {
        started_at: totals.started_at_ms,
        channels_created: totals.channels_created,
        joins_total: totals.joins_total,
        messages_total: totals.messages_total,
        channels: totals.now.channels,
        channels_live: totals.now.channels_live,
        members: totals.now.members,
        members_live: totals.now.members_live,
        polls: totals.now.polls,
        streams: totals.now.streams,
        held: totals.now.held,
        held_bytes: totals.now.held_bytes,
        bans: state.hub.bans().len(),
        refused: refused.into_iter().filter(|(_, n)| *n > 0).map(|(code, n)| (code.as_str(), n)).collect(),
    }))
}

/// Leaves a line about something that was changed, and by whom. What was written in a request is not in it.
fn audit(client: IpAddr, action: &str, object: impl std::fmt::Display) {
    log::info!(target: "audit", client:display, action, object:display; "administration");
}
