//! The outbox: which delivery is tried when, how often, and what becomes of a hook that fails.
//!
//! A machine like the channel's: [`Outbox::decide`] looks at what happened and says the steps, [`Outbox::apply`] makes them
//! so and gives the orders. What is due lies in the log; here is only the head of each hook's queue. It never asks the
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
        Self { all: limits::HOOK_PARALLEL, failing: limits::HOOK_PARALLEL_FAILING }
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
    /// There is such a hook. What is due for it already is told as [`OutboxEvent::Woken`].
    Opened(HookId, Retry, HookHealth),
    /// There is no such hook any more.
    Closed(HookId),
    /// Something became due.
    Woken(HookId),
    /// The log was read: the next rows, and whether that was all.
    Fetched(HookId, Vec<DeliveryRow>, bool),
    /// The log could not be read.
    NotFetched(HookId),
    /// An attempt ended, after so many milliseconds.
    Ended(HookId, AttemptOutcome, u64),
}

/// What comes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutboxEntry {
    /// The hook is served from now on.
    Open(HookId, Retry, HookHealth),
    /// It is not.
    Close(HookId),
    /// There may be more in the log than was read.
    Expect(HookId),
    /// These rows are next. The last says whether there was nothing more.
    Queue(HookId, Vec<DeliveryRow>, bool),
    /// The log is asked again later.
    AskLater(HookId),
    /// An attempt that was none: the delivery is tried again later.
    PutBack(HookId),
    /// The attempt failed, and the delivery is tried again.
    Again(HookId, DeliveryRow),
    /// The delivery is done, well or not; how the hook stands now.
    Done(HookId, DeliveryRow, HookHealth),
}

/// What somebody must do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutboxEffect {
    /// Read what is due for a hook after a row, and tell it as [`OutboxEvent::Fetched`].
    Fetch(HookId, u64),
    /// Post this row, and tell it as [`OutboxEvent::Ended`]. Where it is the first attempt, keep the row before.
    Post(HookId, DeliveryRow, bool),
    /// Keep a row as it is now.
    Keep(HookId, DeliveryRow),
    /// Keep how a hook stands.
    Tell(HookId, HookHealth),
}

/// The outbox of a hub.
#[derive(Debug, Default)]
pub struct Outbox {
    parallel: Concurrency,
    lanes: HashMap<HookId, HookQueue>,
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
    pub fn new(parallel: Concurrency) -> Self {
        Self { parallel, ..Self::default() }
    }

    /// Lets something happen: decides and applies.
    pub fn run(&mut self, happening: OutboxEvent, now: Now, orders: &mut Vec<OutboxEffect>) {
        for step in self.decide(happening, now) {
            self.apply(step, now, orders);
        }
        self.serve(now, orders);
    }

    /// Makes a step so.
    pub fn apply(&mut self, step: OutboxEntry, now: Now, orders: &mut Vec<OutboxEffect>) {
        match step {
            OutboxEntry::Open(hook, retry, standing) => {
                self.lanes.insert(hook, HookQueue::new(retry, standing));
            }
            OutboxEntry::Close(hook) => self.close(&hook),
            OutboxEntry::Expect(hook) => {
                if let Some(lane) = self.lanes.get_mut(&hook) {
                    lane.may_have_more = true;
                    lane.woken_again |= lane.is_fetching;
                }
                self.go_on(&hook, now, orders);
            }
            OutboxEntry::Queue(hook, rows, is_all) => {
                if let Some(lane) = self.lanes.get_mut(&hook) {
                    lane.fetched(rows, is_all, now);
                }
                self.go_on(&hook, now, orders);
            }
            OutboxEntry::AskLater(hook) => {
                if let Some(lane) = self.lanes.get_mut(&hook) {
                    lane.is_fetching = false;
                    self.alarms.insert((now.uptime_ms + RETRY_MS, hook));
                }
            }
            OutboxEntry::PutBack(hook) => {
                self.ended(&hook);
                if let Some(lane) = self.lanes.get_mut(&hook) {
                    lane.put_back(now.uptime_ms + RETRY_MS);
                }
                self.go_on(&hook, now, orders);
            }
            OutboxEntry::Again(hook, row) => {
                self.ended(&hook);
                orders.push(OutboxEffect::Keep(hook.clone(), row.clone()));
                if let Some(lane) = self.lanes.get_mut(&hook) {
                    lane.is_failing = true;
                    lane.put_head(row, now);
                }
                self.go_on(&hook, now, orders);
            }
            OutboxEntry::Done(hook, row, standing) => self.done(&hook, row, standing, now, orders),
        }
    }

    fn done(
        &mut self,
        hook: &HookId,
        row: DeliveryRow,
        standing: HookHealth,
        now: Now,
        orders: &mut Vec<OutboxEffect>,
    ) {
        self.ended(hook);
        orders.push(OutboxEffect::Keep(hook.clone(), row));
        if let Some(lane) = self.lanes.get_mut(hook) {
            lane.queue.pop_front();
            lane.aim(now);
            lane.is_failing = standing.failures > 0;
            if lane.standing != standing {
                lane.standing = standing;
                orders.push(OutboxEffect::Tell(hook.clone(), standing));
            }
        }
        self.go_on(hook, now, orders);
    }

    fn close(&mut self, hook: &HookId) {
        // An attempt under way goes on, and is counted until it ends.
        let Some(lane) = self.lanes.get_mut(hook) else { return };
        if lane.is_posting {
            lane.is_closed = true;
            lane.queue.clear();
        } else {
            self.lanes.remove(hook);
        }
    }

    /// An attempt is over.
    fn ended(&mut self, hook: &HookId) {
        let Some(lane) = self.lanes.get_mut(hook).filter(|lane| lane.is_posting) else { return };
        lane.is_posting = false;
        self.posting -= 1;
        self.posting_failing -= usize::from(lane.posts_as_failing);
        if lane.is_closed {
            self.lanes.remove(hook);
        }
    }

    /// Sees to what a hook needs next: rows from the log, its turn, or an alarm.
    fn go_on(&mut self, hook: &HookId, now: Now, orders: &mut Vec<OutboxEffect>) {
        let Some(lane) = self.lanes.get_mut(hook) else { return };
        if lane.is_closed || lane.is_posting || lane.is_ready {
            return;
        }
        if lane.queue.is_empty() {
            if lane.may_have_more && !lane.is_fetching {
                lane.is_fetching = true;
                orders.push(OutboxEffect::Fetch(hook.clone(), lane.after));
            }
        } else if lane.due_ms <= now.uptime_ms {
            lane.is_ready = true;
            let line = if lane.is_failing { &mut self.ready_failing } else { &mut self.ready };
            line.push_back(hook.clone());
        } else {
            self.alarms.insert((lane.due_ms, hook.clone()));
        }
    }

    /// Begins attempts while there is room for them.
    fn serve(&mut self, now: Now, orders: &mut Vec<OutboxEffect>) {
        while self.posting < self.parallel.all {
            let Some(hook) = self.next_in_line() else { return };
            let Some(lane) = self.lanes.get_mut(&hook) else { continue };
            if !std::mem::take(&mut lane.is_ready) {
                continue;
            }
            let Some((row, is_first)) = lane.begin(now) else {
                self.go_on(&hook, now, orders);
                continue;
            };
            self.posting += 1;
            self.posting_failing += usize::from(lane.posts_as_failing);
            orders.push(OutboxEffect::Post(hook, row, is_first));
        }
    }

    fn next_in_line(&mut self) -> Option<HookId> {
        let may_fail = self.posting_failing < self.parallel.failing;
        self.ready.pop_front().or_else(|| may_fail.then(|| self.ready_failing.pop_front()).flatten())
    }

    /// Lets time pass.
    pub fn tick(&mut self, now: Now, orders: &mut Vec<OutboxEffect>) {
        while let Some((at_ms, hook)) = self.alarms.first().cloned() {
            if at_ms > now.uptime_ms {
                break;
            }
            self.alarms.remove(&(at_ms, hook.clone()));
            self.go_on(&hook, now, orders);
        }
        self.serve(now, orders);
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
    pub fn standing(&self, hook: &HookId) -> Option<HookHealth> {
        self.lanes.get(hook).filter(|lane| !lane.is_closed).map(|lane| lane.standing)
    }
}
