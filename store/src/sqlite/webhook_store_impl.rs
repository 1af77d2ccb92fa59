//! [`WebhookStore`] for [`Store`].

use std::future::ready;

use futures_util::future::BoxFuture;
use rogerrat_actors::{HookQueues, LogError, PutHook, StoredHook, WebhookStore};
use rogerrat_domain::webhook::{DeliveryRow, DeliveryState, DueDelivery, Hook, HookChange, HookId, HookOwner};

use super::write_request::{WriteOp, WriteOutcome};
use super::{Store, webhook_rows};
use crate::shared::rows::{DueDeliveryRows, WebhookWrite};

type UnitResult = Result<(), LogError>;

fn encoding_failed<T: Send + 'static>(error: &serde_json::Error) -> BoxFuture<'static, Result<T, LogError>> {
    Box::pin(ready(Err(LogError::Failed(error.to_string()))))
}

impl WebhookStore for Store {
    fn hooks(&self) -> BoxFuture<'static, Result<Vec<StoredHook>, LogError>> {
        self.readers.query(webhook_rows::hooks)
    }

    fn hook(&self, hook: &HookId) -> BoxFuture<'static, Result<Option<StoredHook>, LogError>> {
        let hook = hook.clone();
        self.readers.query(move |connection| webhook_rows::hook(connection, &hook))
    }

    fn queues(&self) -> BoxFuture<'static, Result<HookQueues, LogError>> {
        self.readers.query(webhook_rows::queues)
    }

    fn put_hook(&self, hook: &Hook, most: Option<usize>) -> BoxFuture<'static, Result<PutHook, LogError>> {
        let json = match serde_json::to_vec(hook) {
            Ok(json) => json,
            Err(error) => return encoding_failed(&error),
        };
        let write = WebhookWrite::PutHook { hook: hook.id.clone(), owner: hook.owner.clone(), most, json };
        let written = self.write_with_outcome(WriteOp::Webhook(write));
        Box::pin(async move {
            Ok(match written.await? {
                WriteOutcome::Conflict => PutHook::NoOwner,
                WriteOutcome::Account(_) => PutHook::Full,
                _ => PutHook::Done,
            })
        })
    }

    fn change_hook(&self, hook: &HookId, change: HookChange) -> BoxFuture<'static, Result<Option<Hook>, LogError>> {
        let changed = self.write_unless_conflict(WriteOp::Webhook(WebhookWrite::ChangeHook(hook.clone(), change)));
        let (hook, readers) = (hook.clone(), self.readers.clone());
        Box::pin(async move {
            if !changed.await? {
                return Ok(None);
            }
            let stored = readers.query(move |connection| webhook_rows::hook(connection, &hook)).await?;
            Ok(stored.map(|stored| stored.hook))
        })
    }

    fn drop_hook(&self, hook: &HookId) -> BoxFuture<'static, UnitResult> {
        self.write(WriteOp::Webhook(WebhookWrite::DropHook(hook.to_string())))
    }

    fn drop_hooks(&self, owner: &HookOwner) -> BoxFuture<'static, UnitResult> {
        self.write(WriteOp::Webhook(WebhookWrite::DropHooksOf(owner.to_string())))
    }

    fn enqueue(&self, due: DueDelivery) -> BoxFuture<'static, UnitResult> {
        match DueDeliveryRows::encode(due) {
            Ok(due) => self.write(WriteOp::Webhook(WebhookWrite::Enqueue(due))),
            Err(error) => encoding_failed(&error),
        }
    }

    fn due(&self, hook: &HookId, after: u64, limit: usize) -> BoxFuture<'static, Result<Vec<DeliveryRow>, LogError>> {
        let hook = hook.clone();
        self.readers.query(move |connection| webhook_rows::due(connection, hook.as_str(), after, limit))
    }

    fn hidden(&self, no: u64) -> BoxFuture<'static, Result<Option<Vec<u8>>, LogError>> {
        self.readers.query(move |connection| webhook_rows::payload(connection, no))
    }

    fn keep(&self, hook: &HookId, row: &DeliveryRow) -> BoxFuture<'static, UnitResult> {
        let json = match serde_json::to_vec(&row.delivery) {
            Ok(json) => json,
            Err(error) => return encoding_failed(&error),
        };
        let is_done = row.delivery.state != DeliveryState::Due;
        self.write(WriteOp::Webhook(WebhookWrite::UpdateDelivery { no: row.no, hook: hook.to_string(), json, is_done }))
    }

    fn deliveries(&self, hook: &HookId, limit: usize) -> BoxFuture<'static, Result<Vec<DeliveryRow>, LogError>> {
        let hook = hook.clone();
        self.readers.query(move |connection| webhook_rows::deliveries(connection, hook.as_str(), limit))
    }
}
