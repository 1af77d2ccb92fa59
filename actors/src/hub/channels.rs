//! Finding, creating and deleting channels, and the public bands.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use futures_util::future::{BoxFuture, Either, Ready, ready};
use rogerrat_domain::op::{self, CreateDraft};
use rogerrat_domain::transcript::TranscriptEvent;
use rogerrat_domain::{ChannelId, Code, Entry, Hint, Now, Record, Refusal, Retention, Settings, names};

use super::{AccountOwner, Admitted, Hub, Shared};
use crate::channel::handle::{ChannelDirectory, ChannelHandle};
use crate::counters::Count;
use crate::error::HubError;
use crate::ports::accounts::Opened;
use crate::ports::log::AppendResult;
use crate::random::{random_token, random_u64, record_id};
use crate::registry::messages::DeleteChannel;

/// The public bands and their descriptions.
const BANDS: [(&str, &str); 3] =
    [("general", "open chatter"), ("help", "ask other agents for help"), ("random", "anything goes")];

/// How often a random id is drawn if the last one was taken.
pub(super) const ID_TRIES: usize = 8;

/// A channel just created, with its token, which is shown only once.
#[derive(Clone, Debug)]
pub struct Created {
    /// The channel.
    pub channel: Admitted,
    /// Its token; the hub stores only a hash of it.
    pub token: String,
}

/// A public band.
#[derive(Clone, Debug)]
pub struct Band {
    /// Its name and id.
    pub name: &'static str,
    /// What the band is for.
    pub description: &'static str,
    /// Members online.
    pub agent_count: usize,
}

/// The directory of a hub that starts: the bands.
pub(super) fn bands(now: Now) -> ChannelDirectory {
    let settings = Arc::new(Settings::band(now.at_ms));
    let ids = BANDS.iter().filter_map(|(name, _)| ChannelId::parse(name).ok());
    ids.map(|id| (id.clone(), Arc::new(ChannelHandle::new(id, settings.clone(), now)))).collect()
}

/// The result of an access check: immediate for a channel in use, else a lookup in the log.
pub type Admission<'a> = Either<Ready<Result<Admitted, HubError>>, BoxFuture<'a, Result<Admitted, HubError>>>;

/// The first record of a channel.
pub(super) fn creation(channel: ChannelId, settings: Arc<Settings>) -> Record {
    let (ts, retention) = (settings.created_at_ms, settings.retention);
    let line = (retention != Retention::None).then(|| TranscriptEvent::ChannelCreated { ts, retention }.line(None));
    let rid = record_id();
    let transcript = line.into_iter().collect();
    let entries = vec![Entry::Created { settings }];
    Record { channel, seq: 1, fence: 0, rid, at_ms: ts, entries, transcript, due: Vec::new() }
}

/// Whether the first record of a channel was stored; false if its id is taken.
pub(super) fn is_created(appended: AppendResult) -> Result<bool, HubError> {
    match appended {
        AppendResult::Done => Ok(true),
        AppendResult::Conflict => Ok(false),
        AppendResult::Refused => Err(HubError::StorageFailed),
        AppendResult::Busy => Err(HubError::Busy),
        AppendResult::Unknown => Err(HubError::OutcomeUnknown),
    }
}

impl Hub {
    /// The bands, with the number of members online.
    #[must_use]
    pub fn bands(&self) -> Vec<Band> {
        let agents =
            |name: &str| self.shared.directory.get(name).map_or(0, |handle| handle.status.agents.load(Relaxed));
        BANDS.map(|(name, description)| Band { name, description, agent_count: agents(name) }).into()
    }

    /// Finds a channel and checks the bearer token, without the channel's mailbox. For a channel in use the result is
    /// immediate; the future is kept small because every request holds one.
    ///
    /// # Errors
    /// `not_found`, then `unauthorized`; an error when the log cannot be read.
    pub fn admit<'a>(&'a self, channel: &'a str, bearer: Option<&'a str>) -> Admission<'a> {
        let admit = move |admitted: Admitted| {
            if admitted.settings().admits(bearer) {
                return Ok(admitted);
            }
            let refusal = Refusal::new(Code::Unauthorized, "invalid bearer token").hint(Hint::PresentChannelToken);
            Err(refusal.into())
        };
        match self.known(channel) {
            Some(known) => Either::Left(ready(admit(known))),
            None => Either::Right(Box::pin(async move { self.look_up(channel).await.and_then(admit) })),
        }
    }

    /// Finds a channel, for requests that need no token. A channel that is not in use is looked up in the log.
    ///
    /// # Errors
    /// `not_found`; an error when the log cannot be read.
    pub fn find<'a>(&'a self, channel: &'a str) -> Admission<'a> {
        match self.known(channel) {
            Some(known) => Either::Left(ready(Ok(known))),
            None => Either::Right(Box::pin(self.look_up(channel))),
        }
    }

    /// Finds a channel in use. In a shared log, only one that is served here is: another instance may have changed the
    /// settings of any other.
    fn known(&self, channel: &str) -> Option<Admitted> {
        let Shared { directory, clock, log, .. } = &*self.shared;
        let handle = directory.get(channel)?.value().clone();
        if log.instances().is_some() && !handle.settings().is_band && !handle.is_live() {
            return None;
        }
        handle.used_ms.store(clock.uptime_ms(), Relaxed);
        Some(Admitted(handle))
    }

    async fn look_up(&self, channel: &str) -> Result<Admitted, HubError> {
        let Shared { directory, log, clock, .. } = &*self.shared;
        let id = ChannelId::parse(channel)?;
        let settings = log.find(&id).await.map_err(HubError::of_log("could not look up a channel"))?;
        let settings = Arc::new(settings.ok_or_else(Refusal::channel_not_found)?);
        let new = || Arc::new(ChannelHandle::new(id.clone(), settings.clone(), clock.now()));
        let handle = directory.entry(id.clone()).or_insert_with(new).clone();
        if log.instances().is_some() && !handle.is_live() {
            handle.status.set_settings(settings);
        }
        handle.used_ms.store(clock.uptime_ms(), Relaxed);
        Ok(Admitted(handle))
    }

    /// Creates a channel. It is in the log when this returns.
    ///
    /// # Errors
    /// `invalid` for the input; `storage_failed` when the log cannot store it.
    pub async fn create(&self, input: op::CreateInput, owner: Option<&AccountOwner>) -> Result<Created, HubError> {
        self.create_with(input, owner, random_token()).await
    }

    /// Creates a channel with a given token, which must be hard to guess.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub async fn create_with(
        &self,
        input: op::CreateInput,
        owner: Option<&AccountOwner>,
        token: String,
    ) -> Result<Created, HubError> {
        let Shared { passwords, clock, .. } = &*self.shared;
        let draft = CreateDraft::check(input, self.shared.member_ttl_ms)?;
        let owner_password = match draft.owner_password.clone() {
            Some(password) => Some(passwords.hash(password).await?),
            None => None,
        };
        let account = owner.map(|owner| owner.id().clone());
        let settings = Arc::new(draft.settings(&token, owner_password, account, clock.now().at_ms));
        for _ in 0..ID_TRIES {
            let id = names::channel_id(random_u64());
            if is_created(self.append_creation(creation(id.clone(), settings.clone())).await?)? {
                return Ok(Created { channel: self.add_created(id, settings), token });
            }
        }
        Err(HubError::OutcomeUnknown)
    }

    /// Adds a channel that is in the log to the directory, and counts it.
    pub(super) fn add_created(&self, id: ChannelId, settings: Arc<Settings>) -> Admitted {
        let Shared { directory, clock, counters, .. } = &*self.shared;
        let handle = Arc::new(ChannelHandle::new(id.clone(), settings, clock.now()));
        directory.insert(id, handle.clone());
        counters.add(Count::ChannelsCreated, 1);
        counters.add(Count::Channels, 1);
        Admitted(handle)
    }

    /// The refusal of an account that owns as many channels as it may.
    pub(super) fn channels_full(&self) -> HubError {
        let bound = self.shared.per_account.channels.unwrap_or_default() as usize;
        Refusal::limit_reached("channels of an account", bound).into()
    }

    /// Appends the first record of a channel. A channel of an account counts against its quota.
    async fn append_creation(&self, record: Record) -> Result<AppendResult, HubError> {
        let Shared { log, ports, per_account, .. } = &*self.shared;
        let owner = record.entries.first().and_then(|entry| match entry {
            Entry::Created { settings } => settings.creator_account_id.clone(),
            _ => None,
        });
        let Some(owner) = owner else { return Ok(log.append(record).await) };
        match ports.accounts.open_channel(record, owner, per_account.channels, Vec::new()).await {
            Opened::Tried(appended) => Ok(appended),
            Opened::Full => Err(self.channels_full()),
            Opened::Missing | Opened::NotMade(_) => Err(Refusal::account_deleted().into()),
        }
    }

    /// Deletes a channel and its messages.
    ///
    /// # Errors
    /// `not_found` when another request has just deleted it; an error when the log cannot delete it.
    pub async fn delete(&self, at: &Admitted) -> Result<(), HubError> {
        let erase = DeleteChannel { channel: at.id().clone() };
        self.dispatcher.registry.send(erase).await.map_err(|_| HubError::Gone)?
    }
}
