//! The tools' implementations: each parses its arguments, calls the hub and formats the result.
//!
//! Invalid arguments and everything the hub refuses become an error result with the hub's code, because the calling
//! model can correct them. Only an unknown tool is an error of the protocol.

mod account;
mod create;
mod join;
mod messages;
mod query;
mod read;

use rogerrat_domain::Refusal;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::catalogue::{Tool, ToolKind};
use super::context::{ChannelSession, MembershipArgs, RequestContext};
use super::response::ToolResult;
use super::rpc::{Params, RpcId, string};
use super::schema;
use super::waiting::WaitingCall;
use crate::web::json;

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
    json: &'a str,
    membership: MembershipArgs,
}

impl ToolArguments<'_> {
    /// Parses the arguments of one tool.
    fn parse<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        json::parse(self.json.as_bytes())
    }

    async fn channel_session(&self, context: &RequestContext<'_>) -> Result<ChannelSession, Refusal> {
        context.channel_session(&self.membership).await
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
    let json = params.arguments.map_or("{}", |raw| if raw.get() == "null" { "{}" } else { raw.get() });
    if !json.starts_with('{') {
        return Err(Refusal::invalid("`arguments` must be an object"));
    }
    let arguments = arguments(json, tool, context)?;
    Ok(match tool.kind {
        ToolKind::CreateChannel => create::create(context, &arguments).await?.into(),
        ToolKind::CreateAccount => account::create(context).await?.into(),
        ToolKind::CreateIdentity => account::create_identity(context, &arguments).await?.into(),
        ToolKind::Join => join::join(context, &arguments).await?.into(),
        ToolKind::Leave => join::leave(context, &arguments).await?.into(),
        ToolKind::Send => messages::send(context, &arguments).await?.into(),
        ToolKind::Ack => messages::ack(context, &arguments).await?.into(),
        ToolKind::Keepalive => messages::keepalive(context, &arguments).await?.into(),
        ToolKind::Roster => query::roster(context, &arguments).await?.into(),
        ToolKind::History => query::history(context, &arguments).await?.into(),
        ToolKind::Listen => ToolOutcome::Waiting(read::listen(context, id, &arguments, params).await?),
        ToolKind::Wait => ToolOutcome::Waiting(read::wait(context, id, &arguments, params).await?),
    })
}

fn arguments<'a>(json: &'a str, tool: &Tool, context: &RequestContext<'_>) -> Result<ToolArguments<'a>, Refusal> {
    let common = schema::check_names(json, tool.arguments(context.endpoint.channel.is_some()))?;
    let field = |name, raw: Option<_>| match raw {
        None => Ok(None),
        Some(raw) => match string(raw) {
            Some(text) => Ok(Some(text.into_owned())),
            None => Err(Refusal::invalid(format!("`{name}` must be a string"))),
        },
    };
    let membership = MembershipArgs {
        channel_id: field("channel_id", common.channel_id)?,
        session_id: field("session_id", common.session_id)?,
    };
    Ok(ToolArguments { json, membership })
}
