//! The hub as everybody outside sees it: a cheap handle with one short async method for each operation.
//!
//! It checks access, finds the channel's mailbox, and asks. It never hands out an address.

mod accounts;
mod admin;
mod channels;
mod dispatcher;
mod lifecycle;
mod webhooks;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use futures_util::future::BoxFuture;
use rogerrat_domain::limits::STREAM_EVENTS;
use rogerrat_domain::op::{self, JoinInput, ReadInput, StreamInput};
use rogerrat_domain::transcript::TranscriptLine;
use rogerrat_domain::{
    AccountLimits, BacklogLimits, Callsign, ChannelId, Code, DmVisibility, HubKey, Operation, Progress, Refusal,
    SessionId, Settings, Signer, WaiterId,
};
use tokio::sync::{mpsc, watch};

use crate::boot::Boot;
use crate::channel::delivery::{DeliveryGuard, ReadResponse, StreamReader, WaitGuard};
use crate::channel::handle::{ChannelDirectory, ChannelHandle};
use crate::channel::messages::{Ask, OpenSubscription, Poll, Subscription};
use crate::clock::Clock;
use crate::counters::Counters;
use crate::error::HubError;
use crate::hub::dispatcher::Dispatcher;
use crate::ports::Ports;
use crate::ports::log::{Log, LogError};
use crate::random::random_u64;
use crate::security::account_policy::AccountPolicy;
use crate::security::attempts::Attempts;
use crate::security::bans::Bans;
use crate::security::password::Passwords;
use crate::totals::Totals;
use crate::webhooks::Webhooks;

pub use accounts::Owner;
pub use channels::{Admission, Band, Created};
pub use webhooks::{HookStatus, Replayed, Subscribed};

/// What the operator decides for all channels.
#[derive(Clone, Copy, Debug)]
pub struct HubRules {
    /// Sends a minute for a session; none means no limit.
    pub sends_per_minute: Option<u32>,
    /// The same on bands.
    pub sends_per_minute_band: Option<u32>,
    /// A memory channel with nobody on it leaves memory after this long.
    pub idle_ms: Option<u64>,
    /// A channel nobody uses leaves memory after this long where nothing is lost by it.
    pub idle_lossless_ms: Option<u64>,
    /// How much of a durable channel's messages is kept.
    pub shelf: BacklogLimits,
    /// A channel nobody used for this long is deleted.
    pub unused_ms: Option<u64>,
    /// Life of a member without a session where a channel says nothing.
    pub member_ttl_ms: u64,
    /// What an account may have, and do.
    pub per_account: AccountLimits,
}

/// A channel the caller was admitted to.
#[derive(Clone, Debug)]
pub struct Admitted(pub(crate) Arc<ChannelHandle>);

impl Admitted {
    /// The channel's id.
    #[must_use]
    pub fn id(&self) -> &ChannelId {
        &self.0.id
    }

    /// The channel's settings.
    #[must_use]
    pub fn settings(&self) -> Arc<Settings> {
        self.0.settings()
    }
}

/// The hub.
#[derive(Clone)]
pub struct Hub {
    dispatcher: Dispatcher,
    shared: Arc<Shared>,
}

struct Shared {
    directory: Arc<ChannelDirectory>,
    log: Arc<dyn Log>,
    ports: Ports,
    account_policy: Arc<AccountPolicy>,
    per_account: AccountLimits,
    boot: Boot,
    clock: Clock,
    started_at_ms: u64,
    counters: Arc<Counters>,
    next_waiter: AtomicU64,
    draining: AtomicBool,
    attempts: Attempts<ChannelId>,
    bans: Arc<Bans>,
    passwords: Passwords,
    member_ttl_ms: u64,
    key: HubKey,
    webhooks: Webhooks,
}

impl Hub {
    /// The last lines of a channel's transcript. Where DMs are private, each sees its own.
    ///
    /// # Errors
    /// What the session is refused for; a fault when it cannot be read.
    pub async fn transcript(
        &self,
        at: &Admitted,
        session: Option<SessionId>,
        limit: usize,
    ) -> Result<Vec<TranscriptLine>, HubError> {
        let viewer = self.ask(at, op::ResolveViewer { session }).await?;
        let lines = self.shared.log.transcript(at.id(), limit).await;
        let lines = lines.map_err(HubError::of_log("a transcript could not be read"))?;
        let is_open = at.settings().dm_visibility == DmVisibility::Channel;
        Ok(lines.into_iter().filter(|line| is_open || line.concerns(viewer)).collect())
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
        self.join_with(at, input, presented, address, false).await
    }

    async fn join_with(
        &self,
        at: &Admitted,
        input: JoinInput,
        presented: Option<SessionId>,
        address: IpAddr,
        yields: bool,
    ) -> Result<op::JoinReply, HubError> {
        let wish = input.callsign.as_deref().map(Callsign::parse).transpose()?;
        let (callsign, identity, is_reserved) = self.verify_identity(wish, input.identity_key.as_deref()).await?;
        if let Some(callsign) = &callsign {
            self.shared.bans.admit(at.id(), callsign, self.shared.clock.now())?;
        }
        let human_authorized = self.authorize(at, input.owner_password, address).await?;
        let spelled = input.callsign.filter(|_| identity.is_none()).map(|wish| wish.trim().to_owned());
        let join = op::Join {
            callsign,
            spelled,
            identity,
            is_reserved,
            presented,
            human_authorized,
            yields,
            generation: random_u64(),
            dice: random_u64(),
        };
        self.ask(at, join).await
    }

    /// Joins with a session of the caller's own, under a callsign that nobody else has, or had lately.
    ///
    /// # Errors
    /// What the join is refused for; `callsign_taken` when it was anybody else's.
    pub async fn join_as(
        &self,
        at: &Admitted,
        callsign: &Callsign,
        session: SessionId,
        address: IpAddr,
    ) -> Result<op::JoinReply, HubError> {
        let input = JoinInput { callsign: Some(callsign.to_string()), ..JoinInput::default() };
        self.join_with(at, input, Some(session), address, true).await
    }

    /// Tells when something new may be on a channel. It says nothing of what that is.
    #[must_use]
    pub fn news(&self, at: &Admitted) -> watch::Receiver<u64> {
        at.0.status.changes()
    }

    /// Whether the owner password was given and right. One given where there is none to give is ignored.
    async fn authorize(&self, at: &Admitted, given: Option<String>, address: IpAddr) -> Result<bool, HubError> {
        let (Some(hash), Some(given)) = (at.settings().owner_password.clone(), given) else { return Ok(false) };
        let Shared { attempts, passwords, clock, .. } = &*self.shared;
        attempts.check(at.id(), address, clock.now())?;
        let is_right = passwords.admits(hash, given).await?;
        attempts.settle(at.id(), address, clock.now(), is_right)?;
        if is_right {
            return Ok(true);
        }
        Err(Refusal::new(Code::Unauthorized, "wrong owner_password").hint("ask your human, or leave it out").into())
    }

    /// Asks a channel something that is answered at once.
    ///
    /// # Errors
    /// What the operation is refused for; `overloaded` when the mailbox is full or the outcome is not known.
    pub async fn ask<O: Operation>(&self, at: &Admitted, op: O) -> Result<O::Reply, HubError> {
        self.dispatcher.call(&at.0, op, Ask).await?.ok_or(HubError::OutcomeUnknown)?
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
    ) -> Result<ReadResponse, HubError> {
        let deadline_ms = self.shared.clock.uptime_ms() + timeout_ms;
        let mut left_ms = timeout_ms;
        loop {
            let waiter = self.waiter_id();
            let (session, input) = (session.clone(), input.clone());
            let read = op::Read { session, input, timeout_ms: left_ms, wants_roster, place: waiter };
            let mut parked = WaitGuard { waiter, handle: at.0.clone(), answered: false };
            let answer = self.dispatcher.call(&at.0, read, Poll).await;
            parked.answered = true;
            // A channel that went down with the poll parked has handed nothing over: park again.
            if let Some(answer) = answer? {
                return Ok(answer?.map_guard(|token| DeliveryGuard::new(token, at.0.clone())));
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
        let waiter = self.waiter_id();
        let progress = Arc::new(Progress::default());
        // ChannelHandle for the queue the machine allows, and for the last event.
        let (frames, reader) = mpsc::channel(STREAM_EVENTS + 4);
        let reader = StreamReader::new(reader, progress.clone(), waiter, at.0.clone());
        let tap = Subscription { open: op::OpenStream { session, input, place: waiter, progress }, frames };
        self.dispatcher.call(&at.0, tap, OpenSubscription).await?.ok_or(HubError::OutcomeUnknown)??;
        Ok(reader)
    }

    /// What the hub has done since it started, and how it stands. It asks no channel.
    #[must_use]
    pub fn totals(&self) -> Totals {
        let Shared { counters, log, started_at_ms, webhooks, .. } = &*self.shared;
        counters.totals(*started_at_ms, self.is_draining(), !log.is_healthy(), webhooks.hooks.census())
    }

    /// What seals and opens words of this hub for one purpose.
    #[must_use]
    pub fn seal(&self, purpose: &str) -> Signer {
        Signer::new(&self.shared.key, purpose)
    }

    /// What a door has kept about its own things, all of one kind.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn rows(&self, kind: &'static str) -> Result<Vec<(String, String)>, LogError> {
        self.shared.log.rows(kind).await
    }

    /// Keeps something a door must know after a restart, or lets it go where there is no text. It is begun at once, and
    /// kept when the future is done; a fault is logged.
    pub fn put_row(&self, kind: &'static str, name: String, text: Option<String>) -> BoxFuture<'static, ()> {
        let kept = self.shared.log.put_row(kind, name, text);
        Box::pin(async move {
            if let Err(error) = kept.await {
                log::warn!(kind, error:display; "a row was not kept");
            }
        })
    }

    /// Whether the hub is going down.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.shared.draining.load(Relaxed)
    }

    fn waiter_id(&self) -> WaiterId {
        WaiterId(self.shared.next_waiter.fetch_add(1, Relaxed))
    }
}
