//! Recovers the state of a channel from the log: its snapshot, the records after it, and the messages that memory
//! holds.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use rogerrat_domain::{
    Callsign, Channel, Entry, GapReason, Identity, MessageId, Refusal, RestoreError, Rules, Snapshot, TaskMark,
};
use tokio::time::timeout;

use crate::boot::Boot;
use crate::channel::handle::ChannelHandle;
use crate::clock::Clock;
use crate::deliberate_fault::{DeliberateFault, is_broken};
use crate::error::HubError;
use crate::instances::AppliedFacts;
use crate::ports::accounts::Accounts;
use crate::ports::error::LogError;
use crate::ports::log::{Log, PreviousOwner, StoredChannel};

/// How long a channel that is opened waits for changes of other hubs to be applied.
const FACTS_LIMIT: Duration = Duration::from_secs(5);

/// Recovers channels.
#[derive(Clone)]
pub(crate) struct Recovery {
    pub(crate) log: Arc<dyn Log>,
    pub(crate) applied_facts: AppliedFacts,
    pub(crate) accounts: Arc<dyn Accounts>,
    pub(crate) clock: Clock,
    pub(crate) boot: Boot,
    /// The id high-water mark at the start of the hub: message ids of this boot are above it.
    pub(crate) first_id: MessageId,
}

/// The recovered state of a channel, and the number of its last record.
pub(crate) struct RecoveredChannel {
    pub(crate) channel: Channel,
    pub(crate) seq: u64,
    /// The fence of its owner, this hub.
    pub(crate) fence: u64,
    /// Entries that were replayed: the length of its log after the snapshot.
    pub(crate) replayed: usize,
    /// How its last owner left it.
    pub(crate) previous_owner: PreviousOwner,
    /// Whether its actor stopped in this boot without having written its state.
    pub(crate) crashed: bool,
    /// Members whose identity key has been revoked.
    pub(crate) revoked: Vec<(Callsign, Identity)>,
}

impl Recovery {
    /// Takes a channel and reads it and the messages that memory holds of it. What its owners before have changed, such as its
    /// webhooks, has been applied then.
    ///
    /// # Errors
    /// `not_found` when it was deleted; `Moved` when another instance owns it; `storage_failed` or `overloaded` when the
    /// log cannot be read.
    pub(crate) async fn recover(
        self,
        handle: Arc<ChannelHandle>,
        rules: Arc<Rules>,
    ) -> Result<RecoveredChannel, HubError> {
        let mut stored = self.log.take(&handle.id).await.map_err(|error| failed(&handle, error))?;
        if stored.seq == 0 && !handle.settings().is_band {
            return Err(Refusal::channel_not_found().into());
        }
        if let Some(settings) = stored.settings.take() {
            handle.status.set_settings(Arc::new(settings));
        }
        self.reach_last_fact().await.map_err(|error| failed(&handle, error))?;
        let (seq, fence, previous_owner) = (stored.seq, stored.fence, stored.previous_owner);
        let replayed = stored.records.iter().map(|record| record.entries.len()).sum();
        if let PreviousOwner::Lost { .. } = stored.previous_owner {
            log::warn!(channel:display = handle.id; "taking over a channel that its last owner did not give up");
        }
        let crashed = stored.previous_owner == PreviousOwner::OnlyHub && handle.status.has_crashed();
        let mut channel = self.replay(&handle, rules, stored, crashed).map_err(|error| damaged(&handle, &error))?;
        let missing = channel.missing_bodies();
        if !missing.is_empty() {
            let messages = self.log.messages(&handle.id, missing).await.map_err(|error| failed(&handle, error))?;
            channel.fill(&messages).map_err(|error| damaged(&handle, &error))?;
        }
        let revoked = self.revoked(&handle, &channel).await?;
        Ok(RecoveredChannel { channel, seq, fence, replayed, previous_owner, crashed, revoked })
    }

    /// Waits until every fact that is in the log was applied. Only in a shared log.
    async fn reach_last_fact(&self) -> Result<(), LogError> {
        let Some(instances) = self.log.instances() else { return Ok(()) };
        if is_broken(DeliberateFault::EarlyOpen) {
            return Ok(());
        }
        let last = instances.last_fact().await?;
        timeout(FACTS_LIMIT, self.applied_facts.reach(last)).await.map_err(|_| LogError::Busy)
    }

    /// Members whose identity key was revoked while the channel was not in memory.
    async fn revoked(&self, handle: &ChannelHandle, channel: &Channel) -> Result<Vec<(Callsign, Identity)>, HubError> {
        let mut proved: Vec<_> =
            channel.live_identities().map(|(callsign, who)| (callsign.clone(), who.clone())).collect();
        if !proved.is_empty() {
            let callsigns = proved.iter().map(|(callsign, _)| callsign.clone()).collect();
            let known = self.accounts.named(callsigns).await.map_err(|error| failed(handle, error))?;
            proved.retain(|one| !known.contains(one));
        }
        Ok(proved)
    }

    fn replay(
        &self,
        handle: &ChannelHandle,
        rules: Arc<Rules>,
        stored: StoredChannel,
        crashed: bool,
    ) -> Result<Channel, RestoreError> {
        let now = self.clock.now();
        let unloaded_in = stored.snapshot.as_ref().and_then(|s| s.unloaded_in()).filter(|_| stored.records.is_empty());
        let was_unloaded_here = !crashed && unloaded_in == Some(self.boot.id);
        let is_clean = match stored.previous_owner {
            PreviousOwner::OnlyHub => was_unloaded_here,
            PreviousOwner::GaveUp => true,
            PreviousOwner::Lost { .. } => false,
        };
        // The first record of a channel creates it; a band has no such record.
        let is_new = stored.seq <= u64::from(!handle.settings().is_band);
        let is_silent = is_clean && stored.snapshot.as_ref().is_some_and(Snapshot::has_no_messages);
        let lost = match (handle.settings().is_durable() || is_new || is_silent, was_unloaded_here) {
            (true, _) => None,
            (false, true) => Some(GapReason::Idle),
            (false, false) => Some(GapReason::Restart),
        };
        let lost = lost.filter(|_| is_clean || !is_broken(DeliberateFault::MissingGap));
        let given = match (&stored.snapshot, stored.previous_owner) {
            // The snapshot may be of a channel that was given up, whose ids another owner has not reached again.
            (snapshot, PreviousOwner::Lost { id_ceiling }) => {
                let last_id = snapshot.as_ref().map_or(0, Snapshot::last_id);
                id_ceiling.max(last_id).max(handle.status.last_id.load(Relaxed))
            }
            (Some(snapshot), _) if is_clean => snapshot.last_id(),
            _ => handle.status.last_id.load(Relaxed),
        };
        let above = self.first_id.max(given);
        // Lost messages have ids below the next one; replayed messages keep theirs.
        let opened_at = if lost.is_some() { above } else { 0 };
        let mut channel = Channel::open(handle.id.clone(), handle.settings(), rules, opened_at, lost, now);
        if let Some(snapshot) = stored.snapshot {
            channel.restore(snapshot, &stored.backlog, self.boot.id, now)?;
        }
        let entries = stored.records.iter().flat_map(|record| &record.entries);
        channel.replay(entries.filter(|entry| !is_forgotten(entry)), now);
        let doubts = match stored.previous_owner {
            PreviousOwner::OnlyHub => crashed || self.boot.doubts(unloaded_in),
            PreviousOwner::GaveUp => false,
            PreviousOwner::Lost { .. } => true,
        };
        if doubts && !is_broken(DeliberateFault::MissingDoubt) {
            channel.mark_maybe_delivered(now);
        }
        channel.start_ids_above(above);
        Ok(channel)
    }
}

/// Whether a fault that a test put into the code leaves an entry out.
fn is_forgotten(entry: &Entry) -> bool {
    match entry {
        Entry::Taken { .. } => is_broken(DeliberateFault::ForgottenTakings),
        Entry::Sent { task: Some(mark), .. } => {
            is_broken(DeliberateFault::ForgottenResults) && matches!(**mark, TaskMark::Moves { .. })
        }
        _ => false,
    }
}

fn failed(handle: &ChannelHandle, error: LogError) -> HubError {
    if !matches!(error, LogError::Busy | LogError::NotOwner | LogError::Ended) {
        log::error!(channel:display = handle.id, error:display; "could not read a channel from the log");
    }
    error.into()
}

fn damaged(handle: &ChannelHandle, error: &RestoreError) -> HubError {
    failed(handle, LogError::Damaged(error.to_string()))
}
