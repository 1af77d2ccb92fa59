//! The hub as everybody outside sees it: a cheap handle with one short async method for each operation.
//!
//! It checks access, finds the channel's mailbox, and asks. It never hands out an address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use actix::prelude::*;
use futures_util::future::join_all;
use rogerrat_domain::limits::STREAM_EVENTS;
use rogerrat_domain::op::{self, CreateDraft, JoinInput, ReadInput, StreamInput};
use rogerrat_domain::{
    Callsign, ChannelId, Code, HubKey, Operation, PlaceId, Progress, Refusal, Rules, Seal, SessionId, Settings,
};
use tokio::sync::mpsc;

use crate::attempts::Attempts;
use crate::call::{Ask, Drain, OpenTap, Poll, Tap};
use crate::clock::Clock;
use crate::counters::Counters;
use crate::courier::Courier;
use crate::delivery::{Parcel, Parked, StreamReader};
use crate::entropy::{random_key, random_token, roll};
use crate::error::HubError;
use crate::log::Log;
use crate::password::Passwords;
use crate::registry::{Create, Ping, Registry};
use crate::room::{Room, Table};
use crate::totals::Totals;
use crate::webhook::WebhookActor;

/// The public bands, and what each is for.
const BANDS: [(&str, &str); 3] =
    [("general", "open chatter"), ("help", "ask other agents for help"), ("random", "anything goes")];

/// What the operator decides for all channels.
#[derive(Clone, Copy, Debug)]
pub struct HubRules {
    /// Sends a minute for a session; none means no limit.
    pub sends_per_minute: Option<u32>,
    /// The same on bands.
    pub sends_per_minute_band: Option<u32>,
    /// A channel with nobody on it leaves memory after this long.
    pub idle_ms: Option<u64>,
    /// A channel nobody used for this long is deleted.
    pub unused_ms: Option<u64>,
    /// Life of a member without a session where a channel says nothing.
    pub member_ttl_ms: u64,
}

/// A channel the caller was admitted to.
#[derive(Clone, Debug)]
pub struct Admitted(pub(crate) Arc<Room>);

impl Admitted {
    /// The channel's id.
    #[must_use]
    pub fn id(&self) -> &ChannelId {
        &self.0.id
    }

    /// The channel's settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }
}

/// A channel just created, with what is shown only now.
#[derive(Clone, Debug)]
pub struct Created {
    /// The channel.
    pub channel: Admitted,
    /// Its token; kept as a hash only.
    pub token: String,
}

/// A public band.
#[derive(Clone, Debug)]
pub struct Band {
    /// Its name and id.
    pub name: &'static str,
    /// What it is for.
    pub description: &'static str,
    /// Members online.
    pub agent_count: usize,
}

/// The hub.
#[derive(Clone)]
pub struct Hub {
    courier: Courier,
    shared: Arc<Shared>,
}

struct Shared {
    table: Arc<Table>,
    clock: Clock,
    started_at_ms: u64,
    counters: Arc<Counters>,
    places: AtomicU64,
    draining: AtomicBool,
    attempts: Attempts,
    passwords: Passwords,
    member_ttl_ms: u64,
    key: HubKey,
}

impl Hub {
    /// Starts the hub's actors on the current arbiter.
    #[must_use]
    pub fn start(rules: HubRules, log: Arc<dyn Log>, clock: Clock) -> Self {
        let now = clock.now();
        let table = Arc::new(Table::new());
        for (name, _) in BANDS {
            let Ok(id) = ChannelId::parse(name) else { continue };
            table.insert(id.clone(), Arc::new(Room::new(id, Arc::new(Settings::band(now.at_ms)), now)));
        }
        let counters = Arc::new(Counters::default());
        let key = HubKey::new(random_key());
        let channel_rules =
            Rules { key: key.clone(), sends_per_minute: rules.sends_per_minute, idle_ms: rules.idle_ms };
        let registry = Registry {
            table: table.clone(),
            log,
            clock,
            rules: channel_rules,
            sends_per_minute_band: rules.sends_per_minute_band,
            unused_ms: rules.unused_ms,
            counters: counters.clone(),
            webhook: WebhookActor.start(),
            opening: HashMap::new(),
            draining: false,
        };
        let shared = Shared {
            table,
            clock,
            started_at_ms: now.at_ms,
            counters: counters.clone(),
            places: AtomicU64::new(1),
            draining: AtomicBool::new(false),
            attempts: Attempts::default(),
            passwords: Passwords::default(),
            member_ttl_ms: rules.member_ttl_ms,
            key,
        };
        Self { courier: Courier { registry: registry.start(), counters }, shared: Arc::new(shared) }
    }

    /// Finds a channel and checks the bearer, before any mailbox.
    ///
    /// # Errors
    /// `not_found`, then `unauthorized`.
    pub fn admit(&self, channel: &str, bearer: Option<&str>) -> Result<Admitted, HubError> {
        let admitted = self.find(channel)?;
        if !admitted.settings().admits(bearer) {
            let refusal = Refusal::new(Code::Unauthorized, "invalid bearer token")
                .hint("send the channel's token as `Authorization: Bearer <token>`");
            return Err(refusal.into());
        }
        Ok(admitted)
    }

    /// Finds a channel, for what needs no token.
    ///
    /// # Errors
    /// `not_found`.
    pub fn find(&self, channel: &str) -> Result<Admitted, HubError> {
        let room = self.shared.table.get(channel).map(|room| room.value().clone());
        let room = room.ok_or_else(Refusal::channel_not_found)?;
        room.used_ms.store(self.shared.clock.uptime_ms(), Relaxed);
        Ok(Admitted(room))
    }

    /// Creates a channel.
    ///
    /// # Errors
    /// What the input is refused for; `overloaded` when the hub goes down.
    pub async fn create(&self, input: op::CreateInput) -> Result<Created, HubError> {
        let draft = CreateDraft::check(input, self.shared.member_ttl_ms)?;
        let owner_password = match draft.owner_password.clone() {
            Some(password) => Some(self.shared.passwords.hash(password).await?),
            None => None,
        };
        let token = random_token();
        let settings = Arc::new(draft.settings(&token, owner_password, self.shared.clock.now().at_ms));
        let id = self.courier.registry.send(Create { settings }).await.map_err(|_| HubError::Gone)?;
        Ok(Created { channel: self.find(id.as_str())?, token })
    }

    /// Joins a channel.
    ///
    /// # Errors
    /// A wrong password or key is `unauthorized`; otherwise what the join is refused for.
    pub async fn join(
        &self,
        at: &Admitted,
        input: JoinInput,
        presented: Option<SessionId>,
        address: IpAddr,
    ) -> Result<op::JoinReply, HubError> {
        let callsign = input.callsign.as_deref().map(Callsign::parse).transpose()?;
        if input.identity_key.is_some() {
            let refusal = Refusal::new(Code::Unauthorized, "this identity key is not known here");
            return Err(refusal.into());
        }
        let human_authorized = self.authorize(at, input.owner_password, address).await?;
        let join = op::Join { callsign, presented, human_authorized, generation: roll(), dice: roll() };
        self.ask(at, join).await
    }

    /// Whether the owner password was given and right. One given where there is none to give is ignored.
    async fn authorize(&self, at: &Admitted, given: Option<String>, address: IpAddr) -> Result<bool, HubError> {
        let (Some(hash), Some(given)) = (at.settings().owner_password.clone(), given) else { return Ok(false) };
        let Shared { attempts, passwords, clock, .. } = &*self.shared;
        attempts.check(at.id(), address, clock.now())?;
        if passwords.admits(hash, given).await? {
            return Ok(true);
        }
        attempts.wrong(at.id(), address, clock.now());
        Err(Refusal::new(Code::Unauthorized, "wrong owner_password").hint("ask your human, or leave it out").into())
    }

    /// Asks a channel something that is answered at once.
    ///
    /// # Errors
    /// What the operation is refused for; `overloaded` when the mailbox is full or the outcome is not known.
    pub async fn ask<O: Operation>(&self, at: &Admitted, op: O) -> Result<O::Reply, HubError> {
        self.courier.bring(&at.0, op, Ask).await?.ok_or(HubError::OutcomeUnknown)?
    }

    /// Reads, waiting up to `timeout_ms` if there is nothing.
    ///
    /// # Errors
    /// What the read is refused for.
    pub async fn read(
        &self,
        at: &Admitted,
        session: SessionId,
        input: ReadInput,
        timeout_ms: u64,
        wants_roster: bool,
    ) -> Result<Parcel, HubError> {
        let deadline_ms = self.shared.clock.uptime_ms() + timeout_ms;
        let mut left_ms = timeout_ms;
        loop {
            let place = self.place();
            let (session, input) = (session.clone(), input.clone());
            let read = op::Read { session, input, timeout_ms: left_ms, wants_roster, place };
            let mut parked = Parked { place, room: at.0.clone(), answered: false };
            let answer = self.courier.bring(&at.0, read, Poll).await;
            parked.answered = true;
            // A channel that went down with the poll parked has handed nothing over: park again.
            if let Some(answer) = answer? {
                return Ok(Parcel::new(answer?, at.0.clone()));
            }
            left_ms = deadline_ms.saturating_sub(self.shared.clock.uptime_ms());
        }
    }

    /// Opens a stream.
    ///
    /// # Errors
    /// What it is refused for.
    pub async fn stream(
        &self,
        at: &Admitted,
        session: SessionId,
        input: StreamInput,
    ) -> Result<StreamReader, HubError> {
        let place = self.place();
        let progress = Arc::new(Progress::default());
        // Room for the queue the machine allows, and for the last event.
        let (frames, reader) = mpsc::channel(STREAM_EVENTS + 4);
        let reader = StreamReader::new(reader, progress.clone(), place, at.0.clone());
        let tap = Tap { open: op::OpenStream { session, input, place, progress }, frames };
        self.courier.bring(&at.0, tap, OpenTap).await?.ok_or(HubError::OutcomeUnknown)??;
        Ok(reader)
    }

    /// The bands, and who is on them.
    #[must_use]
    pub fn bands(&self) -> Vec<Band> {
        let agents = |name: &str| self.shared.table.get(name).map_or(0, |room| room.vitals.agents.load(Relaxed));
        BANDS.map(|(name, description)| Band { name, description, agent_count: agents(name) }).into()
    }

    /// What the hub has done since it started, and how it stands. It asks no channel.
    #[must_use]
    pub fn totals(&self) -> Totals {
        let Shared { counters, table, started_at_ms, .. } = &*self.shared;
        counters.totals(*started_at_ms, self.is_draining(), table.len())
    }

    /// What seals and opens words of this hub for one purpose.
    #[must_use]
    pub fn seal(&self, purpose: &str) -> Seal {
        Seal::new(&self.shared.key, purpose)
    }

    /// Whether the hub takes work: it is not going down, and its Registry answers.
    pub async fn is_ready(&self) -> bool {
        !self.is_draining() && self.courier.registry.send(Ping).await.is_ok()
    }

    /// Whether the hub is going down.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.shared.draining.load(Relaxed)
    }

    /// Goes down gently: parked polls are answered, streams say goodbye, and nothing waits any more.
    pub async fn drain(&self) {
        self.shared.draining.store(true, Relaxed);
        let _ = self.courier.registry.send(Drain).await;
        let living: Vec<_> = self.shared.table.iter().filter_map(|room| room.addr()).collect();
        join_all(living.iter().map(|addr| addr.send(Drain))).await;
    }

    fn place(&self) -> PlaceId {
        PlaceId(self.shared.places.fetch_add(1, Relaxed))
    }
}
