//! `roster` and `history`.

use rogerrat_actors::HubError;
use rogerrat_domain::op::{History, HistoryReply, Roster, RosterReply};
use rogerrat_domain::{Refusal, limits, message_line, saturating_u64};
use serde::{Deserialize, Serialize};

use super::ToolArguments;
use super::messages::unread_line;
use crate::mcp::context::{ChannelSession, RequestContext, refresh};
use crate::mcp::response::ToolResult;

/// Lists the members.
pub(super) async fn roster(context: &RequestContext<'_>, arguments: &ToolArguments<'_>) -> Result<ToolResult, Refusal> {
    let at = arguments.channel_session(context).await?;
    let unread = refresh(context.state, &at).await?;
    let ChannelSession { channel, session } = at;
    let query = Roster { session: Some(session) };
    let reply = context.state.hub.query(&channel, query).await.map_err(HubError::into_refusal)?;
    let text = roster_text(&reply) + &unread_line(unread);
    Ok(ToolResult::new(&reply, text))
}

fn roster_text(reply: &RosterReply) -> String {
    let active = reply.roster_with_index.iter().map(|member| format!("\n  #{}  {}", member.idx, member.callsign));
    let away = reply.roster_all.iter().filter(|member| !member.online);
    let away: Vec<_> = away.map(|member| member.callsign.to_string()).collect();
    let away = if away.is_empty() { String::new() } else { format!("\nOffline: {}", away.join(", ")) };
    format!("Online:{}{away}\nSend to a callsign, `#N`, or all.", active.collect::<String>())
}

#[derive(Default, Deserialize)]
struct HistoryArgs {
    n: Option<f64>,
    thread: Option<String>,
}

#[derive(Serialize)]
struct HistoryWithUnread {
    #[serde(flatten)]
    reply: HistoryReply,
    unread: usize,
}

/// Returns the last messages.
pub(super) async fn history(
    context: &RequestContext<'_>,
    arguments: &ToolArguments<'_>,
) -> Result<ToolResult, Refusal> {
    let at = arguments.channel_session(context).await?;
    let HistoryArgs { n, thread } = arguments.parse()?;
    let unread = refresh(context.state, &at).await?;
    let n = n.map_or(limits::HISTORY_DEFAULT, |n| usize::try_from(saturating_u64(n)).unwrap_or(usize::MAX));
    let query = History {
        session: Some(at.session),
        n: n.clamp(1, limits::READ_MESSAGES),
        thread: thread.map(|thread| thread.trim().to_owned()),
        before: None,
    };
    let reply = context.state.hub.query(&at.channel, query).await.map_err(HubError::into_refusal)?;
    let lines: Vec<_> = reply.history.iter().map(|message| message_line(&message.json(), 1)).collect();
    let text = if lines.is_empty() { "(no messages)".to_owned() } else { lines.join("\n") };
    Ok(ToolResult::new(&HistoryWithUnread { reply, unread }, text + &unread_line(unread)))
}
