//! What entries and time change of tasks. A replay runs the same code.

use std::sync::Arc;

use crate::channel::consumer::Claim;
use crate::channel::{Channel, ClaimState, Departure, Effects};
use crate::delivery_token::TokenState;
use crate::entry::{Entry, TaskMark, WhyClosed};
use crate::ids::{MemberNo, MessageId};
use crate::message::Message;
use crate::message::task::{TaskState, TaskStep, Wants};
use crate::{Now, limits};

use super::{KeptMessage, Task, TaskEnd, Tasks};

impl Task {
    fn close(&mut self, state: TaskState, why: Option<WhyClosed>) {
        self.state = state;
        self.why = why;
    }

    fn renew(&mut self, at_ms: u64) {
        self.lease_until_ms = at_ms.saturating_add(self.lease_ms);
    }

    /// Its holder loses it. The fence stays, so that a late result of that holder does not count.
    fn lose_holder(&mut self, is_attempt: bool) {
        self.holder = None;
        self.state = TaskState::Open;
        self.lost += u32::from(is_attempt);
        if self.lost >= limits::TASK_ATTEMPTS {
            self.close(TaskState::Failed, Some(WhyClosed::Attempts));
        }
    }

    /// Continues after its poster gave what was needed.
    fn resume(&mut self, at_ms: u64) {
        self.state = if self.holder.is_some() { TaskState::Held } else { TaskState::Open };
        self.renew(at_ms);
    }

    /// A result. A question to several is closed by the last answer that it wants, and is then done if any of them was.
    fn finish(&mut self, step: TaskStep, message: &Arc<Message>) {
        let state = match step {
            TaskStep::Done => TaskState::Done,
            TaskStep::Rejected => TaskState::Rejected,
            _ => TaskState::Failed,
        };
        self.answers.push(KeptMessage::new(message));
        self.answered_by.push(message.from);
        self.is_any_done |= state == TaskState::Done;
        let is_last = self.answers.len() >= self.answers_wanted as usize;
        if self.wants == Wants::Work || is_last {
            self.close(if self.is_any_done { TaskState::Done } else { state }, None);
        }
    }
}

impl Tasks {
    /// The time to record for a change: no two changes of the channel have the same.
    fn next_change_ms(&mut self, at_ms: u64) -> u64 {
        self.last_change_ms = at_ms.max(self.last_change_ms + 1);
        self.last_change_ms
    }

    /// Records that a task was changed.
    fn touch(&mut self, id: MessageId, at_ms: u64, now: Now) {
        let changed_at_ms = self.next_change_ms(at_ms);
        let Some(task) = self.rows.get_mut(&id) else { return };
        task.updated_at_ms = changed_at_ms;
        let end_ms = task.next_end_ms();
        self.check_by(end_ms, now);
    }

    /// Drops closed tasks until the bounds are met, the oldest first; `newest` is not dropped.
    fn make_space(&mut self, newest: MessageId) {
        loop {
            let closed = self.rows.values().filter(|task| task.state.is_closed());
            let is_over = self.bytes > limits::TASK_HELD_BYTES || closed.clone().count() > limits::TASKS_CLOSED;
            let oldest = closed.filter(|task| task.id() != newest).min_by_key(|task| task.updated_at_ms).map(Task::id);
            match oldest.filter(|_| is_over) {
                Some(oldest) => self.drop_row(oldest),
                None => return,
            }
        }
    }

    fn drop_row(&mut self, id: MessageId) {
        if let Some(task) = self.rows.remove(&id) {
            self.bytes -= task.bytes();
        }
    }
}

impl Channel {
    fn end_of(&self, no: MemberNo) -> Option<TaskEnd> {
        self.member(no).map(|member| TaskEnd { no, callsign: member.callsign.clone() })
    }

    /// A message that opens or changes a task was sent. It is stored already and not offered to its readers yet.
    pub(in crate::channel) fn on_task_message(
        &mut self,
        mark: &TaskMark,
        message: &Arc<Message>,
        now: Now,
        effects: &mut Effects,
    ) {
        match mark {
            TaskMark::Opens { opens, deadline_ms, answers, quiet, words } => {
                let Some(from) = self.end_of(message.from) else { return };
                let to = message.to.filter(|_| !quiet).and_then(|to| self.end_of(to));
                let task = Task {
                    question: KeptMessage::new(message),
                    wants: *opens,
                    from,
                    public: to.is_none(),
                    to,
                    quiet: *quiet,
                    answers_wanted: *answers,
                    state: TaskState::Open,
                    deadline_ms: *deadline_ms,
                    holder: None,
                    fence: 0,
                    lease_ms: 0,
                    lease_until_ms: 0,
                    lost: 0,
                    answered_by: Vec::new(),
                    is_any_done: false,
                    answers: Vec::new(),
                    why: None,
                    updated_at_ms: self.tasks.next_change_ms(message.at_ms),
                    words: *words,
                };
                self.tasks.bytes += task.bytes();
                self.tasks.rows.insert(message.id, task);
                self.tasks.check_by(*deadline_ms, now);
                self.tasks.make_space(message.id);
                self.task_changed(message.id, now, effects);
            }
            TaskMark::Moves { moves, state } => self.on_moved(*moves, *state, message, now, effects),
        }
    }

    fn on_moved(
        &mut self,
        id: MessageId,
        step: Option<TaskStep>,
        message: &Arc<Message>,
        now: Now,
        effects: &mut Effects,
    ) {
        let to = message.to.and_then(|to| self.end_of(to));
        let Some(task) = self.tasks.rows.get_mut(&id) else { return };
        let at_ms = message.at_ms;
        let before = task.bytes();
        match step {
            None => task.resume(at_ms),
            Some(TaskStep::Working) => task.renew(at_ms),
            Some(TaskStep::Input) => task.state = TaskState::Input,
            Some(TaskStep::Cancelled) => task.close(TaskState::Cancelled, None),
            Some(TaskStep::Open) => {
                task.lose_holder(false);
                if let Some(to) = to.filter(|to| to.no != task.from.no) {
                    task.to = Some(to);
                }
            }
            Some(step) => task.finish(step, message),
        }
        self.tasks.bytes += self.tasks.rows.get(&id).map_or(0, Task::bytes) - before;
        self.tasks.touch(id, at_ms, now);
        self.tasks.make_space(id);
        self.claim_for_asker(id, message, now);
        if step == Some(TaskStep::Open) {
            self.offer_task_again(id, Some(message.from), now, effects);
        }
        self.task_changed(id, now, effects);
    }

    pub(in crate::channel) fn on_taken(&mut self, entry: &Entry, now: Now, effects: &mut Effects) {
        let Entry::Taken { no, id, fence, lease_ms, at_ms } = entry else { return };
        let Some(holder) = self.end_of(*no) else { return };
        let Some(task) = self.tasks.rows.get_mut(id) else { return };
        task.holder = Some(holder);
        task.fence = *fence;
        task.lease_ms = *lease_ms;
        task.renew(*at_ms);
        if task.state != TaskState::Input {
            task.state = TaskState::Held;
        }
        self.tasks.touch(*id, *at_ms, now);
        self.task_changed(*id, now, effects);
    }

    pub(in crate::channel) fn on_reopened(
        &mut self,
        id: MessageId,
        untaken: bool,
        at_ms: u64,
        now: Now,
        effects: &mut Effects,
    ) {
        let Some(task) = self.tasks.rows.get_mut(&id) else { return };
        task.lose_holder(!untaken);
        let is_open = task.state == TaskState::Open;
        self.tasks.touch(id, at_ms, now);
        self.tasks.make_space(id);
        if is_open && !untaken {
            self.offer_task_again(id, None, now, effects);
        }
        self.task_changed(id, now, effects);
    }

    pub(in crate::channel) fn on_closed(
        &mut self,
        id: MessageId,
        why: WhyClosed,
        at_ms: u64,
        now: Now,
        effects: &mut Effects,
    ) {
        let Some(task) = self.tasks.rows.get_mut(&id) else { return };
        let state = match why {
            WhyClosed::Deadline => TaskState::Expired,
            WhyClosed::Attempts => TaskState::Failed,
            WhyClosed::Forgotten => TaskState::Cancelled,
        };
        task.close(state, Some(why));
        self.tasks.touch(id, at_ms, now);
        self.tasks.make_space(id);
        self.task_changed(id, now, effects);
    }

    /// A member left, was renamed or lost its key: what it has taken is open again. A session that expires changes nothing,
    /// because the lease counts.
    pub(in crate::channel) fn tasks_of_departed(
        &mut self,
        no: MemberNo,
        how: Departure,
        now: Now,
        effects: &mut Effects,
    ) {
        if self.tasks.have_none() || how == Departure::Expired {
            return;
        }
        self.give_up_held(no, now, effects);
    }

    /// A member was removed: what it has taken is open again, and what it posted is cancelled.
    pub(in crate::channel) fn tasks_of_forgotten(&mut self, no: MemberNo, now: Now, effects: &mut Effects) {
        if self.tasks.have_none() {
            return;
        }
        self.give_up_held(no, now, effects);
        for id in self.tasks.open().filter(|task| task.from.no == no).map(Task::id).collect::<Vec<_>>() {
            self.on_closed(id, WhyClosed::Forgotten, now.at_ms, now, effects);
        }
    }

    fn give_up_held(&mut self, no: MemberNo, now: Now, effects: &mut Effects) {
        for id in self.tasks.open().filter(|task| task.is_held_by(no)).map(Task::id).collect::<Vec<_>>() {
            self.on_reopened(id, false, now.at_ms, now, effects);
        }
    }

    /// Makes the message of a task due again to those whom it is for, except one of them.
    fn offer_task_again(&mut self, id: MessageId, except: Option<MemberNo>, now: Now, effects: &mut Effects) {
        let Some(task) = self.tasks.get(id).filter(|task| !task.quiet) else { return };
        let readers: Vec<_> = match &task.to {
            Some(to) => vec![to.no],
            None => self.members.keys().copied().filter(|no| *no != task.from.no).collect(),
        };
        let Some(slot) = self.ring.get(id).cloned().or_else(|| task.question.slot()) else { return };
        let is_in_ring = self.ring.get(id).is_some();
        for no in readers.into_iter().filter(|no| Some(*no) != except && slot.is_readable_by(*no)) {
            let Some(member) = self.members.get_mut(&no) else { continue };
            let is_dm = slot.to.is_some();
            let is_held = member.held.contains(id);
            let fits = member.held.has_capacity_for(slot.weight_bytes());
            if is_dm && !is_held && fits {
                self.held_messages += 1;
                self.held_bytes += slot.weight_bytes();
                member.held.insert(slot.clone());
            }
            let is_due = is_held || is_dm && fits || is_in_ring;
            let Some(consumer) = member.consumers.first_mut().filter(|_| is_due) else { continue };
            let is_read = id <= consumer.cursor || is_dm && !is_held;
            if is_read && consumer.claim(id).is_none() && consumer.remaining_claims() > 0 {
                let state = ClaimState::Due;
                consumer.upsert(Claim { id, state, attempt: 2, is_dm, is_own: false, is_reread: false });
            }
            self.offer_to(no, now, effects);
        }
    }

    /// Lets time pass for the tasks.
    pub(in crate::channel) fn tick_tasks(&mut self, now: Now, effects: &mut Effects) {
        if !self.tasks.takings.is_empty() {
            self.settle_takings(now, effects);
        }
        if now.uptime_ms < self.tasks.check_at_ms() {
            return;
        }
        let Some(tasks) = self.tasks.get_mut() else { return };
        let mut ended = Vec::new();
        let mut dropped = Vec::new();
        for task in tasks.rows.values().filter(|task| task.next_end_ms() <= now.at_ms) {
            let (id, at_ms) = (task.id(), now.at_ms);
            match task.state {
                state if state.is_closed() => dropped.push(id),
                _ if task.deadline_ms <= now.at_ms => {
                    ended.push(Entry::Closed { id, why: WhyClosed::Deadline, at_ms });
                }
                _ => ended.push(Entry::Reopened { id, untaken: false, at_ms }),
            }
        }
        dropped.into_iter().for_each(|id| tasks.drop_row(id));
        for entry in ended {
            self.apply(&entry, now, effects);
            effects.log(entry);
        }
        self.end_task_waits(now, effects);
        let Some(tasks) = self.tasks.get_mut() else { return };
        tasks.check_at_ms = tasks.waits.values().map(|wait| wait.deadline_ms).min().unwrap_or(u64::MAX);
        for end_ms in tasks.rows.values().map(Task::next_end_ms).collect::<Vec<_>>() {
            tasks.check_by(end_ms, now);
        }
    }

    /// Gives back tasks whose taking was answered to a client that did not read the answer.
    pub(in crate::channel) fn give_back_untaken(
        &mut self,
        no: MemberNo,
        tasks: &[MessageId],
        now: Now,
        effects: &mut Effects,
    ) {
        for id in tasks {
            let is_held = |task: &Task| task.is_held_by(no) && task.state == TaskState::Held;
            if self.tasks.get(*id).is_some_and(is_held) {
                let entry = Entry::Reopened { id: *id, untaken: true, at_ms: now.at_ms };
                self.apply(&entry, now, effects);
                effects.log(entry);
            }
        }
    }

    /// A taking whose answer nobody received is given back.
    fn settle_takings(&mut self, now: Now, effects: &mut Effects) {
        let takings = self.tasks.takings.extract_if(.., |(handle, ..)| handle.state() != TokenState::Pending);
        for (handle, id, fence) in takings.collect::<Vec<_>>() {
            let is_current =
                self.tasks.get(id).is_some_and(|task| task.fence == fence && task.state == TaskState::Held);
            if is_current && matches!(handle.state(), TokenState::Returned | TokenState::TakenBack) {
                let entry = Entry::Reopened { id, untaken: true, at_ms: now.at_ms };
                self.apply(&entry, now, effects);
                effects.log(entry);
            }
        }
    }
}
