//! The handle of the hub: one short async method for each operation.
//!
//! It checks access, finds the channel and sends a request to its actor. It never hands out an actor's address.

mod account_sessions;
mod accounts;
mod admin;
mod channels;
mod dispatcher;
mod emails;
mod facts;
mod lifecycle;
mod link;
mod location;
mod messages;
mod peers;
mod presence;
mod push;
mod remote;
mod rows;
mod tasks;
mod transcript;
mod webhooks;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

use rogerrat_domain::email::EmailKeys;
use rogerrat_domain::limits::STREAM_EVENTS;
use rogerrat_domain::op::{self, JoinInput, ReadInput, StreamInput};
use rogerrat_domain::{
    AccountLimits, BacklogLimits, Callsign, ChannelId, Code, HubKey, Operation, Progress, Query, Refusal, SessionId,
    Settings, Signer, WaiterId,
};
use tokio::sync::{mpsc, watch};

use crate::boot::Boot;
use crate::channel::delivery::{DeliveryGuard, ReadResponse, StreamReader, WaitGuard};
use crate::channel::handle::{ChannelDirectory, ChannelHandle};
use crate::channel::messages::{Ask, AskQuery, OpenSubscription, Poll, Subscription};
use crate::clock::Clock;
use crate::counters::Counters;
use crate::error::HubError;
use crate::hub::dispatcher::Dispatcher;
use crate::instances::{InstanceLife, Locations};
use crate::mail::Emails;
use crate::ports::Ports;
use crate::ports::log::Log;
use crate::ports::peers::PeerCalls;
use crate::random::random_u64;
use crate::security::account_policy::AccountPolicy;
use crate::security::attempts::Attempts;
use crate::security::bans::Bans;
use crate::security::password::Passwords;
use crate::totals::Totals;
use crate::webhooks::Webhooks;

use link::HubLink;

pub use account_sessions::AccountOwner;
pub use channels::{Admission, Band, Created};
pub use location::{ChannelLocation, Located};
pub use push::{PushStatus, PushTest};
pub use remote::{PhoneLink, RemoteControl};
pub use tasks::{AskAnswer, LookAnswer, TakenWork, TaskLook};
pub use transcript::TranscriptReader;
pub use webhooks::{HookStatus, Replayed, Subscribed};

/// Settings of the operator that apply to all channels.
#[derive(Clone, Copy, Debug)]
pub struct HubRules {
    /// Sends a minute for a session; none means no limit.
    pub sends_per_minute: Option<u32>,
    /// The same on bands.
    pub sends_per_minute_band: Option<u32>,
    /// A memory channel without a live session leaves memory after this long.
    pub idle_ms: Option<u64>,
    /// A channel that loses nothing by it leaves memory after this long without use.
    pub idle_lossless_ms: Option<u64>,
    /// How many messages a durable channel keeps in its backlog.
    pub backlog: BacklogLimits,
    /// A channel that belongs to no account is deleted after this long without use.
    pub unused_ms: Option<u64>,
    /// How long a member without a session is remembered, unless the channel's settings say otherwise.
    pub member_ttl_ms: u64,
    /// Quotas and rate limits of an account.
    pub per_account: AccountLimits,
    /// E-mails the hub sends in an hour.
    pub mails_per_hour: u32,
}

/// The address under which guesses at a PIN are counted, whatever address they come from.
const ANY_ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// A channel that the caller may use.
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

/// The handle of a hub. Cloning it is cheap.
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
    life: InstanceLife,
    locations: Locations,
    /// The other instances.
    peers: Arc<OnceLock<Arc<dyn PeerCalls>>>,
    next_waiter: AtomicU64,
    draining: AtomicBool,
    attempts: Attempts<ChannelId>,
    pin_attempts: Attempts<ChannelId>,
    bans: Arc<Bans>,
    passwords: Passwords,
    member_ttl_ms: u64,
    key: HubKey,
    webhooks: Webhooks,
    email_keys: EmailKeys,
    /// None if the hub sends no e-mails.
    emails: Option<Arc<Emails>>,
}

/// Why a channel took an operation and did not reply.
fn lost(at: &Admitted) -> HubError {
    if at.0.status.is_deleting() { Refusal::channel_not_found().into() } else { HubError::OutcomeUnknown }
}

/// What a kind of caller adds to a join.
#[derive(Clone, Copy, Default)]
struct JoinRule {
    never_take_over: bool,
    shown_bytes: Option<usize>,
}

impl Hub {
    /// The last lines of a channel's transcript. Where DMs are private, a caller gets only its own.
    ///
    /// # Errors
    /// A refusal of the session.
    pub async fn transcript(
        &self,
        at: &Admitted,
        session: Option<SessionId>,
        limit: usize,
    ) -> Result<TranscriptReader, HubError> {
        let viewer = self.query(at, op::ResolveViewer { session }).await?;
        Ok(TranscriptReader::new(self.shared.log.clone(), at, viewer, limit))
    }

    /// Joins a channel.
    ///
    /// # Errors
    /// `unauthorized` for a wrong password or key; otherwise a refusal of the join.
    pub async fn join(
        &self,
        at: &Admitted,
        input: JoinInput,
        presented_session: Option<SessionId>,
        address: IpAddr,
    ) -> Result<op::JoinReply, HubError> {
        self.join_with(at, input, presented_session, address, JoinRule::default()).await
    }

    /// Joins a channel for a caller that reads the history of the reply, if its messages take at most `shown_bytes`: a new
    /// member does not receive them again.
    ///
    /// # Errors
    /// As [`join`](Self::join).
    pub async fn join_showing(
        &self,
        at: &Admitted,
        input: JoinInput,
        presented_session: Option<SessionId>,
        address: IpAddr,
        shown_bytes: usize,
    ) -> Result<op::JoinReply, HubError> {
        let rule = JoinRule { shown_bytes: Some(shown_bytes), ..JoinRule::default() };
        self.join_with(at, input, presented_session, address, rule).await
    }

    async fn join_with(
        &self,
        at: &Admitted,
        input: JoinInput,
        presented_session: Option<SessionId>,
        address: IpAddr,
        JoinRule { never_take_over, shown_bytes }: JoinRule,
    ) -> Result<op::JoinReply, HubError> {
        let wish = input.callsign.as_deref().map(Callsign::parse).transpose()?;
        let about = input.checked_about()?;
        let (callsign, identity, is_reserved) = self.verify_identity(wish, input.identity_key.as_deref()).await?;
        if let Some(callsign) = &callsign {
            self.shared.bans.admit(at.id(), callsign, self.shared.clock.now())?;
        }
        if at.settings().require_identity && identity.is_none() {
            // Before the password, so that a caller without a key cannot try any.
            return Err(Refusal::identity_required().into());
        }
        let human_authorized = self.authorize(at, input.owner_password, address).await?;
        let original_spelling = input.callsign.filter(|_| identity.is_none()).map(|wish| wish.trim().to_owned());
        let join = op::Join {
            callsign,
            original_spelling,
            identity,
            is_reserved,
            presented_session,
            human_authorized,
            shown_bytes,
            never_take_over,
            about,
            generation: random_u64(),
            callsign_seed: random_u64(),
        };
        self.ask(at, join).await
    }

    /// Joins with a session id chosen by the caller, under a callsign that no other session has or had lately.
    ///
    /// # Errors
    /// A refusal of the join; `callsign_taken` if another session has the callsign.
    pub async fn join_as(
        &self,
        at: &Admitted,
        callsign: &Callsign,
        session: SessionId,
        address: IpAddr,
    ) -> Result<op::JoinReply, HubError> {
        let input = JoinInput { callsign: Some(callsign.to_string()), ..JoinInput::default() };
        let rule = JoinRule { never_take_over: true, ..JoinRule::default() };
        self.join_with(at, input, Some(session), address, rule).await
    }

    /// Signals when there may be something new on a channel.
    #[must_use]
    pub fn news(&self, at: &Admitted) -> watch::Receiver<u64> {
        at.0.status.changes()
    }

    /// Whether the right owner password was given. A password for a channel that has none is ignored.
    async fn authorize(&self, at: &Admitted, given: Option<String>, address: IpAddr) -> Result<bool, HubError> {
        let settings = at.settings();
        let (Some(hash), Some(given)) = (settings.owner_password.clone(), given) else { return Ok(false) };
        let Shared { attempts, pin_attempts, passwords, clock, .. } = &*self.shared;
        let about = |refusal: Refusal| refusal.field("owner_password");
        attempts.check(at.id(), address, clock.now()).map_err(about)?;
        if settings.has_pin {
            pin_attempts.check(at.id(), ANY_ADDRESS, clock.now()).map_err(about)?;
        }
        let is_right = passwords.admits(hash, given).await?;
        attempts.settle(at.id(), address, clock.now(), is_right).map_err(about)?;
        if settings.has_pin {
            pin_attempts.settle(at.id(), ANY_ADDRESS, clock.now(), is_right).map_err(about)?;
        }
        if is_right {
            return Ok(true);
        }
        Err(about(Refusal::new(Code::Unauthorized, "wrong owner_password").hint("ask your human, or omit it")).into())
    }

    /// Performs an operation on a channel and returns its reply.
    ///
    /// # Errors
    /// A refusal of the operation; `overloaded` when the mailbox is full or the outcome is unknown.
    pub async fn ask<O: Operation>(&self, at: &Admitted, op: O) -> Result<O::Reply, HubError> {
        self.dispatcher.call(&at.0, op, Ask).await?.ok_or_else(|| lost(at))?
    }

    /// Runs a query on a channel and returns its reply.
    ///
    /// # Errors
    /// A refusal of the query; `overloaded` when the mailbox is full or the channel went down.
    pub async fn query<Q: Query>(&self, at: &Admitted, query: Q) -> Result<Q::Reply, HubError> {
        self.dispatcher.call(&at.0, query, AskQuery).await?.ok_or_else(|| lost(at))?
    }

    /// Reads messages, waiting up to `timeout_ms` milliseconds if there are none.
    ///
    /// # Errors
    /// A refusal of the read.
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
            let read = op::Read { session, input, timeout_ms: left_ms, wants_roster, waiter };
            let mut parked = WaitGuard { waiter, handle: at.0.clone(), answered: false };
            let answer = self.dispatcher.call(&at.0, read, Poll).await;
            parked.answered = true;
            // An actor that stopped while the poll was parked has delivered nothing: park again.
            if let Some(answer) = answer? {
                return Ok(answer?.map_guard(|token| DeliveryGuard::new(token, at.0.clone())));
            }
            left_ms = deadline_ms.saturating_sub(self.shared.clock.uptime_ms());
        }
    }

    /// Opens a stream.
    ///
    /// # Errors
    /// A refusal of the stream.
    pub async fn stream(
        &self,
        at: &Admitted,
        session: SessionId,
        input: StreamInput,
    ) -> Result<StreamReader, HubError> {
        let waiter = self.waiter_id();
        let progress = Arc::new(Progress::default());
        // Capacity for the queue that the machine allows, and for the last event.
        let (frames, reader) = mpsc::channel(STREAM_EVENTS + 4);
        let reader = StreamReader::new(reader, progress.clone(), waiter, at.0.clone());
        let tap = Subscription { open: op::OpenStream { session, input, waiter, progress }, frames };
        self.dispatcher.call(&at.0, tap, OpenSubscription).await?.ok_or_else(|| lost(at))??;
        Ok(reader)
    }

    /// The counters and gauges of the hub. Reading them sends no message to any channel.
    #[must_use]
    pub fn totals(&self) -> Totals {
        let Shared { counters, log, started_at_ms, webhooks, .. } = &*self.shared;
        counters.totals(
            *started_at_ms,
            self.is_draining(),
            !log.is_healthy(),
            webhooks.hooks.counts(),
            webhooks.hooks.pushes(),
            log.instances().map_or(0, |instances| instances.declared_ended()),
        )
    }

    /// When the oldest direct message that is held for its recipient in memory was sent, in milliseconds since the epoch; none
    /// if there is none. It looks at every channel if there is one.
    #[must_use]
    pub fn oldest_held_ms(&self) -> Option<u64> {
        if self.totals().now.held == 0 {
            return None;
        }
        let live = self.shared.directory.iter().filter(|handle| handle.addr().is_some());
        live.filter_map(|handle| handle.status.oldest_held_ms()).min()
    }

    /// The time for what expires by date, as [`Clock::expiry_ms`] returns it.
    #[must_use]
    pub fn expiry_ms(&self) -> u64 {
        self.shared.clock.expiry_ms()
    }

    /// Signs and verifies texts for one purpose, with the hub's key.
    #[must_use]
    pub fn seal(&self, purpose: &str) -> Signer {
        Signer::new(&self.shared.key, purpose)
    }

    /// Whether the hub is shutting down.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.shared.draining.load(Relaxed)
    }

    fn waiter_id(&self) -> WaiterId {
        WaiterId(self.shared.next_waiter.fetch_add(1, Relaxed))
    }
}
