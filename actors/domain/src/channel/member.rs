//! A member: a callsign that has joined, with its session, its consumers, its held DMs and its send window.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::callsign::Callsign;
use crate::collections::{LazyBox, StaticDefault};
use crate::identity::{Identity, Verified};
use crate::ids::{ConsumerName, MemberNo, MessageId, SessionId};
use crate::message::Message;
use crate::{Now, limits};

use super::MessageSlot;
use super::consumer::Consumer;
use super::idempotency::IdempotencyCache;
use super::profile::Profile;
use super::rate_window::RateWindow;

/// Whether a member is online.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SessionState {
    /// Its session is live; it was last active at this uptime.
    Live { seen_ms: u64 },
    /// It went offline at this uptime.
    Away { since_ms: u64, how: Departure },
}

/// Why a member went offline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Departure {
    Left,
    Expired,
    Renamed,
    Revoked,
}

#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) no: MemberNo,
    pub(crate) callsign: Callsign,
    pub(crate) generation: u64,
    /// Its session id, or its last one.
    pub(crate) session: SessionId,
    /// Whether the caller chose that id itself.
    pub(crate) owns_session: bool,
    /// The identity it joined with last.
    pub(crate) identity: Option<Identity>,
    pub(crate) joined_at_ms: u64,
    /// The start of its cursor. Older messages were never meant for this member.
    pub(crate) start: MessageId,
    pub(crate) presence: SessionState,
    /// When it was last active, in milliseconds since the epoch. A member with an open poll or stream is active.
    pub(crate) seen_at_ms: u64,
    /// When it last acknowledged messages, in milliseconds since the epoch; 0 if never.
    pub(crate) acked_at_ms: u64,
    /// Whether it has sent a message. Some transcripts contain only the first.
    pub(crate) has_sent: bool,
    /// The default consumer first.
    pub(crate) consumers: Vec<Consumer>,
    pub(crate) held: LazyBox<Held>,
    pub(crate) idempotency: IdempotencyCache,
    pub(crate) send_window: LazyBox<RateWindow>,
    /// What it says of itself; none if it says nothing.
    pub(crate) profile: Option<Box<Profile>>,
}

impl Member {
    pub(crate) fn is_live(&self) -> bool {
        matches!(self.presence, SessionState::Live { .. })
    }

    /// How its callsign is verified, for its messages (A5).
    pub(crate) fn verified(&self) -> Option<Verified> {
        self.identity.as_ref().map(|_| Verified::Identity)
    }

    pub(crate) fn touch(&mut self, now: Now) {
        if let SessionState::Live { seen_ms } = &mut self.presence {
            *seen_ms = now.uptime_ms;
            self.seen_at_ms = now.at_ms;
        }
    }

    pub(crate) fn is_waiting(&self) -> bool {
        self.consumers.iter().any(|c| c.poll.is_some() || c.stream.is_some())
    }

    /// Whether a consumer of it reads the messages that it sent.
    pub(super) fn reads_own(&self) -> bool {
        self.consumers.iter().any(|c| c.own)
    }

    /// Frees memory that it does not use.
    pub(super) fn shrink(&mut self, now: Now) {
        self.held.shrink();
        if let Some(window) = self.send_window.get_mut() {
            window.slide(now);
        }
        self.send_window.shrink();
    }

    /// The named consumer to drop for another one: of those that were not read for long, the one not read for longest.
    pub(crate) fn consumer_to_drop(&self, now: Now) -> Option<&ConsumerName> {
        let named = self.consumers.iter().filter_map(|c| Some((c.unread_for_ms(now), c.name.as_ref()?)));
        // Of equals the first is the one that was added first.
        let unread = named.rev().max_by_key(|(unread_for_ms, _)| *unread_for_ms);
        unread.filter(|(unread_for_ms, _)| *unread_for_ms >= limits::CONSUMER_UNREAD_MS).map(|(_, name)| name)
    }

    pub(crate) fn consumer(&self, name: Option<&ConsumerName>) -> Option<&Consumer> {
        self.consumers.iter().find(|c| c.name.as_ref() == name)
    }

    pub(crate) fn consumer_mut(&mut self, name: Option<&ConsumerName>) -> Option<&mut Consumer> {
        self.consumers.iter_mut().find(|c| c.name.as_ref() == name)
    }
}

/// Undelivered DMs of one recipient, oldest first. They are bounded apart from the ring.
#[derive(Debug, Default)]
pub(crate) struct Held {
    messages: VecDeque<MessageSlot>,
    bytes: usize,
}

impl StaticDefault for Held {
    fn static_default() -> &'static Self {
        static EMPTY: Held = Held { messages: VecDeque::new(), bytes: 0 };
        &EMPTY
    }

    fn is_default(&self) -> bool {
        self.messages.is_empty()
    }
}

impl Held {
    pub(crate) fn has_capacity_for(&self, bytes: usize) -> bool {
        self.messages.len() < limits::HELD_MESSAGES && self.bytes + bytes <= limits::HELD_BYTES
    }

    pub(crate) fn push(&mut self, slot: MessageSlot) {
        assert!(self.messages.len() < limits::HELD_MESSAGES, "the bound is checked when a send is decided");
        self.bytes += slot.weight_bytes();
        self.messages.push_back(slot);
    }

    /// Adds a message that was held before.
    pub(crate) fn insert(&mut self, slot: MessageSlot) {
        if let Err(at) = self.messages.binary_search_by_key(&slot.id, |m| m.id) {
            self.bytes += slot.weight_bytes();
            self.messages.insert(at, slot);
        }
    }

    /// Adds the body of a held message.
    pub(crate) fn fill(&mut self, message: &Arc<Message>) {
        if let Ok(at) = self.messages.binary_search_by_key(&message.id, |slot| slot.id) {
            self.messages[at].message = Some(message.clone());
        }
    }

    /// Removes a message. Returns the bytes this frees.
    pub(crate) fn take(&mut self, id: MessageId) -> Option<usize> {
        let at = self.messages.binary_search_by_key(&id, |m| m.id).ok()?;
        let bytes = self.messages.remove(at)?.weight_bytes();
        self.bytes -= bytes;
        Some(bytes)
    }

    pub(crate) fn contains(&self, id: MessageId) -> bool {
        self.messages.binary_search_by_key(&id, |m| m.id).is_ok()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &MessageSlot> {
        self.messages.iter()
    }

    pub(crate) fn len(&self) -> usize {
        self.messages.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}
