//! `join` and `leave`. An MCP session remembers what it has joined.

use rogerrat_actors::{Admitted, HubError};
use rogerrat_domain::op::{JoinInput, JoinReply, Leave};
use rogerrat_domain::{Callsign, Refusal, SessionId, message_line};
use serde::{Deserialize, Serialize};

use super::ToolArguments;
use crate::mcp::context::RequestContext;
use crate::mcp::memberships::{Membership, Memberships};
use crate::mcp::response::ToolResult;
use crate::mcp::text::{CONTINUED, KEEP_SESSION, SHARED};

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
    let remembered = match &arguments.membership.session_id {
        Some(_) => None,
        None => remembered_session(context, &channel, input.callsign.as_deref()).await,
    };
    let session = match &arguments.membership.session_id {
        Some(id) => SessionId::present(Some(id))?,
        None => remembered.as_ref().filter(|remembered| remembered.can_present).map(|it| it.session.clone()),
    };
    let (state, address) = (context.state, context.state.client(context.request));
    state.rate_limits.joins.count(|| address)?;
    let mut reply = state.hub.join(&channel, input, session, address).await.map_err(HubError::into_refusal)?;
    let mut is_shared = false;
    if let Some(session) = SessionId::present(Some(&reply.session_id))? {
        let callsign = Some(reply.callsign.clone());
        let membership = Membership { channel: channel.id().clone(), session, callsign, used_ms: context.now_ms() };
        is_shared = bind(context, membership, remembered.as_ref().map(|it| &it.session)).await;
    }
    reply.hint = match (remembered.is_some() && reply.idempotent, is_shared) {
        (true, _) => CONTINUED,
        (false, true) => SHARED,
        (false, false) => KEEP_SESSION,
    };
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

/// A session that this connection has on the channel.
struct RememberedSession {
    session: SessionId,
    /// Whether a join that presents it continues it.
    can_present: bool,
}

/// The session that this connection has under the requested callsign. Any other join is that of another agent, which must
/// not take the place of the first; so is one without a callsign, which gets a free one (D16).
async fn remembered_session(
    context: &RequestContext<'_>,
    channel: &Admitted,
    callsign: Option<&str>,
) -> Option<RememberedSession> {
    let (all, callsign) = (context.memberships.as_ref()?, Callsign::parse(callsign?).ok()?);
    let on_channel: Vec<_> = all.iter().filter(|bound| bound.channel == *channel.id()).collect();
    let holders = context.holders(&on_channel).await.unwrap_or_default();
    on_channel.into_iter().enumerate().find_map(|(at, bound)| {
        let holder = holders.get(at).and_then(Option::as_ref);
        let current = holder.map(|holder| &holder.callsign).or(bound.callsign.as_ref());
        (current == Some(&callsign)).then(|| RememberedSession {
            session: bound.session.clone(),
            // Only the hash of an id is stored, with which no other session can begin.
            can_present: holder.is_some_and(|holder| holder.continues || bound.session.text().is_some()),
        })
    })
}

/// Binds the MCP session to a membership, in addition to those of other members. Returns whether there are any.
async fn bind(context: &RequestContext<'_>, new: Membership, continues: Option<&SessionId>) -> bool {
    let Some(mcp_session) = &context.mcp_session else { return false };
    let mut is_shared = false;
    let join = |before: Option<&Memberships>, used_ms| {
        let all = match before {
            Some(before) => before.joined(new, continues, used_ms),
            None => Memberships::one(new),
        };
        is_shared = all.sole().is_none();
        Some(all)
    };
    let stored = context.mcp.sessions.change(mcp_session.nonce, context.now_ms(), join);
    stored.await;
    is_shared
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
    lines.extend([CONTINUED, SHARED].contains(&result.reply.hint).then(|| format!("NOTE: {}", result.reply.hint)));
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
    if let Some(mcp_session) = &context.mcp_session {
        let leave = |all: Option<&Memberships>, _| all.and_then(|all| all.without(&[session]));
        context.mcp.sessions.change(mcp_session.nonce, context.now_ms(), leave).await;
    }
    Ok(ToolResult::new(&serde_json::json!({"ok": reply.ok, "unread": 0}), format!("Left {}.", at.channel.id())))
}
