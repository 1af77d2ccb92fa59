//! The port by which hubs that share a log know of each other: instances, and owners of channels.
//!
//! Everything here is decided in the log, by transactions, and with its clock. No instance watches another: whoever needs
//! one that does not answer [declares it ended](Instances::end_if_dead) (ADR 44).

use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use rogerrat_domain::ChannelId;

use crate::ports::error::LogError;

/// How often an instance records that it is alive, in milliseconds.
pub const BEAT_EVERY_MS: u64 = 1_000;
/// An instance that has not recorded that it is alive for this long, in milliseconds, may be declared ended.
pub const DEAD_AFTER_MS: u64 = 10_000;

/// The number of an instance: one start of a hub on a shared log. It is never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InstanceId(pub u64);

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// An instance that has not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// Its number.
    pub id: InstanceId,
    /// Where other instances reach it.
    pub url: Arc<str>,
}

/// The instances that share a log. The caller is one of them.
pub trait Instances: Send + Sync {
    /// The caller.
    fn this(&self) -> InstanceId;

    /// Records that the caller is alive.
    ///
    /// # Errors
    /// `Ended` if it was declared to have ended. Then it must stop: others own its channels.
    fn beat(&self) -> BoxFuture<'static, Result<(), LogError>>;

    /// The owner of a channel; none if it has none, or one that has ended.
    fn owner(&self, channel: &ChannelId) -> BoxFuture<'static, Result<Option<Instance>, LogError>>;

    /// Declares that an instance has ended, if its connection to the log is closed or it has recorded nothing for
    /// [`DEAD_AFTER_MS`]. Returns whether it has ended.
    fn end_if_dead(&self, instance: InstanceId) -> BoxFuture<'static, Result<bool, LogError>>;

    /// Ends the caller, after it has given up its channels.
    fn end(&self) -> BoxFuture<'static, Result<(), LogError>>;
}
