//! The oracle's account of webhooks: what was posted by whom, and what had to be.

use std::collections::{BTreeMap, BTreeSet};

use rogerrat_domain::webhook::AttemptOutcome;
use rogerrat_domain::{ChannelId, MessageId};

use crate::InstanceId;
use crate::ports::webhook_sender::WebhookRequest;

/// Attempts of a delivery that are answered with an error, at most, so that none is given up.
const FAILURES: usize = 2;

/// What was posted of one delivery.
#[derive(Debug, Default)]
struct Posts {
    failures: usize,
    /// Who has delivered it.
    delivered_by: Vec<InstanceId>,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct PostedWebhooks {
    /// Channels with a webhook.
    hooked: BTreeSet<ChannelId>,
    by_id: BTreeMap<String, Posts>,
    messages: BTreeMap<ChannelId, BTreeMap<MessageId, String>>,
    /// The last message of each channel that was delivered for the first time.
    last: BTreeMap<ChannelId, MessageId>,
    /// Instances that were killed, stopped or declared to have ended.
    ended: BTreeSet<InstanceId>,
    pub(super) delivered: u64,
    pub(super) repeated: u64,
}

impl PostedWebhooks {
    pub(super) fn hooked(&mut self, channel: &ChannelId) {
        self.hooked.insert(channel.clone());
    }

    pub(super) fn ended(&mut self, instance: InstanceId) {
        self.ended.insert(instance);
    }

    /// Something was posted. Returns the answer, and what is wrong with it.
    pub(super) fn posted(
        &mut self,
        from: InstanceId,
        request: &WebhookRequest,
        fails: bool,
    ) -> (AttemptOutcome, Option<String>) {
        let delivery = &request.body.delivery;
        let (Some(channel), Some(message)) = (&delivery.channel, delivery.message) else {
            return (AttemptOutcome::Answered(204), Some("a webhook without a message".into()));
        };
        let posts = self.by_id.entry(request.id.clone()).or_default();
        if fails && posts.failures < FAILURES {
            posts.failures += 1;
            return (AttemptOutcome::Answered(503), None);
        }
        posts.delivered_by.push(from);
        if posts.delivered_by.len() > 1 {
            self.repeated += 1;
            return (AttemptOutcome::Answered(204), None);
        }
        self.delivered += 1;
        let known = self.messages.entry(channel.clone()).or_default().insert(message, request.id.clone());
        let last = self.last.insert(channel.clone(), message).unwrap_or_default();
        let wrong = match known {
            Some(other) => Some(format!("{channel}: webhook {} and {other} are of message {message}", request.id)),
            None if message <= last => Some(format!("{channel}: the webhook of {message} came after that of {last}")),
            None => None,
        };
        (AttemptOutcome::Answered(204), wrong)
    }

    /// Messages whose webhook was not delivered.
    pub(super) fn missing<'a>(
        &'a self,
        channel: &'a ChannelId,
        messages: impl Iterator<Item = MessageId> + 'a,
    ) -> impl Iterator<Item = MessageId> + 'a {
        let is_hooked = self.hooked.contains(channel);
        let of_channel = self.messages.get(channel);
        messages.filter(move |message| is_hooked && !of_channel.is_some_and(|known| known.contains_key(message)))
    }

    /// Deliveries that were made twice by instances that have not ended. One that has may have made it before it could
    /// store that, or after it was frozen, without knowing that it had ended.
    pub(super) fn doubled(&self) -> impl Iterator<Item = String> {
        let is_alive = |instance: &&InstanceId| !self.ended.contains(instance);
        self.by_id.iter().filter_map(move |(id, posts)| {
            let alive = posts.delivered_by.iter().filter(is_alive).count();
            (alive > 1).then(|| format!("webhook {id} was delivered by {:?}", posts.delivered_by))
        })
    }
}
