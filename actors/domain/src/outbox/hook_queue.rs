//! The queue of one webhook: its next deliveries, and how far its log was read.

use std::collections::VecDeque;

use super::{HookHealth, RetryPlan};
use crate::Now;
use crate::webhook::DeliveryRow;

/// The longest pause between two attempts.
pub(super) const LONGEST_PAUSE_MS: u64 = 3_600_000;

#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "the states are independent of each other")]
pub(super) struct HookQueue {
    pub(super) retry: RetryPlan,
    pub(super) health: HookHealth,
    /// The next rows, oldest first.
    pub(super) rows: VecDeque<DeliveryRow>,
    /// The number of the last row read from the log.
    pub(super) after: u64,
    /// Whether the log may have more rows.
    pub(super) may_have_more: bool,
    pub(super) is_fetching: bool,
    /// Whether rows were added during a fetch, which may not return them.
    pub(super) fetch_again: bool,
    /// When the first row is due, in milliseconds of uptime.
    pub(super) due_ms: u64,
    /// Whether it is in a list of ready webhooks.
    pub(super) is_ready: bool,
    pub(super) is_running: bool,
    /// Whether the running attempt is the first of its delivery.
    pub(super) is_first: bool,
    /// Whether the running attempt counts as one of a failing webhook.
    pub(super) counts_as_failing: bool,
    pub(super) is_failing: bool,
    pub(super) is_closed: bool,
}

impl HookQueue {
    pub(super) fn new(retry: RetryPlan, health: HookHealth) -> Self {
        Self {
            retry,
            health,
            rows: VecDeque::new(),
            after: 0,
            may_have_more: false,
            is_fetching: false,
            fetch_again: false,
            due_ms: 0,
            is_ready: false,
            is_running: false,
            is_first: false,
            counts_as_failing: false,
            is_failing: health.failures > 0,
            is_closed: false,
        }
    }

    pub(super) fn fetched(&mut self, rows: Vec<DeliveryRow>, is_all: bool, now: Now) {
        self.is_fetching = false;
        self.may_have_more = !is_all || std::mem::take(&mut self.fetch_again);
        let after = self.after;
        self.after = rows.last().map_or(after, |row| row.no.max(after));
        // A read that began before the webhook was released and taken again may return rows once more.
        self.rows.extend(rows.into_iter().filter(|row| row.no > after));
        self.schedule_head(now);
    }

    /// Computes when the first row is due. If the clock was set back, the pause is limited to the longest one.
    pub(super) fn schedule_head(&mut self, now: Now) {
        let next_ms = self.rows.front().and_then(|row| row.delivery.next_ms);
        let wait_ms = next_ms.map_or(0, |at_ms| at_ms.saturating_sub(now.at_ms).min(LONGEST_PAUSE_MS));
        self.due_ms = now.uptime_ms + wait_ms;
    }

    /// Resets the first row, because its attempt could not start.
    pub(super) fn requeue_head(&mut self, due_ms: u64) {
        self.due_ms = due_ms;
        if let Some(head) = self.rows.front_mut().filter(|_| self.is_first) {
            head.delivery.began_ms = None;
        }
    }

    /// Replaces the first row after an attempt.
    pub(super) fn replace_head(&mut self, row: DeliveryRow, now: Now) {
        if let Some(head) = self.rows.front_mut() {
            *head = row;
        }
        self.schedule_head(now);
    }

    /// Starts an attempt of the first row. The flag says whether it is the first of its delivery.
    pub(super) fn begin(&mut self, now: Now) -> Option<(DeliveryRow, bool)> {
        let head = self.rows.front_mut()?;
        self.is_first = head.delivery.began_ms.is_none();
        head.delivery.began_ms.get_or_insert(now.at_ms);
        self.is_running = true;
        self.counts_as_failing = self.is_failing;
        Some((head.clone(), self.is_first))
    }
}
