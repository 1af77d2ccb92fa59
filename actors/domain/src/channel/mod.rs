//! The channel machine: the state of one channel and what it knows about itself.
//!
//! Operations decide against it ([`Operation::decide`](crate::Operation::decide)), [`Channel::apply`] changes it and
//! [`Channel::tick`] lets time pass. It never asks the time, waits, or talks to anybody.

mod apply;
mod consumer;
mod deliver;
mod delivery_records;
mod due_messages;
mod effects;
mod fetch;
mod member;
mod read_response;
mod restore;
mod ring;
mod roster;
mod sessions;
mod snapshot;
mod stats;
mod stream_frames;
mod streams;
mod time;
mod waiters;
mod wake;

use std::sync::Arc;

use bytes::Bytes;

use crate::callsign::Callsign;
use crate::collections::{LazyBox, VecMap};
use crate::hub_key::HubKey;
use crate::identity::Identity;
use crate::ids::{ChannelId, ConsumerName, MemberNo, MessageId};
use crate::message::Message;
use crate::refusal::Refusal;
use crate::settings::Settings;
use crate::{Now, limits};

pub(crate) use consumer::{Consumer, Hold};
pub(crate) use delivery_records::DeliveryRecord;
use delivery_records::DeliveryRecords;
pub use effects::{Effect, Effects};
use fetch::Fetches;
pub use member::RateWindow;
pub(crate) use member::{Departure, Member, Presence};
pub use read_response::{AnswerReason, DeliveredMessage, Gap, ReadResponse};
use ring::Ring;
pub(crate) use ring::Slot;
pub use ring::{BacklogLimits, GapReason};
use sessions::Sessions;
pub use snapshot::{BacklogEntry, RestoreError, Snapshot};
pub use stats::{ChannelStats, DeliveryCounters};
pub(crate) use stream_frames::StreamEnd;
use waiters::{Outstanding, Waiters};
pub(crate) use waiters::{Stream, Waiter};

/// What the hub, not the channel, decides.
#[derive(Clone)]
pub struct Rules {
    /// The key session ids are minted with.
    pub key: HubKey,
    /// Sends a minute for a session; none means no limit.
    pub sends_per_minute: Option<u32>,
    /// How much of a durable channel's messages stays in the log.
    pub shelf: BacklogLimits,
    /// After this long without a live session or held DM, a memory channel leaves memory; none means never.
    pub idle_ms: Option<u64>,
    /// After this long without anybody asking or waiting, a channel that loses nothing leaves memory; none means never.
    pub idle_lossless_ms: Option<u64>,
}

/// One channel.
pub struct Channel {
    pub(crate) id: ChannelId,
    pub(crate) settings: Arc<Settings>,
    pub(crate) rules: Arc<Rules>,
    /// Boxed, to be found and moved by their numbers.
    pub(crate) members: VecMap<MemberNo, Box<Member>>,
    pub(crate) by_callsign: VecMap<Callsign, MemberNo>,
    pub(crate) sessions: Sessions,
    pub(crate) ring: LazyBox<Ring>,
    pub(crate) held_messages: usize,
    pub(crate) held_bytes: usize,
    pub(crate) places: LazyBox<Waiters>,
    /// Answers given so far: each is known by its number.
    answers: u64,
    pub(crate) fetches: Fetches,
    pub(crate) traces: LazyBox<DeliveryRecords>,
    pub(crate) last_id: MessageId,
    pub(crate) last_no: MemberNo,
    pub(crate) live: usize,
    pub(crate) first_joined_at_ms: Option<u64>,
    pub(crate) last_activity_at_ms: u64,
    pub(crate) handed: DeliveryCounters,
    pub(crate) draining: bool,
    /// Whether anything was ever said on it, for all it knows.
    spoken: bool,
    idle_since_ms: u64,
    sweep_at_ms: u64,
    lease_at_ms: u64,
    roster_json: Option<Box<Bytes>>,
}

impl Channel {
    /// Opens a channel whose ids begin above `above`. `lost` says why it has no messages if it had some: everything up
    /// to `above` then counts as departed.
    #[must_use]
    pub fn open(
        id: ChannelId,
        settings: Arc<Settings>,
        rules: Arc<Rules>,
        above: MessageId,
        lost: Option<GapReason>,
        now: Now,
    ) -> Self {
        Self {
            id,
            last_activity_at_ms: settings.created_at_ms,
            members: VecMap::default(),
            by_callsign: VecMap::default(),
            sessions: Sessions::default(),
            ring: LazyBox::new(Ring::new(lost.map(|loss| (above, loss)), settings.is_durable().then_some(rules.shelf))),
            held_messages: 0,
            held_bytes: 0,
            places: LazyBox::default(),
            answers: 0,
            fetches: Fetches::default(),
            traces: LazyBox::default(),
            last_id: above,
            last_no: 0,
            live: 0,
            first_joined_at_ms: None,
            handed: DeliveryCounters::default(),
            draining: false,
            spoken: lost.is_some(),
            idle_since_ms: now.uptime_ms,
            sweep_at_ms: u64::MAX,
            lease_at_ms: u64::MAX,
            roster_json: None,
            settings,
            rules,
        }
    }

    /// The channel's id.
    #[must_use]
    pub fn id(&self) -> &ChannelId {
        &self.id
    }

    /// The channel's settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The last message id given.
    #[must_use]
    pub fn last_id(&self) -> MessageId {
        self.last_id
    }

    /// Members with a live session.
    #[must_use]
    pub fn live_members(&self) -> usize {
        self.live
    }

    /// Polls parked and streams open.
    #[must_use]
    pub fn places(&self) -> (usize, usize) {
        (self.places.waiters.len(), self.places.streams.len())
    }

    /// Undelivered DMs held, and their bytes.
    #[must_use]
    pub fn held(&self) -> (usize, usize) {
        (self.held_messages, self.held_bytes)
    }

    /// Gives back the room of what is there for who waits, when nobody does.
    pub fn shrink(&mut self) {
        if self.places.are_empty() {
            self.places.shrink();
            self.roster_json = None;
        }
    }

    /// The next message id: the time, or one more than the last when time stood still or stepped back.
    #[must_use]
    pub fn next_id(&self, now: Now) -> MessageId {
        now.at_ms.max(self.last_id + 1)
    }

    /// The identity a member joined with last, and its callsign; none if it proved none.
    #[must_use]
    pub fn identity_of(&self, no: MemberNo) -> Option<(&Callsign, &Identity)> {
        let member = self.members.get(&no)?;
        Some((&member.callsign, member.identity.as_ref()?))
    }

    /// A message it holds in memory: in its ring, or for its recipient.
    #[must_use]
    pub(crate) fn held_message(&self, id: MessageId) -> Option<Arc<Message>> {
        let in_ring = self.ring.get(id).and_then(|slot| slot.message.clone());
        let held = || self.members.values().flat_map(|m| m.held.iter()).find(|slot| slot.id == id);
        in_ring.or_else(|| held()?.message.clone())
    }

    pub(crate) fn member(&self, no: MemberNo) -> Option<&Member> {
        self.members.get(&no).map(Box::as_ref)
    }

    pub(crate) fn member_named(&self, callsign: &str) -> Option<&Member> {
        self.by_callsign.get(callsign).and_then(|no| self.member(*no))
    }

    pub(crate) fn consumer_mut(&mut self, no: MemberNo, name: Option<&ConsumerName>) -> Option<&mut Consumer> {
        self.members.get_mut(&no)?.consumer_mut(name)
    }

    /// The sends of the last minute are a session's: they go with it when it is renamed.
    pub(crate) fn move_window(&mut self, from: MemberNo, to: MemberNo) {
        let window = self.members.get_mut(&from).map(|m| std::mem::take(&mut m.window));
        if let (Some(window), Some(member)) = (window, self.members.get_mut(&to)) {
            member.window = window;
        }
    }

    /// Whether one member more may come. On a band one that is away gives way: nobody invited it, and nobody is to fill
    /// a band for a week.
    pub(crate) fn room_for_a_member(&self) -> Result<(), Refusal> {
        if self.members.len() < limits::MEMBERS || self.longest_away().is_some() {
            return Ok(());
        }
        Err(Refusal::limit_reached("members of a channel", limits::MEMBERS))
    }

    /// Who is forgotten for somebody new on a band that is full: the one that has been away for longest, and is owed no DM.
    pub(crate) fn longest_away(&self) -> Option<MemberNo> {
        if !self.settings.is_band || self.members.len() < limits::MEMBERS {
            return None;
        }
        let away = self.members.values().filter(|member| member.held.len() == 0);
        let away = away.filter_map(|member| match member.presence {
            Presence::Away { since_ms, .. } => Some((since_ms, member.no)),
            Presence::Live { .. } => None,
        });
        away.min().map(|(_, no)| no)
    }

    /// A sign of life. Gives the member if the session lives.
    pub(crate) fn touch(&mut self, session: &crate::ids::SessionId, now: Now) -> Option<MemberNo> {
        let no = self.sessions.live(session)?;
        self.idle_from(now);
        self.members.get_mut(&no)?.touch(now.uptime_ms);
        Some(no)
    }
}
