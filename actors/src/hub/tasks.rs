//! Tasks: asking, looking at one, and taking work.

use rogerrat_domain::op::{AskReply, LookAtTask, LookUntil, Send, Take, TakeOutcome, TakenTask};
use rogerrat_domain::{AnswersFormat, MessageId, SessionId, TaskResponse};

use super::{Admitted, Hub, lost};
use crate::channel::delivery::{DeliveryGuard, WaitGuard};
use crate::channel::messages::{Look, TakeWork};
use crate::deliberate_fault::{DeliberateFault, is_broken};
use crate::error::HubError;

/// A task as its viewer gets it. Complete its guard when the bytes have been written.
pub type LookAnswer = TaskResponse<DeliveryGuard>;

/// A task that was taken. If its guard is dropped before it is completed, the task is open again.
pub type TakenWork = TakenTask<DeliveryGuard>;

/// The reply to an ask, the answers that are read by it, and their guard.
pub type AskAnswer = (AskReply, Box<[MessageId]>, DeliveryGuard);

/// Which task to look at, and until when.
#[derive(Clone, Copy, Debug)]
pub struct TaskLook {
    /// The task.
    pub id: MessageId,
    /// Until when it waits.
    pub until: LookUntil,
    /// How it shows the answers. Those that do not fit stay unread.
    pub format: AnswersFormat,
    /// How long it waits at most, in milliseconds.
    pub timeout_ms: u64,
}

impl TaskLook {
    /// The task as it is now, with its whole answers.
    #[must_use]
    pub fn now(id: MessageId) -> Self {
        Self { id, until: LookUntil::Now, format: AnswersFormat::default(), timeout_ms: 0 }
    }
}

impl Hub {
    /// Asks: sends a question and waits for its answers. The same question is not sent twice while the first is open.
    ///
    /// # Errors
    /// A refusal of the send, or of the wait.
    pub async fn question(
        &self,
        at: &Admitted,
        send: Send,
        format: AnswersFormat,
        timeout_ms: u64,
    ) -> Result<AskAnswer, HubError> {
        let session = send.session.clone();
        let sent = self.send(at, send).await?;
        let look = TaskLook { id: sent.id, until: LookUntil::Answered, format, timeout_ms };
        let response = self.look_at_task(at, session, look).await?;
        Ok(AskReply::new(Some(sent), response))
    }

    /// Continues to wait for the answers to a question.
    ///
    /// # Errors
    /// `not_found` if the caller may not see it; a refusal of the session.
    pub async fn continue_question(
        &self,
        at: &Admitted,
        session: SessionId,
        id: MessageId,
        format: AnswersFormat,
        timeout_ms: u64,
    ) -> Result<AskAnswer, HubError> {
        let look = TaskLook { id, until: LookUntil::Answered, format, timeout_ms };
        let response = self.look_at_task(at, session, look).await?;
        Ok(AskReply::new(None, response))
    }

    /// A task, at once or when it has changed.
    ///
    /// # Errors
    /// `not_found` if the caller may not see it; `limit_reached` if too many requests of its member wait.
    pub async fn look_at_task(
        &self,
        at: &Admitted,
        session: SessionId,
        look: TaskLook,
    ) -> Result<LookAnswer, HubError> {
        let TaskLook { id, until, format, timeout_ms } = look;
        let deadline_ms = self.shared.clock.uptime_ms() + timeout_ms;
        let mut left_ms = timeout_ms;
        loop {
            let waiter = self.waiter_id();
            let look = LookAtTask { session: session.clone(), id, until, format, timeout_ms: left_ms, waiter };
            let mut parked = WaitGuard { waiter, handle: at.0.clone(), answered: false };
            let answer = self.dispatcher.call(&at.0, look, Look).await;
            parked.answered = true;
            // An actor that stopped while the look was parked has delivered nothing: look again.
            if let Some(Some(response)) = answer?.transpose()? {
                return Ok(response.map_guard(|token| DeliveryGuard::new(token, at.0.clone())));
            }
            left_ms = deadline_ms.saturating_sub(self.shared.clock.uptime_ms());
        }
    }

    /// Takes a task, waiting for one up to the timeout of the operation. None if there is none.
    ///
    /// # Errors
    /// `task_taken`, `task_closed`, `fence_stale`, `forbidden`, or a refusal of the session.
    pub async fn take(&self, at: &Admitted, take: Take) -> Result<Option<TakenWork>, HubError> {
        let deadline_ms = self.shared.clock.uptime_ms() + take.timeout_ms;
        let mut left_ms = take.timeout_ms;
        let lease_ms = if is_broken(DeliberateFault::ShortLease) { take.lease_ms / 10 } else { take.lease_ms };
        loop {
            let waiter = self.waiter_id();
            let next = Take { lease_ms, timeout_ms: left_ms, waiter, ..take.clone() };
            let mut parked = WaitGuard { waiter, handle: at.0.clone(), answered: false };
            let answer = self.dispatcher.call(&at.0, next, TakeWork).await;
            parked.answered = true;
            // Whether an actor that stopped has taken one is not known, so it is not tried again.
            match answer?.ok_or_else(|| lost(at))?? {
                Some(TakeOutcome::Taken(taken)) => {
                    return Ok(Some(taken.map_guard(|token| DeliveryGuard::new(token, at.0.clone()))));
                }
                Some(TakeOutcome::Nothing(_)) => return Ok(None),
                // There may be work now, or the time is over.
                Some(TakeOutcome::Parked) | None => {}
            }
            left_ms = deadline_ms.saturating_sub(self.shared.clock.uptime_ms());
        }
    }
}
