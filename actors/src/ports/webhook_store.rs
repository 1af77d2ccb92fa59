//! The port that stores webhooks: hooks, and their deliveries.
//!
//! The deliveries of a message are part of the [`Record`](rogerrat_domain::Record) of its send: both are stored, or
//! neither.

use futures_util::future::BoxFuture;
use rogerrat_domain::webhook::{DeliveryRow, DueDelivery, Hook, HookChange, HookId, HookOwner};

use crate::ports::error::LogError;

/// A stored hook, and the size of its queue.
#[derive(Clone, Debug)]
pub struct StoredHook {
    /// The hook.
    pub hook: Hook,
    /// Deliveries that are due.
    pub due: u64,
    /// Bytes of the messages of those deliveries.
    pub bytes: u64,
}

/// The sizes of the queues of hooks: the number of due deliveries of each, and the bytes of their messages.
pub type HookQueues = Vec<(HookId, u64, u64)>;

/// The result of storing a hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PutHook {
    /// It is stored.
    Done,
    /// Its channel or account does not exist any more; nothing was stored.
    NoOwner,
    /// Its owner has as many of them as it may; nothing was stored.
    Full,
}

/// Stores hooks and deliveries, in the order of the calls.
///
/// In a shared log, each write is refused with [`LogError::Ended`] if the caller is an instance that has ended, and each
/// change of hooks is written with its [fact](crate::Fact). Deliveries cause none.
pub trait WebhookStore: Send + Sync + 'static {
    /// All hooks, and the sizes of their queues.
    fn hooks(&self) -> BoxFuture<'static, Result<Vec<StoredHook>, LogError>>;

    /// A hook, and the size of its queue.
    fn hook(&self, hook: &HookId) -> BoxFuture<'static, Result<Option<StoredHook>, LogError>>;

    /// The hooks with due deliveries, and the sizes of their queues.
    fn queues(&self) -> BoxFuture<'static, Result<HookQueues, LogError>>;

    /// Stores a new hook, unless its owner has `most` of the same type, webhook or push subscription; or replaces the one
    /// with its id.
    fn put_hook(&self, hook: &Hook, most: Option<usize>) -> BoxFuture<'static, Result<PutHook, LogError>>;

    /// Changes the stored hook, whatever else has changed it before, and returns it. None if it does not exist.
    fn change_hook(&self, hook: &HookId, change: HookChange) -> BoxFuture<'static, Result<Option<Hook>, LogError>>;

    /// Deletes a hook and all its deliveries.
    fn drop_hook(&self, hook: &HookId) -> BoxFuture<'static, Result<(), LogError>>;

    /// Deletes all hooks of an owner, and their deliveries. Deleting a channel deletes its hooks already.
    fn drop_hooks(&self, owner: &HookOwner) -> BoxFuture<'static, Result<(), LogError>>;

    /// Stores deliveries that belong to no record. A delivery with the id of an earlier one replaces it, at the end of
    /// the queue.
    fn enqueue(&self, due: DueDelivery) -> BoxFuture<'static, Result<(), LogError>>;

    /// The due deliveries of a hook after the row `after`, oldest first. Rows of a hook become visible in the order of their
    /// numbers: after a row was read, none of the hook with a lower number appears any more.
    fn due(&self, hook: &HookId, after: u64, limit: usize) -> BoxFuture<'static, Result<Vec<DeliveryRow>, LogError>>;

    /// The encrypted message of a delivery; none if the delivery is done or deleted.
    fn hidden(&self, no: u64) -> BoxFuture<'static, Result<Option<Vec<u8>>, LogError>>;

    /// Updates a delivery. When it is done, its message is erased, and the oldest entries of the hook's delivery log
    /// are removed.
    fn keep(&self, hook: &HookId, row: &DeliveryRow) -> BoxFuture<'static, Result<(), LogError>>;

    /// The last deliveries of a hook, newest first.
    fn deliveries(&self, hook: &HookId, limit: usize) -> BoxFuture<'static, Result<Vec<DeliveryRow>, LogError>>;
}
