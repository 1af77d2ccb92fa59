//! Handing over an answer, and what becomes of it.

use crate::Now;
use crate::delivery_token::{DeliveryToken, TokenState};
use crate::entry::{AckMode, Entry};
use crate::ids::{ConsumerName, MemberNo, MessageId};

use super::stats::count;
use super::{AnswerReason, Channel, Consumer, DeliveredMessage, Effects, Gap, Hold, Outstanding, ReadResponse, Waiter};

impl Channel {
    /// Answers a read with what is due, if anything is. A gap alone is an answer when telling it moves the cursor.
    pub(crate) fn deliver(&mut self, waiter: &Waiter, now: Now) -> Option<ReadResponse> {
        let (given, gap) = self.look(waiter, now)?;
        let moves = waiter.terms == AckMode::Read && waiter.since.is_none();
        if given.is_empty() && !(moves && gap.is_some()) {
            return None;
        }
        Some(self.hand_over(waiter, given, gap, AnswerReason::Ready, now))
    }

    /// Answers a read that ends without messages; what it lost is told all the same.
    pub(crate) fn deliver_nothing(&mut self, waiter: &Waiter, ending: AnswerReason, now: Now) -> ReadResponse {
        let gap = self.look(waiter, now).and_then(|(_, gap)| gap);
        self.hand_over(waiter, Vec::new(), gap, ending, now)
    }

    fn look(&self, waiter: &Waiter, now: Now) -> Option<(Vec<DeliveredMessage>, Option<Gap>)> {
        let member = self.members.get(&waiter.no)?;
        let consumer = member.consumer(waiter.consumer.as_ref())?;
        let given = self.given(member, consumer, waiter.since, waiter.max, now);
        Some((given, self.gap(member, consumer, waiter.since, now)))
    }

    fn hand_over(
        &mut self,
        waiter: &Waiter,
        given: Vec<DeliveredMessage>,
        gap: Option<Gap>,
        ending: AnswerReason,
        now: Now,
    ) -> ReadResponse {
        let roster = waiter.wants_roster.then(|| self.roster_json());
        if given.is_empty() && gap.is_none() {
            return ReadResponse { roster, ..ReadResponse::empty(ending) };
        }
        let hold = self.next_answer();
        if gap.is_some() && waiter.since.is_none() {
            self.claim_lost(waiter.no, waiter.consumer.as_ref(), hold, now);
        }
        self.claim(waiter.no, waiter.consumer.as_ref(), &given, hold, now);
        let (token, stub) = DeliveryToken::pair();
        self.places.outstanding.push(Outstanding {
            stub,
            hold,
            no: waiter.no,
            consumer: waiter.consumer.clone(),
            ids: given.iter().map(|g| g.message.id).collect(),
            gap,
            terms: waiter.terms,
        });
        ReadResponse { messages: given, gap, reason: ending, roster, guard: Some(token) }
    }

    /// How the next answer holds what it carries.
    pub(crate) fn next_answer(&mut self) -> Hold {
        self.answers += 1;
        Hold::OnItsWay(self.answers)
    }

    /// Looks at the slips of answers on their way: what was taken is done, what was returned is due again.
    pub(crate) fn settle_answers(&mut self, now: Now, effects: &mut Effects) {
        if self.places.outstanding.is_empty() {
            return;
        }
        let mut returned = Vec::new();
        for (fate, outstanding) in self.places.settled() {
            match fate {
                TokenState::Taken => self.taken(outstanding, now, effects),
                _ => returned.push(outstanding),
            }
        }
        for outstanding in returned {
            self.returned(&outstanding, now, effects);
        }
    }

    fn taken(&mut self, outstanding: Outstanding, now: Now, effects: &mut Effects) {
        let Outstanding { hold, no, consumer, ids, gap, terms, .. } = outstanding;
        self.handed.taken += count(ids.len());
        if let Some(gap) = gap {
            self.handed.told(gap.reason);
        }
        let upto = ids.last().copied().max(gap.map(|gap| gap.to)).unwrap_or(0);
        // What the answer holds beside what it gave are the losses it told.
        let told = self.held_as(no, consumer.as_ref(), hold).filter(|id| !ids.contains(id)).collect();
        let entry = Entry::Delivered { no, consumer, ids, told, upto, terms, at_ms: now.at_ms };
        self.apply(&entry, now, effects);
        effects.log(entry);
    }

    /// What a consumer's claims hold in one way.
    pub(crate) fn held_as(
        &self,
        no: MemberNo,
        name: Option<&ConsumerName>,
        hold: Hold,
    ) -> impl Iterator<Item = MessageId> {
        let claims = self.member(no).and_then(|m| m.consumer(name)).map_or(&[][..], Consumer::claims);
        claims.iter().filter(move |claim| claim.hold == hold).map(|claim| claim.id)
    }

    fn returned(&mut self, outstanding: &Outstanding, now: Now, effects: &mut Effects) {
        self.handed.returned += count(outstanding.ids.len());
        let Some(consumer) = self.consumer_mut(outstanding.no, outstanding.consumer.as_ref()) else { return };
        consumer.give_back(outstanding.hold);
        self.offer_to(outstanding.no, now, effects);
    }
}
