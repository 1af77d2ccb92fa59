//! The webhook actor: drives the outbox machine and runs its effects. It decides nothing about deliveries.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use actix::prelude::*;
use futures_util::future::BoxFuture;
use rogerrat_domain::webhook::{Hook, HookChange, HookId, HookOwner, Secret, hook_not_found};
use rogerrat_domain::{
    AccountId, Encryptor, HookHealth, IdentityRow, Outbox, OutboxEffect, OutboxEvent, Refusal, RetryPlan, limits,
};

use super::{
    DueLooks, FormatEncryptor, HookHandle, HookRegistry, LaneState, PushContext, Rotate, Subscribe, UnsavedRows,
    Unsubscribe, Wake,
};
use crate::alarm::{Alarm, Alarmed};
use crate::clock::Clock;
use crate::counters::Counters;
use crate::error::HubError;
use crate::ports::accounts::Accounts;
use crate::ports::error::LogError;
use crate::ports::lanes::Lane;
use crate::ports::log::Log;
use crate::ports::peers::PeerCalls;
use crate::ports::push_sender::PushSender;
use crate::ports::webhook_sender::WebhookSender;
use crate::ports::webhook_store::{PutHook, StoredHook};
use crate::random::{nonce, record_id, secret_bytes};

/// Messages its mailbox holds.
const MAILBOX: usize = 16_384;
/// How often hooks whose wake-up was lost are woken again.
const CHECK_EVERY: Duration = Duration::from_secs(1);
/// How often push subscriptions are checked for use.
const CHECK_UNUSED_EVERY: Duration = Duration::from_secs(3600);

/// An account and its identities.
type OwnedNames = Option<(AccountId, Vec<IdentityRow>)>;

/// Drives the deliveries of webhooks.
pub(crate) struct WebhookActor {
    pub(crate) outbox: Outbox,
    pub(crate) effects: Vec<OutboxEffect>,
    pub(crate) hooks: Arc<HookRegistry>,
    pub(crate) log: Arc<dyn Log>,
    pub(crate) accounts: Arc<dyn Accounts>,
    pub(crate) webhook_sender: Arc<dyn WebhookSender>,
    pub(crate) push_sender: Arc<dyn PushSender>,
    /// Set once the hub has started.
    pub(crate) push_context: Arc<OnceLock<Box<dyn PushContext>>>,
    pub(crate) clock: Clock,
    pub(crate) counters: Arc<Counters>,
    pub(crate) messages: Encryptor,
    pub(crate) secrets: Encryptor,
    pub(crate) formats: FormatEncryptor,
    pub(crate) alarm: Alarm,
    pub(crate) lanes: LaneState,
    pub(crate) unsaved: UnsavedRows,
    pub(crate) looks: DueLooks,
    /// The other instances; set once the hub has started.
    pub(crate) peers: Arc<OnceLock<Arc<dyn PeerCalls>>>,
}

impl Actor for WebhookActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(MAILBOX);
        ctx.run_interval(CHECK_EVERY, |this, ctx| {
            if this.hooks.missed.swap(false, Relaxed) {
                this.wake_all(ctx);
            }
        });
        ctx.run_interval(CHECK_UNUSED_EVERY, Self::check_unused);
        if self.log.instances().is_some() {
            return self.schedule_lanes(ctx);
        }
        for handle in self.hooks.all() {
            self.open(&handle.hook(), ctx);
            self.resume_look(&handle, ctx);
        }
        self.wake_all(ctx);
    }
}

impl WebhookActor {
    fn wake_all(&mut self, ctx: &mut Context<Self>) {
        for handle in self.hooks.with_due() {
            self.wake(&handle, ctx);
        }
    }

    /// Deliveries of a hook are due: attempts them here, or wakes the instance that does.
    fn wake(&mut self, handle: &HookHandle, ctx: &mut Context<Self>) {
        if self.lanes.drives(handle.lane) {
            self.on_event(OutboxEvent::DeliveriesAdded(handle.id.clone()), ctx);
        } else {
            self.wake_elsewhere(handle.lane, ctx);
        }
    }

    /// Drives a hook, if its lane is driven here.
    pub(super) fn open(&mut self, hook: &Hook, ctx: &mut Context<Self>) {
        if !self.lanes.drives(Lane::of(&hook.id)) {
            return;
        }
        let health = HookHealth { failures: hook.failures, off_ms: hook.off_ms };
        self.on_event(OutboxEvent::HookAdded(hook.id.clone(), RetryPlan::of(hook), health), ctx);
    }

    /// Passes an event to the outbox and runs the effects.
    pub(crate) fn on_event(&mut self, event: OutboxEvent, ctx: &mut Context<Self>) {
        self.outbox.run(event, self.clock.now(), &mut self.effects);
        self.run_effects(ctx);
    }

    fn run_effects(&mut self, ctx: &mut Context<Self>) {
        let mut effects = std::mem::take(&mut self.effects);
        for effect in effects.drain(..) {
            match effect {
                OutboxEffect::Fetch(hook, after) => self.fetch(hook, after, ctx),
                OutboxEffect::Send(hook, row, is_first) => self.post(hook, row, is_first, ctx),
                OutboxEffect::SaveDelivery(hook, row) => self.store_row(hook, row, ctx),
                OutboxEffect::SaveHealth(hook, health) => self.set_health(&hook, health, ctx),
            }
        }
        self.effects = effects;
        self.set_alarm(self.outbox.next_deadline_ms(), self.clock, ctx);
    }

    fn fetch(&self, hook: HookId, after: u64, ctx: &mut Context<Self>) {
        let due = self.log.webhooks().due(&hook, after, limits::HOOK_FETCH);
        ctx.spawn(due.into_actor(self).map(move |rows, this, ctx| match rows {
            Ok(rows) => {
                let is_all = rows.len() < limits::HOOK_FETCH;
                this.on_event(OutboxEvent::Fetched(hook, rows, is_all), ctx);
            }
            Err(error) => {
                log::warn!(hook:display, error:display; "could not read the due deliveries of a webhook; retrying");
                this.on_event(OutboxEvent::FetchFailed(hook), ctx);
            }
        }));
    }

    fn set_health(&mut self, hook: &HookId, health: HookHealth, ctx: &mut Context<Self>) {
        let Some(handle) = self.hooks.find(hook) else { return };
        if handle.is_push && health.off_ms.is_some() {
            // Dropped after this effect, because the outbox is at work.
            let drop_later = async {}.into_actor(self).map(move |(), this, ctx| this.drop_push(&handle, ctx));
            ctx.spawn(drop_later);
            return;
        }
        match (handle.with(|hook| hook.off_ms), health.off_ms) {
            (None, Some(_)) => {
                let failures = health.failures;
                log::warn!(hook:display, failures; "webhook switched off: its receiver failed too often, or is gone (410)");
            }
            (Some(_), None) => log::info!(hook:display; "webhook re-enabled"),
            _ => {}
        }
        self.change_hook(&handle, HookChange::Health(health));
    }

    /// A new secret, and its encrypted form.
    fn new_secret(&self, hook: &HookId) -> (Secret, Arc<str>) {
        let secret = Secret::from_bytes(secret_bytes());
        let hidden = self.secrets.encrypt_text(secret.text().as_bytes(), hook.as_str(), nonce());
        (secret, hidden.into())
    }

    /// Changes a hook in memory and in the log. It is not awaited: if a crash loses the write, the change comes again or does
    /// not matter.
    pub(super) fn change_hook(&self, handle: &HookHandle, change: HookChange) {
        drop(self.store_change(handle, change));
    }

    /// The same, for who must know whether it is stored.
    pub(super) fn store_change(
        &self,
        handle: &HookHandle,
        change: HookChange,
    ) -> BoxFuture<'static, Result<Option<Hook>, LogError>> {
        let mut hook = handle.hook();
        change.apply(&mut hook);
        handle.set(hook);
        self.log.webhooks().change_hook(&handle.id, change)
    }

    /// Stores a hook, unless its owner has `most` of its type. Returns the identities of its owner, if that is an account.
    pub(super) fn put_hook(
        &self,
        hook: &Hook,
        most: Option<usize>,
    ) -> BoxFuture<'static, Result<(PutHook, OwnedNames), LogError>> {
        // Read in this order: a change of identities meanwhile arrives as a message after this one.
        let named = match &hook.owner {
            HookOwner::Account(account) => Some((account.clone(), self.accounts.identities(account.clone()))),
            HookOwner::Channel(_) => None,
        };
        let put = self.log.webhooks().put_hook(hook, most);
        Box::pin(async move {
            let kept = put.await?;
            match named {
                Some((account, named)) => Ok((kept, Some((account, named.await?)))),
                None => Ok((kept, None)),
            }
        })
    }

    /// Records the identities of the account of a hook that was stored.
    ///
    /// # Errors
    /// The hook was not stored, or its owner does not exist, or has as many as it may.
    pub(super) fn stored(
        &self,
        hook: &Hook,
        put: Result<(PutHook, OwnedNames), LogError>,
        full: impl FnOnce() -> Refusal,
    ) -> Result<(), HubError> {
        let (put, named) = put.map_err(not_stored)?;
        match (put, &hook.owner) {
            (PutHook::Done, _) => {}
            (PutHook::NoOwner, HookOwner::Channel(_)) => return Err(Refusal::channel_not_found().into()),
            (PutHook::NoOwner, HookOwner::Account(_)) => return Err(Refusal::account_deleted().into()),
            (PutHook::Full, _) => return Err(full().into()),
        }
        if let Some((account, rows)) = named {
            rows.into_iter().for_each(|row| self.hooks.name(row.callsign, account.clone()));
        }
        Ok(())
    }

    pub(super) fn remove(&mut self, handle: &HookHandle, ctx: &mut Context<Self>) {
        self.hooks.remove(handle);
        self.forget_look(&handle.id, ctx);
        self.on_event(OutboxEvent::HookRemoved(handle.id.clone()), ctx);
    }

    pub(super) fn remove_all(&mut self, owner: &HookOwner, ctx: &mut Context<Self>) {
        for handle in self.hooks.of(owner).iter().flat_map(|handles| handles.iter()) {
            self.remove(handle, ctx);
        }
    }
}

pub(super) fn not_stored(error: crate::LogError) -> HubError {
    HubError::of_log("could not store a webhook")(error)
}

impl Alarmed for WebhookActor {
    fn alarm(&mut self) -> &mut Alarm {
        &mut self.alarm
    }

    fn on_alarm(&mut self, ctx: &mut Context<Self>) {
        self.outbox.tick(self.clock.now(), &mut self.effects);
        self.run_effects(ctx);
    }
}

impl Handler<Wake> for WebhookActor {
    type Result = ();

    fn handle(&mut self, Wake(hook): Wake, ctx: &mut Self::Context) {
        if let Some(handle) = self.hooks.find(&hook) {
            handle.woken.store(false, Relaxed);
            self.wake(&handle, ctx);
        }
    }
}

impl Handler<Subscribe> for WebhookActor {
    type Result = AtomicResponse<Self, Result<(Hook, Secret), HubError>>;

    fn handle(&mut self, ask: Subscribe, _: &mut Self::Context) -> Self::Result {
        let Subscribe { owner, url, retry, format, bound } = ask;
        let of = match owner {
            HookOwner::Channel(_) => "webhooks of a channel",
            HookOwner::Account(_) => "webhooks of an account",
        };
        let full = move || Refusal::limit_reached(of, bound).hint("delete one first");
        if self.hooks.webhooks(&owner) >= bound {
            return AtomicResponse::new(Box::pin(fut::ready(Err(full().into()))));
        }
        let id = HookId::from_random(record_id());
        let (secret, hidden) = self.new_secret(&id);
        let format = match self.formats.encrypt(&format, &id) {
            Ok(format) => format,
            Err(error) => {
                return AtomicResponse::new(Box::pin(fut::ready(Err(not_stored(crate::LogError::Failed(
                    error.to_string(),
                ))))));
            }
        };
        let created_ms = self.clock.now().at_ms;
        let hook = Hook {
            id,
            owner,
            url,
            retry,
            created_ms,
            secret: hidden,
            previous: None,
            format,
            failures: 0,
            off_ms: None,
            push: None,
        };
        let put = self.put_hook(&hook, Some(bound));
        AtomicResponse::new(Box::pin(put.into_actor(self).map(move |put, this, ctx| {
            this.stored(&hook, put, full)?;
            this.hooks.add(StoredHook { hook: hook.clone(), due: 0, bytes: 0 });
            this.open(&hook, ctx);
            Ok((hook, secret))
        })))
    }
}

impl Handler<Unsubscribe> for WebhookActor {
    type Result = AtomicResponse<Self, Result<(), HubError>>;

    fn handle(&mut self, Unsubscribe { owner, hook }: Unsubscribe, _: &mut Self::Context) -> Self::Result {
        let Some(handle) = self.hooks.get(&owner, &hook) else {
            return AtomicResponse::new(Box::pin(fut::ready(Err(hook_not_found().into()))));
        };
        let dropped = self.log.webhooks().drop_hook(&handle.id);
        AtomicResponse::new(Box::pin(dropped.into_actor(self).map(move |dropped, this, ctx| {
            dropped.map_err(not_stored)?;
            this.remove(&handle, ctx);
            Ok(())
        })))
    }
}

impl Handler<Rotate> for WebhookActor {
    type Result = AtomicResponse<Self, Result<(Hook, Secret), HubError>>;

    fn handle(&mut self, Rotate { owner, hook }: Rotate, _: &mut Self::Context) -> Self::Result {
        let Some(handle) = self.hooks.get(&owner, &hook) else {
            return AtomicResponse::new(Box::pin(fut::ready(Err(hook_not_found().into()))));
        };
        let (secret, hidden) = self.new_secret(&handle.id);
        let rotated_ms = self.clock.now().at_ms;
        let change = HookChange::Secret { secret: hidden, rotated_ms, until_ms: rotated_ms + limits::HOOK_GRACE_MS };
        let changed = self.log.webhooks().change_hook(&handle.id, change);
        AtomicResponse::new(Box::pin(changed.into_actor(self).map(move |changed, _, _| {
            let hook = changed.map_err(not_stored)?.ok_or_else(hook_not_found)?;
            handle.set(hook.clone());
            Ok((hook, secret))
        })))
    }
}
