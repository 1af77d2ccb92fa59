//! One hook's way through the outbox: the head of its queue, and how far its log was read.

use std::collections::VecDeque;

use super::HookHealth;
use crate::Now;
use crate::webhook::{DeliveryRow, Retry};

/// No pause is longer.
pub(super) const LONGEST_PAUSE_MS: u64 = 3_600_000;

#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each says something else of the hook")]
pub(super) struct HookQueue {
    pub(super) retry: Retry,
    pub(super) health: HookHealth,
    /// What is next, oldest first.
    pub(super) rows: VecDeque<DeliveryRow>,
    /// The last row that was read.
    pub(super) after: u64,
    /// Whether the log may hold more than was read.
    pub(super) may_have_more: bool,
    pub(super) is_fetching: bool,
    /// Something became due while the log was being read: it may not be in what comes.
    pub(super) fetch_again: bool,
    /// When the head is due, in milliseconds of uptime.
    pub(super) due_ms: u64,
    /// Whether it stands in line.
    pub(super) is_ready: bool,
    pub(super) is_posting: bool,
    /// Whether the attempt under way is the first ever.
    pub(super) is_first: bool,
    /// Whether the attempt under way is counted among those that fail.
    pub(super) counts_as_failing: bool,
    pub(super) is_failing: bool,
    pub(super) is_closed: bool,
}

impl HookQueue {
    pub(super) fn new(retry: Retry, health: HookHealth) -> Self {
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
            is_posting: false,
            is_first: false,
            counts_as_failing: false,
            is_failing: health.failures > 0,
            is_closed: false,
        }
    }

    pub(super) fn fetched(&mut self, rows: Vec<DeliveryRow>, is_all: bool, now: Now) {
        self.is_fetching = false;
        self.may_have_more = !is_all || std::mem::take(&mut self.fetch_again);
        self.after = rows.last().map_or(self.after, |row| row.no);
        self.rows.extend(rows);
        self.schedule_head(now);
    }

    /// Sees when the head is due. A clock that was set back makes nobody wait longer than the longest pause.
    pub(super) fn schedule_head(&mut self, now: Now) {
        let next_ms = self.rows.front().and_then(|row| row.delivery.next_ms);
        let wait_ms = next_ms.map_or(0, |at_ms| at_ms.saturating_sub(now.at_ms).min(LONGEST_PAUSE_MS));
        self.due_ms = now.uptime_ms + wait_ms;
    }

    /// The attempt was none: the head is as it was before.
    pub(super) fn requeue_head(&mut self, due_ms: u64) {
        self.due_ms = due_ms;
        if let Some(head) = self.rows.front_mut().filter(|_| self.is_first) {
            head.delivery.began_ms = None;
        }
    }

    /// The head as it is after an attempt.
    pub(super) fn replace_head(&mut self, row: DeliveryRow, now: Now) {
        if let Some(head) = self.rows.front_mut() {
            *head = row;
        }
        self.schedule_head(now);
    }

    /// Begins an attempt at the head. True where it is the first one ever.
    pub(super) fn begin(&mut self, now: Now) -> Option<(DeliveryRow, bool)> {
        let head = self.rows.front_mut()?;
        self.is_first = head.delivery.began_ms.is_none();
        head.delivery.began_ms.get_or_insert(now.at_ms);
        self.is_posting = true;
        self.counts_as_failing = self.is_failing;
        Some((head.clone(), self.is_first))
    }
}
