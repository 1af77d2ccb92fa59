//! The store as the webhooks' actor sees it.

use std::future::ready;

use futures_util::future::BoxFuture;
use rogerrat_actors::{LogError, StoredHook, WebhookStore};
use rogerrat_domain::webhook::{DeliveryRow, DeliveryState, DueDelivery, Hook, HookId, Owner};

use super::Store;
use super::job::Work;
use super::letters::{self, Bundle, Letters};

type Plain = Result<(), LogError>;

fn unwritable<T: Send + 'static>(error: &serde_json::Error) -> BoxFuture<'static, Result<T, LogError>> {
    Box::pin(ready(Err(LogError::Failed(error.to_string()))))
}

impl WebhookStore for Store {
    fn hooks(&self) -> BoxFuture<'static, Result<Vec<StoredHook>, LogError>> {
        self.readers.ask(letters::hooks)
    }

    fn put_hook(&self, hook: &Hook) -> BoxFuture<'static, Result<bool, LogError>> {
        let json = match serde_json::to_vec(hook) {
            Ok(json) => json,
            Err(error) => return unwritable(&error),
        };
        let work = Letters::Hook { hook: hook.id.clone(), owner: hook.owner.clone(), json };
        self.write_if(Work::Letters(work))
    }

    fn drop_hook(&self, hook: &HookId) -> BoxFuture<'static, Plain> {
        self.write(Work::Letters(Letters::DropHook(hook.to_string())))
    }

    fn drop_hooks(&self, owner: &Owner) -> BoxFuture<'static, Plain> {
        self.write(Work::Letters(Letters::DropHooks(owner.to_string())))
    }

    fn enqueue(&self, due: DueDelivery) -> BoxFuture<'static, Plain> {
        match Bundle::of(due) {
            Ok(bundle) => self.write(Work::Letters(Letters::Enqueue(bundle))),
            Err(error) => unwritable(&error),
        }
    }

    fn due(&self, hook: &HookId, after: u64, limit: usize) -> BoxFuture<'static, Result<Vec<DeliveryRow>, LogError>> {
        let hook = hook.clone();
        self.readers.ask(move |connection| letters::due(connection, hook.as_str(), after, limit))
    }

    fn hidden(&self, no: u64) -> BoxFuture<'static, Result<Option<Vec<u8>>, LogError>> {
        self.readers.ask(move |connection| letters::hidden(connection, no))
    }

    fn keep(&self, hook: &HookId, row: &DeliveryRow) -> BoxFuture<'static, Plain> {
        let json = match serde_json::to_vec(&row.delivery) {
            Ok(json) => json,
            Err(error) => return unwritable(&error),
        };
        let is_done = row.delivery.state != DeliveryState::Due;
        self.write(Work::Letters(Letters::Keep { no: row.no, hook: hook.to_string(), json, is_done }))
    }

    fn deliveries(&self, hook: &HookId, limit: usize) -> BoxFuture<'static, Result<Vec<DeliveryRow>, LogError>> {
        let hook = hook.clone();
        self.readers.ask(move |connection| letters::deliveries(connection, hook.as_str(), limit))
    }
}
