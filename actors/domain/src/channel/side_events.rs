//! Side events of streams (`tell`), which are no messages: members that changed, the receipts of the reader's own
//! messages, and tasks that changed.
//!
//! A change only marks the channel; `op/side_events.rs` makes the events once a second at most, from the state at that
//! moment. Messages never wait for them: they do not count for the bounds of a stream's queue, which has at most one event
//! of each kind. What a slow reader has not taken grows no further: the next event has the newest state.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::Now;
use crate::callsign::Callsign;
use crate::ids::{MemberNo, MessageId, WaiterId};
use crate::limits::SIDE_EVENT_ROWS;
use crate::message::state::MemberState;

use super::presence::{Presence, PresenceIndex, Unread};
use super::waiters::Stream;
use super::{Channel, OpenRead};

/// The time between two events of a kind, in milliseconds.
const INTERVAL_MS: u64 = 1_000;
/// How long changes are collected before an event, in milliseconds: a message and its delivery make one event.
const COLLECT_MS: u64 = 50;
/// Side events in the queue of a stream, beside its bound: one of each kind.
pub(crate) const SIDE_EVENTS: usize = 3;

/// Which side events a stream wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SideEventSet {
    /// Members that changed.
    pub roster: bool,
    /// The receipts of the reader's own messages.
    pub receipts: bool,
    /// Tasks that the reader may see, and that changed.
    pub tasks: bool,
}

/// A kind of side events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SideEvent {
    Roster,
    Receipts,
    Tasks,
}

/// The side events of one stream.
#[derive(Debug)]
pub(crate) struct StreamSideEvents {
    pub(crate) wanted: SideEventSet,
    /// Changes of the roster up to this version are in its events; 0 before its first event.
    pub(crate) version: u64,
    /// The receipts that changed since its last event, at most [`SIDE_EVENT_ROWS`].
    receipts: BTreeSet<(MessageId, MemberNo)>,
    /// How many more changed.
    receipts_left_out: usize,
    pub(crate) is_roster_queued: bool,
    pub(crate) are_receipts_queued: bool,
    /// The tasks of its events, if it wants them.
    pub(crate) tasks: TaskChanges,
    pub(crate) are_tasks_queued: bool,
    /// Whether there may be news that wait until its reader has taken the last event.
    pub(crate) is_behind: bool,
}

/// The tasks that changed since the last event of a stream.
#[derive(Debug, Default)]
pub(crate) struct TaskChanges {
    /// At most [`SIDE_EVENT_ROWS`].
    changed: BTreeSet<MessageId>,
    /// How many more changed.
    left_out: usize,
    /// The open tasks that its events showed.
    shown: BTreeSet<MessageId>,
}

/// What the streams of a channel that want side events share.
#[derive(Debug)]
pub(crate) struct SideEvents {
    /// When the next events are made; `u64::MAX` if nothing has changed.
    due_at_ms: u64,
    /// The uptime at which the last ones were made.
    made_at_ms: Option<u64>,
    /// The number of the last change of the roster.
    version: u64,
    rows: BTreeMap<MemberNo, Row>,
    /// The members that were removed last, at most [`SIDE_EVENT_ROWS`], with the numbers of these changes.
    removed: VecDeque<(u64, Callsign)>,
    /// Of removals up to this number, not all are known any more.
    removals_lost_upto: u64,
}

/// What the last events said of a member.
#[derive(Debug)]
struct Row {
    version: u64,
    callsign: Callsign,
    shown: Shown,
}

/// The part of a row whose change makes an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shown {
    online: bool,
    reads: Option<OpenRead>,
    unread: Unread,
    /// What the member said it is doing: the number of the statement.
    stated: Option<(MemberState, u32)>,
}

/// The members that changed above a version.
pub(crate) struct RosterChanges {
    pub(crate) changed: Vec<MemberNo>,
    pub(crate) removed: Vec<Callsign>,
    /// How many more changed.
    pub(crate) more: usize,
}

impl SideEventSet {
    /// Whether a stream wants any.
    #[must_use]
    pub fn is_any(self) -> bool {
        self.roster || self.receipts || self.tasks
    }
}

impl StreamSideEvents {
    pub(crate) fn new(wanted: SideEventSet) -> Option<Box<Self>> {
        wanted.is_any().then(|| {
            let (receipts, version) = (BTreeSet::new(), 0);
            Box::new(Self {
                wanted,
                version,
                receipts,
                receipts_left_out: 0,
                is_roster_queued: false,
                are_receipts_queued: false,
                tasks: TaskChanges::default(),
                are_tasks_queued: false,
                is_behind: false,
            })
        })
    }

    /// Its reader took an event.
    pub(super) fn took(&mut self, kind: SideEvent) {
        match kind {
            SideEvent::Roster => self.is_roster_queued = false,
            SideEvent::Receipts => self.are_receipts_queued = false,
            SideEvent::Tasks => self.are_tasks_queued = false,
        }
    }

    fn note_receipt(&mut self, id: MessageId, to: MemberNo) {
        self.receipts.insert((id, to));
        if self.receipts.len() > SIDE_EVENT_ROWS {
            self.receipts.pop_first();
            self.receipts_left_out += 1;
        }
    }

    /// Whether its next event may have members.
    pub(crate) fn takes_roster(&self) -> bool {
        self.wanted.roster && !self.is_roster_queued
    }

    /// Whether receipts or tasks wait until its reader has taken the last ones.
    pub(crate) fn has_changes_waiting(&self) -> bool {
        self.are_receipts_queued && !self.receipts.is_empty() || self.are_tasks_queued && !self.tasks.is_empty()
    }

    /// The receipts for an event, if there are any and the last event was taken, and the number of those left out.
    pub(crate) fn take_receipts(&mut self) -> Option<(BTreeSet<(MessageId, MemberNo)>, usize)> {
        if self.are_receipts_queued || self.receipts.is_empty() {
            return None;
        }
        Some((std::mem::take(&mut self.receipts), std::mem::take(&mut self.receipts_left_out)))
    }

    /// The tasks for an event, if any changed and the last event was taken, and the number of those left out.
    pub(crate) fn take_tasks(&mut self) -> Option<(BTreeSet<MessageId>, usize)> {
        if self.are_tasks_queued || self.tasks.is_empty() {
            return None;
        }
        Some((std::mem::take(&mut self.tasks.changed), std::mem::take(&mut self.tasks.left_out)))
    }
}

impl TaskChanges {
    fn is_empty(&self) -> bool {
        self.changed.is_empty()
    }

    fn note(&mut self, id: MessageId) {
        self.changed.insert(id);
        if self.changed.len() > SIDE_EVENT_ROWS
            && let Some(left_out) = self.changed.pop_first()
        {
            self.shown.remove(&left_out);
            self.left_out += 1;
        }
    }

    /// Records that an event shows a task.
    pub(crate) fn show(&mut self, id: MessageId, is_closed: bool) {
        match is_closed {
            true => self.shown.remove(&id),
            false => self.shown.insert(id),
        };
    }

    /// Records that the reader may not see a task any more, or that it is gone. Returns whether an event showed it.
    pub(crate) fn hide(&mut self, id: MessageId) -> bool {
        self.shown.remove(&id)
    }
}

impl Default for SideEvents {
    fn default() -> Self {
        Self {
            due_at_ms: u64::MAX,
            made_at_ms: None,
            version: 0,
            rows: BTreeMap::new(),
            removed: VecDeque::new(),
            removals_lost_upto: 0,
        }
    }
}

impl SideEvents {
    /// When the next events are made; `u64::MAX` if nothing has changed.
    pub(crate) fn due_at_ms(&self) -> u64 {
        self.due_at_ms
    }

    /// The number of the last change of the roster.
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// Something may have changed.
    pub(crate) fn mark(&mut self, now: Now) {
        if self.due_at_ms == u64::MAX {
            let earliest_ms = self.made_at_ms.map_or(0, |made_at_ms| made_at_ms + INTERVAL_MS);
            self.due_at_ms = earliest_ms.max(now.uptime_ms + COLLECT_MS);
        }
    }

    /// The events are made now.
    pub(crate) fn begin(&mut self, now: Now) {
        (self.due_at_ms, self.made_at_ms) = (u64::MAX, Some(now.uptime_ms));
    }

    /// Compares all members with what the last events said. Where DMs are private, DMs do not count. Returns when the next
    /// lease ends, at which messages are unread again.
    pub(crate) fn update_rows(&mut self, channel: &Channel, index: &PresenceIndex, now: Now) -> Option<u64> {
        let version = self.version + 1;
        let mut next_lease_end_ms: Option<u64> = None;
        for member in channel.members.values() {
            let lease_ends = member.consumers.iter().filter_map(|consumer| consumer.next_lease_end_ms(now.uptime_ms));
            next_lease_end_ms = next_lease_end_ms.into_iter().chain(lease_ends).min();
            let Presence { reads, unread, .. } = index.of(channel, member, None);
            let stated = member.stated().map(|stated| (stated.state, stated.version));
            let shown = Shown { online: member.is_live(), reads, unread, stated };
            match self.rows.get_mut(&member.no) {
                Some(row) if row.shown == shown => continue,
                Some(row) => (row.version, row.shown) = (version, shown),
                None => {
                    let callsign = member.callsign.clone();
                    self.rows.insert(member.no, Row { version, callsign, shown });
                }
            }
            self.version = version;
        }
        if self.rows.len() > channel.members.len() {
            for (_, row) in self.rows.extract_if(.., |no, _| channel.member(*no).is_none()) {
                self.removed.push_back((version, row.callsign));
            }
            self.version = version;
            while self.removed.len() > SIDE_EVENT_ROWS {
                self.removals_lost_upto = self.removed.pop_front().map_or(0, |(version, _)| version);
            }
        }
        next_lease_end_ms
    }

    /// The changes above a version, 0 for all members; none if there are none.
    pub(crate) fn changes_above(&self, version: u64) -> Option<RosterChanges> {
        if version == self.version {
            return None;
        }
        let mut rows = self.rows.iter().filter(|(_, row)| row.version > version).map(|(no, _)| *no);
        let changed: Vec<_> = rows.by_ref().take(SIDE_EVENT_ROWS).collect();
        let is_first = version == 0;
        let removed = self.removed.iter().filter(|(at, _)| *at > version && !is_first);
        let removed: Vec<_> = removed.map(|(_, callsign)| callsign.clone()).collect();
        let more = rows.count() + usize::from(!is_first && self.removals_lost_upto > version);
        (!changed.is_empty() || !removed.is_empty() || more > 0).then_some(RosterChanges { changed, removed, more })
    }
}

impl Channel {
    /// Marks that presence may have changed, if a stream wants to know.
    pub(crate) fn presence_changed(&mut self, now: Now) {
        if let Some(side) = self.waiters.get_mut().and_then(|waiters| waiters.side.as_mut()) {
            side.mark(now);
        }
    }

    /// Notes that receipts for a member changed, for the streams of the senders that want to know.
    pub(super) fn note_receipts(&mut self, ids: &[MessageId], to: MemberNo) {
        let Some(waiters) = self.waiters.get_mut().filter(|waiters| waiters.side.is_some()) else { return };
        for stream in waiters.streams.values_mut() {
            let sender = stream.no;
            let Some(side_events) =
                stream.side_events.as_mut().filter(|side_events| side_events.wanted.receipts && sender != to)
            else {
                continue;
            };
            let is_own = |id: &&MessageId| self.delivery_records.find(**id).is_some_and(|record| record.from == sender);
            ids.iter().filter(is_own).for_each(|id| side_events.note_receipt(*id, to));
        }
    }

    /// Notes that a task changed, for the streams that want to know.
    pub(super) fn note_task(&mut self, id: MessageId, now: Now) {
        let Some(waiters) = self.waiters.get_mut().filter(|waiters| waiters.side.is_some()) else { return };
        let task = self.tasks.get(id);
        let mut is_noted = false;
        for stream in waiters.streams.values_mut() {
            let no = stream.no;
            let Some(side_events) = stream.side_events.as_mut().filter(|side_events| side_events.wanted.tasks) else {
                continue;
            };
            if task.is_some_and(|task| task.is_visible_to(no)) || side_events.tasks.shown.contains(&id) {
                side_events.tasks.note(id);
                is_noted = true;
            }
        }
        if let Some(side) = waiters.side.as_mut().filter(|_| is_noted) {
            side.mark(now);
        }
    }

    /// Notes all open tasks for a stream that was opened.
    fn note_open_tasks(&mut self, id: WaiterId) {
        let Some(stream) = self.waiters.get_mut().and_then(|waiters| waiters.streams.get_mut(&id)) else { return };
        let no = stream.no;
        let Some(side_events) = stream.side_events.as_mut().filter(|side_events| side_events.wanted.tasks) else {
            return;
        };
        let visible = self.tasks.open().filter(|task| task.is_visible_to(no));
        visible.for_each(|task| side_events.tasks.note(task.id()));
    }

    /// Starts to watch for a stream that wants side events.
    pub(super) fn begin_watching(&mut self, id: WaiterId, now: Now) {
        self.note_open_tasks(id);
        self.waiters.side.get_or_insert_default().mark(now);
    }

    /// Stops watching after the last stream that wanted side events.
    pub(super) fn end_watching(&mut self) {
        if self.waiters.side.is_some() && self.waiters.streams.values().all(|stream| stream.side_events.is_none()) {
            self.waiters.side = None;
        }
    }
}

impl Stream {
    /// The number of side events in its queue, which do not count for its bounds.
    pub(super) fn queued_side_events(&self) -> usize {
        let side_events = |side_events: &StreamSideEvents| {
            let queued = [side_events.is_roster_queued, side_events.are_receipts_queued, side_events.are_tasks_queued];
            queued.into_iter().filter(|is_queued| *is_queued).count()
        };
        self.side_events.as_deref().map_or(0, side_events)
    }
}
