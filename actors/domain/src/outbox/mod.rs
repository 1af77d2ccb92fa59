//! The outbox: which delivery is tried when, how often, and what becomes of a hook that fails.
//!
//! A machine like the channel's: [`Outbox::decide`] looks at what happened and says the steps, [`Outbox::apply`] makes them
//! so and gives the effects. What is due lies in the log; here is only the head of each hook's queue. It never asks the
//! time, and posts nothing itself.

mod decide;
mod hook_queue;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap, VecDeque};

use hook_queue::HookQueue;

use crate::webhook::{AttemptOutcome, DeliveryRow, HookId, Retry};
use crate::{Now, limits};

/// How many attempts may be under way at once.
#[derive(Clone, Copy, Debug)]
pub struct Concurrency {
    /// In all.
    pub all: usize,
    /// For hooks whose last attempt failed.
    pub failing: usize,
}

impl Default for Concurrency {
    fn default() -> Self {
        Self { all: limits::HOOK_CONCURRENCY, failing: limits::HOOK_CONCURRENCY_FAILING }
    }
}

/// How it stands with a hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HookHealth {
    /// Deliveries that failed since the last one that did not.
    pub failures: u32,
    /// When it was switched off, in milliseconds since the epoch.
    pub off_ms: Option<u64>,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum OutboxEvent {
    /// There is such a hook. What is due for it already is told as [`OutboxEvent::DeliveriesAdded`].
    HookAdded(HookId, Retry, HookHealth),
    /// There is no such hook any more.
    HookRemoved(HookId),
    /// Something became due.
    DeliveriesAdded(HookId),
    /// The log was read: the next rows, and whether that was all.
    Fetched(HookId, Vec<DeliveryRow>, bool),
    /// The log could not be read.
    FetchFailed(HookId),
    /// An attempt ended, after so many milliseconds.
    AttemptEnded(HookId, AttemptOutcome, u64),
}

/// What comes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutboxEntry {
    /// The hook is served from now on.
    AddHook(HookId, Retry, HookHealth),
    /// It is not.
    RemoveHook(HookId),
    /// There may be more in the log than was read.
    ExpectRows(HookId),
    /// These rows are next. The last says whether there was nothing more.
    AppendRows(HookId, Vec<DeliveryRow>, bool),
    /// The log is asked again later.
    FetchLater(HookId),
    /// An attempt that was none: the delivery is tried again later.
    Requeue(HookId),
    /// The attempt failed, and the delivery is tried again.
    Retry(HookId, DeliveryRow),
    /// The delivery is done, well or not; how the hook stands now.
    Finish(HookId, DeliveryRow, HookHealth),
}

/// What somebody must do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutboxEffect {
    /// Read what is due for a hook after a row, and tell it as [`OutboxEvent::Fetched`].
    Fetch(HookId, u64),
    /// Post this row, and tell it as [`OutboxEvent::AttemptEnded`]. Where it is the first attempt, keep the row before.
    Send(HookId, DeliveryRow, bool),
    /// Keep a row as it is now.
    SaveDelivery(HookId, DeliveryRow),
    /// Keep how a hook stands.
    SaveHealth(HookId, HookHealth),
}

/// The outbox of a hub.
#[derive(Debug, Default)]
pub struct Outbox {
    concurrency: Concurrency,
    queues: HashMap<HookId, HookQueue>,
    /// Hooks whose head is due, in the order in which it became so; those that fail apart.
    ready: VecDeque<HookId>,
    ready_failing: VecDeque<HookId>,
    /// Hooks that wait for a time, in milliseconds of uptime.
    alarms: BTreeSet<(u64, HookId)>,
    posting: usize,
    posting_failing: usize,
}

/// How soon something that could not be begun is tried again.
const RETRY_MS: u64 = 1000;

impl Outbox {
    /// An empty outbox.
    #[must_use]
    pub fn new(concurrency: Concurrency) -> Self {
        Self { concurrency, ..Self::default() }
    }

    /// Lets something happen: decides and applies.
    pub fn run(&mut self, event: OutboxEvent, now: Now, effects: &mut Vec<OutboxEffect>) {
        for entry in self.decide(event, now) {
            self.apply(entry, now, effects);
        }
        self.serve(now, effects);
    }

    /// Makes a entry so.
    pub fn apply(&mut self, entry: OutboxEntry, now: Now, effects: &mut Vec<OutboxEffect>) {
        match entry {
            OutboxEntry::AddHook(hook, retry, health) => {
                self.queues.insert(hook, HookQueue::new(retry, health));
            }
            OutboxEntry::RemoveHook(hook) => self.close(&hook),
            OutboxEntry::ExpectRows(hook) => {
                if let Some(queue) = self.queues.get_mut(&hook) {
                    queue.may_have_more = true;
                    queue.fetch_again |= queue.is_fetching;
                }
                self.advance(&hook, now, effects);
            }
            OutboxEntry::AppendRows(hook, rows, is_all) => {
                if let Some(queue) = self.queues.get_mut(&hook) {
                    queue.fetched(rows, is_all, now);
                }
                self.advance(&hook, now, effects);
            }
            OutboxEntry::FetchLater(hook) => {
                if let Some(queue) = self.queues.get_mut(&hook) {
                    queue.is_fetching = false;
                    self.alarms.insert((now.uptime_ms + RETRY_MS, hook));
                }
            }
            OutboxEntry::Requeue(hook) => {
                self.ended(&hook);
                if let Some(queue) = self.queues.get_mut(&hook) {
                    queue.requeue_head(now.uptime_ms + RETRY_MS);
                }
                self.advance(&hook, now, effects);
            }
            OutboxEntry::Retry(hook, row) => {
                self.ended(&hook);
                effects.push(OutboxEffect::SaveDelivery(hook.clone(), row.clone()));
                if let Some(queue) = self.queues.get_mut(&hook) {
                    queue.is_failing = true;
                    queue.replace_head(row, now);
                }
                self.advance(&hook, now, effects);
            }
            OutboxEntry::Finish(hook, row, health) => self.done(&hook, row, health, now, effects),
        }
    }

    fn done(&mut self, hook: &HookId, row: DeliveryRow, health: HookHealth, now: Now, effects: &mut Vec<OutboxEffect>) {
        self.ended(hook);
        effects.push(OutboxEffect::SaveDelivery(hook.clone(), row));
        if let Some(queue) = self.queues.get_mut(hook) {
            queue.rows.pop_front();
            queue.schedule_head(now);
            queue.is_failing = health.failures > 0;
            if queue.health != health {
                queue.health = health;
                effects.push(OutboxEffect::SaveHealth(hook.clone(), health));
            }
        }
        self.advance(hook, now, effects);
    }

    fn close(&mut self, hook: &HookId) {
        // An attempt under way goes on, and is counted until it ends.
        let Some(queue) = self.queues.get_mut(hook) else { return };
        if queue.is_posting {
            queue.is_closed = true;
            queue.rows.clear();
        } else {
            self.queues.remove(hook);
        }
    }

    /// An attempt is over.
    fn ended(&mut self, hook: &HookId) {
        let Some(queue) = self.queues.get_mut(hook).filter(|queue| queue.is_posting) else { return };
        queue.is_posting = false;
        self.posting -= 1;
        self.posting_failing -= usize::from(queue.counts_as_failing);
        if queue.is_closed {
            self.queues.remove(hook);
        }
    }

    /// Sees to what a hook needs next: rows from the log, its turn, or an alarm.
    fn advance(&mut self, hook: &HookId, now: Now, effects: &mut Vec<OutboxEffect>) {
        let Some(queue) = self.queues.get_mut(hook) else { return };
        if queue.is_closed || queue.is_posting || queue.is_ready {
            return;
        }
        if queue.rows.is_empty() {
            if queue.may_have_more && !queue.is_fetching {
                queue.is_fetching = true;
                effects.push(OutboxEffect::Fetch(hook.clone(), queue.after));
            }
        } else if queue.due_ms <= now.uptime_ms {
            queue.is_ready = true;
            let line = if queue.is_failing { &mut self.ready_failing } else { &mut self.ready };
            line.push_back(hook.clone());
        } else {
            self.alarms.insert((queue.due_ms, hook.clone()));
        }
    }

    /// Begins attempts while there is room for them.
    fn serve(&mut self, now: Now, effects: &mut Vec<OutboxEffect>) {
        while self.posting < self.concurrency.all {
            let Some(hook) = self.next_ready() else { return };
            let Some(queue) = self.queues.get_mut(&hook) else { continue };
            if !std::mem::take(&mut queue.is_ready) {
                continue;
            }
            let Some((row, is_first)) = queue.begin(now) else {
                self.advance(&hook, now, effects);
                continue;
            };
            self.posting += 1;
            self.posting_failing += usize::from(queue.counts_as_failing);
            effects.push(OutboxEffect::Send(hook, row, is_first));
        }
    }

    fn next_ready(&mut self) -> Option<HookId> {
        let may_fail = self.posting_failing < self.concurrency.failing;
        self.ready.pop_front().or_else(|| may_fail.then(|| self.ready_failing.pop_front()).flatten())
    }

    /// Lets time pass.
    pub fn tick(&mut self, now: Now, effects: &mut Vec<OutboxEffect>) {
        while let Some((at_ms, hook)) = self.alarms.first().cloned() {
            if at_ms > now.uptime_ms {
                break;
            }
            self.alarms.remove(&(at_ms, hook.clone()));
            self.advance(&hook, now, effects);
        }
        self.serve(now, effects);
    }

    /// When [`tick`](Self::tick) is to be called next, in milliseconds of uptime.
    #[must_use]
    pub fn next_deadline_ms(&self) -> Option<u64> {
        self.alarms.first().map(|(at_ms, _)| *at_ms)
    }

    /// Attempts under way.
    #[must_use]
    pub fn posting(&self) -> usize {
        self.posting
    }

    /// How a hook stands; none where it is not served.
    #[must_use]
    pub fn health(&self, hook: &HookId) -> Option<HookHealth> {
        self.queues.get(hook).filter(|queue| !queue.is_closed).map(|queue| queue.health)
    }
}
