//! Checks of receipts: their state goes from queued to delivered to acked, and never back.

use super::{MemberNo, MessageRef, Oracle, Receipt, ReceiptState, Violation};

/// The hub stores receipts of the last 256 messages of a channel; the margin allows for messages in flight.
const STORED: usize = 240;

impl Oracle {
    /// The response must include what is known by now.
    pub(super) fn receipts_requested(&mut self, message: MessageRef) {
        let recipients = self.recipients(message).into_iter();
        let required = recipients.map(|to| (to, self.required_state(message, to))).collect();
        if let Some(send) = self.members[message.writer].sends.get_mut(&message.seq) {
            send.required_receipts = required;
        }
    }

    fn recipients(&self, message: MessageRef) -> Vec<MemberNo> {
        let member = &self.members[message.writer];
        match member.sends.get(&message.seq).map(|send| send.to) {
            Some(Some(to)) => vec![to],
            Some(None) => {
                let others = self.channels[member.channel].members.iter();
                others.copied().filter(|other| *other != message.writer).collect()
            }
            None => Vec::new(),
        }
    }

    /// Returns the lower bound of a receipt's state: that of the most advanced consumer of the member.
    fn required_state(&self, message: MessageRef, to: MemberNo) -> u64 {
        let send = self.members[message.writer].sends.get(&message.seq);
        let Some((send, id)) = send.and_then(|send| Some((send, send.id?))) else { return 0 };
        let known = send.receipts.get(&to).map_or(0, |(state, _)| state.lower_bound());
        let consumers = self.members[to].consumers.iter().map(|consumer| &self.consumers[*consumer]);
        let states = consumers.map(|consumer| match consumer.deliveries.get(&id) {
            _ if consumer.acked >= id => ReceiptState::Acked,
            Some(delivery) if delivery.boot == self.boot => ReceiptState::Delivered,
            _ => ReceiptState::Queued,
        });
        known.max(states.max().unwrap_or(ReceiptState::Queued) as u64)
    }

    pub(super) fn receipts_received(&mut self, message: MessageRef, receipts: &[Receipt]) {
        let now = self.now;
        let at = self.members[message.writer].channel;
        let text = self.describe(message);
        for to in self.recipients(message) {
            let callsign = self.members[to].callsign.clone();
            let Some(receipt) = receipts.iter().find(|receipt| receipt.to == callsign) else {
                self.violation(Violation::ReceiptMissing, &format!("{text} has no receipt for {callsign}"));
                continue;
            };
            let durable = self.channels[at].durable;
            let Some(send) = self.members[message.writer].sends.get_mut(&message.seq) else { return };
            let required = send.required_receipts.get(&to).copied().unwrap_or(0);
            let (state, attempts) = send.receipts.entry(to).or_default();
            let received = receipt.state as u64;
            let is_back = received < required || (durable && receipt.state == ReceiptState::Expired);
            let fewer = receipt.attempts.and_then(|count| attempts.observe(count, now));
            if !is_back {
                state.observe(received, now);
                if receipt.state == ReceiptState::Acked {
                    state.promise(received);
                }
            }
            if is_back {
                const STATES: [ReceiptState; 4] =
                    [ReceiptState::Queued, ReceiptState::Delivered, ReceiptState::Acked, ReceiptState::Expired];
                let required = STATES[required as usize];
                let text = format!("{text} for {callsign} is {:?} and was {required:?}", receipt.state);
                self.violation(Violation::ReceiptMovedBack, &text);
            }
            if let Some(before) = fewer {
                let text = format!("{text} for {callsign} has fewer attempts than {before}");
                self.violation(Violation::ReceiptMovedBack, &text);
            }
        }
    }

    pub(super) fn receipts_missing(&mut self, message: MessageRef) {
        let send = self.members[message.writer].sends.get(&message.seq);
        let Some((id, begun_boot)) = send.and_then(|send| Some((send.id?, send.begun_boot))) else { return };
        let channel = &self.channels[self.members[message.writer].channel];
        let is_recent = channel.ids.range(id..).count() <= STORED;
        // A memory channel has them for sure only if the send began in this boot: a response of the previous boot may
        // be read in this one.
        let is_stored = channel.durable || begun_boot == self.boot;
        if is_recent && is_stored {
            let text = self.describe(message);
            self.violation(Violation::ReceiptMissing, &text);
        }
    }
}
