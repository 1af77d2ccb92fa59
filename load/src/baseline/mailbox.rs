//! The mailbox of one agent of the baseline.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Notify;

/// Maximum messages in a mailbox, the same as in a hub.
const CAPACITY: usize = 100;

/// A message, serialized and framed once for all its recipients.
#[derive(Clone)]
pub(super) struct QueuedMessage {
    pub(super) frame: Bytes,
    /// A part of the frame.
    pub(super) json: Bytes,
}

impl QueuedMessage {
    pub(super) fn new(json: &str, id: u64) -> Self {
        const HEAD: &str = "event: message\ndata: ";
        let frame = Bytes::from(format!("{HEAD}{json}\nid: {id}\n\n"));
        Self { json: frame.slice(HEAD.len()..HEAD.len() + json.len()), frame }
    }
}

#[derive(Default)]
pub(super) struct Mailbox {
    queue: Mutex<VecDeque<QueuedMessage>>,
    arrived: Notify,
}

impl Mailbox {
    /// Adds a message; returns false if the mailbox is full.
    pub(super) fn put(&self, message: QueuedMessage) -> bool {
        let mut queue = self.queue.lock().expect(super::UNPOISONED);
        let has_capacity = queue.len() < CAPACITY;
        if has_capacity {
            queue.push_back(message);
            self.arrived.notify_one();
        }
        has_capacity
    }

    fn take_all(&self) -> VecDeque<QueuedMessage> {
        std::mem::take(&mut *self.queue.lock().expect(super::UNPOISONED))
    }

    /// Takes all messages, once there are some; none after the timeout.
    pub(super) async fn wait(&self, timeout: Duration) -> VecDeque<QueuedMessage> {
        let messages = self.take_all();
        if !messages.is_empty() {
            return messages;
        }
        let mut end = std::pin::pin!(tokio::time::sleep(timeout));
        loop {
            // The notification may be for messages that were taken since; then it waits on.
            tokio::select! {
                () = self.arrived.notified() => {}
                () = &mut end => return self.take_all(),
            }
            let messages = self.take_all();
            if !messages.is_empty() {
                return messages;
            }
        }
    }
}
