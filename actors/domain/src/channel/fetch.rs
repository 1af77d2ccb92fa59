//! Fetching from the log what is due and not in memory: the messages on the shelf of a durable channel.
//!
//! A read that comes to such a message waits, as it would for one that is not sent yet. One fetch is under way at a
//! time; what it brings is lent to everybody who was waiting, and handed back when they have taken what they could.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::Now;
use crate::ids::{MemberNo, MessageId, WaiterId};
use crate::limits::{FETCH_BYTES, FETCH_MESSAGES};
use crate::message::Message;

use super::{Channel, Effect, Effects};

/// What is being fetched, and for whom. Boxed, because channels seldom fetch.
#[derive(Debug, Default)]
pub(crate) struct Fetches(Option<Box<FetchState>>);

#[derive(Debug, Default)]
struct FetchState {
    hungry: VecDeque<WaiterId>,
    under_way: bool,
    lent: HashMap<MessageId, Arc<Message>>,
}

impl Fetches {
    /// A message that was fetched for whoever is looked after now.
    pub(crate) fn lent(&self, id: MessageId) -> Option<&Arc<Message>> {
        self.0.as_ref()?.lent.get(&id)
    }

    fn kitchen(&mut self) -> &mut FetchState {
        self.0.get_or_insert_default()
    }
}

impl Channel {
    /// Has fetched what is due to a place and not in memory, if there is such a thing. True when there is.
    pub(crate) fn fetch_for(&mut self, place: WaiterId, now: Now, effects: &mut Effects) -> bool {
        let missing = self.missing_at(place, now);
        if missing.is_empty() {
            return false;
        }
        let kitchen = self.fetches.kitchen();
        if !kitchen.hungry.contains(&place) {
            kitchen.hungry.push_back(place);
        }
        if !kitchen.under_way {
            kitchen.under_way = true;
            effects.push(Effect::Fetch(missing));
        }
        true
    }

    /// Takes in what was fetched. What was asked for and did not come is not held any more: it is told as lost.
    pub fn fetched(&mut self, asked: &[MessageId], came: Vec<Arc<Message>>, now: Now, effects: &mut Effects) {
        self.fetches.kitchen().lent = came.into_iter().map(|message| (message.id, message)).collect();
        if let Some(lost) = asked.iter().rev().find(|id| self.fetches.lent(**id).is_none()) {
            self.ring.lost(*lost);
        }
        // One fetch may be asked for meanwhile, but only when everybody has had a look at this one.
        self.fetches.kitchen().under_way = true;
        for place in std::mem::take(&mut self.fetches.kitchen().hungry) {
            if self.places.streams.contains_key(&place) {
                self.pump(place, now, effects);
            } else {
                self.try_answer(place, now, effects);
            }
        }
        let kitchen = self.fetches.kitchen();
        kitchen.lent.clear();
        kitchen.under_way = false;
        for _ in 0..kitchen.hungry.len() {
            let Some(place) = self.fetches.kitchen().hungry.pop_front() else { break };
            if self.fetch_for(place, now, effects) {
                return;
            }
        }
        self.fetches.0 = None;
    }

    /// What is due next at a place and not in memory, as much as one fetch brings.
    fn missing_at(&self, place: WaiterId, now: Now) -> Vec<MessageId> {
        let Some((no, name, since)) = self.reads_at(place) else { return Vec::new() };
        let Some(member) = self.member(no) else { return Vec::new() };
        let Some(consumer) = member.consumer(name) else { return Vec::new() };
        let due = self.due(member, consumer, since, now);
        let missing = due.take_while(|slot| slot.message.is_none()).take(FETCH_MESSAGES);
        let mut bytes = 0;
        let fits = |weight: usize| {
            bytes += weight;
            bytes <= FETCH_BYTES || bytes == weight
        };
        let mut fits = fits;
        missing.take_while(|slot| fits(slot.weight_bytes())).map(|slot| slot.id).collect()
    }

    fn reads_at(&self, place: WaiterId) -> Option<(MemberNo, Option<&crate::ConsumerName>, Option<MessageId>)> {
        if let Some(stream) = self.places.streams.get(&place) {
            return Some((stream.no, stream.consumer.as_ref(), stream.since));
        }
        let waiter = self.places.waiters.get(&place)?;
        Some((waiter.no, waiter.consumer.as_ref(), waiter.since))
    }
}
