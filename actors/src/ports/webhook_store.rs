//! The port that stores webhooks: hooks, and their deliveries.
//!
//! The deliveries of a message are part of the [`Record`](rogerrat_domain::Record) of its send: both are stored, or
//! neither.

use futures_util::future::BoxFuture;
use rogerrat_domain::webhook::{DeliveryRow, DueDelivery, Hook, HookId, HookOwner};

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

/// Stores hooks and deliveries, in the order of the calls.
pub trait WebhookStore: Send + Sync + 'static {
    /// All hooks.
    fn hooks(&self) -> BoxFuture<'static, Result<Vec<StoredHook>, LogError>>;

    /// Stores a hook. Returns false if its channel has been deleted.
    fn put_hook(&self, hook: &Hook) -> BoxFuture<'static, Result<bool, LogError>>;

    /// Deletes a hook and all its deliveries.
    fn drop_hook(&self, hook: &HookId) -> BoxFuture<'static, Result<(), LogError>>;

    /// Deletes all hooks of an owner, and their deliveries. Deleting a channel deletes its hooks already.
    fn drop_hooks(&self, owner: &HookOwner) -> BoxFuture<'static, Result<(), LogError>>;

    /// Stores deliveries that belong to no record. A delivery with the id of an earlier one replaces it, at the end of
    /// the queue.
    fn enqueue(&self, due: DueDelivery) -> BoxFuture<'static, Result<(), LogError>>;

    /// The due deliveries of a hook after the row `after`, oldest first.
    fn due(&self, hook: &HookId, after: u64, limit: usize) -> BoxFuture<'static, Result<Vec<DeliveryRow>, LogError>>;

    /// The encrypted message of a delivery; none if the delivery is done or deleted.
    fn hidden(&self, no: u64) -> BoxFuture<'static, Result<Option<Vec<u8>>, LogError>>;

    /// Updates a delivery. When it is done, its message is erased, and the oldest entries of the hook's delivery log
    /// are removed.
    fn keep(&self, hook: &HookId, row: &DeliveryRow) -> BoxFuture<'static, Result<(), LogError>>;

    /// The last deliveries of a hook, newest first.
    fn deliveries(&self, hook: &HookId, limit: usize) -> BoxFuture<'static, Result<Vec<DeliveryRow>, LogError>>;
}
