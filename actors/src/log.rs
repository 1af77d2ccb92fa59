//! The port to the log: where what happened is kept.

use std::future::Future;
use std::pin::Pin;

use rogerrat_domain::{ChannelId, Record};

/// What became of an append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Appended {
    /// It is kept.
    Done,
    /// Somebody else appended first; nothing was kept.
    Conflict,
    /// It may or may not be kept.
    Unknown,
}

/// An append under way.
pub type Append = Pin<Box<dyn Future<Output = Appended> + Send>>;

/// Why a log could not be read.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the log of a channel cannot be read: {0}")]
pub struct LogError(pub String);

/// Records read from the log.
pub type Records = Pin<Box<dyn Future<Output = Result<Vec<Record>, LogError>> + Send>>;

/// Keeps the records of channels, in order, all of a record or nothing.
pub trait Log: Send + Sync + 'static {
    /// Keeps a record whose `seq` is one above the last one kept for its channel.
    fn append(&self, record: Record) -> Append;

    /// The records of a channel above a `seq`, oldest first.
    fn since(&self, channel: &ChannelId, seq: u64) -> Records;

    /// Forgets a channel that was deleted.
    fn forget(&self, channel: &ChannelId);
}
