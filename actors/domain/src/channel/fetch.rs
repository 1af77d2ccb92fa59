//! Fetching messages of the backlog of a durable channel, which are not in memory, from the log.
//!
//! A read that reaches such a message waits for it as for a new message. There is one fetch at a time. The fetched messages
//! are offered to all clients that waited for a fetch, and are then dropped.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::Now;
use crate::ids::{MemberNo, MessageId, WaiterId};
use crate::limits::{FETCH_BYTES, FETCH_MESSAGES};
use crate::message::Message;

use super::{Channel, Effect, Effects};

/// The fetch in progress, and the clients that wait for one. Boxed, because channels rarely fetch.
#[derive(Debug, Default)]
pub(crate) struct Fetches(Option<Box<FetchState>>);

#[derive(Debug, Default)]
struct FetchState {
    waiting: VecDeque<WaiterId>,
    in_progress: bool,
    fetched: HashMap<MessageId, Arc<Message>>,
}

impl Fetches {
    /// A message of the fetch that is being handed out.
    pub(crate) fn fetched(&self, id: MessageId) -> Option<&Arc<Message>> {
        self.0.as_ref()?.fetched.get(&id)
    }

    fn state(&mut self) -> &mut FetchState {
        self.0.get_or_insert_default()
    }
}

impl Channel {
    /// Starts a fetch if the next message due to a client is not in memory. Returns whether it is not.
    pub(crate) fn fetch_for(&mut self, id: WaiterId, now: Now, effects: &mut Effects) -> bool {
        let missing = self.missing_for(id, now);
        if missing.is_empty() {
            return false;
        }
        let state = self.fetches.state();
        if !state.waiting.contains(&id) {
            state.waiting.push_back(id);
        }
        if !state.in_progress {
            state.in_progress = true;
            effects.push(Effect::Fetch(missing));
        }
        true
    }

    /// Receives the result of a fetch. Requested messages that are not in it are lost, and become a gap.
    pub fn fetched(&mut self, requested: &[MessageId], found: Vec<Arc<Message>>, now: Now, effects: &mut Effects) {
        self.fetches.state().fetched = found.into_iter().map(|message| (message.id, message)).collect();
        if let Some(lost) = requested.iter().rev().find(|id| self.fetches.fetched(**id).is_none()) {
            self.ring.evict_backlog_upto(*lost);
        }
        // No new fetch may start before all waiting clients have been offered this one.
        self.fetches.state().in_progress = true;
        for id in std::mem::take(&mut self.fetches.state().waiting) {
            if self.waiters.streams.contains_key(&id) {
                self.feed_stream(id, now, effects);
            } else {
                self.try_answer(id, now, effects);
            }
        }
        let state = self.fetches.state();
        state.fetched.clear();
        state.in_progress = false;
        for _ in 0..state.waiting.len() {
            let Some(id) = self.fetches.state().waiting.pop_front() else { break };
            if self.fetch_for(id, now, effects) {
                return;
            }
        }
        self.fetches.0 = None;
    }

    /// The next messages due to a client that are not in memory, as many as one fetch returns.
    fn missing_for(&self, id: WaiterId, now: Now) -> Vec<MessageId> {
        let Some((no, name, since)) = self.reads_for(id) else { return Vec::new() };
        let Some(member) = self.member(no) else { return Vec::new() };
        let Some(consumer) = member.consumer(name) else { return Vec::new() };
        let due = self.due(member, consumer, since, now);
        let missing = due.take_while(|slot| slot.message.is_none()).take(FETCH_MESSAGES);
        let mut bytes = 0;
        let mut fits = |weight: usize| {
            bytes += weight;
            bytes <= FETCH_BYTES || bytes == weight
        };
        missing.take_while(|slot| fits(slot.weight_bytes())).map(|slot| slot.id).collect()
    }

    fn reads_for(&self, id: WaiterId) -> Option<(MemberNo, Option<&crate::ConsumerName>, Option<MessageId>)> {
        if let Some(stream) = self.waiters.streams.get(&id) {
            return Some((stream.no, stream.consumer.as_ref(), stream.since));
        }
        let poll = self.waiters.polls.get(&id)?;
        Some((poll.no, poll.consumer.as_ref(), poll.since))
    }
}
