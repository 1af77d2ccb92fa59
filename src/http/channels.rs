//! Creating a channel, telling what it is, and the public bands.

use actix_web::web::{Json, Payload};
use actix_web::{HttpRequest, HttpResponse};
use rogerrat_domain::op::{CreateInput, Durability, Info, InfoReply};
use rogerrat_domain::{Retention, TrustMode, limits};
use serde::Serialize;

use super::body;
use super::problem::Problem;
use super::snippets::{Connect, Pass};
use super::state::Shared;

#[derive(Serialize)]
struct CreateReply {
    channel_id: String,
    join_token: String,
    mcp_url: String,
    bootstrap_mcp_url: String,
    connect: Connect,
    peer_invite: String,
    retention: Retention,
    trust_mode: TrustMode,
    session_ttl_seconds: u64,
    member_ttl_seconds: u64,
    dm_visibility: rogerrat_domain::DmVisibility,
    claim_callsigns: bool,
    durability: Durability,
    has_owner_password: bool,
    owner_password: Option<String>,
}

/// `POST /api/channels`
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
        durability: Durability::Memory,
        has_owner_password: settings.owner_password.is_some(),
        owner_password,
        join_token: created.token,
    }))
}

#[derive(Serialize)]
struct Described {
    #[serde(flatten)]
    info: InfoReply,
    endpoints: Endpoints,
    auth: &'static str,
    docs: String,
}

#[derive(Serialize)]
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

/// `GET /api/channels/{id}`
pub(crate) async fn describe(state: Shared, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let at = state.hub.find(super::state::channel_of(&request))?;
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

#[derive(Serialize)]
struct Bands {
    bands: Vec<BandRow>,
}

#[derive(Serialize)]
struct BandRow {
    name: &'static str,
    description: &'static str,
    agent_count: usize,
    join_url: String,
    mcp_args: McpArgs,
}

#[derive(Serialize)]
struct McpArgs {
    channel_id: &'static str,
    token: &'static str,
}

/// `GET /api/bands`
pub(crate) async fn bands(state: Shared, request: HttpRequest) -> Json<impl Serialize> {
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
