//! Creating a channel, telling what it is, and the public bands.

use actix_web::web::{Json, Payload};
use actix_web::{HttpRequest, HttpResponse};
use rogerrat_domain::limits;
use rogerrat_domain::op::{CreateInput, Info, InfoReply};
use serde::Serialize;
use utoipa::ToSchema;

use super::body;
use super::openapi::InChannel;
use super::problem::Problem;
use super::state::SharedState;
use crate::web::create_channel::CreateReply;

/// Creates a channel.
#[utoipa::path(
    post,
    path = "/api/channels",
    operation_id = "create_channel",
    tag = "Channels",
    request_body(content = CreateInput, description = "An empty body means all defaults. What its Content-Type says does not matter."),
    responses((status = 200, body = CreateReply, description = "The channel, its token, and ways to hand it on. The token is shown only here.")),
    security(("server_token" = []), ("account_session" = [])),
    extensions(("x-error-codes" = json!(["invalid", "invalid_json", "unauthorized", "limit_reached", "too_large", "rate_limited", "overloaded", "storage_failed"]))),
)]
pub(crate) async fn create(
    state: SharedState,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let owner = state.admit_creator(request.headers()).await?;
    state.rate_limits.creates.count(|| state.client(&request))?;
    let input: CreateInput = body::json(&request, payload, limits::BODY_BYTES).await?;
    Ok(HttpResponse::Ok().json(state.create(&request, input, owner.as_ref()).await?))
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
pub(crate) async fn describe(state: SharedState, request: HttpRequest) -> Result<HttpResponse, Problem> {
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
pub(crate) async fn bands(state: SharedState, request: HttpRequest) -> Json<Bands> {
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
