//! Clients that wait for a task: for a change, for an answer, or for work to take.

use std::sync::Arc;

use crate::Now;
use crate::callsign::Callsign;
use crate::channel::waiters::PendingAnswer;
use crate::channel::{Channel, ClaimState, DeliveredMessage, Effect, Effects};
use crate::delivery_token::DeliveryToken;
use crate::entry::{AckMode, TaskMark};
use crate::ids::{MemberNo, MessageId, WaiterId};
use crate::message::task::TaskState;
use crate::message::{Kind, Message};
use crate::op::TasksForYou;

use super::{AnswersFormat, KeptMessage, Task, TaskRow};

/// What a client waits for.
#[derive(Clone, Debug)]
pub(crate) enum WaitsFor {
    /// A change of the task after this time of its last one.
    Change { id: MessageId, seen: u64 },
    /// The end of the task, or a question of whoever does it.
    Answer { id: MessageId },
    /// Work that its member can take.
    Work { thread: Option<Box<str>> },
}

/// A client that waits for a task.
#[derive(Debug)]
pub(crate) struct TaskWait {
    pub(crate) no: MemberNo,
    pub(crate) what: WaitsFor,
    pub(crate) format: AnswersFormat,
    pub(crate) deadline_ms: u64,
    /// The state in which answers are claimed for it.
    pub(crate) state: ClaimState,
}

/// Why a wait for a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskReason {
    /// What it waited for is there.
    Ready,
    /// The timeout passed, or the session ended.
    TimedOut,
    /// Another member needs something from the waiting one first.
    Interrupted,
    /// The hub is shutting down.
    Draining,
}

/// A task as one of its viewers gets it. `G` guards the delivery of its answers to its poster: if it is dropped before it
/// is completed, they stay unread.
#[derive(Debug)]
pub struct TaskResponse<G = Option<DeliveryToken>> {
    /// The task.
    pub task: TaskRow,
    /// Why the wait ended.
    pub reason: TaskReason,
    /// Who needs something first, if it was interrupted.
    pub interrupted_by: Option<Callsign>,
    /// The viewer's unread messages, counted up to one read.
    pub unread: usize,
    /// The tasks that are for the viewer, if there are any.
    pub tasks: Option<TasksForYou>,
    /// The answers that the viewer reads by it.
    pub delivered: Box<[MessageId]>,
    /// Complete it when the bytes have been written.
    pub guard: G,
}

impl<G> TaskResponse<G> {
    /// The same response with another guard, made from this one.
    pub fn map_guard<H>(self, wrap: impl FnOnce(G) -> H) -> TaskResponse<H> {
        let Self { task, reason, interrupted_by, unread, tasks, delivered, guard } = self;
        TaskResponse { task, reason, interrupted_by, unread, tasks, delivered, guard: wrap(guard) }
    }
}

impl TaskWait {
    fn task(&self) -> Option<MessageId> {
        match self.what {
            WaitsFor::Change { id, .. } | WaitsFor::Answer { id } => Some(id),
            WaitsFor::Work { .. } => None,
        }
    }
}

impl WaitsFor {
    /// Whether there is nothing to wait for.
    pub(crate) fn is_there(&self, task: &Task) -> bool {
        match self {
            Self::Change { seen, .. } => task.updated_at_ms != *seen,
            Self::Answer { .. } => task.state.is_closed() || task.state == TaskState::Input,
            Self::Work { .. } => false,
        }
    }
}

impl Channel {
    /// Parks a client that waits for a task.
    pub(crate) fn park_task_wait(&mut self, id: WaiterId, wait: TaskWait) {
        self.tasks.check_at_ms = self.tasks.check_at_ms.min(wait.deadline_ms);
        self.tasks.waits.insert(id, wait);
    }

    /// How many requests of a member wait for tasks.
    pub(crate) fn task_waits_of(&self, no: MemberNo) -> usize {
        self.tasks.waits.values().filter(|wait| wait.no == no).count()
    }

    /// Answers those that wait for a change of a task, and has those that wait for work look again.
    pub(super) fn task_changed(&mut self, id: MessageId, now: Now, effects: &mut Effects) {
        self.note_task(id, now);
        if self.tasks.waits.is_empty() {
            return;
        }
        let Some(task) = self.tasks.get(id) else { return };
        let mut ended = Vec::new();
        for (waiter, wait) in &self.tasks.waits {
            let is_there = match &wait.what {
                WaitsFor::Work { thread } => task.is_free_for(wait.no, thread.as_deref()),
                what => wait.task() == Some(id) && what.is_there(task),
            };
            if is_there {
                ended.push(*waiter);
            }
        }
        for waiter in ended {
            self.end_task_wait(waiter, TaskReason::Ready, None, now, effects);
        }
    }

    /// Claims a reply to a question for the client of its poster that waits for it, so that nothing else reads it.
    pub(super) fn claim_for_asker(&mut self, id: MessageId, message: &Arc<Message>, now: Now) {
        if self.tasks.waits.is_empty() {
            return;
        }
        let Some(task) = self.tasks.get(id).filter(|task| task.answers.iter().any(|kept| kept.id == message.id)) else {
            return;
        };
        let no = task.from.no;
        let mut waits = self.tasks.waits.values();
        let wait = waits.find(|wait| wait.no == no && matches!(wait.what, WaitsFor::Answer { id: of } if of == id));
        let Some(state) = wait.map(|wait| wait.state).filter(|_| message.is_readable_by(no)) else { return };
        if self.member(no).is_some_and(|member| member.consumers[0].remaining_claims() > 0) {
            let delivered = DeliveredMessage { message: message.clone(), attempt: 1, own: false };
            self.claim(no, None, std::slice::from_ref(&delivered), state, now);
        }
    }

    /// Ends the asks of a member that somebody needs something from: a task for it arrived, or a message of the member that
    /// it asked which is no reply to the question. Otherwise two members could wait for each other.
    pub(in crate::channel) fn interrupt_asks(
        &mut self,
        mark: Option<&TaskMark>,
        message: &Message,
        now: Now,
        effects: &mut Effects,
    ) {
        let Some(no) = message.to.filter(|to| *to != message.from && message.kind == Kind::Message) else { return };
        let mut ended = Vec::new();
        for (waiter, wait) in self.tasks.waits.iter().filter(|(_, wait)| wait.no == no) {
            let WaitsFor::Answer { id } = wait.what else { continue };
            let is_needed = match mark {
                Some(TaskMark::Opens { .. }) => true,
                Some(TaskMark::Moves { moves, .. }) if *moves == id => false,
                _ => self.tasks.get(id).and_then(|task| task.other_end(no)).is_some_and(|end| end.no == message.from),
            };
            if is_needed {
                ended.push(*waiter);
            }
        }
        let by = self.member(message.from).map(|member| member.callsign.clone());
        for waiter in ended {
            self.end_task_wait(waiter, TaskReason::Interrupted, by.clone(), now, effects);
        }
    }

    /// Who waits for a member: the poster of an open task for it that it has not read.
    pub(crate) fn unread_request(&self, no: MemberNo, now: Now) -> Option<&Callsign> {
        let member = self.member(no)?;
        let is_unread = |task: &&Task| {
            task.to.as_ref().is_some_and(|to| to.no == no)
                && member.held.contains(task.id())
                && !member.consumers.iter().any(|consumer| consumer.is_busy(task.id(), now.uptime_ms))
        };
        self.tasks.open().find(is_unread).map(|task| &task.from.callsign)
    }

    /// Ends the waits whose time has passed.
    pub(super) fn end_task_waits(&mut self, now: Now, effects: &mut Effects) {
        let is_over = |wait: &TaskWait| wait.deadline_ms <= now.uptime_ms;
        let ended: Vec<_> = self.tasks.waits.iter().filter(|(_, wait)| is_over(wait)).map(|(id, _)| *id).collect();
        for id in ended {
            self.end_task_wait(id, TaskReason::TimedOut, None, now, effects);
        }
    }

    /// Ends the waits of a member, or of all.
    pub(in crate::channel) fn end_all_task_waits(
        &mut self,
        of: Option<MemberNo>,
        reason: TaskReason,
        now: Now,
        effects: &mut Effects,
    ) {
        let is_of = |wait: &TaskWait| of.is_none_or(|no| wait.no == no);
        let ended: Vec<_> = self.tasks.waits.iter().filter(|(_, wait)| is_of(wait)).map(|(id, _)| *id).collect();
        for id in ended {
            self.end_task_wait(id, reason, None, now, effects);
        }
    }

    fn end_task_wait(
        &mut self,
        id: WaiterId,
        reason: TaskReason,
        by: Option<Callsign>,
        now: Now,
        effects: &mut Effects,
    ) {
        let Some(wait) = self.tasks.get_mut().and_then(|tasks| tasks.waits.remove(&id)) else { return };
        let response = self.task_response(&wait, reason, by, now);
        let leaves_some = response.as_ref().is_some_and(|response| response.task.more > 0);
        effects.push(Effect::Task(id, response.map(Box::new)));
        if leaves_some {
            self.offer_to(wait.no, now, effects);
        }
    }

    /// Removes a wait whose client has gone. What was claimed for it is due again.
    pub(in crate::channel) fn cancel_task_wait(&mut self, id: WaiterId, now: Now, effects: &mut Effects) {
        let Some(wait) = self.tasks.get_mut().and_then(|tasks| tasks.waits.remove(&id)) else { return };
        if let Some(consumer) = self.consumer_mut(wait.no, None) {
            consumer.return_undelivered(wait.state);
        }
        self.offer_to(wait.no, now, effects);
    }

    /// What a client gets that waited for a task; none if it waited for work or the task is gone. The answers count as read
    /// by its poster when the response was taken, and only they.
    pub(crate) fn task_response(
        &mut self,
        wait: &TaskWait,
        reason: TaskReason,
        interrupted_by: Option<Callsign>,
        now: Now,
    ) -> Option<TaskResponse> {
        let task = self.tasks.get(wait.task()?)?;
        let row = self.task_row(task, Some(wait.format));
        let shown = task.answers_in(wait.format);
        let due = if task.from.no == wait.no { self.unread_answers(shown, wait, now) } else { Vec::new() };
        if row.more > 0
            && let Some(consumer) = self.consumer_mut(wait.no, None)
        {
            // What was claimed for this wait and does not fit is due.
            consumer.return_undelivered(wait.state);
        }
        let delivered = due.iter().map(|delivered| delivered.message.id).collect();
        let guard = (!due.is_empty()).then(|| self.deliver_apart(wait, &due, now));
        let unread = self.unread(wait.no, now);
        let tasks = self.tasks_for_you(wait.no);
        Some(TaskResponse { task: row, reason, interrupted_by, unread, tasks, delivered, guard })
    }

    /// The answers that their reader has not read and that no other read delivers now.
    fn unread_answers(&self, shown: &[KeptMessage], wait: &TaskWait, now: Now) -> Vec<DeliveredMessage> {
        let Some(member) = self.member(wait.no) else { return Vec::new() };
        let consumer = &member.consumers[0];
        let mut capacity = consumer.remaining_claims();
        let is_due = |message: &&Arc<Message>| {
            let id = message.id;
            let claim = consumer.claim(id);
            let is_here = member.held.contains(id) || id > consumer.cursor && self.ring.get(id).is_some();
            match claim {
                Some(claim) if claim.state == wait.state => true,
                Some(claim) => !claim.is_busy(now.uptime_ms),
                None => is_here && message.is_readable_by(wait.no),
            }
        };
        let answers = shown.iter().filter_map(|kept| kept.message.as_ref()).filter(is_due);
        let delivered = answers.take_while(|message| {
            let fits = consumer.claim(message.id).is_some() || capacity > 0;
            capacity = capacity.saturating_sub(1);
            fits
        });
        let attempt = |id| consumer.next_attempt(id);
        delivered
            .map(|message| DeliveredMessage { message: message.clone(), attempt: attempt(message.id), own: false })
            .collect()
    }

    /// A new look takes back what an earlier one of the same member delivered without proof.
    pub(crate) fn settle_unproven_apart(&mut self, no: MemberNo) {
        if self.waiters.has_unproven() {
            self.waiters.take_unproven_apart(no).iter().for_each(|answer| self.take_back(answer));
        }
    }

    /// Records that the answer to a taking is on its way.
    pub(crate) fn begin_taking(&mut self, no: MemberNo, id: MessageId, fence: u32) -> DeliveryToken {
        let (token, handle) = DeliveryToken::pair(self.waiters.decisions(), no, None);
        self.tasks.takings.push((handle, id, fence));
        token
    }

    /// Begins the delivery of messages that leaves the cursor where it is.
    fn deliver_apart(&mut self, wait: &TaskWait, messages: &[DeliveredMessage], now: Now) -> DeliveryToken {
        self.claim(wait.no, None, messages, wait.state, now);
        let (token, handle) = DeliveryToken::pair(self.waiters.decisions(), wait.no, None);
        self.waiters.pending_answers.push(PendingAnswer {
            handle,
            state: wait.state,
            no: wait.no,
            consumer: None,
            ids: messages.iter().map(|delivered| delivered.message.id).collect(),
            gap: None,
            ack_mode: AckMode::Read,
            is_apart: true,
        });
        token
    }
}
