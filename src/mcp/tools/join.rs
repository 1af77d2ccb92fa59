//! `join` and `leave`. An MCP session remembers the channel it joined last.

use rogerrat_actors::{Admitted, HubError};
use rogerrat_domain::op::{JoinInput, JoinReply, Leave};
use rogerrat_domain::{Refusal, SessionId, message_line};
use serde::{Deserialize, Serialize};

use super::ToolArguments;
use crate::mcp::context::RequestContext;
use crate::mcp::response::ToolResult;
use crate::mcp::session_store::{Membership, SessionState};
use crate::mcp::text::KEEP_SESSION;

#[derive(Default, Deserialize)]
struct TokenArgs {
    token: Option<String>,
}

/// The result of a join.
#[derive(Serialize)]
struct JoinResult {
    channel_id: String,
    #[serde(flatten)]
    reply: JoinReply,
    stay_reachable: String,
}

/// Joins a channel.
pub(super) async fn join(context: &RequestContext<'_>, arguments: &ToolArguments<'_>) -> Result<ToolResult, Refusal> {
    let input: JoinInput = arguments.parse()?;
    let channel = admit(context, arguments).await?;
    let session = presented_session(context, arguments, &channel)?;
    let (state, address) = (context.state, context.state.client(context.request));
    state.rate_limits.joins.count(|| address)?;
    let mut reply = state.hub.join(&channel, input, session, address).await.map_err(HubError::into_refusal)?;
    reply.hint = KEEP_SESSION;
    if let Some(session) = SessionId::present(Some(&reply.session_id))? {
        bind(context, Membership { channel: channel.id().clone(), session }).await;
    }
    let stay_reachable = context.stay_reachable();
    let result = JoinResult { channel_id: channel.id().to_string(), reply, stay_reachable };
    let text = join_text(&result);
    Ok(ToolResult::new(&result, text))
}

async fn admit(context: &RequestContext<'_>, arguments: &ToolArguments<'_>) -> Result<Admitted, Refusal> {
    if let Some(channel) = &context.endpoint.channel {
        return Ok(channel.clone());
    }
    let TokenArgs { token } = arguments.parse()?;
    let channel = arguments.membership.channel_id.as_deref();
    let channel = channel.ok_or_else(|| Refusal::invalid("`channel_id` is missing: name the channel to join"))?;
    context.state.hub.admit(channel, token.as_deref().map(str::trim)).await.map_err(HubError::into_refusal)
}

/// The session to join with: that of the arguments, else the one that this connection has on the channel.
fn presented_session(
    context: &RequestContext<'_>,
    arguments: &ToolArguments<'_>,
    channel: &Admitted,
) -> Result<Option<SessionId>, Refusal> {
    match &arguments.membership.session_id {
        Some(id) => SessionId::present(Some(id)),
        None => {
            let bound = context.membership.as_ref().filter(|bound| bound.channel == *channel.id());
            Ok(bound.map(|bound| bound.session.clone()))
        }
    }
}

/// Binds the MCP session to a membership. It has one at a time, so it leaves the channel that it joined before.
async fn bind(context: &RequestContext<'_>, membership: Membership) {
    let Some(mcp_session) = &context.mcp_session else { return };
    let previous = context.membership.as_ref().filter(|previous| previous.channel != membership.channel);
    if let Some(previous) = previous
        && let Ok(channel) = context.state.hub.find(previous.channel.as_str()).await
    {
        // An error means that the session has ended already.
        let _ = context.state.hub.ask(&channel, Leave { session: previous.session.clone() }).await;
    }
    let now_ms = context.state.clock.now().at_ms;
    context.mcp.sessions.put(mcp_session.nonce, SessionState::Bound(membership), now_ms).await;
}

fn join_text(result: &JoinResult) -> String {
    let JoinReply { callsign, idx, session_id, roster, history, unread, instructions, idempotent, .. } = &result.reply;
    let channel = &result.channel_id;
    let again = if *idempotent { " (you had already joined)" } else { "" };
    let mut lines = vec![
        format!("Joined {channel} as {callsign}, #{idx}{again}. channel_id {channel}, session_id {session_id}"),
        format!("Roster ({}): {}", roster.len(), roster.join(", ")),
    ];
    lines.extend(result.reply.collision_warning.as_ref().map(|warning| format!("WARNING: {warning}")));
    lines.extend((*unread > 0).then(|| format!("{unread} unread: call listen")));
    lines.push(instructions.to_string());
    lines.push(result.stay_reachable.clone());
    lines.push(format!("Recent messages ({}):", history.len()));
    lines.extend(history.iter().map(|message| message_line(&message.json(), 1)));
    lines.join("\n")
}

/// Leaves a channel.
pub(super) async fn leave(context: &RequestContext<'_>, arguments: &ToolArguments<'_>) -> Result<ToolResult, Refusal> {
    let at = arguments.channel_session(context).await?;
    let session = at.session.clone();
    let reply = context.state.hub.ask(&at.channel, Leave { session: at.session }).await;
    let reply = reply.map_err(HubError::into_refusal)?;
    let is_bound = context.membership.as_ref().is_some_and(|bound| bound.session == session);
    if let Some(mcp_session) = context.mcp_session.as_ref().filter(|_| is_bound) {
        let now_ms = context.state.clock.now().at_ms;
        context.mcp.sessions.put(mcp_session.nonce, SessionState::Unbound, now_ms).await;
    }
    Ok(ToolResult::new(&serde_json::json!({"ok": reply.ok, "unread": 0}), format!("Left {}.", at.channel.id())))
}
