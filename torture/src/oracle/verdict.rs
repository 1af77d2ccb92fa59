//! The final check: every acknowledged message was delivered to each of its readers, or something permits that it is
//! missing.

use super::state::{SendRecord, SendState};
use super::{ConsumerNo, MessageRef, Oracle, ReadMode, Violation};

/// What happened to a message at one consumer, best first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Arrival {
    Delivered,
    InGap,
    Forgotten,
    Unconfirmed,
    Lost,
}

impl Oracle {
    /// Checks all sends. Must be called once, when all readers have read everything.
    pub(in super::super) fn check_all_sends(&mut self) {
        for writer in 0..self.members.len() {
            let messages = self.members[writer].sends.keys().map(|seq| MessageRef { writer, seq: *seq });
            for message in messages.collect::<Vec<_>>() {
                self.check_send(message);
            }
        }
    }

    fn check_send(&mut self, message: MessageRef) {
        let at = self.members[message.writer].channel;
        let Some(send) = self.members[message.writer].sends.get(&message.seq) else { return };
        match send.state {
            SendState::Acked { .. } => {}
            SendState::Refused | SendState::Abandoned => return,
            SendState::Unknown => {
                let text = format!("{} was never answered", self.describe(message));
                return self.violation(Violation::Unfinished, &text);
            }
        }
        for reader in self.channels[at].members.clone() {
            let Some(send) = self.members[message.writer].sends.get(&message.seq) else { return };
            if reader == message.writer || send.to.is_some_and(|to| to != reader) {
                continue;
            }
            let consumers = self.members[reader].consumers.iter();
            let arrivals = consumers.map(|consumer| (*consumer, self.arrival(*consumer, send)));
            let arrivals = match send.to {
                // A direct message is stored until the first consumer of its member has received it.
                Some(_) => arrivals.min_by(|(_, one), (_, other)| one.cmp(other)).into_iter().collect::<Vec<_>>(),
                None => arrivals.collect(),
            };
            for (consumer, arrival) in arrivals {
                self.count_arrival(consumer, message, &arrival);
            }
        }
    }

    fn count_arrival(&mut self, consumer: ConsumerNo, message: MessageRef, arrival: &Arrival) {
        let at = self.channel_of(consumer);
        let counts = self.counts(at);
        match arrival {
            Arrival::Delivered => {}
            Arrival::InGap => counts.in_gap += 1,
            Arrival::Forgotten => counts.forgotten += 1,
            Arrival::Unconfirmed => counts.unconfirmed += 1,
            Arrival::Lost => {
                let (message, name) = (self.describe(message), self.describe_consumer(consumer));
                self.violation(Violation::Lost, &format!("{message} was never delivered to {name}"));
            }
        }
    }

    fn arrival(&self, consumer: ConsumerNo, send: &SendRecord) -> Arrival {
        let (Some(id), SendState::Acked { boot: acked_boot }) = (send.id, send.state) else {
            return Arrival::Delivered;
        };
        let state = &self.consumers[consumer];
        let is_direct = send.to.is_some();
        if state.deliveries.contains_key(&id) {
            return Arrival::Delivered;
        }
        if !is_direct && state.gaps.iter().any(|gap| gap.from < id && id <= gap.to) {
            return Arrival::InGap;
        }
        let is_durable = self.channels[self.channel_of(consumer)].durable;
        if is_direct && !is_durable && acked_boot < self.boot {
            return Arrival::Forgotten;
        }
        let may_be_cut_off = match state.mode {
            ReadMode::Automatic => true,
            ReadMode::Resuming => is_direct,
            ReadMode::Manual => false,
        };
        let was_in_cut_read = state.cut_reads.iter().any(|cut| cut.may_contain(id, send));
        match may_be_cut_off && was_in_cut_read {
            true => Arrival::Unconfirmed,
            false => Arrival::Lost,
        }
    }
}
