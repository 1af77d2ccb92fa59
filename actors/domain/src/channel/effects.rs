//! The effects of the channel machine: what its driver must do.

use bytes::Bytes;
use std::sync::Arc;

use super::{ReadResponse, TaskResponse};
use crate::collections::{LazyBox, StaticDefault};
use crate::entry::Entry;
use crate::ids::{MessageId, WaiterId};
use crate::settings::Settings;

/// Something the driver of a channel must do.
#[derive(Debug)]
pub enum Effect {
    /// Send the response of a parked poll.
    Answer(WaiterId, ReadResponse),
    /// Add an event to the queue of a stream.
    Feed(WaiterId, Bytes),
    /// Add the last event to the queue of a stream and close it. Events queued before it and not taken do not count as
    /// delivered.
    End(WaiterId, Bytes),
    /// Tell the watchers of the channel that a message was sent.
    Notify,
    /// Publish the channel's new settings.
    Settings(Arc<Settings>),
    /// Fetch messages from the log and pass them to [`Channel::fetched`](crate::Channel::fetched).
    Fetch(Vec<MessageId>),
    /// Answer a client that waits for a task. None: it must try again to take one.
    Task(WaiterId, Option<Box<TaskResponse>>),
    /// Unload the channel from memory.
    Unload,
}

/// What calls of the machine produced: effects to run in order, and entries to log.
///
/// The entries are those of the machine itself (deliveries that were confirmed, sessions that expired); they are applied
/// already, and no client waits until they are on disk. Stage them before running the effects: the channel must not be
/// unloaded while an entry is missing from its log.
#[derive(Debug, Default)]
pub struct Effects {
    list: Vec<Effect>,
    entries: LazyBox<Vec<Entry>>,
}

impl StaticDefault for Vec<Entry> {
    fn static_default() -> &'static Self {
        static EMPTY: Vec<Entry> = Vec::new();
        &EMPTY
    }

    fn is_default(&self) -> bool {
        self.is_empty()
    }
}

impl Effects {
    /// Adds an effect.
    pub fn push(&mut self, effect: Effect) {
        self.list.push(effect);
    }

    /// Adds an entry to log.
    pub(crate) fn log(&mut self, entry: Entry) {
        self.entries.push(entry);
    }

    /// Removes and returns the entries to log, oldest first.
    pub fn drain_entries(&mut self) -> impl Iterator<Item = Entry> {
        self.entries.get_mut().into_iter().flat_map(|entries| entries.drain(..))
    }

    /// Removes and returns the effects, in the order in which they must run.
    pub fn drain(&mut self) -> impl Iterator<Item = Effect> {
        self.list.drain(..)
    }

    /// Drops everything.
    pub fn clear(&mut self) {
        self.list.clear();
        self.drain_entries().for_each(drop);
    }
}

impl Extend<Effect> for Effects {
    fn extend<I: IntoIterator<Item = Effect>>(&mut self, effects: I) {
        self.list.extend(effects);
    }
}
