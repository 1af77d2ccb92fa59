//! What can go wrong in a running hub, beside what the domain refuses.

use rogerrat_domain::{Code, Hint, Refusal};

use crate::ports::log::LogError;

/// Why an operation was not done, or is not known to be.
#[derive(Clone, Debug, thiserror::Error)]
pub enum HubError {
    /// The domain refused; nothing changed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A queue on the way is full, the channel's mailbox or the log's; nothing changed.
    #[error("a queue is full")]
    Busy,
    /// The channel went down while it had the operation: it may or may not have happened.
    #[error("the channel went down in the middle of it")]
    OutcomeUnknown,
    /// The log could not keep it; nothing was delivered.
    #[error("the log could not keep it")]
    StorageFailed,
    /// A part of the hub does not answer.
    #[error("the hub is going down")]
    Gone,
}

impl From<LogError> for HubError {
    fn from(error: LogError) -> Self {
        match error {
            LogError::Busy => Self::Busy,
            LogError::Unknown(_) => Self::OutcomeUnknown,
            LogError::Damaged(_) | LogError::Failed(_) => Self::StorageFailed,
        }
    }
}

impl HubError {
    /// What a fault of the log is to who asked. What failed is told to the operator, unless there was only no time for it.
    pub(crate) fn of_log(failed: &'static str) -> impl Fn(LogError) -> Self {
        move |error| {
            if !matches!(error, LogError::Busy) {
                log::error!(error:display; "{failed}");
            }
            error.into()
        }
    }

    /// The same as a refusal, with a code and what to do next.
    #[must_use]
    pub fn into_refusal(self) -> Refusal {
        match self {
            Self::Refused(refusal) => refusal,
            Self::Busy => Refusal::new(Code::Overloaded, "too much to do just now: nothing was done")
                .hint("try again in a second")
                .retry_after_ms(1000),
            Self::OutcomeUnknown => {
                Refusal::new(Code::Overloaded, "the channel restarted: it may have been done or not")
                    .hint(Hint::RepeatWithIdempotencyKey)
                    .retry_after_ms(1000)
            }
            Self::StorageFailed => Refusal::new(Code::StorageFailed, "it could not be stored: nothing was delivered"),
            Self::Gone => Refusal::new(Code::Overloaded, "the hub is going down").retry_after_ms(2000),
        }
    }
}
