//! The tools' implementations: each parses its arguments, calls the hub and formats the result.
//!
//! Invalid arguments and everything the hub refuses become an error result with the hub's code, because the calling
//! model can correct them. Only an unknown tool is an error of the protocol.

mod account;
mod create;
mod fetch;
mod join;
mod messages;
mod query;
mod read;
mod remote;
mod tasks;

use rogerrat_actors::Admitted;
use rogerrat_domain::Refusal;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::arguments::{self, Arguments};
use super::catalogue::{Tool, ToolKind};
use super::context::{ChannelSession, MembershipArgs, RequestContext};
use super::response::ToolResult;
use super::rpc::{Params, RpcId};
use super::text;
use super::unproven::ClientKey;
use super::waiting::WaitingCall;

/// The outcome of a call of a tool.
pub(super) enum ToolOutcome {
    Result(ToolResult),
    /// The call waits for messages.
    Waiting(WaitingCall),
}

impl From<ToolResult> for ToolOutcome {
    fn from(result: ToolResult) -> Self {
        Self::Result(result)
    }
}

/// The arguments of a call.
struct ToolArguments<'a> {
    all: Arguments<'a>,
    membership: MembershipArgs,
}

impl<'a> ToolArguments<'a> {
    /// Reads the arguments. On a channel's endpoint they may name that channel, but no other.
    fn read(json: &'a str, tool: &'a Tool, context: &RequestContext<'_>) -> Result<Self, Refusal> {
        let own = context.endpoint.channel.as_ref().map(Admitted::id);
        let all = Arguments::read(json, tool.parameters(own.is_some()))?;
        let membership = MembershipArgs { channel_id: all.text("channel_id")?, session_id: all.text("session_id")? };
        match (own, &membership.channel_id) {
            (Some(own), Some(given)) if own.as_str() != given => Err(text::other_channel(own)),
            _ => Ok(Self { all, membership }),
        }
    }

    /// Parses the arguments of one tool.
    fn parse<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        self.all.parse()
    }

    /// The member that a tool which does not read acts for. Its client thereby shows that it took an earlier answer.
    async fn channel_session(&self, context: &RequestContext<'_>) -> Result<ChannelSession, Refusal> {
        let at = context.channel_session(&self.membership).await?;
        let (client, arrival) = (client_key(context, &at), || context.arrival());
        context.mcp.unproven.on_request(&client, at.channel.id(), &at.session, arrival).await;
        Ok(at)
    }
}

/// The client that a call comes from.
fn client_key(context: &RequestContext<'_>, at: &ChannelSession) -> ClientKey {
    match &context.mcp_session {
        Some(session) => ClientKey::Session(session.nonce),
        None => ClientKey::Member(at.channel.id().clone(), at.session.clone()),
    }
}

/// The tools in the form of `tools/list`.
pub(super) fn list(context: &RequestContext<'_>) -> Vec<Value> {
    let mode = context.state.preset(context.request).mode;
    context.mcp.catalogue.list(context.endpoint.channel.is_some(), mode)
}

/// Calls a tool.
pub(super) async fn call(context: &RequestContext<'_>, id: RpcId<'_>, tool: &Tool, params: &Params<'_>) -> ToolOutcome {
    match try_call(context, id, tool, params).await {
        Ok(outcome) => outcome,
        Err(refusal) => ToolOutcome::Result(ToolResult::refusal(&refusal)),
    }
}

async fn try_call(
    context: &RequestContext<'_>,
    id: RpcId<'_>,
    tool: &Tool,
    params: &Params<'_>,
) -> Result<ToolOutcome, Refusal> {
    let json = arguments::object_of(params.arguments)?;
    let arguments = ToolArguments::read(&json, tool, context)?;
    Ok(match tool.kind {
        ToolKind::CreateChannel => create::create(context, &arguments).await?.into(),
        ToolKind::CreateAccount => account::create(context).await?.into(),
        ToolKind::CreateIdentity => account::create_identity(context, &arguments).await?.into(),
        ToolKind::OpenRemoteControl => remote::open(context, &arguments).await?.into(),
        ToolKind::MakeRemoteLink => remote::link(context, &arguments).await?.into(),
        ToolKind::Join => join::join(context, &arguments).await?.into(),
        ToolKind::Leave => join::leave(context, &arguments).await?.into(),
        ToolKind::Send => messages::send(context, &arguments).await?.into(),
        ToolKind::Ack => messages::ack(context, &arguments).await?.into(),
        ToolKind::Keepalive => messages::keepalive(context, &arguments).await?.into(),
        ToolKind::Roster => query::roster(context, &arguments).await?.into(),
        ToolKind::History => query::history(context, &arguments).await?.into(),
        ToolKind::Fetch => fetch::fetch(context, &arguments).await?.into(),
        ToolKind::Listen => ToolOutcome::Waiting(read::listen(context, id, &arguments, params).await?),
        ToolKind::Ask => ToolOutcome::Waiting(tasks::ask(context, id, &arguments, params).await?),
        ToolKind::Take => ToolOutcome::Waiting(tasks::take(context, id, &arguments, params).await?),
        ToolKind::Finish => tasks::finish(context, &arguments).await?.into(),
        ToolKind::Tasks => tasks::tasks(context, &arguments).await?.into(),
        ToolKind::Wait => ToolOutcome::Waiting(read::wait(context, id, &arguments, params).await?),
    })
}
