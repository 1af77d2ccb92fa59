//! Opening a channel: recover its state from the log and start its actor on the worker that needs it.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

use actix::prelude::*;
use futures_util::FutureExt as _;
use rogerrat_domain::Rules;
use rogerrat_domain::op::{Evict, Revoke};
use tokio::sync::oneshot;

use crate::alarm::Alarm;
use crate::channel::actor::{ChannelActor, MAILBOX};
use crate::channel::handle::ChannelHandle;
use crate::channel::messages::{Ask, Drain, Request};
use crate::channel::metrics::ChannelMetrics;
use crate::channel::pending_writes::PendingWrites;
use crate::channel::recovery::RecoveredChannel;
use crate::channel::responder::Responders;
use crate::counters::Count;
use crate::error::HubError;
use crate::ports::log::PreviousOwner;
use crate::registry::Registry;
use crate::registry::messages::OpenChannel;

/// A request that waits for a channel to be opened.
pub(crate) type Waiting = oneshot::Sender<Result<(), HubError>>;

impl Registry {
    /// Starts a channel's actor with its recovered state.
    fn start_actor(&self, handle: &Arc<ChannelHandle>, recovered: RecoveredChannel, arbiter: &ArbiterHandle) {
        let RecoveredChannel { channel, seq, fence, replayed, previous_owner, crashed, revoked } = recovered;
        match previous_owner {
            PreviousOwner::OnlyHub => {}
            PreviousOwner::GaveUp => self.counters.add(Count::ChannelsMoved, 1),
            PreviousOwner::Lost { .. } => self.counters.add(Count::ChannelsTakenOver, 1),
        }
        let proved: Vec<_> =
            channel.live_identities().map(|(callsign, identity)| (callsign.clone(), identity.clone())).collect();
        if !proved.is_empty() {
            handle.status.has_identities.store(true, SeqCst);
        }
        if crashed {
            self.counters.add(Count::Revivals, 1);
            log::error!(channel:display = handle.id; "channel crashed; recovering it from its log");
        }
        let (status, context) = (handle.status.clone(), self.context.clone());
        let metrics = ChannelMetrics::new(self.counters.clone(), handle.settings().is_durable());
        let addr = ChannelActor::start_in_arbiter(arbiter, move |ctx| {
            ctx.set_mailbox_capacity(MAILBOX);
            ChannelActor {
                channel,
                seq,
                fence,
                status,
                context,
                metrics,
                writes: PendingWrites::after(replayed),
                effects: rogerrat_domain::Effects::default(),
                responders: Responders::default(),
                alarm: Alarm::default(),
            }
        });
        if self.draining {
            let _ = addr.try_send(Drain);
        }
        // Members that were banned while the channel was not in memory are removed before any other request is served.
        for callsign in self.context.bans.callsigns_off(&handle.id, self.recovery.clock.now()) {
            let _ = addr.try_send(Ask(Request::new(Evict { callsign }).0));
        }
        for (callsign, identity) in revoked {
            let _ = addr.try_send(Ask(Request::new(Revoke { callsign, identity }).0));
        }
        handle.set_addr(addr.clone());
        // A key revoked from now on reaches the actor. One revoked before may have missed it, and is in the policy's
        // list.
        let policy = &self.context.account_policy;
        for (callsign, identity) in proved.into_iter().filter(|(_, identity)| policy.has_ended(identity)) {
            let _ = addr.try_send(Ask(Request::new(Revoke { callsign, identity }).0));
        }
    }

    fn rules_of(&self, handle: &ChannelHandle) -> Arc<Rules> {
        if handle.settings().is_band { self.rules_of_bands.clone() } else { self.rules.clone() }
    }

    fn on_recovered(
        &mut self,
        handle: &Arc<ChannelHandle>,
        recovered: Result<RecoveredChannel, HubError>,
        arbiter: &ArbiterHandle,
    ) {
        let recovered = if self.is_closed { Err(HubError::Gone) } else { recovered };
        if matches!(recovered, Err(HubError::Moved)) {
            // Another owner decides from now on what the channel contains.
            handle.status.unload();
        }
        let result = recovered.map(|recovered| self.start_actor(handle, recovered, arbiter));
        for waiting in self.opening.remove(&handle.id).unwrap_or_default() {
            let _ = waiting.send(result.clone());
        }
    }
}

impl Handler<OpenChannel> for Registry {
    type Result = ();

    fn handle(&mut self, open: OpenChannel, ctx: &mut Self::Context) {
        let OpenChannel { handle, stopped, arbiter, opened } = open;
        let is_running = handle.addr().is_some_and(|addr| stopped.as_ref() != Some(&addr));
        if is_running || self.is_closed {
            let _ = opened.send(if is_running { Ok(()) } else { Err(HubError::Gone) });
            return;
        }
        let waiting = self.opening.entry(handle.id.clone()).or_default();
        waiting.push(opened);
        if waiting.len() == 1 {
            let recovered = AssertUnwindSafe(self.recovery.clone().recover(handle.clone(), self.rules_of(&handle)));
            // A channel whose log makes recovery panic must not stop the Registry.
            let recovered = recovered.catch_unwind().map(|recovered| recovered.unwrap_or(Err(HubError::StorageFailed)));
            ctx.spawn(recovered.into_actor(self).map(move |recovered, this, _| {
                this.on_recovered(&handle, recovered, &arbiter);
            }));
        }
    }
}
