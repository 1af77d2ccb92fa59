//! One task: looking at it, and waiting until it changes or is answered.

use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::channel::{AnswersFormat, Channel, Effects, Task, TaskReason, TaskResponse, TaskRow, TaskWait, WaitsFor};
use crate::entry::{Entry, WhyClosed};
use crate::ids::{MessageId, SessionId, WaiterId};
use crate::message::delivered_schema::MessageSchema;
use crate::message::task::TaskState;
use crate::op::send::task_not_found;
use crate::op::{Operation, RecipientPresence, SendReply, TasksForYou};
use crate::refusal::Refusal;
use crate::serialize::is_zero;
use crate::{Now, limits};

/// Until when a look at a task waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LookUntil {
    /// It does not wait.
    Now,
    /// Until the task changed after this time of its last change.
    Changed {
        /// `updated_at` of the row that the caller has.
        seen: u64,
    },
    /// Until it is closed, or waits for its poster.
    Answered,
}

/// Looks at a task. Its poster thereby reads its answers.
#[derive(Clone, Debug)]
pub struct LookAtTask {
    /// The member's session.
    pub session: SessionId,
    /// The task.
    pub id: MessageId,
    /// Until when it waits.
    pub until: LookUntil,
    /// How it shows the answers. Those that do not fit stay unread.
    pub format: AnswersFormat,
    /// How long it waits at most, in milliseconds.
    pub timeout_ms: u64,
    /// The id under which it is parked.
    pub waiter: WaiterId,
}

/// The result of a look at a task.
#[derive(Debug)]
pub enum TaskOutcome {
    /// The response.
    Answered(Box<TaskResponse>),
    /// It waits. [`Effect::Task`](crate::Effect::Task) follows.
    Parked,
    /// The task was dropped meanwhile.
    Gone,
}

/// The reply to an ask.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AskReply {
    /// The id of the question: with it, another call continues to wait.
    #[schema(value_type = u64)]
    pub ask_id: MessageId,
    /// For whom it is: a callsign, or `all`.
    pub to: String,
    /// The state of the question. `open`: answers may still come. `input`: the other side needs something from you.
    pub state: TaskState,
    /// Why it was closed, if not by an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub why: Option<WhyClosed>,
    /// All answers so far: messages, oldest first.
    #[schema(value_type = Vec<MessageSchema>)]
    pub answers: Vec<Box<RawValue>>,
    /// How many answers did not fit. Absent if there are none.
    #[serde(skip_serializing_if = "is_zero")]
    #[schema(required = false)]
    pub more: usize,
    /// True if the timeout passed without an answer. This is no error: continue with `ask_id`, and do not ask again.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    pub timed_out: bool,
    /// True if another member needs something from you first: read, answer, and continue with `ask_id`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    pub interrupted: bool,
    /// Who that is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub interrupted_by: Option<String>,
    /// True if you asked the same before and it is still open: it was not sent again.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    pub duplicate: bool,
    /// Whether a reader received the question.
    pub delivered: bool,
    /// When it ends by itself, in milliseconds since the epoch.
    pub deadline: u64,
    /// How the member that was asked can be reached; absent for `all` and when a call continues.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub recipient: Option<RecipientPresence>,
    /// Your own unread messages, counted up to 100.
    pub unread: usize,
    /// Present if there are tasks for you.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub tasks: Option<TasksForYou>,
}

impl AskReply {
    /// The reply to an ask, from its question and what the wait for it returned. `sent` is none if the call continued an
    /// earlier one. Returns the answers that are read by it, and their guard.
    #[must_use]
    pub fn new<G>(sent: Option<SendReply>, response: TaskResponse<G>) -> (Self, Box<[MessageId]>, G) {
        let TaskResponse { task, reason, interrupted_by, unread, tasks, delivered: read, guard } = response;
        let TaskRow { id, to, state, why, answers, more, delivered, deadline, .. } = task;
        let duplicate = sent.as_ref().is_some_and(|sent| sent.duplicate);
        let reply = Self {
            ask_id: id,
            to,
            state,
            why,
            answers,
            more,
            timed_out: matches!(reason, TaskReason::TimedOut | TaskReason::Draining),
            interrupted: reason == TaskReason::Interrupted,
            interrupted_by: interrupted_by.map(|by| by.to_string()),
            duplicate,
            delivered,
            deadline,
            recipient: sent.and_then(|sent| sent.recipient),
            unread,
            tasks,
        };
        (reply, read, guard)
    }
}

impl Channel {
    /// A task that a member may see.
    pub(super) fn visible_task(&self, no: u32, id: MessageId) -> Result<&Task, Refusal> {
        self.tasks.get(id).filter(|task| task.is_visible_to(no)).ok_or_else(|| task_not_found(self, id))
    }

    /// Refuses one more request that waits for a task.
    pub(super) fn check_task_waits(&self, no: u32) -> Result<(), Refusal> {
        if self.task_waits_of(no) < limits::TASK_WAITS {
            return Ok(());
        }
        Err(Refusal::limit_reached("requests of a member that wait for tasks", limits::TASK_WAITS))
    }
}

impl Operation for LookAtTask {
    type Reply = TaskOutcome;

    fn decide(&self, channel: &Channel, now: Now) -> Result<Vec<Entry>, Refusal> {
        let no = channel.sessions.member(&self.session, now.uptime_ms)?;
        channel.visible_task(no, self.id)?;
        if self.until != LookUntil::Now {
            channel.check_task_waits(no)?;
        }
        Ok(Vec::new())
    }

    fn answer(self, channel: &mut Channel, _: &[Entry], now: Now, _: &mut Effects) -> TaskOutcome {
        let Some(no) = channel.touch(&self.session, now) else { return TaskOutcome::Gone };
        let id = self.id;
        let what = match self.until {
            LookUntil::Now => WaitsFor::Change { id, seen: 0 },
            LookUntil::Changed { seen } => WaitsFor::Change { id, seen },
            LookUntil::Answered => WaitsFor::Answer { id },
        };
        channel.settle_unproven_apart(no);
        let state = channel.next_in_flight();
        let deadline_ms = now.uptime_ms + self.timeout_ms;
        let wait = TaskWait { no, what, format: self.format, deadline_ms, state };
        let is_there = channel.tasks.get(id).is_none_or(|task| wait.what.is_there(task));
        let needed_by = match self.until {
            LookUntil::Answered => channel.unread_request(no, now).cloned(),
            _ => None,
        };
        let reason = match (is_there, &needed_by) {
            (true, _) => TaskReason::Ready,
            (false, Some(_)) => TaskReason::Interrupted,
            (false, None) if channel.draining => TaskReason::Draining,
            (false, None) if self.timeout_ms == 0 => TaskReason::TimedOut,
            (false, None) => {
                channel.park_task_wait(self.waiter, wait);
                return TaskOutcome::Parked;
            }
        };
        let needed_by = needed_by.filter(|_| reason == TaskReason::Interrupted);
        let response = channel.task_response(&wait, reason, needed_by, now);
        response.map_or(TaskOutcome::Gone, |response| TaskOutcome::Answered(Box::new(response)))
    }
}
