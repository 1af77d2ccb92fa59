//! What waits for one agent of the baseline, and the bell that wakes its parked poll.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Notify;

/// Messages that wait for one agent; a hub holds as many.
const MAILBOX_MESSAGES: usize = 100;

/// A message, written and framed once for all who get it.
#[derive(Clone)]
pub(super) struct Note {
    pub(super) frame: Bytes,
    /// A part of the frame.
    pub(super) json: Bytes,
}

impl Note {
    pub(super) fn new(json: &str, id: u64) -> Self {
        const HEAD: &str = "event: message\ndata: ";
        let frame = Bytes::from(format!("{HEAD}{json}\nid: {id}\n\n"));
        Self { json: frame.slice(HEAD.len()..HEAD.len() + json.len()), frame }
    }
}

#[derive(Default)]
pub(super) struct Mailbox {
    waiting: Mutex<VecDeque<Note>>,
    bell: Notify,
}

impl Mailbox {
    /// False when it is full.
    pub(super) fn put(&self, note: Note) -> bool {
        let mut waiting = self.waiting.lock().expect(super::UNPOISONED);
        let has_room = waiting.len() < MAILBOX_MESSAGES;
        if has_room {
            waiting.push_back(note);
            self.bell.notify_one();
        }
        has_room
    }

    fn take_all(&self) -> VecDeque<Note> {
        std::mem::take(&mut *self.waiting.lock().expect(super::UNPOISONED))
    }

    /// Everything that waits, as soon as something waits; nothing when the time is over.
    pub(super) async fn wait(&self, timeout: Duration) -> VecDeque<Note> {
        let waiting = self.take_all();
        if !waiting.is_empty() {
            return waiting;
        }
        let mut end = std::pin::pin!(tokio::time::sleep(timeout));
        loop {
            // A bell may have rung for what was taken since: then there is more to wait for.
            tokio::select! {
                () = self.bell.notified() => {}
                () = &mut end => return self.take_all(),
            }
            let waiting = self.take_all();
            if !waiting.is_empty() {
                return waiting;
            }
        }
    }
}
