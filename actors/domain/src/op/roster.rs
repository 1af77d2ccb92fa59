//! The members of a channel, by callsign and by number.

use serde::Serialize;
use utoipa::ToSchema;

use crate::callsign::Callsign;
use crate::channel::{Channel, Member};
use crate::ids::{MemberNo, SessionId};
use crate::op::Query;
use crate::{Now, Refusal};

/// Returns the members.
#[derive(Clone, Debug)]
pub struct Roster {
    /// The session of the member that asks, if it has one.
    pub session: Option<SessionId>,
}

/// The members of a channel.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RosterReply {
    /// Callsigns online, sorted.
    pub roster: Vec<String>,
    /// Members online with their numbers, ordered by number.
    pub roster_with_index: Vec<OnlineMember>,
    /// All members, online or not, sorted by callsign.
    pub roster_all: Vec<RosterMember>,
    /// Your unread messages, counted up to 100. Present if the request has a session.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub unread: Option<usize>,
}

/// A member online.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OnlineMember {
    /// The member's number: the N of `#N`.
    #[schema(value_type = u32)]
    pub idx: MemberNo,
    /// The callsign.
    pub callsign: Callsign,
    /// When the member joined, in milliseconds since the epoch.
    pub joined_at: u64,
}

/// A member, online or not.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RosterMember {
    /// The callsign.
    pub callsign: Callsign,
    /// Whether it is online.
    pub online: bool,
    /// The member's number: the N of `#N`.
    #[schema(value_type = u32)]
    pub idx: MemberNo,
    /// What it has open to read with: a message to it arrives at once. Absent if it reads nothing at this moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub reads: Option<OpenRead>,
}

/// What a member has open to read with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum OpenRead {
    /// A stream.
    Stream,
    /// A poll that waits.
    Poll,
}

impl OpenRead {
    fn of(member: &Member) -> Option<Self> {
        match member.consumers.iter().any(|consumer| consumer.stream.is_some()) {
            true => Some(Self::Stream),
            false => member.is_waiting().then_some(Self::Poll),
        }
    }
}

impl Query for Roster {
    type Reply = RosterReply;

    fn session(&self) -> Option<&SessionId> {
        self.session.as_ref()
    }

    fn answer(&self, channel: &Channel, now: Now) -> Result<RosterReply, Refusal> {
        let viewer = self.session.as_ref().and_then(|session| channel.sessions.live(session));
        let online = channel.members.values().filter(|m| m.is_live());
        let online_member =
            |m: &Member| OnlineMember { idx: m.no, callsign: m.callsign.clone(), joined_at: m.joined_at_ms };
        let mut all: Vec<_> = channel
            .members
            .values()
            .map(|m| RosterMember {
                callsign: m.callsign.clone(),
                online: m.is_live(),
                idx: m.no,
                reads: OpenRead::of(m),
            })
            .collect();
        all.sort_unstable_by(|a, b| a.callsign.cmp(&b.callsign));
        Ok(RosterReply {
            roster: channel.online().into_iter().map(str::to_owned).collect(),
            roster_with_index: online.map(|m| online_member(m)).collect(),
            roster_all: all,
            unread: viewer.map(|no| channel.unread(no, now)),
        })
    }
}

#[cfg(test)]
mod tests;
