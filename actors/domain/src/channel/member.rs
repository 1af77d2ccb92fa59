//! A member: a callsign that has joined, with its session, its consumers, its held DMs and its send window.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::callsign::Callsign;
use crate::collections::{LazyBox, StaticDefault};
use crate::identity::{Identity, Verified};
use crate::ids::{ConsumerName, MemberNo, MessageId, SessionId};
use crate::message::Message;
use crate::refusal::Quota;
use crate::{Now, entry::SendKey, limits};

use super::Slot;
use super::consumer::Consumer;
use super::snapshot::KeyState;

/// Whether a member is here, and if not, how it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    /// Its session lives; last sign of life at an uptime.
    Live { seen_ms: u64 },
    /// It went at an uptime.
    Away { since_ms: u64, how: Departure },
}

/// How a member went.
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
    /// The session id it has, or had last.
    pub(crate) session: SessionId,
    /// Whether the caller brought that id itself.
    pub(crate) owns_session: bool,
    /// The identity it joined with last.
    pub(crate) identity: Option<Identity>,
    pub(crate) joined_at_ms: u64,
    /// Where its cursor started: what is not above it was never for this member.
    pub(crate) start: MessageId,
    pub(crate) presence: Presence,
    /// Whether it has sent a message: the transcript of some channels keeps the first only.
    pub(crate) prompted: bool,
    /// The default consumer first.
    pub(crate) consumers: Vec<Consumer>,
    pub(crate) held: LazyBox<Held>,
    pub(crate) keys: Keys,
    pub(crate) window: LazyBox<RateWindow>,
}

impl Member {
    pub(crate) fn is_live(&self) -> bool {
        matches!(self.presence, Presence::Live { .. })
    }

    /// What a message of its says of who sent it (A5).
    pub(crate) fn verified(&self) -> Option<Verified> {
        self.identity.as_ref().map(|_| Verified::Identity)
    }

    pub(crate) fn touch(&mut self, uptime_ms: u64) {
        if let Presence::Live { seen_ms } = &mut self.presence {
            *seen_ms = uptime_ms;
        }
    }

    pub(crate) fn has_place(&self) -> bool {
        self.consumers.iter().any(|c| c.waiter.is_some() || c.stream.is_some())
    }

    /// Gives back the room of what it does not use.
    pub(super) fn shrink(&mut self, now: Now) {
        self.held.shrink();
        if let Some(window) = self.window.get_mut() {
            window.slide(now);
        }
        self.window.shrink();
    }

    pub(crate) fn consumer(&self, name: Option<&ConsumerName>) -> Option<&Consumer> {
        self.consumers.iter().find(|c| c.name.as_ref() == name)
    }

    pub(crate) fn consumer_mut(&mut self, name: Option<&ConsumerName>) -> Option<&mut Consumer> {
        self.consumers.iter_mut().find(|c| c.name.as_ref() == name)
    }
}

/// Undelivered DMs of one recipient, oldest first, apart from the ring.
#[derive(Debug, Default)]
pub(crate) struct Held {
    messages: VecDeque<Slot>,
    bytes: usize,
}

impl StaticDefault for Held {
    fn vacant() -> &'static Self {
        static VACANT: Held = Held { messages: VecDeque::new(), bytes: 0 };
        &VACANT
    }

    fn is_vacant(&self) -> bool {
        self.messages.is_empty()
    }
}

impl Held {
    pub(crate) fn has_room_for(&self, bytes: usize) -> bool {
        self.messages.len() < limits::HELD_MESSAGES && self.bytes + bytes <= limits::HELD_BYTES
    }

    pub(crate) fn push(&mut self, slot: Slot) {
        assert!(self.messages.len() < limits::HELD_MESSAGES, "room was checked when the send was decided");
        self.bytes += slot.weight_bytes();
        self.messages.push_back(slot);
    }

    /// Fills the place of a message that is held and not in memory.
    pub(crate) fn fill(&mut self, message: &Arc<Message>) {
        if let Ok(at) = self.messages.binary_search_by_key(&message.id, |slot| slot.id) {
            self.messages[at].message = Some(message.clone());
        }
    }

    /// Takes a message out; gives the bytes it freed.
    pub(crate) fn take(&mut self, id: MessageId) -> Option<usize> {
        let at = self.messages.binary_search_by_key(&id, |m| m.id).ok()?;
        let bytes = self.messages.remove(at)?.weight_bytes();
        self.bytes -= bytes;
        Some(bytes)
    }

    pub(crate) fn contains(&self, id: MessageId) -> bool {
        self.messages.binary_search_by_key(&id, |m| m.id).is_ok()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Slot> {
        self.messages.iter()
    }

    pub(crate) fn len(&self) -> usize {
        self.messages.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

/// What a remembered send was answered with.
#[derive(Clone, Debug)]
pub(crate) struct Remembered {
    pub(crate) body_hash: [u8; 32],
    pub(crate) id: MessageId,
    pub(crate) at_ms: u64,
    pub(crate) queued: bool,
    pub(crate) to: Arc<str>,
    until_ms: u64,
}

/// The idempotency keys of one member, the oldest forgotten first. Boxed, because few members use any.
#[derive(Debug, Default)]
pub(crate) struct Keys(Option<Box<Chain>>);

#[derive(Debug, Default)]
struct Chain {
    known: HashMap<Arc<str>, Remembered>,
    order: VecDeque<Arc<str>>,
}

impl Keys {
    pub(crate) fn get(&self, key: &str, now: Now) -> Option<&Remembered> {
        self.0.as_ref()?.known.get(key).filter(|r| r.until_ms > now.uptime_ms)
    }

    /// What is remembered, oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Remembered)> {
        self.0.iter().flat_map(|chain| chain.order.iter().filter_map(|key| chain.known.get_key_value(key)))
    }

    /// Remembers again what was written down.
    pub(super) fn restore(&mut self, state: KeyState, now: Now) {
        let KeyState { key: SendKey { key, body_hash }, id, at_ms, queued, to } = state;
        let until_ms = now.uptime_ms + limits::IDEMPOTENCY_MS;
        let chain = self.0.get_or_insert_default();
        chain.known.insert(key.clone(), Remembered { body_hash, id, at_ms, queued, to, until_ms });
        chain.order.push_back(key);
    }

    pub(crate) fn remember(&mut self, key: &SendKey, message: &Message, to: Arc<str>, queued: bool, now: Now) {
        let chain = self.0.get_or_insert_default();
        chain.forget_old(now);
        let remembered = Remembered {
            body_hash: key.body_hash,
            id: message.id,
            at_ms: message.at_ms,
            queued,
            to,
            until_ms: now.uptime_ms + limits::IDEMPOTENCY_MS,
        };
        if chain.known.insert(key.key.clone(), remembered).is_none() {
            chain.order.push_back(key.key.clone());
        }
        assert!(chain.known.len() <= limits::IDEMPOTENCY_KEYS, "the keys keep their bound");
    }
}

impl Chain {
    fn forget_old(&mut self, now: Now) {
        while let Some(oldest) = self.order.front() {
            let due = self.known.get(oldest).is_none_or(|r| r.until_ms <= now.uptime_ms);
            if !due && self.order.len() < limits::IDEMPOTENCY_KEYS {
                break;
            }
            self.known.remove(oldest);
            self.order.pop_front();
        }
    }
}

/// The sends of the last minute: a true sliding window of their times.
#[derive(Debug, Default)]
pub struct RateWindow(VecDeque<u64>);

impl StaticDefault for RateWindow {
    fn vacant() -> &'static Self {
        static VACANT: RateWindow = RateWindow(VecDeque::new());
        &VACANT
    }

    fn is_vacant(&self) -> bool {
        self.0.is_empty()
    }
}

impl RateWindow {
    /// How much of the window is left; none when sends are not limited.
    #[must_use]
    pub fn quota(&self, limit: Option<u32>, now: Now) -> Option<Quota> {
        let limit = limit?;
        let inside = self.0.iter().rev().take_while(|&&t| t + limits::WINDOW_MS > now.uptime_ms).count();
        let oldest_ms = self.0.iter().rev().nth(inside.saturating_sub(1)).filter(|_| inside > 0);
        let frees_in_ms = oldest_ms.map_or(limits::WINDOW_MS, |t| t + limits::WINDOW_MS - now.uptime_ms);
        let used = u32::try_from(inside).unwrap_or(u32::MAX);
        Some(Quota { limit, remaining: limit.saturating_sub(used), reset_at_ms: now.at_ms + frees_in_ms })
    }

    /// Counts one.
    pub fn count(&mut self, limit: Option<u32>, now: Now) {
        let Some(limit) = limit else { return };
        self.0.push_back(now.uptime_ms);
        self.slide(now);
        while self.0.len() > limit as usize {
            self.0.pop_front();
        }
    }

    /// Forgets what lies more than a minute back.
    pub(super) fn slide(&mut self, now: Now) {
        while self.0.front().is_some_and(|t| t + limits::WINDOW_MS <= now.uptime_ms) {
            self.0.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d26_the_window_slides() {
        let now = |s: u64| Now { at_ms: 1_000_000 + s * 1000, uptime_ms: 100_000 + s * 1000 };
        let mut window = RateWindow::default();
        for s in 0..3 {
            window.count(Some(3), now(s * 10));
        }
        let full = window.quota(Some(3), now(30)).unwrap();
        assert_eq!((full.remaining, full.reset_at_ms), (0, 1_060_000));
        let slid = window.quota(Some(3), now(60)).unwrap();
        assert_eq!((slid.remaining, slid.reset_at_ms), (1, 1_070_000));
        assert_eq!(window.quota(None, now(60)), None);
    }
}
