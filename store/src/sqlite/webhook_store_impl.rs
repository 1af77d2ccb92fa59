//! [`WebhookStore`] for [`Store`].

use std::future::ready;

use futures_util::future::BoxFuture;
use rogerrat_actors::{LogError, StoredHook, WebhookStore};
use rogerrat_domain::webhook::{DeliveryRow, DeliveryState, DueDelivery, Hook, HookId, HookOwner};

use super::write_request::WriteOp;
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

    fn put_hook(&self, hook: &Hook) -> BoxFuture<'static, Result<bool, LogError>> {
        let json = match serde_json::to_vec(hook) {
            Ok(json) => json,
            Err(error) => return encoding_failed(&error),
        };
        let write = WebhookWrite::PutHook { hook: hook.id.clone(), owner: hook.owner.clone(), json };
        self.write_unless_conflict(WriteOp::Webhook(write))
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
