//! Making the side events of streams: `roster` with the members that changed, and `receipt` with the state of the reader's
//! own messages.

use bytes::Bytes;
use serde::Serialize;

use crate::Now;
use crate::callsign::Callsign;
use crate::channel::{Channel, Effects, RosterChanges, SideEvent, SideEvents, StreamTell};
use crate::ids::{MemberNo, MessageId, WaiterId};
use crate::op::RosterMember;
use crate::op::receipts::{Receipt, receipt_of};

#[derive(Serialize)]
struct RosterEvent {
    roster_all: Vec<RosterMember>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    removed: Vec<Callsign>,
    #[serde(skip_serializing_if = "Option::is_none")]
    more: Option<usize>,
}

#[derive(Serialize)]
struct ReceiptEvent {
    receipts: Vec<ReceiptRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    more: Option<usize>,
}

#[derive(Serialize)]
struct ReceiptRow {
    id: MessageId,
    #[serde(flatten)]
    receipt: Receipt,
}

impl Channel {
    /// Makes the side events that are due.
    pub(crate) fn make_side_events(&mut self, now: Now, effects: &mut Effects) {
        let Some(mut side) = self.waiters.side.take() else { return };
        side.begin(now);
        let is_told = |told: &StreamTell| told.tell.roster;
        if self.waiters.streams.values().any(|stream| stream.tell.as_deref().is_some_and(is_told)) {
            let next_lease_end_ms = side.update_rows(self, now);
            next_lease_end_ms.into_iter().for_each(|end_ms| self.check_leases_by(end_ms));
        }
        for id in self.waiters.streams.keys().copied().collect::<Vec<_>>() {
            self.tell_stream(id, &side, now, effects);
            if self.told(id).is_some_and(|told| told.is_behind(side.version())) {
                // Its reader has not taken the last event: look again later.
                side.mark(now);
            }
        }
        self.waiters.side = Some(side);
    }

    /// The side events of a stream, if it wants any.
    fn told(&mut self, id: WaiterId) -> Option<&mut StreamTell> {
        self.waiters.streams.get_mut(&id)?.tell.as_deref_mut()
    }

    /// Queues the side events of one stream, unless its reader has not taken the last ones.
    fn tell_stream(&mut self, id: WaiterId, side: &SideEvents, now: Now, effects: &mut Effects) {
        let Some(no) = self.waiters.streams.get(&id).map(|stream| stream.no) else { return };
        let Some(told) = self.told(id) else { return };
        let changes = match told.tell.roster && !told.is_roster_queued {
            true => side.changes_above(std::mem::replace(&mut told.version, side.version())),
            false => None,
        };
        let receipts = told.take_receipts();
        if let Some(changes) = changes {
            let frame = self.roster_event(changes, no, now);
            self.queue_side_event(id, SideEvent::Roster, frame, effects);
        }
        let changed = receipts.map(|(changed, left_out)| self.receipt_event(changed.into_iter(), left_out));
        if let Some(frame) = changed.flatten() {
            self.queue_side_event(id, SideEvent::Receipts, frame, effects);
        }
    }

    fn roster_event(&self, changes: RosterChanges, viewer: MemberNo, now: Now) -> Bytes {
        let index = self.presence_index(now);
        let changed = changes.changed.iter().filter_map(|no| self.member(*no));
        let roster_all = changed.map(|member| RosterMember::new(member, &index.of(member, Some(viewer)))).collect();
        let more = (changes.more > 0).then_some(changes.more);
        frame("roster", &RosterEvent { roster_all, removed: changes.removed, more })
    }

    fn receipt_event(&self, changed: impl Iterator<Item = (MessageId, MemberNo)>, left_out: usize) -> Option<Bytes> {
        let row = |(id, to)| {
            let record = self.delivery_records.find(id)?;
            Some(ReceiptRow { id, receipt: receipt_of(self, record, to)? })
        };
        let receipts: Vec<_> = changed.filter_map(row).collect();
        let more = (left_out > 0).then_some(left_out);
        (!receipts.is_empty() || more.is_some()).then(|| frame("receipt", &ReceiptEvent { receipts, more }))
    }
}

/// An event; its data is one line of JSON.
fn frame(name: &str, data: &impl Serialize) -> Bytes {
    #[expect(clippy::expect_used, reason = "strings and numbers always serialise")]
    let json = serde_json::to_string(data).expect("strings and numbers always serialise");
    format!("event: {name}\ndata: {json}\n\n").into()
}

#[cfg(test)]
mod tests;
