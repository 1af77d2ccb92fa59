//! Which channel the messages of a body are for, where hubs share a log: on `/mcp` only the body and the session say it.
//!
//! Invalid messages have no destination. They are refused where they came in, as they would be anywhere.

use actix_web::HttpResponse;
use actix_web::web::Bytes;
use rogerrat_domain::{ChannelId, SessionId};

use super::arguments::{self, Arguments};
use super::cancelled::CancelledCall;
use super::context::RequestContext;
use super::endpoint::Handler;
use super::resources;
use super::rpc::{ErrorCode, Params, RpcBody, RpcCall, RpcError, RpcMessage, string};
use crate::web::problem::Problem;

const SEVERAL: &str = "invalid request: send messages for different channels one by one";

impl Handler<'_> {
    /// Forwards a body to the instance that owns its channel. `None` if this instance is to respond.
    pub(super) async fn forward(&self, body: &RpcBody<'_>, bytes: &Bytes) -> Option<Result<HttpResponse, Problem>> {
        let peers = self.state.peers_for(self.request).filter(|_| self.endpoint.channel.is_none())?;
        let mut channels = match body {
            RpcBody::One(message) => self.channels(message),
            RpcBody::Batch(batch) => batch.iter().flatten().flat_map(|message| self.channels(message)).collect(),
        };
        channels.sort_unstable();
        channels.dedup();
        if let RpcBody::One(RpcMessage::Call(call)) = body
            && call.method == "notifications/cancelled"
        {
            // The call may name any channel, and this may not be the instance that the call came to.
            if let Some(cancelled) =
                self.context(call, false).ok().and_then(|(context, params)| CancelledCall::of(&context, &params))
            {
                peers.notify_all(&cancelled.to_text()).await;
            }
            return None;
        }
        match &channels[..] {
            [] => None,
            [channel] => peers.forward(self.state, self.request, channel, bytes).await,
            several if peers.has_all(several).await => None,
            _ => Some(Ok(self.error(&RpcError::new(ErrorCode::InvalidRequest, SEVERAL)))),
        }
    }

    fn channels(&self, message: &RpcMessage<'_>) -> Vec<ChannelId> {
        let RpcMessage::Call(call) = message else { return Vec::new() };
        self.context(call, false).map(|(context, params)| channels(&context, call, &params)).unwrap_or_default()
    }
}

fn channels(context: &RequestContext<'_>, call: &RpcCall<'_>, params: &Params<'_>) -> Vec<ChannelId> {
    match &*call.method {
        "tools/call" => of_tool(context, params).into_iter().collect(),
        "resources/read" => {
            let uri = params.uri.and_then(string);
            uri.and_then(|uri| ChannelId::parse(resources::channel_of(&uri)?).ok()).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

/// The channel that the arguments of a tool name, else that of the member it acts for.
fn of_tool(context: &RequestContext<'_>, params: &Params<'_>) -> Option<ChannelId> {
    let tool = context.mcp.catalogue.find(&params.name.and_then(string)?)?;
    let json = arguments::object_of(params.arguments).ok()?;
    let arguments = Arguments::read(&json, tool.parameters(false)).ok()?;
    if let Some(channel) = arguments.text("channel_id").ok()? {
        return ChannelId::parse(&channel).ok();
    }
    if !tool.kind.is_of_a_channel() {
        return None;
    }
    let all = context.memberships.as_ref()?;
    // A membership that was read from the log has the digest of its session only.
    let session = arguments.text("session_id").ok()?.and_then(|id| SessionId::present(Some(&id)).ok().flatten());
    let own = session.and_then(|session| all.iter().find(|bound| bound.session == session));
    own.map(|bound| &bound.channel).or_else(|| all.channel()).cloned()
}
