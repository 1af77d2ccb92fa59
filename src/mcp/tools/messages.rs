//! `send`, `ack` and `keepalive`.

use rogerrat_actors::HubError;
use rogerrat_domain::op::{AckInput, AckReply, Draft, Keepalive, Send, SendInput, SendReply};
use rogerrat_domain::text::{age, member_state, quoted};
use rogerrat_domain::{Kind, Priority, Refusal};
use serde_json::json;

use super::ToolArguments;
use crate::mcp::context::{Counts, RequestContext, refresh};
use crate::mcp::response::{ToolResult, WithCounts, to_json};

/// A recipient that was active more recently and has one unread message is not worth a remark.
const QUIET_S: u64 = 60;

/// Sends a message.
pub(super) async fn send(context: &RequestContext<'_>, arguments: &ToolArguments<'_>) -> Result<ToolResult, Refusal> {
    let at = arguments.channel_session(context).await?;
    let input: SendInput = arguments.parse()?;
    let attachments = input.attachments.as_ref().map_or(0, Vec::len);
    let draft = Draft::check(input, None)?;
    context.state.rate_limits.sends.count(|| context.state.client(context.request))?;
    let reply = context.state.hub.send(&at.channel, Send { session: at.session, draft }).await;
    let reply = reply.map_err(HubError::into_refusal)?;
    let text = text(&reply, attachments, context.now_ms());
    Ok(ToolResult::new(&reply, text))
}

fn text(reply: &SendReply, attachments: usize, now_ms: u64) -> String {
    let SendReply { id, to, queued, kind, priority, suggested_replies, duplicate, unread, tasks, .. } = reply;
    let counts = Counts { unread: *unread, tasks: *tasks };
    if *kind == Kind::Status {
        return format!("status sent to {to}{}", counts.lines());
    }
    let mut line = format!("sent #{id}");
    if *priority != Priority::Default {
        line += &format!(" [{}]", to_json(priority).trim_matches('"'));
    }
    if attachments > 0 {
        line += &format!(" [+{attachments} attachment(s)]");
    }
    line += &format!(" to {to}");
    if *queued {
        line += " (queued: the recipient is offline and receives it when it returns)";
    }
    line += &recipient_text(reply, now_ms);
    if *duplicate {
        line += " (duplicate: already sent under this key, not sent again)";
    }
    if !suggested_replies.is_empty() {
        let replies = suggested_replies.iter().map(|reply| quoted(reply)).collect::<Vec<_>>();
        line += &format!(" (suggested: {})", replies.join(" "));
    }
    line + &counts.lines()
}

/// What the sender may expect of a recipient that does not read at this moment; empty if there is nothing to say.
fn recipient_text(reply: &SendReply, now_ms: u64) -> String {
    let Some(recipient) = &reply.recipient else { return String::new() };
    let seen_s = now_ms.saturating_sub(recipient.last_seen_at) / 1000;
    let is_quiet = recipient.reads.is_none() && (seen_s >= QUIET_S || recipient.unread >= 2);
    let says = recipient.state.map(|state| member_state(state.as_str(), None, recipient.until, now_ms));
    let woken = if recipient.hook { "a webhook posts it" } else { "nothing wakes it" };
    let unread = unread_text(recipient.unread, recipient.oldest_unread_seconds);
    match (says, is_quiet) {
        (None, false) => String::new(),
        (Some(says), false) => format!(" ({says})"),
        (None, true) => format!(" ({woken}: last seen {} ago{unread})", age(seen_s)),
        (Some(says), true) => format!(" ({says}; {woken}: last seen {} ago{unread})", age(seen_s)),
    }
}

/// How many messages a member has not read, and how old they are; empty if there are none.
pub(super) fn unread_text(unread: usize, oldest_seconds: Option<u64>) -> String {
    match oldest_seconds {
        Some(oldest_s) if unread > 0 => format!("; {unread} unread, oldest {}", age(oldest_s)),
        _ => String::new(),
    }
}

/// Acknowledges messages.
pub(super) async fn ack(context: &RequestContext<'_>, arguments: &ToolArguments<'_>) -> Result<ToolResult, Refusal> {
    let at = arguments.channel_session(context).await?;
    let ack = arguments.parse::<AckInput>()?.check(at.session.clone())?;
    let reply = context.state.hub.ask(&at.channel, ack).await.map_err(HubError::into_refusal)?;
    let counts = refresh(context.state, &at).await?;
    let text = format!("acknowledged {} up to #{}{}", reply.acked, reply.cursor, counts.lines());
    let AckReply { acked, cursor, .. } = reply;
    Ok(ToolResult::new(&WithCounts { reply: json!({"acked": acked, "cursor": cursor}), counts }, text))
}

/// Refreshes the session.
pub(super) async fn keepalive(
    context: &RequestContext<'_>,
    arguments: &ToolArguments<'_>,
) -> Result<ToolResult, Refusal> {
    let at = arguments.channel_session(context).await?;
    let reply = context.state.hub.ask(&at.channel, Keepalive { session: at.session }).await;
    let reply = reply.map_err(HubError::into_refusal)?;
    let counts = Counts { unread: reply.unread, tasks: reply.tasks };
    let text = format!("session refreshed{}", counts.lines());
    Ok(ToolResult::new(&reply, text))
}
