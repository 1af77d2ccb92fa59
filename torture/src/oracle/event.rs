//! The input of the oracle: everything a client did and every reply it got, in the order it happened.

/// A member of a channel, counted over all channels in the order of their joins.
pub(in super::super) type MemberNo = usize;
/// A consumer, counted over all members.
pub(in super::super) type ConsumerNo = usize;
/// A channel, in the order of creation.
pub(in super::super) type ChannelNo = usize;

/// One message as its writer knows it: the hub's id comes later, or never.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) struct MessageKey {
    pub(in super::super) writer: MemberNo,
    /// The writer's own count.
    pub(in super::super) seq: u64,
}

/// How a consumer reads, and so what it may lose in a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Reading {
    /// Reading acknowledges: what the hub handed over and a kill cut off may be gone.
    Automatic,
    /// A stream that resumes after the last id it has: broadcasts that were cut off come again.
    Resuming,
    /// Nothing is gone before it was acknowledged.
    Manual,
}

/// A message as it came to a reader.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Delivery {
    pub(in super::super) id: u64,
    pub(in super::super) message_key: MessageKey,
    pub(in super::super) attempt: u32,
    /// Text, sender and recipient are those of the message.
    pub(in super::super) intact: bool,
}

/// A reported gap: broadcasts above `from`, up to and including `to`.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Gap {
    pub(in super::super) from: u64,
    pub(in super::super) to: u64,
    pub(in super::super) reason: Reason,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in super::super) enum Reason {
    Ring,
    Restart,
    Idle,
}

/// How a read ended.
#[derive(Debug, Clone)]
pub(in super::super) enum End {
    /// The client has read it to its end, or a stream in peace.
    Whole,
    /// The connection broke; these ids stood in what had come of it.
    Cut { glimpsed: Vec<u64> },
    /// The client went away in the middle of the body, on purpose.
    Left,
    /// The hub answered with an error.
    Refused,
}

/// What a receipt says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in super::super) enum State {
    Queued,
    Delivered,
    Acked,
    Expired,
}

#[derive(Debug, Clone)]
pub(in super::super) struct Receipt {
    pub(in super::super) to: String,
    pub(in super::super) state: State,
    /// Direct messages have it.
    pub(in super::super) attempts: Option<u64>,
}

/// A line of the roster.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
pub(in super::super) struct Place {
    pub(in super::super) callsign: String,
    pub(in super::super) idx: u64,
    pub(in super::super) online: bool,
}

/// When a request began: in which life of the hub, and whether it was known to serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Stamp {
    pub(in super::super) life: u32,
    pub(in super::super) serving: bool,
}

#[derive(Debug, Clone)]
pub(in super::super) enum Event {
    /// The hub got SIGKILL and is gone.
    Killed,
    /// The hub answers again.
    Serves,
    /// A request that began then had no answer.
    Failed {
        began: Stamp,
        what: String,
    },
    /// A request was answered 503 or 507.
    Troubled {
        channel: ChannelNo,
    },

    /// Also each time a send is repeated with its key.
    SendBegun {
        message_key: MessageKey,
        to: Option<MemberNo>,
    },
    SendAcked {
        message_key: MessageKey,
        id: u64,
        duplicate: bool,
        durable: bool,
    },
    /// The hub said that it did not take it.
    SendRefused {
        message_key: MessageKey,
    },
    /// Its outcome is unknown and will stay so.
    SendAbandoned {
        message_key: MessageKey,
    },

    /// `lease_ms` is 0 for automatic reads.
    ReadBegun {
        consumer: ConsumerNo,
        lease_ms: u64,
    },
    /// What one body, or one frame of a stream, brought.
    Delivered {
        consumer: ConsumerNo,
        messages: Vec<Delivery>,
        gap: Option<Gap>,
    },
    ReadEnded {
        consumer: ConsumerNo,
        end: End,
    },

    AckBegun {
        consumer: ConsumerNo,
        upto: u64,
    },
    /// The cursor stands in replies to `ack` only.
    AckDone {
        consumer: ConsumerNo,
        upto: u64,
        cursor: Option<u64>,
    },
    AckRefused {
        consumer: ConsumerNo,
        upto: u64,
        answer: String,
    },
    CursorAsked {
        consumer: ConsumerNo,
    },
    CursorSeen {
        consumer: ConsumerNo,
        cursor: u64,
    },

    ReceiptsAsked {
        message_key: MessageKey,
    },
    ReceiptsSeen {
        message_key: MessageKey,
        receipts: Vec<Receipt>,
    },
    ReceiptsMissing {
        message_key: MessageKey,
    },

    RosterSeen {
        channel: ChannelNo,
        places: Vec<Place>,
    },
    /// A join without a session, by callsign and token alone.
    Rejoined {
        member: MemberNo,
        same_session: bool,
        idx: u64,
    },
    /// A member was refused: its session is gone.
    TurnedAway {
        member: MemberNo,
        answer: String,
    },
    SettingsSeen {
        channel: ChannelNo,
        settings: String,
    },
    /// Whether a token that is not the channel's was let in.
    StrangerSeen {
        channel: ChannelNo,
        let_in: bool,
    },
    /// The last messages, oldest first, after all sends were answered.
    HistorySeen {
        channel: ChannelNo,
        ids: Vec<u64>,
    },
    /// Something that should have come to an end in the quiet did not.
    Unfinished {
        what: String,
    },
}
