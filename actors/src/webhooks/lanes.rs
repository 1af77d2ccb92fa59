//! The webhook actor's part of a shared log: it drives the webhooks of the lanes that this instance holds, and wakes the
//! instances that hold the others (ADR 46).
//!
//! A lane is given up only when no attempt of its webhooks is running, so that none is made twice. After an instance has
//! ended, attempts whose results it has not stored are made again, with the same ids.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use futures_util::future::join_all;
use rogerrat_domain::webhook::{HookId, HookOwner};
use rogerrat_domain::{Callsign, IdentityRow, OutboxEvent};

use super::{HookHandle, WebhookActor};
use crate::deliberate_fault::{DeliberateFault, is_broken};
use crate::failures::Failures;
use crate::ports::error::LogError;
use crate::ports::instances::{BEAT_EVERY_MS, Instance};
use crate::ports::lanes::{LANES, Lane, Lanes};
use crate::ports::log::Log;
use crate::ports::webhook_store::StoredHook;

/// How often lanes are looked for.
const TEND_EVERY: Duration = Duration::from_millis(BEAT_EVERY_MS);
/// How often the sizes of all queues are read, which also finds deliveries whose wake-up was lost.
const COUNT_EVERY: Duration = Duration::from_secs(5);
/// The shortest time between two wake-ups of a lane.
const WAKE_EVERY: Duration = Duration::from_millis(20);
const NOT_TAKEN: &str = "could not take webhooks of the log";
const NOT_GIVEN_UP: &str = "could not give up webhooks";
const NOT_READ: &str = "could not read the webhooks to drive";

/// The lanes as an instance knows them.
#[derive(Default)]
pub(crate) struct LaneState {
    /// The lanes whose webhooks it drives.
    driven: Lanes,
    /// Lanes that it gives up once no attempt is running.
    leaving: Lanes,
    /// Lanes are being taken, or given up: one after the other, so that each answer is about what is held now.
    is_tending: bool,
    /// What failed and is tried again.
    failures: Failures,
    /// The hub stops: take no lanes any more.
    is_stopping: bool,
    /// Lanes whose due deliveries are to be read, because another instance has added some.
    woken: Lanes,
    is_reading_woken: bool,
    /// Lanes to wake elsewhere, once the pause is over.
    to_wake: Lanes,
    is_waking: bool,
    /// Who held a lane when it was looked up last.
    holders: HashMap<Lane, Instance>,
}

impl LaneState {
    /// The lanes at the start: all, if no other hub uses the log.
    pub(crate) fn at_start(log: &dyn Log) -> Self {
        let driven = if log.instances().is_some() { Lanes::NONE } else { Lanes::ALL };
        Self { driven, ..Self::default() }
    }

    /// Whether this instance drives the webhooks of a lane.
    pub(crate) fn drives(&self, lane: Lane) -> bool {
        self.driven.contains(lane) || is_broken(DeliberateFault::UnheldLanes)
    }
}

/// Deliveries of webhooks in these lanes have become due, says another instance. Returns whether this one drives them all.
#[derive(Message)]
#[rtype(result = "bool")]
pub(crate) struct WakeLanes(pub(crate) Lanes);

/// Gives all lanes up, because the hub stops. Returns whether none is left.
#[derive(Message)]
#[rtype(result = "bool")]
pub(crate) struct LeaveLanes;

/// A hook was added, changed or removed in a shared log: read it again.
#[derive(Message)]
#[rtype(result = "Result<(), LogError>")]
pub(crate) struct Reread(pub(crate) HookId);

/// Reads all hooks again, because changes were missed.
#[derive(Message)]
#[rtype(result = "Result<(), LogError>")]
pub(crate) struct RereadAll;

impl WebhookActor {
    /// Takes lanes regularly, and looks for due deliveries.
    pub(super) fn schedule_lanes(&mut self, ctx: &mut Context<Self>) {
        ctx.run_interval(TEND_EVERY, Self::tend_lanes);
        ctx.run_interval(COUNT_EVERY, Self::count_queues);
        self.tend_lanes(ctx);
    }

    /// Takes this instance's share of the lanes, and gives up what is more than that.
    fn tend_lanes(&mut self, ctx: &mut Context<Self>) {
        self.give_up_idle(ctx);
        let log = self.log.clone();
        let Some(instances) = log.instances().filter(|_| !self.lanes.is_tending && !self.lanes.is_stopping) else {
            return;
        };
        self.lanes.is_tending = true;
        let living = instances.living();
        let taken = async move {
            let share = usize::from(LANES).div_ceil(living.await?.len().max(1));
            let held = log.instances().map(|instances| instances.take_lanes(share));
            let held = match held {
                Some(held) => held.await?,
                None => Lanes::ALL,
            };
            Ok::<_, LogError>((share, held))
        };
        ctx.spawn(taken.into_actor(self).map(|taken, this, ctx| {
            this.lanes.is_tending = false;
            match taken {
                Ok((share, held)) => {
                    this.lanes.failures.succeeded(NOT_TAKEN);
                    this.hold_lanes(share, held, ctx);
                }
                // The Registry stops the instance.
                Err(LogError::Ended) => this.stop_driving_all(ctx),
                Err(error) => this.lanes.failures.failed(NOT_TAKEN, &error),
            }
        }));
    }

    /// Drives the lanes that are held.
    fn hold_lanes(&mut self, share: usize, held: Lanes, ctx: &mut Context<Self>) {
        if self.lanes.is_stopping {
            self.lanes.leaving = held;
            return self.give_up_idle(ctx);
        }
        let new = held.without(self.lanes.driven).without(self.lanes.leaving);
        if !new.is_empty() {
            self.start_driving(new, ctx);
        }
        let surplus = held.without(self.lanes.leaving).len().saturating_sub(share);
        let leaving: Lanes = self.lanes.driven.iter().take(surplus).collect();
        self.leave(leaving, ctx);
    }

    /// Starts no more attempts in some lanes, and gives up those in which none is running.
    fn leave(&mut self, lanes: Lanes, ctx: &mut Context<Self>) {
        for handle in self.hooks.in_lanes(lanes) {
            self.on_event(OutboxEvent::HookReleased(handle.id.clone()), ctx);
        }
        self.lanes.driven = self.lanes.driven.without(lanes);
        self.lanes.leaving = self.lanes.leaving.union(lanes);
        self.give_up_idle(ctx);
    }

    fn is_attempting(&self, lane: Lane) -> bool {
        self.hooks.in_lanes(Lanes::NONE.with(lane)).iter().any(|handle| self.outbox.is_attempting(&handle.id))
    }

    /// Drives nothing any more: the instance has ended.
    pub(super) fn stop_driving_all(&mut self, ctx: &mut Context<Self>) {
        self.lanes.is_stopping = true;
        for handle in self.hooks.in_lanes(std::mem::take(&mut self.lanes.driven)) {
            self.on_event(OutboxEvent::HookRemoved(handle.id.clone()), ctx);
        }
    }

    /// Gives up the lanes that it leaves and in which no attempt is running any more.
    fn give_up_idle(&mut self, ctx: &mut Context<Self>) {
        let is_idle = |lane: &Lane| !self.is_attempting(*lane) && !self.unsaved.has_any_in(*lane);
        let idle: Lanes = self.lanes.leaving.iter().filter(is_idle).collect();
        let log = self.log.clone();
        let Some(instances) = log.instances().filter(|_| !idle.is_empty() && !self.lanes.is_tending) else { return };
        self.lanes.is_tending = true;
        let given_up = instances.give_up_lanes(idle);
        ctx.spawn(given_up.into_actor(self).map(move |given_up, this, _| {
            this.lanes.is_tending = false;
            match given_up {
                Ok(()) => {
                    this.lanes.failures.succeeded(NOT_GIVEN_UP);
                    this.lanes.leaving = this.lanes.leaving.without(idle);
                }
                Err(error) => this.lanes.failures.failed(NOT_GIVEN_UP, &error),
            }
        }));
    }

    /// Reads the hooks of lanes from the log, and drives them. Messages wait meanwhile: what is read must not undo a later
    /// change that one of them reports.
    fn start_driving(&mut self, lanes: Lanes, ctx: &mut Context<Self>) {
        let hooks = self.log.webhooks().hooks();
        ctx.wait(hooks.into_actor(self).map(move |hooks, this, ctx| match hooks {
            Ok(hooks) => {
                this.lanes.failures.succeeded(NOT_READ);
                this.lanes.driven = this.lanes.driven.union(lanes);
                let of_lanes = |stored: &StoredHook| lanes.contains(Lane::of(&stored.hook.id));
                for stored in hooks.into_iter().filter(of_lanes) {
                    this.drive(stored, ctx);
                }
            }
            // The lanes are held, and are started again with the next look.
            Err(error) => this.lanes.failures.failed(NOT_READ, &error),
        }));
    }

    /// Updates a hook, and drives it from what the log has.
    fn drive(&mut self, stored: StoredHook, ctx: &mut Context<Self>) {
        let hook = stored.hook.clone();
        let handle = self.update(stored);
        if !self.lanes.drives(handle.lane) {
            return;
        }
        if self.outbox.health(&hook.id).is_none() {
            self.open(&hook, ctx);
            self.on_event(OutboxEvent::DeliveriesAdded(hook.id), ctx);
        }
        self.resume_look(&handle, ctx);
    }

    /// Updates a hook in memory, or adds it.
    fn update(&self, stored: StoredHook) -> Arc<HookHandle> {
        let Some(handle) = self.hooks.find(&stored.hook.id) else { return self.hooks.add(stored) };
        let StoredHook { mut hook, due, bytes } = stored;
        if let Some(health) = self.outbox.health(&hook.id) {
            // The log may not have it yet.
            (hook.failures, hook.off_ms) = (health.failures, health.off_ms);
        }
        if let Some(push) = &mut hook.push {
            let known = handle.with(|known| {
                let known = known.push.as_ref().filter(|known| known.member == push.member);
                known.map_or(0, |known| known.announced)
            });
            push.announced = push.announced.max(known);
        }
        handle.set(hook);
        handle.set_queue(due, bytes);
        handle
    }

    /// Reads the sizes of the queues, and wakes the hooks with due deliveries.
    fn count_queues(&mut self, ctx: &mut Context<Self>) {
        let queues = self.log.webhooks().queues();
        ctx.spawn(queues.into_actor(self).map(|queues, this, ctx| {
            let Ok(queues) = queues else { return };
            let sizes: HashMap<_, _> = queues.into_iter().map(|(hook, due, bytes)| (hook, (due, bytes))).collect();
            for handle in this.hooks.all() {
                let (due, bytes) = sizes.get(&handle.id).copied().unwrap_or_default();
                handle.set_queue(due, bytes);
                if due > 0 && this.lanes.drives(handle.lane) {
                    this.on_event(OutboxEvent::DeliveriesAdded(handle.id.clone()), ctx);
                }
            }
        }));
    }

    /// Reads which webhooks of the woken lanes have due deliveries. One such read runs at a time.
    fn read_woken(&mut self, ctx: &mut Context<Self>) {
        if self.lanes.is_reading_woken || self.lanes.woken.is_empty() {
            return;
        }
        self.lanes.is_reading_woken = true;
        let lanes = std::mem::take(&mut self.lanes.woken);
        let queues = self.log.webhooks().queues();
        ctx.spawn(queues.into_actor(self).map(move |queues, this, ctx| {
            this.lanes.is_reading_woken = false;
            match queues {
                Ok(queues) => {
                    let woken = |hook: &HookId| lanes.contains(Lane::of(hook)) && this.lanes.drives(Lane::of(hook));
                    let due: Vec<_> = queues.into_iter().map(|(hook, ..)| hook).filter(woken).collect();
                    due.into_iter().for_each(|hook| this.on_event(OutboxEvent::DeliveriesAdded(hook), ctx));
                }
                // All queues are read every few seconds in any case.
                Err(error) => log::debug!(error:display; "could not read the queues of webhooks"),
            }
            this.read_woken(ctx);
        }));
    }

    /// Wakes the holder of a lane, soon.
    pub(super) fn wake_elsewhere(&mut self, lane: Lane, ctx: &mut Context<Self>) {
        self.lanes.to_wake = self.lanes.to_wake.with(lane);
        if !self.lanes.is_waking {
            self.lanes.is_waking = true;
            self.wake_holders(ctx);
        }
    }

    fn wake_holders(&mut self, ctx: &mut Context<Self>) {
        let lanes = std::mem::take(&mut self.lanes.to_wake);
        if lanes.is_empty() {
            self.lanes.is_waking = false;
            return;
        }
        let (known, unknown): (Vec<_>, Vec<_>) = lanes.iter().partition(|lane| self.lanes.holders.contains_key(lane));
        let known: Vec<_> =
            known.into_iter().filter_map(|lane| Some((lane, self.lanes.holders.get(&lane)?.clone()))).collect();
        let (log, peers) = (self.log.clone(), self.peers.clone());
        let woken = async move {
            let found = unknown.into_iter().map(|lane| {
                let holder = log.instances().map(|instances| instances.lane_holder(lane));
                async move { Some((lane, holder?.await.ok()??)) }
            });
            let found: Vec<_> = join_all(found).await.into_iter().flatten().chain(known).collect();
            let mut by_holder = HashMap::<_, (Instance, Lanes)>::new();
            for (lane, holder) in &found {
                let (_, lanes) = by_holder.entry(holder.id).or_insert_with(|| (holder.clone(), Lanes::NONE));
                *lanes = lanes.with(*lane);
            }
            let Some(peers) = peers.get() else { return Vec::new() };
            let woken = by_holder.into_values().map(|(holder, lanes)| {
                let woken = peers.wake_lanes(holder, lanes);
                async move { woken.await.then_some(lanes) }
            });
            let woken = join_all(woken).await.into_iter().flatten().fold(Lanes::NONE, Lanes::union);
            found.into_iter().filter(|(lane, _)| woken.contains(*lane)).collect()
        };
        ctx.spawn(woken.into_actor(self).map(move |woken: Vec<(Lane, Instance)>, this, ctx| {
            lanes.iter().for_each(|lane| drop(this.lanes.holders.remove(&lane)));
            this.lanes.holders.extend(woken);
            ctx.run_later(WAKE_EVERY, Self::wake_holders);
        }));
    }
}

impl Handler<WakeLanes> for WebhookActor {
    type Result = bool;

    fn handle(&mut self, WakeLanes(lanes): WakeLanes, ctx: &mut Self::Context) -> bool {
        self.lanes.woken = self.lanes.woken.union(lanes);
        self.read_woken(ctx);
        lanes.without(self.lanes.driven).is_empty()
    }
}

impl Handler<LeaveLanes> for WebhookActor {
    type Result = bool;

    fn handle(&mut self, _: LeaveLanes, ctx: &mut Self::Context) -> bool {
        self.lanes.is_stopping = true;
        self.leave(self.lanes.driven, ctx);
        self.lanes.leaving.is_empty() && !self.lanes.is_tending
    }
}

impl Handler<Reread> for WebhookActor {
    type Result = AtomicResponse<Self, Result<(), LogError>>;

    fn handle(&mut self, Reread(id): Reread, _: &mut Self::Context) -> Self::Result {
        let (hook, accounts) = (self.log.webhooks().hook(&id), self.accounts.clone());
        let read = async move {
            let stored = hook.await?;
            let owner = stored.as_ref().map(|stored| stored.hook.owner.clone());
            let named = match owner {
                Some(HookOwner::Account(account)) => Some((accounts.identities(account.clone()).await?, account)),
                _ => None,
            };
            Ok::<_, LogError>((stored, named))
        };
        AtomicResponse::new(Box::pin(read.into_actor(self).map(move |read, this, ctx| {
            let (stored, named) = read?;
            match stored {
                Some(stored) => this.drive(stored, ctx),
                None => {
                    if let Some(handle) = this.hooks.find(&id) {
                        this.remove(&handle, ctx);
                    }
                }
            }
            if let Some((rows, account)) = named {
                this.hooks.name_all(&account, callsigns(rows));
            }
            Ok(())
        })))
    }
}

impl Handler<RereadAll> for WebhookActor {
    type Result = AtomicResponse<Self, Result<(), LogError>>;

    fn handle(&mut self, _: RereadAll, _: &mut Self::Context) -> Self::Result {
        let hooks = self.log.webhooks().hooks();
        AtomicResponse::new(Box::pin(hooks.into_actor(self).map(|hooks, this, ctx| {
            let hooks = hooks?;
            let is_gone = |handle: &Arc<HookHandle>| !hooks.iter().any(|stored| stored.hook.id == handle.id);
            for handle in this.hooks.all().into_iter().filter(is_gone) {
                this.remove(&handle, ctx);
            }
            hooks.into_iter().for_each(|stored| this.drive(stored, ctx));
            Ok(())
        })))
    }
}

fn callsigns(rows: Vec<IdentityRow>) -> impl Iterator<Item = Callsign> {
    rows.into_iter().map(|row| row.callsign)
}
