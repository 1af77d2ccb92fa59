//! What the oracle hears of sends: an id belongs to one message, a message has one id, and ids only go up.

use std::collections::BTreeMap;

use super::state::{SendState, Sent};
use super::{MemberNo, MessageKey, Oracle, Violation};

impl Oracle {
    pub(super) fn send_begun(&mut self, message_key: MessageKey, to: Option<MemberNo>) {
        let member = &mut self.members[message_key.writer];
        let channel = &self.channels[member.channel];
        let at = member.channel;
        let sent = member.sent.entry(message_key.seq).or_insert_with(|| Sent {
            to,
            send_state: SendState::Unknown,
            id: None,
            begun_life: self.life,
            begun_tick: self.now.tick,
            tries: 0,
            floor: channel.ids.last_key_value().map_or(0, |(id, _)| *id),
            receipts: BTreeMap::new(),
            owed: BTreeMap::new(),
        });
        sent.tries += 1;
        if sent.tries > 1 {
            self.counts(at).repeated += 1;
        }
    }

    pub(super) fn send_acked(&mut self, message_key: MessageKey, id: u64, duplicate: bool, durable: bool) {
        let at = self.members[message_key.writer].channel;
        let life = self.life;
        let Some(sent) = self.members[message_key.writer].sent.get_mut(&message_key.seq) else {
            return self.violation(Violation::Phantom, "an answer to a send that never began");
        };
        let (before, tries, begun_tick) = (sent.send_state, sent.tries, sent.begun_tick);
        let is_broadcast = sent.to.is_none();
        if !matches!(before, SendState::Acked { .. }) {
            sent.send_state = SendState::Acked { life };
        }
        self.learn(message_key, id);
        let text = self.describe(message_key);
        let wrong = match (before, tries, duplicate) {
            (SendState::Acked { .. }, _, false) => Some("was repeated with its key and is called new"),
            (_, 1, true) => Some("was sent once and is called a duplicate"),
            _ => None,
        };
        if let Some(wrong) = wrong {
            self.violation(Violation::DuplicateUnmarked, &format!("{text} {wrong}"));
        }
        let channel = &mut self.channels[at];
        if tries == 1 {
            channel.vouched_tick = channel.vouched_tick.max(begun_tick);
        }
        if is_broadcast {
            channel.first_broadcast.get_or_insert(life);
        }
        if channel.durable && !durable {
            self.violation(Violation::NotDurable, &text);
        }
        let counts = self.counts(at);
        counts.acknowledged += u64::from(!matches!(before, SendState::Acked { .. }));
        counts.recognised += u64::from(duplicate);
    }

    pub(super) fn send_refused(&mut self, message_key: MessageKey) {
        let at = self.members[message_key.writer].channel;
        if let Some(sent) = self.members[message_key.writer].sent.get_mut(&message_key.seq) {
            sent.send_state = SendState::Refused;
            self.counts(at).refused += 1;
        }
    }

    pub(super) fn send_abandoned(&mut self, message_key: MessageKey) {
        let at = self.members[message_key.writer].channel;
        if let Some(sent) = self.members[message_key.writer].sent.get_mut(&message_key.seq) {
            sent.send_state = SendState::Abandoned;
            self.counts(at).abandoned += 1;
        }
    }

    /// An id of a message has become known, by a reply or by a delivery.
    pub(super) fn learn(&mut self, message_key: MessageKey, id: u64) {
        let member = &mut self.members[message_key.writer];
        let Some(sent) = member.sent.get_mut(&message_key.seq) else { return };
        let owner = *self.channels[member.channel].ids.entry(id).or_insert(message_key);
        let (known, floor) = (*sent.id.get_or_insert(id), sent.floor);
        let text = self.describe(message_key);
        if known != id {
            self.violation(Violation::TwoIds, &format!("{text} is also {id}"));
        }
        if owner != message_key {
            let other = self.describe(owner);
            self.violation(Violation::IdReused, &format!("{text} has {id}, and so has {other}"));
        }
        if id <= floor {
            self.violation(Violation::IdSteppedBack, &format!("{text} began when {floor} was known"));
        }
    }
}
