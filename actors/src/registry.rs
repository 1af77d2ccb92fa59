//! The Registry: knows which channels live; opens, revives and forgets them.
//!
//! It publishes what it knows in a table everybody reads, so that the way to a live channel does not pass its mailbox.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use actix::prelude::*;
use rogerrat_domain::{Channel, ChannelId, Loss, Now, Record, Rules, Settings, names};
use tokio::sync::oneshot;

use crate::call::{Delete, Drain};
use crate::channel_actor::{ChannelActor, MAILBOX};
use crate::clock::Clock;
use crate::counters::{Count, Counters};
use crate::entropy::roll;
use crate::error::HubError;
use crate::log::{Log, LogError};
use crate::room::{Room, Table};
use crate::share::Share;
use crate::webhook::WebhookActor;

/// How often the Registry looks for channels nobody uses.
const SWEEP_EVERY: Duration = Duration::from_secs(3600);

/// Open a room, unless somebody other than `dead` lives there.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Open {
    pub(crate) room: Arc<Room>,
    pub(crate) dead: Option<Addr<ChannelActor>>,
    pub(crate) arbiter: ArbiterHandle,
    pub(crate) opened: oneshot::Sender<Result<(), HubError>>,
}

/// A new channel.
#[derive(Message)]
#[rtype(result = "ChannelId")]
pub(crate) struct Create {
    pub(crate) settings: Arc<Settings>,
}

/// Are you there?
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Ping;

/// Writes the table of rooms.
pub(crate) struct Registry {
    pub(crate) table: Arc<Table>,
    pub(crate) log: Arc<dyn Log>,
    pub(crate) clock: Clock,
    pub(crate) rules: Rules,
    pub(crate) sends_per_minute_band: Option<u32>,
    pub(crate) unused_ms: Option<u64>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) webhook: Addr<WebhookActor>,
    pub(crate) opening: HashMap<ChannelId, Vec<oneshot::Sender<Result<(), HubError>>>>,
    pub(crate) draining: bool,
}

impl Actor for Registry {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(MAILBOX);
        ctx.run_interval(SWEEP_EVERY, |this, _| this.sweep());
    }
}

impl Registry {
    /// Starts the actor of a room from what the log holds of it.
    fn bring_up(&self, room: &Arc<Room>, records: &[Record], arbiter: &ArbiterHandle) {
        let now = self.clock.now();
        let loss = room.vitals.loss();
        if loss == Some(Loss::Restart) {
            self.counters.add(Count::Revivals, 1);
            log::error!(channel:display = room.id; "a channel went down and is brought back without its messages");
        }
        let seq = records.last().map_or(0, |r| r.seq);
        let channel = self.replay(room, loss, records, now);
        let draining = self.draining;
        let (id, vitals) = (room.id.clone(), room.vitals.clone());
        let (log, clock, counters, webhook) =
            (self.log.clone(), self.clock, self.counters.clone(), self.webhook.clone());
        let addr = ChannelActor::start_in_arbiter(arbiter, move |ctx| {
            ctx.set_mailbox_capacity(MAILBOX);
            ChannelActor {
                channel,
                seq,
                id,
                vitals,
                log,
                clock,
                share: Share::new(counters),
                webhook,
                effects: Vec::new(),
                parked: HashMap::new(),
                taps: HashMap::new(),
                alarm: None,
            }
        });
        if draining {
            let _ = addr.try_send(Drain);
        }
        room.seat(addr);
    }

    fn replay(&self, room: &Room, loss: Option<Loss>, records: &[Record], now: Now) -> Channel {
        let above = room.vitals.last_id.load(Relaxed);
        let settings = room.settings.clone();
        let mut channel = Channel::open(room.id.clone(), settings, self.rules_of(room), above, loss, now);
        let mut effects = Vec::new();
        for entry in records.iter().flat_map(|r| &r.entries) {
            channel.apply(entry, now, &mut effects);
        }
        channel
    }

    fn rules_of(&self, room: &Room) -> Rules {
        let mut rules = self.rules.clone();
        if room.settings.is_band {
            rules.sends_per_minute = self.sends_per_minute_band;
        }
        rules
    }

    fn opened(&mut self, room: &Arc<Room>, records: Result<Vec<Record>, LogError>, arbiter: &ArbiterHandle) {
        let result = match records {
            Ok(records) => {
                self.bring_up(room, &records, arbiter);
                Ok(())
            }
            Err(error) => {
                log::error!(channel:display = room.id, error:display; "a channel could not be opened");
                Err(HubError::StorageFailed)
            }
        };
        for waiting in self.opening.remove(&room.id).unwrap_or_default() {
            let _ = waiting.send(result.clone());
        }
    }

    /// Deletes channels that nobody has used for so long.
    fn sweep(&mut self) {
        let Some(unused_ms) = self.unused_ms else { return };
        let Some(oldest_ms) = self.clock.uptime_ms().checked_sub(unused_ms) else { return };
        let unused = |room: &Room| {
            !room.settings.is_band && room.vitals.agents.load(Relaxed) == 0 && room.used_ms.load(Relaxed) <= oldest_ms
        };
        let ids: Vec<_> = self.table.iter().filter(|r| unused(r.value())).map(|r| r.key().clone()).collect();
        for id in ids {
            if let Some((_, room)) = self.table.remove(&id) {
                let _ = room.try_send(Delete);
                self.log.forget(&id);
                log::info!(channel:display = id; "a channel nobody has used was deleted");
            }
        }
    }
}

impl Handler<Create> for Registry {
    type Result = MessageResult<Create>;

    fn handle(&mut self, create: Create, _: &mut Self::Context) -> Self::Result {
        let id = loop {
            let id = names::channel_id(roll());
            if !self.table.contains_key(&id) {
                break id;
            }
        };
        let room = Room::new(id.clone(), create.settings, self.clock.now());
        self.table.insert(id.clone(), Arc::new(room));
        self.counters.add(Count::ChannelsCreated, 1);
        MessageResult(id)
    }
}

impl Handler<Open> for Registry {
    type Result = ();

    fn handle(&mut self, open: Open, ctx: &mut Self::Context) {
        let Open { room, dead, arbiter, opened } = open;
        let lives = room.addr().is_some_and(|addr| dead.as_ref() != Some(&addr));
        if lives {
            let _ = opened.send(Ok(()));
            return;
        }
        let waiting = self.opening.entry(room.id.clone()).or_default();
        waiting.push(opened);
        if waiting.len() == 1 {
            let records = self.log.since(&room.id, 0);
            ctx.spawn(records.into_actor(self).map(move |records, this, _| this.opened(&room, records, &arbiter)));
        }
    }
}

impl Handler<Drain> for Registry {
    type Result = ();

    fn handle(&mut self, _: Drain, _: &mut Self::Context) {
        self.draining = true;
    }
}

impl Handler<Ping> for Registry {
    type Result = ();

    fn handle(&mut self, _: Ping, _: &mut Self::Context) {}
}
