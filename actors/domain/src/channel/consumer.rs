//! A consumer: a named cursor of a member, and what it has been given but not acknowledged.

use crate::Now;
use crate::entry::AckMode;
use crate::ids::{ConsumerName, MessageId, WaiterId};
use crate::limits::CLAIMS;

use super::snapshot::{ClaimState, ConsumerState};

/// How a message is claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hold {
    /// It is on its way, in the answer of this number.
    OnItsWay(u64),
    /// It is leased until an uptime.
    Lease { until_ms: u64 },
    /// It is in the queue of a stream.
    Queued(WaiterId),
    /// It was taken from the queue of a stream and waits for an ack.
    Streamed(WaiterId),
    /// It was given back, or its lease was cut short: due again, wherever the cursor stands.
    Owed,
}

/// A message a consumer has been given, or is owed although its cursor has passed it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claim {
    pub(crate) id: MessageId,
    pub(crate) hold: Hold,
    /// How often it was given, this time included.
    pub(crate) attempt: u32,
    pub(crate) is_dm: bool,
    /// Whether it was done before and is only read again, with `since`: then nobody owes it.
    pub(crate) again: bool,
}

impl Claim {
    /// Whether the consumer has really had the message, now or in an earlier attempt.
    pub(crate) fn was_had(&self) -> bool {
        match self.hold {
            Hold::Lease { .. } | Hold::Streamed(_) => true,
            Hold::OnItsWay(_) | Hold::Queued(_) | Hold::Owed => self.attempt > 1,
        }
    }

    /// Whether other reads of the consumer must skip the message.
    pub(crate) fn is_busy(&self, uptime_ms: u64) -> bool {
        match self.hold {
            Hold::OnItsWay(_) | Hold::Queued(_) | Hold::Streamed(_) => true,
            Hold::Lease { until_ms } => until_ms > uptime_ms,
            Hold::Owed => false,
        }
    }
}

/// One consumer. Claims are sorted by id and bounded by [`CLAIMS`].
#[derive(Debug)]
pub(crate) struct Consumer {
    pub(crate) name: Option<ConsumerName>,
    /// The last id it has been given (manual: has acknowledged).
    pub(crate) cursor: MessageId,
    /// The highest id it was ever handed, or told lost.
    pub(crate) handed: MessageId,
    /// The highest id it was ever shown, passing statuses included.
    pub(crate) shown: MessageId,
    pub(crate) waiter: Option<WaiterId>,
    pub(crate) stream: Option<WaiterId>,
    /// Whether its cursor was last moved by an acknowledgement.
    pub(crate) acks: bool,
    /// Up to here it may have been given messages that no record tells of: the hub went down before it was written.
    doubt: MessageId,
    claims: Vec<Claim>,
}

impl Consumer {
    pub(crate) fn new(name: Option<ConsumerName>, cursor: MessageId) -> Self {
        Self {
            name,
            cursor,
            handed: cursor,
            shown: cursor,
            waiter: None,
            stream: None,
            acks: false,
            doubt: 0,
            claims: Vec::new(),
        }
    }

    /// The consumer as it was written down.
    pub(super) fn restored(state: ConsumerState, now: Now) -> Self {
        let ConsumerState { name, cursor, handed, shown, acks, doubt, claims } = state;
        let claim = |c: ClaimState| {
            let hold = c.lease.map_or(Hold::Owed, |(ends_at_ms, most_ms)| {
                let left_ms = ends_at_ms.saturating_sub(now.at_ms).min(most_ms);
                Hold::Lease { until_ms: now.uptime_ms + left_ms }
            });
            Claim { id: c.id, hold, attempt: c.attempt, is_dm: c.is_dm, again: false }
        };
        let claims = claims.into_iter().map(claim).collect();
        Self { handed, shown, acks, doubt, claims, ..Self::new(name, cursor) }
    }

    /// The consumer, to be written down. What is on its way to it counts as had: it may be.
    pub(super) fn state(&self, durable: bool, now: Now) -> ConsumerState {
        let claim = |c: &Claim| {
            let (lease, attempt) = match c.hold {
                Hold::Lease { until_ms } => {
                    let left_ms = until_ms.saturating_sub(now.uptime_ms);
                    (Some((now.at_ms + left_ms, left_ms)), c.attempt)
                }
                Hold::Owed => (None, c.attempt),
                Hold::OnItsWay(_) | Hold::Queued(_) | Hold::Streamed(_) => (None, c.attempt + 1),
            };
            ClaimState { id: c.id, attempt, is_dm: c.is_dm, lease }
        };
        let Self { name, cursor, handed, shown, acks, doubt, .. } = self;
        let claims = self.claims.iter().filter(|c| durable && !c.again).map(claim).collect();
        ConsumerState {
            name: name.clone(),
            cursor: *cursor,
            handed: *handed,
            shown: *shown,
            acks: *acks,
            doubt: *doubt,
            claims,
        }
    }

    /// Up to here it may have had messages that no record tells of.
    pub(crate) fn doubt(&self) -> MessageId {
        self.doubt
    }

    /// From now on everything up to an id that it has not had for sure may have been given to it before.
    pub(super) fn may_have_had(&mut self, upto: MessageId) {
        self.doubt = self.doubt.max(upto);
        self.was_handed(upto);
    }

    /// Whether a poll or stream waits on it.
    pub(crate) fn waits(&self) -> bool {
        self.waiter.is_some() || self.stream.is_some()
    }

    pub(crate) fn claims(&self) -> &[Claim] {
        &self.claims
    }

    /// How many messages it may still be given before it acknowledges some.
    pub(crate) fn room(&self) -> usize {
        CLAIMS.saturating_sub(self.claims.len())
    }

    fn at(&self, id: MessageId) -> Result<usize, usize> {
        match self.claims.last() {
            None => Err(0),
            Some(last) if last.id < id => Err(self.claims.len()),
            _ => self.claims.binary_search_by_key(&id, |c| c.id),
        }
    }

    pub(crate) fn claim(&self, id: MessageId) -> Option<&Claim> {
        self.at(id).ok().map(|i| &self.claims[i])
    }

    /// Whether a read must skip the message.
    pub(crate) fn is_busy(&self, id: MessageId, uptime_ms: u64) -> bool {
        self.claim(id).is_some_and(|c| c.is_busy(uptime_ms))
    }

    /// How often the message will have been given if it is given now.
    pub(crate) fn next_attempt(&self, id: MessageId) -> u32 {
        match self.claim(id) {
            None if id <= self.doubt => 2,
            None => 1,
            Some(Claim { hold: Hold::Owed, attempt, .. }) => *attempt,
            Some(claim) => claim.attempt + 1,
        }
    }

    /// Claims a message, or renews its claim.
    pub(crate) fn put(&mut self, claim: Claim) {
        match self.at(claim.id) {
            Ok(i) => self.claims[i] = claim,
            Err(i) => self.claims.insert(i, claim),
        }
        debug_assert!(self.claims.len() <= CLAIMS, "a consumer keeps its bound");
    }

    /// Notes the highest id it was handed.
    pub(crate) fn was_handed(&mut self, upto: MessageId) {
        self.handed = self.handed.max(upto);
        self.shown = self.shown.max(upto);
    }

    /// Books a message as taken: done, or the consumer's on these terms. Without a claim it was acknowledged while on
    /// its way, or this is a replay, which knows only what was handed over. `dm` says of a DM whether it is held.
    pub(crate) fn keep(&mut self, id: MessageId, terms: AckMode, dm: Option<bool>, uptime_ms: u64) {
        let (is_dm, is_held) = (dm.is_some(), dm == Some(true));
        let claim = self.claim(id).copied();
        let attempt = self.next_attempt(id);
        match (terms, claim) {
            (AckMode::Read, _) => self.release(id),
            (AckMode::Leased { .. }, Some(Claim { again: true, .. })) => self.release(id),
            (AckMode::Leased { lease_ms }, Some(Claim { hold: Hold::OnItsWay(_), .. })) => {
                self.hold(id, Hold::Lease { until_ms: uptime_ms + lease_ms });
            }
            (AckMode::Streamed, Some(Claim { hold: Hold::Queued(place), .. })) => self.hold(id, Hold::Streamed(place)),
            (_, None) if id <= self.cursor && !is_held => {}
            (AckMode::Leased { lease_ms }, _) => {
                let hold = Hold::Lease { until_ms: uptime_ms + lease_ms };
                self.put(Claim { id, hold, attempt, is_dm, again: false });
            }
            (AckMode::Streamed, _) => {
                self.put(Claim { id, hold: Hold::Owed, attempt: attempt + 1, is_dm, again: false })
            }
        }
    }

    /// Changes how a message is held, if it is claimed.
    pub(crate) fn hold(&mut self, id: MessageId, hold: Hold) {
        if let Ok(i) = self.at(id) {
            self.claims[i].hold = hold;
        }
    }

    pub(crate) fn release(&mut self, id: MessageId) {
        if let Ok(i) = self.at(id) {
            self.claims.remove(i);
        }
    }

    /// Gives back what was never taken: due again, as if it had not been given.
    pub(crate) fn give_back(&mut self, hold: Hold) {
        self.owe(hold, 0);
    }

    /// Ends claims whose messages were taken and not acknowledged: due again, with one more attempt.
    pub(crate) fn cut_short(&mut self, hold: Hold) {
        self.owe(hold, 1);
    }

    fn owe(&mut self, hold: Hold, attempts: u32) {
        self.claims.retain(|c| c.hold != hold || !c.again);
        for claim in self.claims.iter_mut().filter(|c| c.hold == hold) {
            claim.hold = Hold::Owed;
            claim.attempt += attempts;
        }
    }

    /// What an acknowledgement up to an id is about: everything the consumer has really had.
    pub(crate) fn had_upto(&self, upto: MessageId) -> Vec<MessageId> {
        self.claims.iter().take_while(|c| c.id <= upto).filter(|c| c.was_had()).map(|c| c.id).collect()
    }

    /// Forgets owed messages that are gone and of which nothing has to be told.
    pub(crate) fn forget_owed(&mut self, uptime_ms: u64, gone: impl Fn(MessageId) -> bool) {
        self.claims.retain(|c| !c.is_dm || c.is_busy(uptime_ms) || !gone(c.id));
    }

    /// The lowest id a read without `since` must look at is above this.
    pub(crate) fn look_from(&self) -> MessageId {
        self.claims.first().map_or(self.cursor, |c| self.cursor.min(c.id.saturating_sub(1)))
    }

    /// When the next lease ends.
    pub(crate) fn next_lease_end_ms(&self, uptime_ms: u64) -> Option<u64> {
        let ends = self.claims.iter().filter_map(|c| match c.hold {
            Hold::Lease { until_ms } if until_ms > uptime_ms => Some(until_ms),
            _ => None,
        });
        ends.min()
    }

    /// How many messages of a stream are with the reader and not acknowledged.
    pub(crate) fn in_flight(&self, place: WaiterId) -> usize {
        self.claims.iter().filter(|c| c.hold == Hold::Queued(place) || c.hold == Hold::Streamed(place)).count()
    }
}
