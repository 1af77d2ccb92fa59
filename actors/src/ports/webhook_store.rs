//! The port to what webhooks need kept: hooks, and the deliveries that are due or were.
//!
//! Deliveries of messages come with the [`Record`](rogerrat_domain::Record) of the send: both are kept, or neither.

use futures_util::future::BoxFuture;
use rogerrat_domain::webhook::{DeliveryRow, DueDelivery, Hook, HookId, Owner};

use crate::ports::log::LogError;

/// A hook, and how much is due for it.
#[derive(Clone, Debug)]
pub struct StoredHook {
    /// The hook.
    pub hook: Hook,
    /// Deliveries due.
    pub due: u64,
    /// Bytes of their messages.
    pub bytes: u64,
}

/// Keeps hooks and deliveries, in the order of the calls.
pub trait WebhookStore: Send + Sync + 'static {
    /// All hooks.
    fn hooks(&self) -> BoxFuture<'static, Result<Vec<StoredHook>, LogError>>;

    /// Keeps a hook as it is now. False if its channel is gone.
    fn put_hook(&self, hook: &Hook) -> BoxFuture<'static, Result<bool, LogError>>;

    /// Lets a hook go, and all its deliveries.
    fn drop_hook(&self, hook: &HookId) -> BoxFuture<'static, Result<(), LogError>>;

    /// Lets all hooks of an owner go, and their deliveries. The hooks of a channel go with it by themselves.
    fn drop_hooks(&self, owner: &Owner) -> BoxFuture<'static, Result<(), LogError>>;

    /// Keeps deliveries that belong to no record. One with the id of an earlier one takes its place, at the end.
    fn enqueue(&self, due: DueDelivery) -> BoxFuture<'static, Result<(), LogError>>;

    /// What is due for a hook after a row, oldest first.
    fn due(&self, hook: &HookId, after: u64, limit: usize) -> BoxFuture<'static, Result<Vec<DeliveryRow>, LogError>>;

    /// The hidden message of a delivery; none when it is done or gone.
    fn hidden(&self, no: u64) -> BoxFuture<'static, Result<Option<Vec<u8>>, LogError>>;

    /// Keeps how it stands with a delivery. Where it is done its message is erased, and old ones of the hook go.
    fn keep(&self, hook: &HookId, row: &DeliveryRow) -> BoxFuture<'static, Result<(), LogError>>;

    /// The last deliveries of a hook, newest first.
    fn deliveries(&self, hook: &HookId, limit: usize) -> BoxFuture<'static, Result<Vec<DeliveryRow>, LogError>>;
}
