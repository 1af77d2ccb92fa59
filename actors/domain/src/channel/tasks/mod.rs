//! Tasks: messages that want something back, who has taken them, and what became of them.
//!
//! `table` is the table of states: who may do what. `apply` changes tasks by entries and by time, `waits` are the clients
//! that wait for a task, and `row` is a task as clients see it. A channel without tasks has only an empty box of them.

mod apply;
mod row;
mod table;
#[cfg(test)]
mod tests;
mod waits;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::callsign::Callsign;
use crate::channel::{ClaimState, Member, MessageSlot};
use crate::collections::StaticDefault;
use crate::delivery_token::DeliveryHandle;
use crate::entry::WhyClosed;
use crate::ids::{MemberNo, MessageId, WaiterId};
use crate::message::Message;
use crate::message::task::{TaskState, Wants};
use crate::serialize::is_zero;
use crate::{Now, limits};

pub use row::{AnswersFormat, TaskRow};
pub(crate) use table::{Verdict, closed as table_closed, judge, stale as table_stale, taken as table_taken};
pub use waits::{TaskReason, TaskResponse};
pub(crate) use waits::{TaskWait, WaitsFor};

/// A message that is kept with its task.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct KeptMessage {
    pub(crate) id: MessageId,
    bytes: usize,
    #[serde(skip)]
    pub(crate) message: Option<Arc<Message>>,
}

/// A member at an end of a task. The callsign is needed after the member is removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TaskEnd {
    pub(crate) no: MemberNo,
    pub(crate) callsign: Callsign,
}

/// A task. Its fields are stored in the snapshot.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Task {
    /// The message that opened it; its id is that of the task.
    pub(crate) question: KeptMessage,
    pub(crate) wants: Wants,
    pub(crate) from: TaskEnd,
    /// For whom it is; none for everybody but its poster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) to: Option<TaskEnd>,
    /// Whether it was sent to all, so that every member may see it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) public: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) quiet: bool,
    /// How many answers close it.
    answers_wanted: u32,
    pub(crate) state: TaskState,
    pub(crate) deadline_ms: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) holder: Option<TaskEnd>,
    /// How often it was taken.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) fence: u32,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) lease_ms: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) lease_until_ms: u64,
    /// Leases that ended without a result.
    #[serde(default, skip_serializing_if = "is_zero")]
    lost: u32,
    /// Who answered, in order, and whether one of them did what was wanted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    answered_by: Vec<MemberNo>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_any_done: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) answers: Vec<KeptMessage>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    why: Option<WhyClosed>,
    /// Different from that of every other task of the channel, so that pages of the board leave nothing out.
    pub(crate) updated_at_ms: u64,
    #[serde(with = "crate::digest")]
    words: [u8; 32],
}

/// The tasks of a channel, and the clients that wait for them.
#[derive(Debug)]
pub(crate) struct Tasks {
    rows: BTreeMap<MessageId, Task>,
    bytes: usize,
    /// The largest `updated_at_ms` so far.
    last_change_ms: u64,
    /// The uptime at which a lease or a task may end, or a closed one may be dropped.
    check_at_ms: u64,
    pub(crate) waits: BTreeMap<WaiterId, TaskWait>,
    /// Takings whose answers are on their way.
    pub(crate) takings: Vec<(DeliveryHandle, MessageId, u32)>,
}

impl Default for Tasks {
    fn default() -> Self {
        Self::new()
    }
}

impl StaticDefault for Tasks {
    fn static_default() -> &'static Self {
        static EMPTY: Tasks = Tasks::new();
        &EMPTY
    }

    fn is_default(&self) -> bool {
        self.rows.is_empty() && self.waits.is_empty() && self.takings.is_empty()
    }
}

impl KeptMessage {
    fn new(message: &Arc<Message>) -> Self {
        let body = message.has_body().then(|| message.clone());
        Self { id: message.id, bytes: message.weight_bytes(), message: body }
    }

    /// The message as it is held for a member.
    fn slot(&self) -> Option<MessageSlot> {
        self.message.as_ref().map(MessageSlot::new)
    }
}

impl Task {
    pub(crate) fn id(&self) -> MessageId {
        self.question.id
    }

    /// Whether it is for a member: it may take or answer it.
    pub(crate) fn is_for(&self, no: MemberNo) -> bool {
        self.from.no != no && self.to.as_ref().is_none_or(|to| to.no == no)
    }

    pub(crate) fn is_held_by(&self, no: MemberNo) -> bool {
        self.holder.as_ref().is_some_and(|holder| holder.no == no)
    }

    /// Whether a member may see it: its ends, and everybody if it was sent to all.
    pub(crate) fn is_visible_to(&self, no: MemberNo) -> bool {
        let is_end = |end: &TaskEnd| end.no == no;
        self.public || is_end(&self.from) || self.to.as_ref().is_some_and(is_end) || self.is_held_by(no)
    }

    /// Whether it can be taken by a member.
    pub(crate) fn is_free_for(&self, no: MemberNo, thread: Option<&str>) -> bool {
        let in_thread = || self.question.message.as_ref().and_then(|message| message.thread.as_deref());
        self.wants == Wants::Work
            && self.state == TaskState::Open
            && self.is_for(no)
            && (thread.is_none() || in_thread() == thread)
    }

    /// Whether it is a question that a member has not answered.
    pub(crate) fn awaits(&self, no: MemberNo) -> bool {
        self.wants == Wants::Answer && self.is_for(no) && !self.answered_by.contains(&no)
    }

    /// Whether a member may take or should answer it now.
    pub(crate) fn is_wanted_of(&self, no: MemberNo) -> bool {
        match self.wants {
            Wants::Work => self.is_free_for(no, None),
            Wants::Answer => !self.state.is_closed() && self.awaits(no),
        }
    }

    /// Whether the next result closes it.
    pub(crate) fn is_closed_by_next(&self) -> bool {
        self.wants == Wants::Work || self.answers.len() + 1 >= self.answers_wanted as usize
    }

    /// Who replies to a member: its poster, or whoever does it or is to do it.
    pub(crate) fn other_end(&self, no: MemberNo) -> Option<&TaskEnd> {
        if self.from.no == no { self.holder.as_ref().or(self.to.as_ref()) } else { Some(&self.from) }
    }

    /// The bytes of its messages.
    fn bytes(&self) -> usize {
        self.question.bytes + self.answers.iter().map(|answer| answer.bytes).sum::<usize>()
    }

    fn kept(&self) -> impl Iterator<Item = &KeptMessage> {
        std::iter::once(&self.question).chain(&self.answers)
    }

    fn kept_mut(&mut self) -> impl Iterator<Item = &mut KeptMessage> {
        std::iter::once(&mut self.question).chain(&mut self.answers)
    }

    /// When time changes it next, in milliseconds since the epoch.
    fn next_end_ms(&self) -> u64 {
        match self.state {
            TaskState::Held => self.lease_until_ms.min(self.deadline_ms),
            state if state.is_closed() => self.updated_at_ms.saturating_add(limits::TASK_KEEP_MS),
            _ => self.deadline_ms,
        }
    }
}

impl Tasks {
    const fn new() -> Self {
        Self {
            rows: BTreeMap::new(),
            bytes: 0,
            last_change_ms: 0,
            check_at_ms: u64::MAX,
            waits: BTreeMap::new(),
            takings: Vec::new(),
        }
    }

    pub(crate) fn get(&self, id: MessageId) -> Option<&Task> {
        self.rows.get(&id)
    }

    /// Whether there is no task.
    pub(crate) fn have_none(&self) -> bool {
        self.rows.is_empty()
    }

    /// Whether as many closed tasks are kept as may be, so that the oldest is dropped for the next one.
    pub(crate) fn keep_no_more_closed(&self) -> bool {
        self.iter().filter(|task| task.state.is_closed()).count() >= limits::TASKS_CLOSED
    }

    /// Whether a client waits, or the answer to a taking is on its way.
    pub(crate) fn are_waited_for(&self) -> bool {
        !self.waits.is_empty() || !self.takings.is_empty()
    }

    /// All tasks, oldest first.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Task> {
        self.rows.values()
    }

    pub(crate) fn open(&self) -> impl Iterator<Item = &Task> {
        self.iter().filter(|task| !task.state.is_closed())
    }

    /// The bytes of the messages of open tasks.
    pub(crate) fn open_bytes(&self) -> usize {
        self.open().map(Task::bytes).sum()
    }

    /// The question that a member has asked with the same words: one that is open, or whose answers the member has not
    /// received.
    pub(crate) fn same_question(&self, asker: &Member, words: &[u8; 32]) -> Option<&Task> {
        let is_unread = |kept: &KeptMessage| {
            let claim = asker.consumers[0].claim(kept.id);
            asker.held.contains(kept.id) || claim.is_some_and(|claim| claim.state != ClaimState::Done)
        };
        self.iter().rev().find(|task| {
            task.from.no == asker.no
                && task.wants == Wants::Answer
                && task.words == *words
                && (!task.state.is_closed() || task.answers.iter().any(is_unread))
        })
    }

    /// The uptime at which time must be applied to the tasks.
    pub(crate) fn check_at_ms(&self) -> u64 {
        self.check_at_ms
    }

    /// Makes sure that time is applied at a time, in milliseconds since the epoch.
    fn check_by(&mut self, at_ms: u64, now: Now) {
        let uptime_ms = now.uptime_ms.saturating_add(at_ms.saturating_sub(now.at_ms));
        self.check_at_ms = self.check_at_ms.min(uptime_ms);
    }

    /// The tasks for a snapshot.
    pub(super) fn snapshot(&self) -> Vec<Task> {
        self.rows.values().cloned().collect()
    }

    /// Restores the tasks of a snapshot.
    pub(super) fn restored(tasks: Vec<Task>, now: Now) -> Self {
        let mut restored = Self::new();
        for task in tasks {
            restored.check_by(task.next_end_ms(), now);
            restored.bytes += task.bytes();
            restored.last_change_ms = restored.last_change_ms.max(task.updated_at_ms);
            restored.rows.insert(task.id(), task);
        }
        restored
    }

    /// The messages whose bodies are not in memory, after a replay.
    pub(super) fn missing_bodies(&self) -> impl Iterator<Item = MessageId> {
        let kept = self.rows.values().flat_map(Task::kept);
        kept.filter(|kept| kept.message.is_none()).map(|kept| kept.id)
    }

    /// Adds the body of a message.
    pub(super) fn fill(&mut self, message: &Arc<Message>) {
        // A reply belongs to an older task.
        let tasks = self.rows.range_mut(..=message.id).map(|(_, task)| task);
        tasks.flat_map(Task::kept_mut).filter(|kept| kept.id == message.id).for_each(|kept| {
            kept.message = Some(message.clone());
        });
    }

    /// The ids of all messages that are kept.
    pub(super) fn kept_ids(tasks: &[Task]) -> impl Iterator<Item = MessageId> {
        tasks.iter().flat_map(Task::kept).map(|kept| kept.id)
    }
}
