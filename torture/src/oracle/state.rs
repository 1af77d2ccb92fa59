//! What the oracle stores about channels, members, consumers and messages.

use std::collections::{BTreeMap, BTreeSet};

use super::event::{ChannelNo, ConsumerNo, Gap, MemberNo, MessageRef, ReadMode, RequestStart};
use super::monotonic_value::MonotonicValue;

#[derive(Debug)]
pub(super) struct ChannelState {
    /// Whether messages are on disk and survive a kill.
    pub(super) durable: bool,
    pub(super) members: Vec<MemberNo>,
    pub(super) ids: BTreeMap<u64, MessageRef>,
    /// When the last send began that was acknowledged in this boot, or 0.
    pub(super) confirmed_tick: u64,
    /// The boot in which the first broadcast was acknowledged.
    pub(super) first_broadcast: Option<u32>,
    pub(super) settings: Option<String>,
}

#[derive(Debug)]
pub(super) struct MemberState {
    pub(super) channel: ChannelNo,
    pub(super) callsign: String,
    pub(super) idx: u64,
    pub(super) consumers: Vec<ConsumerNo>,
    pub(super) sends: BTreeMap<u64, SendRecord>,
    /// The last boot in which the member was refused; it is reported once per boot.
    pub(super) refused_in: Option<u32>,
}

#[derive(Debug)]
pub(super) struct ConsumerState {
    pub(super) member: MemberNo,
    pub(super) name: &'static str,
    pub(super) mode: ReadMode,
    pub(super) read: Option<OpenRead>,
    /// The last delivery of each message, by id.
    pub(super) deliveries: BTreeMap<u64, LastDelivery>,
    /// Ids in response bodies that a kill cut off.
    pub(super) partial_ids: BTreeSet<u64>,
    /// The highest id that was delivered with a first attempt.
    pub(super) highest_first: u64,
    /// The last boot with a delivery, and the highest id delivered in it.
    pub(super) highest_of_boot: (u32, u64),
    /// When the client last abandoned a read.
    pub(super) abandoned_tick: u64,
    pub(super) cut_reads: Vec<CutRead>,
    pub(super) gaps: Vec<Gap>,
    /// The last boot in which a restart was reported.
    pub(super) restart_reported_in: Option<u32>,
    pub(super) cursor: MonotonicValue,
    /// The lower bound of the cursor when it was requested.
    pub(super) required_cursor: u64,
    /// The highest id that the hub has confirmed as acknowledged.
    pub(super) acked: u64,
    /// The highest id in any request to acknowledge.
    pub(super) requested_ack: u64,
}

/// A read whose response is not complete.
#[derive(Debug, Clone, Copy)]
pub(super) struct OpenRead {
    pub(super) start: RequestStart,
    pub(super) start_ms: u64,
    pub(super) lease_ms: u64,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct LastDelivery {
    pub(super) boot: u32,
    /// The lease cannot end before; 0 for automatic reads.
    pub(super) leased_until_ms: u64,
}

/// An automatic read that was cut off. It may have delivered messages with an id above `above` whose sends began by `last`.
#[derive(Debug, Clone, Copy)]
pub(super) struct CutRead {
    pub(super) above: u64,
    pub(super) last: LastSend,
}

/// The last send whose message a read that was cut off can have contained.
#[derive(Debug, Clone, Copy)]
pub(super) enum LastSend {
    /// In a boot or before: a kill has ended the read.
    OfBoot(u32),
    /// Another hub may not have noticed that the read was cut off. It does with the next read.
    BeforeNextRead,
    /// Up to an event: the end of that next read.
    Tick(u64),
}

impl CutRead {
    /// Whether a message may have been in its response.
    pub(super) fn may_contain(&self, id: u64, send: &SendRecord) -> bool {
        self.above < id
            && match self.last {
                LastSend::OfBoot(boot) => send.begun_boot <= boot,
                LastSend::BeforeNextRead => true,
                LastSend::Tick(tick) => send.begun_tick <= tick,
            }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SendState {
    Unknown,
    Acked { boot: u32 },
    Refused,
    Abandoned,
}

/// A send, with all its repetitions.
#[derive(Debug)]
pub(super) struct SendRecord {
    /// The recipient; `None` for a broadcast.
    pub(super) to: Option<MemberNo>,
    pub(super) state: SendState,
    pub(super) id: Option<u64>,
    /// The boot and the event of its first request.
    pub(super) begun_boot: u32,
    pub(super) begun_tick: u64,
    /// The number of requests.
    pub(super) requests: u32,
    /// The highest id that was known on the channel when it began.
    pub(super) highest_id_before: u64,
    /// The receipt state of each recipient, and the attempts of a direct message.
    pub(super) receipts: BTreeMap<MemberNo, (MonotonicValue, MonotonicValue)>,
    /// The lower bound of each receipt state when the receipts were requested.
    pub(super) required_receipts: BTreeMap<MemberNo, u64>,
}

impl ConsumerState {
    pub(super) fn new(member: MemberNo, name: &'static str, mode: ReadMode) -> Self {
        Self {
            member,
            name,
            mode,
            read: None,
            deliveries: BTreeMap::new(),
            partial_ids: BTreeSet::new(),
            highest_first: 0,
            highest_of_boot: (0, 0),
            abandoned_tick: 0,
            cut_reads: Vec::new(),
            gaps: Vec::new(),
            restart_reported_in: None,
            cursor: MonotonicValue::default(),
            required_cursor: 0,
            acked: 0,
            requested_ack: 0,
        }
    }

    /// Applies a kill to a consumer of a memory channel. The requested acks remain: a request that began before the kill
    /// may be processed after it.
    pub(super) fn forget_acks(&mut self) {
        self.cursor = MonotonicValue::default();
        self.required_cursor = 0;
        self.acked = 0;
    }
}
