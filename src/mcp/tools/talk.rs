//! `send`, `ack` and `keepalive`.

use rogerrat_actors::HubError;
use rogerrat_domain::op::{AckInput, Draft, Keepalive, Send, SendInput, SendReply};
use rogerrat_domain::text::quoted;
use rogerrat_domain::{Kind, Priority, Refusal};
use serde_json::json;

use super::Arguments;
use crate::mcp::answer::{Told, to_json};
use crate::mcp::visit::{Visit, held};

/// Sends a message.
pub(super) async fn send(visit: &Visit<'_>, arguments: &Arguments<'_>) -> Result<Told, Refusal> {
    let seated = arguments.seated(visit).await?;
    let input: SendInput = arguments.read()?;
    let files = input.attachments.as_ref().map_or(0, Vec::len);
    let draft = Draft::check(input, None)?;
    visit.state.rate_limits.sends.count(|| visit.state.client(visit.request))?;
    let reply = visit.state.hub.ask(&seated.at, Send { session: seated.session, draft }).await;
    let reply = reply.map_err(HubError::into_refusal)?;
    let text = sent(&reply, files);
    Ok(Told::new(&reply, text))
}

fn sent(reply: &SendReply, files: usize) -> String {
    let SendReply { id, to, queued, kind, priority, suggested_replies, duplicate, unread, .. } = reply;
    if *kind == Kind::Status {
        return format!("status sent to {to}{}", waiting(*unread));
    }
    let mut line = format!("sent #{id}");
    if *priority != Priority::Default {
        line += &format!(" [{}]", to_json(priority).trim_matches('"'));
    }
    if files > 0 {
        line += &format!(" [+{files} attachment(s)]");
    }
    line += &format!(" to {to}");
    if *queued {
        line += " (queued: away now, and will find it)";
    }
    if *duplicate {
        line += " (sent before under this key, not again)";
    }
    if !suggested_replies.is_empty() {
        let replies = suggested_replies.iter().map(|reply| quoted(reply)).collect::<Vec<_>>();
        line += &format!(" (suggested: {})", replies.join(" "));
    }
    line + &waiting(*unread)
}

/// Says what waits, if anything does (A6).
pub(super) fn waiting(unread: usize) -> String {
    if unread == 0 { String::new() } else { format!("\n{unread} unread: call listen") }
}

/// Acknowledges what was read.
pub(super) async fn ack(visit: &Visit<'_>, arguments: &Arguments<'_>) -> Result<Told, Refusal> {
    let seated = arguments.seated(visit).await?;
    let ack = arguments.read::<AckInput>()?.check(seated.session.clone())?;
    let reply = visit.state.hub.ask(&seated.at, ack).await.map_err(HubError::into_refusal)?;
    let unread = held(visit.state, &seated).await?;
    let text = format!("acknowledged {} up to #{}{}", reply.acked, reply.cursor, waiting(unread));
    Ok(Told::new(&json!({"acked": reply.acked, "cursor": reply.cursor, "unread": unread}), text))
}

/// Shows that the caller lives.
pub(super) async fn keepalive(visit: &Visit<'_>, arguments: &Arguments<'_>) -> Result<Told, Refusal> {
    let seated = arguments.seated(visit).await?;
    let reply = visit.state.hub.ask(&seated.at, Keepalive { session: seated.session }).await;
    let reply = reply.map_err(HubError::into_refusal)?;
    let text = format!("alive{}", waiting(reply.unread));
    Ok(Told::new(&reply, text))
}
