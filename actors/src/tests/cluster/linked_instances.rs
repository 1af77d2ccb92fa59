//! Instances and webhooks as a hub of the simulation reaches them: by the same link as the log.

use std::time::Duration;

use futures_util::future::BoxFuture;
use rogerrat_domain::ChannelId;
use rogerrat_domain::webhook::{DeliveryRow, DueDelivery, Hook, HookChange, HookId, HookOwner};

use super::linked_log::LinkedLog;
use crate::{
    Fact, Facts, HookQueues, Instance, InstanceId, Instances, Lane, Lanes, Log as _, LogError, PutHook, StoredHook,
    WebhookStore,
};

/// How late facts are, so that hubs change places while they do not know of each other's changes.
const FACTS_DELAY: Duration = Duration::from_millis(700);

type Answer<T> = BoxFuture<'static, Result<T, LogError>>;

impl Instances for LinkedLog {
    fn this(&self) -> InstanceId {
        self.inner.this()
    }

    fn beat(&self) -> Answer<()> {
        self.ask(|inner, _| inner.beat())
    }

    fn owner(&self, channel: &ChannelId) -> Answer<Option<Instance>> {
        let channel = channel.clone();
        self.ask(move |inner, _| inner.owner(&channel))
    }

    fn end_if_dead(&self, instance: InstanceId) -> Answer<bool> {
        self.ask(move |inner, _| inner.end_if_dead(instance))
    }

    fn end(&self) -> Answer<()> {
        self.ask(|inner, _| inner.end())
    }

    fn living(&self) -> Answer<Vec<Instance>> {
        self.ask(|inner, _| inner.living())
    }

    fn declared_ended(&self) -> u64 {
        self.inner.declared_ended()
    }

    fn take_lanes(&self, most: usize) -> Answer<Lanes> {
        self.ask(move |inner, _| inner.take_lanes(most))
    }

    fn give_up_lanes(&self, lanes: Lanes) -> Answer<()> {
        self.ask(move |inner, _| inner.give_up_lanes(lanes))
    }

    fn lane_holder(&self, lane: Lane) -> Answer<Option<Instance>> {
        self.ask(move |inner, _| inner.lane_holder(lane))
    }

    fn last_fact(&self) -> Answer<u64> {
        self.ask(|inner, _| inner.last_fact())
    }

    fn facts_after(&self, after: u64) -> Answer<Facts> {
        let facts = self.ask(move |inner, _| inner.facts_after(after));
        Box::pin(async move {
            tokio::time::sleep(FACTS_DELAY).await;
            facts.await
        })
    }

    fn facts_written(&self) -> BoxFuture<'static, ()> {
        self.inner.facts_written()
    }

    fn write_fact(&self, fact: Fact) -> Answer<()> {
        self.ask(move |inner, _| inner.write_fact(fact))
    }

    fn put_meta_once(&self, name: &'static str, text: String) -> Answer<String> {
        self.ask(move |inner, _| inner.put_meta_once(name, text))
    }

    fn swap_row(
        &self,
        kind: &'static str,
        name: String,
        before: Option<String>,
        after: Option<String>,
    ) -> Answer<bool> {
        self.ask(move |inner, _| inner.swap_row(kind, name, before, after))
    }
}

impl WebhookStore for LinkedLog {
    fn hooks(&self) -> Answer<Vec<StoredHook>> {
        self.ask(|inner, _| inner.webhooks().hooks())
    }

    fn hook(&self, hook: &HookId) -> Answer<Option<StoredHook>> {
        let hook = hook.clone();
        self.ask(move |inner, _| inner.webhooks().hook(&hook))
    }

    fn queues(&self) -> Answer<HookQueues> {
        self.ask(|inner, _| inner.webhooks().queues())
    }

    fn put_hook(&self, hook: &Hook, most: Option<usize>) -> Answer<PutHook> {
        let hook = hook.clone();
        self.ask(move |inner, _| inner.webhooks().put_hook(&hook, most))
    }

    fn change_hook(&self, hook: &HookId, change: HookChange) -> Answer<Option<Hook>> {
        let hook = hook.clone();
        self.ask(move |inner, _| inner.webhooks().change_hook(&hook, change))
    }

    fn drop_hook(&self, hook: &HookId) -> Answer<()> {
        let hook = hook.clone();
        self.ask(move |inner, _| inner.webhooks().drop_hook(&hook))
    }

    fn drop_hooks(&self, owner: &HookOwner) -> Answer<()> {
        let owner = owner.clone();
        self.ask(move |inner, _| inner.webhooks().drop_hooks(&owner))
    }

    fn enqueue(&self, due: DueDelivery) -> Answer<()> {
        self.ask(move |inner, _| inner.webhooks().enqueue(due))
    }

    fn due(&self, hook: &HookId, after: u64, limit: usize) -> Answer<Vec<DeliveryRow>> {
        let hook = hook.clone();
        self.ask(move |inner, _| inner.webhooks().due(&hook, after, limit))
    }

    fn hidden(&self, no: u64) -> Answer<Option<Vec<u8>>> {
        self.ask(move |inner, _| inner.webhooks().hidden(no))
    }

    fn keep(&self, hook: &HookId, row: &DeliveryRow) -> Answer<()> {
        let (hook, row) = (hook.clone(), row.clone());
        self.ask(move |inner, _| inner.webhooks().keep(&hook, &row))
    }

    fn deliveries(&self, hook: &HookId, limit: usize) -> Answer<Vec<DeliveryRow>> {
        let hook = hook.clone();
        self.ask(move |inner, _| inner.webhooks().deliveries(&hook, limit))
    }
}
