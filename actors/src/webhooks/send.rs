//! One attempt to deliver a webhook: records its start, reads and decrypts the message, signs and sends the request.

use std::sync::Arc;

use actix::prelude::*;
use rogerrat_domain::webhook::{AttemptOutcome, Delivery, DeliveryRow, Hook, HookId, Secret, WebhookBody};
use rogerrat_domain::{Encryptor, OutboxEvent};

use super::{FormatEncryptor, WebhookActor};
use crate::clock::Clock;
use crate::counters::Count;
use crate::ports::log::Log;
use crate::ports::webhook_sender::{WebhookRequest, WebhookSender};

/// The data of one attempt.
struct Attempt {
    hook: Hook,
    row: DeliveryRow,
    is_first: bool,
    log: Arc<dyn Log>,
    webhook_sender: Arc<dyn WebhookSender>,
    clock: Clock,
    messages: Encryptor,
    secrets: Encryptor,
    formats: FormatEncryptor,
}

impl WebhookActor {
    /// Starts an attempt; its outcome becomes an event of the outbox.
    pub(super) fn post(&mut self, id: HookId, row: DeliveryRow, is_first: bool, ctx: &mut Context<Self>) {
        let Some(handle) = self.hooks.find(&id) else {
            // The hook has just been deleted; the outbox gets that event next.
            ctx.spawn(async {}.into_actor(self).map(move |(), this, ctx| {
                this.on_event(OutboxEvent::AttemptEnded(id, AttemptOutcome::Unreadable, 0), ctx);
            }));
            return;
        };
        if let Some(target) = handle.is_push.then(|| handle.hook().push).flatten() {
            return self.push(handle, *target, row, ctx);
        }
        self.counters.add(Count::HooksAttempts, 1);
        let attempt = Attempt {
            hook: handle.hook(),
            row,
            is_first,
            log: self.log.clone(),
            webhook_sender: self.webhook_sender.clone(),
            clock: self.clock,
            messages: self.messages.clone(),
            secrets: self.secrets.clone(),
            formats: self.formats.clone(),
        };
        ctx.spawn(attempt.run().into_actor(self).map(move |(posted, took_ms), this, ctx| {
            this.on_event(OutboxEvent::AttemptEnded(id, posted, took_ms), ctx);
        }));
    }
}

impl Attempt {
    async fn run(self) -> (AttemptOutcome, u64) {
        let began_ms = self.clock.uptime_ms();
        let posted = match self.request().await {
            Ok(request) => self.webhook_sender.post(request).await,
            Err(posted) => posted,
        };
        (posted, self.clock.uptime_ms() - began_ms)
    }

    async fn request(&self) -> Result<WebhookRequest, AttemptOutcome> {
        let Self { hook, row, log, .. } = self;
        let store = log.webhooks();
        if self.is_first {
            // The body contains the time of the first attempt, so it must be the same after a crash.
            store.keep(&hook.id, row).await.map_err(|_| AttemptOutcome::NotBegun)?;
        }
        let hidden = store.hidden(row.no).await.map_err(|_| AttemptOutcome::NotBegun)?;
        let delivery = &row.delivery;
        let message = hidden.and_then(|hidden| self.messages.decrypt(&hidden, &delivery.context()));
        let message = message.ok_or(AttemptOutcome::Unreadable)?;
        let (plain, standard) = self.keys(delivery).ok_or(AttemptOutcome::Unreadable)?;
        let format = self.formats.decrypt(hook).ok_or(AttemptOutcome::Unreadable)?;
        let (hook_id, template) = (hook.id.clone(), format.body);
        Ok(WebhookRequest {
            url: hook.url.clone(),
            event: delivery.event.to_string(),
            id: delivery.id.to_string(),
            at_s: self.clock.now().at_ms / 1000,
            headers: format.headers,
            body: WebhookBody { hook: hook_id, delivery: delivery.clone(), message, template },
            plain,
            standard,
        })
    }

    /// The keys of the signatures: the plain signature is the same for every attempt; the standard ones use every
    /// secret that is valid now.
    fn keys(&self, delivery: &Delivery) -> Option<(Secret, Vec<Secret>)> {
        let read = |hidden: &str| super::secret(&self.secrets, &self.hook, hidden);
        let newest = read(&self.hook.secret)?;
        let now_ms = self.clock.now().at_ms;
        let Some(previous) = self.hook.previous.as_ref().filter(|previous| now_ms < previous.until_ms) else {
            return Some((newest.clone(), vec![newest]));
        };
        let before = read(&previous.secret)?;
        let is_older = delivery.began_ms.is_some_and(|began_ms| began_ms < previous.rotated_ms);
        let plain = if is_older { before.clone() } else { newest.clone() };
        Some((plain, vec![newest, before]))
    }
}
