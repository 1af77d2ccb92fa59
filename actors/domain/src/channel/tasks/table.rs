//! The table of states: what a reply does to a task, and who may do it. Whatever is not in it is refused, or is an ordinary
//! message.
//!
//! | state | who | does | becomes |
//! |---|---|---|---|
//! | open | a member it is for | takes it | held, next fence |
//! | held | its holder | takes it with its fence, or replies `working` | held, new lease |
//! | held, input | its holder | replies `open` | open |
//! | held | time | ends the lease | open; after five of them failed |
//! | open, held | who may answer | replies `input` | input; the poster's next reply puts it back |
//! | not closed | who may answer | replies `done`, `failed`, `rejected` | closed, or one answer of several |
//! | not closed | its poster | replies `cancelled` | cancelled |
//! | not closed | time | passes the deadline | expired |
//!
//! Who may answer a question: the addressee, or anybody but its poster, each once. Who may finish work: its holder with the
//! current fence, and the addressee of work that nobody ever took.

use crate::ids::MemberNo;
use crate::message::task::{TaskState, TaskStep, Wants};
use crate::refusal::{Code, Refusal, RefusalDetail, TaskConflict};
use crate::text::clock;

use super::Task;

/// What a reply is to a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// A message that changes nothing.
    Ordinary,
    /// It does this.
    Does(TaskStep),
    /// The poster gives what was needed.
    Resumes,
}

/// Judges a reply of a member: with a state, which must be in the table, or without one.
///
/// # Errors
/// `task_closed`, `task_taken`, `fence_stale`, `forbidden` or `invalid` for a step that is not in the table.
pub(crate) fn judge(
    task: &Task,
    who: MemberNo,
    step: Option<TaskStep>,
    fence: Option<u32>,
) -> Result<Verdict, Refusal> {
    if task.state.is_closed() {
        return step.map_or(Ok(Verdict::Ordinary), |_| Err(closed(task)));
    }
    match step {
        None if who == task.from.no && task.state == TaskState::Input => Ok(Verdict::Resumes),
        None if task.wants == Wants::Answer && task.is_for(who) && !task.answered_by.contains(&who) => {
            Ok(Verdict::Does(TaskStep::Done))
        }
        None => Ok(Verdict::Ordinary),
        Some(TaskStep::Cancelled) if who == task.from.no => Ok(Verdict::Does(TaskStep::Cancelled)),
        Some(TaskStep::Cancelled) => {
            Err(forbidden("only its poster can withdraw a task", "reply `rejected` or `failed`"))
        }
        Some(_) if who == task.from.no => {
            Err(forbidden("the poster of a task cannot work on it", "reply without `state`, or with `cancelled`"))
        }
        Some(step) => match task.wants {
            Wants::Answer => answer(task, who, step),
            Wants::Work => work(task, who, step, fence),
        },
    }
    .and_then(|verdict| match verdict {
        Verdict::Does(TaskStep::Input) if task.state == TaskState::Input => {
            Err(Refusal::invalid("the task waits for its poster already").hint("send the message without `state`"))
        }
        verdict => Ok(verdict),
    })
}

fn answer(task: &Task, who: MemberNo, step: TaskStep) -> Result<Verdict, Refusal> {
    if !task.is_for(who) {
        return Err(forbidden("this question is for another member", "send the message without `state`"));
    }
    if task.answered_by.contains(&who) {
        return Err(forbidden("you have answered this question", "send the message without `state`"));
    }
    match step {
        TaskStep::Working | TaskStep::Open => {
            Err(Refusal::invalid("a question is answered, and neither taken nor given back")
                .hint("report progress as a status, or answer with `done`, `failed` or `rejected`"))
        }
        step => Ok(Verdict::Does(step)),
    }
}

fn work(task: &Task, who: MemberNo, step: TaskStep, fence: Option<u32>) -> Result<Verdict, Refusal> {
    let is_addressee = task.to.as_ref().is_some_and(|to| to.no == who);
    if task.is_held_by(who) {
        return match fence {
            Some(fence) if fence == task.fence => match step {
                TaskStep::Working if task.state == TaskState::Input => {
                    Err(Refusal::invalid("the task waits for its poster")
                        .hint("wait for its reply, or finish the task"))
                }
                step => Ok(Verdict::Does(step)),
            },
            Some(_) => Err(stale(task)),
            None => {
                Err(Refusal::invalid("`fence` is missing").hint("give the fence that you got when you took the task"))
            }
        };
    }
    // The current fence of another member is no older one of this member.
    if task.holder.is_some() && fence.is_none_or(|fence| fence == task.fence) {
        return Err(taken(task));
    }
    if fence.is_some() {
        return Err(stale(task));
    }
    let finishes = !matches!(step, TaskStep::Working | TaskStep::Open);
    if is_addressee && task.fence == 0 && finishes {
        return Ok(Verdict::Does(step));
    }
    Err(forbidden("you have not taken this task", "take it first; it goes to one member only"))
}

/// `task_closed`.
pub(crate) fn closed(task: &Task) -> Refusal {
    Refusal::new(Code::TaskClosed, format!("this task is closed: {}", task.state.as_str()))
        .detail(conflict(task))
        .hint("nothing changes any more; without `state` a reply is still delivered")
}

/// `task_taken`.
pub(crate) fn taken(task: &Task) -> Refusal {
    let holder = task.holder.as_ref().map_or("another member", |holder| holder.callsign.as_str());
    let (until, hint) = match task.state {
        TaskState::Held => {
            (format!(" until {}", clock(task.lease_until_ms)), "leave it alone: it becomes free if that lease ends")
        }
        // It waits for its poster, and no lease runs.
        _ => (String::new(), "leave it alone: it waits for a reply of its poster"),
    };
    Refusal::new(Code::TaskTaken, format!("`{holder}` has this task{until}")).detail(conflict(task)).hint(hint)
}

/// `fence_stale`.
pub(crate) fn stale(task: &Task) -> Refusal {
    let text = match (&task.holder, task.fence) {
        (None, 0) => "nobody has taken this task: it has no fence yet".to_owned(),
        (None, fence) => format!("nobody has this task: the taking with fence {fence} has ended"),
        (Some(_), fence) => format!("your fence is not current: the task has fence {fence}"),
    };
    Refusal::new(Code::FenceStale, text)
        .detail(conflict(task))
        .hint("the task was taken again or given back since: stop working on it")
}

/// What the task is at that moment.
fn conflict(task: &Task) -> RefusalDetail {
    let is_held = task.state == TaskState::Held;
    RefusalDetail::Task(Box::new(TaskConflict {
        state: task.state,
        holder: task.holder.as_ref().filter(|_| !task.state.is_closed()).map(|holder| holder.callsign.clone()),
        fence: (task.fence > 0).then_some(task.fence),
        lease_until_ms: is_held.then_some(task.lease_until_ms),
    }))
}

fn forbidden(text: &'static str, hint: &'static str) -> Refusal {
    Refusal::new(Code::Forbidden, text).hint(hint)
}
