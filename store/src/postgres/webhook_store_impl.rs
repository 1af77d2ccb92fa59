//! [`WebhookStore`] for [`PostgresStore`].

use std::future::ready;

use futures_util::future::BoxFuture;
use rogerrat_actors::{Fact, HookQueues, LogError, PutHook, StoredHook, WebhookStore};
use rogerrat_domain::webhook::{DeliveryRow, DeliveryState, DueDelivery, Hook, HookChange, HookId, HookOwner};

use super::cluster_rows::{check_alive, write_facts};
use super::queue::Run;
use super::{PostgresStore, webhook_rows};
use crate::shared::rows::DueDeliveryRows;

/// What a row of the tables of webhooks takes beside its JSON in the write queue, in bytes; an estimate.
const ROW_BYTES: usize = 160;

type Written<T> = BoxFuture<'static, Result<T, LogError>>;

fn encoding_failed<T: Send + 'static>(error: &serde_json::Error) -> Written<T> {
    Box::pin(ready(Err(LogError::Failed(error.to_string()))))
}

impl PostgresStore {
    /// Runs a write, unless this instance has ended.
    fn write_alive<T: Send + 'static>(&self, bytes: usize, mut run: impl Run<T>) -> Written<T> {
        let me = self.channel_writer.instance;
        let written = self.write(bytes, move |db| {
            let writing = run(db);
            Box::pin(async move {
                match check_alive(db, me).await? {
                    Ok(()) => Ok(Ok(writing.await?)),
                    Err(error) => Ok(Err(error)),
                }
            })
        });
        Box::pin(async move { written.await? })
    }
}

impl WebhookStore for PostgresStore {
    fn hooks(&self) -> Written<Vec<StoredHook>> {
        self.read(|db| Box::pin(webhook_rows::hooks(db)))
    }

    fn hook(&self, hook: &HookId) -> Written<Option<StoredHook>> {
        let hook = hook.clone();
        self.read(move |db| {
            let hook = hook.clone();
            Box::pin(async move { webhook_rows::hook(db, hook.as_str()).await })
        })
    }

    fn queues(&self) -> Written<HookQueues> {
        self.read(|db| Box::pin(webhook_rows::queues(db)))
    }

    fn put_hook(&self, hook: &Hook, most: Option<usize>) -> Written<PutHook> {
        let json = match serde_json::to_vec(hook) {
            Ok(json) => json,
            Err(error) => return encoding_failed(&error),
        };
        let (id, owner) = (hook.id.clone(), hook.owner.clone());
        self.write_alive(json.len() + ROW_BYTES, move |db| {
            let (id, owner, json) = (id.clone(), owner.clone(), json.clone());
            Box::pin(async move {
                let put = webhook_rows::put_hook(db, id.as_str(), &owner, most, &json).await?;
                if put == PutHook::Done {
                    write_facts(db, &[Fact::Hook { hook: id }]).await?;
                }
                Ok(put)
            })
        })
    }

    fn change_hook(&self, hook: &HookId, change: HookChange) -> Written<Option<Hook>> {
        let hook = hook.clone();
        self.write_alive(ROW_BYTES, move |db| {
            let (hook, change) = (hook.clone(), change.clone());
            Box::pin(async move {
                let Some((before, after)) = webhook_rows::change_hook(db, hook.as_str(), &change).await? else {
                    return Ok(None);
                };
                let facts: Vec<_> = Fact::of_hook_change(&before, &change).into_iter().collect();
                write_facts(db, &facts).await?;
                Ok(Some(after))
            })
        })
    }

    fn drop_hook(&self, hook: &HookId) -> Written<()> {
        let hook = hook.clone();
        self.write_alive(ROW_BYTES, move |db| {
            let hook = hook.clone();
            Box::pin(async move {
                webhook_rows::drop_hook(db, hook.as_str()).await?;
                write_facts(db, &[Fact::Hook { hook }]).await
            })
        })
    }

    fn drop_hooks(&self, owner: &HookOwner) -> Written<()> {
        let owner = owner.clone();
        self.write_alive(ROW_BYTES, move |db| {
            let owner = owner.clone();
            Box::pin(async move {
                webhook_rows::drop_hooks_of(db, &owner).await?;
                write_facts(db, &[Fact::HooksRemoved { owner }]).await
            })
        })
    }

    fn enqueue(&self, due: DueDelivery) -> Written<()> {
        let due = match DueDeliveryRows::encode(due) {
            Ok(due) => std::sync::Arc::new(due),
            Err(error) => return encoding_failed(&error),
        };
        self.write_alive(due.bytes(), move |db| {
            let due = due.clone();
            Box::pin(async move { webhook_rows::enqueue(db, &[&due]).await })
        })
    }

    fn due(&self, hook: &HookId, after: u64, limit: usize) -> Written<Vec<DeliveryRow>> {
        let hook = hook.clone();
        self.read(move |db| {
            let hook = hook.clone();
            Box::pin(async move { webhook_rows::due(db, hook.as_str(), after, limit).await })
        })
    }

    fn hidden(&self, no: u64) -> Written<Option<Vec<u8>>> {
        self.read(move |db| Box::pin(webhook_rows::payload(db, no)))
    }

    fn keep(&self, hook: &HookId, row: &DeliveryRow) -> Written<()> {
        let json = match serde_json::to_vec(&row.delivery) {
            Ok(json) => json,
            Err(error) => return encoding_failed(&error),
        };
        let (no, hook, is_done) = (row.no, hook.clone(), row.delivery.state != DeliveryState::Due);
        self.write_alive(json.len() + ROW_BYTES, move |db| {
            let (hook, json) = (hook.clone(), json.clone());
            Box::pin(async move { webhook_rows::update_delivery(db, no, hook.as_str(), &json, is_done).await })
        })
    }

    fn deliveries(&self, hook: &HookId, limit: usize) -> Written<Vec<DeliveryRow>> {
        let hook = hook.clone();
        self.read(move |db| {
            let hook = hook.clone();
            Box::pin(async move { webhook_rows::deliveries(db, hook.as_str(), limit).await })
        })
    }
}
