//! Webhooks: subscribing, testing, the delivery log, and replays.

use std::sync::Arc;

use rogerrat_domain::op::FindMessage;
use rogerrat_domain::webhook::{
    self, Delivery, DeliveryId, DeliveryState, DueDelivery, FormatSummary, Hook, HookOwner, MESSAGE_RECEIVED,
    ReplayInput, RequestFormat, Secret, SubscribeInput, TEST, hook_not_found,
};
use rogerrat_domain::{AccountId, Callsign, ChannelId, Code, Encryptor, MessageId, Refusal, limits};

use super::Hub;
use crate::error::HubError;
use crate::ports::error::LogError;
use crate::random::{nonce, record_id};
use crate::webhooks::{Forget, HookHandle, Named, QueuePermit, Rotate, Subscribe, Unsubscribe};

/// A new hook with its secret, which is shown only once.
#[derive(Clone, Debug)]
pub struct Subscribed {
    /// The hook.
    pub hook: Hook,
    /// Its secret.
    pub secret: Secret,
    /// What is shown of the format of its requests.
    pub format: FormatSummary,
}

/// A hook, and the number of its due deliveries.
#[derive(Clone, Debug)]
pub struct HookStatus {
    /// The hook.
    pub hook: Hook,
    /// Deliveries that are due.
    pub due: u64,
    /// What is shown of the format of its requests.
    pub format: FormatSummary,
}

/// The result of a replay.
#[derive(Clone, Debug, Default)]
pub struct Replayed {
    /// Deliveries that are due again.
    pub replayed: Vec<DeliveryId>,
    /// Deliveries that cannot be replayed, because their message is no longer held.
    pub gone: Vec<DeliveryId>,
}

impl Hub {
    /// Checks a subscription: its fields and its URL. Returns the format of its requests.
    ///
    /// # Errors
    /// `invalid`, with the reason.
    pub async fn check_webhook(&self, input: &SubscribeInput) -> Result<RequestFormat, HubError> {
        let format = input.check()?;
        let sender = &self.shared.ports.webhook_sender;
        sender.check_headers(&format.headers)?;
        sender.check(input.url.as_str().into()).await?;
        Ok(format)
    }

    /// Adds a webhook.
    ///
    /// # Errors
    /// `invalid` for a URL that is not allowed; `forbidden` on a band; `limit_reached`.
    pub async fn subscribe(&self, owner: HookOwner, input: SubscribeInput) -> Result<Subscribed, HubError> {
        if let HookOwner::Channel(channel) = &owner
            && self.shared.directory.get(channel).is_some_and(|handle| handle.settings().is_band)
        {
            return Err(Refusal::new(Code::Forbidden, "a public band has no webhooks").into());
        }
        let format = self.check_webhook(&input).await?;
        let bound = match &owner {
            HookOwner::Channel(_) => limits::HOOKS,
            HookOwner::Account(_) => self.shared.per_account.webhooks.map_or(usize::MAX, |n| n as usize),
        };
        let (url, retry, summary) = (input.url.into(), input.retry.unwrap_or_default(), format.summary());
        let subscribe = Subscribe { bound, owner, url, retry, format };
        let (hook, secret) = self.shared.webhooks.addr.send(subscribe).await.map_err(|_| HubError::Gone)??;
        log::info!(hook:display = hook.id, owner:display = hook.owner; "a webhook was subscribed");
        Ok(Subscribed { hook, secret, format: summary })
    }

    /// The hooks of an owner, oldest first.
    #[must_use]
    pub fn webhooks_of(&self, owner: &HookOwner) -> Vec<HookStatus> {
        let handles = self.shared.webhooks.hooks.of(owner);
        let handles = handles.iter().flat_map(|handles| handles.iter()).filter(|handle| !handle.is_push);
        let status = |handle: &Arc<HookHandle>| {
            let hook = handle.hook();
            HookStatus { format: self.format_of(&hook), hook, due: handle.due() }
        };
        handles.map(status).collect()
    }

    /// Deletes a hook with its due deliveries.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn unsubscribe(&self, owner: HookOwner, hook: &str) -> Result<(), HubError> {
        self.handle(&owner, hook)?;
        let ask = Unsubscribe { owner, hook: hook.to_owned() };
        self.shared.webhooks.addr.send(ask).await.map_err(|_| HubError::Gone)?
    }

    /// Updates the hooks of an account that has gained or lost an identity.
    pub(super) async fn name_to_webhooks(&self, account: &AccountId, callsign: &Callsign, is_there: bool) {
        let named = Named { callsign: callsign.clone(), account: account.clone(), is_there };
        // An actor that is gone tells nobody anything.
        let _ = self.shared.webhooks.addr.send(named).await;
    }

    /// Deletes all hooks of an owner.
    ///
    /// # Errors
    /// When it cannot be stored.
    pub async fn forget_webhooks(&self, owner: HookOwner) -> Result<(), HubError> {
        self.shared.webhooks.addr.send(Forget(owner)).await.map_err(|_| HubError::Gone)?
    }

    /// Rotates a hook's secret. For a day, deliveries are signed with the previous secret as well.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn rotate_webhook(&self, owner: HookOwner, hook: &str) -> Result<Subscribed, HubError> {
        self.handle(&owner, hook)?;
        let ask = Rotate { owner, hook: hook.to_owned() };
        let (hook, secret) = self.shared.webhooks.addr.send(ask).await.map_err(|_| HubError::Gone)??;
        Ok(Subscribed { format: self.format_of(&hook), hook, secret })
    }

    /// What is shown of the format of a hook's requests.
    fn format_of(&self, hook: &Hook) -> FormatSummary {
        self.shared.webhooks.formats.decrypt(hook).map(|format| format.summary()).unwrap_or_default()
    }

    /// Sends a test event.
    ///
    /// # Errors
    /// `not_found`; `limit_reached` when the queue of the hook is full.
    pub async fn test_webhook(&self, owner: &HookOwner, hook: &str) -> Result<DeliveryId, HubError> {
        let handle = self.handle(owner, hook)?;
        let now_ms = self.shared.clock.now().at_ms;
        let channel = if let HookOwner::Channel(channel) = owner { Some(channel.clone()) } else { None };
        let delivery = Delivery::due(record_id(), TEST, channel, None, now_ms);
        let id = delivery.id.clone();
        self.enqueue_one(&handle, &delivery, &webhook::test_message(now_ms)).await?;
        Ok(id)
    }

    /// The last deliveries of a hook, newest first.
    ///
    /// # Errors
    /// `not_found`; an error when they cannot be read.
    pub async fn deliveries(&self, owner: &HookOwner, hook: &str) -> Result<Vec<Delivery>, HubError> {
        let handle = self.handle(owner, hook)?;
        let rows = self.shared.ports.log.webhooks().deliveries(&handle.id, limits::HOOK_LOG).await.map_err(unread)?;
        Ok(rows.into_iter().map(|row| row.delivery).collect())
    }

    /// Replays one delivery, or all that failed.
    ///
    /// # Errors
    /// `not_found`; `invalid` for a delivery that is still due; `limit_reached` when the queue of the hook is full.
    pub async fn replay(&self, owner: &HookOwner, hook: &str, input: ReplayInput) -> Result<Replayed, HubError> {
        let handle = self.handle(owner, hook)?;
        let mut deliveries = self.deliveries(owner, hook).await?;
        match &input.delivery_id {
            None => deliveries.retain(Delivery::has_failed),
            Some(id) => {
                deliveries.retain(|delivery| delivery.id.as_str() == id);
                let found = deliveries.first().ok_or_else(|| Refusal::new(Code::NotFound, "delivery not found"))?;
                if found.state == DeliveryState::Due {
                    return Err(Refusal::invalid("this delivery is still pending").into());
                }
            }
        }
        let mut replayed = Replayed::default();
        // Oldest first.
        for delivery in deliveries.into_iter().rev() {
            let id = delivery.id.clone();
            match self.message_of(&delivery).await? {
                None => replayed.gone.push(id),
                Some(message) => {
                    self.enqueue_one(&handle, &delivery.replayed(), &message).await?;
                    replayed.replayed.push(id);
                }
            }
        }
        Ok(replayed)
    }

    fn handle(&self, owner: &HookOwner, hook: &str) -> Result<Arc<HookHandle>, Refusal> {
        let handle = self.shared.webhooks.hooks.get(owner, hook);
        handle.filter(|handle| !handle.is_push).ok_or_else(hook_not_found)
    }

    /// Queues a delivery that belongs to no record.
    async fn enqueue_one(&self, handle: &Arc<HookHandle>, delivery: &Delivery, message: &[u8]) -> Result<(), HubError> {
        let full = || Refusal::limit_reached("pending deliveries of a webhook", limits::HOOK_QUEUE as usize);
        let permit = handle.reserve(Encryptor::encrypted_bytes(message.len())).ok_or_else(full)?;
        self.enqueue(vec![permit], delivery, message).await
    }

    /// Queues a delivery that belongs to no record for several hooks, with one message and in one write.
    pub(super) async fn enqueue(
        &self,
        permits: Vec<QueuePermit>,
        delivery: &Delivery,
        message: &[u8],
    ) -> Result<(), HubError> {
        if permits.is_empty() {
            return Ok(());
        }
        let webhooks = &self.shared.webhooks;
        let hidden = webhooks.messages.encrypt(message, &delivery.context(), nonce());
        let deliveries = permits.iter().map(|permit| (permit.handle.id.clone(), delivery.clone())).collect();
        self.shared.ports.log.webhooks().enqueue(DueDelivery { deliveries, hidden }).await.map_err(unread)?;
        webhooks.wake(permits);
        Ok(())
    }

    /// The message of a delivery, if it is still held.
    async fn message_of(&self, delivery: &Delivery) -> Result<Option<Vec<u8>>, HubError> {
        if delivery.event != MESSAGE_RECEIVED {
            return Ok(Some(webhook::test_message(delivery.at_ms)));
        }
        let (Some(channel), Some(id)) = (&delivery.channel, delivery.message) else { return Ok(None) };
        self.recall(channel, id).await
    }

    async fn recall(&self, channel: &ChannelId, id: MessageId) -> Result<Option<Vec<u8>>, HubError> {
        let at = match self.find(channel.as_str()).await {
            Ok(at) => at,
            Err(HubError::Refused(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        if let Some(message) = self.query(&at, FindMessage { id }).await? {
            return Ok(Some(message.json().to_vec()));
        }
        let kept = self.shared.ports.log.messages(channel, vec![id]).await.map_err(unread)?;
        Ok(kept.first().map(|message| message.json().to_vec()))
    }
}

pub(super) fn unread(error: LogError) -> HubError {
    HubError::of_log("could not read or store webhook deliveries")(error)
}
