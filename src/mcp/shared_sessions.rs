//! Stored MCP sessions where several hubs share a log: each change reads the row and replaces it only if no other hub has
//! changed it meanwhile.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};

use rogerrat_actors::Hub;

use super::session_record::{LastUse, Nonce, SessionRecord, row_name};
use super::session_store::ROW_KIND;

/// How often a change is tried again after another hub's.
const TRIES: usize = 16;

/// What happens to a stored session.
pub(super) enum RowChange {
    Keep,
    Put(SessionRecord),
}

/// Changes the row of a session. Returns the record that is stored then, if it is known.
///
/// # Errors
/// When the row could not be read or written.
pub(super) async fn change_row(
    hub: &Hub,
    nonce: &Nonce,
    change: impl Fn(Option<&SessionRecord>) -> RowChange,
) -> Result<Option<SessionRecord>, ()> {
    for _ in 0..TRIES {
        let row = hub.row(ROW_KIND, &row_name(nonce)).await.map_err(failed)?;
        let stored = row.as_deref().and_then(SessionRecord::of_json);
        let new = match change(stored.as_ref()) {
            RowChange::Keep => return Ok(stored),
            RowChange::Put(record) => record,
        };
        if hub.swap_row(ROW_KIND, row_name(nonce), row, new.to_json()).await.map_err(failed)? {
            return Ok(Some(new));
        }
    }
    log::warn!("could not store an MCP session, because other hubs change it all the time");
    Err(())
}

#[expect(clippy::needless_pass_by_value, reason = "it is passed to `map_err`")]
fn failed(error: rogerrat_actors::LogError) {
    log::warn!(error:display; "could not store an MCP session");
}

/// How often all rows are read. A hub that has stored many sessions since does it earlier.
const SWEEP_EVERY_MS: u64 = 3600 * 1000;
/// After this many rows that could not be written one after the other, the log is away: the next sweep does the rest.
const FAILURES: usize = 3;

/// When the rows of a log that hubs share were swept last, by this one.
pub(super) struct LogSweep {
    is_running: AtomicBool,
    /// The time of the last one on the hub's clock, in milliseconds; none yet.
    last_ms: AtomicU64,
    /// Sessions that were stored since then.
    stored: AtomicUsize,
}

impl Default for LogSweep {
    fn default() -> Self {
        Self { is_running: AtomicBool::new(false), last_ms: AtomicU64::new(u64::MAX), stored: AtomicUsize::new(0) }
    }
}

impl LogSweep {
    /// This hub stores a session.
    pub(super) fn count_stored(&self) {
        self.stored.fetch_add(1, Relaxed);
    }

    /// Stores when sessions were used last, and every hour deletes the rows that have expired, and beyond `most` the tenth that was
    /// unused for longest. Not while an earlier sweep runs. `on_stored` gets those whose use is stored.
    pub(super) async fn run(
        &self,
        hub: &Hub,
        most: usize,
        now_ms: u64,
        used: Vec<(Nonce, u64)>,
        on_stored: impl Fn(&Nonce, u64),
    ) {
        if self.is_running.swap(true, Relaxed) {
            return;
        }
        each(used, async |(nonce, used_ms)| {
            let touch = |stored: Option<&SessionRecord>| match stored {
                Some(stored) if stored.used_ms.load(Relaxed) < used_ms => {
                    RowChange::Put(SessionRecord::new(stored.state.clone(), used_ms))
                }
                _ => RowChange::Keep,
            };
            change_row(hub, &nonce, touch).await.map(|_| on_stored(&nonce, used_ms))
        })
        .await;
        let last_ms = self.last_ms.load(Relaxed);
        let is_due = last_ms == u64::MAX
            || now_ms.saturating_sub(last_ms) >= SWEEP_EVERY_MS
            || self.stored.load(Relaxed) >= most / 10;
        if is_due && delete_rows(hub, most, hub.expiry_ms()).await {
            self.last_ms.store(now_ms, Relaxed);
            self.stored.store(0, Relaxed);
        }
        self.is_running.store(false, Relaxed);
    }
}

/// Deletes rows that have expired, and those beyond `most` that were unused for longest, unless another hub has changed them
/// since: also rows that another version of the hub has written. Returns whether the rows could be read.
async fn delete_rows(hub: &Hub, most: usize, expiry_ms: u64) -> bool {
    let rows = match hub.rows(ROW_KIND).await {
        Ok(rows) => rows,
        Err(error) => {
            failed(error);
            return false;
        }
    };
    // A row that does not tell when it was used stays.
    let rows = rows.into_iter().filter_map(|(name, json)| Some(Row { last_use: LastUse::of_json(&json)?, name, json }));
    let (live, mut deleted): (Vec<_>, Vec<_>) = rows.partition(|row| row.last_use.is_live(expiry_ms));
    deleted.extend(unused_for_longest(live, most));
    each(deleted, async |Row { name, json, .. }| {
        hub.swap_row(ROW_KIND, name, Some(json), None).await.map(drop).map_err(failed)
    })
    .await;
    true
}

/// A row as it was read.
struct Row {
    name: String,
    json: String,
    last_use: LastUse,
}

/// Beyond `most`, the tenth that was unused for longest and what is too much; else none.
fn unused_for_longest(mut all: Vec<Row>, most: usize) -> Vec<Row> {
    if all.len() > most {
        all.sort_unstable_by_key(|row| row.last_use.used_ms);
        all.truncate(all.len() - (most - most / 10));
        return all;
    }
    Vec::new()
}

/// Writes each of some rows, also after one that fails, until the log seems to be away.
async fn each<T>(rows: Vec<T>, write: impl AsyncFn(T) -> Result<(), ()>) {
    let mut failures = 0;
    for row in rows {
        failures = if write(row).await.is_ok() { 0 } else { failures + 1 };
        if failures >= FAILURES {
            log::warn!("could not store or delete several MCP sessions; the next sweep does it");
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::sync::Arc;

    use rogerrat_actors::{Clock, Log as _, SharedMemoryLog};

    use super::super::session_record::{DAY_MS, SessionState};
    use super::super::session_store::tests::hub;
    use super::*;

    #[actix_web::test]
    async fn d30_a_row_that_cannot_be_written_does_not_keep_the_others_from_it() {
        let written = RefCell::new(Vec::new());
        let write = async |n: usize| {
            written.borrow_mut().push(n);
            if n.is_multiple_of(3) || n >= 7 { Err(()) } else { Ok(()) }
        };
        each((0..20).collect(), write).await;
        assert_eq!(*written.borrow(), [0, 1, 2, 3, 4, 5, 6, 7, 8], "until three fail one after the other");
    }

    #[actix_web::test]
    async fn d30_expired_rows_go_whatever_version_has_written_them() {
        let log = Arc::new(SharedMemoryLog::new().start_instance("http://a"));
        let (hub, now_ms) = (hub(log.clone(), Clock::start()).await, Clock::start().now().at_ms);
        let expired_ms = now_ms - 9 * DAY_MS;
        let put = async |name: &str, json: String| {
            log.put_row(ROW_KIND, name.to_owned(), Some(json)).await.unwrap();
        };
        put("1", format!(r#"{{"standing":{{"seated":[7]}},"used_ms":{expired_ms},"version":2}}"#)).await;
        put("2", format!(r#"{{"standing":{{"seated":[7]}},"used_ms":{now_ms},"version":2}}"#)).await;
        put("a name of another version", format!(r#"{{"used_ms":{expired_ms}}}"#)).await;
        put("4", "it does not tell when it was used".to_owned()).await;
        put("5", format!(r#"{{"standing":"unbound","used_ms":{expired_ms}}}"#)).await;
        assert!(delete_rows(&hub, 20, now_ms).await);
        let mut left: Vec<_> = log.rows(ROW_KIND).await.unwrap().into_iter().map(|(name, _)| name).collect();
        left.sort_unstable();
        assert_eq!(left, ["2", "4"]);
    }

    #[actix_web::test]
    async fn d30_rows_of_a_shared_log_are_bounded() {
        let log = Arc::new(SharedMemoryLog::new().start_instance("http://a"));
        let (hub, now_ms) = (hub(log.clone(), Clock::start()).await, Clock::start().now().at_ms);
        let count = async || log.rows(ROW_KIND).await.unwrap().len();
        let put = async |n: u128, used_ms: u64| {
            let json = SessionRecord::new(SessionState::Unbound, used_ms).to_json();
            log.put_row(ROW_KIND, row_name(&n.to_be_bytes()), json).await.unwrap();
        };
        // Another hub has stored them.
        for n in 0..25 {
            put(n, now_ms - DAY_MS + u64::try_from(n).unwrap()).await;
        }
        put(100, 0).await;
        let sweep = LogSweep::default();
        sweep.run(&hub, 20, now_ms, vec![(0_u128.to_be_bytes(), now_ms)], |_, _| {}).await;
        assert_eq!(count().await, 18);
        let is_there = async |n: u128| log.row(ROW_KIND, &row_name(&n.to_be_bytes())).await.unwrap().is_some();
        assert!(is_there(0).await && is_there(24).await && !is_there(1).await && !is_there(100).await);
        for n in 101..104 {
            put(n, 0).await;
        }
        sweep.run(&hub, 20, now_ms + 60_000, Vec::new(), |_, _| {}).await;
        assert!(is_there(101).await, "all rows are read once an hour");
        sweep.run(&hub, 20, now_ms + SWEEP_EVERY_MS, Vec::new(), |_, _| {}).await;
        assert_eq!((is_there(101).await, count().await), (false, 18));
    }
}
