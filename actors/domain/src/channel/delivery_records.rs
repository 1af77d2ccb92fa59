//! Records of the delivery of the last messages, from which receipts are made.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::callsign::Callsign;
use crate::collections::StaticDefault;
use crate::ids::{MemberNo, MessageId};
use crate::limits;
use crate::message::Message;

/// The delivery of a message. For a broadcast, the times are not used: its receipts follow from the cursors.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct DeliveryRecord {
    pub(crate) id: MessageId,
    pub(crate) from: MemberNo,
    pub(crate) to: Option<MemberNo>,
    /// The recipient's callsign, which is needed after the recipient is removed.
    pub(crate) to_callsign: Option<Callsign>,
    pub(crate) at_ms: u64,
    pub(crate) attempts: u32,
    pub(crate) delivered_at_ms: Option<u64>,
    pub(crate) acked_at_ms: Option<u64>,
}

/// The records of the last messages, oldest first.
#[derive(Debug, Default)]
pub(crate) struct DeliveryRecords(VecDeque<DeliveryRecord>);

impl StaticDefault for DeliveryRecords {
    fn static_default() -> &'static Self {
        static EMPTY: DeliveryRecords = DeliveryRecords(VecDeque::new());
        &EMPTY
    }

    fn is_default(&self) -> bool {
        self.0.is_empty()
    }
}

impl DeliveryRecords {
    pub(crate) fn push(&mut self, message: &Message, to_callsign: Option<Callsign>) {
        if self.0.len() == limits::RECEIPTS {
            self.0.pop_front();
        }
        self.0.push_back(DeliveryRecord {
            id: message.id,
            from: message.from,
            to: message.to,
            to_callsign,
            at_ms: message.at_ms,
            attempts: 0,
            delivered_at_ms: None,
            acked_at_ms: None,
        });
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &DeliveryRecord> {
        self.0.iter()
    }

    pub(super) fn restored(records: Vec<DeliveryRecord>) -> Self {
        Self(records.into())
    }

    pub(crate) fn find(&self, id: MessageId) -> Option<&DeliveryRecord> {
        let at = self.0.binary_search_by_key(&id, |t| t.id).ok()?;
        self.0.get(at)
    }

    pub(crate) fn find_mut(&mut self, id: MessageId) -> Option<&mut DeliveryRecord> {
        let at = self.0.binary_search_by_key(&id, |t| t.id).ok()?;
        self.0.get_mut(at)
    }
}
