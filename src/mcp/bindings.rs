//! What is kept of legacy sessions: the seat one is bound to, or that it was deleted. Of all others nothing is kept.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{PoisonError, RwLock};

use rogerrat_domain::{ChannelId, SessionId};

use super::session::{LIFE_MS, Nonce};

/// Sessions of which something is kept; beyond that the longest unused are forgotten, a tenth at a time.
const ROWS: usize = 100_000;
/// How long a row is kept after its last use: as long as an id can be good without one, and a day.
const KEPT_MS: u64 = LIFE_MS + 24 * 3600 * 1000;

/// How a session stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It has a seat on a channel.
    Bound(Seat),
    /// It has none, and is in use.
    Unbound,
    /// Its client ended it.
    Deleted,
}

/// A place on a channel: what a tool acts for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seat {
    pub(super) channel: ChannelId,
    pub(super) session: SessionId,
}

/// Where it is kept. A port: a store that survives the hub takes this place.
pub(super) trait Bindings: Send + Sync {
    /// How a session stands, if anything is kept of it and it was used in the last seven days; it is used now. What was
    /// deleted is told longer.
    fn standing(&self, nonce: &Nonce, now_ms: u64) -> Option<Standing>;
    /// Keeps how a session stands.
    fn put(&self, nonce: Nonce, standing: Standing, now_ms: u64);
    /// Forgets what has expired.
    fn sweep(&self, now_ms: u64);
}

/// Kept as long as the hub runs.
#[derive(Default)]
pub(super) struct InMemory(RwLock<HashMap<Nonce, Row>>);

struct Row {
    standing: Standing,
    used_ms: AtomicU64,
}

impl Row {
    fn is_kept(&self, now_ms: u64) -> bool {
        let life_ms = if self.standing == Standing::Deleted { KEPT_MS } else { LIFE_MS };
        now_ms.saturating_sub(self.used_ms.load(Relaxed)) < life_ms
    }
}

impl Bindings for InMemory {
    fn standing(&self, nonce: &Nonce, now_ms: u64) -> Option<Standing> {
        let rows = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let row = rows.get(nonce).filter(|row| row.is_kept(now_ms))?;
        if row.standing != Standing::Deleted {
            row.used_ms.fetch_max(now_ms, Relaxed);
        }
        Some(row.standing.clone())
    }

    fn put(&self, nonce: Nonce, standing: Standing, now_ms: u64) {
        let mut rows = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if rows.len() >= ROWS && !rows.contains_key(&nonce) {
            forget_a_tenth(&mut rows);
        }
        rows.insert(nonce, Row { standing, used_ms: now_ms.into() });
    }

    fn sweep(&self, now_ms: u64) {
        let mut rows = self.0.write().unwrap_or_else(PoisonError::into_inner);
        rows.retain(|_, row| row.is_kept(now_ms));
        rows.shrink_to_fit();
    }
}

fn forget_a_tenth(rows: &mut HashMap<Nonce, Row>) {
    let mut used: Vec<_> = rows.values().map(|row| row.used_ms.load(Relaxed)).collect();
    let tenth = used.len() / 10;
    let (_, latest, _) = used.select_nth_unstable(tenth);
    let (latest, mut left) = (*latest, tenth + 1);
    rows.retain(|_, row| {
        let goes = left > 0 && row.used_ms.load(Relaxed) <= latest;
        left -= usize::from(goes);
        !goes
    });
}

#[cfg(test)]
impl InMemory {
    pub(super) fn len(&self) -> usize {
        self.0.read().unwrap().len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nonce(n: usize) -> Nonce {
        (n as u128).to_be_bytes()
    }

    #[test]
    fn a_seat_is_remembered_for_seven_days_after_its_last_use() {
        let rows = InMemory::default();
        let session = SessionId::present(Some("a-session-of-ann")).unwrap().unwrap();
        let seat = Standing::Bound(Seat { channel: ChannelId::parse("quiet-otter").unwrap(), session });
        rows.put(nonce(1), seat.clone(), 0);
        assert_eq!(rows.standing(&nonce(1), LIFE_MS - 1), Some(seat.clone()));
        assert_eq!(rows.standing(&nonce(1), 2 * LIFE_MS - 2), Some(seat));
        assert_eq!(rows.standing(&nonce(1), 3 * LIFE_MS), None);
        rows.sweep(3 * LIFE_MS);
        assert_eq!(rows.len(), 0);
    }

    #[test]
    fn d30_what_is_kept_is_bounded_and_the_longest_unused_goes_first() {
        let rows = InMemory::default();
        for n in 0..ROWS {
            rows.put(nonce(n), Standing::Unbound, n as u64);
        }
        assert!(rows.standing(&nonce(0), ROWS as u64).is_some());
        rows.put(nonce(ROWS), Standing::Unbound, ROWS as u64);
        assert_eq!(rows.len(), ROWS - ROWS / 10);
        assert!(rows.standing(&nonce(0), ROWS as u64).is_some(), "it was used just now");
        assert!(rows.standing(&nonce(1), ROWS as u64).is_none());
        assert!(rows.standing(&nonce(ROWS), ROWS as u64).is_some());
    }

    #[test]
    fn d30_the_bound_holds_when_all_were_used_at_once() {
        let rows = InMemory::default();
        for n in 0..=ROWS {
            rows.put(nonce(n), Standing::Unbound, 7);
        }
        assert_eq!(rows.len(), ROWS - ROWS / 10);
    }
}
