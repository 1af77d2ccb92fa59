//! The Registry: knows which channels live; opens, revives and forgets them.
//!
//! What is known lies in a table everybody reads, so that the way to a live channel does not pass its mailbox. Only
//! channels in use are in it; the others are in the log.

pub(crate) mod directory;
pub(crate) mod dispatcher;

use std::collections::{HashMap, VecDeque};
use std::future::ready;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::time::Duration;

use actix::prelude::*;
use futures_util::FutureExt as _;
use rogerrat_domain::limits::ACCOUNT_SESSION_MS;
use rogerrat_domain::op::{Evict, Revoke};
use rogerrat_domain::webhook::Owner;
use rogerrat_domain::{ChannelId, Refusal, Rules};
use tokio::sync::oneshot;

use crate::alarm::{Alarm, FAR_MS};
use crate::channel::actor::{ChannelActor, FLOOR_AHEAD_MS, MAILBOX, Responders};
use crate::channel::log_writer::PendingWrites;
use crate::channel::messages::{Ask, CheckNow, Delete, Drain, Request};
use crate::channel::metrics::ChannelMetrics;
use crate::channel::recovery::{RecoveredChannel, Recovery};
use crate::context::HubContext;
use crate::counters::{Count, Counters};
use crate::error::HubError;
use crate::ports::accounts::AccountChange;
use crate::registry::directory::{ChannelDirectory, ChannelEntry};
use crate::webhooks::Forgotten;

/// How often the Registry looks for channels nobody uses.
const SWEEP_EVERY: Duration = Duration::from_secs(3600);
/// A use so soon after a channel was created is not noted: looking once an hour, nobody sees the difference.
const NEW_MS: u64 = 3_600_000;
/// How often it looks for rooms nobody is in.
const TIDY_EVERY: Duration = Duration::from_secs(60);
/// How often it wakes channels that have set no timer for what is due to them before it looks again, and some time after.
const WAKE_EVERY_MS: u64 = FAR_MS / 3;
/// How often the floor of the ids is raised, and the counters are noted.
const NOTE_EVERY: Duration = Duration::from_secs(15);
/// Unused channels deleted in one sweep.
const DELETE_AT_ONCE: usize = 1000;
/// Channels whose last use is noted at once: the log serves others between them, however many leave.
const NOTE_AT_ONCE: usize = 500;

/// OpenChannel a room, unless somebody other than `dead` lives there.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct OpenChannel {
    pub(crate) room: Arc<ChannelEntry>,
    pub(crate) dead: Option<Addr<ChannelActor>>,
    pub(crate) arbiter: ArbiterHandle,
    pub(crate) opened: oneshot::Sender<Result<(), HubError>>,
}

/// A channel has left memory.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Passivated {
    pub(crate) channel: ChannelId,
}

/// OpenChannel nothing more: the hub ends.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct StopOpening;

/// Delete a channel.
#[derive(Message)]
#[rtype(result = "Result<(), HubError>")]
pub(crate) struct DeleteChannel {
    pub(crate) channel: ChannelId,
}

/// Opens and closes rooms. Whoever looks for a channel puts its room into the table; only the Registry takes it out.
pub(crate) struct Registry {
    pub(crate) table: Arc<ChannelDirectory>,
    pub(crate) reviver: Recovery,
    pub(crate) rules: Arc<Rules>,
    pub(crate) rules_of_bands: Arc<Rules>,
    pub(crate) unused_ms: Option<u64>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) house: Arc<HubContext>,
    pub(crate) opening: HashMap<ChannelId, Vec<oneshot::Sender<Result<(), HubError>>>>,
    /// Who is to leave the table, and whether some of them are being noted.
    pub(crate) leaving: VecDeque<ChannelId>,
    pub(crate) is_noting: bool,
    pub(crate) draining: bool,
    pub(crate) shut: bool,
}

/// Whether nobody is in a room, nobody has hold of it, and the log knows all there is to know: not when its actor went
/// down in the middle of its life.
fn is_empty(room: &Arc<ChannelEntry>) -> bool {
    !room.settings().is_band && Arc::strong_count(room) == 1 && !room.is_live() && !room.vitals.is_down()
}

impl Actor for Registry {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(MAILBOX);
        ctx.run_interval(SWEEP_EVERY, |this, ctx| this.sweep(ctx));
        ctx.run_interval(TIDY_EVERY, Self::tidy);
        ctx.run_interval(Duration::from_millis(WAKE_EVERY_MS), |this, _| this.wake());
        ctx.run_interval(NOTE_EVERY, |this, _| this.take_notes());
    }
}

impl Registry {
    /// Starts the actor of a room with what was revived.
    fn bring_up(&self, room: &Arc<ChannelEntry>, revived: RecoveredChannel, arbiter: &ArbiterHandle) {
        let RecoveredChannel { channel, seq, replayed, crashed, revoked } = revived;
        let proved: Vec<_> = channel.proved().map(|(callsign, who)| (callsign.clone(), who.clone())).collect();
        if !proved.is_empty() {
            room.vitals.has_identities.store(true, SeqCst);
        }
        if crashed {
            self.counters.add(Count::Revivals, 1);
            log::error!(channel:display = room.id; "a channel went down and is brought back from its log");
        }
        let (vitals, house) = (room.vitals.clone(), self.house.clone());
        let share = ChannelMetrics::new(self.counters.clone(), room.settings().is_durable());
        let addr = ChannelActor::start_in_arbiter(arbiter, move |ctx| {
            ctx.set_mailbox_capacity(MAILBOX);
            ChannelActor {
                channel,
                seq,
                vitals,
                house,
                share,
                keeping: PendingWrites::after(replayed),
                effects: Vec::new(),
                ways: Responders::default(),
                alarm: Alarm::default(),
            }
        });
        if self.draining {
            let _ = addr.try_send(Drain);
        }
        // Who was banned while the channel was not in memory goes before anybody else is served.
        for callsign in self.house.bans.callsigns_off(&room.id, self.reviver.clock.now()) {
            let _ = addr.try_send(Ask(Request::new(Evict { callsign }).0));
        }
        for (callsign, identity) in revoked {
            let _ = addr.try_send(Ask(Request::new(Revoke { callsign, identity }).0));
        }
        room.seat(addr.clone());
        // Who ends a key now finds the channel. Who did before may have missed it, and has left a note.
        for (callsign, identity) in proved.into_iter().filter(|(_, identity)| self.house.standing.has_ended(identity)) {
            let _ = addr.try_send(Ask(Request::new(Revoke { callsign, identity }).0));
        }
    }

    fn rules_of(&self, room: &ChannelEntry) -> Arc<Rules> {
        if room.settings().is_band { self.rules_of_bands.clone() } else { self.rules.clone() }
    }

    fn opened(
        &mut self,
        room: &Arc<ChannelEntry>,
        revived: Result<RecoveredChannel, HubError>,
        arbiter: &ArbiterHandle,
    ) {
        let revived = if self.shut { Err(HubError::Gone) } else { revived };
        let result = revived.map(|revived| self.bring_up(room, revived, arbiter));
        for waiting in self.opening.remove(&room.id).unwrap_or_default() {
            let _ = waiting.send(result.clone());
        }
    }

    /// When a room was last used, in milliseconds since the epoch.
    fn used_at_ms(&self, room: &ChannelEntry) -> u64 {
        let now = self.reviver.clock.now();
        now.at_ms.saturating_sub(now.uptime_ms.saturating_sub(room.used_ms.load(Relaxed)))
    }

    /// Takes out of the table whoever nobody is in and nobody asks for: the log knows it.
    fn tidy(&mut self, ctx: &mut Context<Self>) {
        self.house.standing.sweep(self.reviver.clock.now());
        if self.leaving.is_empty() {
            let empty = self.table.iter().filter(|room| is_empty(room.value()));
            self.leaving = empty.map(|room| room.key().clone()).collect();
        }
        self.put_away(ctx);
    }

    /// Wakes channels to which something is due soon, early enough for them to set a timer.
    fn wake(&self) {
        let soon_ms = self.reviver.clock.uptime_ms() + 2 * WAKE_EVERY_MS;
        for room in self.table.iter().filter(|room| room.vitals.is_booked_before(soon_ms)) {
            // One whose mailbox is full looks by itself with every message.
            let _ = room.try_send(CheckNow);
        }
    }

    /// Takes those who are to leave out of the table, some at a time.
    fn put_away(&mut self, ctx: &mut Context<Self>) {
        if self.is_noting || self.leaving.is_empty() {
            return;
        }
        let some: Vec<_> = self.leaving.drain(..self.leaving.len().min(NOTE_AT_ONCE)).collect();
        // Taken out only if it is empty: nobody can get hold of it meanwhile.
        let left = some.iter().filter_map(|id| self.table.remove_if(id, |_, room| is_empty(room)));
        let used = left.filter_map(|(id, room)| {
            let at_ms = self.used_at_ms(&room);
            (at_ms > room.settings().created_at_ms + NEW_MS).then_some((id, at_ms))
        });
        let used: Vec<_> = used.collect();
        let noted = if used.is_empty() { Box::pin(ready(Ok(()))) } else { self.reviver.log.used(used) };
        self.is_noting = true;
        ctx.spawn(noted.into_actor(self).map(|_, this, ctx| {
            this.is_noting = false;
            this.put_away(ctx);
        }));
    }

    /// The hooks of a channel went from the log with it; here they must go too.
    fn forget_webhooks(&self, channel: ChannelId, ctx: &mut Context<Self>) {
        let owner = Owner::Channel(channel);
        if self.house.webhooks.directory.of(&owner).is_some() {
            let told = self.house.webhooks.addr.send(Forgotten(owner));
            ctx.spawn(told.into_actor(self).map(|_, _, _| ()));
        }
    }

    /// Raises the floor of the ids in time, and notes the counters.
    fn take_notes(&self) {
        let log = &self.reviver.log;
        if log.is_healthy() {
            let ahead = self.reviver.clock.now().at_ms + FLOOR_AHEAD_MS;
            drop(log.reserve_ids(ahead));
            drop(log.put_meta(Counters::NOTE, self.counters.note()));
        }
    }

    /// Ends sessions of accounts that nobody has used, and accounts that have nothing.
    fn sweep_accounts(&self, ctx: &mut Context<Self>) {
        let before_ms = self.reviver.clock.now().at_ms.saturating_sub(ACCOUNT_SESSION_MS);
        let swept = self.reviver.accounts.change(AccountChange::Sweep { before_ms });
        ctx.spawn(swept.into_actor(self).map(|swept, _, _| {
            if let Err(error) = swept {
                log::warn!(error:display; "unused sessions of accounts could not be ended");
            }
        }));
    }

    /// Deletes channels that nobody has used for so long.
    fn sweep(&self, ctx: &mut Context<Self>) {
        self.sweep_accounts(ctx);
        let Some(unused_ms) = self.unused_ms else { return };
        let used = self.table.iter().filter(|room| !room.settings().is_band);
        let used: Vec<_> = used.map(|room| (room.key().clone(), self.used_at_ms(room.value()))).collect();
        let log = self.reviver.log.clone();
        let before_ms = self.reviver.clock.now().at_ms.saturating_sub(unused_ms);
        let unused = async move {
            for some in used.chunks(NOTE_AT_ONCE) {
                log.used(some.to_vec()).await?;
            }
            log.unused(before_ms, DELETE_AT_ONCE).await
        };
        ctx.spawn(unused.into_actor(self).map(|unused, this, ctx| match unused {
            Ok(channels) => channels.into_iter().for_each(|channel| {
                if this.table.get(&channel).is_none_or(|room| room.vitals.agents.load(Relaxed) == 0) {
                    log::info!(channel:display = channel; "a channel nobody has used is deleted");
                    ctx.notify(DeleteChannel { channel });
                }
            }),
            Err(error) => log::warn!(error:display; "unused channels could not be looked for"),
        }));
    }
}

impl Handler<Passivated> for Registry {
    type Result = ();

    fn handle(&mut self, Passivated { channel }: Passivated, ctx: &mut Self::Context) {
        // The actor ends after it has said so.
        ctx.run_later(Duration::from_millis(1), move |this, ctx| {
            this.leaving.push_back(channel);
            this.put_away(ctx);
        });
    }
}

impl Handler<DeleteChannel> for Registry {
    type Result = ResponseActFuture<Self, Result<(), HubError>>;

    fn handle(&mut self, DeleteChannel { channel }: DeleteChannel, _: &mut Self::Context) -> Self::Result {
        // First from the log: who finds it in the table after that is refused by the log.
        let forgotten = self.reviver.log.delete_channel(&channel);
        Box::pin(forgotten.into_actor(self).map(move |forgotten, this, ctx| {
            let was_there = forgotten.map_err(HubError::of_log("a channel could not be deleted"))?;
            if let Some((_, room)) = this.table.remove(&channel) {
                let _ = room.try_send(Delete);
            }
            this.forget_webhooks(channel, ctx);
            if !was_there {
                // Somebody else deleted it meanwhile.
                return Err(Refusal::channel_not_found().into());
            }
            this.counters.take(Count::Channels, 1);
            Ok(())
        }))
    }
}

impl Handler<OpenChannel> for Registry {
    type Result = ();

    fn handle(&mut self, open: OpenChannel, ctx: &mut Self::Context) {
        let OpenChannel { room, dead, arbiter, opened } = open;
        let lives = room.addr().is_some_and(|addr| dead.as_ref() != Some(&addr));
        if lives || self.shut {
            let _ = opened.send(if lives { Ok(()) } else { Err(HubError::Gone) });
            return;
        }
        let waiting = self.opening.entry(room.id.clone()).or_default();
        waiting.push(opened);
        if waiting.len() == 1 {
            let revived = AssertUnwindSafe(self.reviver.clone().revive(room.clone(), self.rules_of(&room)));
            // What one channel's log holds must not take the Registry down.
            let revived = revived.catch_unwind().map(|revived| revived.unwrap_or(Err(HubError::StorageFailed)));
            ctx.spawn(revived.into_actor(self).map(move |revived, this, _| {
                this.opened(&room, revived, &arbiter);
            }));
        }
    }
}

impl Handler<StopOpening> for Registry {
    type Result = ();

    fn handle(&mut self, _: StopOpening, _: &mut Self::Context) {
        self.shut = true;
    }
}

impl Handler<Drain> for Registry {
    type Result = ();

    fn handle(&mut self, _: Drain, _: &mut Self::Context) {
        self.draining = true;
    }
}
