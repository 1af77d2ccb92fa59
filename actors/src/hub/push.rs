//! Web push: subscriptions of members and of accounts.

use std::sync::Arc;

use rogerrat_domain::op::PushSubscriber;
use rogerrat_domain::push::{Notice, NoticeEvent, PushInput, PushTarget, SubscribedMember, push_not_found, topic};
use rogerrat_domain::webhook::{AttemptOutcome, Delivery, DeliveryState, Hook, HookOwner};
use rogerrat_domain::{AccountId, ChannelId, Code, Encryptor, Refusal, RetryPlan, SessionId, limits};

use super::webhooks::unread;
use super::{Admitted, Hub};
use crate::counters::Count;
use crate::error::HubError;
use crate::ports::push_sender::PushRequest;
use crate::random::record_id;
use crate::webhooks::{DropPush, HookHandle, SubscribePush, Unsubscribe, push_keys};

/// Deliveries that are looked at for the last one.
const LOOKED_AT: usize = 20;

/// A push subscription and its last delivery.
#[derive(Clone, Debug)]
pub struct PushStatus {
    /// The subscription.
    pub hook: Hook,
    /// What it is for.
    pub target: PushTarget,
    /// The last delivery that was attempted.
    pub last: Option<Delivery>,
}

/// The result of a test.
#[derive(Clone, Copy, Debug)]
pub struct PushTest {
    /// What the push service answered.
    pub outcome: AttemptOutcome,
    /// Whether the subscription was removed, because the push service does not know it.
    pub is_removed: bool,
}

impl Hub {
    /// The public key with which browsers subscribe.
    ///
    /// # Errors
    /// Why the hub sends no push messages.
    pub fn push_key(&self) -> Result<Arc<str>, Arc<str>> {
        self.shared.ports.push_sender.public_key()
    }

    /// The member of a session, for its push subscriptions.
    ///
    /// # Errors
    /// `forbidden` on a band; a refusal of the session.
    pub async fn push_subscriber(&self, at: &Admitted, session: SessionId) -> Result<SubscribedMember, HubError> {
        if at.settings().is_band {
            return Err(Refusal::new(Code::Forbidden, "a public band has no push subscriptions").into());
        }
        self.query(at, PushSubscriber { session }).await
    }

    /// Adds a push subscription, of a member or of an account. `origin` is where its notifications lead.
    ///
    /// # Errors
    /// `invalid` for keys or an endpoint that cannot be used; `not_found` when push is off; `limit_reached`.
    pub async fn subscribe_push(
        &self,
        owner: HookOwner,
        member: Option<SubscribedMember>,
        input: PushInput,
        origin: &str,
    ) -> Result<Hook, HubError> {
        let draft = input.draft(member, origin, self.shared.clock.now().at_ms)?;
        self.shared.ports.push_sender.check(draft.endpoint.clone(), draft.keys.clone()).await?;
        let subscribe = SubscribePush { owner, draft };
        self.shared.webhooks.addr.send(subscribe).await.map_err(|_| HubError::Gone)?
    }

    /// The push subscriptions of a member or of an account, oldest first.
    ///
    /// # Errors
    /// When their deliveries cannot be read.
    pub async fn pushes_of(
        &self,
        owner: &HookOwner,
        member: Option<SubscribedMember>,
    ) -> Result<Vec<PushStatus>, HubError> {
        let mut found = Vec::new();
        for handle in self.push_handles(owner) {
            if let Some((hook, target)) = push_of_member(&handle, member) {
                found.push(self.push_status(hook, target).await?);
            }
        }
        Ok(found)
    }

    /// One push subscription of a member or of an account.
    ///
    /// # Errors
    /// `not_found`; an error when its deliveries cannot be read.
    pub async fn push_of(
        &self,
        owner: &HookOwner,
        member: Option<SubscribedMember>,
        id: &str,
    ) -> Result<PushStatus, HubError> {
        let (_, hook, target) = self.push_handle(owner, member, id)?;
        self.push_status(hook, target).await
    }

    /// Deletes a push subscription of a member or of an account.
    ///
    /// # Errors
    /// `not_found`; an error when it cannot be stored.
    pub async fn unsubscribe_push(
        &self,
        owner: HookOwner,
        member: Option<SubscribedMember>,
        id: &str,
    ) -> Result<(), HubError> {
        self.push_handle(&owner, member, id)?;
        let ask = Unsubscribe { owner, hook: id.to_owned() };
        let removed = self.shared.webhooks.addr.send(ask).await.map_err(|_| HubError::Gone)?;
        removed.map_err(|error| match error {
            HubError::Refused(_) => push_not_found().into(),
            error => error,
        })
    }

    /// Pushes a test to a subscription at once.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn test_push(
        &self,
        owner: &HookOwner,
        member: Option<SubscribedMember>,
        id: &str,
    ) -> Result<PushTest, HubError> {
        let (handle, hook, target) = self.push_handle(owner, member, id)?;
        let keys = push_keys(&self.shared.webhooks, &hook).ok_or_else(push_not_found)?;
        let channel = if let HookOwner::Channel(channel) = owner { Some(channel) } else { None };
        let tag = topic(&keys.auth, channel, Some(hook.id.as_str()));
        let notice = Notice { event: NoticeEvent::Test, channel, message: None, tag: &tag, missed: 0 };
        let request = PushRequest {
            endpoint: hook.url.clone(),
            keys,
            payload: notice.payload(&target, true),
            ttl_s: limits::PUSH_ANSWER_TTL_MS / 1000,
            is_urgent: true,
            topic: tag.clone(),
            at_s: self.shared.clock.now().at_ms / 1000,
        };
        let outcome = self.shared.ports.push_sender.push(request).await;
        let is_removed = RetryPlan::Push.is_gone(outcome);
        if is_removed {
            self.shared.webhooks.addr.send(DropPush(handle)).await.map_err(|_| HubError::Gone)?;
        }
        Ok(PushTest { outcome, is_removed })
    }

    /// Pushes an event to the subscriptions of an account. Failures are logged: the event has happened anyway.
    pub(super) async fn push_to_account(&self, account: &AccountId, event: &'static str, text: &str) {
        let handles = self.push_handles(&HookOwner::Account(account.clone()));
        self.push_event(&handles, None, event, text.as_bytes()).await;
    }

    /// Queues an event for subscriptions of one owner, in one write. Those whose queues are full do not get it.
    pub(super) async fn push_event(
        &self,
        handles: &[Arc<HookHandle>],
        channel: Option<ChannelId>,
        event: &'static str,
        text: &[u8],
    ) {
        let bytes = Encryptor::encrypted_bytes(text.len());
        let permits: Vec<_> = handles.iter().filter_map(|handle| handle.reserve(bytes)).collect();
        self.dispatcher.counters.add(Count::PushesDropped, (handles.len() - permits.len()) as u64);
        let delivery = Delivery::due(record_id(), event, channel, None, self.shared.clock.now().at_ms);
        if let Err(error) = self.enqueue(permits, &delivery, text).await {
            log::warn!(event, error:display; "could not queue a push");
        }
    }

    async fn push_status(&self, hook: Hook, target: PushTarget) -> Result<PushStatus, HubError> {
        let rows = self.shared.ports.log.webhooks().deliveries(&hook.id, LOOKED_AT).await.map_err(unread)?;
        let mut deliveries = rows.into_iter().map(|row| row.delivery);
        let was_tried = |delivery: &Delivery| match delivery.state {
            DeliveryState::Delivered | DeliveryState::Failed => true,
            DeliveryState::Due => delivery.attempts > 0,
            DeliveryState::Dropped => false,
        };
        Ok(PushStatus { last: deliveries.find(was_tried), hook, target })
    }

    fn push_handles(&self, owner: &HookOwner) -> Vec<Arc<HookHandle>> {
        let handles = self.shared.webhooks.hooks.of(owner);
        handles.iter().flat_map(|handles| handles.iter()).filter(|handle| handle.is_push).cloned().collect()
    }

    fn push_handle(
        &self,
        owner: &HookOwner,
        member: Option<SubscribedMember>,
        id: &str,
    ) -> Result<(Arc<HookHandle>, Hook, PushTarget), Refusal> {
        let handle = self.shared.webhooks.hooks.get(owner, id).ok_or_else(push_not_found)?;
        let (hook, target) = push_of_member(&handle, member).ok_or_else(push_not_found)?;
        Ok((handle, hook, target))
    }
}

/// The subscription of a handle, if it is one of this member, or of an account.
fn push_of_member(handle: &HookHandle, member: Option<SubscribedMember>) -> Option<(Hook, PushTarget)> {
    let hook = handle.hook();
    let target = hook.push.as_deref().filter(|push| push.member == member)?.clone();
    Some((hook, target))
}
