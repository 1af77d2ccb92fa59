//! Checks of sends: an id belongs to one message, a message has one id, and ids only grow.

use std::collections::BTreeMap;

use super::state::{SendRecord, SendState};
use super::{MemberNo, MessageRef, Oracle, Violation};

impl Oracle {
    pub(super) fn send_begun(&mut self, message: MessageRef, to: Option<MemberNo>) {
        let member = &mut self.members[message.writer];
        let at = member.channel;
        let channel = &self.channels[at];
        let send = member.sends.entry(message.seq).or_insert_with(|| SendRecord {
            to,
            state: SendState::Unknown,
            id: None,
            begun_boot: self.boot,
            begun_tick: self.now.tick,
            requests: 0,
            highest_id_before: channel.ids.last_key_value().map_or(0, |(id, _)| *id),
            receipts: BTreeMap::new(),
            required_receipts: BTreeMap::new(),
        });
        send.requests += 1;
        if send.requests > 1 {
            self.counts(at).repeated += 1;
        }
    }

    pub(super) fn send_acked(&mut self, message: MessageRef, id: u64, duplicate: bool, durable: bool) {
        let at = self.members[message.writer].channel;
        let boot = self.boot;
        let Some(send) = self.members[message.writer].sends.get_mut(&message.seq) else {
            return self.violation(Violation::Phantom, "a response to a send that never began");
        };
        let (before, requests, begun_tick) = (send.state, send.requests, send.begun_tick);
        let is_broadcast = send.to.is_none();
        if !matches!(before, SendState::Acked { .. }) {
            send.state = SendState::Acked { boot };
        }
        self.learn_id(message, id);
        let text = self.describe(message);
        let wrong = match (before, requests, duplicate) {
            (SendState::Acked { .. }, _, false) => Some("was repeated with its key, but not reported as a duplicate"),
            (_, 1, true) => Some("was sent once, but reported as a duplicate"),
            _ => None,
        };
        if let Some(wrong) = wrong {
            self.violation(Violation::DuplicateUnmarked, &format!("{text} {wrong}"));
        }
        let channel = &mut self.channels[at];
        if requests == 1 {
            channel.confirmed_tick = channel.confirmed_tick.max(begun_tick);
        }
        if is_broadcast {
            channel.first_broadcast.get_or_insert(boot);
        }
        if channel.durable && !durable {
            self.violation(Violation::NotDurable, &text);
        }
        let counts = self.counts(at);
        counts.acknowledged += u64::from(!matches!(before, SendState::Acked { .. }));
        counts.recognised += u64::from(duplicate);
    }

    pub(super) fn send_refused(&mut self, message: MessageRef) {
        let at = self.members[message.writer].channel;
        if let Some(send) = self.members[message.writer].sends.get_mut(&message.seq) {
            send.state = SendState::Refused;
            self.counts(at).refused += 1;
        }
    }

    pub(super) fn send_abandoned(&mut self, message: MessageRef) {
        let at = self.members[message.writer].channel;
        if let Some(send) = self.members[message.writer].sends.get_mut(&message.seq) {
            send.state = SendState::Abandoned;
            self.counts(at).abandoned += 1;
        }
    }

    /// Records the id of a message, from the response to its send or from a delivery.
    pub(super) fn learn_id(&mut self, message: MessageRef, id: u64) {
        let is_moving = self.is_moving();
        let member = &mut self.members[message.writer];
        let Some(send) = member.sends.get_mut(&message.seq) else { return };
        // A hub that does not know yet that it was declared dead assigns ids that the next owner reports as a gap.
        let may_be_of_the_dead =
            (is_moving || (self.is_cluster && send.begun_boot % 2 == 1)) && !self.channels[member.channel].durable;
        let owner = *self.channels[member.channel].ids.entry(id).or_insert(message);
        let (known, before) = (*send.id.get_or_insert(id), send.highest_id_before);
        let text = self.describe(message);
        if known != id {
            self.violation(Violation::TwoIds, &format!("{text} also has the id {id}"));
        }
        if owner != message {
            let other = self.describe(owner);
            self.violation(Violation::IdReused, &format!("{text} has the id {id}, and so has {other}"));
        }
        if id <= before && !may_be_of_the_dead {
            self.violation(Violation::IdDecreased, &format!("{text} began when {before} was known"));
        }
    }
}
