//! The webhook actor's part of web push: adding subscriptions, and dropping those that are dead or unused.

use std::sync::Arc;

use actix::prelude::*;
use rogerrat_domain::push::PushDraft;
use rogerrat_domain::webhook::{Hook, HookChange, HookId, HookOwner, PUSH_EXPIRING, Retry};
use rogerrat_domain::{Refusal, limits};

use super::{HookHandle, WebhookActor};
use crate::error::HubError;
use crate::ports::webhook_store::StoredHook;
use crate::random::{nonce, record_id};

/// Adds a push subscription whose endpoint has been checked. One with the same endpoint is replaced.
#[derive(Message)]
#[rtype(result = "Result<Hook, HubError>")]
pub(crate) struct SubscribePush {
    pub(crate) owner: HookOwner,
    pub(crate) draft: PushDraft,
}

/// Deletes a push subscription that its push service does not know any more.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct DropPush(pub(crate) Arc<HookHandle>);

impl WebhookActor {
    /// Deletes a subscription in memory and in the log.
    pub(super) fn drop_push(&mut self, handle: &HookHandle, ctx: &mut Context<Self>) {
        log::info!(subscription:display = handle.id; "a push subscription ended");
        // Not awaited: if the write is lost, the next push drops it again.
        drop(self.log.webhooks().drop_hook(&handle.id));
        self.remove(handle, ctx);
    }

    /// Drops subscriptions that their pages have not confirmed for long, and announces the end of others.
    pub(super) fn check_unused(&mut self, ctx: &mut Context<Self>) {
        let now_ms = self.clock.expiry_ms();
        let is_ours = |handle: &Arc<HookHandle>| handle.is_push && self.lanes.drives(handle.lane);
        for handle in self.hooks.all().into_iter().filter(is_ours).collect::<Vec<_>>() {
            let target = handle.with(|hook| hook.push.as_ref().map(|push| (push.used_ms, push.is_warned)));
            let Some((used_ms, is_warned)) = target else { continue };
            if now_ms >= used_ms.saturating_add(limits::PUSH_UNUSED_MS) {
                self.drop_push(&handle, ctx);
            } else if now_ms >= used_ms.saturating_add(limits::PUSH_WARN_MS) && !is_warned {
                self.change_hook(&handle, HookChange::Warned);
                self.announce(handle, PUSH_EXPIRING, String::new(), ctx);
            }
        }
    }

    /// The subscription that a new one replaces, if there may be one more or it replaces one.
    fn replaced(&self, owner: &HookOwner, draft: &PushDraft) -> Result<Option<Arc<HookHandle>>, Refusal> {
        let handles = self.hooks.of(owner);
        let handles = || handles.iter().flat_map(|handles| handles.iter()).filter(|handle| handle.is_push);
        if let Some(handle) = handles().find(|handle| handle.with(|hook| hook.url == draft.endpoint)) {
            return Ok(Some(handle.clone()));
        }
        let member = draft.target.member;
        let is_of_member = |hook: &Hook| hook.push.as_ref().is_some_and(|push| push.member == member);
        let of_member = handles().filter(|handle| handle.with(is_of_member)).count();
        let refused = |what, bound| Err(full(what, bound));
        match owner {
            HookOwner::Channel(_) if of_member >= limits::PUSH_PER_MEMBER => {
                refused("push subscriptions of a member", limits::PUSH_PER_MEMBER)
            }
            HookOwner::Channel(_) if handles().count() >= limits::PUSH_PER_CHANNEL => {
                refused("push subscriptions of a channel", limits::PUSH_PER_CHANNEL)
            }
            HookOwner::Account(_) if handles().count() >= limits::PUSH_PER_ACCOUNT => {
                refused("push subscriptions of an account", limits::PUSH_PER_ACCOUNT)
            }
            _ => Ok(None),
        }
    }
}

fn full(what: &'static str, bound: usize) -> Refusal {
    Refusal::limit_reached(what, bound).hint("delete one first")
}

impl Handler<SubscribePush> for WebhookActor {
    type Result = AtomicResponse<Self, Result<Hook, HubError>>;

    fn handle(&mut self, SubscribePush { owner, draft }: SubscribePush, _: &mut Self::Context) -> Self::Result {
        let replaced = match self.replaced(&owner, &draft) {
            Ok(replaced) => replaced,
            Err(refusal) => return AtomicResponse::new(Box::pin(fut::ready(Err(refusal.into())))),
        };
        let before = replaced.as_ref().map(|handle| handle.hook());
        let id = before.as_ref().map_or_else(|| HookId::push_from_random(record_id()), |hook| hook.id.clone());
        let secret = self.secrets.encrypt_text(&draft.keys.to_bytes(), id.as_str(), nonce()).into();
        let created_ms = before.as_ref().map_or(draft.target.used_ms, |hook| hook.created_ms);
        let mut target = draft.target;
        if let Some(before) = before.and_then(|hook| hook.push).filter(|before| before.member == target.member) {
            (target.look_ms, target.announced) = (before.look_ms, before.announced);
        }
        let hook = Hook {
            id,
            owner,
            url: draft.endpoint,
            retry: Retry::Immediate,
            created_ms,
            secret,
            previous: None,
            format: None,
            failures: 0,
            off_ms: None,
            push: Some(Box::new(target)),
        };
        // Those of a channel are counted by the hub that owns the channel.
        let most = matches!(hook.owner, HookOwner::Account(_)).then_some(limits::PUSH_PER_ACCOUNT);
        let put = self.put_hook(&hook, most);
        AtomicResponse::new(Box::pin(put.into_actor(self).map(move |put, this, ctx| {
            this.stored(&hook, put, || full("push subscriptions of an account", limits::PUSH_PER_ACCOUNT))?;
            match replaced.filter(|handle| this.hooks.find(&handle.id).is_some()) {
                Some(handle) => handle.set(hook.clone()),
                None => {
                    this.hooks.add(StoredHook { hook: hook.clone(), due: 0, bytes: 0 });
                    this.open(&hook, ctx);
                }
            }
            Ok(hook)
        })))
    }
}

impl Handler<DropPush> for WebhookActor {
    type Result = ();

    fn handle(&mut self, DropPush(handle): DropPush, ctx: &mut Self::Context) {
        self.drop_push(&handle, ctx);
    }
}
