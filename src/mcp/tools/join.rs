//! `join` and `leave`: a seat on a channel, and giving it up. A legacy session remembers the seat it took last.

use rogerrat_actors::{Admitted, HubError};
use rogerrat_domain::op::{JoinInput, JoinReply, Leave};
use rogerrat_domain::{Refusal, SessionId, message_line};
use serde::{Deserialize, Serialize};

use super::Arguments;
use crate::mcp::answer::Told;
use crate::mcp::bindings::{Seat, Standing};
use crate::mcp::visit::Visit;
use crate::mcp::words;

#[derive(Default, Deserialize)]
struct Bearer {
    token: Option<String>,
}

/// What a joiner learns.
#[derive(Serialize)]
struct Joined {
    channel_id: String,
    #[serde(flatten)]
    reply: JoinReply,
    stay_reachable: String,
}

/// Joins a channel.
pub(super) async fn join(visit: &Visit<'_>, arguments: &Arguments<'_>) -> Result<Told, Refusal> {
    let input: JoinInput = arguments.read()?;
    let at = admitted(visit, arguments).await?;
    let presented = presented(visit, arguments, &at)?;
    let (state, address) = (visit.state, visit.state.client(visit.request));
    state.rate_limits.joins.count(|| address)?;
    let mut reply = state.hub.join(&at, input, presented, address).await.map_err(HubError::into_refusal)?;
    reply.hint = "keep channel_id and session_id: with both every tool goes on where you were, in any connection";
    if let Some(session) = SessionId::present(Some(&reply.session_id))? {
        take(visit, Seat { channel: at.id().clone(), session }).await;
    }
    let joined = Joined { channel_id: at.id().to_string(), stay_reachable: words::stay_reachable(visit), reply };
    let text = text(&joined);
    Ok(Told::new(&joined, text))
}

async fn admitted(visit: &Visit<'_>, arguments: &Arguments<'_>) -> Result<Admitted, Refusal> {
    if let Some(at) = &visit.entrance.channel {
        return Ok(at.clone());
    }
    let Bearer { token } = arguments.read()?;
    let channel = arguments.seat.channel_id.as_deref();
    let channel = channel.ok_or_else(|| Refusal::invalid("`channel_id` is missing: which channel to join"))?;
    visit.state.hub.admit(channel, token.as_deref().map(str::trim)).await.map_err(HubError::into_refusal)
}

/// The session that joins: the one that is said, else the one this connection has there already.
fn presented(visit: &Visit<'_>, arguments: &Arguments<'_>, at: &Admitted) -> Result<Option<SessionId>, Refusal> {
    match &arguments.seat.session_id {
        Some(said) => SessionId::present(Some(said)),
        None => Ok(visit.bound.as_ref().filter(|seat| seat.channel == *at.id()).map(|seat| seat.session.clone())),
    }
}

/// Remembers the seat. A session has one: it leaves the channel where it sat before.
async fn take(visit: &Visit<'_>, seat: Seat) {
    let Some(ticket) = &visit.ticket else { return };
    let before = visit.bound.as_ref().filter(|before| before.channel != seat.channel);
    if let Some(before) = before
        && let Ok(at) = visit.state.hub.find(before.channel.as_str()).await
    {
        // Gone already is as good.
        let _ = visit.state.hub.ask(&at, Leave { session: before.session.clone() }).await;
    }
    visit.mcp.bindings.put(ticket.nonce, Standing::Bound(seat), visit.state.clock.now().at_ms).await;
}

fn text(joined: &Joined) -> String {
    let JoinReply { callsign, idx, session_id, roster, history, unread, instructions, idempotent, .. } = &joined.reply;
    let channel = &joined.channel_id;
    let again = if *idempotent { " (you were here already)" } else { "" };
    let mut lines = vec![
        format!("Joined {channel} as {callsign}, #{idx}{again}. channel_id {channel}, session_id {session_id}"),
        format!("Roster ({}): {}", roster.len(), roster.join(", ")),
    ];
    lines.extend(joined.reply.collision_warning.as_ref().map(|warning| format!("WARNING: {warning}")));
    lines.extend((*unread > 0).then(|| format!("{unread} unread: call listen")));
    lines.push(instructions.to_string());
    lines.push(joined.stay_reachable.clone());
    lines.push(format!("Recent messages ({}):", history.len()));
    lines.extend(history.iter().map(|message| message_line(message.get().as_bytes(), 1)));
    lines.join("\n")
}

/// Gives the seat up.
pub(super) async fn leave(visit: &Visit<'_>, arguments: &Arguments<'_>) -> Result<Told, Refusal> {
    let seated = arguments.seated(visit).await?;
    let session = seated.session.clone();
    let reply = visit.state.hub.ask(&seated.at, Leave { session: seated.session }).await;
    let reply = reply.map_err(HubError::into_refusal)?;
    let is_ours = visit.bound.as_ref().is_some_and(|seat| seat.session == session);
    if let Some(ticket) = visit.ticket.as_ref().filter(|_| is_ours) {
        visit.mcp.bindings.put(ticket.nonce, Standing::Unbound, visit.state.clock.now().at_ms).await;
    }
    Ok(Told::new(&serde_json::json!({"ok": reply.ok, "unread": 0}), format!("Left {}.", seated.at.id())))
}
