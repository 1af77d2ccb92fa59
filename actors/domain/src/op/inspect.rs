//! A channel as the administrator sees it: its members and sizes, without message text.

use serde::Serialize;
use utoipa::ToSchema;

use crate::callsign::Callsign;
use crate::channel::{Channel, Member, SessionState};
use crate::ids::{ChannelId, MemberNo};
use crate::op::Query;
use crate::settings::{DmVisibility, Durability, Retention, TrustMode};
use crate::{Now, Refusal};

/// Returns a channel's settings, members and sizes. It refreshes no session.
#[derive(Clone, Copy, Debug)]
pub struct Inspect;

/// A channel without its messages.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Inspection {
    /// The channel's id.
    #[serde(serialize_with = "super::info::id_as_text")]
    pub id: ChannelId,
    /// Whether it is a public band.
    pub is_band: bool,
    /// What its transcript records.
    pub retention: Retention,
    /// Where its messages are stored.
    pub durability: Durability,
    /// Its trust mode.
    pub trust_mode: TrustMode,
    /// Who can read a DM besides its sender and recipient.
    pub dm_visibility: DmVisibility,
    /// When it was created, in milliseconds since the epoch.
    pub created_at: u64,
    /// Callsigns online, sorted.
    pub roster: Vec<String>,
    /// Members online.
    pub agent_count: usize,
    /// Members, online and offline.
    pub member_count: usize,
    /// Messages in the ring.
    pub message_count: usize,
    /// DMs held for their recipients.
    pub held_count: usize,
    /// When the first member joined, in milliseconds since the epoch.
    #[schema(required)]
    pub first_joined_at: Option<u64>,
    /// When a member last joined or sent a message, in milliseconds since the epoch.
    pub last_activity_at: u64,
    /// The active sessions, by member number.
    #[schema(max_items = 10_000)]
    pub sessions: Vec<SessionInfo>,
}

/// An active session. Its id is a credential and is not included.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SessionInfo {
    /// The member's number: the N of `#N`.
    #[schema(value_type = u32)]
    pub idx: MemberNo,
    /// The callsign.
    pub callsign: Callsign,
    /// When the member joined, in milliseconds since the epoch.
    pub joined_at: u64,
    /// Seconds since its last activity.
    pub seen_seconds_ago: u64,
    /// Whether a poll or stream of it is open.
    pub is_waiting: bool,
    /// Its consumers, including the default one.
    pub consumer_count: usize,
    /// DMs held for it.
    pub held_count: usize,
}

impl Query for Inspect {
    type Reply = Inspection;

    fn answer(&self, channel: &Channel, now: Now) -> Result<Inspection, Refusal> {
        let settings = &channel.settings;
        let sessions: Vec<_> = channel.members.values().filter_map(|member| session_info(member, now)).collect();
        let mut roster: Vec<_> = sessions.iter().map(|session| session.callsign.as_str().to_owned()).collect();
        roster.sort_unstable();
        Ok(Inspection {
            id: channel.id.clone(),
            is_band: settings.is_band,
            retention: settings.retention,
            durability: settings.durability,
            trust_mode: settings.trust_mode,
            dm_visibility: settings.dm_visibility,
            created_at: settings.created_at_ms,
            roster,
            agent_count: channel.live,
            member_count: channel.members.len(),
            message_count: channel.ring.len(),
            held_count: channel.held_messages,
            first_joined_at: channel.first_joined_at_ms(),
            last_activity_at: channel.last_activity_at_ms,
            sessions,
        })
    }
}

fn session_info(member: &Member, now: Now) -> Option<SessionInfo> {
    let SessionState::Live { seen_ms } = member.presence else { return None };
    let is_waiting = member.is_waiting();
    Some(SessionInfo {
        idx: member.no,
        callsign: member.callsign.clone(),
        joined_at: member.joined_at_ms,
        seen_seconds_ago: if is_waiting { 0 } else { now.uptime_ms.saturating_sub(seen_ms) / 1000 },
        is_waiting,
        consumer_count: member.consumers.len(),
        held_count: member.held.len(),
    })
}
