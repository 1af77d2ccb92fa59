//! What a send is to tasks: whether it opens one, or replies to one and what it does to it.

use sha2::{Digest as _, Sha256};

use super::Send;
use crate::callsign::ALL;
use crate::channel::{Channel, Member, Task, Verdict, judge};
use crate::entry::TaskMark;
use crate::ids::{MemberNo, MessageId};
use crate::message::task::{TaskReference, TaskStep, Wants};
use crate::message::{Kind, MessageJson};
use crate::op::draft::NewTask;
use crate::refusal::{Code, Refusal};
use crate::{Now, limits};

/// What a send is to tasks, and for whom it is.
pub(super) struct Addressed<'a> {
    pub(super) recipient: Option<&'a Member>,
    pub(super) mark: Option<Box<TaskMark>>,
}

/// The refusal for a task that does not exist any more or never did, or that the caller may not see.
pub(crate) fn task_not_found(channel: &Channel, id: MessageId) -> Refusal {
    const TASKS_CLOSED: usize = limits::TASKS_CLOSED;
    let refusal = Refusal::new(Code::NotFound, "task not found").field("task");
    if id > channel.last_id() {
        refusal.hint("no message of this channel has that id: use the id that the send or the ask returned")
    } else if channel.tasks.keep_no_more_closed() {
        refusal.hint(format!(
            "it may have been closed: only the newest {TASKS_CLOSED} closed tasks of a channel are kept, each for a day; its \
             message is in the history"
        ))
    } else {
        refusal.hint(
            "a closed task is kept for a day; without durability a restart ends all tasks; one that was not sent to all is \
             shown to its ends only",
        )
    }
}

impl Send {
    /// The question that this send would repeat: one with the same words to the same member that is still open.
    pub(super) fn same_question<'c>(&self, channel: &'c Channel, sender: MemberNo) -> Option<&'c Task> {
        self.draft.task.as_ref().filter(|task| task.is_ask)?;
        // A recipient that does not exist is refused later.
        let recipient = channel.recipient(&self.draft.to).ok()?;
        channel.tasks.same_question(channel.member(sender)?, &self.words(recipient))
    }

    /// Determines the recipient, and what the send is to tasks.
    pub(super) fn addressed<'c>(
        &self,
        channel: &'c Channel,
        sender: &Member,
        now: Now,
    ) -> Result<Addressed<'c>, Refusal> {
        let draft = &self.draft;
        if draft.states().is_some() {
            return Ok(Addressed { recipient: None, mark: None });
        }
        if draft.task.is_none() && (draft.reply_to.is_none() || channel.tasks.have_none()) {
            return Ok(Addressed { recipient: self.recipient(channel, sender.no)?, mark: None });
        }
        if let Some(new) = draft.task.as_ref().and_then(|task| task.opens) {
            let recipient = channel.recipient(&draft.to)?;
            self.check_new(channel, sender, recipient, new)?;
            let words = self.words(recipient);
            let NewTask { wants: opens, deadline_ms, answers, quiet } = new;
            let mark = TaskMark::Opens { opens, deadline_ms: now.at_ms + deadline_ms, answers, quiet, words };
            return Ok(Addressed { recipient, mark: Some(Box::new(mark)) });
        }
        let (step, fence) = draft.task.as_ref().map_or((None, None), |task| (task.step, task.fence));
        let task = draft.reply_to.and_then(|id| channel.tasks.get(id)).filter(|task| task.is_visible_to(sender.no));
        let Some(task) = task else {
            if step.is_some() {
                return Err(task_not_found(channel, draft.reply_to.unwrap_or_default()));
            }
            return Ok(Addressed { recipient: self.recipient(channel, sender.no)?, mark: None });
        };
        let recipient = match (draft.to.is_empty(), task.other_end(sender.no)) {
            (true, Some(end)) => channel.recipient(end.callsign.as_str())?,
            _ => channel.recipient(&draft.to)?,
        };
        // A status is not stored, so it changes nothing.
        if draft.kind == Kind::Status {
            return Ok(Addressed { recipient, mark: None });
        }
        let state = match judge(task, sender.no, step, fence)? {
            Verdict::Ordinary => return Ok(Addressed { recipient, mark: None }),
            Verdict::Does(step) => Some(step),
            Verdict::Resumes => None,
        };
        Ok(Addressed { recipient, mark: Some(Box::new(TaskMark::Moves { moves: task.id(), state })) })
    }

    /// For whom a message is that replies to no task that is kept. Without `to`, a reply to one that is not kept any more goes
    /// to its other end as long as its message is in memory: what was asked in private is not answered to all.
    fn recipient<'c>(&self, channel: &'c Channel, sender: MemberNo) -> Result<Option<&'c Member>, Refusal> {
        let to = &*self.draft.to;
        let replied_to = self.draft.reply_to.filter(|_| to.is_empty()).and_then(|id| channel.ring.get(id));
        let question = replied_to.filter(|slot| slot.message.as_ref().is_some_and(|message| message.wants.is_some()));
        // Quiet work is addressed to its poster.
        let end = question.and_then(|slot| match (slot.from, slot.to?) {
            (from, to) if from == to => None,
            (from, to) if to == sender => Some(from),
            (from, to) if from == sender => Some(to),
            _ => None,
        });
        let Some(end) = end else { return channel.recipient(to) };
        channel.member(end).map(Some).ok_or_else(|| {
            Refusal::new(Code::UnknownRecipient, "the other end of that task is no member any more")
                .hint("say for whom it is: `to`")
        })
    }

    fn check_new(
        &self,
        channel: &Channel,
        sender: &Member,
        recipient: Option<&Member>,
        new: NewTask,
    ) -> Result<(), Refusal> {
        if recipient.is_some_and(|member| member.no == sender.no) {
            return Err(Refusal::invalid("a task is for somebody else").hint("send it to another member, or to `all`"));
        }
        if channel.settings.is_band && new.wants == Wants::Work {
            return Err(Refusal::new(Code::Forbidden, "a band has no work").hint("create a channel for it"));
        }
        let open = || channel.tasks.open();
        if open().count() >= limits::TASKS_OPEN {
            return Err(Refusal::limit_reached("open tasks of a channel", limits::TASKS_OPEN));
        }
        if open().filter(|task| task.from.no == sender.no).count() >= limits::TASKS_OPEN_MEMBER {
            return Err(Refusal::limit_reached("open tasks that a member has posted", limits::TASKS_OPEN_MEMBER));
        }
        Ok(())
    }

    /// Whether a full mailbox of its recipient is no reason to refuse the message: a result is kept with its task, and a step
    /// without content is seen by the state of the task.
    pub(super) fn needs_no_mailbox(&self, mark: Option<&TaskMark>) -> bool {
        let Some(TaskMark::Moves { state, .. }) = mark else { return false };
        let is_result = matches!(state, Some(TaskStep::Done | TaskStep::Failed | TaskStep::Rejected));
        is_result || !self.draft.has_content()
    }

    /// Refuses a message that an open task would have to keep and that exceeds the bound. A result that closes its task is
    /// never refused: older tasks are dropped for it.
    pub(super) fn check_kept_bytes(channel: &Channel, mark: Option<&TaskMark>, bytes: usize) -> Result<(), Refusal> {
        let is_kept = match mark {
            Some(TaskMark::Opens { .. }) => true,
            Some(TaskMark::Moves { moves, state: Some(TaskStep::Done | TaskStep::Failed | TaskStep::Rejected) }) => {
                channel.tasks.get(*moves).is_some_and(|task| !task.is_closed_by_next())
            }
            _ => false,
        };
        if is_kept && channel.tasks.open_bytes() + bytes > limits::TASK_HELD_BYTES {
            return Err(Refusal::limit_reached("bytes of the open tasks of a channel", limits::TASK_HELD_BYTES));
        }
        Ok(())
    }

    /// The hash of the question: for whom it is, and its words.
    fn words(&self, recipient: Option<&Member>) -> [u8; 32] {
        let draft = &self.draft;
        let to = recipient.map_or(ALL, |member| member.callsign.as_str());
        let data = draft.task.as_ref().and_then(|task| task.data_text());
        let mut hasher = Sha256::new();
        for part in [to, draft.text.as_str(), data.unwrap_or_default()] {
            hasher.update(part.len().to_le_bytes());
            hasher.update(part);
        }
        for file in &draft.attachments {
            hasher.update(&file.data_base64);
        }
        hasher.finalize().into()
    }

    /// What the reply says of the task that the send opened or replied to.
    pub(super) fn reference(&self, channel: &Channel, no: MemberNo, id: u64) -> Option<TaskReference> {
        if channel.tasks.have_none() {
            return None;
        }
        let is_new = self.draft.task.as_ref().is_some_and(|task| task.opens.is_some());
        let id = if is_new { id } else { self.draft.reply_to? };
        Some(channel.tasks.get(id).filter(|task| task.is_visible_to(no))?.reference())
    }
}

/// Adds to the JSON of a message what it is to tasks.
pub(super) fn mark_json(json: &mut MessageJson<'_>, mark: Option<&TaskMark>) {
    match mark {
        Some(TaskMark::Opens { opens, deadline_ms, answers, .. }) => {
            json.wants = Some(*opens);
            json.deadline = Some(*deadline_ms);
            json.answers = Some(*answers).filter(|answers| *answers > 1);
        }
        Some(TaskMark::Moves { state, .. }) => json.state = state.map(Into::into),
        None => {}
    }
}
