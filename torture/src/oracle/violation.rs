//! What a hub must not do, counted by kind, with a description of the first few.

use std::collections::BTreeMap;
use std::fmt;

/// Violations of a kind that are stored with their texts; the others are only counted.
const TEXTS: u64 = 4;

/// A broken promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) enum Violation {
    /// A message was acknowledged, but neither delivered nor inside a reported gap.
    Lost,
    /// A message was delivered after one with a higher id.
    Reordered,
    /// A message was delivered again without a higher attempt, or when nothing permits it.
    Duplicated,
    /// A message that was repeated with its key has two ids.
    TwoIds,
    /// Two messages of a channel have the same id.
    IdReused,
    /// An id is not above those that were known before its send began.
    IdDecreased,
    /// A repeated send was not reported as a duplicate, or a first one was.
    DuplicateUnmarked,
    /// The response to a send to a disk channel is not `durable`.
    NotDurable,
    /// A message was delivered that was never sent, or whose send was refused.
    Phantom,
    /// A message has another text, sender or recipient than it was sent with.
    Damaged,
    /// A message was delivered to a reader it was not sent to.
    Misdirected,
    /// An acknowledged message was delivered again.
    AckForgotten,
    /// An ack of a message that was delivered in this boot was refused.
    AckRefused,
    CursorMovedBack,
    /// The cursor is above every requested ack.
    CursorAheadOfAcks,
    /// A leased message was delivered again before its lease ended.
    LeaseBroken,
    /// A gap was reported where no message can be missing.
    GapUnexpected,
    GapRepeated,
    /// The first read of a memory channel after a restart did not report a gap.
    GapMissing,
    ReceiptMovedBack,
    ReceiptMissing,
    RosterChanged,
    SessionLost,
    SettingsChanged,
    WrongTokenAccepted,
    HistoryWrong,
    /// A request had no response although the hub was not killed.
    Unanswered,
    /// Something that should have ended did not.
    Unfinished,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lost => "lost",
            Self::Reordered => "reordered",
            Self::Duplicated => "duplicated",
            Self::TwoIds => "two ids",
            Self::IdReused => "id reused",
            Self::IdDecreased => "id decreased",
            Self::DuplicateUnmarked => "duplicate not marked",
            Self::NotDurable => "not durable",
            Self::Phantom => "phantom",
            Self::Damaged => "damaged",
            Self::Misdirected => "misdirected",
            Self::AckForgotten => "ack forgotten",
            Self::AckRefused => "ack refused",
            Self::CursorMovedBack => "cursor moved back",
            Self::CursorAheadOfAcks => "cursor ahead of acks",
            Self::LeaseBroken => "lease broken",
            Self::GapUnexpected => "unexpected gap",
            Self::GapRepeated => "gap repeated",
            Self::GapMissing => "gap missing",
            Self::ReceiptMovedBack => "receipt moved back",
            Self::ReceiptMissing => "receipt missing",
            Self::RosterChanged => "roster changed",
            Self::SessionLost => "session lost",
            Self::SettingsChanged => "settings changed",
            Self::WrongTokenAccepted => "wrong token accepted",
            Self::HistoryWrong => "history wrong",
            Self::Unanswered => "unanswered",
            Self::Unfinished => "unfinished",
        })
    }
}

#[derive(Debug, Default, Clone)]
pub(in super::super) struct Violations {
    pub(in super::super) counts: BTreeMap<Violation, u64>,
    pub(in super::super) first: Vec<String>,
}

impl Violations {
    pub(super) fn add(&mut self, boot: u32, violation: Violation, text: &str) {
        let count = self.counts.entry(violation).or_default();
        *count += 1;
        if *count <= TEXTS {
            self.first.push(format!("boot {boot}: {violation}: {text}"));
        }
    }
}
