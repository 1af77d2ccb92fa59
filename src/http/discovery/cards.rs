//! Cards for programs: the info, the MCP card and the A2A card. They list only endpoints that exist.

use actix_web::HttpRequest;
use rogerrat_domain::{Retention, limits};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::web::state::AppState;

const TAGLINE: &str = "A walkie-talkie hub for AI agents: channels, callsigns, long polls and streams over plain HTTP";
/// The optional features of hubs of this family that this hub always has.
const FEATURES: [&str; 6] = ["mcp", "accounts", "webhooks", "disk", "listener", "remote"];
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Schema of the info. OpenAPI derives it from the card itself.
#[derive(ToSchema)]
pub(in crate::http) struct Info;
/// Schema of the MCP card. OpenAPI derives it from the card itself.
#[derive(ToSchema)]
pub(in crate::http) struct McpCard;
/// Schema of the A2A card. OpenAPI derives it from the card itself.
#[derive(ToSchema)]
pub(in crate::http) struct AgentCard;

/// The addresses of the hub for one request.
#[derive(Default)]
pub(in crate::http) struct Addresses {
    /// The origin of the request.
    pub(in crate::http) origin: String,
    /// The origin of links for other devices.
    pub(in crate::http) links: String,
    /// Whether the origin of the request ends with the tunnel.
    pub(in crate::http) is_temporary: bool,
}

impl Addresses {
    pub(in crate::http) fn of(state: &AppState, request: &HttpRequest) -> Self {
        Self {
            origin: state.public_origin(request),
            links: state.link_origin(request),
            is_temporary: state.has_temporary_origin(request),
        }
    }
}

/// The body of `/api/v1/info`.
pub(in crate::http) fn info(state: &AppState, Addresses { origin, links, is_temporary }: &Addresses) -> Value {
    json!({
        "service": "rogerrat",
        "version": VERSION,
        "tagline": TAGLINE,
        "origin": links,
        "temporary_origin": is_temporary,
        "homepage": origin,
        "repository": null,
        "license": "MIT",
        "discovery": {
            "llms_txt": format!("{origin}/llms.txt"),
            "llms_full_txt": format!("{origin}/llms-full.txt"),
            "client_script": format!("{origin}/rr"),
            "openapi": format!("{origin}/openapi.json"),
            "docs": format!("{origin}/docs"),
            "mcp_json": format!("{origin}/.well-known/mcp.json"),
            "agent_json": format!("{origin}/.well-known/agent.json"),
            "policy": format!("{origin}/policy.txt"),
            "bands": format!("{origin}/api/bands"),
        },
        "mcp": {"available": true, "transports": transports(state, origin)},
        "rest": rest(origin),
        "features": features(state, *is_temporary),
        "create_needs_token": state.server_token.is_some(),
        "token_needed_for": token_needed_for(state),
        "retention_modes": Retention::NAMES,
        "limits": limits_json(state),
        "quickstart_for_agents": {
            "read": format!("{origin}/llms.txt"),
            "create": format!("POST {origin}/api/channels"),
            "join": format!("POST {origin}/api/channels/{{id}}/join"),
            "send": format!("POST {origin}/api/channels/{{id}}/send"),
            "wait": format!("GET {origin}/api/channels/{{id}}/wait?timeout=120"),
        },
    })
}

/// What this hub can do, for pages and programs that show only what there is.
fn features(state: &AppState, is_temporary: bool) -> Map<String, Value> {
    let optional = [
        ("push", !is_temporary && state.hub.push_key().is_ok()),
        ("email", state.hub.sends_mail()),
        ("tunnel", state.hosts.tunnel.get().is_some()),
        ("admin", state.has_admin_token()),
        ("chatroom", state.has_chatroom),
    ];
    let all = FEATURES.into_iter().map(|feature| (feature, true)).chain(optional);
    all.map(|(feature, is_there)| (feature.to_owned(), is_there.into())).collect()
}

/// What needs the token of the hub.
fn token_needed_for(state: &AppState) -> &'static [&'static str] {
    if state.server_token.is_some() { &["channels", "accounts", "remote_control", "mcp"] } else { &[] }
}

/// The limits. One that the operator disabled is null.
fn limits_json(state: &AppState) -> Value {
    let count = |limit: u32| (limit > 0).then_some(limit);
    json!({
        "send_per_ip_per_minute_default": count(state.limits.send_per_address),
        "send_per_ip_per_minute_bands": count(state.limits.send_per_address),
        "send_per_session_per_minute_default": count(state.limits.send_per_session),
        "send_per_session_per_minute_bands": count(state.limits.send_per_session_band),
        "create_per_ip_per_minute": count(state.limits.create_per_address),
        "join_per_ip_per_minute": count(state.limits.join_per_address),
        "session_idle_ttl_seconds_default": limits::SESSION_TTL_MS / 1000,
        "session_idle_ttl_seconds_max": limits::SESSION_TTL_MAX_MS / 1000,
        "max_message_length_chars": limits::TEXT_CHARS,
        "callsign_pattern": format!("^[a-z0-9][a-z0-9_-]{{0,{}}}$", limits::CALLSIGN_CHARS - 1),
        "ring_buffer_messages_per_channel": limits::RING_MESSAGES,
    })
}

/// The body of `/.well-known/mcp.json`.
pub(in crate::http) fn mcp(state: &AppState, origin: &str) -> Value {
    json!({
        "schema_version": "0.1",
        "name": "rogerrat",
        "version": VERSION,
        "description": TAGLINE,
        "homepage": origin,
        "documentation": format!("{origin}/llms.txt"),
        "transports": transports(state, origin),
        "rest_api": rest(origin),
    })
}

/// The MCP endpoints.
fn transports(state: &AppState, origin: &str) -> Vec<Value> {
    let one = |url: String, auth| json!({"type": "streamable-http", "url": url, "authentication": auth});
    let hub = if state.server_token.is_some() { "bearer" } else { "none" };
    vec![one(format!("{origin}/mcp"), hub), one(format!("{origin}/mcp/{{id}}"), "bearer")]
}

fn rest(origin: &str) -> Value {
    let channel = |method, what| format!("{method} {origin}/api/channels/{{id}}/{what}");
    json!({
        "base_url": format!("{origin}/api"),
        "authentication": "Authorization: Bearer <channel token>; X-Session-Id: <session_id of the join>",
        "create_channel": format!("POST {origin}/api/channels"),
        "describe": format!("GET {origin}/api/channels/{{id}}"),
        "join": channel("POST", "join"),
        "send": channel("POST", "send"),
        "wait": channel("GET", "wait"),
        "listen": channel("GET", "listen"),
        "stream": channel("GET", "stream"),
        "ack": channel("POST", "ack"),
        "keepalive": channel("POST", "keepalive"),
        "roster": channel("GET", "roster"),
        "history": channel("GET", "history"),
        "stats": channel("GET", "stats"),
        "leave": channel("POST", "leave"),
        "webhooks": channel("GET", "webhooks"),
        "account": format!("POST {origin}/api/account"),
        "bands": format!("GET {origin}/api/bands"),
        "info": format!("GET {origin}/api/v1/info"),
        "health": format!("GET {origin}/healthz"),
        "openapi": format!("GET {origin}/openapi.json"),
    })
}

/// The body of `/.well-known/agent.json`: an A2A card for discovery only, because the hub has no A2A endpoint.
pub(in crate::http) fn agent(origin: &str) -> Value {
    let skill = |id: &str, name: &str, description: &str| {
        json!({"id": id, "name": name, "description": description, "tags": ["chat", "agents"],
               "inputModes": ["application/json"], "outputModes": ["application/json"]})
    };
    json!({
        "name": "rogerrat",
        "description": format!("{TAGLINE}. The skills are plain HTTP calls; there is no A2A JSON-RPC endpoint."),
        "url": origin,
        "version": VERSION,
        "documentationUrl": format!("{origin}/llms.txt"),
        "capabilities": {"streaming": false, "pushNotifications": false, "stateTransitionHistory": false},
        "defaultInputModes": ["application/json"],
        "defaultOutputModes": ["application/json"],
        "skills": [
            skill("create_channel", "Create a channel", "POST /api/channels: a private channel with a token"),
            skill("join_channel", "Join a channel", "POST /api/channels/{id}/join: get a callsign and a session"),
            skill("send_message", "Send a message", "POST /api/channels/{id}/send: to one agent or to all"),
            skill("listen_messages", "Wait for messages", "GET /api/channels/{id}/wait: returns when a message arrives"),
            skill("channel_roster", "List the members", "GET /api/channels/{id}/roster: callsigns and their numbers"),
        ],
    })
}
