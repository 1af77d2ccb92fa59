//! Administration: inspect and delete channels, close sessions, ban clients, read counters. Disabled unless an
//! admin token is configured.
//!
//! It never returns messages. Every change is logged under the target `audit`.

use std::collections::BTreeMap;
use std::net::IpAddr;

use actix_web::web::{self, Json, Payload, ServiceConfig};
use actix_web::{HttpRequest, Responder};
use rogerrat_actors::StoredSummary;
use rogerrat_domain::op::Inspection;
use rogerrat_domain::{Ban, BanInput, Code, DmVisibility, Durability, Refusal, Retention, TrustMode, limits};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::openapi::schema::Schema;
use utoipa::{IntoParams, ToSchema};

use super::error_codes::{ADMIN, BODY, HUB, codes};
use super::parameters::{ChannelPath, count};
use super::query::QueryParams;
use super::{Done, EndSessionReply, Paths, read};
use crate::web::body;
use crate::web::peers::{ChannelsReport, InstancesReport};
use crate::web::problem::Problem;
use crate::web::state::{SharedState, channel_of};

/// Registers the routes of the administration.
pub(super) fn routes(config: &mut ServiceConfig, at: &Paths<'_>) {
    config
        .service(at.get("/api/admin/channels", read().to(channels)))
        .service(at.get_and("DELETE", "/api/admin/channels/{id}", read().to(channel), web::delete().to(delete_channel)))
        .service(at.only("DELETE", "/api/admin/channels/{id}/sessions/{callsign}", web::delete().to(end_session)))
        .service(at.get_and("POST", "/api/admin/bans", read().to(bans), web::post().to(ban)))
        .service(at.only("DELETE", "/api/admin/bans/{ban}", web::delete().to(unban)))
        .service(at.get("/api/admin/counters", read().to(counters)));
}

/// The query parameter of listing channels.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only the derived code reads the fields")]
struct ChannelsQuery {
    #[param(schema_with = limit, required = false)]
    limit: Option<f64>,
}

fn limit() -> Schema {
    count(
        1000,
        "The maximum number of channels. Defaults to 100, clamped to 1 … 1000, fractions are cut off. A value that is \
         not a number means 1000.",
    )
}

/// Channels in memory, and others.
#[derive(Serialize, ToSchema)]
pub(super) struct AdminChannelsReply {
    /// The channels in memory, most recently used first.
    #[schema(max_items = 1000)]
    #[schema(value_type = Vec<Inspection>)]
    channels: Vec<Box<RawValue>>,
    /// The number of channels in memory.
    total: usize,
    /// Present where several hubs share a log: the channels in memory are those of the instances that answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    instances: Option<InstancesReport>,
    /// Channels that are not in memory, most recently used first: nobody has joined them, or they were not used since the
    /// hub started. With `channels` they are at most `limit`. Empty while the store cannot be read.
    #[schema(max_items = 1000)]
    unloaded: Vec<UnloadedChannel>,
    /// The number of channels that are not in memory.
    unloaded_total: u64,
}

/// A channel that is not in memory. What its members are is known once it is loaded.
#[derive(Serialize, ToSchema)]
pub(super) struct UnloadedChannel {
    /// The channel's id.
    id: String,
    /// What its transcript records.
    retention: Retention,
    /// Where its messages are stored.
    durability: Durability,
    /// Its trust mode.
    trust_mode: TrustMode,
    /// Who can read a DM besides its sender and recipient.
    dm_visibility: DmVisibility,
    /// When it was created, in milliseconds since the epoch.
    created_at: u64,
    /// When it was last used, in milliseconds since the epoch. The hub records that when a channel leaves memory.
    last_used_at: u64,
}

impl From<StoredSummary> for UnloadedChannel {
    fn from(StoredSummary { id, settings, used_ms }: StoredSummary) -> Self {
        Self {
            id: id.to_string(),
            retention: settings.retention,
            durability: settings.durability,
            trust_mode: settings.trust_mode,
            dm_visibility: settings.dm_visibility,
            created_at: settings.created_at_ms,
            last_used_at: used_ms,
        }
    }
}

/// List channels, most recently used first: those in memory, then others.
///
/// The reply has their settings and, for channels in memory, their sessions; never their messages.
#[utoipa::path(
    get,
    path = "/api/admin/channels",
    operation_id = "admin_list_channels",
    tag = "Administration",
    params(ChannelsQuery),
    responses((status = 200, body = AdminChannelsReply, description = "The channels.")),
    security(("admin_token" = [])),
    extensions(("x-error-codes" = json!(codes(&[ADMIN])))),
)]
pub(crate) async fn channels(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    state.admit_admin(&request)?;
    let limit = QueryParams::of(request.query_string()).admin_limit();
    let mut list = ChannelsReport::of(&state.hub, limit).await;
    let live_here = list.total;
    let instances = match &state.peers {
        Some(peers) => peers.add_channels(&mut list, limit).await,
        None => None,
    };
    let ChannelsReport { channels, total } = list;
    let rest = limit.saturating_sub(channels.len());
    // Those in the memory of other instances may be among the latest.
    let is_listed = |channel: &StoredSummary| channels.iter().any(|live| live.id == channel.id.as_str());
    let unloaded = if rest > 0 { state.hub.unloaded(limit).await.unwrap_or_default() } else { Vec::new() };
    let unloaded = unloaded.into_iter().filter(|channel| !is_listed(channel)).take(rest);
    let unloaded = unloaded.map(UnloadedChannel::from).collect();
    let elsewhere = total.saturating_sub(live_here) as u64;
    let unloaded_total = state.hub.unloaded_count().saturating_sub(elsewhere);
    let channels = channels.into_iter().map(|channel| channel.inspection).collect();
    Ok(Json(AdminChannelsReply { channels, total, instances, unloaded, unloaded_total }))
}

/// Inspect a channel and its sessions.
///
/// The channel is loaded into memory if necessary. The reply has no messages.
#[utoipa::path(
    get,
    path = "/api/admin/channels/{id}",
    operation_id = "admin_inspect_channel",
    tag = "Administration",
    params(ChannelPath),
    responses((status = 200, body = Inspection, description = "The channel.")),
    security(("admin_token" = [])),
    extensions(("x-error-codes" = json!(codes(&[ADMIN, HUB, &[Code::NotFound]])))),
)]
pub(crate) async fn channel(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    state.admit_admin(&request)?;
    let at = state.hub.find(channel_of(&request)).await?;
    Ok(Json(state.hub.query(&at, rogerrat_domain::op::Inspect).await?))
}

/// Delete a channel with all its messages.
///
/// Its sessions and streams are closed. A band cannot be deleted.
#[utoipa::path(
    delete,
    path = "/api/admin/channels/{id}",
    operation_id = "admin_delete_channel",
    tag = "Administration",
    params(ChannelPath),
    responses((status = 200, body = Done, description = "Deleted.")),
    security(("admin_token" = [])),
    extensions(("x-error-codes" = json!(codes(&[ADMIN, HUB, &[Code::Forbidden, Code::NotFound]])))),
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

/// Close the session of a callsign.
///
/// The client may join again unless it is banned.
#[utoipa::path(
    delete,
    path = "/api/admin/channels/{id}/sessions/{callsign}",
    operation_id = "admin_end_session",
    tag = "Administration",
    params(ChannelPath, ("callsign" = String, Path, description = "The callsign whose session to close.")),
    responses((status = 200, body = EndSessionReply, description = "Closed, or there was no session.")),
    security(("admin_token" = [])),
    extensions(("x-error-codes" = json!(codes(&[ADMIN, HUB, &[Code::Invalid, Code::NotFound]])))),
)]
pub(crate) async fn end_session(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let client = state.admit_admin(&request)?;
    let at = state.hub.find(channel_of(&request)).await?;
    let callsign = request.match_info().get("callsign").unwrap_or_default();
    let ended = state.hub.evict(&at, callsign).await?;
    audit(client, "end_session", at.id());
    Ok(Json(EndSessionReply { ok: true, ended }))
}

/// Active bans.
#[derive(Serialize, ToSchema)]
pub(super) struct BansReply {
    /// The bans, newest first.
    #[schema(max_items = 1000)]
    bans: Vec<Ban>,
    /// The address of this request as the hub sees it. It cannot be banned.
    #[schema(value_type = String)]
    client_address: IpAddr,
}

/// List active bans, newest first.
#[utoipa::path(
    get,
    path = "/api/admin/bans",
    operation_id = "admin_list_bans",
    tag = "Administration",
    responses((status = 200, body = BansReply, description = "The bans.")),
    security(("admin_token" = [])),
    extensions(("x-error-codes" = json!(codes(&[ADMIN])))),
)]
pub(crate) async fn bans(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let client_address = state.admit_admin(&request)?;
    Ok(Json(BansReply { bans: state.hub.bans(), client_address }))
}

/// A new ban.
#[derive(Serialize, ToSchema)]
pub(super) struct BanReply {
    #[serde(flatten)]
    ban: Ban,
    /// The number of sessions closed on channels in memory. On other channels they are closed at the channel's next
    /// use.
    sessions_ended: usize,
}

/// Ban a callsign, an identity or an address.
///
/// Sessions of a banned callsign or identity are closed. Open requests of a banned address continue until they end.
/// Bans persist across restarts.
#[utoipa::path(
    post,
    path = "/api/admin/bans",
    operation_id = "admin_ban",
    tag = "Administration",
    request_body = BanInput,
    responses((status = 200, body = BanReply, description = "The ban.")),
    security(("admin_token" = [])),
    extensions(("x-error-codes" = json!(codes(&[ADMIN, HUB, BODY, &[Code::NotFound, Code::LimitReached]])))),
)]
pub(crate) async fn ban(state: SharedState, request: HttpRequest, payload: Payload) -> Result<impl Responder, Problem> {
    let client = state.admit_admin(&request)?;
    let input: BanInput = body::json(&request, payload, limits::BODY_BYTES).await?;
    let (ban, sessions_ended) = state.hub.ban(input, client).await?;
    audit(client, "ban", &ban.id);
    Ok(Json(BanReply { ban, sessions_ended }))
}

/// Lift a ban.
#[utoipa::path(
    delete,
    path = "/api/admin/bans/{ban}",
    operation_id = "admin_unban",
    tag = "Administration",
    params(("ban" = String, Path, description = "The ban's id.")),
    responses((status = 200, body = Done, description = "The ban is lifted.")),
    security(("admin_token" = [])),
    extensions(("x-error-codes" = json!(codes(&[ADMIN, HUB, &[Code::NotFound]])))),
)]
pub(crate) async fn unban(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let client = state.admit_admin(&request)?;
    let id = request.match_info().get("ban").unwrap_or_default();
    state.hub.unban(id).await?;
    audit(client, "unban", id);
    Ok(Json(Done::default()))
}

/// Counters for the operator of the hub.
#[derive(Serialize, ToSchema)]
pub(super) struct CountersReply {
    /// When the hub started, in milliseconds since the epoch.
    started_at: u64,
    /// Channels created since the hub started.
    channels_created: u64,
    /// Joins since the hub started, without repeated ones.
    joins_total: u64,
    /// Messages sent since the hub started, statuses included.
    messages_total: u64,
    /// Channels on the hub, bands included.
    channels: u64,
    /// Channels in memory.
    channels_live: u64,
    /// Members of channels in memory, online or not.
    members: u64,
    /// Members online.
    members_live: u64,
    /// Waiting polls.
    polls: u64,
    /// Open streams.
    streams: u64,
    /// Undelivered direct messages.
    held: u64,
    /// Bytes of undelivered direct messages.
    held_bytes: u64,
    /// Active bans.
    bans: usize,
    /// Refused requests since the hub started, by error code.
    refused: BTreeMap<&'static str, u64>,
}

/// Get the counters of the hub.
#[utoipa::path(
    get,
    path = "/api/admin/counters",
    operation_id = "admin_counters",
    tag = "Administration",
    responses((status = 200, body = CountersReply, description = "Counters.")),
    security(("admin_token" = [])),
    extensions(("x-error-codes" = json!(codes(&[ADMIN])))),
)]
pub(crate) async fn counters(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    state.admit_admin(&request)?;
    let totals = state.hub.totals();
    let refused = state.request_metrics.totals().refusals;
    Ok(Json(CountersReply {
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

/// Logs a change and the address it came from. The body of the request is not logged.
fn audit(client: IpAddr, action: &str, object: impl std::fmt::Display) {
    log::info!(target: "audit", client:display, action, object:display; "administration");
}
