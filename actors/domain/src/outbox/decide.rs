//! What comes of what happened: the rules of retries, of giving up, and of switching a hook off.

use super::lane::LONGEST_PAUSE_MS;
use super::{Happening, Outbox, Standing, Step};
use crate::Now;
use crate::limits;
use crate::webhook::{Delivery, DeliveryState, Failure, HookId, Posted, Retry, Row};

/// Pauses after the first attempts, in milliseconds; there are no more where retries are immediate.
const IMMEDIATE_MS: [u64; 2] = [1000, 3000];
/// Pauses that follow where they are persistent; the last one goes on.
const PERSISTENT_MS: [u64; 6] = [10_000, 30_000, 2 * 60_000, 10 * 60_000, 30 * 60_000, LONGEST_PAUSE_MS];

impl Outbox {
    /// Says what comes of something, and changes nothing.
    #[must_use]
    pub fn decide(&self, happening: Happening, now: Now) -> Vec<Step> {
        match happening {
            Happening::Opened(hook, retry, standing) => vec![Step::Open(hook, retry, standing)],
            Happening::Closed(hook) => vec![Step::Close(hook)],
            Happening::Woken(hook) => vec![Step::Expect(hook)],
            Happening::NotFetched(hook) => vec![Step::AskLater(hook)],
            Happening::Fetched(hook, rows, is_all) => self.received(&hook, &rows, is_all, now),
            Happening::Ended(hook, posted, took_ms) => self.settle(hook, posted, took_ms, now),
        }
    }

    /// Rows that came from the log. Those of a hook that is off are done, but for what somebody asked for.
    fn received(&self, hook: &HookId, rows: &[Row], is_all: bool, now: Now) -> Vec<Step> {
        let Some(lane) = self.lanes.get(hook).filter(|lane| !lane.is_closed) else { return Vec::new() };
        let off = lane.standing.off_ms.is_some();
        let mut steps = vec![Step::Queue(hook.clone(), rows.to_vec(), is_all)];
        if off && rows.first().is_some_and(|row| !row.delivery.is_forced) {
            steps.extend(Self::let_go(hook, rows.iter(), lane.standing, now));
        }
        steps
    }

    /// Gives up the rows of a hook that is off, up to the first that somebody asked for.
    fn let_go<'r>(
        hook: &HookId,
        rows: impl Iterator<Item = &'r Row>,
        standing: Standing,
        now: Now,
    ) -> impl Iterator<Item = Step> {
        rows.take_while(|row| !row.delivery.is_forced).map(move |row| {
            let given_up = done(row, DeliveryState::Failed, Some(Failure::SwitchedOff), now);
            Step::Done(hook.clone(), given_up, standing)
        })
    }

    /// What an attempt means for its delivery and for its hook.
    fn settle(&self, hook: HookId, posted: Posted, took_ms: u64, now: Now) -> Vec<Step> {
        let Some(lane) = self.lanes.get(&hook).filter(|lane| lane.is_posting) else { return Vec::new() };
        let Some(head) = lane.queue.front() else { return vec![Step::PutBack(hook)] };
        if posted == Posted::NotBegun {
            return vec![Step::PutBack(hook)];
        }
        let mut row = head.clone();
        let delivery = &mut row.delivery;
        delivery.attempts += 1;
        delivery.latency_ms = Some(took_ms);
        delivery.status = if let Posted::Answered(status) = posted { Some(status) } else { None };
        let Some(failure) = failure(posted) else {
            let standing = Standing { failures: 0, off_ms: None };
            return vec![Step::Done(hook, done(&row, DeliveryState::Delivered, None, now), standing)];
        };
        delivery.failure = Some(failure);
        if let Some(pause_ms) = is_passing(posted).then(|| pause_ms(delivery, lane.retry, now)).flatten() {
            delivery.next_ms = Some(now.at_ms + pause_ms);
            return vec![Step::Again(hook, row)];
        }
        let failures = lane.standing.failures.saturating_add(1);
        let off_ms = lane.standing.off_ms.or((failures >= limits::HOOK_FAILURES).then_some(now.at_ms));
        let standing = Standing { failures, off_ms };
        let mut steps = vec![Step::Done(hook.clone(), done(&row, DeliveryState::Failed, Some(failure), now), standing)];
        if off_ms.is_some() {
            steps.extend(Self::let_go(&hook, lane.queue.iter().skip(1), standing, now));
        }
        steps
    }
}

fn done(row: &Row, state: DeliveryState, failure: Option<Failure>, now: Now) -> Row {
    let delivery = Delivery { state, failure, next_ms: None, ended_ms: Some(now.at_ms), ..row.delivery.clone() };
    Row { no: row.no, bytes: row.bytes, delivery }
}

/// Why an attempt failed; none if it did not.
fn failure(posted: Posted) -> Option<Failure> {
    match posted {
        Posted::Answered(200..=299) => None,
        Posted::Answered(300..=399) => Some(Failure::Redirect),
        Posted::Answered(_) => Some(Failure::Status),
        Posted::TimedOut => Some(Failure::Timeout),
        Posted::Unreachable | Posted::NotBegun => Some(Failure::Connection),
        Posted::Forbidden => Some(Failure::Address),
        Posted::Unreadable => Some(Failure::Unreadable),
    }
}

/// Whether it may be better next time.
fn is_passing(posted: Posted) -> bool {
    matches!(posted, Posted::Answered(429 | 500..=599) | Posted::TimedOut | Posted::Unreachable)
}

/// How long until the next attempt; none if there is no further one.
fn pause_ms(delivery: &Delivery, retry: Retry, now: Now) -> Option<u64> {
    let n = (delivery.attempts as usize).checked_sub(1)?;
    if let Some(pause_ms) = IMMEDIATE_MS.get(n) {
        return Some(*pause_ms);
    }
    if retry == Retry::Immediate {
        return None;
    }
    let pause_ms = PERSISTENT_MS[(n - IMMEDIATE_MS.len()).min(PERSISTENT_MS.len() - 1)];
    let tried_ms = now.at_ms.saturating_sub(delivery.began_ms.unwrap_or(now.at_ms));
    (tried_ms + pause_ms <= limits::HOOK_PERSIST_MS).then_some(pause_ms)
}
