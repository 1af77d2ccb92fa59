//! Dispatch of the methods.

use actix_web::http::StatusCode;
use serde_json::{Value, json};

use super::cancelled::CancelledCall;
#[cfg(feature = "conformance")]
use super::conformance::Fixture;
use super::context::RequestContext;
use super::protocol_version::ProtocolVersion;
use super::response::{LIST_TTL_MS, NAME, RpcResponse, unknown_name};
use super::rpc::{ErrorCode, Params, RpcCall, RpcError, RpcId, string};
use super::session::McpSessionId;
use super::session_store::Nonce;
use super::tools::{self, ToolOutcome};
use super::waiting::WaitingCall;
use super::{prompts, resources};

/// The outcome of a request.
pub(super) enum MethodOutcome {
    Response(RpcResponse),
    /// The call waits for messages.
    Waiting(WaitingCall),
    /// A stream that the conformance suite expects.
    #[cfg(feature = "conformance")]
    Stream(actix_web::HttpResponse),
}

/// Calls the method of a request.
pub(super) async fn call(
    context: &RequestContext<'_>,
    id: RpcId<'_>,
    call: &RpcCall<'_>,
    params: &Params<'_>,
) -> MethodOutcome {
    #[cfg(feature = "conformance")]
    match super::conformance::call(context, id, call, params) {
        Some(Fixture::Response(response)) => return MethodOutcome::Response(response),
        Some(Fixture::Stream(response)) => return MethodOutcome::Stream(response),
        None => {}
    }
    let version = context.version;
    let response = match &*call.method {
        "tools/call" => return call_tool(context, id, params).await,
        "initialize" if !version.is_modern() && !context.is_in_batch => initialize(context, id, params),
        "ping" if !version.is_modern() => Ok(RpcResponse::result(id, version, &json!({}))),
        "server/discover" if version.is_modern() => Ok(RpcResponse::result(id, version, &discover(context))),
        "tools/list" => Ok(RpcResponse::list(id, version, json!({"tools": tools::list(context)}))),
        "prompts/list" => Ok(RpcResponse::list(id, version, prompts::list(context))),
        "prompts/get" => prompts::get(context, params).await.map(|prompt| RpcResponse::result(id, version, &prompt)),
        "resources/list" => Ok(RpcResponse::list(id, version, resources::list(context))),
        "resources/templates/list" => Ok(RpcResponse::list(id, version, resources::templates())),
        "resources/read" => {
            resources::read(context, params).await.map(|content| RpcResponse::uncached(id, version, content))
        }
        method => {
            let method = rogerrat_domain::text::clip(method);
            Err(RpcError::new(ErrorCode::MethodNotFound, format!("method not found: {method}")))
        }
    };
    response.map_or_else(|error| error_response(context, id, error), MethodOutcome::Response)
}

fn error_response(context: &RequestContext<'_>, id: RpcId<'_>, error: RpcError) -> MethodOutcome {
    MethodOutcome::Response(RpcResponse::error(&error.with_id(Some(id)), context.version.is_modern()))
}

/// Handles a notification. Notifications have no response.
pub(super) fn notify(context: &RequestContext<'_>, call: &RpcCall<'_>, params: &Params<'_>) {
    if call.method == "notifications/cancelled"
        && let Some(cancelled) = CancelledCall::of(context, params)
    {
        cancelled.apply(context.mcp, context.state.clock.uptime_ms());
    }
}

async fn call_tool(context: &RequestContext<'_>, id: RpcId<'_>, params: &Params<'_>) -> MethodOutcome {
    let Some(name) = params.name.and_then(string) else {
        return error_response(context, id, RpcError::invalid_params("`name` must be the name of a tool"));
    };
    let Some(tool) = context.mcp.catalogue.find(&name) else {
        return error_response(context, id, unknown_name("tool", &name));
    };
    match tools::call(context, id, tool, params).await {
        ToolOutcome::Result(result) => MethodOutcome::Response(RpcResponse::tool(id, context.version, &result)),
        ToolOutcome::Waiting(waiting) => MethodOutcome::Waiting(waiting),
    }
}

/// Starts a session. It does not change a session whose id the request presents.
fn initialize(context: &RequestContext<'_>, id: RpcId<'_>, params: &Params<'_>) -> Result<RpcResponse, RpcError> {
    let requested = match params.protocol_version {
        None => None,
        Some(raw) => Some(string(raw).ok_or_else(|| RpcError::invalid_params("`protocolVersion` must be a string"))?),
    };
    let supported = requested.and_then(|version| ProtocolVersion::parse(&version));
    let version = supported.filter(|version| !version.is_modern()).unwrap_or(ProtocolVersion::LATEST_LEGACY);
    let session = McpSessionId { version, issued_ms: context.state.clock.now().at_ms, nonce: nonce() };
    let result = json!({
        "protocolVersion": version.as_str(),
        "capabilities": capabilities(context),
        "serverInfo": {"name": NAME, "title": NAME, "version": env!("CARGO_PKG_VERSION")},
        "instructions": context.instructions(),
    });
    let session_id = session.seal(&context.mcp.seal, context.endpoint.name());
    Ok(RpcResponse {
        session_id: Some(session_id),
        status: StatusCode::OK,
        ..RpcResponse::result(id, version, &result)
    })
}

fn nonce() -> Nonce {
    let mut nonce = Nonce::default();
    nonce.copy_from_slice(&rogerrat_actors::random_key()[..16]);
    nonce
}

fn discover(context: &RequestContext<'_>) -> Value {
    json!({
        "supportedVersions": ProtocolVersion::ALL.map(ProtocolVersion::as_str),
        "capabilities": capabilities(context),
        "instructions": context.instructions(),
        "ttlMs": LIST_TTL_MS,
        "cacheScope": "public",
    })
}

/// The server's capabilities. Lists do not change during a session, so there are no notifications of changes.
fn capabilities(
    #[cfg_attr(not(feature = "conformance"), expect(unused_variables, reason = "only fixtures depend on it"))]
    context: &RequestContext<'_>,
) -> Value {
    #[cfg(feature = "conformance")]
    if let Some(capabilities) = super::conformance::capabilities(context) {
        return capabilities;
    }
    json!({"tools": {}, "resources": {}, "prompts": {}})
}
