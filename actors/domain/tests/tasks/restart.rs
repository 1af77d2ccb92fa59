//! Restarts: the channel is recovered from a snapshot and the log after it.

use std::sync::Arc;

use rand::RngExt;
use rogerrat_domain::{BacklogEntry, Channel, Entry, Message, Snapshot};

use crate::player::Player;

impl Player {
    /// Recovers the channel from a snapshot and the log after it.
    pub(crate) fn restart(&mut self) {
        if self.rng.random_bool(0.5) {
            let snapshot = serde_json::to_string(&self.channel.snapshot(None, self.now)).unwrap();
            self.written = Some((snapshot, self.log.len()));
            return self.note("a snapshot is written");
        }
        self.note("the channel is recovered");
        self.totals.restored += 1;
        self.tick();
        let id = self.channel.id().clone();
        let mut next = Channel::open(id, self.settings.clone(), self.rules.clone(), 0, None, self.now);
        let bodies: Vec<Arc<Message>> = self.log.iter().filter_map(|entry| entry.stored_message().cloned()).collect();
        let mut from = 0;
        if let Some((snapshot, upto)) = &self.written {
            let backlog: Vec<_> = bodies.iter().map(|m| outline(m)).collect();
            let snapshot: Snapshot = serde_json::from_str(snapshot).unwrap();
            next.restore(snapshot, &backlog, 1, self.now).unwrap();
            from = *upto;
        }
        let stored: Vec<Entry> = self.log[from..].iter().filter(|entry| entry.is_logged(true)).map(stored).collect();
        next.replay(stored.iter(), self.now);
        let missing = next.missing_bodies();
        let found: Vec<_> = bodies.into_iter().filter(|m| missing.contains(&m.id)).collect();
        next.fill(&found).unwrap();
        self.channel = next;
    }
}

fn outline(message: &Message) -> BacklogEntry {
    BacklogEntry { id: message.id, from: message.from, to: message.to, weight_bytes: message.weight_bytes() }
}

/// An entry as the log has it: through its JSON, without the body of its message.
fn stored(entry: &Entry) -> Entry {
    serde_json::from_str(&serde_json::to_string(entry).unwrap()).unwrap()
}
