//! `roster` and `history`.

use rogerrat_actors::HubError;
use rogerrat_domain::op::{History, HistoryReply, MemberPresence, Roster};
use rogerrat_domain::text::{age, member_state, quoted};
use rogerrat_domain::{AttachmentForm, OpenRead, Refusal, limits, saturating_u64};
use serde::Deserialize;

use super::ToolArguments;
use super::messages::unread_text;
use crate::mcp::answer_size::{self, FRAME_BYTES, SizeArgs};
use crate::mcp::context::{ChannelSession, RequestContext, refresh};
use crate::mcp::response::{ToolResult, WithCounts};
use crate::mcp::roster_size::BoundedRoster;

/// Lists the members.
pub(super) async fn roster(context: &RequestContext<'_>, arguments: &ToolArguments<'_>) -> Result<ToolResult, Refusal> {
    let max_bytes = arguments.parse::<SizeArgs>()?.max_bytes()?;
    let at = arguments.channel_session(context).await?;
    let counts = refresh(context.state, &at).await?;
    let ChannelSession { channel, session } = at;
    let query = Roster { session: Some(session), limit: None };
    let reply = context.state.hub.roster(&channel, query).await.map_err(HubError::into_refusal)?;
    let shown = BoundedRoster::new(reply, max_bytes.saturating_sub(FRAME_BYTES));
    let text = roster_text(&shown, context.now_ms()) + &counts.lines();
    Ok(ToolResult::new(&shown, text))
}

fn roster_text(shown: &BoundedRoster, now_ms: u64) -> String {
    let active = shown.members.iter().filter(|member| member.online).map(|member| {
        let reads = match member.reads {
            Some(OpenRead::Stream) => "reads a stream".to_owned(),
            Some(OpenRead::Poll) => "waits on a poll".to_owned(),
            None => format!("seen {} ago", age(now_ms.saturating_sub(member.last_seen_at) / 1000)),
        };
        let says = says(member, now_ms).map_or_else(String::new, |says| format!("{says}; "));
        format!("\n  #{}  {}  {says}{reads}{}", member.idx, member.callsign, details(member))
    });
    let away = shown.members.iter().filter(|member| !member.online);
    let away: Vec<_> = away.map(|member| format!("{}{}", member.callsign, details(member))).collect();
    let away = if away.is_empty() { String::new() } else { format!("\nOffline: {}", away.join(", ")) };
    let more = match shown.reply.more {
        0 => String::new(),
        more => format!("\n({more} more did not fit: pass a larger max_bytes)"),
    };
    format!("Online:{}{away}{more}\nSend to a callsign, `#N`, or all.", active.collect::<String>())
}

/// What a member says it is doing.
fn says(member: &MemberPresence, now_ms: u64) -> Option<String> {
    Some(member_state(member.state?.as_str(), member.note.as_deref(), member.until, now_ms))
}

/// What the line of a member says after its callsign and how it reads.
fn details(member: &MemberPresence) -> String {
    let verified = if member.verified.is_some() { "; verified identity" } else { "" };
    let hook = if member.hook { "; a webhook posts DMs" } else { "" };
    let holds = match member.holds {
        0 => String::new(),
        1 => "; has 1 task".to_owned(),
        n => format!("; has {n} tasks"),
    };
    let about = member.about.as_ref().map_or_else(String::new, |about| format!("; about {}", quoted(about)));
    format!("{}{holds}{verified}{hook}{about}", unread_text(member.unread, member.oldest_unread_seconds))
}

#[derive(Default, Deserialize)]
struct HistoryArgs {
    n: Option<f64>,
    thread: Option<String>,
    before: Option<f64>,
}

/// Returns the last messages.
pub(super) async fn history(
    context: &RequestContext<'_>,
    arguments: &ToolArguments<'_>,
) -> Result<ToolResult, Refusal> {
    let max_bytes = arguments.parse::<SizeArgs>()?.max_bytes()?;
    let at = arguments.channel_session(context).await?;
    let HistoryArgs { n, thread, before } = arguments.parse()?;
    let counts = refresh(context.state, &at).await?;
    let n = n.map_or(limits::HISTORY_DEFAULT, |n| usize::try_from(saturating_u64(n)).unwrap_or(usize::MAX));
    let query = History {
        session: Some(at.session),
        n: n.clamp(1, limits::READ_MESSAGES),
        thread: thread.map(|thread| thread.trim().to_owned()),
        before: before.map(saturating_u64),
    };
    let mut reply = context.state.hub.history(&at.channel, query).await.map_err(HubError::into_refusal)?;
    reply.keep_newest(answer_size::bound(max_bytes.saturating_sub(FRAME_BYTES)));
    reply.history.attachments = AttachmentForm::Reference;
    let text = history_text(&reply) + &counts.lines();
    Ok(ToolResult::new(&WithCounts { reply, counts }, text))
}

fn history_text(reply: &HistoryReply) -> String {
    let mut lines = Vec::with_capacity(reply.history.len() + 1);
    match (reply.more, reply.before) {
        (0, None) if reply.history.is_empty() => return "(no messages)".to_owned(),
        (0, None) => {}
        (0, Some(before)) => lines.push(format!("(older ones: call history with before={before})")),
        (more, before) => {
            let before = before.unwrap_or_default();
            lines.push(format!("({more} older ones did not fit: call history with before={before})"));
        }
    }
    lines.extend(reply.history.iter().map(|message| answer_size::line(message, 1)));
    lines.join("\n")
}
