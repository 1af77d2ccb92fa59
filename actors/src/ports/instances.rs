//! The port by which hubs that share a log know of each other: instances, and owners of channels.
//!
//! Everything here is decided in the log, by transactions, and with its clock. No instance watches another: whoever needs
//! one that does not answer [declares it ended](Instances::end_if_dead) (ADR 44).
//!
//! Beside channels, instances divide the webhooks among them, by [lanes](Lane), and learn of each other's changes by
//! [facts](Fact) (ADR 46).

use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use rogerrat_domain::ChannelId;

use crate::ports::error::LogError;
use crate::ports::facts::{Fact, Facts};
use crate::ports::lanes::{Lane, Lanes};

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

    /// How many instances the caller has declared ended, by [`end_if_dead`](Self::end_if_dead) or
    /// [`take_lanes`](Self::take_lanes). One that another has declared ended before is not counted.
    fn declared_ended(&self) -> u64;

    /// Ends the caller, after it has given up its channels. Its lanes are free then.
    fn end(&self) -> BoxFuture<'static, Result<(), LogError>>;

    /// The instances that are alive, by number, the caller included: without those that have ended or [may be declared
    /// ended](Self::end_if_dead).
    fn living(&self) -> BoxFuture<'static, Result<Vec<Instance>, LogError>>;

    /// Takes free lanes until the caller holds `most`, and returns all that it holds now. A lane is free if no instance
    /// holds it, or one that [may be declared ended](Self::end_if_dead), which is done in the same step; but nobody has tried
    /// to reach that one, so one that may be connecting again is left alone. A lane is held by one instance at most, until
    /// that one ends or gives it up.
    ///
    /// # Errors
    /// `Ended` if the caller has ended; otherwise when the log cannot be reached, and then the caller holds what it held.
    fn take_lanes(&self, most: usize) -> BoxFuture<'static, Result<Lanes, LogError>>;

    /// Gives up lanes that the caller holds, and does not drive any more. Takes effect after every write to the
    /// [`WebhookStore`](crate::WebhookStore) that was called before: whoever takes the lane sees them.
    fn give_up_lanes(&self, lanes: Lanes) -> BoxFuture<'static, Result<(), LogError>>;

    /// The instance that holds a lane; none if it is free.
    fn lane_holder(&self, lane: Lane) -> BoxFuture<'static, Result<Option<Instance>, LogError>>;

    /// The number of the last fact; 0 if there was none. Whoever reads it first, and then the state that facts are about,
    /// misses nothing by reading the facts after it.
    fn last_fact(&self) -> BoxFuture<'static, Result<u64, LogError>>;

    /// The facts after a number, in order, at most [`FACTS_PAGE`](crate::FACTS_PAGE). Those that the caller has caused are
    /// among them. Facts become visible in the order of their numbers: after a fact was read, none with a lower number
    /// appears any more.
    fn facts_after(&self, after: u64) -> BoxFuture<'static, Result<Facts, LogError>>;

    /// Waits until a fact was written that the last [`facts_after`](Self::facts_after) has not returned. It may complete
    /// without one, and may miss one: the caller also looks every two seconds.
    fn facts_written(&self) -> BoxFuture<'static, ()>;

    /// Writes a fact that belongs to no change of the log.
    fn write_fact(&self, fact: Fact) -> BoxFuture<'static, Result<(), LogError>>;

    /// Stores a text as [`put_meta`](crate::Log::put_meta) does, unless there is one. Returns the stored one.
    fn put_meta_once(&self, name: &'static str, text: String) -> BoxFuture<'static, Result<String, LogError>>;

    /// Replaces the text of a row, as [`put_row`](crate::Log::put_row) does, if it is still `before`. None is no row.
    /// Returns whether it was.
    fn swap_row(
        &self,
        kind: &'static str,
        name: String,
        before: Option<String>,
        after: Option<String>,
    ) -> BoxFuture<'static, Result<bool, LogError>>;
}
