//! What a channel does for webhooks: with a send it keeps a delivery for each hook, and wakes them when that is kept.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use rogerrat_domain::webhook::{Delivery, DueDelivery, MESSAGE_RECEIVED};
use rogerrat_domain::{DmVisibility, Encryptor, Entry, Kind, Message, Now};

use crate::channel::actor::ChannelActor;
use crate::counters::Count;
use crate::random::{nonce, record_id};
use crate::webhooks::{HookHandle, QueuePermit, Wake, Webhooks};

/// What is due because of something a channel did.
#[derive(Default)]
pub(crate) struct PendingDeliveries {
    pub(crate) due: Vec<DueDelivery>,
    pub(crate) tickets: Vec<QueuePermit>,
}

impl PendingDeliveries {
    pub(crate) fn is_empty(&self) -> bool {
        self.due.is_empty()
    }

    pub(crate) fn extend(&mut self, other: Self) {
        self.due.extend(other.due);
        self.tickets.extend(other.tickets);
    }
}

impl ChannelActor {
    /// What hooks are to be told of what was decided.
    pub(crate) fn notices(&self, entries: &[Entry], now: Now) -> PendingDeliveries {
        let mut notices = PendingDeliveries::default();
        for entry in entries {
            if let Entry::Sent { message, .. } = entry
                && message.kind == Kind::Message
            {
                self.notice(message, now, &mut notices);
            }
        }
        notices
    }

    fn notice(&self, message: &Arc<Message>, now: Now, notices: &mut PendingDeliveries) {
        let directory = &self.house.webhooks.directory;
        let of_channel = directory.of_channel(self.channel.id()).filter(|_| {
            // Where DMs are private the holders of the token do not see them (D21).
            message.to.is_none() || self.channel.settings().dm_visibility == DmVisibility::Channel
        });
        let recipient = message.to.and_then(|no| self.channel.identity_of(no));
        let of_account = recipient.and_then(|(name, identity)| directory.of_identity(name, &identity.account));
        let faces = of_channel.iter().chain(&of_account).flat_map(|faces| faces.iter()).filter(|face| face.is_on());
        let json = message.json();
        let mut deliveries = Vec::new();
        for face in faces {
            let delivery = Delivery::due(
                record_id(),
                MESSAGE_RECEIVED,
                Some(self.channel.id().clone()),
                Some(message.id),
                now.at_ms,
            );
            deliveries.push(match face.reserve(Encryptor::weight(json.len())) {
                Some(ticket) => {
                    notices.tickets.push(ticket);
                    (face.id.clone(), delivery)
                }
                None => {
                    self.share.count(Count::HooksDropped);
                    (face.id.clone(), delivery.dropped())
                }
            });
        }
        if let Some((_, delivery)) = deliveries.first() {
            let hidden = self.house.webhooks.messages.close(&json, &delivery.context(), nonce());
            notices.due.push(DueDelivery { deliveries, hidden });
        }
    }
}

impl Webhooks {
    /// What took these places is kept: it may be delivered.
    pub(crate) fn wake(&self, tickets: Vec<QueuePermit>) {
        for ticket in tickets {
            self.wake_one(&ticket.keep());
        }
    }

    fn wake_one(&self, face: &HookHandle) {
        if face.woken.swap(true, Relaxed) {
            return;
        }
        if self.addr.try_send(Wake(face.id.clone())).is_err() {
            face.woken.store(false, Relaxed);
            self.directory.missed.store(true, Relaxed);
        }
    }
}
