//! A consumer: a named cursor of a member, and the messages delivered to it but not acknowledged.

mod apart;
mod overtaken;

use crate::Now;
use crate::entry::AckMode;
use crate::ids::{ConsumerName, MemberNo, MessageId, WaiterId};
use crate::limits::CLAIMS;

use super::MessageSlot;
use super::snapshot::{ClaimSnapshot, ConsumerSnapshot};

/// The state of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClaimState {
    /// The message is in flight, in the response with this number.
    InFlight(u64),
    /// The response with this number was written, and nothing proves yet that its client took it.
    Unproven(u64),
    /// The message is leased until this uptime.
    Leased { until_ms: u64 },
    /// The message is in the queue of this stream.
    Queued(WaiterId),
    /// The message was delivered on this stream and is not acknowledged yet.
    Unacked(WaiterId),
    /// The message was returned, or its lease ended: it is due again, whatever the cursor.
    Due,
    /// The message was read apart from those before it. It is skipped until the cursor passes it.
    Done,
}

/// A message that is on its way to a consumer, delivered and not acknowledged, or due again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claim {
    pub(crate) id: MessageId,
    pub(crate) state: ClaimState,
    /// The number of the delivery attempt, from 1.
    pub(crate) attempt: u32,
    pub(crate) is_dm: bool,
    /// Whether its consumer's member sent it.
    pub(crate) is_own: bool,
    /// Whether it was acknowledged before and is only reread with `since`. It is then not due again.
    pub(crate) is_reread: bool,
}

/// What a delivered message is to the member that reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MessageOrigin {
    /// A broadcast of another member.
    Broadcast,
    /// A DM to it, and whether that is still held.
    Dm { is_held: bool },
    /// A message that it sent itself.
    Own,
}

impl Claim {
    /// Whether the message was delivered, in this attempt or an earlier one.
    pub(crate) fn was_delivered(&self) -> bool {
        match self.state {
            ClaimState::Leased { .. } | ClaimState::Unacked(_) | ClaimState::Unproven(_) => true,
            ClaimState::InFlight(_) | ClaimState::Queued(_) | ClaimState::Due => self.attempt > 1,
            ClaimState::Done => false,
        }
    }

    /// Whether other reads of the consumer must skip the message.
    pub(crate) fn is_busy(&self, uptime_ms: u64) -> bool {
        match self.state {
            ClaimState::InFlight(_)
            | ClaimState::Unproven(_)
            | ClaimState::Queued(_)
            | ClaimState::Unacked(_)
            | ClaimState::Done => true,
            ClaimState::Leased { until_ms } => until_ms > uptime_ms,
            ClaimState::Due => false,
        }
    }
}

/// One consumer. Claims are sorted by id and bounded by [`CLAIMS`].
#[derive(Debug)]
pub(crate) struct Consumer {
    pub(crate) name: Option<ConsumerName>,
    /// The last id delivered to it; with manual acknowledgement, the last id acknowledged.
    pub(crate) cursor: MessageId,
    /// The highest id delivered to it, or reported to it as lost.
    pub(crate) delivered_upto: MessageId,
    /// The highest id it received, statuses included.
    pub(crate) seen_upto: MessageId,
    pub(crate) poll: Option<WaiterId>,
    pub(crate) stream: Option<WaiterId>,
    /// Whether an acknowledgement moved the cursor last.
    pub(crate) cursor_is_acked: bool,
    /// Whether it also reads the messages that its member sent.
    pub(crate) own: bool,
    /// The uptime at which it last read or acknowledged. It is negative if that was before the hub started.
    read_ms: i64,
    /// Messages up to this id may have been delivered although the log has no entry of it, because the hub crashed.
    maybe_delivered_upto: MessageId,
    claims: Vec<Claim>,
}

impl Consumer {
    pub(crate) fn new(name: Option<ConsumerName>, cursor: MessageId, now: Now) -> Self {
        Self {
            name,
            cursor,
            delivered_upto: cursor,
            seen_upto: cursor,
            poll: None,
            stream: None,
            cursor_is_acked: false,
            own: false,
            read_ms: signed(now.uptime_ms),
            maybe_delivered_upto: 0,
            claims: Vec::new(),
        }
    }

    /// Restores a consumer from its snapshot. `unloaded_ms` is the time since the snapshot, as far as the hub ran.
    pub(super) fn restored(state: ConsumerSnapshot, unloaded_ms: u64, now: Now) -> Self {
        let ConsumerSnapshot {
            name,
            cursor,
            delivered_upto,
            seen_upto,
            cursor_is_acked,
            own,
            maybe_delivered_upto,
            claims,
            quiet_ms,
        } = state;
        let read_ms = signed(now.uptime_ms).saturating_sub_unsigned(quiet_ms.saturating_add(unloaded_ms));
        let claim = |c: ClaimSnapshot| {
            let state = c.lease.map_or(ClaimState::Due, |(ends_at_ms, most_ms)| {
                let left_ms = ends_at_ms.saturating_sub(now.at_ms).min(most_ms);
                ClaimState::Leased { until_ms: now.uptime_ms + left_ms }
            });
            let state = if c.done { ClaimState::Done } else { state };
            Claim { id: c.id, state, attempt: c.attempt, is_dm: c.is_dm, is_own: c.is_own, is_reread: false }
        };
        let claims = claims.into_iter().map(claim).collect();
        Self {
            delivered_upto,
            seen_upto,
            cursor_is_acked,
            own,
            read_ms,
            maybe_delivered_upto,
            claims,
            ..Self::new(name, cursor, now)
        }
    }

    /// The consumer's snapshot. Messages in flight count as delivered, because they may have been.
    pub(super) fn snapshot(&self, durable: bool, now: Now) -> ConsumerSnapshot {
        let claim = |c: &Claim| {
            let (lease, attempt) = match c.state {
                ClaimState::Leased { until_ms } => {
                    let left_ms = until_ms.saturating_sub(now.uptime_ms);
                    (Some((now.at_ms + left_ms, left_ms)), c.attempt)
                }
                ClaimState::Due | ClaimState::Done => (None, c.attempt),
                ClaimState::InFlight(_) | ClaimState::Unproven(_) | ClaimState::Queued(_) | ClaimState::Unacked(_) => {
                    (None, c.attempt + 1)
                }
            };
            let done = c.state == ClaimState::Done;
            ClaimSnapshot { id: c.id, attempt, is_dm: c.is_dm, is_own: c.is_own, lease, done }
        };
        let Self { name, cursor, delivered_upto, seen_upto, cursor_is_acked, maybe_delivered_upto, .. } = self;
        let claims = self.claims.iter().filter(|c| durable && !c.is_reread).map(claim).collect();
        ConsumerSnapshot {
            name: name.clone(),
            cursor: *cursor,
            delivered_upto: *delivered_upto,
            seen_upto: *seen_upto,
            cursor_is_acked: *cursor_is_acked,
            own: self.own,
            quiet_ms: if name.is_some() { self.unread_for_ms(now) } else { 0 },
            maybe_delivered_upto: *maybe_delivered_upto,
            claims,
        }
    }

    /// See [`Self::maybe_delivered_upto`].
    pub(crate) fn maybe_delivered_upto(&self) -> MessageId {
        self.maybe_delivered_upto
    }

    /// Records that it reads or acknowledges.
    pub(crate) fn touch(&mut self, now: Now) {
        self.read_ms = signed(now.uptime_ms);
    }

    /// For how long nothing has read with it.
    pub(crate) fn unread_for_ms(&self, now: Now) -> u64 {
        if self.is_waiting() { 0 } else { signed(now.uptime_ms).saturating_sub(self.read_ms).max(0).unsigned_abs() }
    }

    /// Marks messages up to an id as possibly delivered, those that were returned unread as well.
    pub(super) fn mark_maybe_delivered(&mut self, upto: MessageId) {
        for claim in self.claims.iter_mut().filter(|claim| claim.id <= upto && claim.state == ClaimState::Due) {
            claim.attempt = claim.attempt.max(2);
        }
        self.maybe_delivered_upto = self.maybe_delivered_upto.max(upto);
        self.note_delivered(upto);
    }

    /// Whether it may receive a message, as a consumer of this member.
    pub(crate) fn may_read(&self, slot: &MessageSlot, no: MemberNo) -> bool {
        slot.is_readable_by(no) || self.own && slot.from == no
    }

    /// Whether a poll or a stream waits on it.
    pub(crate) fn is_waiting(&self) -> bool {
        self.poll.is_some() || self.stream.is_some()
    }

    pub(crate) fn claims(&self) -> &[Claim] {
        &self.claims
    }

    /// How many more messages may be delivered to it before it acknowledges some.
    pub(crate) fn remaining_claims(&self) -> usize {
        CLAIMS.saturating_sub(self.claims.len())
    }

    fn position(&self, id: MessageId) -> Result<usize, usize> {
        match self.claims.last() {
            None => Err(0),
            Some(last) if last.id < id => Err(self.claims.len()),
            _ => self.claims.binary_search_by_key(&id, |c| c.id),
        }
    }

    pub(crate) fn claim(&self, id: MessageId) -> Option<&Claim> {
        self.position(id).ok().map(|i| &self.claims[i])
    }

    /// Whether a read must skip the message.
    pub(crate) fn is_busy(&self, id: MessageId, uptime_ms: u64) -> bool {
        self.claim(id).is_some_and(|c| c.is_busy(uptime_ms))
    }

    /// The number of the attempt if the message is delivered now.
    pub(crate) fn next_attempt(&self, id: MessageId) -> u32 {
        match self.claim(id) {
            None if id <= self.maybe_delivered_upto => 2,
            None => 1,
            Some(Claim { state: ClaimState::Due, attempt, .. }) => *attempt,
            Some(claim) => claim.attempt + 1,
        }
    }

    /// Adds a claim, or replaces the claim of the message.
    pub(crate) fn upsert(&mut self, claim: Claim) {
        match self.position(claim.id) {
            Ok(i) => self.claims[i] = claim,
            Err(i) => self.claims.insert(i, claim),
        }
        debug_assert!(self.claims.len() <= CLAIMS, "a consumer has at most CLAIMS claims");
    }

    /// Records that messages up to an id were delivered.
    pub(crate) fn note_delivered(&mut self, upto: MessageId) {
        self.delivered_upto = self.delivered_upto.max(upto);
        self.seen_upto = self.seen_upto.max(upto);
    }

    /// Records that a message was delivered: it is done, or claimed until it is acknowledged. It has no claim if it was
    /// acknowledged in flight, or in a replay, which knows only deliveries.
    pub(crate) fn confirm_delivery(&mut self, id: MessageId, ack_mode: AckMode, origin: MessageOrigin, uptime_ms: u64) {
        let (is_dm, is_held, is_own) = (
            matches!(origin, MessageOrigin::Dm { .. }),
            origin == MessageOrigin::Dm { is_held: true },
            origin == MessageOrigin::Own,
        );
        let claim = self.claim(id).copied();
        let attempt = self.next_attempt(id);
        match (ack_mode, claim) {
            (AckMode::Read, _) => self.release(id),
            (AckMode::Leased { .. }, Some(Claim { is_reread: true, .. })) => self.release(id),
            (AckMode::Streamed, Some(Claim { state: ClaimState::InFlight(_), is_reread: true, .. })) => {
                self.release(id);
            }
            (AckMode::Streamed, Some(Claim { state: ClaimState::InFlight(number), .. })) => {
                self.set_state(id, ClaimState::Unproven(number));
            }
            (AckMode::Leased { lease_ms }, Some(Claim { state: ClaimState::InFlight(_), .. })) => {
                self.set_state(id, ClaimState::Leased { until_ms: uptime_ms + lease_ms });
            }
            (AckMode::Streamed, Some(Claim { state: ClaimState::Queued(stream), .. })) => {
                self.set_state(id, ClaimState::Unacked(stream));
            }
            (_, None) if id <= self.cursor && !is_held || is_own && !self.own => {}
            (AckMode::Leased { lease_ms }, _) => {
                let state = ClaimState::Leased { until_ms: uptime_ms + lease_ms };
                self.upsert(Claim { id, state, attempt, is_dm, is_own, is_reread: false });
            }
            (AckMode::Streamed, _) => {
                self.upsert(Claim {
                    id,
                    state: ClaimState::Due,
                    attempt: attempt + 1,
                    is_dm,
                    is_own,
                    is_reread: false,
                });
            }
        }
    }

    /// Changes the state of a message's claim, if it has one.
    pub(crate) fn set_state(&mut self, id: MessageId, state: ClaimState) {
        if let Ok(i) = self.position(id) {
            self.claims[i].state = state;
        }
    }

    /// Changes the state of all claims that have one state.
    pub(crate) fn replace_state(&mut self, from: ClaimState, to: ClaimState) {
        self.claims.iter_mut().filter(|c| c.state == from).for_each(|c| c.state = to);
    }

    pub(crate) fn release(&mut self, id: MessageId) {
        if let Ok(i) = self.position(id) {
            self.claims.remove(i);
        }
    }

    /// Makes messages due again that were not delivered. The attempt does not count.
    pub(crate) fn return_undelivered(&mut self, state: ClaimState) {
        self.make_due(state, 0);
    }

    /// Makes messages due again that were delivered and not acknowledged. The attempt counts.
    pub(crate) fn return_unacked(&mut self, state: ClaimState) {
        self.make_due(state, 1);
    }

    fn make_due(&mut self, state: ClaimState, attempts: u32) {
        self.claims.retain(|c| c.state != state || !c.is_reread);
        for claim in self.claims.iter_mut().filter(|c| c.state == state) {
            claim.state = ClaimState::Due;
            claim.attempt += attempts;
        }
    }

    /// Drops what it claims of its member's own messages, because it no longer reads them. Those in flight are not due
    /// again when they are returned.
    pub(super) fn stop_reading_own(&mut self) {
        self.claims.retain_mut(|c| {
            let is_in_flight = !matches!(c.state, ClaimState::Due | ClaimState::Leased { .. });
            c.is_reread |= c.is_own;
            !c.is_own || is_in_flight
        });
    }

    /// The claimed messages up to an id that were delivered: those an acknowledgement covers.
    pub(crate) fn delivered_claims_upto(&self, upto: MessageId) -> Vec<MessageId> {
        self.claims.iter().take_while(|c| c.id <= upto).filter(|c| c.was_delivered()).map(|c| c.id).collect()
    }

    /// Drops due claims of DMs that are `gone`: another consumer acknowledged them, and they make no gap.
    pub(crate) fn drop_stale_claims(&mut self, uptime_ms: u64, gone: impl Fn(MessageId) -> bool) {
        self.claims.retain(|c| !c.is_dm || c.is_busy(uptime_ms) || !gone(c.id));
    }

    /// A read without `since` must look at messages above this id.
    pub(crate) fn scan_from(&self) -> MessageId {
        self.claims.first().map_or(self.cursor, |c| self.cursor.min(c.id.saturating_sub(1)))
    }

    /// When the next lease ends.
    pub(crate) fn next_lease_end_ms(&self, uptime_ms: u64) -> Option<u64> {
        let ends = self.claims.iter().filter_map(|c| match c.state {
            ClaimState::Leased { until_ms } if until_ms > uptime_ms => Some(until_ms),
            _ => None,
        });
        ends.min()
    }

    /// How many messages of a stream are queued, or delivered and not acknowledged.
    pub(crate) fn in_flight(&self, stream: WaiterId) -> usize {
        self.claims
            .iter()
            .filter(|c| c.state == ClaimState::Queued(stream) || c.state == ClaimState::Unacked(stream))
            .count()
    }
}

fn signed(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}
