//! Waiting as data: parked polls, open streams, and answers on their way.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use crate::collections::StaticDefault;
use crate::delivery_token::{DeliveryHandle, Progress, TokenState};
use crate::entry::AckMode;
use crate::ids::{ConsumerName, MemberNo, MessageId, WaiterId};

use super::{Gap, Hold};

/// A parked poll.
#[derive(Debug)]
pub(crate) struct Waiter {
    pub(crate) no: MemberNo,
    pub(crate) consumer: Option<ConsumerName>,
    pub(crate) since: Option<MessageId>,
    pub(crate) terms: AckMode,
    pub(crate) max: usize,
    pub(crate) deadline_ms: u64,
    pub(crate) wants_roster: bool,
}

/// An event in a stream's queue.
#[derive(Debug)]
pub(crate) struct Queued {
    pub(crate) id: Option<MessageId>,
    /// The loss it tells, and how what it tells of is held meanwhile.
    pub(crate) gap: Option<(Gap, Hold)>,
    pub(crate) bytes: usize,
}

/// An open stream.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) no: MemberNo,
    pub(crate) consumer: Option<ConsumerName>,
    /// Where a stream opened with `since` reads from; moves on with what it was fed.
    pub(crate) since: Option<MessageId>,
    pub(crate) terms: AckMode,
    pub(crate) max: usize,
    pub(crate) progress: Arc<Progress>,
    pub(crate) queue: VecDeque<Queued>,
    pub(crate) queue_bytes: usize,
    /// Events of the queue the carrier had taken when we last looked.
    pub(crate) taken: u64,
    /// Whether it has not yet been fed all that was due (then it may take its time), or is behind a live message.
    pub(crate) catching_up: bool,
    /// The last loss it was told.
    pub(crate) told_upto: MessageId,
}

/// An answer on its way to one consumer.
#[derive(Debug)]
pub(crate) struct Outstanding {
    pub(crate) stub: DeliveryHandle,
    /// How it holds what it carries: unlike any other answer.
    pub(crate) hold: Hold,
    pub(crate) no: MemberNo,
    pub(crate) consumer: Option<ConsumerName>,
    pub(crate) ids: Vec<MessageId>,
    pub(crate) gap: Option<Gap>,
    pub(crate) terms: AckMode,
}

/// Everything that waits.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    pub(crate) waiters: BTreeMap<WaiterId, Waiter>,
    pub(crate) deadlines: BTreeSet<(u64, WaiterId)>,
    pub(crate) streams: BTreeMap<WaiterId, Stream>,
    pub(crate) outstanding: Vec<Outstanding>,
}

impl StaticDefault for Waiters {
    fn vacant() -> &'static Self {
        static VACANT: Waiters = Waiters {
            waiters: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            streams: BTreeMap::new(),
            outstanding: Vec::new(),
        };
        &VACANT
    }

    fn is_vacant(&self) -> bool {
        self.are_empty()
    }
}

impl Waiters {
    pub(crate) fn park(&mut self, place: WaiterId, waiter: Waiter) {
        self.deadlines.insert((waiter.deadline_ms, place));
        self.waiters.insert(place, waiter);
    }

    /// Whether nobody waits and nothing is on its way.
    pub(crate) fn are_empty(&self) -> bool {
        self.waiters.is_empty() && self.streams.is_empty() && self.outstanding.is_empty()
    }

    pub(crate) fn unpark(&mut self, place: WaiterId) -> Option<Waiter> {
        let waiter = self.waiters.remove(&place)?;
        self.deadlines.remove(&(waiter.deadline_ms, place));
        Some(waiter)
    }

    /// Takes out the answers that were taken or returned.
    pub(crate) fn settled(&mut self) -> Vec<(TokenState, Outstanding)> {
        let settled = self.outstanding.extract_if(.., |o| o.stub.fate() != TokenState::Pending);
        settled.map(|o| (o.stub.fate(), o)).collect()
    }

    /// Forgets the answers on their way to a consumer that is removed: they are nobody's now.
    pub(crate) fn forget_answers(&mut self, no: MemberNo, name: &ConsumerName) {
        self.outstanding.retain(|o| o.no != no || o.consumer.as_ref() != Some(name));
    }

    pub(crate) fn next_deadline_ms(&self) -> Option<u64> {
        self.deadlines.first().map(|(deadline_ms, _)| *deadline_ms)
    }
}
