//! Webhook deliveries that belong to a send: they are written with it, and their hooks are woken after the commit.

use std::cell::OnceCell;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use rogerrat_domain::push::MessageFacts;
use rogerrat_domain::webhook::{Delivery, DueDelivery, Hook, MESSAGE_RECEIVED};
use rogerrat_domain::{DmVisibility, Encryptor, Entry, Kind, MemberNo, Message, Now, TaskMark, limits};

use crate::channel::actor::ChannelActor;
use crate::channel::pending_writes::PendingDeliveries;
use crate::counters::Count;
use crate::random::{nonce, record_id};
use crate::webhooks::{AskedLeft, DropPush, HookHandle, HookHandles, OwnSent, QueuePermit, Wake, Webhooks};

impl ChannelActor {
    /// The webhook deliveries that these entries cause.
    pub(crate) fn webhook_deliveries(&self, entries: &[Entry], now: Now) -> PendingDeliveries {
        let mut pending = PendingDeliveries::default();
        for entry in entries {
            if let Entry::Sent { message, task, .. } = entry
                && message.kind == Kind::Message
                && !matches!(task.as_deref(), Some(TaskMark::Opens { quiet: true, .. }))
            {
                self.add_deliveries(message, now, &mut pending);
            }
        }
        pending
    }

    fn add_deliveries(&self, message: &Arc<Message>, now: Now, pending: &mut PendingDeliveries) {
        let hooks = &self.context.webhooks.hooks;
        let of_channel = hooks.of_channel(self.channel.id());
        // Where DMs are private, whoever holds the channel's token must not see them (D21).
        let is_public = message.to.is_none() || self.channel.settings().dm_visibility == DmVisibility::Channel;
        let recipient = message.to.and_then(|no| self.channel.identity_of(no));
        let of_account = recipient.and_then(|(name, identity)| hooks.of_identity(name, &identity.account));
        if of_channel.is_none() && of_account.is_none() {
            return;
        }
        self.note_own(message, of_channel.as_ref());
        let json = message.json();
        let facts = OnceCell::new();
        let is_on = |hook: &&Arc<HookHandle>| hook.is_on();
        let subscribed =
            of_channel.iter().flat_map(|hooks| hooks.iter()).filter(is_on).filter(|hook| match hook.is_push {
                true => self.is_pushed(hook, message, &json, &facts),
                false => is_public,
            });
        // Between two identities of one account, nobody knows which of them is the person.
        let is_inside = || {
            let sender = self.channel.identity_of(message.from).map(|(_, identity)| &identity.account);
            sender.is_some() && sender == recipient.map(|(_, identity)| &identity.account)
        };
        let of_account = of_account
            .iter()
            .flat_map(|hooks| hooks.iter())
            .filter(is_on)
            .filter(|hook| !hook.is_push || !is_inside() && !has_push_for(of_channel.as_ref(), message.to, hook));
        let mut deliveries = Vec::new();
        for hook in subscribed.chain(of_account) {
            let delivery = Delivery::due(
                record_id(),
                MESSAGE_RECEIVED,
                Some(self.channel.id().clone()),
                Some(message.id),
                now.at_ms,
            );
            let next_ms = hook.is_push.then_some(now.at_ms + limits::PUSH_DELAY_MS);
            let delivery = Delivery { next_ms, ..delivery };
            deliveries.push(match hook.reserve(Encryptor::encrypted_bytes(json.len())) {
                Some(permit) => {
                    pending.permits.push(permit);
                    (hook.id.clone(), delivery)
                }
                None => {
                    self.metrics.count(if hook.is_push { Count::PushesDropped } else { Count::HooksDropped });
                    (hook.id.clone(), delivery.dropped())
                }
            });
        }
        if let Some((_, delivery)) = deliveries.first() {
            let hidden = self.context.webhooks.messages.encrypt(&json, &delivery.context(), nonce());
            pending.due.push(DueDelivery { deliveries, hidden });
        }
    }

    /// Has the messages of a subscribed sender looked at later. If the actor is too busy, its next message does that.
    fn note_own(&self, message: &Message, of_channel: Option<&HookHandles>) {
        for handle in pushes(of_channel).filter(|handle| member_of(handle).is_some_and(|no| no == message.from)) {
            if !handle.is_watched.swap(true, Relaxed)
                && self.context.webhooks.addr.try_send(OwnSent(handle.clone())).is_err()
            {
                handle.is_watched.store(false, Relaxed);
            }
        }
    }

    /// Has members with a subscription notified if a member leaves that owes them an answer.
    pub(crate) fn note_departure(&self, entry: &Entry) {
        let (Entry::Left { no, .. } | Entry::Revoked { no } | Entry::Expired { no }) = entry else { return };
        let of_channel = self.context.webhooks.hooks.of_channel(self.channel.id());
        for handle in pushes(of_channel.as_ref()) {
            if member_of(handle).is_some_and(|member| self.channel.unanswered(member, *no).is_some()) {
                // If the actor is too busy, the notice is left out.
                let left = AskedLeft { handle: handle.clone(), gone: *no };
                let _ = self.context.webhooks.addr.try_send(left);
            }
        }
    }

    /// Whether a message is pushed to a subscription of a member. `facts` are read at most once. The subscription of a member
    /// that has left is dropped.
    fn is_pushed<'j>(
        &self,
        handle: &Arc<HookHandle>,
        message: &Message,
        json: &'j [u8],
        facts: &OnceCell<Option<MessageFacts<'j>>>,
    ) -> bool {
        let target = handle.with(|hook| hook.push.as_ref().and_then(|push| Some((push.member?, push.wants))));
        let Some((member, wants)) = target else { return false };
        if !self.channel.has_subscribed(member) {
            // If the actor is too busy, the next message drops it.
            let _ = self.context.webhooks.addr.try_send(DropPush(handle.clone()));
            return false;
        }
        let has_ended = self
            .channel
            .identity_of(member.no)
            .is_some_and(|(_, identity)| self.context.account_policy.has_ended(identity));
        let facts = || facts.get_or_init(|| MessageFacts::of(json)).as_ref();
        !has_ended && self.channel.is_pushed(member.no, wants, message, facts)
    }
}

/// The push subscriptions of a channel.
fn pushes(of_channel: Option<&HookHandles>) -> impl Iterator<Item = &Arc<HookHandle>> {
    of_channel.into_iter().flat_map(|hooks| hooks.iter()).filter(|hook| hook.is_push && hook.is_on())
}

/// The member of a push subscription.
fn member_of(handle: &HookHandle) -> Option<MemberNo> {
    handle.with(|hook| Some(hook.push.as_ref()?.member?.no))
}

/// Whether a subscription of a member is for the same device as that of an account.
fn has_push_for(of_channel: Option<&HookHandles>, member: Option<MemberNo>, of_account: &HookHandle) -> bool {
    let url = of_account.with(|hook| hook.url.clone());
    let is_of_member =
        |hook: &Hook| hook.push.as_ref().is_some_and(|push| push.member.map(|member| member.no) == member);
    pushes(of_channel).any(|handle| handle.with(|hook| hook.url == url && is_of_member(hook)))
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
