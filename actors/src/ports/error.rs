//! Why a storage port failed.

/// Why the log could not be read or written.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LogError {
    /// The stored data is corrupt.
    #[error("the log is damaged: {0}")]
    Damaged(String),
    /// The operation failed.
    #[error("the log failed: {0}")]
    Failed(String),
    /// The record may or may not be stored.
    #[error("the outcome of the write is unknown: {0}")]
    Unknown(String),
    /// The caller does not own the channel; nothing was stored.
    #[error("another hub owns the channel")]
    NotOwner,
    /// The caller is an instance that has ended, or was declared to have; nothing was stored.
    #[error("this instance of the hub has ended")]
    Ended,
    /// The queue of the log is full.
    #[error("the log is too busy")]
    Busy,
}
