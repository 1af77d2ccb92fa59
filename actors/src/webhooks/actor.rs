//! The webhook actor: drives the outbox machine and runs its effects. It decides nothing about deliveries.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use actix::prelude::*;
use futures_util::future::BoxFuture;
use rogerrat_domain::webhook::{
    DeliveryRow, DeliveryState, Hook, HookId, HookOwner, PreviousSecret, Secret, hook_not_found,
};
use rogerrat_domain::{
    AccountId, Encryptor, HookHealth, IdentityRow, Outbox, OutboxEffect, OutboxEvent, Refusal, RetryPlan, limits,
};

use super::{
    Forget, Forgotten, FormatEncryptor, HookHandle, HookRegistry, Named, PushContext, Rotate, Subscribe, Unsubscribe,
    Wake,
};
use crate::alarm::{Alarm, Alarmed};
use crate::clock::Clock;
use crate::counters::{Count, Counters};
use crate::error::HubError;
use crate::ports::accounts::Accounts;
use crate::ports::error::LogError;
use crate::ports::log::Log;
use crate::ports::push_sender::PushSender;
use crate::ports::webhook_sender::WebhookSender;
use crate::ports::webhook_store::StoredHook;
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
        for handle in self.hooks.all() {
            self.open(&handle.hook(), ctx);
            self.resume_look(handle, ctx);
        }
        self.wake_all(ctx);
    }
}

impl WebhookActor {
    fn wake_all(&mut self, ctx: &mut Context<Self>) {
        for hook in self.hooks.with_due() {
            self.on_event(OutboxEvent::DeliveriesAdded(hook), ctx);
        }
    }

    pub(super) fn open(&mut self, hook: &Hook, ctx: &mut Context<Self>) {
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
                OutboxEffect::SaveDelivery(hook, row) => self.store_row(&hook, &row),
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

    fn store_row(&self, hook: &HookId, row: &DeliveryRow) {
        let delivery = &row.delivery;
        let kept = self.log.webhooks().keep(hook, row);
        // Not awaited: if a crash loses the write, the delivery is sent once more.
        drop(kept);
        let handle = self.hooks.find(hook);
        let is_push = handle.as_ref().is_some_and(|handle| handle.is_push);
        let count = match delivery.state {
            DeliveryState::Due if is_push => return,
            DeliveryState::Due => return self.counters.add(Count::HooksRetried, 1),
            DeliveryState::Delivered if is_push => Count::PushesSent,
            DeliveryState::Failed if is_push => Count::PushesFailed,
            DeliveryState::Dropped if is_push => Count::PushesDropped,
            DeliveryState::Delivered => Count::HooksDelivered,
            DeliveryState::Failed | DeliveryState::Dropped => Count::HooksFailed,
        };
        self.counters.add(count, 1);
        if let Some(handle) = handle {
            handle.release(row.bytes);
        }
    }

    fn set_health(&mut self, hook: &HookId, health: HookHealth, ctx: &mut Context<Self>) {
        let Some(handle) = self.hooks.find(hook) else { return };
        if handle.is_push && health.off_ms.is_some() {
            // Dropped after this effect, because the outbox is at work.
            let drop_later = async {}.into_actor(self).map(move |(), this, ctx| this.drop_push(&handle, ctx));
            ctx.spawn(drop_later);
            return;
        }
        let before = handle.hook();
        match (before.off_ms, health.off_ms) {
            (None, Some(_)) => {
                let failures = health.failures;
                log::warn!(hook:display, failures; "webhook switched off: its receiver failed too often, or is gone (410)");
            }
            (Some(_), None) => log::info!(hook:display; "webhook re-enabled"),
            _ => {}
        }
        let hook = Hook { failures: health.failures, off_ms: health.off_ms, ..before };
        drop(self.log.webhooks().put_hook(&hook));
        handle.set(hook);
    }

    /// A new secret, and its encrypted form.
    fn new_secret(&self, hook: &HookId) -> (Secret, Arc<str>) {
        let secret = Secret::from_bytes(secret_bytes());
        let hidden = self.secrets.encrypt_text(secret.text().as_bytes(), hook.as_str(), nonce());
        (secret, hidden.into())
    }

    /// Stores a hook. Returns the identities of its owner, if that is an account.
    pub(super) fn put_hook(&self, hook: &Hook) -> BoxFuture<'static, Result<(bool, OwnedNames), LogError>> {
        // Read in this order: a change of identities meanwhile arrives as a message after this one.
        let named = match &hook.owner {
            HookOwner::Account(account) => Some((account.clone(), self.accounts.identities(account.clone()))),
            HookOwner::Channel(_) => None,
        };
        let kept = self.log.webhooks().put_hook(hook);
        Box::pin(async move {
            let kept = kept.await?;
            match named {
                Some((account, named)) => Ok((kept, Some((account, named.await?)))),
                None => Ok((kept, None)),
            }
        })
    }

    /// Records the identities of the account of a hook that was stored.
    ///
    /// # Errors
    /// The hook was not stored, or its owner does not exist.
    pub(super) fn stored(&self, hook: &Hook, kept: Result<(bool, OwnedNames), LogError>) -> Result<(), HubError> {
        let (kept, named) = kept.map_err(not_stored)?;
        if !kept {
            return Err(match hook.owner {
                HookOwner::Channel(_) => Refusal::channel_not_found().into(),
                HookOwner::Account(_) => Refusal::account_deleted().into(),
            });
        }
        if let Some((account, rows)) = named {
            rows.into_iter().for_each(|row| self.hooks.name(row.callsign, account.clone()));
        }
        Ok(())
    }

    pub(super) fn remove(&mut self, handle: &HookHandle, ctx: &mut Context<Self>) {
        self.hooks.remove(handle);
        self.on_event(OutboxEvent::HookRemoved(handle.id.clone()), ctx);
    }

    fn remove_all(&mut self, owner: &HookOwner, ctx: &mut Context<Self>) {
        for handle in self.hooks.of(owner).iter().flat_map(|handles| handles.iter()) {
            self.remove(handle, ctx);
        }
    }
}

fn not_stored(error: crate::LogError) -> HubError {
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
        }
        self.on_event(OutboxEvent::DeliveriesAdded(hook), ctx);
    }
}

impl Handler<Subscribe> for WebhookActor {
    type Result = AtomicResponse<Self, Result<(Hook, Secret), HubError>>;

    fn handle(&mut self, ask: Subscribe, _: &mut Self::Context) -> Self::Result {
        let Subscribe { owner, url, retry, format, bound } = ask;
        if self.hooks.webhooks(&owner) >= bound {
            let of = match owner {
                HookOwner::Channel(_) => "webhooks of a channel",
                HookOwner::Account(_) => "webhooks of an account",
            };
            let refused: HubError = Refusal::limit_reached(of, bound).hint("delete one first").into();
            return AtomicResponse::new(Box::pin(fut::ready(Err(refused))));
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
        let kept = self.put_hook(&hook);
        AtomicResponse::new(Box::pin(kept.into_actor(self).map(move |kept, this, ctx| {
            this.stored(&hook, kept)?;
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
        let before = handle.hook();
        let previous =
            PreviousSecret { secret: before.secret.clone(), rotated_ms, until_ms: rotated_ms + limits::HOOK_GRACE_MS };
        let hook = Hook { secret: hidden, previous: Some(previous), ..before };
        let kept = self.log.webhooks().put_hook(&hook);
        AtomicResponse::new(Box::pin(kept.into_actor(self).map(move |kept, _, _| {
            if !kept.map_err(not_stored)? {
                return Err(hook_not_found().into());
            }
            handle.set(hook.clone());
            Ok((hook, secret))
        })))
    }
}

impl Handler<Named> for WebhookActor {
    type Result = ();

    fn handle(&mut self, Named { callsign, account, is_there }: Named, _: &mut Self::Context) {
        if !is_there {
            self.hooks.unname(&callsign, &account);
        } else if self.hooks.of(&HookOwner::Account(account.clone())).is_some() {
            self.hooks.name(callsign, account);
        }
    }
}

impl Handler<Forget> for WebhookActor {
    type Result = AtomicResponse<Self, Result<(), HubError>>;

    fn handle(&mut self, Forget(owner): Forget, _: &mut Self::Context) -> Self::Result {
        let dropped = self.log.webhooks().drop_hooks(&owner);
        AtomicResponse::new(Box::pin(dropped.into_actor(self).map(move |dropped, this, ctx| {
            dropped.map_err(not_stored)?;
            this.remove_all(&owner, ctx);
            Ok(())
        })))
    }
}

impl Handler<Forgotten> for WebhookActor {
    type Result = ();

    fn handle(&mut self, Forgotten(owner): Forgotten, ctx: &mut Self::Context) {
        self.remove_all(&owner, ctx);
    }
}
