//! Pushes to the sender of a message: that nobody has read it for long, and that who was asked has left.
//!
//! A subscription whose member sends a message gets one timer, and has none otherwise. When the next look is due is stored
//! with the subscription, so that a restart does not forget it.
//!
//! Where hubs share a log, the hub that drives the subscription's lane looks, so that there is one look. The owner of the
//! channel stores that one is due, which the other learns as a fact (ADR 46), and a look asks the owner.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use actix::prelude::*;
use rogerrat_domain::op::{GoneMember, GoneWhileAsked, UnreadMessage, UnreadOwn, UnreadOwnReply};
use rogerrat_domain::push::PushTarget;
use rogerrat_domain::webhook::{Hook, HookChange, HookId, HookOwner, PUSH_GONE, PUSH_UNREAD};
use rogerrat_domain::{ChannelId, MemberNo, limits};

use super::{HookHandle, WebhookActor};
use crate::error::HubError;

/// The pause before the next look, in milliseconds: after an announcement, because there may be one for another recipient,
/// and after a failure.
const AGAIN_MS: u64 = 1000;
const FAILED_AGAIN_MS: u64 = 60_000;

/// The member of a subscription has sent a message. Sent once until it is looked after.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct OwnSent(pub(crate) Arc<HookHandle>);

/// A member that was asked by the member of a subscription has left.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct AskedLeft {
    pub(crate) handle: Arc<HookHandle>,
    pub(crate) gone: MemberNo,
}

/// The looks that are due, by subscription: when, in milliseconds since the epoch, and the timer.
pub(crate) type DueLooks = HashMap<HookId, (u64, SpawnHandle)>;

impl WebhookActor {
    /// Resumes the look at the messages of a subscription's member, if one is due.
    pub(super) fn resume_look(&mut self, handle: &Arc<HookHandle>, ctx: &mut Context<Self>) {
        if let Some(look_ms) = handle.with(|hook| hook.push.as_ref()?.look_ms) {
            self.look_at(handle, look_ms, ctx);
        }
    }

    /// Looks at a wall-clock time, unless an earlier look is due. A clock that has jumped delays it by no more than the time
    /// after which messages count as unread.
    fn look_at(&mut self, handle: &Arc<HookHandle>, look_ms: u64, ctx: &mut Context<Self>) {
        if self.looks_by(handle, look_ms) {
            return;
        }
        let (look_at, pause_ms) = (handle.clone(), look_ms.saturating_sub(self.clock.now().at_ms));
        let pause = Duration::from_millis(pause_ms.min(limits::PUSH_UNREAD_MS));
        let timer = ctx.run_later(pause, move |this, ctx| this.look(look_at, ctx));
        if let Some((_, later)) = self.looks.insert(handle.id.clone(), (look_ms, timer)) {
            ctx.cancel_future(later);
        }
    }

    /// Whether a look is due by then.
    fn looks_by(&self, handle: &HookHandle, look_ms: u64) -> bool {
        self.looks.get(&handle.id).is_some_and(|(due_ms, _)| *due_ms <= look_ms)
    }

    /// Looks no more for a subscription that was removed.
    pub(super) fn forget_look(&mut self, hook: &HookId, ctx: &mut Context<Self>) {
        if let Some((_, timer)) = self.looks.remove(hook) {
            ctx.cancel_future(timer);
        }
    }

    fn look(&mut self, handle: Arc<HookHandle>, ctx: &mut Context<Self>) {
        self.looks.remove(&handle.id);
        if !self.lanes.drives(handle.lane) {
            return;
        }
        // A message that is sent from now on asks for the next look.
        handle.is_watched.store(false, Relaxed);
        let Some((channel, target)) = self.channel_push(&handle) else { return };
        let (Some(context), Some(member)) = (self.push_context.get(), target.member) else { return };
        let found = context.unread_own(channel, UnreadOwn { member, announced: target.announced });
        ctx.spawn(found.into_actor(self).map(move |found, this, ctx| match found {
            // Whoever drives its lane by now looks as well.
            _ if !this.lanes.drives(handle.lane) => {}
            Ok(found) => this.looked(&handle, target.look_ms, found, ctx),
            // The channel was deleted.
            Err(HubError::Refused(_)) => {}
            Err(_) => this.look_at(&handle, this.clock.now().at_ms + FAILED_AGAIN_MS, ctx),
        }));
    }

    /// A look that was due at `before_ms` has found something, or nothing.
    fn looked(
        &mut self,
        handle: &Arc<HookHandle>,
        before_ms: Option<u64>,
        found: UnreadOwnReply,
        ctx: &mut Context<Self>,
    ) {
        let (Some((_, target)), UnreadOwnReply { unread, next_ms }) = (self.channel_push(handle), found) else {
            return;
        };
        let now_ms = self.clock.now().at_ms;
        let look_ms = unread.as_ref().map(|_| now_ms + AGAIN_MS).or(next_ms);
        let announced = unread.as_ref().map_or(target.announced, |unread| unread.id);
        if (target.look_ms, target.announced) != (look_ms, announced) {
            // If the write is lost, a restart looks once more or once less.
            self.change_hook(handle, HookChange::Looked { before_ms, look_ms, announced });
        }
        // A recipient with a working webhook gets its messages without reading them.
        if let Some(UnreadMessage { to, account, .. }) = unread
            && !to.iter().zip(&account).any(|(to, account)| self.hooks.reaches(to, account))
        {
            self.announce(handle.clone(), PUSH_UNREAD, to.map(|to| to.to_string()).unwrap_or_default(), ctx);
        }
        if let Some(look_ms) = look_ms {
            self.look_at(handle, look_ms, ctx);
        }
    }

    /// The channel and the target of a member's subscription that still exists.
    fn channel_push(&self, handle: &HookHandle) -> Option<(ChannelId, PushTarget)> {
        self.hooks.find(&handle.id)?;
        match handle.hook() {
            Hook { owner: HookOwner::Channel(channel), push: Some(target), .. } => Some((channel, *target)),
            _ => None,
        }
    }

    pub(super) fn announce(&self, handle: Arc<HookHandle>, event: &'static str, text: String, ctx: &mut Context<Self>) {
        if let Some(context) = self.push_context.get() {
            ctx.spawn(context.announce(handle, event, text).into_actor(self));
        }
    }

    /// Announces a member that has not come back, once for each message that it did not answer.
    fn announce_gone(&self, handle: Arc<HookHandle>, gone: MemberNo, ctx: &mut Context<Self>) {
        let Some((channel, target)) = self.channel_push(&handle) else { return };
        let (Some(context), Some(member)) = (self.push_context.get(), target.member) else { return };
        let found = context.gone_while_asked(channel, GoneWhileAsked { member, gone });
        ctx.spawn(found.into_actor(self).map(move |found, this, ctx| {
            if let Ok(Some(GoneMember { callsign, asked })) = found
                && handle.announces_gone(gone, asked)
            {
                this.announce(handle, PUSH_GONE, callsign.to_string(), ctx);
            }
        }));
    }
}

impl Handler<OwnSent> for WebhookActor {
    type Result = ();

    fn handle(&mut self, OwnSent(handle): OwnSent, ctx: &mut Self::Context) {
        if self.channel_push(&handle).is_none() {
            return;
        }
        let look_ms = self.clock.now().at_ms + limits::PUSH_UNREAD_MS;
        if self.lanes.drives(handle.lane) {
            if !self.looks_by(&handle, look_ms) {
                self.change_hook(&handle, HookChange::OwnSent { look_ms });
                self.look_at(&handle, look_ms, ctx);
            }
            return;
        }
        // The hub that drives it learns of it by this change alone.
        let changed = self.store_change(&handle, HookChange::OwnSent { look_ms });
        ctx.spawn(changed.into_actor(self).map(move |changed, this, ctx| {
            if let Err(error) = changed {
                log::warn!(error:display; "could not store that a message is to be looked at; the member's next one is");
                handle.is_watched.store(false, Relaxed);
            } else if this.lanes.drives(handle.lane) {
                // Its lane has come here meanwhile.
                this.look_at(&handle, look_ms, ctx);
            }
        }));
    }
}

impl Handler<AskedLeft> for WebhookActor {
    type Result = ();

    fn handle(&mut self, AskedLeft { handle, gone }: AskedLeft, ctx: &mut Self::Context) {
        // It may only have been restarted.
        let pause = Duration::from_millis(limits::PUSH_DELAY_MS);
        ctx.run_later(pause, move |this, ctx| this.announce_gone(handle, gone, ctx));
    }
}
