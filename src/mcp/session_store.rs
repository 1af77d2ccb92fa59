//! The stored state of MCP sessions: the channel memberships a session is bound to, or that it was deleted. Nothing is
//! stored for any other session.
//!
//! The store is in memory, because every request reads it, and changes are written to the hub's log. The time of the
//! last use is written once a day.

use std::collections::HashMap;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use futures_util::future::BoxFuture;
use rogerrat_actors::{Hub, LogError};

use super::memberships::Memberships;
pub(super) use super::session_record::{DAY_MS, LIFETIME_MS, Nonce, SessionState};
use super::session_record::{LastUse, SessionRecord, nonce_of, row_name};
use super::shared_sessions::{LogSweep, RowChange, change_row};

/// Stored sessions; beyond that the tenth that was unused for longest is evicted.
const MAX_SESSIONS: usize = 100_000;
/// The kind of its rows in the log.
pub(super) const ROW_KIND: &str = "mcp session";

/// All stored sessions.
pub(super) struct SessionStore {
    records: Arc<RwLock<HashMap<Nonce, SessionRecord>>>,
    hub: Option<Hub>,
    /// Whether other hubs store sessions in the same log. Then this is a copy that is read again for each request.
    is_shared: bool,
    log_sweep: Arc<LogSweep>,
    /// Rows that another version of the hub has written, by their names.
    unreadable: Mutex<Vec<(String, LastUse)>>,
}

impl SessionStore {
    /// Loads the sessions from the hub's log, which other hubs may share.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) async fn load(hub: &Hub) -> Result<Self, LogError> {
        let rows = hub.rows(ROW_KIND).await?;
        let is_shared = hub.instance().is_some();
        let (mut records, mut unreadable) = (HashMap::new(), Vec::new());
        // Where hubs share the log, each request reads its row, so that nothing need be known before.
        for (name, json) in rows.into_iter().filter(|_| !is_shared) {
            match (nonce_of(&name), SessionRecord::of_json(&json)) {
                (Some(nonce), Some(record)) => drop(records.insert(nonce, record)),
                // Another version of the hub has written it. Its client has to join again.
                _ => unreadable.extend(LastUse::of_json(&json).map(|last_use| (name, last_use))),
            }
        }
        Ok(Self {
            unreadable: Mutex::new(unreadable),
            records: Arc::new(RwLock::new(records)),
            hub: Some(hub.clone()),
            is_shared,
            log_sweep: Arc::default(),
        })
    }

    /// Reads the record of a session again, if another hub may have changed it. If the log cannot be read, the copy is used.
    pub(super) async fn refresh(&self, nonce: Nonce) {
        let Some(hub) = self.hub.as_ref().filter(|_| self.is_shared) else { return };
        let Ok(row) = hub.row(ROW_KIND, &row_name(&nonce)).await else { return };
        let stored = row.and_then(|json| SessionRecord::of_json(&json));
        let mut records = self.records.write().unwrap_or_else(PoisonError::into_inner);
        match stored {
            Some(stored) => {
                let used_ms = records.get(&nonce).map_or(0, |known| known.used_ms.load(Relaxed));
                stored.used_ms.fetch_max(used_ms, Relaxed);
                insert_copy(&mut records, nonce, stored);
            }
            None => drop(records.remove(&nonce)),
        }
    }

    /// Returns the state of a session and marks the session as used. None when nothing is stored or the session
    /// expired; a deletion is not extended by use.
    pub(super) fn get(&self, nonce: &Nonce, now_ms: u64) -> Option<SessionState> {
        let records = self.records.read().unwrap_or_else(PoisonError::into_inner);
        let record = records.get(nonce).filter(|record| record.is_live(self.expiry_ms(now_ms)))?;
        if record.state != SessionState::Deleted {
            record.used_ms.fetch_max(now_ms, Relaxed);
        }
        Some(record.state.clone())
    }

    /// Stores the state of a session, in place of any other. It is visible at once, and durable when the returned future is
    /// ready.
    pub(super) fn put(&self, nonce: Nonce, state: SessionState, now_ms: u64) -> BoxFuture<'static, ()> {
        if let Some(hub) = self.hub.clone().filter(|_| self.is_shared && state == SessionState::Unbound) {
            self.log_sweep.count_stored();
            // Another hub may have bound it meanwhile.
            let put = move |stored: Option<&SessionRecord>| match stored {
                Some(_) => RowChange::Keep,
                None => RowChange::Put(SessionRecord::new(SessionState::Unbound, now_ms)),
            };
            let putting = actix_web::rt::spawn(async move { drop(change_row(&hub, &nonce, put).await) });
            return Box::pin(async move { drop(putting.await) });
        }
        let mut records = self.records.write().unwrap_or_else(PoisonError::into_inner);
        self.insert(&mut records, nonce, state, now_ms)
    }

    /// Changes the memberships of a session, unless the session was deleted. `change` gets those it has, if any, and when
    /// the session was last used; it returns those it shall have, if any. Concurrent changes follow one another.
    pub(super) fn change(
        &self,
        nonce: Nonce,
        now_ms: u64,
        change: impl Fn(Option<&Memberships>, u64) -> Option<Memberships> + 'static,
    ) -> BoxFuture<'static, ()> {
        if let Some(hub) = self.hub.clone().filter(|_| self.is_shared) {
            self.log_sweep.count_stored();
            return self.change_shared(hub, nonce, now_ms, change);
        }
        let mut records = self.records.write().unwrap_or_else(PoisonError::into_inner);
        match changed(records.get(&nonce), self.expiry_ms(now_ms), now_ms, change) {
            Some(state) => self.insert(&mut records, nonce, state, now_ms),
            None => Box::pin(std::future::ready(())),
        }
    }

    /// The same where other hubs change sessions as well. It is visible when the returned future is ready, and happens also
    /// if that is dropped.
    fn change_shared(
        &self,
        hub: Hub,
        nonce: Nonce,
        now_ms: u64,
        change: impl Fn(Option<&Memberships>, u64) -> Option<Memberships> + 'static,
    ) -> BoxFuture<'static, ()> {
        let records = self.records.clone();
        let changing = actix_web::rt::spawn(async move {
            let expiry_ms = hub.expiry_ms();
            let apply = |stored: Option<&SessionRecord>| match changed(stored, expiry_ms, now_ms, &change) {
                Some(state) => RowChange::Put(SessionRecord::new(state, now_ms)),
                None => RowChange::Keep,
            };
            let stored = change_row(&hub, &nonce, apply).await;
            let mut records = records.write().unwrap_or_else(PoisonError::into_inner);
            match stored {
                Ok(Some(record)) => insert_copy(&mut records, nonce, record),
                Ok(None) => {}
                // The log cannot be written: it counts here, until the row is read again.
                Err(()) => {
                    if let Some(state) = changed(records.get(&nonce), expiry_ms, now_ms, &change) {
                        insert_copy(&mut records, nonce, SessionRecord::new(state, now_ms));
                    }
                }
            }
        });
        // It fails only if it panics.
        Box::pin(async move { drop(changing.await) })
    }

    fn insert(
        &self,
        records: &mut HashMap<Nonce, SessionRecord>,
        nonce: Nonce,
        state: SessionState,
        now_ms: u64,
    ) -> BoxFuture<'static, ()> {
        let record = SessionRecord::new(state, now_ms);
        let stored = self.store(&nonce, record.to_json());
        if records.len() >= MAX_SESSIONS && !records.contains_key(&nonce) {
            evict_a_tenth(records).iter().for_each(|evicted| drop(self.store(evicted, None)));
        }
        records.insert(nonce, record);
        stored
    }

    /// The time by which sessions expire: 0 while the wall clock may be wrong.
    pub(super) fn expiry_ms(&self, now_ms: u64) -> u64 {
        self.hub.as_ref().map_or(now_ms, Hub::expiry_ms)
    }

    /// Removes expired sessions, and writes when the others were last used.
    pub(super) fn sweep(&self, now_ms: u64) {
        if let Some(hub) = self.hub.clone().filter(|_| self.is_shared) {
            self.sweep_copies(hub, now_ms);
            return;
        }
        let expiry_ms = self.expiry_ms(now_ms);
        let mut records = self.records.write().unwrap_or_else(PoisonError::into_inner);
        let (mut expired, mut used) = (Vec::new(), Vec::new());
        records.retain(|nonce, record| {
            let is_live = record.is_live(expiry_ms);
            let used_ms = record.used_ms.load(Relaxed);
            if !is_live {
                expired.push(*nonce);
            } else if used_ms.saturating_sub(record.stored_used_ms.load(Relaxed)) >= DAY_MS {
                record.stored_used_ms.store(used_ms, Relaxed);
                used.push(*nonce);
            }
            is_live
        });
        expired.iter().for_each(|nonce| drop(self.store(nonce, None)));
        self.sweep_unreadable(&records, expiry_ms);
        for nonce in used {
            drop(self.store(&nonce, records.get(&nonce).and_then(SessionRecord::to_json)));
        }
        records.shrink_to_fit();
    }

    /// Deletes rows of other versions that have expired. A session that was stored again since has its row in their place.
    fn sweep_unreadable(&self, records: &HashMap<Nonce, SessionRecord>, expiry_ms: u64) {
        let Some(hub) = &self.hub else { return };
        let mut unreadable = self.unreadable.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, _) in unreadable.extract_if(.., |(_, last_use)| !last_use.is_live(expiry_ms)) {
            if !nonce_of(&name).is_some_and(|nonce| records.contains_key(&nonce)) {
                drop(hub.put_row(ROW_KIND, name, None));
            }
        }
    }

    /// The same where the records are copies of rows that hubs share.
    fn sweep_copies(&self, hub: Hub, now_ms: u64) {
        let expiry_ms = self.expiry_ms(now_ms);
        let mut records = self.records.write().unwrap_or_else(PoisonError::into_inner);
        records.retain(|_, record| record.is_live(expiry_ms));
        records.shrink_to_fit();
        let is_due = |record: &SessionRecord, used_ms| used_ms >= record.stored_used_ms.load(Relaxed) + DAY_MS;
        let used = records.iter().map(|(nonce, record)| (*nonce, record.used_ms.load(Relaxed), record));
        let used: Vec<_> =
            used.filter_map(|(nonce, used_ms, record)| is_due(record, used_ms).then_some((nonce, used_ms))).collect();
        let (log_sweep, records) = (self.log_sweep.clone(), self.records.clone());
        actix_web::rt::spawn(async move {
            let on_stored = |nonce: &Nonce, used_ms| {
                if let Some(record) = records.read().unwrap_or_else(PoisonError::into_inner).get(nonce) {
                    record.stored_used_ms.store(used_ms, Relaxed);
                }
            };
            log_sweep.run(&hub, MAX_SESSIONS, now_ms, used, on_stored).await;
        });
    }

    fn store(&self, nonce: &Nonce, json: Option<String>) -> BoxFuture<'static, ()> {
        match &self.hub {
            Some(hub) => hub.put_row(ROW_KIND, row_name(nonce), json),
            None => Box::pin(std::future::ready(())),
        }
    }
}

/// The state after a change of memberships; none if nothing changes.
fn changed(
    record: Option<&SessionRecord>,
    expiry_ms: u64,
    now_ms: u64,
    change: impl Fn(Option<&Memberships>, u64) -> Option<Memberships>,
) -> Option<SessionState> {
    let record = record.filter(|record| record.is_live(expiry_ms));
    let used_ms = record.map_or(now_ms, |record| record.used_ms.load(Relaxed));
    let before = match record.map(|record| &record.state) {
        Some(SessionState::Deleted) => return None,
        Some(SessionState::Bound(memberships)) => Some(memberships),
        Some(SessionState::Unbound) | None => None,
    };
    let after = change(before, used_ms);
    (before != after.as_ref()).then(|| after.map_or(SessionState::Unbound, SessionState::Bound))
}

/// Keeps a copy of a record that is in a log that hubs share.
fn insert_copy(records: &mut HashMap<Nonce, SessionRecord>, nonce: Nonce, record: SessionRecord) {
    if records.len() >= MAX_SESSIONS && !records.contains_key(&nonce) {
        drop(evict_a_tenth(records));
    }
    records.insert(nonce, record);
}

/// Removes the tenth that was unused for longest, and returns which sessions these were.
fn evict_a_tenth(records: &mut HashMap<Nonce, SessionRecord>) -> Vec<Nonce> {
    let mut used: Vec<_> = records.values().map(|record| record.used_ms.load(Relaxed)).collect();
    let tenth = used.len() / 10;
    let (_, latest, _) = used.select_nth_unstable(tenth);
    let latest = *latest;
    let oldest = records.iter().filter(|(_, record)| record.used_ms.load(Relaxed) <= latest).map(|(nonce, _)| *nonce);
    let evicted: Vec<_> = oldest.take(tenth + 1).collect();
    for nonce in &evicted {
        records.remove(nonce);
    }
    evicted
}

#[cfg(test)]
impl SessionStore {
    /// A store without a log.
    pub(super) fn in_memory() -> Self {
        Self {
            records: Arc::default(),
            hub: None,
            is_shared: false,
            log_sweep: Arc::default(),
            unreadable: Mutex::default(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.records.read().unwrap().len()
    }
}

#[cfg(test)]
pub(super) mod tests;
