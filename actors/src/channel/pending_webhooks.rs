//! Webhook deliveries that belong to a send: they are written with it, and their hooks are woken after the commit.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use rogerrat_domain::webhook::{Delivery, DueDelivery, MESSAGE_RECEIVED};
use rogerrat_domain::{DmVisibility, Encryptor, Entry, Kind, Message, Now};

use crate::channel::actor::ChannelActor;
use crate::channel::pending_writes::PendingDeliveries;
use crate::counters::Count;
use crate::random::{nonce, record_id};
use crate::webhooks::{HookHandle, QueuePermit, Wake, Webhooks};

impl ChannelActor {
    /// The webhook deliveries that these entries cause.
    pub(crate) fn webhook_deliveries(&self, entries: &[Entry], now: Now) -> PendingDeliveries {
        let mut pending = PendingDeliveries::default();
        for entry in entries {
            if let Entry::Sent { message, .. } = entry
                && message.kind == Kind::Message
            {
                self.add_deliveries(message, now, &mut pending);
            }
        }
        pending
    }

    fn add_deliveries(&self, message: &Arc<Message>, now: Now, pending: &mut PendingDeliveries) {
        let hooks = &self.context.webhooks.hooks;
        let of_channel = hooks.of_channel(self.channel.id()).filter(|_| {
            // Where DMs are private, whoever holds the channel's token must not see them (D21).
            message.to.is_none() || self.channel.settings().dm_visibility == DmVisibility::Channel
        });
        let recipient = message.to.and_then(|no| self.channel.identity_of(no));
        let of_account = recipient.and_then(|(name, identity)| hooks.of_identity(name, &identity.account));
        let subscribed =
            of_channel.iter().chain(&of_account).flat_map(|hooks| hooks.iter()).filter(|hook| hook.is_on());
        let json = message.json();
        let mut deliveries = Vec::new();
        for hook in subscribed {
            let delivery = Delivery::due(
                record_id(),
                MESSAGE_RECEIVED,
                Some(self.channel.id().clone()),
                Some(message.id),
                now.at_ms,
            );
            deliveries.push(match hook.reserve(Encryptor::encrypted_bytes(json.len())) {
                Some(permit) => {
                    pending.permits.push(permit);
                    (hook.id.clone(), delivery)
                }
                None => {
                    self.metrics.count(Count::HooksDropped);
                    (hook.id.clone(), delivery.dropped())
                }
            });
        }
        if let Some((_, delivery)) = deliveries.first() {
            let hidden = self.context.webhooks.messages.encrypt(&json, &delivery.context(), nonce());
            pending.due.push(DueDelivery { deliveries, hidden });
        }
    }
}

impl Webhooks {
    /// Wakes the hooks whose deliveries were committed.
    pub(crate) fn wake(&self, permits: Vec<QueuePermit>) {
        for permit in permits {
            self.wake_one(&permit.keep());
        }
    }

    fn wake_one(&self, hook: &HookHandle) {
        if hook.woken.swap(true, Relaxed) {
            return;
        }
        if self.addr.try_send(Wake(hook.id.clone())).is_err() {
            hook.woken.store(false, Relaxed);
            self.hooks.missed.store(true, Relaxed);
        }
    }
}
