//! The outbox: when each webhook delivery is attempted, how often, and when a failing webhook is switched off.
//!
//! A pure state machine like the channel: [`Outbox::decide`] maps an event to entries, and [`Outbox::apply`] applies an
//! entry and emits effects. The deliveries are stored in the log; the outbox holds the head of each webhook's queue. It has
//! no clock and sends nothing itself.

mod decide;
mod hook_queue;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap, VecDeque};

use hook_queue::HookQueue;

use crate::webhook::{AttemptOutcome, DeliveryRow, Hook, HookId, Retry};
use crate::{Now, limits};

/// How many attempts may run at once.
#[derive(Clone, Copy, Debug)]
pub struct Concurrency {
    /// In total.
    pub all: usize,
    /// For webhooks whose last attempt failed.
    pub failing: usize,
}

impl Default for Concurrency {
    fn default() -> Self {
        Self { all: limits::HOOK_CONCURRENCY, failing: limits::HOOK_CONCURRENCY_FAILING }
    }
}

/// How a failed delivery is retried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryPlan {
    /// As the webhook's owner chose.
    Webhook(Retry),
    /// Four retries within a minute. The push service retries for longer.
    Push,
}

impl RetryPlan {
    /// The plan of a webhook or of a push subscription.
    #[must_use]
    pub fn of(hook: &Hook) -> Self {
        if hook.push.is_some() { Self::Push } else { Self::Webhook(hook.retry) }
    }

    /// Whether the receiver wants no more deliveries: 410, and of a push service also 404.
    #[must_use]
    pub fn is_gone(self, outcome: AttemptOutcome) -> bool {
        matches!((self, outcome.status()), (_, Some(410)) | (Self::Push, Some(404)))
    }
}

impl From<Retry> for RetryPlan {
    fn from(retry: Retry) -> Self {
        Self::Webhook(retry)
    }
}

/// The health of a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HookHealth {
    /// Consecutive failed deliveries.
    pub failures: u32,
    /// When it was switched off, in milliseconds since the epoch.
    pub off_ms: Option<u64>,
}

/// Something that happened outside the outbox.
#[derive(Clone, Debug)]
pub enum OutboxEvent {
    /// A webhook was added. Report deliveries that it has already as [`OutboxEvent::DeliveriesAdded`].
    HookAdded(HookId, RetryPlan, HookHealth),
    /// A webhook was removed.
    HookRemoved(HookId),
    /// A webhook shall be driven elsewhere. A running attempt of it goes on, and its result is stored.
    HookReleased(HookId),
    /// Deliveries were added to a webhook's queue in the log.
    DeliveriesAdded(HookId),
    /// The next rows of a queue were read. The flag says whether they are the last.
    Fetched(HookId, Vec<DeliveryRow>, bool),
    /// A queue could not be read.
    FetchFailed(HookId),
    /// An attempt ended. The number is its duration in milliseconds.
    AttemptEnded(HookId, AttemptOutcome, u64),
}

/// A state transition of the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutboxEntry {
    /// Start serving a webhook.
    AddHook(HookId, RetryPlan, HookHealth),
    /// Stop serving a webhook.
    RemoveHook(HookId),
    /// Stop serving a webhook once its running attempt has ended.
    ReleaseHook(HookId),
    /// Expect more rows in the log.
    ExpectRows(HookId),
    /// Append rows to the queue in memory. The flag says whether they are the last.
    AppendRows(HookId, Vec<DeliveryRow>, bool),
    /// Read the log again later.
    FetchLater(HookId),
    /// Put a delivery back, because its attempt could not start.
    Requeue(HookId),
    /// Look at a delivery again at its time. No attempt was made.
    Postpone(HookId, DeliveryRow),
    /// Schedule a delivery again after a failed attempt.
    Retry(HookId, DeliveryRow),
    /// Finish a delivery, successfully or not, and update the webhook's health.
    Finish(HookId, DeliveryRow, HookHealth),
}

/// Something the driver of the outbox must do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutboxEffect {
    /// Read the rows of a webhook's queue after this row number, and report them as [`OutboxEvent::Fetched`].
    Fetch(HookId, u64),
    /// Attempt a delivery, and report the result as [`OutboxEvent::AttemptEnded`]. If the flag is set this is the first
    /// attempt: store the row before it.
    Send(HookId, DeliveryRow, bool),
    /// Store the state of a delivery.
    SaveDelivery(HookId, DeliveryRow),
    /// Store the health of a webhook.
    SaveHealth(HookId, HookHealth),
}

/// The outbox of a hub: the queues of all webhooks.
///
/// Call [`run`](Self::run) for every event, and [`tick`](Self::tick) at [`next_deadline_ms`](Self::next_deadline_ms). Both add
/// effects, which must be run in order.
#[derive(Debug, Default)]
pub struct Outbox {
    concurrency: Concurrency,
    queues: HashMap<HookId, HookQueue>,
    /// Webhooks whose next delivery is due, in the order in which it became due; failing ones in a list of their own.
    ready: VecDeque<HookId>,
    ready_failing: VecDeque<HookId>,
    /// When to look at a webhook again, in milliseconds of uptime.
    alarms: BTreeSet<(u64, HookId)>,
    running: usize,
    running_failing: usize,
}

/// The pause after an attempt or a read that could not start, in milliseconds.
const RETRY_MS: u64 = 1000;

impl Outbox {
    /// An empty outbox.
    #[must_use]
    pub fn new(concurrency: Concurrency) -> Self {
        Self { concurrency, ..Self::default() }
    }

    /// Processes an event: decides, applies, and starts attempts.
    pub fn run(&mut self, event: OutboxEvent, now: Now, effects: &mut Vec<OutboxEffect>) {
        for entry in self.decide(event, now) {
            self.apply(entry, now, effects);
        }
        self.start_attempts(now, effects);
    }

    /// Applies an entry.
    pub fn apply(&mut self, entry: OutboxEntry, now: Now, effects: &mut Vec<OutboxEffect>) {
        match entry {
            OutboxEntry::AddHook(hook, retry, health) => {
                self.queues.insert(hook, HookQueue::new(retry, health));
            }
            OutboxEntry::RemoveHook(hook) => self.close(&hook, 0),
            OutboxEntry::ReleaseHook(hook) => self.close(&hook, 1),
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
                self.attempt_ended(&hook);
                if let Some(queue) = self.queues.get_mut(&hook) {
                    queue.requeue_head(now.uptime_ms + RETRY_MS);
                }
                self.advance(&hook, now, effects);
            }
            OutboxEntry::Postpone(hook, row) => {
                self.attempt_ended(&hook);
                if let Some(queue) = self.queues.get_mut(&hook) {
                    queue.replace_head(row, now);
                }
                self.advance(&hook, now, effects);
            }
            OutboxEntry::Retry(hook, row) => {
                self.attempt_ended(&hook);
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
        let has_changed = self.queues.get(hook).is_some_and(|queue| queue.health != health);
        self.attempt_ended(hook);
        effects.push(OutboxEffect::SaveDelivery(hook.clone(), row));
        if let Some(queue) = self.queues.get_mut(hook) {
            queue.rows.pop_front();
            queue.schedule_head(now);
            queue.is_failing = health.failures > 0;
            queue.health = health;
        }
        if has_changed {
            effects.push(OutboxEffect::SaveHealth(hook.clone(), health));
        }
        self.advance(hook, now, effects);
    }

    /// Stops serving a webhook. The first `kept` rows are kept for the result of a running attempt.
    fn close(&mut self, hook: &HookId, kept: usize) {
        // A running attempt goes on, and counts until it ends.
        let Some(queue) = self.queues.get_mut(hook) else { return };
        if queue.is_running {
            queue.is_closed = true;
            queue.rows.truncate(kept);
        } else {
            self.queues.remove(hook);
        }
    }

    /// Records that the attempt of a webhook ended.
    fn attempt_ended(&mut self, hook: &HookId) {
        let Some(queue) = self.queues.get_mut(hook).filter(|queue| queue.is_running) else { return };
        queue.is_running = false;
        self.running -= 1;
        self.running_failing -= usize::from(queue.counts_as_failing);
        if queue.is_closed {
            self.queues.remove(hook);
        }
    }

    /// Schedules what a webhook needs next: rows from the log, an attempt, or an alarm.
    fn advance(&mut self, hook: &HookId, now: Now, effects: &mut Vec<OutboxEffect>) {
        let Some(queue) = self.queues.get_mut(hook) else { return };
        if queue.is_closed || queue.is_running || queue.is_ready {
            return;
        }
        if queue.rows.is_empty() {
            if queue.may_have_more && !queue.is_fetching {
                queue.is_fetching = true;
                effects.push(OutboxEffect::Fetch(hook.clone(), queue.after));
            }
        } else if queue.due_ms <= now.uptime_ms {
            queue.is_ready = true;
            let ready = if queue.is_failing { &mut self.ready_failing } else { &mut self.ready };
            ready.push_back(hook.clone());
        } else {
            self.alarms.insert((queue.due_ms, hook.clone()));
        }
    }

    /// Starts attempts up to the concurrency limits.
    fn start_attempts(&mut self, now: Now, effects: &mut Vec<OutboxEffect>) {
        while self.running < self.concurrency.all {
            let Some(hook) = self.next_ready() else { return };
            let Some(queue) = self.queues.get_mut(&hook) else { continue };
            if !std::mem::take(&mut queue.is_ready) {
                continue;
            }
            let Some((row, is_first)) = queue.begin(now) else {
                self.advance(&hook, now, effects);
                continue;
            };
            self.running += 1;
            self.running_failing += usize::from(queue.counts_as_failing);
            effects.push(OutboxEffect::Send(hook, row, is_first));
        }
    }

    fn next_ready(&mut self) -> Option<HookId> {
        let may_try_failing = self.running_failing < self.concurrency.failing;
        self.ready.pop_front().or_else(|| may_try_failing.then(|| self.ready_failing.pop_front()).flatten())
    }

    /// Starts what has become due.
    pub fn tick(&mut self, now: Now, effects: &mut Vec<OutboxEffect>) {
        while let Some((at_ms, hook)) = self.alarms.first().cloned() {
            if at_ms > now.uptime_ms {
                break;
            }
            self.alarms.remove(&(at_ms, hook.clone()));
            self.advance(&hook, now, effects);
        }
        self.start_attempts(now, effects);
    }

    /// When [`tick`](Self::tick) must be called next, in milliseconds of uptime.
    #[must_use]
    pub fn next_deadline_ms(&self) -> Option<u64> {
        self.alarms.first().map(|(at_ms, _)| *at_ms)
    }

    /// The number of running attempts.
    #[must_use]
    pub fn running_attempts(&self) -> usize {
        self.running
    }

    /// Whether an attempt of a webhook is running.
    #[must_use]
    pub fn is_attempting(&self, hook: &HookId) -> bool {
        self.queues.get(hook).is_some_and(|queue| queue.is_running)
    }

    /// The health of a webhook; none if it is not served.
    #[must_use]
    pub fn health(&self, hook: &HookId) -> Option<HookHealth> {
        self.queues.get(hook).filter(|queue| !queue.is_closed).map(|queue| queue.health)
    }
}
