//! `join` and `leave`. An MCP session remembers what it has joined.

use rogerrat_actors::{Admitted, HubError};
use rogerrat_domain::op::{JoinInput, JoinReply, Leave};
use rogerrat_domain::{AttachmentForm, Callsign, Refusal, SessionId};
use serde::{Deserialize, Serialize};

use super::ToolArguments;
use crate::mcp::answer_size::{self, FRAME_BYTES, SizeArgs, escaped_bytes, json_bytes, line};
use crate::mcp::context::{Counts, RequestContext};
use crate::mcp::memberships::{Membership, Memberships};
use crate::mcp::response::ToolResult;
use crate::mcp::session_store::SessionState;
use crate::mcp::text::{CONTINUED, KEEP_SESSION, SHARED};

/// The part of an answer for the roster, as a divisor.
const ROSTER_DIVISOR: usize = 4;
/// A callsign in both forms of an answer, beside itself.
const ROSTER_NAME_BYTES: usize = r#""","#.len() + ", ".len();
/// More than everything in an answer beside roster and history.
const FIXED_BYTES: usize = 8_000;
/// The part of the rest that a history may take in its stored form so that it surely fits in both forms, as a divisor: the
/// text form of an invisible character is three times as long.
const SHOWN_DIVISOR: usize = 6;

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
    /// Callsigns that did not fit.
    #[serde(skip_serializing_if = "Option::is_none")]
    roster_more: Option<usize>,
    /// Messages of the history that did not fit.
    #[serde(skip_serializing_if = "Option::is_none")]
    history_more: Option<usize>,
}

/// Joins a channel.
pub(super) async fn join(context: &RequestContext<'_>, arguments: &ToolArguments<'_>) -> Result<ToolResult, Refusal> {
    let input: JoinInput = arguments.parse()?;
    let max_bytes = arguments.parse::<SizeArgs>()?.max_bytes()?;
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
    // A history of this size is not cut, so a new member has read it.
    let shown_bytes = max_bytes.saturating_sub(FIXED_BYTES) / SHOWN_DIVISOR;
    let joined = state.hub.join_showing(&channel, input, session, address, shown_bytes).await;
    let mut reply = joined.map_err(HubError::into_refusal)?;
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
    let channel_id = channel.id().to_string();
    let mut result = JoinResult { channel_id, reply, stay_reachable, roster_more: None, history_more: None };
    result.cut(max_bytes, shown_bytes);
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
    let continues = continues.cloned();
    let join = move |before: Option<&Memberships>, used_ms| {
        Some(match before {
            Some(before) => before.joined(new.clone(), continues.as_ref(), used_ms),
            None => Memberships::one(new.clone()),
        })
    };
    let sessions = &context.mcp.sessions;
    sessions.change(mcp_session.nonce, context.now_ms(), join).await;
    let state = sessions.get(&mcp_session.nonce, context.now_ms());
    matches!(state, Some(SessionState::Bound(all)) if all.sole().is_none())
}

impl JoinResult {
    /// Leaves out callsigns, and the oldest messages of the history, until the answer fits. What belongs to the join
    /// itself always stays, and so does a history that counts as read because it has at most `shown_bytes`.
    fn cut(&mut self, max_bytes: usize, shown_bytes: usize) {
        let mut history = std::mem::take(&mut self.reply.history);
        let mut roster = std::mem::take(&mut self.reply.roster);
        let own_bytes = FRAME_BYTES + json_bytes(self) + escaped_bytes(&join_text(self));
        let mut left_bytes = max_bytes.saturating_sub(own_bytes);
        let mut for_names = left_bytes / ROSTER_DIVISOR;
        let fits = |name: &&String| {
            let left = for_names.checked_sub(2 * name.len() + ROSTER_NAME_BYTES);
            for_names = left.unwrap_or(0);
            left.is_some()
        };
        let shown = roster.iter().take_while(fits).count();
        left_bytes -= left_bytes / ROSTER_DIVISOR - for_names;
        self.roster_more = Some(roster.len() - shown).filter(|more| *more > 0);
        roster.truncate(shown);
        let history_bytes: usize = history.iter().map(|message| message.json_by_reference().len()).sum();
        let newest_first = history.iter().rev().map(|message| &**message);
        let more = match history_bytes <= shown_bytes {
            true => 0,
            false => history.len() - answer_size::bound(left_bytes).fitting_or_none(newest_first),
        };
        history.drain(..more);
        history.attachments = AttachmentForm::Reference;
        self.history_more = Some(more).filter(|more| *more > 0);
        self.reply.roster = roster;
        self.reply.history = history;
    }
}

fn join_text(result: &JoinResult) -> String {
    let JoinReply { callsign, idx, session_id, roster, history, unread, tasks, instructions, idempotent, .. } =
        &result.reply;
    let channel = &result.channel_id;
    let (roster_more, history_more) = (result.roster_more.unwrap_or(0), result.history_more.unwrap_or(0));
    let again = if *idempotent { " (you had already joined)" } else { "" };
    let mut lines = vec![
        format!("Joined {channel} as {callsign}, #{idx}{again}. channel_id {channel}, session_id {session_id}"),
        format!("Roster ({}): {}{}", roster.len() + roster_more, roster.join(", "), and_more(roster_more)),
    ];
    lines.extend(result.reply.collision_warning.as_ref().map(|warning| format!("WARNING: {warning}")));
    let counts = Counts { unread: *unread, tasks: *tasks };
    lines.extend(counts.lines().lines().filter(|line| !line.is_empty()).map(str::to_owned));
    lines.extend([CONTINUED, SHARED].contains(&result.reply.hint).then(|| format!("NOTE: {}", result.reply.hint)));
    lines.push(instructions.to_string());
    lines.push(result.stay_reachable.clone());
    lines.push(format!("Recent messages ({}{}):", history.len(), and_older(history_more)));
    lines.extend(history.iter().map(|message| line(message, 1)));
    lines.join("\n")
}

fn and_more(more: usize) -> String {
    if more == 0 { String::new() } else { format!(" and {more} more: call roster") }
}

fn and_older(more: usize) -> String {
    if more == 0 { String::new() } else { format!("; {more} older ones did not fit: call history") }
}

/// Leaves a channel.
pub(super) async fn leave(context: &RequestContext<'_>, arguments: &ToolArguments<'_>) -> Result<ToolResult, Refusal> {
    let at = arguments.channel_session(context).await?;
    let session = at.session.clone();
    let reply = context.state.hub.ask(&at.channel, Leave { session: at.session }).await;
    let reply = reply.map_err(HubError::into_refusal)?;
    if let Some(mcp_session) = &context.mcp_session {
        let leave =
            move |all: Option<&Memberships>, _: u64| all.and_then(|all| all.without(std::slice::from_ref(&session)));
        context.mcp.sessions.change(mcp_session.nonce, context.now_ms(), leave).await;
    }
    Ok(ToolResult::new(&serde_json::json!({"ok": reply.ok, "unread": 0}), format!("Left {}.", at.channel.id())))
}
