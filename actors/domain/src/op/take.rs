//! Taking work: one winner, because operations run one after the other.

use std::sync::Arc;

use crate::Now;
use crate::channel::{
    AnswersFormat, Channel, Effects, Task, TaskReason, TaskRow, TaskWait, WaitsFor, table_closed, table_stale,
    table_taken,
};
use crate::delivery_token::DeliveryToken;
use crate::entry::Entry;
use crate::ids::{MemberNo, MessageId, SessionId, WaiterId};
use crate::message::Message;
use crate::message::task::{TaskState, Wants};
use crate::op::Operation;
use crate::refusal::{Code, Refusal};

/// Takes a task, or renews the lease of one.
#[derive(Clone, Debug)]
pub struct Take {
    /// The member's session.
    pub session: SessionId,
    /// The task; none for the oldest that the member can take, those for it by name first.
    pub id: Option<MessageId>,
    /// The fence of a task that it has: its lease is renewed. None takes it, again if it has it already.
    pub fence: Option<u32>,
    /// The length of the lease, in milliseconds.
    pub lease_ms: u64,
    /// Only tasks of this thread.
    pub thread: Option<Box<str>>,
    /// How long to wait for a task, in milliseconds. Not with an id.
    pub timeout_ms: u64,
    /// The id under which it is parked.
    pub waiter: WaiterId,
}

/// A task that was taken. `G` guards the answer: if it is dropped before it is completed, the task is open again.
#[derive(Debug)]
pub struct TakenTask<G = Option<DeliveryToken>> {
    /// The task.
    pub task: TaskRow,
    /// The message that opened it.
    pub message: Option<Arc<Message>>,
    /// The number of this taking.
    pub fence: u32,
    /// When the lease ends, in milliseconds since the epoch.
    pub lease_until: u64,
    /// Complete it when the bytes of the answer have been written.
    pub guard: G,
}

/// The result of taking.
#[derive(Debug)]
pub enum TakeOutcome {
    /// It was taken.
    Taken(Box<TakenTask>),
    /// There is nothing to take.
    Nothing(TaskReason),
    /// It waits. [`Effect::Task`](crate::Effect::Task) follows when it should try again.
    Parked,
}

impl<G> TakenTask<G> {
    /// The same answer with another guard, made from this one.
    pub fn map_guard<H>(self, wrap: impl FnOnce(G) -> H) -> TakenTask<H> {
        let Self { task, message, fence, lease_until, guard } = self;
        TakenTask { task, message, fence, lease_until, guard: wrap(guard) }
    }
}

impl Take {
    /// The fence of taking a certain task.
    fn fence_of(&self, task: &Task, no: MemberNo) -> Result<u32, Refusal> {
        if task.wants != Wants::Work {
            return Err(Refusal::invalid("only work is taken").hint("answer a question by a reply to it"));
        }
        if task.state.is_closed() {
            return Err(table_closed(task));
        }
        match self.fence {
            Some(fence) if task.is_held_by(no) && fence == task.fence => return Ok(fence),
            // The current fence of another member is no older one of this member.
            Some(fence) if task.holder.is_some() && fence == task.fence => return Err(table_taken(task)),
            Some(_) => return Err(table_stale(task)),
            None => {}
        }
        if !task.is_held_by(no) {
            if task.holder.is_some() {
                return Err(table_taken(task));
            }
            if task.from.no == no {
                let text = "the poster of a task cannot take it";
                return Err(
                    Refusal::new(Code::Forbidden, text).hint("withdraw it with a reply `cancelled`, or wait for it")
                );
            }
            if !task.is_for(no) {
                let text = "this task is for another member";
                return Err(Refusal::new(Code::Forbidden, text).hint("take the next one, without an id"));
            }
        }
        Ok(task.fence + 1)
    }

    /// The next task that the member can take.
    fn next<'c>(&self, channel: &'c Channel, no: MemberNo) -> Option<&'c Task> {
        let free = || channel.tasks.open().filter(|task| task.is_free_for(no, self.thread.as_deref()));
        free().find(|task| task.to.is_some()).or_else(|| free().next())
    }
}

impl Operation for Take {
    type Reply = TakeOutcome;

    fn decide(&self, channel: &Channel, now: Now) -> Result<Vec<Entry>, Refusal> {
        let no = channel.sessions.member(&self.session, now.uptime_ms)?;
        let task = match self.id {
            Some(id) => Some(channel.visible_task(no, id)?),
            None => self.next(channel, no),
        };
        let Some(task) = task else {
            channel.check_task_waits(no)?;
            return Ok(Vec::new());
        };
        let fence = self.fence_of(task, no)?;
        Ok(vec![Entry::Taken { no, id: task.id(), fence, lease_ms: self.lease_ms, at_ms: now.at_ms }])
    }

    fn answer(self, channel: &mut Channel, entries: &[Entry], now: Now, _: &mut Effects) -> TakeOutcome {
        let Some(no) = channel.touch(&self.session, now) else { return TakeOutcome::Nothing(TaskReason::TimedOut) };
        let Some(Entry::Taken { id, fence, .. }) = entries.first() else {
            if channel.draining {
                return TakeOutcome::Nothing(TaskReason::Draining);
            }
            if self.timeout_ms == 0 {
                return TakeOutcome::Nothing(TaskReason::TimedOut);
            }
            let (deadline_ms, state) = (now.uptime_ms + self.timeout_ms, channel.next_in_flight());
            channel.park_task_wait(
                self.waiter,
                TaskWait {
                    no,
                    what: WaitsFor::Work { thread: self.thread },
                    format: AnswersFormat::default(),
                    deadline_ms,
                    state,
                },
            );
            return TakeOutcome::Parked;
        };
        let Some(task) = channel.tasks.get(*id) else { return TakeOutcome::Nothing(TaskReason::TimedOut) };
        let (message, lease_until) = (task.question.message.clone(), task.lease_until_ms);
        let is_new = self.fence.is_none() && task.state == TaskState::Held;
        let task = channel.task_row(task, Some(AnswersFormat::default()));
        let guard = is_new.then(|| channel.begin_taking(no, *id, *fence));
        TakeOutcome::Taken(Box::new(TakenTask { task, message, fence: *fence, lease_until, guard }))
    }
}
