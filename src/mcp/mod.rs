//! The MCP interface: `/mcp` and `/mcp/{channel}`, for session-based and stateless versions of the protocol.
//!
//! It parses JSON-RPC messages, calls the [`Hub`](rogerrat_actors::Hub) like every other interface, and returns each
//! result twice: as structured data, and as text in which a peer's message cannot imitate another line. Rules and
//! bounds of channels belong to the domain.

mod answer_size;
mod arguments;
mod batch;
mod cancelled;
mod catalogue;
#[cfg(feature = "conformance")]
mod conformance;
mod context;
mod destination;
mod endpoint;
mod in_flight;
mod memberships;
mod methods;
mod prompts;
#[cfg(test)]
mod property_tests;
mod protocol_version;
mod quoted_text;
mod resources;
mod response;
mod roster_size;
mod rpc;
mod rpc_error;
mod schema;
mod session;
mod session_record;
mod session_store;
mod shared_sessions;
mod state;
mod text;
mod tools;
mod unproven;
mod waiting;

use actix_web::web::{self, Data, ServiceConfig};
use rogerrat_domain::ChannelId;

use crate::web::AppState;
use crate::web::peers::channel_after;
use catalogue::Catalogue;
use protocol_version::ProtocolVersion;
pub(crate) use state::McpState;

/// The tools in the form of `tools/list`, for `/mcp` or for a channel's own endpoint.
pub(crate) fn tools(on_channel_endpoint: bool) -> Vec<serde_json::Value> {
    Catalogue::new().list(on_channel_endpoint, None)
}

/// The supported versions that are stateless, or those that use sessions; newest first.
pub(crate) fn versions(modern: bool) -> Vec<&'static str> {
    let all = ProtocolVersion::ALL.into_iter().filter(|version| version.is_modern() == modern);
    all.map(ProtocolVersion::as_str).collect()
}

/// The channel that a decoded path names. On `/mcp` only the body does.
pub(crate) fn channel_of_path(path: &str) -> Option<ChannelId> {
    channel_after(path, "/mcp/")
}

/// Registers the routes.
pub(crate) fn routes(config: &mut ServiceConfig, state: &AppState, mcp: &Data<McpState>) {
    let at = |path: &'static str| {
        web::resource(path)
            .app_data(state.request_metrics.route_counters(path.to_owned()))
            .route(web::post().to(endpoint::post))
            .route(web::delete().to(endpoint::delete))
            // No GET: the hub sends nothing that is not part of the response to a request.
            .default_service(web::to(async || endpoint::method_not_allowed("POST, DELETE")))
    };
    config.app_data(mcp.clone()).service(at("/mcp")).service(at("/mcp/{id}"));
    #[cfg(feature = "conformance")]
    config.service(
        web::resource(conformance::PATH)
            .route(web::post().to(endpoint::post))
            .route(web::delete().to(endpoint::delete)),
    );
}
