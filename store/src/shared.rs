//! What the writer's thread and those who ask it know of each other.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use rusqlite::{Connection, Error, Result};

use super::reader::value;

/// Bytes that may wait to be written.
const WAITING_BYTES: usize = 64 * 1024 * 1024;

/// Published by the writer after each commit.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) well: AtomicBool,
    pub(super) floor: AtomicU64,
    pub(super) channels: AtomicU64,
    waiting: AtomicUsize,
    waiting_bytes: AtomicUsize,
}

/// Room in the queue; it is given back when this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) bytes: usize,
    shared: Arc<Shared>,
}

impl Shared {
    /// As the database says.
    pub(super) fn read(connection: &Connection) -> Result<Self> {
        let number = |name| Ok::<_, Error>(value::<i64>(connection, name)?.unwrap_or_default().unsigned_abs());
        let (floor, channels) = (number("floor")?.into(), number("channels")?.into());
        Ok(Self { well: true.into(), floor, channels, ..Self::default() })
    }

    /// Room in the queue for something that weighs so much; none when there is too little.
    pub(super) fn enter(self: &Arc<Self>, bytes: usize) -> Option<Place> {
        self.waiting.fetch_add(1, Ordering::AcqRel);
        let before = self.waiting_bytes.fetch_add(bytes, Ordering::AcqRel);
        let place = Place { bytes, shared: self.clone() };
        // Whatever it weighs, it may go into an empty queue.
        (before == 0 || before + bytes <= WAITING_BYTES).then_some(place)
    }

    /// Whether nothing waits to be written.
    pub(super) fn is_idle(&self) -> bool {
        self.waiting.load(Ordering::Acquire) == 0
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.shared.waiting_bytes.fetch_sub(self.bytes, Ordering::AcqRel);
        self.shared.waiting.fetch_sub(1, Ordering::AcqRel);
    }
}
