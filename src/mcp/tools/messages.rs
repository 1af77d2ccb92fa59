//! `send`, `ack` and `keepalive`.

use rogerrat_actors::HubError;
use rogerrat_domain::op::{AckInput, Draft, Keepalive, Send, SendInput, SendReply};
use rogerrat_domain::text::quoted;
use rogerrat_domain::{Kind, Priority, Refusal};
use serde_json::json;

use super::ToolArguments;
use crate::mcp::context::{RequestContext, refresh};
use crate::mcp::response::{ToolResult, to_json};

/// Sends a message.
pub(super) async fn send(context: &RequestContext<'_>, arguments: &ToolArguments<'_>) -> Result<ToolResult, Refusal> {
    let at = arguments.channel_session(context).await?;
    let input: SendInput = arguments.parse()?;
    let attachments = input.attachments.as_ref().map_or(0, Vec::len);
    let draft = Draft::check(input, None)?;
    context.state.rate_limits.sends.count(|| context.state.client(context.request))?;
    let reply = context.state.hub.ask(&at.channel, Send { session: at.session, draft }).await;
    let reply = reply.map_err(HubError::into_refusal)?;
    let text = text(&reply, attachments);
    Ok(ToolResult::new(&reply, text))
}

fn text(reply: &SendReply, attachments: usize) -> String {
    let SendReply { id, to, queued, kind, priority, suggested_replies, duplicate, unread, .. } = reply;
    if *kind == Kind::Status {
        return format!("status sent to {to}{}", unread_line(*unread));
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
    if *duplicate {
        line += " (duplicate: already sent under this key, not sent again)";
    }
    if !suggested_replies.is_empty() {
        let replies = suggested_replies.iter().map(|reply| quoted(reply)).collect::<Vec<_>>();
        line += &format!(" (suggested: {})", replies.join(" "));
    }
    line + &unread_line(*unread)
}

/// A line with the unread count, if there are unread messages (A6).
pub(super) fn unread_line(unread: usize) -> String {
    if unread == 0 { String::new() } else { format!("\n{unread} unread: call listen") }
}

/// Acknowledges messages.
pub(super) async fn ack(context: &RequestContext<'_>, arguments: &ToolArguments<'_>) -> Result<ToolResult, Refusal> {
    let at = arguments.channel_session(context).await?;
    let ack = arguments.parse::<AckInput>()?.check(at.session.clone())?;
    let reply = context.state.hub.ask(&at.channel, ack).await.map_err(HubError::into_refusal)?;
    let unread = refresh(context.state, &at).await?;
    let text = format!("acknowledged {} up to #{}{}", reply.acked, reply.cursor, unread_line(unread));
    Ok(ToolResult::new(&json!({"acked": reply.acked, "cursor": reply.cursor, "unread": unread}), text))
}

/// Refreshes the session.
pub(super) async fn keepalive(
    context: &RequestContext<'_>,
    arguments: &ToolArguments<'_>,
) -> Result<ToolResult, Refusal> {
    let at = arguments.channel_session(context).await?;
    let reply = context.state.hub.ask(&at.channel, Keepalive { session: at.session }).await;
    let reply = reply.map_err(HubError::into_refusal)?;
    let text = format!("session refreshed{}", unread_line(reply.unread));
    Ok(ToolResult::new(&reply, text))
}
