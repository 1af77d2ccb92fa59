//! Bringing a channel back from what the log keeps of it.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use rogerrat_domain::{Callsign, Channel, GapReason, Identity, MessageId, Refusal, RestoreError, Rules, Snapshot};

use crate::boot::Boot;
use crate::clock::Clock;
use crate::error::HubError;
use crate::ports::accounts::Accounts;
use crate::ports::log::{Log, LogError, StoredChannel};
use crate::registry::directory::ChannelEntry;

/// What a channel is brought back with.
#[derive(Clone)]
pub(crate) struct Recovery {
    pub(crate) log: Arc<dyn Log>,
    pub(crate) accounts: Arc<dyn Accounts>,
    pub(crate) clock: Clock,
    pub(crate) run: Boot,
    /// Above this every id of this run begins.
    pub(crate) floor: MessageId,
}

/// A channel as it was, and the number of its last record.
pub(crate) struct RecoveredChannel {
    pub(crate) channel: Channel,
    pub(crate) seq: u64,
    /// How many entries were replayed: so long is its log.
    pub(crate) replayed: usize,
    /// Whether it went down in this run without having rested.
    pub(crate) crashed: bool,
    /// Who is there with a key that is good no more.
    pub(crate) revoked: Vec<(Callsign, Identity)>,
}

impl Recovery {
    /// Loads a channel and what must be in memory of it.
    ///
    /// # Errors
    /// `not_found` when it was deleted; a fault when it cannot be read.
    pub(crate) async fn revive(self, room: Arc<ChannelEntry>, rules: Arc<Rules>) -> Result<RecoveredChannel, HubError> {
        let kept = self.log.load(&room.id).await.map_err(|error| failed(&room, error))?;
        if kept.seq == 0 && !room.settings().is_band {
            return Err(Refusal::channel_not_found().into());
        }
        let seq = kept.seq;
        let replayed = kept.records.iter().map(|record| record.entries.len()).sum();
        let crashed = room.vitals.is_down();
        let mut channel = self.replay(&room, rules, kept, crashed).map_err(|broken| damaged(&room, &broken))?;
        let hollow = channel.hollow();
        if !hollow.is_empty() {
            let messages = self.log.messages(&room.id, hollow).await.map_err(|error| failed(&room, error))?;
            channel.fill(&messages).map_err(|broken| damaged(&room, &broken))?;
        }
        let revoked = self.revoked(&room, &channel).await?;
        Ok(RecoveredChannel { channel, seq, replayed, crashed, revoked })
    }

    /// Who is there with a key that is good no more: it may have ended while the channel was not in memory.
    async fn revoked(&self, room: &ChannelEntry, channel: &Channel) -> Result<Vec<(Callsign, Identity)>, HubError> {
        let mut proved: Vec<_> = channel.proved().map(|(callsign, who)| (callsign.clone(), who.clone())).collect();
        if !proved.is_empty() {
            let callsigns = proved.iter().map(|(callsign, _)| callsign.clone()).collect();
            let known = self.accounts.named(callsigns).await.map_err(|error| failed(room, error))?;
            proved.retain(|one| !known.contains(one));
        }
        Ok(proved)
    }

    fn replay(
        &self,
        room: &ChannelEntry,
        rules: Arc<Rules>,
        kept: StoredChannel,
        crashed: bool,
    ) -> Result<Channel, RestoreError> {
        let now = self.clock.now();
        let rested_in = kept.snapshot.as_ref().and_then(|s| s.rested_in()).filter(|_| kept.records.is_empty());
        let rested = !crashed && rested_in == Some(self.run.id);
        // A channel begins with the record that creates it; a band was always there.
        let is_new = kept.seq <= u64::from(!room.settings().is_band);
        let is_silent = rested && kept.snapshot.as_ref().is_some_and(Snapshot::is_silent);
        let lost = match (room.settings().is_durable() || is_new || is_silent, rested) {
            (true, _) => None,
            (false, true) => Some(GapReason::Idle),
            (false, false) => Some(GapReason::Restart),
        };
        let given = match &kept.snapshot {
            Some(snapshot) if rested => snapshot.last_id(),
            _ => room.vitals.last_id.load(Relaxed),
        };
        let above = self.floor.max(given);
        // What is lost lies below the ids to come; what is replayed has its own.
        let opened_at = if lost.is_some() { above } else { 0 };
        let mut channel = Channel::open(room.id.clone(), room.settings(), rules, opened_at, lost, now);
        if let Some(snapshot) = kept.snapshot {
            channel.restore(snapshot, &kept.shelf, self.run.id, now)?;
        }
        channel.replay(kept.records.iter().flat_map(|record| &record.entries), now);
        if crashed || self.run.doubts(rested_in) {
            channel.doubt_handovers();
        }
        channel.begin_above(above);
        Ok(channel)
    }
}

fn failed(room: &ChannelEntry, error: LogError) -> HubError {
    if !matches!(error, LogError::Busy) {
        log::error!(channel:display = room.id, error:display; "a channel could not be read");
    }
    error.into()
}

fn damaged(room: &ChannelEntry, broken: &RestoreError) -> HubError {
    failed(room, LogError::Damaged(broken.to_string()))
}
