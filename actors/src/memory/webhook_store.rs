//! Webhooks in memory: the webhook store of the [`MemoryLog`](crate::MemoryLog).

use std::collections::{BTreeMap, HashMap};
use std::future::ready;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::BoxFuture;
use rogerrat_domain::webhook::{DeliveryRow, DeliveryState, DueDelivery, Hook, HookChange, HookId, HookOwner};
use rogerrat_domain::{ChannelId, limits};

use crate::ports::error::LogError;
use crate::ports::webhook_store::{HookQueues, PutHook, StoredHook, WebhookStore};

#[derive(Debug, Default)]
pub(crate) struct MemoryWebhookStore(Mutex<Tables>);

#[derive(Debug, Default)]
struct Tables {
    hooks: HashMap<HookId, Hook>,
    last_no: u64,
    rows: BTreeMap<u64, QueuedDelivery>,
}

#[derive(Debug)]
struct QueuedDelivery {
    hook: HookId,
    row: DeliveryRow,
    hidden: Option<Arc<[u8]>>,
}

impl Tables {
    fn put(&mut self, due: DueDelivery) {
        let hidden: Arc<[u8]> = due.hidden.into();
        for (hook, delivery) in due.deliveries {
            if !self.hooks.contains_key(&hook) {
                continue;
            }
            self.rows.retain(|_, kept| kept.hook != hook || kept.row.delivery.id != delivery.id);
            self.last_no += 1;
            let is_due = delivery.state == DeliveryState::Due;
            let row = DeliveryRow { no: self.last_no, bytes: if is_due { hidden.len() as u64 } else { 0 }, delivery };
            let hidden = is_due.then(|| hidden.clone());
            self.rows.insert(self.last_no, QueuedDelivery { hook: hook.clone(), row, hidden });
            self.trim(&hook);
        }
    }

    /// Removes the oldest deliveries that are done.
    fn trim(&mut self, hook: &HookId) {
        let done = self.rows.iter().filter(|(_, kept)| kept.hook == *hook && kept.hidden.is_none());
        let old: Vec<_> = done.rev().skip(limits::HOOK_LOG).map(|(no, _)| *no).collect();
        old.iter().for_each(|no| drop(self.rows.remove(no)));
    }

    /// The size of a hook's queue: number and bytes.
    fn queue(&self, hook: &HookId) -> (u64, u64) {
        let due = self.rows.values().filter(|kept| kept.hook == *hook && kept.hidden.is_some());
        due.fold((0, 0), |(due, bytes), kept| (due + 1, bytes + kept.row.bytes))
    }

    fn stored(&self, hook: &Hook) -> StoredHook {
        let (due, bytes) = self.queue(&hook.id);
        StoredHook { hook: hook.clone(), due, bytes }
    }

    fn put_hook(&mut self, hook: &Hook, most: Option<usize>) -> PutHook {
        let is_alike = |known: &&Hook| known.owner == hook.owner && known.push.is_some() == hook.push.is_some();
        let is_new = !self.hooks.contains_key(&hook.id);
        if is_new && most.is_some_and(|most| self.hooks.values().filter(is_alike).count() >= most) {
            return PutHook::Full;
        }
        self.hooks.insert(hook.id.clone(), hook.clone());
        PutHook::Done
    }

    fn drop_hook(&mut self, hook: &HookId) {
        self.hooks.remove(hook);
        self.rows.retain(|_, kept| kept.hook != *hook);
    }

    fn drop_hooks(&mut self, owner: &HookOwner) {
        let gone: Vec<_> =
            self.hooks.values().filter(|hook| hook.owner == *owner).map(|hook| hook.id.clone()).collect();
        gone.iter().for_each(|hook| self.drop_hook(hook));
    }
}

impl MemoryWebhookStore {
    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn put(&self, due: DueDelivery) {
        self.tables().put(due);
    }

    pub(crate) fn forget_channel(&self, channel: &ChannelId) {
        let mut tables = self.tables();
        tables.drop_hooks(&HookOwner::Channel(channel.clone()));
        tables.rows.retain(|_, kept| kept.row.delivery.channel.as_ref() != Some(channel));
    }
}

fn done<T: Send + 'static>(value: T) -> BoxFuture<'static, Result<T, LogError>> {
    Box::pin(ready(Ok(value)))
}

impl WebhookStore for MemoryWebhookStore {
    fn hooks(&self) -> BoxFuture<'static, Result<Vec<StoredHook>, LogError>> {
        let tables = self.tables();
        done(tables.hooks.values().map(|hook| tables.stored(hook)).collect())
    }

    fn hook(&self, hook: &HookId) -> BoxFuture<'static, Result<Option<StoredHook>, LogError>> {
        let tables = self.tables();
        done(tables.hooks.get(hook).map(|hook| tables.stored(hook)))
    }

    fn queues(&self) -> BoxFuture<'static, Result<HookQueues, LogError>> {
        let tables = self.tables();
        let queue = |hook: &HookId| {
            let (due, bytes) = tables.queue(hook);
            (due > 0).then(|| (hook.clone(), due, bytes))
        };
        done(tables.hooks.keys().filter_map(queue).collect())
    }

    fn put_hook(&self, hook: &Hook, most: Option<usize>) -> BoxFuture<'static, Result<PutHook, LogError>> {
        done(self.tables().put_hook(hook, most))
    }

    fn change_hook(&self, hook: &HookId, change: HookChange) -> BoxFuture<'static, Result<Option<Hook>, LogError>> {
        let mut tables = self.tables();
        done(tables.hooks.get_mut(hook).map(|hook| {
            change.apply(hook);
            hook.clone()
        }))
    }

    fn drop_hook(&self, hook: &HookId) -> BoxFuture<'static, Result<(), LogError>> {
        self.tables().drop_hook(hook);
        done(())
    }

    fn drop_hooks(&self, owner: &HookOwner) -> BoxFuture<'static, Result<(), LogError>> {
        self.tables().drop_hooks(owner);
        done(())
    }

    fn enqueue(&self, due: DueDelivery) -> BoxFuture<'static, Result<(), LogError>> {
        self.put(due);
        done(())
    }

    fn due(&self, hook: &HookId, after: u64, limit: usize) -> BoxFuture<'static, Result<Vec<DeliveryRow>, LogError>> {
        let tables = self.tables();
        let due = tables.rows.range(after + 1..).filter(|(_, kept)| kept.hook == *hook && kept.hidden.is_some());
        done(due.take(limit).map(|(_, kept)| kept.row.clone()).collect())
    }

    fn hidden(&self, no: u64) -> BoxFuture<'static, Result<Option<Vec<u8>>, LogError>> {
        done(self.tables().rows.get(&no).and_then(|kept| kept.hidden.as_ref()).map(|hidden| hidden.to_vec()))
    }

    fn keep(&self, hook: &HookId, row: &DeliveryRow) -> BoxFuture<'static, Result<(), LogError>> {
        let mut tables = self.tables();
        if let Some(kept) = tables.rows.get_mut(&row.no) {
            kept.row.delivery = row.delivery.clone();
            if row.delivery.state != DeliveryState::Due {
                kept.hidden = None;
                kept.row.bytes = 0;
                tables.trim(hook);
            }
        }
        done(())
    }

    fn deliveries(&self, hook: &HookId, limit: usize) -> BoxFuture<'static, Result<Vec<DeliveryRow>, LogError>> {
        let tables = self.tables();
        let of_hook = tables.rows.values().rev().filter(|kept| kept.hook == *hook);
        done(of_hook.take(limit).map(|kept| kept.row.clone()).collect())
    }
}
