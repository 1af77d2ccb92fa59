//! Statistics of a channel.

use serde::Serialize;
use utoipa::ToSchema;

use crate::channel::Channel;
use crate::ids::{ChannelId, SessionId};
use crate::op::Query;
use crate::settings::{Retention, TrustMode};
use crate::{Now, Refusal};

/// Returns statistics.
#[derive(Clone, Debug)]
pub struct Stats {
    /// The session of the member that asks, if it has one.
    pub session: Option<SessionId>,
}

/// The statistics of a channel.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct StatsReply {
    /// The channel id.
    #[serde(serialize_with = "super::info::id_as_text")]
    pub channel_id: ChannelId,
    /// What its transcript records.
    pub retention: Retention,
    /// Its trust mode.
    pub trust_mode: TrustMode,
    /// Whether an owner password was set.
    pub has_owner_password: bool,
    /// How long a session lasts without activity, in seconds.
    pub session_ttl_seconds: u64,
    /// Whether it is a public band.
    pub is_band: bool,
    /// Members online.
    pub agent_count: usize,
    /// Members, online and offline.
    pub historic_callsigns_count: usize,
    /// Messages in the ring.
    pub message_count_in_buffer: usize,
    /// When the first member joined, in milliseconds since the epoch.
    #[schema(required)]
    pub first_joined_at: Option<u64>,
    /// When a member last joined or sent a message, in milliseconds since the epoch.
    pub last_activity_at: u64,
}

impl Query for Stats {
    type Reply = StatsReply;

    fn session(&self) -> Option<&SessionId> {
        self.session.as_ref()
    }

    fn answer(&self, channel: &Channel, _: Now) -> Result<StatsReply, Refusal> {
        let settings = &channel.settings;
        Ok(StatsReply {
            channel_id: channel.id.clone(),
            retention: settings.retention,
            trust_mode: settings.trust_mode,
            has_owner_password: settings.owner_password.is_some(),
            session_ttl_seconds: settings.session_ttl_ms / 1000,
            is_band: settings.is_band,
            agent_count: channel.live,
            historic_callsigns_count: channel.members.len(),
            message_count_in_buffer: channel.ring.len(),
            first_joined_at: channel.first_joined_at_ms(),
            last_activity_at: channel.last_activity_at_ms,
        })
    }
}
