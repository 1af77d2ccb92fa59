//! What each instance counts for itself, and how the instances report it to the one that was asked.

use std::collections::HashSet;
use std::sync::Arc;

use rogerrat_actors::{Hub, Totals};
use rogerrat_domain::op::Inspection;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::{Answers, Peers};

/// Where an instance reports its counters, and its channels in memory.
pub(super) const STATS: &str = "/stats";
pub(super) const CHANNELS: &str = "/channels";

/// How long counters are reported again, in milliseconds: anybody may ask for them.
const STATS_KEPT_MS: u64 = 1_000;

/// The counters of the other instances, and when they were read.
pub(super) type LatestStats = tokio::sync::Mutex<Option<(u64, Answers<StatsReport>)>>;

/// Which instances a reply is about, where several hubs share a log.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InstancesReport {
    /// How many instances the numbers are of.
    answered: usize,
    /// The numbers of the instances that did not answer within 3 seconds, or not with a whole answer: what they have is
    /// missing.
    silent: Vec<u64>,
}

/// The public counters of an instance.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct StatsReport {
    pub(crate) channels_created: u64,
    pub(crate) joins_total: u64,
    pub(crate) messages_total: u64,
    pub(crate) started_at_ms: u64,
}

impl StatsReport {
    pub(crate) fn of(totals: &Totals) -> Self {
        let Totals { channels_created, joins_total, messages_total, started_at_ms, .. } = *totals;
        Self { channels_created, joins_total, messages_total, started_at_ms }
    }

    fn add(&mut self, other: &Self) {
        self.channels_created += other.channels_created;
        self.joins_total += other.joins_total;
        self.messages_total += other.messages_total;
        self.started_at_ms = self.started_at_ms.min(other.started_at_ms);
    }
}

/// A channel in the memory of an instance.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ReportedChannel {
    pub(crate) id: String,
    last_activity_at: u64,
    /// What its inspection shows, as JSON.
    pub(crate) inspection: Box<RawValue>,
}

impl ReportedChannel {
    fn of(channel: &Inspection) -> Option<Self> {
        let inspection = serde_json::value::to_raw_value(channel).ok()?;
        Some(Self { id: channel.id.to_string(), last_activity_at: channel.last_activity_at, inspection })
    }
}

/// The channels that an instance has in memory, without their messages.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ChannelsReport {
    /// Most recently used first.
    pub(crate) channels: Vec<ReportedChannel>,
    pub(crate) total: usize,
}

impl ChannelsReport {
    pub(crate) async fn of(hub: &Hub, limit: usize) -> Self {
        let channels = hub.inspect_live(limit).await;
        Self { channels: channels.iter().filter_map(ReportedChannel::of).collect(), total: hub.live_count() }
    }
}

impl Peers {
    /// Adds the counters of the other instances, as they were within the last second. None if the log cannot be read.
    pub(crate) async fn add_stats(self: &Arc<Self>, stats: &mut StatsReport) -> Option<InstancesReport> {
        let mut latest = self.latest_stats.lock().await;
        let now_ms = self.clock.uptime_ms();
        let kept = latest.take().filter(|(at_ms, _)| now_ms.saturating_sub(*at_ms) < STATS_KEPT_MS);
        let read = match kept {
            Some(kept) => kept,
            None => (now_ms, self.ask_all::<StatsReport>(STATS.to_owned()).await?),
        };
        let (_, answers) = latest.insert(read);
        answers.answers.iter().for_each(|other| stats.add(other));
        Some(report(answers))
    }

    /// Adds the channels of the other instances. None if the log cannot be read.
    pub(crate) async fn add_channels(
        self: &Arc<Self>,
        list: &mut ChannelsReport,
        limit: usize,
    ) -> Option<InstancesReport> {
        let answers = self.ask_all::<ChannelsReport>(format!("{CHANNELS}?limit={limit}")).await?;
        for other in &answers.answers {
            list.total += other.total;
            list.channels.extend(other.channels.iter().cloned());
        }
        list.channels.sort_by_key(|channel| std::cmp::Reverse(channel.last_activity_at));
        // A channel that moves may be in two answers.
        let mut listed = HashSet::new();
        list.channels.retain(|channel| listed.insert(channel.id.clone()));
        list.channels.truncate(limit);
        Some(report(&answers))
    }
}

fn report<T>(answers: &Answers<T>) -> InstancesReport {
    InstancesReport { answered: answers.answers.len() + 1, silent: answers.silent.iter().map(|id| id.0).collect() }
}
