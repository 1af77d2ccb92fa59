//! Errors of a running hub: refusals of the domain, full queues, and failures of an actor or the log.

use rogerrat_domain::{Code, Hint, Refusal, RefusalDetail};

use crate::ports::error::LogError;

/// Why an operation was not performed, or why its outcome is unknown.
#[derive(Clone, Debug, thiserror::Error)]
pub enum HubError {
    /// The domain refused the operation; nothing changed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The mailbox of the channel or the queue of the log is full; nothing changed.
    #[error("a queue is full")]
    Busy,
    /// The channel's actor stopped while it processed the operation, which may or may not have been performed.
    #[error("the channel stopped while processing the request")]
    OutcomeUnknown,
    /// Another instance of the hub owns the channel, or took it meanwhile; nothing was done. [`Hub::locate`] finds it.
    ///
    /// [`Hub::locate`]: crate::Hub::locate
    #[error("the channel has moved")]
    Moved,
    /// The log could not store it; nothing was delivered.
    #[error("the log could not store the change")]
    StorageFailed,
    /// The hub is shutting down.
    #[error("the hub is shutting down")]
    Gone,
}

impl From<LogError> for HubError {
    fn from(error: LogError) -> Self {
        match error {
            LogError::Busy => Self::Busy,
            LogError::Unknown(_) => Self::OutcomeUnknown,
            LogError::NotOwner => Self::Moved,
            LogError::Ended => Self::Gone,
            LogError::Damaged(_) | LogError::Failed(_) => Self::StorageFailed,
        }
    }
}

impl HubError {
    /// Converts an error of the log, and logs it as `failed` unless the log was only busy.
    pub(crate) fn of_log(failed: &'static str) -> impl Fn(LogError) -> Self {
        move |error| {
            if !matches!(error, LogError::Busy | LogError::NotOwner | LogError::Ended) {
                log::error!(error:display; "{failed}");
            }
            error.into()
        }
    }

    /// The error of a request that wrote nothing, but waited for an earlier write, which failed. A refusal means that the
    /// channel is being deleted, and `Moved` that nothing that waited with it was done either.
    pub(crate) fn without_write(self) -> Self {
        match self {
            Self::Refused(_) | Self::Moved => self,
            _ => Self::OutcomeUnknown,
        }
    }

    /// The error as a refusal, with a code and a hint.
    #[must_use]
    pub fn into_refusal(self) -> Refusal {
        match self {
            Self::Refused(refusal) => refusal,
            Self::Busy => Refusal::new(Code::Overloaded, "overloaded; the request was not processed")
                .hint("try again in a second")
                .retry_after_ms(1000),
            Self::OutcomeUnknown => Refusal::new(Code::Overloaded, "the channel restarted; the outcome is unknown")
                .hint(Hint::RepeatWithIdempotencyKey)
                .retry_after_ms(1000)
                .detail(RefusalDetail::OutcomeUnknown),
            Self::Moved => Refusal::new(Code::Overloaded, "the channel has moved to another hub; nothing was done")
                .hint("try again in a second")
                .retry_after_ms(1000),
            Self::StorageFailed => {
                Refusal::new(Code::StorageFailed, "the request could not be stored; nothing was delivered")
            }
            Self::Gone => Refusal::new(Code::Overloaded, "the hub is shutting down")
                .retry_after_ms(2000)
                .detail(RefusalDetail::Draining),
        }
    }
}
