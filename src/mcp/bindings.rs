//! What is kept of legacy sessions: the seat one is bound to, or that it was deleted. Of all others nothing is kept.
//!
//! It lies in memory, because every request asks for it, and is written to the hub's log as it changes. When it was last
//! used is written once a day.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{PoisonError, RwLock};

use futures_util::future::BoxFuture;
use rogerrat_actors::{Hub, LogError};
use rogerrat_domain::{ChannelId, SessionId};
use serde::{Deserialize, Serialize};

use super::session::{LIFE_MS, Nonce};

/// Sessions of which something is kept; beyond that the longest unused are forgotten, a tenth at a time.
const ROWS: usize = 100_000;
/// How long a row is kept after its last use: as long as an id can be good without one, and a day.
const KEPT_MS: u64 = LIFE_MS + 24 * 3600 * 1000;

/// What its rows are called in the log.
const KIND: &str = "mcp session";
/// How far behind what is written may be of when a row was used.
const WRITE_USE_MS: u64 = 24 * 3600 * 1000;

/// How a session stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Standing {
    /// It has a seat on a channel.
    Bound(Seat),
    /// It has none, and is in use.
    Unbound,
    /// Its client ended it.
    Deleted,
}

/// A place on a channel: what a tool acts for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Seat {
    pub(super) channel: ChannelId,
    pub(super) session: SessionId,
}

/// What is kept of the sessions.
pub(super) struct Bindings {
    rows: RwLock<HashMap<Nonce, Row>>,
    hub: Option<Hub>,
}

struct Row {
    standing: Standing,
    used_ms: AtomicU64,
    written_ms: AtomicU64,
}

/// A row as it is written.
#[derive(Serialize, Deserialize)]
struct Written {
    standing: Standing,
    used_ms: u64,
}

impl Row {
    fn new(standing: Standing, used_ms: u64) -> Self {
        Self { standing, used_ms: used_ms.into(), written_ms: used_ms.into() }
    }

    fn is_kept(&self, now_ms: u64) -> bool {
        let life_ms = if self.standing == Standing::Deleted { KEPT_MS } else { LIFE_MS };
        now_ms.saturating_sub(self.used_ms.load(Relaxed)) < life_ms
    }

    fn text(&self) -> Option<String> {
        let written = Written { standing: self.standing.clone(), used_ms: self.used_ms.load(Relaxed) };
        serde_json::to_string(&written).ok()
    }
}

impl Bindings {
    /// What the hub's log has of them.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) async fn load(hub: &Hub) -> Result<Self, LogError> {
        let rows = hub.rows(KIND).await?;
        // A row that cannot be read is one of another version: its client joins again.
        let known = rows.into_iter().filter_map(|(name, text)| {
            let nonce = u128::from_str_radix(&name, 16).ok()?.to_be_bytes();
            let Written { standing, used_ms } = serde_json::from_str(&text).ok()?;
            Some((nonce, Row::new(standing, used_ms)))
        });
        Ok(Self { rows: RwLock::new(known.collect()), hub: Some(hub.clone()) })
    }

    /// How a session stands, if anything is kept of it and it was used in the last seven days; it is used now. What was
    /// deleted is told longer.
    pub(super) fn standing(&self, nonce: &Nonce, now_ms: u64) -> Option<Standing> {
        let rows = self.rows.read().unwrap_or_else(PoisonError::into_inner);
        let row = rows.get(nonce).filter(|row| row.is_kept(now_ms))?;
        if row.standing != Standing::Deleted {
            row.used_ms.fetch_max(now_ms, Relaxed);
        }
        Some(row.standing.clone())
    }

    /// Keeps how a session stands. It holds at once, and over a restart when the future is done.
    pub(super) fn put(&self, nonce: Nonce, standing: Standing, now_ms: u64) -> BoxFuture<'static, ()> {
        let row = Row::new(standing, now_ms);
        let written = self.write(&nonce, row.text());
        let mut rows = self.rows.write().unwrap_or_else(PoisonError::into_inner);
        if rows.len() >= ROWS && !rows.contains_key(&nonce) {
            forget_a_tenth(&mut rows).iter().for_each(|forgotten| drop(self.write(forgotten, None)));
        }
        rows.insert(nonce, row);
        written
    }

    /// Forgets what has expired, and writes when the others were used.
    pub(super) fn sweep(&self, now_ms: u64) {
        let mut rows = self.rows.write().unwrap_or_else(PoisonError::into_inner);
        rows.retain(|nonce, row| {
            let is_kept = row.is_kept(now_ms);
            let used_ms = row.used_ms.load(Relaxed);
            if !is_kept {
                drop(self.write(nonce, None));
            } else if used_ms.saturating_sub(row.written_ms.load(Relaxed)) >= WRITE_USE_MS {
                row.written_ms.store(used_ms, Relaxed);
                drop(self.write(nonce, row.text()));
            }
            is_kept
        });
        rows.shrink_to_fit();
    }

    fn write(&self, nonce: &Nonce, text: Option<String>) -> BoxFuture<'static, ()> {
        match &self.hub {
            Some(hub) => hub.put_row(KIND, format!("{:032x}", u128::from_be_bytes(*nonce)), text),
            None => Box::pin(std::future::ready(())),
        }
    }
}

/// Forgets the tenth that was not used for longest, and says which.
fn forget_a_tenth(rows: &mut HashMap<Nonce, Row>) -> Vec<Nonce> {
    let mut used: Vec<_> = rows.values().map(|row| row.used_ms.load(Relaxed)).collect();
    let tenth = used.len() / 10;
    let (_, latest, _) = used.select_nth_unstable(tenth);
    let latest = *latest;
    let oldest = rows.iter().filter(|(_, row)| row.used_ms.load(Relaxed) <= latest).map(|(nonce, _)| *nonce);
    let forgotten: Vec<_> = oldest.take(tenth + 1).collect();
    for nonce in &forgotten {
        rows.remove(nonce);
    }
    forgotten
}

#[cfg(test)]
impl Bindings {
    /// Such as are kept nowhere else.
    pub(super) fn in_memory() -> Self {
        Self { rows: RwLock::default(), hub: None }
    }

    pub(super) fn len(&self) -> usize {
        self.rows.read().unwrap().len()
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
        let rows = Bindings::in_memory();
        let session = SessionId::present(Some("a-session-of-ann")).unwrap().unwrap();
        let seat = Standing::Bound(Seat { channel: ChannelId::parse("quiet-otter").unwrap(), session });
        drop(rows.put(nonce(1), seat.clone(), 0));
        assert_eq!(rows.standing(&nonce(1), LIFE_MS - 1), Some(seat.clone()));
        assert_eq!(rows.standing(&nonce(1), 2 * LIFE_MS - 2), Some(seat));
        assert_eq!(rows.standing(&nonce(1), 3 * LIFE_MS), None);
        rows.sweep(3 * LIFE_MS);
        assert_eq!(rows.len(), 0);
    }

    #[test]
    fn d30_what_is_kept_is_bounded_and_the_longest_unused_goes_first() {
        let rows = Bindings::in_memory();
        for n in 0..ROWS {
            drop(rows.put(nonce(n), Standing::Unbound, n as u64));
        }
        assert!(rows.standing(&nonce(0), ROWS as u64).is_some());
        drop(rows.put(nonce(ROWS), Standing::Unbound, ROWS as u64));
        assert_eq!(rows.len(), ROWS - ROWS / 10);
        assert!(rows.standing(&nonce(0), ROWS as u64).is_some(), "it was used just now");
        assert!(rows.standing(&nonce(1), ROWS as u64).is_none());
        assert!(rows.standing(&nonce(ROWS), ROWS as u64).is_some());
    }

    #[test]
    fn d30_the_bound_holds_when_all_were_used_at_once() {
        let rows = Bindings::in_memory();
        for n in 0..=ROWS {
            drop(rows.put(nonce(n), Standing::Unbound, 7));
        }
        assert_eq!(rows.len(), ROWS - ROWS / 10);
    }
}
