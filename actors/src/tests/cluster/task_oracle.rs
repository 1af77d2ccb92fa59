//! The oracle's account of tasks: who was given which fence and until when, and whose results count.

use std::collections::{BTreeMap, BTreeSet};

use rogerrat_domain::{ChannelId, MessageId, TaskRow, TaskState, Wants};

/// Who has a task or answers it, and with which fence; an answer has none, which is 0.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct By {
    pub(super) who: String,
    pub(super) fence: u32,
}

/// What was posted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Posted {
    pub(super) wants: Wants,
    /// How many answers close it.
    pub(super) answers: usize,
    /// The fence of the owner of its channel before it was posted.
    pub(super) owned_by: u64,
}

/// What is known of a task.
#[derive(Debug, Default)]
struct Known {
    /// None if its sender does not know its id.
    posted: Option<Posted>,
    /// Who was given each fence.
    takings: BTreeMap<u32, String>,
    /// Who has it, and until when nobody else can.
    holder: Option<(String, u64)>,
    accepted: BTreeSet<By>,
    /// Results whose outcome is unknown.
    pending: BTreeSet<By>,
}

/// What happened to tasks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct TaskTotals {
    pub(super) posted: u64,
    pub(super) taken: u64,
    pub(super) renewed: u64,
    pub(super) finished: u64,
    pub(super) answered: u64,
    /// Answers that an ask returned.
    pub(super) returned: u64,
    pub(super) refused: u64,
    pub(super) lost_in_memory: u64,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct TaskOracle {
    tasks: BTreeMap<(ChannelId, MessageId), Known>,
    pub(super) totals: TaskTotals,
}

/// The text of a result. No two have the same.
pub(super) fn result_text(id: MessageId, by: &By) -> String {
    format!("{} finishes {id} with {}", by.who, by.fence)
}

impl TaskTotals {
    pub(super) fn add(&mut self, other: &Self) {
        self.posted += other.posted;
        self.taken += other.taken;
        self.renewed += other.renewed;
        self.finished += other.finished;
        self.answered += other.answered;
        self.returned += other.returned;
        self.refused += other.refused;
        self.lost_in_memory += other.lost_in_memory;
    }

    /// Whether each of them happened.
    pub(super) fn covers_everything(&self) -> bool {
        let Self { posted, taken, renewed, finished, answered, returned, refused, lost_in_memory } = *self;
        [posted, taken, renewed, finished, answered, returned, refused, lost_in_memory].iter().all(|n| *n > 0)
    }
}

impl TaskOracle {
    fn task(&mut self, channel: &ChannelId, id: MessageId) -> &mut Known {
        self.tasks.entry((channel.clone(), id)).or_default()
    }

    /// A post was acknowledged.
    pub(super) fn posted_as(&mut self, channel: &ChannelId, id: MessageId, posted: Posted) -> Option<String> {
        self.totals.posted += 1;
        // A worker may have been given it before.
        let before = self.task(channel, id).posted.replace(posted);
        before.map(|_| format!("{channel}: the id {id} is of two tasks"))
    }

    /// The tasks that were posted on a channel.
    pub(super) fn posted(&self, channel: &ChannelId) -> Vec<MessageId> {
        let of = self.tasks.iter().filter(|((of, _), task)| of == channel && task.posted.is_some());
        of.map(|((_, id), _)| *id).collect()
    }

    /// The fence of the owner of the channel before a task was posted.
    pub(super) fn owned_by(&self, channel: &ChannelId, id: MessageId) -> Option<u64> {
        Some(self.tasks.get(&(channel.clone(), id))?.posted?.owned_by)
    }

    /// The highest fence that anybody was given.
    pub(super) fn highest_fence(&self, channel: &ChannelId, id: MessageId) -> u32 {
        let task = self.tasks.get(&(channel.clone(), id));
        task.and_then(|task| task.takings.keys().next_back().copied()).unwrap_or(0)
    }

    /// A member was given a task, now. `until` is when its lease ends at the earliest, and `known` the highest fence when it
    /// asked.
    pub(super) fn taken(
        &mut self,
        channel: &ChannelId,
        id: MessageId,
        by: &By,
        (now, until): (u64, u64),
        known: u32,
    ) -> Option<String> {
        self.totals.taken += 1;
        let task = self.task(channel, id);
        let before = task.takings.insert(by.fence, by.who.clone());
        if let Some(before) = before {
            return Some(format!("{channel}: fence {} of {id} was given to {before} and to {}", by.fence, by.who));
        }
        if by.fence <= known {
            return Some(format!("{channel}: {id} was given to {by:?} after fence {known}"));
        }
        // An answer that a frozen hub sends late may arrive when others have had the task since.
        let later = task.takings.range(by.fence + 1..).find(|(_, who)| **who != by.who);
        if let Some((fence, who)) = later {
            let is_running = now < until;
            return is_running
                .then(|| format!("{channel}: {id} was given to {by:?}, but {who} has had it with {fence}"));
        }
        let holder = task.holder.replace((by.who.clone(), until));
        if let Some((holder, _)) = holder.filter(|(who, until)| *who != by.who && now < *until) {
            return Some(format!("{channel}: {id} was given to {by:?} while {holder} has it"));
        }
        let finished = task.accepted.iter().find(|accepted| accepted.fence < by.fence)?;
        Some(format!("{channel}: {id} was given to {by:?} after {finished:?} had finished it"))
    }

    /// A lease was renewed. `known` is the highest fence when the renewal was sent.
    pub(super) fn renewed(
        &mut self,
        channel: &ChannelId,
        id: MessageId,
        by: &By,
        until: u64,
        known: u32,
    ) -> Option<String> {
        self.totals.renewed += 1;
        let task = self.task(channel, id);
        let is_last = task.takings.keys().next_back() == Some(&by.fence);
        if is_last && task.holder.is_some() {
            task.holder = Some((by.who.clone(), until));
        }
        (known > by.fence).then(|| format!("{channel}: the lease of {id} by {by:?} was renewed after fence {known}"))
    }

    /// A holder is about to give a task back.
    pub(super) fn gives_back(&mut self, channel: &ChannelId, id: MessageId) {
        self.task(channel, id).holder = None;
    }

    /// A result is about to be sent. Returns the highest fence that was given.
    pub(super) fn sends(&mut self, channel: &ChannelId, id: MessageId, by: &By) -> u32 {
        let task = self.task(channel, id);
        if !task.accepted.contains(by) {
            task.pending.insert(by.clone());
        }
        self.highest_fence(channel, id)
    }

    /// A result was accepted. `known` is the highest fence when it was sent.
    pub(super) fn accepted(&mut self, channel: &ChannelId, id: MessageId, by: &By, known: u32) -> Option<String> {
        let task = self.task(channel, id);
        task.pending.remove(by);
        let is_first = task.accepted.insert(by.clone());
        let others = task.accepted.len() - 1;
        if by.fence == 0 {
            let answers = task.posted.map(|posted| posted.answers);
            let is_over = answers.is_some_and(|answers| others >= answers);
            self.totals.answered += u64::from(is_first);
            return is_over.then(|| format!("{channel}: {id} has more answers than it wanted: {by:?}"));
        }
        if others > 0 {
            return Some(format!("{channel}: {id} was finished by {:?}", task.accepted));
        }
        self.totals.finished += u64::from(is_first);
        (known > by.fence && is_first).then(|| format!("{channel}: {by:?} finished {id}, whose fence was {known}"))
    }

    /// A result was refused.
    pub(super) fn refused(&mut self, channel: &ChannelId, id: MessageId, by: &By) -> Option<String> {
        self.totals.refused += 1;
        let task = self.task(channel, id);
        task.pending.remove(by);
        task.accepted.contains(by).then(|| format!("{channel}: the result of {id} by {by:?} was refused later"))
    }

    /// What is wrong with a task as it is at the end.
    pub(super) fn check(&self, channel: &ChannelId, row: &TaskRow) -> Option<String> {
        let task = self.tasks.get(&(channel.clone(), row.id))?;
        let posted = task.posted?;
        let results: Vec<_> = row.answers.iter().map(|answer| text_of(answer.get())).collect();
        let texts = |of: &BTreeSet<By>| of.iter().map(|by| result_text(row.id, by)).collect::<BTreeSet<_>>();
        let (accepted, pending) = (texts(&task.accepted), texts(&task.pending));
        let has_all = accepted.iter().all(|text| results.contains(text));
        let are_known = results.iter().all(|text| accepted.contains(text) || pending.contains(text));
        let is_each_once = results.iter().collect::<BTreeSet<_>>().len() == results.len();
        let is_closed = row.state == TaskState::Done;
        let has_ended = if is_closed { results.len() == posted.answers } else { results.len() < posted.answers };
        let is_current = row.fence.unwrap_or(0) >= self.highest_fence(channel, row.id)
            && (posted.wants == Wants::Answer
                || results.iter().all(|text| text.ends_with(&format!(" with {}", row.fence.unwrap_or(0)))));
        let is_right = has_all && are_known && is_each_once && has_ended && is_current;
        (!is_right).then(|| format!("{channel}: after {task:?} the task is {row:?}"))
    }
}

/// The text of a message in JSON.
pub(super) fn text_of(json: &str) -> String {
    let message: serde_json::Value = serde_json::from_str(json).expect("messages are valid");
    message["text"].as_str().unwrap_or_default().to_owned()
}
