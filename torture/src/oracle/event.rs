//! The input of the oracle: every request of a client and every response to it, in the order they happened.

/// A member, counted over all channels in the order of their joins.
pub(in super::super) type MemberNo = usize;
/// A consumer, counted over all members.
pub(in super::super) type ConsumerNo = usize;
/// A channel, in the order of creation.
pub(in super::super) type ChannelNo = usize;

/// A message as its writer identifies it: its id in the hub becomes known later, or never.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) struct MessageRef {
    pub(in super::super) writer: MemberNo,
    /// Counted by the writer.
    pub(in super::super) seq: u64,
}

/// How a consumer reads, which determines what it may lose in a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum ReadMode {
    /// Reading acknowledges: messages in a response that a kill cut off may be lost.
    Automatic,
    /// A stream that resumes after its last id: broadcasts that were cut off are delivered again.
    Resuming,
    /// Nothing is lost before it was acknowledged.
    Manual,
}

/// A message that a reader received.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Delivery {
    pub(in super::super) id: u64,
    pub(in super::super) message: MessageRef,
    pub(in super::super) attempt: u32,
    /// Whether text, sender and recipient are as they were sent.
    pub(in super::super) intact: bool,
}

/// A reported loss of broadcasts above `from`, up to and including `to`.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Gap {
    pub(in super::super) from: u64,
    pub(in super::super) to: u64,
    pub(in super::super) reason: GapReason,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in super::super) enum GapReason {
    Ring,
    Restart,
    Idle,
}

/// How a read ended.
#[derive(Debug, Clone)]
pub(in super::super) enum ReadEnd {
    /// The client received the whole response, or a stream ended regularly.
    Whole,
    /// The connection broke; these ids were in the part that was received.
    Cut { partial_ids: Vec<u64> },
    /// The client closed the connection in the middle of the response, on purpose.
    Abandoned,
    /// The client left because another hub may answer sooner; these ids were in the part that was received.
    GivenUp { partial_ids: Vec<u64> },
    /// The hub responded with 503 or 507: with several hubs, one of them may have done it.
    Unavailable,
    /// The hub responded with another error.
    Refused,
}

/// The state of a receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in super::super) enum ReceiptState {
    Queued,
    Delivered,
    Acked,
    Expired,
}

#[derive(Debug, Clone)]
pub(in super::super) struct Receipt {
    pub(in super::super) to: String,
    pub(in super::super) state: ReceiptState,
    /// Only direct messages have attempts.
    pub(in super::super) attempts: Option<u64>,
}

/// A member in the roster.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
pub(in super::super) struct RosterEntry {
    pub(in super::super) callsign: String,
    pub(in super::super) idx: u64,
    pub(in super::super) online: bool,
}

/// The state of the hub when a request began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct RequestStart {
    /// The number of kills before; with several hubs, of begins and ends of faults.
    pub(in super::super) boot: u32,
    /// Whether the hub was known to serve.
    pub(in super::super) serving: bool,
}

#[derive(Debug, Clone)]
pub(in super::super) enum Event {
    /// The hub was killed with SIGKILL and has ended.
    Killed,
    /// The hub serves again.
    Serving,
    /// From now on one of several hubs, or what they need, fails; the others may serve all the time.
    FaultBegun,
    /// All is well again, and each channel has been served since.
    FaultEnded,
    /// A request had no response.
    RequestFailed {
        start: RequestStart,
        what: String,
    },
    /// A request had the response 503 or 507.
    Unavailable {
        channel: ChannelNo,
    },

    /// A send began, or was repeated with its key.
    SendBegun {
        message: MessageRef,
        to: Option<MemberNo>,
    },
    SendAcked {
        message: MessageRef,
        id: u64,
        duplicate: bool,
        durable: bool,
    },
    /// The hub responded that it did not accept the message.
    SendRefused {
        message: MessageRef,
    },
    /// The outcome of the send is unknown and stays so.
    SendAbandoned {
        message: MessageRef,
    },

    /// `lease_ms` is 0 for automatic reads.
    ReadBegun {
        consumer: ConsumerNo,
        lease_ms: u64,
    },
    /// The contents of a response body or of a stream frame.
    Delivered {
        consumer: ConsumerNo,
        messages: Vec<Delivery>,
        gap: Option<Gap>,
    },
    ReadEnded {
        consumer: ConsumerNo,
        end: ReadEnd,
    },

    AckBegun {
        consumer: ConsumerNo,
        upto: u64,
    },
    /// Only responses to `ack` contain the cursor.
    AckDone {
        consumer: ConsumerNo,
        upto: u64,
        cursor: Option<u64>,
    },
    AckRefused {
        consumer: ConsumerNo,
        upto: u64,
        response: String,
    },
    CursorRequested {
        consumer: ConsumerNo,
    },
    CursorReceived {
        consumer: ConsumerNo,
        cursor: u64,
    },

    ReceiptsRequested {
        message: MessageRef,
    },
    ReceiptsReceived {
        message: MessageRef,
        receipts: Vec<Receipt>,
    },
    ReceiptsMissing {
        message: MessageRef,
    },

    RosterReceived {
        channel: ChannelNo,
        entries: Vec<RosterEntry>,
    },
    /// A member joined again without its session, with callsign and token only.
    Rejoined {
        member: MemberNo,
        same_session: bool,
        idx: u64,
    },
    /// The hub refused a request of a member that should succeed.
    MemberRefused {
        member: MemberNo,
        response: String,
    },
    SettingsReceived {
        channel: ChannelNo,
        settings: String,
    },
    /// A request used a token that is not the channel's.
    WrongTokenTried {
        channel: ChannelNo,
        accepted: bool,
    },
    /// The last messages, oldest first, after all sends have ended.
    HistoryReceived {
        channel: ChannelNo,
        ids: Vec<u64>,
    },
    /// Something did not end that should have ended by now.
    Unfinished {
        what: String,
    },
}
