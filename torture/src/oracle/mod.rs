//! The oracle: hears everything that clients of a hub did and were answered, and says what the hub may not have done.
//!
//! It is pure: it knows no socket and no clock, so that scripted histories can show that it catches what it must.
//! It never forgives for reasons of its own; each thing a crash may take is named where it is allowed.

mod acks;
mod event;
mod membership;
mod reads;
mod receipts;
mod sends;
mod state;
mod timeline;
mod verdict;
mod violation;

pub(super) use event::{
    ChannelNo, ConsumerNo, Delivery, End, Event, Gap, MemberNo, MessageKey, Place, Reading, Reason, Receipt, Stamp,
    State,
};
use serde::Serialize;
use state::{ChannelBook, ConsumerBook, MemberBook};
use timeline::At;
pub(super) use violation::{Breaches, Violation};

/// What was seen, by the kind of channel.
#[derive(Debug, Default, Clone, Copy, Serialize)]
pub(super) struct Counts {
    pub(super) acknowledged: u64,
    pub(super) refused: u64,
    /// Sends whose outcome stayed unknown; memory channels only.
    pub(super) abandoned: u64,
    /// Sends that were begun again with their key.
    pub(super) repeated: u64,
    /// Of those, the ones that had been done before.
    pub(super) recognised: u64,
    /// Requests that were answered 503 or 507.
    pub(super) troubled: u64,
    pub(super) deliveries: u64,
    /// Deliveries of what the same consumer had before, with `attempt` above 1.
    pub(super) again: u64,
    pub(super) acks: u64,
    /// Acks of a hand-over that the crash has taken.
    pub(super) acks_void: u64,
    /// Reads that a kill cut off.
    pub(super) cut: u64,
    /// Reads that the client left in the middle.
    pub(super) left: u64,
    pub(super) gaps: u64,
    /// Missing, and inside a reported gap.
    #[serde(rename = "told")]
    pub(super) in_gap: u64,
    /// Missing direct messages of a memory channel that was killed.
    pub(super) forgotten: u64,
    /// Missing, handed to an automatic read that a kill cut off.
    pub(super) unconfirmed: u64,
}

#[derive(Debug, Default)]
pub(super) struct Oracle {
    channels: Vec<ChannelBook>,
    members: Vec<MemberBook>,
    consumers: Vec<ConsumerBook>,
    /// Kills so far.
    life: u32,
    serving: bool,
    now: At,
    pub(super) violations: Breaches,
    pub(super) disk: Counts,
    pub(super) memory: Counts,
}

impl Oracle {
    pub(super) fn channel(&mut self, durable: bool) -> ChannelNo {
        self.channels.push(ChannelBook {
            durable,
            members: Vec::new(),
            ids: Default::default(),
            vouched_tick: 0,
            first_broadcast: None,
            settings: None,
        });
        self.channels.len() - 1
    }

    /// A member that has joined, before anything is sent there.
    pub(super) fn member(&mut self, channel: ChannelNo, callsign: &str, idx: u64) -> MemberNo {
        let no = self.members.len();
        self.channels[channel].members.push(no);
        self.members.push(MemberBook {
            channel,
            callsign: callsign.to_owned(),
            idx,
            consumers: Vec::new(),
            sent: Default::default(),
            turned_away: None,
        });
        no
    }

    /// A consumer that exists before anything is sent; the default one has an empty name.
    pub(super) fn consumer(&mut self, member: MemberNo, name: &'static str, reading: Reading) -> ConsumerNo {
        let no = self.consumers.len();
        self.members[member].consumers.push(no);
        self.consumers.push(ConsumerBook::new(member, name, reading));
        no
    }

    /// For a request that begins now.
    pub(super) fn stamp(&self) -> Stamp {
        Stamp { life: self.life, serving: self.serving }
    }

    /// Takes the next event; `ms` never runs backwards.
    pub(super) fn hear(&mut self, ms: u64, event: Event) {
        self.now = At { tick: self.now.tick + 1, ms };
        match event {
            Event::Killed => self.killed(),
            Event::Serves => self.serving = true,
            Event::Failed { began, what } => self.failed(began, &what),
            Event::Troubled { channel } => self.counts(channel).troubled += 1,
            Event::SendBegun { message_key, to } => self.send_begun(message_key, to),
            Event::SendAcked { message_key, id, duplicate, durable } => {
                self.send_acked(message_key, id, duplicate, durable);
            }
            Event::SendRefused { message_key } => self.send_refused(message_key),
            Event::SendAbandoned { message_key } => self.send_abandoned(message_key),
            Event::ReadBegun { consumer, lease_ms } => self.read_begun(consumer, lease_ms),
            Event::Delivered { consumer, messages, gap } => self.delivered(consumer, &messages, gap),
            Event::ReadEnded { consumer, end } => self.read_ended(consumer, end),
            Event::AckBegun { consumer, upto } => self.ack_begun(consumer, upto),
            Event::AckDone { consumer, upto, cursor } => self.ack_done(consumer, upto, cursor),
            Event::AckRefused { consumer, upto, answer } => self.ack_refused(consumer, upto, &answer),
            Event::CursorAsked { consumer } => self.cursor_asked(consumer),
            Event::CursorSeen { consumer, cursor } => self.cursor_seen(consumer, cursor),
            Event::ReceiptsAsked { message_key } => self.receipts_asked(message_key),
            Event::ReceiptsSeen { message_key, receipts } => self.receipts_seen(message_key, &receipts),
            Event::ReceiptsMissing { message_key } => self.receipts_missing(message_key),
            Event::RosterSeen { channel, places } => self.roster_seen(channel, &places),
            Event::Rejoined { member, same_session, idx } => self.rejoined(member, same_session, idx),
            Event::TurnedAway { member, answer } => self.turned_away(member, &answer),
            Event::SettingsSeen { channel, settings } => self.settings_seen(channel, &settings),
            Event::StrangerSeen { channel, let_in } => self.stranger_seen(channel, let_in),
            Event::HistorySeen { channel, ids } => self.history_seen(channel, &ids),
            Event::Unfinished { what } => self.violation(Violation::Unfinished, &what),
        }
    }

    fn killed(&mut self) {
        let ms = self.now.ms;
        for consumer in &mut self.consumers {
            let channel = &self.channels[self.members[consumer.member].channel];
            match channel.durable {
                true => consumer.cursor.kill(ms, channel.vouched_tick),
                false => consumer.forget_acks(),
            }
        }
        for member in &mut self.members {
            let channel = &self.channels[member.channel];
            for sent in member.sent.values_mut() {
                match channel.durable {
                    true => sent.receipts.values_mut().for_each(|(state, attempts)| {
                        state.kill(ms, channel.vouched_tick);
                        attempts.kill(ms, channel.vouched_tick);
                    }),
                    false => sent.receipts.clear(),
                }
            }
        }
        self.channels.iter_mut().for_each(|channel| channel.vouched_tick = 0);
        self.life += 1;
        self.serving = false;
    }

    /// A request without an answer is a fault of a hub that served and was not killed.
    fn failed(&mut self, began: Stamp, what: &str) {
        if began == self.stamp() && began.serving {
            self.violation(Violation::Unanswered, what);
        }
    }

    fn violation(&mut self, violation: Violation, text: &str) {
        self.violations.add(self.life, violation, text);
    }

    fn counts(&mut self, channel: ChannelNo) -> &mut Counts {
        match self.channels[channel].durable {
            true => &mut self.disk,
            false => &mut self.memory,
        }
    }

    fn channel_of(&self, consumer: ConsumerNo) -> ChannelNo {
        self.members[self.consumers[consumer].member].channel
    }

    /// A consumer in words: channel, callsign, and the name of the consumer if it has one.
    fn name(&self, consumer: ConsumerNo) -> String {
        let ConsumerBook { member, name, .. } = &self.consumers[consumer];
        let MemberBook { channel, callsign, .. } = &self.members[*member];
        let dash = if name.is_empty() { "" } else { "/" };
        format!("channel {channel}, {callsign}{dash}{name}")
    }

    /// Describes a message.
    fn describe(&self, MessageKey { writer, seq }: MessageKey) -> String {
        let MemberBook { channel, callsign, sent, .. } = &self.members[writer];
        let id = sent.get(&seq).and_then(|sent| sent.id).map_or(String::new(), |id| format!(" (id {id})"));
        format!("channel {channel}, message {seq} of {callsign}{id}")
    }
}

#[cfg(test)]
mod tests;
