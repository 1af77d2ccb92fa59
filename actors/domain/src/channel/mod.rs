//! The channel machine: the state of one channel, and how entries and time change it.
//!
//! [`Channel`] documents how to drive it. The files of this folder each hold one part:
//!
//! | file | part |
//! |---|---|
//! | `apply`, `time` | what entries and the time change |
//! | `restore`, `snapshot` | storing and recovering the state |
//! | `member`, `sessions`, `roster` | members and their sessions |
//! | `presence`, `profile` | how members can be reached, what they have not read, and what they say of themselves |
//! | `idempotency`, `rate_window` | what is remembered of a member's sends |
//! | `ring`, `fetch` | messages in memory, and in the backlog on disk |
//! | `consumer`, `due_messages` | cursors, claims, and what is due to a consumer |
//! | `waiters`, `wake`, `deliver`, `read_response` | polls: parking, waking, responding, settling |
//! | `streams`, `stream_frames` | streams and their events |
//! | `side_events` | events of streams beside messages |
//! | `tasks` | messages that want something back: taking, answers, deadlines |
//! | `delivery_records`, `stats` | receipts and statistics |
//! | `effects` | what the driver must do |

mod apply;
mod consumer;
mod deliver;
mod delivery_records;
mod due_messages;
mod effects;
mod fetch;
mod idempotency;
mod member;
mod presence;
mod profile;
mod rate_window;
mod read_response;
mod restore;
mod ring;
mod roster;
mod sessions;
mod side_events;
mod snapshot;
mod stats;
mod stream_frames;
mod streams;
mod tasks;
mod time;
mod waiters;
mod wake;

use std::num::NonZeroU64;
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

pub(crate) use consumer::{ClaimState, Consumer};
pub(crate) use delivery_records::DeliveryRecord;
use delivery_records::DeliveryRecords;
pub use effects::{Effect, Effects};
use fetch::Fetches;
pub(crate) use member::{Departure, Member, SessionState};
pub use presence::{OpenRead, Reach};
pub(crate) use presence::{Presence, PresenceIndex};
pub(crate) use profile::Stated;
pub use rate_window::RateWindow;
pub use read_response::{AnswerReason, DeliveredMessage, Gap, ReadResponse};
pub(crate) use ring::MessageSlot;
use ring::Ring;
pub use ring::{BacklogLimits, GapReason};
use sessions::Sessions;
pub use side_events::SideEventSet;
pub(crate) use side_events::{RosterChanges, SideEvent, SideEvents, StreamSideEvents};
pub use snapshot::{BacklogEntry, RestoreError, Snapshot};
pub use stats::{ChannelStats, DeliveryCounters};
pub(crate) use stream_frames::StreamEnd;
pub use tasks::{AnswersFormat, TaskReason, TaskResponse, TaskRow};
pub(crate) use tasks::{Task, TaskWait, Tasks, Verdict, WaitsFor, judge, table_closed, table_stale, table_taken};
pub(crate) use waiters::{ParkedPoll, Stream};
use waiters::{PendingAnswer, Waiters};

/// The rules of the hub, which are the same for all its channels.
#[derive(Clone)]
pub struct Rules {
    /// The key from which session ids are minted.
    pub key: HubKey,
    /// Sends per minute of one session; none means unlimited.
    pub sends_per_minute: Option<u32>,
    /// The bounds of a durable channel's backlog.
    pub backlog: BacklogLimits,
    /// A memory channel without a live session or a held DM is unloaded after this time; none means never.
    pub idle_ms: Option<u64>,
    /// A channel that loses nothing is unloaded after this time without a request or a waiting client; none means never.
    pub idle_lossless_ms: Option<u64>,
}

/// The state machine of one channel: its members, messages, deliveries and waiting clients.
///
/// It is pure: it has no clock, no randomness and no I/O. Its driver passes the time to every call and runs the
/// [`Effects`] that the calls produce. The methods are of five kinds:
///
/// - Getters, such as [`settings`](Self::settings) and [`stats`](Self::stats), change nothing and can be called at any time.
/// - Reads: [`query`](Self::query) runs a [`Query`](crate::Query). It only reads, and refreshes the session of its caller.
/// - Writes: an [`Operation`](crate::Operation) runs in three steps. `decide` returns entries or refuses, and changes
///   nothing. [`apply`](Self::apply) applies each [`Entry`](crate::Entry). `answer` then returns the reply. A driver with a log
///   appends the entries, and sends replies and runs effects only when they are committed; [`run`](Self::run) is for
///   channels without a log.
/// - Time: [`tick`](Self::tick) settles deliveries, timeouts, leases and expired sessions. Call it before `decide` with the
///   same `now`, and at [`next_deadline_ms`](Self::next_deadline_ms), which must be read again after every other call.
///   [`fetched`](Self::fetched) answers [`Effect::Fetch`], [`cancel_wait`](Self::cancel_wait) reports that a waiting
///   client has gone, and [`drain`](Self::drain) and [`close`](Self::close) end all waiting clients.
/// - Recovery: [`open`](Self::open), then [`restore`](Self::restore) with the snapshot if there is one, then
///   [`replay`](Self::replay) with the entries after it, then [`fill`](Self::fill) with the messages listed by
///   [`missing_bodies`](Self::missing_bodies). Only then may other methods be called.
///
/// [`Now::uptime_ms`] must never decrease between calls. [`Now::at_ms`] may; message ids increase nevertheless.
pub struct Channel {
    pub(crate) id: ChannelId,
    pub(crate) settings: Arc<Settings>,
    pub(crate) rules: Arc<Rules>,
    /// Boxed, so that the map's sorted vector moves small elements.
    pub(crate) members: VecMap<MemberNo, Box<Member>>,
    pub(crate) by_callsign: VecMap<Callsign, MemberNo>,
    pub(crate) sessions: Sessions,
    pub(crate) ring: LazyBox<Ring>,
    pub(crate) held_messages: usize,
    pub(crate) held_bytes: usize,
    pub(crate) waiters: LazyBox<Waiters>,
    pub(crate) tasks: LazyBox<Tasks>,
    /// The number of responses so far, which numbers them.
    response_count: u64,
    pub(crate) fetches: Fetches,
    pub(crate) delivery_records: LazyBox<DeliveryRecords>,
    pub(crate) last_id: MessageId,
    pub(crate) last_no: MemberNo,
    pub(crate) live: usize,
    first_joined_at_ms: Option<NonZeroU64>,
    pub(crate) last_activity_at_ms: u64,
    pub(crate) delivery_counters: DeliveryCounters,
    pub(crate) draining: bool,
    /// Whether a message was ever sent, as far as is known.
    has_messages: bool,
    idle_since_ms: u64,
    sweep_at_ms: u64,
    lease_at_ms: u64,
    roster_json: Option<Box<Bytes>>,
}

impl Channel {
    /// Opens an empty channel whose ids begin after `above`. If it had messages that are lost, `lost` is the reason, and all
    /// ids up to `above` count as evicted.
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
            ring: LazyBox::new(Ring::new(
                lost.map(|reason| (above, reason)),
                settings.is_durable().then_some(rules.backlog),
            )),
            held_messages: 0,
            held_bytes: 0,
            waiters: LazyBox::default(),
            tasks: LazyBox::default(),
            response_count: 0,
            fetches: Fetches::default(),
            delivery_records: LazyBox::default(),
            last_id: above,
            last_no: 0,
            live: 0,
            first_joined_at_ms: None,
            delivery_counters: DeliveryCounters::default(),
            draining: false,
            has_messages: lost.is_some(),
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

    /// The last message id assigned.
    #[must_use]
    pub fn last_id(&self) -> MessageId {
        self.last_id
    }

    /// When the first member joined, in milliseconds since the epoch.
    pub(crate) fn first_joined_at_ms(&self) -> Option<u64> {
        self.first_joined_at_ms.map(NonZeroU64::get)
    }

    /// Members with a live session.
    #[must_use]
    pub fn live_members(&self) -> usize {
        self.live
    }

    /// The numbers of parked polls and open streams.
    #[must_use]
    pub fn waiting(&self) -> (usize, usize) {
        (self.waiters.polls.len(), self.waiters.streams.len())
    }

    /// The number of held DMs, and their bytes.
    #[must_use]
    pub fn held(&self) -> (usize, usize) {
        (self.held_messages, self.held_bytes)
    }

    /// Frees the memory that only waiting clients need, if there are none.
    pub fn shrink(&mut self) {
        self.tasks.shrink();
        if self.waiters.are_empty() {
            self.waiters.shrink();
            self.roster_json = None;
        }
    }

    /// The next message id: the time, or one more than the last id if the clock did not advance.
    #[must_use]
    pub fn next_id(&self, now: Now) -> MessageId {
        now.at_ms.max(self.last_id + 1)
    }

    /// A member's callsign and the identity it joined with; none if it joined without one.
    #[must_use]
    pub fn identity_of(&self, no: MemberNo) -> Option<(&Callsign, &Identity)> {
        let member = self.members.get(&no)?;
        Some((&member.callsign, member.identity.as_ref()?))
    }

    /// A message that is in memory: in the ring, or held for its recipient.
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

    /// Moves the rate window of a session that joined under another callsign.
    pub(crate) fn move_send_window(&mut self, from: MemberNo, to: MemberNo) {
        let window = self.members.get_mut(&from).map(|m| std::mem::take(&mut m.send_window));
        if let (Some(window), Some(member)) = (window, self.members.get_mut(&to)) {
            member.send_window = window;
        }
    }

    /// Checks that one more member may join. On a full band, a member that is away is dropped for it, so that nobody can
    /// block a band.
    pub(crate) fn check_member_limit(&self) -> Result<(), Refusal> {
        if self.members.len() < limits::MEMBERS || self.member_to_drop().is_some() {
            return Ok(());
        }
        Err(Refusal::limit_reached("members of a channel", limits::MEMBERS))
    }

    /// The member to drop for a new one on a full band: the one that has been away longest and has no held DM.
    pub(crate) fn member_to_drop(&self) -> Option<MemberNo> {
        if !self.settings.is_band || self.members.len() < limits::MEMBERS {
            return None;
        }
        let away = self.members.values().filter(|member| member.held.len() == 0);
        let away = away.filter_map(|member| match member.presence {
            SessionState::Away { since_ms, .. } => Some((since_ms, member.no)),
            SessionState::Live { .. } => None,
        });
        away.min().map(|(_, no)| no)
    }

    /// Refreshes a session. Returns its member if it is live.
    pub(crate) fn touch(&mut self, session: &crate::ids::SessionId, now: Now) -> Option<MemberNo> {
        let no = self.sessions.live(session)?;
        self.reset_idle(now);
        self.members.get_mut(&no)?.touch(now);
        Some(no)
    }
}
