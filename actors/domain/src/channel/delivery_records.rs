//! What became of the last messages, as their senders may ask.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::callsign::Callsign;
use crate::collections::StaticDefault;
use crate::ids::{MemberNo, MessageId};
use crate::limits;
use crate::message::Message;

/// What became of a message. Of a broadcast only that it was: the rest follows from the cursors.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct DeliveryRecord {
    pub(crate) id: MessageId,
    pub(crate) from: MemberNo,
    pub(crate) to: Option<MemberNo>,
    /// The recipient's callsign: it outlives the recipient.
    pub(crate) to_callsign: Option<Callsign>,
    pub(crate) at_ms: u64,
    pub(crate) attempts: u32,
    pub(crate) delivered_at_ms: Option<u64>,
    pub(crate) acked_at_ms: Option<u64>,
}

/// The traces of the last messages, oldest first.
#[derive(Debug, Default)]
pub(crate) struct DeliveryRecords(VecDeque<DeliveryRecord>);

impl StaticDefault for DeliveryRecords {
    fn vacant() -> &'static Self {
        static VACANT: DeliveryRecords = DeliveryRecords(VecDeque::new());
        &VACANT
    }

    fn is_vacant(&self) -> bool {
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

    pub(super) fn iter(&self) -> impl Iterator<Item = &DeliveryRecord> {
        self.0.iter()
    }

    pub(super) fn restored(traces: Vec<DeliveryRecord>) -> Self {
        Self(traces.into())
    }

    pub(crate) fn of(&self, id: MessageId) -> Option<&DeliveryRecord> {
        let at = self.0.binary_search_by_key(&id, |t| t.id).ok()?;
        self.0.get(at)
    }

    pub(crate) fn of_mut(&mut self, id: MessageId) -> Option<&mut DeliveryRecord> {
        let at = self.0.binary_search_by_key(&id, |t| t.id).ok()?;
        self.0.get_mut(at)
    }
}
