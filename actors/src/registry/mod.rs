//! The Registry: opens channels from the log, deletes them, and removes unused ones from the directory.
//!
//! The directory is read by everybody, so a request for a channel in use does not pass the Registry's mailbox. It holds
//! the channels in use; the others are in the log alone.

mod housekeeping;
pub(crate) mod messages;
mod open;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use rogerrat_domain::webhook::HookOwner;
use rogerrat_domain::{ChannelId, Refusal, Rules};

use crate::channel::actor::MAILBOX;
use crate::channel::handle::ChannelDirectory;
use crate::channel::messages::{Delete, Drain, Unloaded};
use crate::channel::recovery::Recovery;
use crate::context::HubContext;
use crate::counters::{Count, Counters};
use crate::error::HubError;
use crate::instances::InstanceLife;
use crate::registry::housekeeping::Unloading;
use crate::registry::messages::{DeleteChannel, StopOpening};
use crate::registry::open::Waiting;
use crate::webhooks::Forgotten;

/// Opens, deletes and unloads channels.
pub(crate) struct Registry {
    pub(crate) directory: Arc<ChannelDirectory>,
    pub(crate) recovery: Recovery,
    pub(crate) rules: Arc<Rules>,
    pub(crate) rules_of_bands: Arc<Rules>,
    /// After this long without use a channel that belongs to no account is deleted; none means never.
    pub(crate) unused_ms: Option<u64>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) context: Arc<HubContext>,
    /// Who waits for a channel that is being opened.
    pub(crate) opening: HashMap<ChannelId, Vec<Waiting>>,
    pub(crate) unloading: Unloading,
    pub(crate) draining: bool,
    /// Set when the hub shuts down: no channel is opened any more.
    pub(crate) is_closed: bool,
    pub(crate) life: InstanceLife,
    /// The instance is recording that it is alive.
    pub(crate) is_beating: bool,
}

impl Registry {
    /// A Registry for the channels of `directory`.
    pub(crate) fn new(
        directory: Arc<ChannelDirectory>,
        recovery: Recovery,
        (rules, rules_of_bands): (Rules, Rules),
        unused_ms: Option<u64>,
        counters: Arc<Counters>,
        context: HubContext,
        life: InstanceLife,
    ) -> Self {
        Self {
            directory,
            recovery,
            rules: Arc::new(rules),
            rules_of_bands: Arc::new(rules_of_bands),
            unused_ms,
            counters,
            context: Arc::new(context),
            opening: HashMap::new(),
            unloading: Unloading { channels: VecDeque::new(), is_recording_use: false },
            draining: false,
            is_closed: false,
            life,
            is_beating: false,
        }
    }

    fn set_deleting(&self, channel: &ChannelId, deleting: bool) {
        if let Some(handle) = self.directory.get(channel) {
            handle.status.set_deleting(deleting);
        }
    }

    /// Removes the hooks of a deleted channel from memory; the log has already removed them.
    fn remove_webhooks(&self, channel: ChannelId, ctx: &mut Context<Self>) {
        let owner = HookOwner::Channel(channel);
        if self.context.webhooks.hooks.of(&owner).is_some() {
            let removed = self.context.webhooks.addr.send(Forgotten(owner));
            ctx.spawn(removed.into_actor(self).map(|_, _, _| ()));
        }
    }
}

impl Actor for Registry {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(MAILBOX);
        self.schedule_housekeeping(ctx);
        self.schedule_beats(ctx);
    }
}

impl Handler<Unloaded> for Registry {
    type Result = ();

    fn handle(&mut self, Unloaded { channel }: Unloaded, ctx: &mut Self::Context) {
        // The actor stops after it has sent this.
        ctx.run_later(Duration::from_millis(1), move |this, ctx| {
            this.unloading.channels.push_back(channel);
            this.unload_some(ctx);
        });
    }
}

impl Handler<DeleteChannel> for Registry {
    type Result = ResponseActFuture<Self, Result<(), HubError>>;

    fn handle(&mut self, DeleteChannel { channel }: DeleteChannel, _: &mut Self::Context) -> Self::Result {
        // The log first: after that, a request that still finds the channel in the directory is refused by the log.
        self.set_deleting(&channel, true);
        let deleted = self.recovery.log.delete_channel(&channel);
        Box::pin(deleted.into_actor(self).map(move |deleted, this, ctx| {
            let existed = deleted
                .map_err(HubError::of_log("could not delete a channel"))
                .inspect_err(|_| this.set_deleting(&channel, false))?;
            if let Some((_, handle)) = this.directory.remove(&channel) {
                let _ = handle.try_send(Delete);
            }
            this.remove_webhooks(channel, ctx);
            if !existed {
                // Another request has just deleted it.
                return Err(Refusal::channel_not_found().into());
            }
            this.counters.take(Count::Channels, 1);
            Ok(())
        }))
    }
}

impl Handler<StopOpening> for Registry {
    type Result = ();

    fn handle(&mut self, _: StopOpening, _: &mut Self::Context) {
        self.is_closed = true;
    }
}

impl Handler<Drain> for Registry {
    type Result = ();

    fn handle(&mut self, _: Drain, _: &mut Self::Context) {
        self.draining = true;
    }
}
