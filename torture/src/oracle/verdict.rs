//! The final check: acknowledged messages that were neither delivered to a reader nor covered by a gap it got.

use super::state::{SendState, Sent};
use super::{ConsumerNo, MemberNo, MessageKey, Oracle, Reading, Violation};

/// The outcome of one message for one consumer.
enum Outcome {
    Arrived,
    InGap,
    Forgotten,
    Unconfirmed,
    Lost,
}

impl Oracle {
    /// Called once, when nothing is due to any reader.
    pub(in super::super) fn conclude(&mut self) {
        for writer in 0..self.members.len() {
            let message_keys = self.members[writer].sent.keys().map(|seq| MessageKey { writer, seq: *seq });
            for message_key in message_keys.collect::<Vec<_>>() {
                self.account(message_key);
            }
        }
    }

    fn account(&mut self, message_key: MessageKey) {
        let at = self.members[message_key.writer].channel;
        let Some(sent) = self.members[message_key.writer].sent.get(&message_key.seq) else { return };
        match sent.send_state {
            SendState::Acked { .. } => {}
            SendState::Refused | SendState::Abandoned => return,
            SendState::Unknown => {
                let text = format!("{} was never answered", self.describe(message_key));
                return self.violation(Violation::Unfinished, &text);
            }
        }
        for reader in self.channels[at].members.clone() {
            let Some(sent) = self.members[message_key.writer].sent.get(&message_key.seq) else { return };
            if reader == message_key.writer || sent.to.is_some_and(|to| to != reader) {
                continue;
            }
            let outcomes = match sent.to {
                // A direct message is held until the first consumer of its member has it.
                Some(_) => vec![self.outcome_of_direct(reader, sent)],
                None => {
                    let consumers = self.members[reader].consumers.iter();
                    consumers.map(|consumer| (*consumer, self.outcome(*consumer, sent))).collect()
                }
            };
            for (consumer, outcome) in outcomes {
                self.count(consumer, message_key, &outcome);
            }
        }
    }

    fn count(&mut self, consumer: ConsumerNo, message_key: MessageKey, outcome: &Outcome) {
        let at = self.channel_of(consumer);
        let counts = self.counts(at);
        match outcome {
            Outcome::Arrived => {}
            Outcome::InGap => counts.in_gap += 1,
            Outcome::Forgotten => counts.forgotten += 1,
            Outcome::Unconfirmed => counts.unconfirmed += 1,
            Outcome::Lost => {
                let text = format!("{} never came to {}", self.describe(message_key), self.name(consumer));
                self.violation(Violation::Lost, &text);
            }
        }
    }

    /// The best that happened to any consumer of the member.
    fn outcome_of_direct(&self, reader: MemberNo, sent: &Sent) -> (ConsumerNo, Outcome) {
        let rank = |outcome: &Outcome| match outcome {
            Outcome::Arrived => 0,
            Outcome::InGap => 1,
            Outcome::Forgotten => 2,
            Outcome::Unconfirmed => 3,
            Outcome::Lost => 4,
        };
        let consumers = self.members[reader].consumers.iter();
        let outcomes = consumers.map(|consumer| (*consumer, self.outcome(*consumer, sent)));
        outcomes.min_by_key(|(_, outcome)| rank(outcome)).unwrap_or((0, Outcome::Arrived))
    }

    fn outcome(&self, consumer: ConsumerNo, sent: &Sent) -> Outcome {
        let (Some(id), SendState::Acked { life: acked_life }) = (sent.id, sent.send_state) else {
            return Outcome::Arrived;
        };
        let book = &self.consumers[consumer];
        let is_direct = sent.to.is_some();
        if book.seen.contains_key(&id) {
            return Outcome::Arrived;
        }
        if !is_direct && book.gaps.iter().any(|gap| gap.from < id && id <= gap.to) {
            return Outcome::InGap;
        }
        let is_durable = self.channels[self.channel_of(consumer)].durable;
        if is_direct && !is_durable && acked_life < self.life {
            return Outcome::Forgotten;
        }
        let may_be_cut_off = match book.reading {
            Reading::Automatic => true,
            Reading::Resuming => is_direct,
            Reading::Manual => false,
        };
        let is_in_doubt = book.doubts.iter().any(|doubt| doubt.above < id && sent.begun_life <= doubt.life);
        match may_be_cut_off && is_in_doubt {
            true => Outcome::Unconfirmed,
            false => Outcome::Lost,
        }
    }
}
