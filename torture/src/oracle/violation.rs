//! What a hub may not do, counted by kind, with the first few told in full.

use std::collections::BTreeMap;
use std::fmt;

/// Breaches of a kind that are kept in words; the others are only counted.
const KEPT_TEXTS: u64 = 4;

/// A promise that was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) enum Violation {
    /// Acknowledged, and neither delivered nor inside a reported gap.
    Lost,
    /// A message came after one with a higher id.
    Reordered,
    /// It came again without saying so, or when it could not.
    Duplicated,
    /// One message, repeated with its key, has two ids.
    TwoIds,
    /// Two messages of a channel have one id.
    IdReused,
    /// An id is not above those that were known before its send began.
    IdSteppedBack,
    /// A repeated send was not called a duplicate, or a first one was.
    DuplicateUnmarked,
    /// The reply of a send to a disk channel does not say `durable`.
    NotDurable,
    /// Nobody wrote it, or its send was refused.
    Phantom,
    /// Another text, sender or recipient than it was sent with.
    Damaged,
    /// It was not for this reader.
    Misdirected,
    /// What was acknowledged came again.
    AckForgotten,
    /// An ack of what was handed over in this life was refused.
    AckRefused,
    CursorSteppedBack,
    /// The cursor is above every ack that was asked for.
    CursorRanAhead,
    /// A leased message came again before its lease ended.
    LeaseBroken,
    /// A gap that should not be there.
    GapNeedless,
    GapRepeated,
    /// A memory channel's first read after a restart tells no gap.
    GapMissing,
    ReceiptSteppedBack,
    ReceiptMissing,
    RosterChanged,
    SessionLost,
    SettingsChanged,
    /// A wrong token opens the channel.
    TokenChanged,
    HistoryWrong,
    /// A request had no answer, though the hub was not killed.
    Unanswered,
    /// Something due never came to its end.
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
            Self::IdSteppedBack => "id stepped back",
            Self::DuplicateUnmarked => "duplicate untold",
            Self::NotDurable => "not durable",
            Self::Phantom => "phantom",
            Self::Damaged => "damaged",
            Self::Misdirected => "misdirected",
            Self::AckForgotten => "ack forgotten",
            Self::AckRefused => "ack refused",
            Self::CursorSteppedBack => "cursor stepped back",
            Self::CursorRanAhead => "cursor ran ahead",
            Self::LeaseBroken => "lease broken",
            Self::GapNeedless => "gap needless",
            Self::GapRepeated => "gap told twice",
            Self::GapMissing => "gap untold",
            Self::ReceiptSteppedBack => "receipt stepped back",
            Self::ReceiptMissing => "receipt missing",
            Self::RosterChanged => "roster changed",
            Self::SessionLost => "session lost",
            Self::SettingsChanged => "settings changed",
            Self::TokenChanged => "token changed",
            Self::HistoryWrong => "history wrong",
            Self::Unanswered => "unanswered",
            Self::Unfinished => "unfinished",
        })
    }
}

#[derive(Debug, Default, Clone)]
pub(in super::super) struct Breaches {
    pub(in super::super) counts: BTreeMap<Violation, u64>,
    pub(in super::super) first: Vec<String>,
}

impl Breaches {
    pub(super) fn add(&mut self, life: u32, violation: Violation, text: &str) {
        let count = self.counts.entry(violation).or_default();
        *count += 1;
        if *count <= KEPT_TEXTS {
            self.first.push(format!("life {life}: {violation}: {text}"));
        }
    }
}
