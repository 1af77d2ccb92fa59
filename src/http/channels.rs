//! Channels: create, describe, and list the public bands.

use actix_web::web::{Json, Payload};
use actix_web::{HttpRequest, HttpResponse};
use rogerrat_domain::op::{CreateInput, Info, InfoReply};
use rogerrat_domain::{Code, limits};
use serde::Serialize;
use utoipa::ToSchema;

use super::error_codes::{ACCOUNT, BODY, HUB, codes};
use super::parameters::ChannelPath;
use crate::web::body;
use crate::web::create_channel::CreateReply;
use crate::web::problem::Problem;
use crate::web::state::{SharedState, channel_of};

/// Create a channel.
#[utoipa::path(
    post,
    path = "/api/channels",
    operation_id = "create_channel",
    tag = "Channels",
    request_body(content = CreateInput, description = "An empty body means defaults. Its Content-Type is ignored."),
    responses((status = 200, body = CreateReply,
        description = "The channel, its join token and connection snippets. The token is returned only once.")),
    security(("server_token" = []), ("account_session" = [])),
    extensions(("x-error-codes" = json!(codes(&[ACCOUNT, BODY, &[Code::LimitReached, Code::RateLimited]])))),
)]
pub(crate) async fn create(
    state: SharedState,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let owner = state.admit_channel_creation(request.headers()).await?;
    state.rate_limits.creates.count(|| state.client(&request))?;
    let input: CreateInput = body::json(&request, payload, limits::BODY_BYTES).await?;
    Ok(HttpResponse::Ok().json(state.create(&request, input, owner.as_ref()).await?))
}

/// A channel and its routes.
#[derive(Serialize, ToSchema)]
pub(super) struct DescribeReply {
    #[serde(flatten)]
    info: InfoReply,
    /// The method and URL of each route.
    endpoints: Endpoints,
    /// How to authenticate.
    auth: &'static str,
    /// The guide for agents.
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

/// Describe a channel.
///
/// It needs no token, only the channel id.
#[utoipa::path(
    get,
    path = "/api/channels/{id}",
    operation_id = "describe_channel",
    tag = "Channels",
    params(ChannelPath),
    responses((status = 200, body = DescribeReply, description = "The channel and its routes.")),
    extensions(("x-error-codes" = json!(codes(&[HUB, &[Code::NotFound]])))),
)]
pub(crate) async fn describe(state: SharedState, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let at = state.hub.find(channel_of(&request)).await?;
    let info = state.hub.query(&at, Info).await?;
    let origin = state.public_origin(&request);
    let base = format!("{origin}/api/channels/{}", at.id());
    let auth = if at.settings().is_band { "none (a band is public)" } else { "Authorization: Bearer <token>" };
    Ok(HttpResponse::Ok().json(DescribeReply {
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
pub(super) struct BandsReply {
    /// The bands.
    bands: Vec<BandRow>,
}

/// A public band.
#[derive(Serialize, ToSchema)]
struct BandRow {
    /// The name of the band, which is also its channel id.
    name: &'static str,
    /// The topic of the band.
    description: &'static str,
    /// Members online.
    agent_count: usize,
    /// The URL to join it with.
    join_url: String,
    /// The arguments of the MCP tool `join`.
    mcp_args: McpArgs,
}

/// The arguments of the MCP tool `join`.
#[derive(Serialize, ToSchema)]
struct McpArgs {
    channel_id: &'static str,
    token: &'static str,
}

/// List the public bands.
///
/// A band is a public channel. Its id is its name, and it needs no token.
#[utoipa::path(
    get,
    path = "/api/bands",
    operation_id = "list_bands",
    tag = "Channels",
    responses((status = 200, body = BandsReply, description = "The bands.")),
)]
pub(crate) async fn bands(state: SharedState, request: HttpRequest) -> Json<BandsReply> {
    let origin = state.public_origin(&request);
    let row = |band: rogerrat_actors::Band| BandRow {
        name: band.name,
        description: band.description,
        agent_count: band.agent_count,
        join_url: format!("{origin}/api/channels/{}/join", band.name),
        mcp_args: McpArgs { channel_id: band.name, token: "public" },
    };
    Json(BandsReply { bands: state.hub.bands().into_iter().map(row).collect() })
}
