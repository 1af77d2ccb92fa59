//! The rules of the outbox: retries, giving up, and switching a webhook off.

use super::hook_queue::LONGEST_PAUSE_MS;
use super::{HookHealth, Outbox, OutboxEntry, OutboxEvent, RetryPlan};
use crate::webhook::{AttemptOutcome, Delivery, DeliveryRow, DeliveryState, Failure, HookId, Retry};
use crate::{Now, limits};

/// Pauses after the first attempts, in milliseconds. With immediate retries there are no others.
const IMMEDIATE_MS: [u64; 2] = [1000, 3000];
/// Pauses after the attempts of a push, in milliseconds. There are no others.
const PUSH_MS: [u64; 4] = [1000, 3000, 9000, 27_000];
/// The pauses that follow with persistent retries. The last one repeats.
const PERSISTENT_MS: [u64; 6] = [10_000, 30_000, 2 * 60_000, 10 * 60_000, 30 * 60_000, LONGEST_PAUSE_MS];

impl Outbox {
    /// Maps an event to entries, and changes nothing.
    #[must_use]
    pub fn decide(&self, event: OutboxEvent, now: Now) -> Vec<OutboxEntry> {
        match event {
            OutboxEvent::HookAdded(hook, retry, health) => vec![OutboxEntry::AddHook(hook, retry, health)],
            OutboxEvent::HookRemoved(hook) => vec![OutboxEntry::RemoveHook(hook)],
            OutboxEvent::HookReleased(hook) => vec![OutboxEntry::ReleaseHook(hook)],
            OutboxEvent::DeliveriesAdded(hook) => vec![OutboxEntry::ExpectRows(hook)],
            OutboxEvent::FetchFailed(hook) => vec![OutboxEntry::FetchLater(hook)],
            OutboxEvent::Fetched(hook, rows, is_all) => self.on_fetched(&hook, &rows, is_all, now),
            OutboxEvent::AttemptEnded(hook, outcome, took_ms) => self.on_attempt_ended(hook, outcome, took_ms, now),
        }
    }

    /// Rows were fetched. If the webhook is off, they fail, except forced deliveries.
    fn on_fetched(&self, hook: &HookId, rows: &[DeliveryRow], is_all: bool, now: Now) -> Vec<OutboxEntry> {
        let Some(queue) = self.queues.get(hook).filter(|queue| !queue.is_closed) else { return Vec::new() };
        let off = queue.health.off_ms.is_some();
        let mut entries = vec![OutboxEntry::AppendRows(hook.clone(), rows.to_vec(), is_all)];
        if off && rows.first().is_some_and(|row| !row.delivery.is_forced) {
            entries.extend(Self::give_up_rows(hook, rows.iter(), queue.health, now));
        }
        entries
    }

    /// Fails the rows of a webhook that is off, up to the first forced delivery.
    fn give_up_rows<'r>(
        hook: &HookId,
        rows: impl Iterator<Item = &'r DeliveryRow>,
        health: HookHealth,
        now: Now,
    ) -> impl Iterator<Item = OutboxEntry> {
        rows.take_while(|row| !row.delivery.is_forced).map(move |row| {
            let given_up = done(row, DeliveryState::Failed, Some(Failure::SwitchedOff), now);
            OutboxEntry::Finish(hook.clone(), given_up, health)
        })
    }

    /// An attempt ended: updates its delivery and the webhook's health.
    fn on_attempt_ended(&self, hook: HookId, outcome: AttemptOutcome, took_ms: u64, now: Now) -> Vec<OutboxEntry> {
        let Some(queue) = self.queues.get(&hook).filter(|queue| queue.is_running) else { return Vec::new() };
        let Some(head) = queue.rows.front() else { return vec![OutboxEntry::Requeue(hook)] };
        if outcome == AttemptOutcome::NotBegun {
            return vec![OutboxEntry::Requeue(hook)];
        }
        let mut row = head.clone();
        match outcome {
            AttemptOutcome::Unneeded(why) => {
                return vec![OutboxEntry::Finish(
                    hook,
                    done(&row, DeliveryState::Dropped, Some(why), now),
                    queue.health,
                )];
            }
            AttemptOutcome::Later(pause_ms) => {
                row.delivery.next_ms = Some(now.at_ms + pause_ms);
                return vec![OutboxEntry::Postpone(hook, row)];
            }
            _ => {}
        }
        let delivery = &mut row.delivery;
        delivery.attempts += 1;
        delivery.latency_ms = Some(took_ms);
        delivery.status = outcome.status();
        let Some(failure) = outcome.failure() else {
            let health = HookHealth { failures: 0, off_ms: None };
            return vec![OutboxEntry::Finish(hook, done(&row, DeliveryState::Delivered, None, now), health)];
        };
        delivery.failure = Some(failure);
        if let Some(pause_ms) = is_temporary(outcome).then(|| pause_ms(delivery, queue.retry, outcome)).flatten() {
            delivery.next_ms = Some(now.at_ms + pause_ms);
            return vec![OutboxEntry::Retry(hook, row)];
        }
        let failures = queue.health.failures.saturating_add(1);
        // Push subscriptions are not switched off, but deleted: an outage of the service or of the network must not do that.
        let has_failed_too_often = queue.retry != RetryPlan::Push && failures >= limits::HOOK_FAILURES;
        let is_off = has_failed_too_often || queue.retry.is_gone(outcome);
        let off_ms = queue.health.off_ms.or(is_off.then_some(now.at_ms));
        let health = HookHealth { failures, off_ms };
        let mut entries =
            vec![OutboxEntry::Finish(hook.clone(), done(&row, DeliveryState::Failed, Some(failure), now), health)];
        if off_ms.is_some() {
            entries.extend(Self::give_up_rows(&hook, queue.rows.iter().skip(1), health, now));
        }
        entries
    }
}

fn done(row: &DeliveryRow, state: DeliveryState, failure: Option<Failure>, now: Now) -> DeliveryRow {
    let delivery = Delivery { state, failure, next_ms: None, ended_ms: Some(now.at_ms), ..row.delivery.clone() };
    DeliveryRow { no: row.no, bytes: row.bytes, delivery }
}

/// Whether a retry could succeed.
fn is_temporary(outcome: AttemptOutcome) -> bool {
    matches!(outcome.status(), Some(429 | 500..=599))
        || matches!(outcome, AttemptOutcome::TimedOut | AttemptOutcome::Unreachable)
}

/// How long until the next attempt; none if there is no further one. It is at least as long as the receiver asked for,
/// up to the longest pause. The number of attempts decides when to give up, not the date of the first one: the wall clock
/// may have jumped, and the hub may have been stopped.
fn pause_ms(delivery: &Delivery, plan: RetryPlan, outcome: AttemptOutcome) -> Option<u64> {
    let asked_ms = match outcome {
        AttemptOutcome::Postponed(_, seconds) => seconds.saturating_mul(1000).min(LONGEST_PAUSE_MS),
        _ => 0,
    };
    let n = (delivery.attempts as usize).checked_sub(1)?;
    let retry = match plan {
        RetryPlan::Webhook(retry) => retry,
        RetryPlan::Push => return PUSH_MS.get(n).map(|pause_ms| asked_ms.max(*pause_ms)),
    };
    if let Some(pause_ms) = IMMEDIATE_MS.get(n) {
        return Some(asked_ms.max(*pause_ms));
    }
    if retry == Retry::Immediate {
        return None;
    }
    let last_ms = PERSISTENT_MS.last().copied().unwrap_or(LONGEST_PAUSE_MS);
    let mut pauses = IMMEDIATE_MS.into_iter().chain(PERSISTENT_MS).chain(std::iter::repeat(last_ms));
    let tried_ms: u64 = pauses.by_ref().take(n).sum();
    let pause_ms = asked_ms.max(pauses.next()?);
    (tried_ms + pause_ms <= limits::HOOK_PERSIST_MS).then_some(pause_ms)
}
