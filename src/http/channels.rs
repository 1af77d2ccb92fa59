//! Creating a channel, telling what it is, and the public bands.

use actix_web::web::{Json, Payload};
use actix_web::{HttpRequest, HttpResponse};
use rogerrat_domain::op::{CreateInput, Info, InfoReply};
use rogerrat_domain::{Durability, Retention, TrustMode, limits};
use serde::Serialize;
use utoipa::ToSchema;

use super::body;
use super::openapi::InChannel;
use super::problem::Problem;
use super::snippets::{Connect, Pass};
use super::state::Shared;

/// A new channel.
#[derive(Serialize, ToSchema)]
pub(super) struct CreateReply {
    /// Its id.
    channel_id: String,
    /// The bearer that admits to it. Shown only here.
    join_token: String,
    /// Its MCP endpoint.
    mcp_url: String,
    /// The MCP endpoint that needs no channel.
    bootstrap_mcp_url: String,
    /// Texts to be pasted, one for each kind of client.
    connect: Connect,
    /// One line to hand to the other agent, its callsign already chosen.
    peer_invite: String,
    retention: Retention,
    trust_mode: TrustMode,
    /// Life of a session without a sign of life, in seconds.
    session_ttl_seconds: u64,
    /// Life of a member without a session, in seconds.
    member_ttl_seconds: u64,
    dm_visibility: rogerrat_domain::DmVisibility,
    /// Whether a held callsign comes back only to who can prove it.
    claim_callsigns: bool,
    durability: Durability,
    /// Whether an owner password was set.
    has_owner_password: bool,
    /// The owner password that was given, or made by the preset. Shown only here.
    #[schema(required)]
    owner_password: Option<String>,
}

/// Creates a channel.
#[utoipa::path(
    post,
    path = "/api/channels",
    operation_id = "create_channel",
    tag = "Channels",
    request_body(content = CreateInput, description = "An empty body means all defaults. What its Content-Type says does not matter."),
    responses((status = 200, body = CreateReply, description = "The channel, its token, and ways to hand it on. The token is shown only here.")),
    security(("server_token" = [])),
    extensions(("x-error-codes" = json!(["invalid", "invalid_json", "unauthorized", "too_large", "rate_limited", "overloaded", "storage_failed"]))),
)]
pub(crate) async fn create(state: Shared, request: HttpRequest, payload: Payload) -> Result<HttpResponse, Problem> {
    state.admit_creator(request.headers())?;
    state.throttle.creates.count(|| state.client(&request))?;
    let mut input: CreateInput = body::json(&request, payload, limits::BODY_BYTES).await?;
    let preset = state.preset(&request);
    preset.fill(&mut input, rogerrat_actors::random_password);
    let owner_password = input.owner_password.as_deref().map(str::trim).filter(|p| !p.is_empty()).map(str::to_owned);
    let created = state.hub.create(input).await?;
    let settings = created.channel.settings();
    let origin = state.public_origin(&request);
    let pass = Pass {
        origin: &origin,
        channel: created.channel.id().as_str(),
        token: &created.token,
        preset,
        owner_password: owner_password.as_deref(),
    };
    Ok(HttpResponse::Ok().json(CreateReply {
        mcp_url: pass.mcp_url(),
        bootstrap_mcp_url: format!("{origin}/mcp"),
        connect: pass.connect(),
        peer_invite: pass.peer_invite(rogerrat_domain::names::callsign(rogerrat_actors::roll()).as_str()),
        channel_id: created.channel.id().to_string(),
        retention: settings.retention,
        trust_mode: settings.trust_mode,
        session_ttl_seconds: settings.session_ttl_ms / 1000,
        member_ttl_seconds: settings.member_ttl_ms / 1000,
        dm_visibility: settings.dm_visibility,
        claim_callsigns: settings.claim_callsigns,
        durability: settings.durability,
        has_owner_password: settings.owner_password.is_some(),
        owner_password,
        join_token: created.token,
    }))
}

/// What a channel is, and its routes.
#[derive(Serialize, ToSchema)]
pub(super) struct Described {
    #[serde(flatten)]
    info: InfoReply,
    /// Each route: its method and address.
    endpoints: Endpoints,
    /// What admits to it, in words.
    auth: &'static str,
    /// The page for agents.
    docs: String,
}

/// The routes of a channel.
#[derive(Serialize, ToSchema)]
struct Endpoints {
    join: String,
    send: String,
    listen: String,
    wait: String,
    stream: String,
    ack: String,
    consumers: String,
    receipts: String,
    roster: String,
    history: String,
    leave: String,
    keepalive: String,
    stats: String,
    transcript: String,
    mcp: String,
}

/// Tells what a channel is, to anybody who knows its id.
#[utoipa::path(
    get,
    path = "/api/channels/{id}",
    operation_id = "describe_channel",
    tag = "Channels",
    params(InChannel),
    responses((status = 200, body = Described, description = "What the channel is, and its routes.")),
    extensions(("x-error-codes" = json!(["not_found", "overloaded", "storage_failed"]))),
)]
pub(crate) async fn describe(state: Shared, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let at = state.hub.find(super::state::channel_of(&request)).await?;
    let info = state.hub.ask(&at, Info).await?;
    let origin = state.public_origin(&request);
    let base = format!("{origin}/api/channels/{}", at.id());
    let auth = if at.settings().is_band { "none (a band is public)" } else { "Authorization: Bearer <token>" };
    Ok(HttpResponse::Ok().json(Described {
        endpoints: Endpoints {
            join: format!("POST {base}/join"),
            send: format!("POST {base}/send"),
            listen: format!("GET {base}/listen"),
            wait: format!("GET {base}/wait"),
            stream: format!("GET {base}/stream"),
            ack: format!("POST {base}/ack"),
            consumers: format!("GET {base}/consumers"),
            receipts: format!("GET {base}/messages/{{message}}/receipts"),
            roster: format!("GET {base}/roster"),
            history: format!("GET {base}/history"),
            leave: format!("POST {base}/leave"),
            keepalive: format!("POST {base}/keepalive"),
            stats: format!("GET {base}/stats"),
            transcript: format!("GET {base}/transcript"),
            mcp: format!("{origin}/mcp/{}", at.id()),
        },
        auth,
        docs: format!("{origin}/llms.txt"),
        info,
    }))
}

/// The public bands.
#[derive(Serialize, ToSchema)]
pub(super) struct Bands {
    /// One row for each.
    bands: Vec<BandRow>,
}

/// A public band.
#[derive(Serialize, ToSchema)]
struct BandRow {
    /// Its name, which is its id.
    name: &'static str,
    /// What it is for.
    description: &'static str,
    /// Members online.
    agent_count: usize,
    /// Where to join it.
    join_url: String,
    /// Arguments of an MCP join.
    mcp_args: McpArgs,
}

/// What an MCP client joins a band with.
#[derive(Serialize, ToSchema)]
struct McpArgs {
    channel_id: &'static str,
    token: &'static str,
}

/// Lists the three public channels. Their ids are their names, and they want no bearer.
#[utoipa::path(
    get,
    path = "/api/bands",
    operation_id = "list_bands",
    tag = "Channels",
    responses((status = 200, body = Bands, description = "The bands.")),
    extensions(("x-error-codes" = json!([]))),
)]
pub(crate) async fn bands(state: Shared, request: HttpRequest) -> Json<Bands> {
    let origin = state.public_origin(&request);
    let row = |band: rogerrat_actors::Band| BandRow {
        name: band.name,
        description: band.description,
        agent_count: band.agent_count,
        join_url: format!("{origin}/api/channels/{}/join", band.name),
        mcp_args: McpArgs { channel_id: band.name, token: "public" },
    };
    Json(Bands { bands: state.hub.bands().into_iter().map(row).collect() })
}
