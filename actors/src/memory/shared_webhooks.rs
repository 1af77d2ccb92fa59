//! The webhooks of a [`SharedMemoryLog`](crate::SharedMemoryLog): an instance that has ended writes nothing, and changes of
//! hooks are written with their facts.

use std::cell::Cell;

use futures_util::future::BoxFuture;
use rogerrat_domain::webhook::{DeliveryRow, DueDelivery, Hook, HookChange, HookId, HookOwner};

use super::shared_log::{MemoryInstance, UnitResult, done, now};
use crate::ports::error::LogError;
use crate::ports::facts::Fact;
use crate::ports::log::Log as _;
use crate::ports::webhook_store::{HookQueues, PutHook, StoredHook, WebhookStore};

impl MemoryInstance {
    /// Runs a write of webhooks, and writes its fact.
    fn write_webhooks<T: Send + 'static>(
        &self,
        write: impl FnOnce(&dyn WebhookStore) -> BoxFuture<'static, Result<T, LogError>>,
        fact: impl FnOnce(&T) -> Option<Fact>,
    ) -> BoxFuture<'static, Result<T, LogError>> {
        let mut ownership = self.shared.ownership();
        if ownership.has_ended(self.id) {
            return done(Err(LogError::Ended));
        }
        let written = now(write(self.shared.log.webhooks())).unwrap_or(Err(LogError::Busy));
        if let Some(fact) = written.as_ref().ok().and_then(fact) {
            self.shared.write_fact(&mut ownership, fact);
        }
        done(written)
    }

    fn stored_webhooks(&self) -> &dyn WebhookStore {
        self.shared.log.webhooks()
    }
}

impl WebhookStore for MemoryInstance {
    fn hooks(&self) -> BoxFuture<'static, Result<Vec<StoredHook>, LogError>> {
        self.stored_webhooks().hooks()
    }

    fn hook(&self, hook: &HookId) -> BoxFuture<'static, Result<Option<StoredHook>, LogError>> {
        self.stored_webhooks().hook(hook)
    }

    fn queues(&self) -> BoxFuture<'static, Result<HookQueues, LogError>> {
        self.stored_webhooks().queues()
    }

    fn put_hook(&self, hook: &Hook, most: Option<usize>) -> BoxFuture<'static, Result<PutHook, LogError>> {
        let fact = |put: &PutHook| (*put == PutHook::Done).then(|| Fact::Hook { hook: hook.id.clone() });
        self.write_webhooks(|store| store.put_hook(hook, most), fact)
    }

    fn change_hook(&self, hook: &HookId, change: HookChange) -> BoxFuture<'static, Result<Option<Hook>, LogError>> {
        let fact = Cell::new(None);
        let write = |store: &dyn WebhookStore| {
            let before = now(store.hook(hook)).and_then(Result::ok).flatten();
            fact.set(before.and_then(|before| Fact::of_hook_change(&before.hook, &change)));
            store.change_hook(hook, change)
        };
        self.write_webhooks(write, |changed| fact.take().filter(|_| changed.is_some()))
    }

    fn drop_hook(&self, hook: &HookId) -> BoxFuture<'static, UnitResult> {
        self.write_webhooks(|store| store.drop_hook(hook), |()| Some(Fact::Hook { hook: hook.clone() }))
    }

    fn drop_hooks(&self, owner: &HookOwner) -> BoxFuture<'static, UnitResult> {
        self.write_webhooks(|store| store.drop_hooks(owner), |()| Some(Fact::HooksRemoved { owner: owner.clone() }))
    }

    fn enqueue(&self, due: DueDelivery) -> BoxFuture<'static, UnitResult> {
        self.write_webhooks(|store| store.enqueue(due), |()| None)
    }

    fn due(&self, hook: &HookId, after: u64, limit: usize) -> BoxFuture<'static, Result<Vec<DeliveryRow>, LogError>> {
        self.stored_webhooks().due(hook, after, limit)
    }

    fn hidden(&self, no: u64) -> BoxFuture<'static, Result<Option<Vec<u8>>, LogError>> {
        self.stored_webhooks().hidden(no)
    }

    fn keep(&self, hook: &HookId, row: &DeliveryRow) -> BoxFuture<'static, UnitResult> {
        self.write_webhooks(|store| store.keep(hook, row), |()| None)
    }

    fn deliveries(&self, hook: &HookId, limit: usize) -> BoxFuture<'static, Result<Vec<DeliveryRow>, LogError>> {
        self.stored_webhooks().deliveries(hook, limit)
    }
}
