//! What must not happen to work: the oracle gets every posting, taking and result, and finds violations. It is pure.

use std::collections::BTreeMap;

use rogerrat_domain::limits::TASKS_CLOSED;
use serde::Serialize;

/// The number of a worker.
pub(super) type WorkerNo = usize;

/// Maximum violations with their circumstances.
const SHOWN_VIOLATIONS: usize = 10;

/// How often each thing happened.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct WorkCounts {
    pub(super) posted: u64,
    pub(super) takings: u64,
    pub(super) renewals: u64,
    pub(super) given_back: u64,
    pub(super) finished: u64,
    /// Results that were refused because somebody else has or had the task.
    pub(super) refused: u64,
    /// Of those: results of tasks that were closed too long ago to be kept.
    pub(super) not_kept: u64,
    /// Results sent after the lease had ended, which must be refused.
    pub(super) late: u64,
    /// Tasks that were closed because five leases ended without a result.
    pub(super) failed_after_leases: u64,
    pub(super) hub_kills: u64,
    pub(super) worker_kills: u64,
    pub(super) cut: u64,
}

/// What a worker sent as the result of a taking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Finish {
    pub(super) worker: WorkerNo,
    pub(super) fence: u32,
}

/// A closed task as its sender sees it.
#[derive(Debug)]
pub(super) struct ClosedTask {
    pub(super) state: String,
    pub(super) why: Option<String>,
    pub(super) fence: u32,
    pub(super) updated_at: u64,
    /// The results it has. Only that member and the workers write to the channel.
    pub(super) results: Vec<Option<Finish>>,
}

/// What is known of a task.
#[derive(Debug, Default)]
struct Known {
    /// Who was given each fence.
    takings: BTreeMap<u32, WorkerNo>,
    accepted: Option<Finish>,
    /// Results whose outcome is unknown: the response did not come.
    pending: Vec<Finish>,
    result: Option<Finish>,
    is_posted: bool,
    /// When the hub closed it.
    closed_at: Option<u64>,
}

/// The oracle of work.
#[derive(Debug, Default)]
pub(super) struct WorkOracle {
    tasks: BTreeMap<u64, Known>,
    pub(super) counts: WorkCounts,
    pub(super) violations: BTreeMap<&'static str, u64>,
    pub(super) first_violations: Vec<String>,
}

impl Finish {
    /// The text of the result, by which it is recognised.
    pub(super) fn text(self) -> String {
        format!("worker {} fence {}", self.worker, self.fence)
    }

    pub(super) fn of_text(text: &str) -> Option<Self> {
        let (worker, fence) = text.strip_prefix("worker ")?.split_once(" fence ")?;
        Some(Self { worker: worker.parse().ok()?, fence: fence.parse().ok()? })
    }
}

impl WorkOracle {
    pub(super) fn violation(&mut self, what: &'static str, circumstances: &str) {
        *self.violations.entry(what).or_default() += 1;
        if self.first_violations.len() < SHOWN_VIOLATIONS {
            self.first_violations.push(format!("{what}: {circumstances}"));
        }
    }

    pub(super) fn posted(&mut self, id: u64) {
        // A worker may have been given it before its sender had the response.
        let task = self.tasks.entry(id).or_default();
        if std::mem::replace(&mut task.is_posted, true) {
            self.violation("an id was assigned twice", &format!("#{id}"));
        }
        self.counts.posted += 1;
    }

    /// The tasks that are not known to be closed.
    pub(super) fn open(&self) -> Vec<u64> {
        self.tasks.iter().filter(|(_, task)| task.closed_at.is_none()).map(|(id, _)| *id).collect()
    }

    /// Whether a result was sent and its outcome is unknown.
    pub(super) fn is_pending(&self, id: u64, finish: Finish) -> bool {
        self.tasks.get(&id).is_some_and(|task| task.pending.contains(&finish) || task.result == Some(finish))
    }

    /// The highest fence that anybody was given.
    pub(super) fn highest_fence(&self, id: u64) -> u32 {
        self.tasks.get(&id).and_then(|task| task.takings.keys().next_back().copied()).unwrap_or(0)
    }

    /// A worker was given a task. `known` is the highest fence when it asked.
    pub(super) fn taken(&mut self, id: u64, taking: Finish, known: u32) {
        let Finish { worker, fence } = taking;
        self.counts.takings += 1;
        let task = self.tasks.entry(id).or_default();
        let before = task.takings.insert(fence, worker);
        let was_closed = task.result;
        if let Some(before) = before {
            self.violation("a fence was given twice", &format!("#{id}: fence {fence} to {before} and {worker}"));
        } else if fence <= known {
            self.violation("a fence did not grow", &format!("#{id}: fence {fence} after {known}"));
        }
        if let Some(result) = was_closed.filter(|result| fence > result.fence) {
            self.violation("a finished task was given out", &format!("#{id}: fence {fence} after {result:?}"));
        }
    }

    /// A worker is about to send a result.
    pub(super) fn sends(&mut self, id: u64, finish: Finish) {
        self.tasks.entry(id).or_default().pending.push(finish);
    }

    /// A result was accepted. `known` is the highest fence when it was sent.
    pub(super) fn accepted(&mut self, id: u64, finish: Finish, known: u32) {
        let task = self.tasks.entry(id).or_default();
        task.pending.retain(|pending| *pending != finish);
        let before = task.accepted.replace(finish).or(task.result);
        if before.is_some_and(|before| before != finish) {
            self.violation("a task was finished twice", &format!("#{id}: {before:?} and {finish:?}"));
        }
        if known > finish.fence {
            self.violation("a stale fence was accepted", &format!("#{id}: {finish:?}, and {known} was given"));
        }
    }

    /// A result was refused: it is not the task's.
    pub(super) fn refused(&mut self, id: u64, finish: Finish) {
        self.counts.refused += 1;
        let task = self.tasks.entry(id).or_default();
        task.pending.retain(|pending| *pending != finish);
        if task.accepted == Some(finish) || task.result == Some(finish) {
            self.violation("an accepted result was refused", &format!("#{id}: {finish:?}"));
        }
    }

    /// The sender sees that a task is closed.
    pub(super) fn closed(&mut self, id: u64, seen: &ClosedTask) {
        let highest = self.highest_fence(id);
        let task = self.tasks.entry(id).or_default();
        task.closed_at = Some(seen.updated_at);
        let by_leases = seen.why.as_deref() == Some("attempts");
        let result = seen.results.first().copied().flatten();
        task.result = result;
        let is_expected = result.is_some_and(|result| task.accepted == Some(result) || task.pending.contains(&result));
        let lacks_accepted = task.accepted.is_some() && task.accepted != result;
        let circumstances = format!("#{id}: {seen:?}, {task:?}");
        self.counts.failed_after_leases += u64::from(by_leases);
        if by_leases {
            if !seen.results.is_empty() || lacks_accepted {
                self.violation("a result was lost", &circumstances);
            }
            return;
        }
        if seen.results.len() != 1 || !["done", "failed"].contains(&seen.state.as_str()) || lacks_accepted {
            self.violation("a wrong end", &circumstances);
        } else if !is_expected {
            self.violation("a result that was not sent", &circumstances);
        }
        self.counts.finished += 1;
        if result.is_some_and(|result| result.fence != seen.fence) || seen.fence < highest {
            self.violation("the result of another fence", &circumstances);
        }
    }

    /// A task that was posted does not exist any more.
    pub(super) fn lost(&mut self, id: u64) {
        self.violation("a task was lost", &format!("#{id}"));
        if let Some(task) = self.tasks.get_mut(&id) {
            task.closed_at = Some(u64::MAX);
        }
    }

    /// How many tasks were closed after a task, at least: those of which its sender knows.
    pub(super) fn closed_after(&self, id: u64) -> usize {
        let Some(at) = self.tasks.get(&id).and_then(|task| task.closed_at) else { return 0 };
        self.tasks.values().filter(|task| task.closed_at.is_some_and(|closed_at| closed_at > at)).count()
    }

    /// Whether the hub may have dropped a task: enough were closed after it, or may have been since its sender looked.
    pub(super) fn may_be_dropped(&self, id: u64) -> bool {
        let is_closed = self.tasks.get(&id).is_some_and(|task| task.closed_at.is_some());
        is_closed && self.closed_after(id) + self.open().len() >= TASKS_CLOSED
    }
}

#[cfg(test)]
mod tests;
