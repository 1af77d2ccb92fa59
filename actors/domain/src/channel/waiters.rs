//! Waiting clients as data: parked polls, open streams, and responses in flight.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use crate::byte_bound::ByteBound;
use crate::collections::StaticDefault;
use crate::delivery_token::{DecisionCount, DeliveryHandle, Progress, TokenState};
use crate::entry::AckMode;
use crate::ids::{ConsumerName, MemberNo, MessageId, WaiterId};

use super::{ClaimState, Gap, SideEvent, SideEvents, StreamSideEvents};

/// A poll that waits for messages.
#[derive(Debug)]
pub(crate) struct ParkedPoll {
    pub(crate) no: MemberNo,
    pub(crate) consumer: Option<ConsumerName>,
    pub(crate) since: Option<MessageId>,
    pub(crate) ack_mode: AckMode,
    pub(crate) max: usize,
    /// The maximum size of the messages; none is unbounded.
    pub(crate) bound: Option<ByteBound>,
    pub(crate) deadline_ms: u64,
    pub(crate) wants_roster: bool,
}

/// An event in a stream's queue.
#[derive(Debug)]
pub(crate) struct QueuedEvent {
    pub(crate) id: Option<MessageId>,
    /// The gap it reports, and the state in which the messages of the gap are claimed meanwhile.
    pub(crate) gap: Option<(Gap, ClaimState)>,
    /// Whether it is a side event, which does not count for the bounds of the queue.
    pub(crate) side: Option<SideEvent>,
    pub(crate) bytes: usize,
}

/// An open stream.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) no: MemberNo,
    pub(crate) consumer: Option<ConsumerName>,
    /// The cursor of a stream that was opened with `since`. It follows the messages fed.
    pub(crate) since: Option<MessageId>,
    pub(crate) ack_mode: AckMode,
    pub(crate) max: usize,
    pub(crate) progress: Arc<Progress>,
    pub(crate) queue: VecDeque<QueuedEvent>,
    pub(crate) queue_bytes: usize,
    /// The number of events taken from the queue that are already settled.
    pub(crate) taken: u64,
    /// Whether older messages are still to be fed. A full queue then pauses the stream, and does not end it.
    pub(crate) catching_up: bool,
    /// The end of the last gap reported to it.
    pub(crate) reported_upto: MessageId,
    /// Its side events, if it wants any.
    pub(crate) side_events: Option<Box<StreamSideEvents>>,
}

/// A response in flight to a consumer, not yet confirmed or returned.
#[derive(Debug)]
pub(crate) struct PendingAnswer {
    pub(crate) handle: DeliveryHandle,
    /// The state of the claims of its messages. It identifies the response.
    pub(crate) state: ClaimState,
    pub(crate) no: MemberNo,
    pub(crate) consumer: Option<ConsumerName>,
    pub(crate) ids: Vec<MessageId>,
    pub(crate) gap: Option<Gap>,
    pub(crate) ack_mode: AckMode,
    /// Whether it delivers its messages and no others: the cursor stays where it is.
    pub(crate) is_apart: bool,
}

impl PendingAnswer {
    /// The highest id up to which everything is read by it; 0 if it delivers its messages apart from others.
    pub(crate) fn upto(&self) -> MessageId {
        if self.is_apart {
            return 0;
        }
        self.ids.last().copied().max(self.gap.map(|gap| gap.to)).unwrap_or(0)
    }

    fn is_of(&self, no: MemberNo, consumer: Option<&ConsumerName>) -> bool {
        self.no == no && self.consumer.as_ref() == consumer
    }
}

/// All waiting clients of a channel.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    pub(crate) polls: BTreeMap<WaiterId, ParkedPoll>,
    pub(crate) deadlines: BTreeSet<(u64, WaiterId)>,
    pub(crate) streams: BTreeMap<WaiterId, Stream>,
    pub(crate) pending_answers: Vec<PendingAnswer>,
    /// Responses that were written and are neither proven nor taken back, at most one for each consumer.
    unproven: Vec<PendingAnswer>,
    /// None until the first response.
    decisions: Option<DecisionCount>,
    /// How many decisions are settled.
    settled_decisions: u64,
    /// What the streams that want side events share; none if there is no such stream.
    pub(crate) side: Option<Box<SideEvents>>,
}

impl StaticDefault for Waiters {
    fn static_default() -> &'static Self {
        static EMPTY: Waiters = Waiters {
            polls: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            streams: BTreeMap::new(),
            pending_answers: Vec::new(),
            unproven: Vec::new(),
            decisions: None,
            settled_decisions: 0,
            side: None,
        };
        &EMPTY
    }

    fn is_default(&self) -> bool {
        self.are_empty() && self.unproven.is_empty()
    }
}

impl Waiters {
    pub(crate) fn park(&mut self, id: WaiterId, poll: ParkedPoll) {
        self.deadlines.insert((poll.deadline_ms, id));
        self.polls.insert(id, poll);
    }

    /// Whether no client waits and no response is in flight. Unproven responses do not count: nobody waits for them.
    pub(crate) fn are_empty(&self) -> bool {
        self.polls.is_empty() && self.streams.is_empty() && self.pending_answers.is_empty()
    }

    pub(crate) fn unpark(&mut self, id: WaiterId) -> Option<ParkedPoll> {
        let poll = self.polls.remove(&id)?;
        self.deadlines.remove(&(poll.deadline_ms, id));
        Some(poll)
    }

    /// Removes and returns the responses that were completed or returned.
    pub(crate) fn take_settled(&mut self) -> Vec<(TokenState, PendingAnswer)> {
        let settled = self.pending_answers.extract_if(.., |o| o.handle.state() != TokenState::Pending);
        settled.map(|o| (o.handle.state(), o)).collect()
    }

    /// Drops the responses in flight to a consumer that is being removed, and its unproven one.
    pub(crate) fn forget_consumer(&mut self, no: MemberNo, name: &ConsumerName) {
        self.pending_answers.retain(|o| !o.is_of(no, Some(name)));
        self.unproven.retain(|o| !o.is_of(no, Some(name)));
    }

    /// The counter that the tokens of responses share.
    pub(crate) fn decisions(&mut self) -> DecisionCount {
        self.decisions.get_or_insert_default().clone()
    }

    pub(crate) fn add_unproven(&mut self, answer: PendingAnswer) {
        self.unproven.push(answer);
    }

    /// Removes and returns the unproven responses that were proven or taken back since the last call.
    pub(crate) fn take_decided(&mut self) -> Vec<(TokenState, PendingAnswer)> {
        self.settled_decisions = self.decisions.as_ref().map_or(0, DecisionCount::get);
        let decided = self.unproven.extract_if(.., |o| o.handle.state() != TokenState::Written);
        decided.map(|o| (o.handle.state(), o)).collect()
    }

    /// Whether [`take_decided`](Self::take_decided) may return something.
    pub(crate) fn has_decided(&self) -> bool {
        !self.unproven.is_empty()
            && self.decisions.as_ref().is_some_and(|decisions| decisions.get() != self.settled_decisions)
    }

    /// Removes and returns the unproven responses of a member, of one consumer or of all.
    pub(crate) fn take_unproven(
        &mut self,
        no: MemberNo,
        consumer: Option<Option<&ConsumerName>>,
    ) -> Vec<PendingAnswer> {
        let is_of = |o: &PendingAnswer| consumer.map_or(o.no == no, |name| o.is_of(no, name));
        self.unproven.extract_if(.., |o| is_of(o)).collect()
    }

    /// Removes and returns the unproven answers that a member got apart from other messages.
    pub(crate) fn take_unproven_apart(&mut self, no: MemberNo) -> Vec<PendingAnswer> {
        self.unproven.extract_if(.., |o| o.is_apart && o.is_of(no, None)).collect()
    }

    /// Whether any response is unproven.
    pub(crate) fn has_unproven(&self) -> bool {
        !self.unproven.is_empty()
    }

    pub(crate) fn next_deadline_ms(&self) -> Option<u64> {
        self.deadlines.first().map(|(deadline_ms, _)| *deadline_ms)
    }
}
