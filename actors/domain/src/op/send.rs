//! Sending: a message or a status, to one member or to all.

mod task;

use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

use crate::callsign::ALL;
use crate::channel::{Channel, Consumer, Effects, Member, OpenRead};
use crate::entry::{Entry, TaskMark};
use crate::ids::{AccountId, MemberNo, MessageId, SessionId};
use crate::message::state::MemberState;
use crate::message::task::TaskReference;
use crate::message::{Kind, Message, Priority, is_default_priority, is_message};
use crate::op::draft::NewState;
use crate::op::{Draft, Operation, TasksForYou};
use crate::refusal::{Code, Quota, Refusal};
use crate::settings::Retention;
use crate::transcript::{TranscriptEvent, TranscriptLine};
use crate::{Now, limits, schema};

pub(crate) use task::task_not_found;
use task::{Addressed, mark_json};

/// Sends a message or a status.
#[derive(Clone, Debug)]
pub struct Send {
    /// The sender's session.
    pub session: SessionId,
    /// The validated message.
    pub draft: Box<Draft>,
}

/// The message that was sent.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SendReply {
    /// Always true.
    pub ok: bool,
    /// The message's id.
    #[schema(value_type = u64)]
    pub id: MessageId,
    /// When it was sent, in milliseconds since the epoch.
    pub at: u64,
    /// True for a DM whose recipient is offline: it is held until the recipient reads it.
    pub queued: bool,
    /// The recipient's callsign, or `all`.
    pub to: String,
    /// Present for a status.
    #[serde(skip_serializing_if = "is_message")]
    pub kind: Kind,
    /// Present if it is not `default`.
    #[serde(skip_serializing_if = "is_default_priority")]
    pub priority: Priority,
    /// Present if there are any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(schema_with = schema::suggested_replies_sent)]
    pub suggested_replies: Vec<String>,
    /// The id of the message it replies to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>, nullable = false)]
    pub reply_to: Option<MessageId>,
    /// The name of the thread it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 64)]
    pub thread: Option<String>,
    /// Present if this send repeats an earlier one: this is the first reply.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub duplicate: bool,
    /// Present on a durable channel: the message is on disk.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    pub durable: bool,
    /// The task that it opened or replied to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub task: Option<TaskReference>,
    /// A DM to another member: how it can be reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub recipient: Option<RecipientPresence>,
    /// Your own unread messages, counted up to 100.
    pub unread: usize,
    /// Present if there are tasks for you.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub tasks: Option<TasksForYou>,
    /// How many sends are left in the rate window, if sends are limited.
    #[serde(skip)]
    pub quota: Option<Quota>,
}

/// How the recipient of a DM can be reached, right after the send.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RecipientPresence {
    /// What it has open to read with, or had when the message arrived. Null if it had nothing open.
    #[schema(schema_with = schema::open_read, required)]
    pub reads: Option<OpenRead>,
    /// Whether a webhook of its account posts DMs to it, and its last attempt did not fail.
    pub hook: bool,
    /// When it was last active, in milliseconds since the epoch.
    pub last_seen_at: u64,
    /// What it says it is doing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub state: Option<MemberState>,
    /// Until when, in milliseconds since the epoch. It may be over.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub until: Option<u64>,
    /// How many messages have not been delivered to any of its consumers, counted up to 100. If DMs are private, only broadcasts and your
    /// own DMs count.
    pub unread: usize,
    /// The age of the oldest unread message. Absent if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub oldest_unread_seconds: Option<u64>,
    /// The account that owns its identity, by which the driver determines `hook`.
    #[serde(skip)]
    pub account: Option<AccountId>,
}

impl RecipientPresence {
    fn of(channel: &Channel, to: &str, id: MessageId, sender: MemberNo, now: Now) -> Option<Self> {
        let recipient = channel.member_named(to).filter(|member| member.no != sender)?;
        let presence = channel.presence_of(recipient, Some(sender), now);
        // The poll that took the message does not wait any more.
        let took = |consumer: &Consumer| consumer.is_busy(id, now.uptime_ms);
        Some(Self {
            reads: presence.reads.or_else(|| recipient.consumers.iter().any(took).then_some(OpenRead::Poll)),
            hook: false,
            last_seen_at: presence.seen_at_ms,
            state: recipient.stated().map(|stated| stated.state),
            until: recipient.stated().and_then(|stated| stated.until_ms),
            unread: presence.unread.count,
            oldest_unread_seconds: presence.unread.oldest_seconds(now),
            account: recipient.identity.as_ref().map(|identity| identity.account.clone()),
        })
    }
}

impl Operation for Send {
    type Reply = SendReply;
    const ASSIGNS_IDS: bool = true;

    fn decide(&self, channel: &Channel, now: Now) -> Result<Vec<Entry>, Refusal> {
        let sender = &channel.members[&channel.sessions.member(&self.session, now.uptime_ms)?];
        if self.is_duplicate(sender, now)? || self.same_question(channel, sender.no).is_some() {
            return Ok(Vec::new());
        }
        let quota = sender.send_window.quota(channel.sends_per_minute(), now);
        check_quota(quota, now)?;
        let sent = self.entry(channel, sender, now).map_err(|refusal| Refusal { quota, ..refusal })?;
        let stated = self.draft.states().map(|NewState { state, until_ms }| Entry::Stated {
            no: sender.no,
            state,
            until_ms: until_ms.map(|until_ms| now.at_ms + until_ms),
        });
        Ok(std::iter::once(sent).chain(stated).collect())
    }

    fn transcript(&self, channel: &Channel, entries: &[Entry], _: Now) -> Vec<TranscriptLine> {
        let Some(Entry::Sent { message, to, .. }) = entries.first() else { return Vec::new() };
        let Some(sender) = channel.member(message.from).filter(|_| message.kind == Kind::Message) else {
            return Vec::new();
        };
        let (ts, from, text) = (message.at_ms, sender.callsign.as_str(), self.draft.text.as_str());
        let verified = sender.verified();
        let event = match channel.settings.retention {
            Retention::Metadata => TranscriptEvent::MessageMeta { ts, from, to, bytes: text.encode_utf16().count() },
            Retention::Full => TranscriptEvent::Message { ts, from, to, text, verified },
            Retention::Prompts if !sender.has_sent => TranscriptEvent::Message { ts, from, to, text, verified },
            Retention::None | Retention::Prompts => return Vec::new(),
        };
        vec![event.line(message.to.map(|to| (message.from, to)))]
    }

    fn answer(self, channel: &mut Channel, entries: &[Entry], now: Now, _: &mut Effects) -> SendReply {
        let limit = channel.sends_per_minute();
        let no = channel.touch(&self.session, now).unwrap_or_default();
        let (id, at, queued, to) = match entries.first() {
            Some(Entry::Sent { message, to, .. }) => {
                let away = message.to.filter(|to| *to != no).and_then(|to| channel.member(to));
                (message.id, message.at_ms, away.is_some_and(|m| !m.is_live()), to.to_string())
            }
            _ => self.first_reply(channel, no, now),
        };
        let unread = channel.unread(no, now);
        let task = self.reference(channel, no, id);
        let recipient = RecipientPresence::of(channel, &to, id, no, now);
        let tasks = channel.tasks_for_you(no);
        let quota = channel.members.get_mut(&no).and_then(|sender| {
            if entries.len() > 1 {
                sender.set_note(&self.draft.text);
            }
            if !entries.is_empty() && limit.is_some() {
                sender.send_window.count(limit, now);
            }
            sender.send_window.quota(limit, now)
        });
        let Draft { kind, priority, suggested_replies, reply_to, thread, .. } = *self.draft;
        let queued = queued && kind == Kind::Message;
        let duplicate = entries.is_empty();
        SendReply {
            ok: true,
            id,
            at,
            queued,
            to,
            kind,
            priority,
            suggested_replies,
            reply_to,
            thread,
            duplicate,
            durable: kind == Kind::Message && channel.settings.is_durable(),
            task,
            recipient,
            unread,
            tasks,
            quota,
        }
    }
}

impl Send {
    /// Whether the send repeats an earlier one with the same idempotency key.
    fn is_duplicate(&self, sender: &Member, now: Now) -> Result<bool, Refusal> {
        let Some(key) = &self.draft.key else { return Ok(false) };
        match sender.idempotency.get(&key.key, now) {
            None => Ok(false),
            Some(first) if first.body_hash == key.body_hash => Ok(true),
            Some(_) => Err(Refusal::new(Code::IdempotencyConflict, "this idempotency key was used with another body")
                .hint("repeat the original body to get its reply, or use a new key")),
        }
    }

    fn first_reply(&self, channel: &Channel, no: u32, now: Now) -> (MessageId, u64, bool, String) {
        let key = self.draft.key.as_ref();
        let first = key.and_then(|key| channel.member(no)?.idempotency.get(&key.key, now));
        if let Some(first) = first {
            return (first.id, first.at_ms, first.queued, first.to.to_string());
        }
        self.same_question(channel, no).map_or((0, 0, false, String::new()), |task| {
            let at_ms = task.question.message.as_ref().map_or(0, |message| message.at_ms);
            (task.id(), at_ms, false, task.to.as_ref().map_or(ALL, |to| to.callsign.as_str()).to_owned())
        })
    }

    fn entry(&self, channel: &Channel, sender: &Member, now: Now) -> Result<Entry, Refusal> {
        let Addressed { recipient, mark } = self.addressed(channel, sender, now)?;
        let mark_ref = mark.as_deref();
        let to = recipient.map_or(ALL, |m| m.callsign.as_str());
        let verified = sender.verified();
        let mut json = self.draft.to_json(channel.next_id(now), now.at_ms, sender.callsign.as_str(), to, verified);
        mark_json(&mut json, mark_ref);
        // Quiet work is addressed to its sender in the ring: nobody reads it there, and its eviction makes no gap.
        let is_quiet = matches!(mark_ref, Some(TaskMark::Opens { quiet: true, .. }));
        let message = Message::new(&json, sender.no, if is_quiet { Some(sender.no) } else { recipient.map(|m| m.no) });
        Self::check_kept_bytes(channel, mark_ref, message.weight_bytes())?;
        let recipient = recipient.filter(|m| m.no != sender.no && self.draft.kind == Kind::Message);
        if let Some(recipient) = recipient.filter(|_| !self.needs_no_mailbox(mark_ref)) {
            check_held_capacity(channel, recipient, message.weight_bytes())?;
        }
        Ok(Entry::Sent { message: Arc::new(message), to: to.into(), key: self.draft.key.clone(), task: mark })
    }
}

fn check_quota(quota: Option<Quota>, now: Now) -> Result<(), Refusal> {
    match quota {
        Some(quota) if quota.remaining == 0 => {
            let wait_ms = quota.reset_at_ms.saturating_sub(now.at_ms).max(1);
            let text = format!("rate limit exceeded ({} sends per minute per session)", quota.limit);
            let refusal = Refusal::new(Code::RateLimited, text).retry_after_ms(wait_ms);
            Err(Refusal { quota: Some(quota), ..refusal })
        }
        _ => Ok(()),
    }
}

/// Refuses a DM that exceeds the bounds of its recipient. A held DM is never dropped to make space.
fn check_held_capacity(channel: &Channel, recipient: &Member, bytes: usize) -> Result<(), Refusal> {
    if recipient.held.has_capacity_for(bytes) && channel.held_bytes + bytes <= limits::HELD_CHANNEL_BYTES {
        return Ok(());
    }
    Err(Refusal::new(Code::MailboxFull, format!("`{}` has too many undelivered messages", recipient.callsign))
        .hint("nothing was sent: wait until the recipient has read its messages, or send to all"))
}

impl Channel {
    fn sends_per_minute(&self) -> Option<u32> {
        self.rules.sends_per_minute
    }
}

#[cfg(test)]
mod tests;
