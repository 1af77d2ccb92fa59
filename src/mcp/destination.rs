//! Which channel the messages of a body are for, where hubs share a log: on `/mcp` only the body and the session say it.
//!
//! Invalid messages have no destination. They are refused where they came in, as they would be anywhere.

use std::collections::BTreeMap;
use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::web::Bytes;
use rogerrat_domain::{ChannelId, SessionId};

use super::arguments::{self, Arguments};
use super::cancelled::CancelledCall;
use super::context::RequestContext;
use super::endpoint::Handler;
use super::resources;
use super::rpc::{Params, RpcBody, RpcMessage, string};
use crate::web::peers::{Peers, Presented};
use crate::web::problem::Problem;

const CANCELLED: &str = "notifications/cancelled";

impl Handler<'_> {
    /// Forwards a body to the instance that owns its channel. `None` if this instance is to respond, also to a batch for
    /// several channels, which it divides.
    pub(super) async fn forward(&self, body: &RpcBody<'_>, bytes: &Bytes) -> Option<Result<HttpResponse, Problem>> {
        let peers = self.peers()?;
        let messages: Vec<_> = match body {
            RpcBody::One(message) => vec![message],
            RpcBody::Batch(batch) => batch.iter().filter_map(|entry| entry.message.as_ref().ok()).collect(),
        };
        // The call may name any channel, and this may not be the instance that it came to. Nothing here waits for the others.
        for cancelled in messages.iter().filter_map(|message| self.cancelled(message)) {
            let peers = peers.clone();
            actix_web::rt::spawn(async move { peers.notify_all(&cancelled.to_text()).await });
        }
        let mut channels = BTreeMap::<ChannelId, Presented>::new();
        for (channel, presented) in messages.into_iter().filter_map(|message| self.destination(message)) {
            let strongest = channels.entry(channel).or_insert_with(|| presented.clone());
            *strongest = presented.max(strongest.clone());
        }
        let channel = channels.first_key_value().filter(|_| channels.len() == 1)?;
        peers.forward(self.state, self.request, channel, bytes).await
    }

    /// The call that a message cancels.
    fn cancelled(&self, message: &RpcMessage<'_>) -> Option<CancelledCall> {
        let RpcMessage::Call(call) = message else { return None };
        let (context, params) = self.context(call, false).ok().filter(|_| call.method == CANCELLED)?;
        CancelledCall::of(&context, &params)
    }

    /// The other instances, if one of them may own the channel of a message.
    pub(super) fn peers(&self) -> Option<&Arc<Peers>> {
        self.state.peers_for(self.request).filter(|_| self.endpoint.channel.is_none())
    }

    /// The channel that a message is for, and what it presents for that.
    pub(super) fn destination(&self, message: &RpcMessage<'_>) -> Option<(ChannelId, Presented)> {
        let RpcMessage::Call(call) = message else { return None };
        let (context, params) = self.context(call, false).ok()?;
        match &*call.method {
            "tools/call" => of_tool(&context, &params),
            "resources/read" => {
                let channel = ChannelId::parse(resources::channel_of(&params.uri.and_then(string)?)?).ok()?;
                let presented = presented(&context, &channel, Presented::Tokens(Vec::new()));
                Some((channel, presented))
            }
            _ => None,
        }
    }
}

/// The channel that the arguments of a tool name, else that of the member it acts for.
fn of_tool(context: &RequestContext<'_>, params: &Params<'_>) -> Option<(ChannelId, Presented)> {
    let tool = context.mcp.catalogue.find(&params.name.and_then(string)?)?;
    let json = arguments::object_of(params.arguments).ok()?;
    let arguments = Arguments::read(&json, tool.parameters(false)).ok()?;
    if let Some(channel) = arguments.text("channel_id").ok()? {
        let channel = ChannelId::parse(&channel).ok()?;
        let tokens = ["token", "channel_token"].iter().filter_map(|name| arguments.text(name).ok()?);
        let tokens: Vec<_> = tokens.map(|token| token.to_string()).collect();
        let session = arguments.text("session_id").ok()?.filter(|_| tokens.is_empty());
        let given = if session.is_some() { Presented::Session } else { Presented::Tokens(tokens) };
        let presented = presented(context, &channel, given);
        return Some((channel, presented));
    }
    if !tool.kind.is_of_a_channel() {
        return None;
    }
    let all = context.memberships.as_ref()?;
    // A membership that was read from the log has the digest of its session only.
    let session = arguments.text("session_id").ok()?.and_then(|id| SessionId::present(Some(&id)).ok().flatten());
    let own = session.and_then(|session| all.iter().find(|bound| bound.session == session));
    let channel = own.map(|bound| &bound.channel).or_else(|| all.channel())?;
    Some((channel.clone(), Presented::Proven))
}

/// What a call presents for a channel: its MCP session, if that has joined it, else what its arguments give.
fn presented(context: &RequestContext<'_>, channel: &ChannelId, given: Presented) -> Presented {
    let has_joined = context.memberships.as_ref().is_some_and(|all| all.iter().any(|own| own.channel == *channel));
    if has_joined { Presented::Proven } else { given }
}
