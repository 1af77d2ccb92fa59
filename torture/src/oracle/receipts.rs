//! What the oracle hears of receipts: they go from queued over delivered to acked, and never back.

use super::state::Seen;
use super::{MemberNo, MessageKey, Oracle, Receipt, State, Violation};

/// Receipts are kept for the last 256 messages of a channel; those under way count as well.
const KEPT: usize = 240;

impl Oracle {
    /// What is known by now must show in the answer.
    pub(super) fn receipts_asked(&mut self, message_key: MessageKey) {
        let owed = self.recipients(message_key).into_iter().map(|to| (to, self.owed(message_key, to))).collect();
        if let Some(sent) = self.members[message_key.writer].sent.get_mut(&message_key.seq) {
            sent.owed = owed;
        }
    }

    fn recipients(&self, message_key: MessageKey) -> Vec<MemberNo> {
        let member = &self.members[message_key.writer];
        match member.sent.get(&message_key.seq).map(|sent| sent.to) {
            Some(Some(to)) => vec![to],
            Some(None) => {
                let others = self.channels[member.channel].members.iter();
                others.copied().filter(|other| *other != message_key.writer).collect()
            }
            None => Vec::new(),
        }
    }

    /// The furthest of the member's consumers tells.
    fn owed(&self, message_key: MessageKey, to: MemberNo) -> u64 {
        let sent = self.members[message_key.writer].sent.get(&message_key.seq);
        let Some((sent, id)) = sent.and_then(|sent| Some((sent, sent.id?))) else { return 0 };
        let known = sent.receipts.get(&to).map_or(0, |(state, _)| state.floor());
        let consumers = self.members[to].consumers.iter().map(|consumer| &self.consumers[*consumer]);
        let is_delivered = |seen: &Seen| seen.life == self.life;
        let states = consumers.map(|book| match book.seen.get(&id) {
            _ if book.acked >= id => State::Acked,
            Some(seen) if is_delivered(seen) => State::Delivered,
            _ => State::Queued,
        });
        known.max(states.max().unwrap_or(State::Queued) as u64)
    }

    pub(super) fn receipts_seen(&mut self, message_key: MessageKey, receipts: &[Receipt]) {
        let now = self.now;
        let at = self.members[message_key.writer].channel;
        let text = self.describe(message_key);
        for to in self.recipients(message_key) {
            let callsign = self.members[to].callsign.clone();
            let Some(receipt) = receipts.iter().find(|receipt| receipt.to == callsign) else {
                self.violation(Violation::ReceiptMissing, &format!("{text} has none for {callsign}"));
                continue;
            };
            let durable = self.channels[at].durable;
            let Some(sent) = self.members[message_key.writer].sent.get_mut(&message_key.seq) else { return };
            let owed = sent.owed.get(&to).copied().unwrap_or(0);
            let (state, attempts) = sent.receipts.entry(to).or_default();
            let current = receipt.state as u64;
            let is_back = current < owed || (durable && receipt.state == State::Expired);
            let fewer = receipt.attempts.and_then(|count| attempts.see(count, now));
            if !is_back {
                state.see(current, now);
                if receipt.state == State::Acked {
                    state.promise(current);
                }
            }
            if is_back {
                let owed = [State::Queued, State::Delivered, State::Acked, State::Expired][owed as usize];
                let text = format!("{text} for {callsign} is {:?} and was {owed:?}", receipt.state);
                self.violation(Violation::ReceiptSteppedBack, &text);
            }
            if let Some(before) = fewer {
                let text = format!("{text} for {callsign} has had fewer attempts than {before}");
                self.violation(Violation::ReceiptSteppedBack, &text);
            }
        }
    }

    pub(super) fn receipts_missing(&mut self, message_key: MessageKey) {
        let sent = self.members[message_key.writer].sent.get(&message_key.seq);
        let Some((id, begun_life)) = sent.and_then(|sent| Some((sent.id?, sent.begun_life))) else { return };
        let channel = &self.channels[self.members[message_key.writer].channel];
        let is_recent = channel.ids.range(id..).count() <= KEPT;
        // In memory only what was begun in this life is surely there: an answer of the one before may be read in this.
        let is_kept = channel.durable || begun_life == self.life;
        if is_recent && is_kept {
            let text = self.describe(message_key);
            self.violation(Violation::ReceiptMissing, &text);
        }
    }
}
