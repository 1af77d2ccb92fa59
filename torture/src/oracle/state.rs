//! What the oracle remembers of channels, members, consumers and messages.

use std::collections::{BTreeMap, BTreeSet};

use super::event::{ChannelNo, ConsumerNo, Gap, MemberNo, MessageKey, Reading, Stamp};
use super::timeline::Timestamp;

#[derive(Debug)]
pub(super) struct ChannelBook {
    /// On disk: messages survive a kill.
    pub(super) durable: bool,
    pub(super) members: Vec<MemberNo>,
    pub(super) ids: BTreeMap<u64, MessageKey>,
    /// When the last send began that was acknowledged in this life, or 0.
    pub(super) vouched_tick: u64,
    /// The life in which the first broadcast was acknowledged.
    pub(super) first_broadcast: Option<u32>,
    pub(super) settings: Option<String>,
}

#[derive(Debug)]
pub(super) struct MemberBook {
    pub(super) channel: ChannelNo,
    pub(super) callsign: String,
    pub(super) idx: u64,
    pub(super) consumers: Vec<ConsumerNo>,
    pub(super) sent: BTreeMap<u64, Sent>,
    /// The life in which it was turned away last; reported once in a life.
    pub(super) turned_away: Option<u32>,
}

#[derive(Debug)]
pub(super) struct ConsumerBook {
    pub(super) member: MemberNo,
    pub(super) name: &'static str,
    pub(super) reading: Reading,
    pub(super) read: Option<ReadUnderWay>,
    pub(super) seen: BTreeMap<u64, Seen>,
    /// In bodies that a kill cut off.
    pub(super) glimpsed: BTreeSet<u64>,
    /// The highest id that came as if for the first time.
    pub(super) highest_fresh: u64,
    /// The highest id of the last life in which it got something.
    pub(super) highest_of_life: (u32, u64),
    /// When it last left a read in the middle.
    pub(super) left_tick: u64,
    pub(super) doubts: Vec<Doubt>,
    pub(super) gaps: Vec<Gap>,
    /// The life of the last restart gap.
    pub(super) last_restart_gap: Option<u32>,
    pub(super) cursor: Timestamp,
    pub(super) cursor_floor: u64,
    /// Acknowledged, and the hub said so.
    pub(super) acked: u64,
    /// Asked to be acknowledged.
    pub(super) ack_begun: u64,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct ReadUnderWay {
    pub(super) began: Stamp,
    pub(super) began_ms: u64,
    pub(super) lease_ms: u64,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    pub(super) life: u32,
    /// Until then its lease cannot have ended; 0 for automatic reads.
    pub(super) leased_until_ms: u64,
}

/// A kill cut an automatic read: messages above `above` that were begun in `life` or before may have been handed over.
#[derive(Debug, Clone, Copy)]
pub(super) struct Doubt {
    pub(super) above: u64,
    pub(super) life: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SendState {
    Unknown,
    Acked { life: u32 },
    Refused,
    Abandoned,
}

#[derive(Debug)]
pub(super) struct Sent {
    pub(super) to: Option<MemberNo>,
    pub(super) send_state: SendState,
    pub(super) id: Option<u64>,
    pub(super) begun_life: u32,
    pub(super) begun_tick: u64,
    /// How often its send was begun.
    pub(super) tries: u32,
    /// The highest id that was known on the channel when it began.
    pub(super) floor: u64,
    /// By recipient: the state, and the attempts of a direct message.
    pub(super) receipts: BTreeMap<MemberNo, (Timestamp, Timestamp)>,
    /// What the states must at least be, from when they were asked for.
    pub(super) owed: BTreeMap<MemberNo, u64>,
}

impl ConsumerBook {
    pub(super) fn new(member: MemberNo, name: &'static str, reading: Reading) -> Self {
        Self {
            member,
            name,
            reading,
            read: None,
            seen: BTreeMap::new(),
            glimpsed: BTreeSet::new(),
            highest_fresh: 0,
            highest_of_life: (0, 0),
            left_tick: 0,
            doubts: Vec::new(),
            gaps: Vec::new(),
            last_restart_gap: None,
            cursor: Timestamp::default(),
            cursor_floor: 0,
            acked: 0,
            ack_begun: 0,
        }
    }

    /// What only lives in memory has no past after a kill. But an ack that was begun before it may be done after it.
    pub(super) fn forget_acks(&mut self) {
        self.cursor = Timestamp::default();
        self.cursor_floor = 0;
        self.acked = 0;
    }
}
