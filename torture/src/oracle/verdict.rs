//! The last question: what was acknowledged and came neither to a reader nor into a gap it was told of.

use super::state::{Fate, Sent};
use super::{ConsumerNo, Letter, MemberNo, Oracle, Reading, Violation};

/// What became of one letter for one consumer.
enum Outcome {
    Arrived,
    Told,
    Forgotten,
    Unconfirmed,
    Lost,
}

impl Oracle {
    /// To be asked once, when nothing is due to anybody any more.
    pub(in super::super) fn conclude(&mut self) {
        for writer in 0..self.members.len() {
            let letters = self.members[writer].sent.keys().map(|seq| Letter { writer, seq: *seq });
            for letter in letters.collect::<Vec<_>>() {
                self.account(letter);
            }
        }
    }

    fn account(&mut self, letter: Letter) {
        let at = self.members[letter.writer].channel;
        let Some(sent) = self.members[letter.writer].sent.get(&letter.seq) else { return };
        match sent.fate {
            Fate::Acked { .. } => {}
            Fate::Refused | Fate::Abandoned => return,
            Fate::Unknown => {
                let text = format!("{} was never answered", self.said(letter));
                return self.violation(Violation::Unfinished, &text);
            }
        }
        for reader in self.channels[at].members.clone() {
            let Some(sent) = self.members[letter.writer].sent.get(&letter.seq) else { return };
            if reader == letter.writer || sent.to.is_some_and(|to| to != reader) {
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
                self.count(consumer, letter, &outcome);
            }
        }
    }

    fn count(&mut self, consumer: ConsumerNo, letter: Letter, outcome: &Outcome) {
        let at = self.channel_of(consumer);
        let counts = self.counts(at);
        match outcome {
            Outcome::Arrived => {}
            Outcome::Told => counts.told += 1,
            Outcome::Forgotten => counts.forgotten += 1,
            Outcome::Unconfirmed => counts.unconfirmed += 1,
            Outcome::Lost => {
                let text = format!("{} never came to {}", self.said(letter), self.name(consumer));
                self.violation(Violation::Lost, &text);
            }
        }
    }

    /// The best that happened to any consumer of the member.
    fn outcome_of_direct(&self, reader: MemberNo, sent: &Sent) -> (ConsumerNo, Outcome) {
        let rank = |outcome: &Outcome| match outcome {
            Outcome::Arrived => 0,
            Outcome::Told => 1,
            Outcome::Forgotten => 2,
            Outcome::Unconfirmed => 3,
            Outcome::Lost => 4,
        };
        let consumers = self.members[reader].consumers.iter();
        let outcomes = consumers.map(|consumer| (*consumer, self.outcome(*consumer, sent)));
        outcomes.min_by_key(|(_, outcome)| rank(outcome)).unwrap_or((0, Outcome::Arrived))
    }

    fn outcome(&self, consumer: ConsumerNo, sent: &Sent) -> Outcome {
        let (Some(id), Fate::Acked { life: acked_life }) = (sent.id, sent.fate) else { return Outcome::Arrived };
        let book = &self.consumers[consumer];
        let is_direct = sent.to.is_some();
        if book.seen.contains_key(&id) {
            return Outcome::Arrived;
        }
        if !is_direct && book.told.iter().any(|gap| gap.from < id && id <= gap.to) {
            return Outcome::Told;
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
