//! Making the side events of streams: `roster` with the members that changed, `receipt` with the state of the reader's
//! own messages, and `task` with the tasks that changed.

use std::collections::BTreeSet;

use bytes::Bytes;
use serde::Serialize;

use crate::Now;
use crate::callsign::Callsign;
use crate::channel::{
    Channel, Effects, PresenceIndex, RosterChanges, SideEvent, SideEvents, StreamSideEvents, TaskRow,
};
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
struct TaskEvent {
    tasks: Vec<TaskRow>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    removed: Vec<MessageId>,
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
        let mut side_events = self.waiters.streams.values().filter_map(|stream| stream.side_events.as_deref());
        let is_wanted = side_events.any(StreamSideEvents::takes_roster);
        let index = is_wanted.then(|| self.presence_index(now));
        if let Some(index) = &index {
            let next_lease_end_ms = side.update_rows(self, index, now);
            next_lease_end_ms.into_iter().for_each(|end_ms| self.check_leases_by(end_ms));
        }
        for id in self.waiters.streams.keys().copied().collect::<Vec<_>>() {
            let Some(side_events) = self.side_events_of(id) else { continue };
            let is_behind = side_events.is_roster_queued || side_events.has_changes_waiting();
            self.feed_side_events(id, &side, index.as_ref(), effects);
            if is_behind && self.wait_for_reader(id) {
                side.mark(now);
            }
        }
        self.waiters.side = Some(side);
    }

    /// The side events of a stream, if it wants any.
    fn side_events_of(&mut self, id: WaiterId) -> Option<&mut StreamSideEvents> {
        self.waiters.streams.get_mut(&id)?.side_events.as_deref_mut()
    }

    /// Queues the side events of one stream, unless its reader has not taken the last ones.
    fn feed_side_events(
        &mut self,
        id: WaiterId,
        side: &SideEvents,
        index: Option<&PresenceIndex>,
        effects: &mut Effects,
    ) {
        let Some(no) = self.waiters.streams.get(&id).map(|stream| stream.no) else { return };
        let Some(side_events) = self.side_events_of(id) else { return };
        let changes = match side_events.takes_roster() {
            true => side.changes_above(std::mem::replace(&mut side_events.version, side.version())),
            false => None,
        };
        let (receipts, tasks) = (side_events.take_receipts(), side_events.take_tasks());
        if let (Some(changes), Some(index)) = (changes, index) {
            let frame = self.roster_event(changes, no, index);
            self.queue_side_event(id, SideEvent::Roster, frame, effects);
        }
        let changed = receipts.map(|(changed, left_out)| self.receipt_event(changed.into_iter(), left_out));
        if let Some(frame) = changed.flatten() {
            self.queue_side_event(id, SideEvent::Receipts, frame, effects);
        }
        if let Some((changed, left_out)) = tasks
            && let Some(frame) = self.task_event(id, no, changed, left_out)
        {
            self.queue_side_event(id, SideEvent::Tasks, frame, effects);
        }
    }

    fn roster_event(&self, changes: RosterChanges, viewer: MemberNo, index: &PresenceIndex) -> Bytes {
        let changed = changes.changed.iter().filter_map(|no| self.member(*no));
        let roster_all =
            changed.map(|member| RosterMember::new(member, &index.of(self, member, Some(viewer)))).collect();
        let more = (changes.more > 0).then_some(changes.more);
        frame("roster", &RosterEvent { roster_all, removed: changes.removed, more })
    }

    fn task_event(
        &mut self,
        id: WaiterId,
        viewer: MemberNo,
        changed: BTreeSet<MessageId>,
        left_out: usize,
    ) -> Option<Bytes> {
        let row = |task: MessageId| {
            let task = self.tasks.get(task).filter(|task| task.is_visible_to(viewer))?;
            Some(self.task_row(task, None))
        };
        let rows: Vec<_> = changed.into_iter().map(|task| (task, row(task))).collect();
        let side_events = self.side_events_of(id)?;
        let (mut tasks, mut removed) = (Vec::new(), Vec::new());
        for (task, row) in rows {
            match row {
                Some(row) => {
                    side_events.tasks.show(task, row.state.is_closed());
                    tasks.push(row);
                }
                None if side_events.tasks.hide(task) => removed.push(task),
                None => {}
            }
        }
        let more = (left_out > 0).then_some(left_out);
        let is_any = !tasks.is_empty() || !removed.is_empty() || more.is_some();
        is_any.then(|| frame("task", &TaskEvent { tasks, removed, more }))
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
