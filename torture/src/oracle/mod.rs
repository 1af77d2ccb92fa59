//! The oracle: takes every request and response of the clients of a hub as events, and finds what the hub must not do.
//!
//! It is pure: it uses no socket and no clock, so that scripted histories can prove that it detects each violation.
//! Everything that a crash is permitted to lose is named where it is permitted; nothing else is.

mod acks;
mod event;
mod membership;
mod monotonic_value;
mod reads;
mod receipts;
mod sends;
mod state;
mod verdict;
mod violation;

pub(super) use event::{
    ChannelNo, ConsumerNo, Delivery, Event, Gap, GapReason, MemberNo, MessageRef, ReadEnd, ReadMode, Receipt,
    ReceiptState, RequestStart, RosterEntry,
};
use monotonic_value::EventTime;
use serde::Serialize;
use state::{ChannelState, ConsumerState, MemberState};
pub(super) use violation::{Violation, Violations};

/// What the oracle has counted, for disk channels or for memory channels.
#[derive(Debug, Default, Clone, Copy, Serialize)]
pub(super) struct Counts {
    pub(super) acknowledged: u64,
    pub(super) refused: u64,
    /// Sends whose outcome stayed unknown; memory channels only.
    pub(super) abandoned: u64,
    /// Sends that were repeated with their key.
    pub(super) repeated: u64,
    /// Repeated sends that the hub recognised as done.
    pub(super) recognised: u64,
    /// Requests with the response 503 or 507.
    #[serde(rename = "troubled")]
    pub(super) unavailable: u64,
    pub(super) deliveries: u64,
    /// Permitted deliveries of a message that the same consumer had received, with `attempt` above 1.
    #[serde(rename = "again")]
    pub(super) redelivered: u64,
    /// Those to readers whose reading acknowledges.
    pub(super) doubted: u64,
    pub(super) acks: u64,
    /// Acks of a delivery that the hub forgot in a crash.
    pub(super) acks_void: u64,
    /// Reads that a kill cut off.
    pub(super) cut: u64,
    /// Reads that the client abandoned.
    pub(super) left: u64,
    pub(super) gaps: u64,
    /// Missing messages inside a reported gap.
    #[serde(rename = "told")]
    pub(super) in_gap: u64,
    /// Missing direct messages of a memory channel that was killed.
    pub(super) forgotten: u64,
    /// Missing messages that may have been in an automatic read that a kill cut off.
    pub(super) unconfirmed: u64,
}

#[derive(Debug, Default)]
pub(super) struct Oracle {
    channels: Vec<ChannelState>,
    members: Vec<MemberState>,
    consumers: Vec<ConsumerState>,
    /// The number of kills so far.
    boot: u32,
    serving: bool,
    /// Whether the hub is several hubs that share a database.
    is_cluster: bool,
    now: EventTime,
    pub(super) violations: Violations,
    pub(super) disk: Counts,
    pub(super) memory: Counts,
}

impl Oracle {
    pub(super) fn channel(&mut self, durable: bool) -> ChannelNo {
        self.channels.push(ChannelState {
            durable,
            members: Vec::new(),
            ids: Default::default(),
            confirmed_tick: 0,
            first_broadcast: None,
            settings: None,
        });
        self.channels.len() - 1
    }

    /// Adds a member that has joined before anything is sent on the channel.
    pub(super) fn member(&mut self, channel: ChannelNo, callsign: &str, idx: u64) -> MemberNo {
        let no = self.members.len();
        self.channels[channel].members.push(no);
        self.members.push(MemberState {
            channel,
            callsign: callsign.to_owned(),
            idx,
            consumers: Vec::new(),
            sends: Default::default(),
            refused_in: None,
        });
        no
    }

    /// Adds a consumer that exists before anything is sent. The default consumer has an empty name.
    pub(super) fn consumer(&mut self, member: MemberNo, name: &'static str, mode: ReadMode) -> ConsumerNo {
        let no = self.consumers.len();
        self.members[member].consumers.push(no);
        self.consumers.push(ConsumerState::new(member, name, mode));
        no
    }

    /// An oracle for several hubs that share a database.
    ///
    /// Each begin and end of a fault counts as a kill. In between, requests go on: channels may move at any time, a
    /// message may be delivered again with a higher attempt, and what the clients saw before is no lower bound.
    pub(super) fn of_cluster() -> Self {
        Self { is_cluster: true, ..Self::default() }
    }

    pub(super) fn is_cluster(&self) -> bool {
        self.is_cluster
    }

    /// Whether hubs fail just now, so that channels may move.
    fn is_moving(&self) -> bool {
        self.is_cluster && !self.serving
    }

    /// The state of the hub for a request that begins now.
    pub(super) fn request_start(&self) -> RequestStart {
        RequestStart { boot: self.boot, serving: self.serving }
    }

    /// Checks the next event; `ms` never decreases.
    pub(super) fn record(&mut self, ms: u64, event: Event) {
        self.now = EventTime { tick: self.now.tick + 1, ms };
        match event {
            Event::Killed | Event::FaultBegun => self.killed(),
            Event::FaultEnded => {
                // What moved in between is known as little as after a kill.
                self.killed();
                self.serving = true;
            }
            Event::Serving => self.serving = true,
            Event::RequestFailed { start, what } => self.request_failed(start, &what),
            Event::Unavailable { channel } => self.counts(channel).unavailable += 1,
            Event::SendBegun { message, to } => self.send_begun(message, to),
            Event::SendAcked { message, id, duplicate, durable } => self.send_acked(message, id, duplicate, durable),
            Event::SendRefused { message } => self.send_refused(message),
            Event::SendAbandoned { message } => self.send_abandoned(message),
            Event::ReadBegun { consumer, lease_ms } => self.read_begun(consumer, lease_ms),
            Event::Delivered { consumer, messages, gap } => self.delivered(consumer, &messages, gap),
            Event::ReadEnded { consumer, end } => self.read_ended(consumer, end),
            Event::AckBegun { consumer, upto } => self.ack_begun(consumer, upto),
            Event::AckDone { consumer, upto, cursor } => self.ack_done(consumer, upto, cursor),
            Event::AckRefused { consumer, upto, response } => self.ack_refused(consumer, upto, &response),
            Event::CursorRequested { consumer } => self.cursor_requested(consumer),
            Event::CursorReceived { consumer, cursor } => self.cursor_received(consumer, cursor),
            Event::ReceiptsRequested { message } => self.receipts_requested(message),
            Event::ReceiptsReceived { message, receipts } => self.receipts_received(message, &receipts),
            Event::ReceiptsMissing { message } => self.receipts_missing(message),
            Event::RosterReceived { channel, entries } => self.roster_received(channel, &entries),
            Event::Rejoined { member, same_session, idx } => self.rejoined(member, same_session, idx),
            Event::MemberRefused { member, response } => self.member_refused(member, &response),
            Event::SettingsReceived { channel, settings } => self.settings_received(channel, &settings),
            Event::WrongTokenTried { channel, accepted } => self.wrong_token_tried(channel, accepted),
            Event::HistoryReceived { channel, ids } => self.history_received(channel, &ids),
            Event::Unfinished { what } => self.violation(Violation::Unfinished, &what),
        }
    }

    fn killed(&mut self) {
        let ms = self.now.ms;
        for consumer in &mut self.consumers {
            let channel = &self.channels[self.members[consumer.member].channel];
            match channel.durable {
                true => consumer.cursor.crash(ms, channel.confirmed_tick),
                false => consumer.forget_acks(),
            }
        }
        for member in &mut self.members {
            let channel = &self.channels[member.channel];
            for send in member.sends.values_mut() {
                match channel.durable {
                    true => send.receipts.values_mut().for_each(|(state, attempts)| {
                        state.crash(ms, channel.confirmed_tick);
                        attempts.crash(ms, channel.confirmed_tick);
                    }),
                    false => send.receipts.clear(),
                }
            }
        }
        self.channels.iter_mut().for_each(|channel| channel.confirmed_tick = 0);
        self.boot += 1;
        self.serving = false;
    }

    /// A request without a response is a violation if the hub served when it began and was not killed since.
    fn request_failed(&mut self, start: RequestStart, what: &str) {
        if start == self.request_start() && start.serving {
            self.violation(Violation::Unanswered, what);
        }
    }

    fn violation(&mut self, violation: Violation, text: &str) {
        self.violations.add(self.boot, violation, text);
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

    /// Describes a consumer by channel, callsign, and its name if it has one.
    fn describe_consumer(&self, consumer: ConsumerNo) -> String {
        let ConsumerState { member, name, .. } = &self.consumers[consumer];
        let MemberState { channel, callsign, .. } = &self.members[*member];
        let slash = if name.is_empty() { "" } else { "/" };
        format!("channel {channel}, {callsign}{slash}{name}")
    }

    /// Describes a message by channel, number, writer, and its id if it is known.
    fn describe(&self, MessageRef { writer, seq }: MessageRef) -> String {
        let MemberState { channel, callsign, sends, .. } = &self.members[writer];
        let id = sends.get(&seq).and_then(|send| send.id).map_or(String::new(), |id| format!(" (id {id})"));
        format!("channel {channel}, message {seq} of {callsign}{id}")
    }
}

#[cfg(test)]
mod tests;
