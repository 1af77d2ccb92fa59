//! `roster` and `history`: who is there, and what was said.

use rogerrat_actors::HubError;
use rogerrat_domain::op::{History, HistoryReply, Roster, RosterReply, whole};
use rogerrat_domain::{Refusal, limits, message_line};
use serde::{Deserialize, Serialize};

use super::Arguments;
use super::talk::waiting;
use crate::mcp::answer::Told;
use crate::mcp::visit::{Seated, Visit, held};

/// Tells who is there.
pub(super) async fn roster(visit: &Visit<'_>, arguments: &Arguments<'_>) -> Result<Told, Refusal> {
    let seated = arguments.seated(visit).await?;
    let unread = held(visit.state, &seated).await?;
    let Seated { at, session } = seated;
    let reply = visit.state.hub.ask(&at, Roster { session: Some(session) }).await.map_err(HubError::into_refusal)?;
    let text = seats(&reply) + &waiting(unread);
    Ok(Told::new(&reply, text))
}

fn seats(reply: &RosterReply) -> String {
    let seats = reply.roster_with_index.iter().map(|seat| format!("\n  #{}  {}", seat.idx, seat.callsign));
    let away: Vec<_> = reply.roster_all.iter().filter(|row| !row.online).map(|row| row.callsign.to_string()).collect();
    let away = if away.is_empty() { String::new() } else { format!("\nAway: {}", away.join(", ")) };
    format!("Active on the channel:{}{away}\nSend to a callsign, a number, or all.", seats.collect::<String>())
}

#[derive(Default, Deserialize)]
struct Look {
    n: Option<f64>,
    thread: Option<String>,
}

#[derive(Serialize)]
struct Past {
    #[serde(flatten)]
    reply: HistoryReply,
    unread: usize,
}

/// Tells what was said.
pub(super) async fn history(visit: &Visit<'_>, arguments: &Arguments<'_>) -> Result<Told, Refusal> {
    let seated = arguments.seated(visit).await?;
    let Look { n, thread } = arguments.read()?;
    let unread = held(visit.state, &seated).await?;
    let n = n.map_or(limits::HISTORY_DEFAULT, |n| usize::try_from(whole(n)).unwrap_or(usize::MAX));
    let ask = History {
        session: Some(seated.session),
        n: n.clamp(1, limits::READ_MESSAGES),
        thread: thread.map(|thread| thread.trim().to_owned()),
    };
    let reply = visit.state.hub.ask(&seated.at, ask).await.map_err(HubError::into_refusal)?;
    let lines: Vec<_> = reply.history.iter().map(|message| message_line(message.get().as_bytes(), 1)).collect();
    let text = if lines.is_empty() { "(no messages)".to_owned() } else { lines.join("\n") };
    Ok(Told::new(&Past { reply, unread }, text + &waiting(unread)))
}
