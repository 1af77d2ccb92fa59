//! A call that its client has cancelled. Where hubs share a log, any of them may serve the call.

use super::context::RequestContext;
use super::rpc::{Params, RpcId};
use super::session_store::Nonce;
use super::state::McpState;

/// A call that was cancelled.
pub(super) struct CancelledCall {
    session: Nonce,
    /// The id of the call, as JSON.
    id: String,
}

impl CancelledCall {
    /// The call that a notification cancels. A modern client cancels by closing its request: without a session, a request id
    /// does not identify a call.
    pub(super) fn of(context: &RequestContext<'_>, params: &Params<'_>) -> Option<Self> {
        let session = context.mcp_session.as_ref()?.nonce;
        Some(Self { session, id: params.request_id.and_then(RpcId::parse)?.as_json().to_owned() })
    }

    /// Ends the call, if it waits here.
    pub(super) fn apply(&self, mcp: &McpState, uptime_ms: u64) {
        mcp.in_flight.cancel(self.session, &self.id);
        mcp.unproven.on_cancelled(self.session, &self.id, uptime_ms);
    }

    /// What other hubs read.
    pub(super) fn to_text(&self) -> String {
        format!("{:032x} {}", u128::from_be_bytes(self.session), self.id)
    }

    fn parse(text: &str) -> Option<Self> {
        let (session, id) = text.split_once(' ')?;
        Some(Self { session: u128::from_str_radix(session, 16).ok()?.to_be_bytes(), id: id.to_owned() })
    }
}

impl McpState {
    /// Ends a call of which another hub says that its client has cancelled it.
    pub(crate) fn on_notice(&self, text: &str, uptime_ms: u64) {
        if let Some(cancelled) = CancelledCall::parse(text) {
            cancelled.apply(self, uptime_ms);
        }
    }
}
