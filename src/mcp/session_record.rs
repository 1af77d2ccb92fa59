//! One stored MCP session, and its row in the log.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use serde::{Deserialize, Serialize};

use super::memberships::Memberships;

/// The random part of a session id, by which its session is stored.
pub(super) type Nonce = [u8; 16];

/// How long a session is valid after its last use.
pub(super) const LIFETIME_MS: u64 = 7 * DAY_MS;
/// A use is recorded only when it is more than a day later than the one recorded before. An id holds the time it was
/// issued, so a session that was used on its first day only needs no record.
pub(super) const DAY_MS: u64 = 24 * 3600 * 1000;
/// How long a deletion is remembered: as long as an id without a record can be valid.
const DELETED_LIFETIME_MS: u64 = LIFETIME_MS + DAY_MS;

/// The state of an MCP session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum SessionState {
    /// It has joined channels.
    Bound(Memberships),
    /// It is in use and has not joined a channel.
    Unbound,
    /// Its client ended it.
    Deleted,
}

/// A session as it is stored.
pub(super) struct SessionRecord {
    pub(super) state: SessionState,
    pub(super) used_ms: AtomicU64,
    /// The `used_ms` of the row in the log.
    pub(super) stored_used_ms: AtomicU64,
}

/// A record as a row of the log.
#[derive(Serialize, Deserialize)]
struct StoredSession {
    #[serde(rename = "standing")]
    state: SessionState,
    used_ms: u64,
}

impl SessionRecord {
    pub(super) fn new(state: SessionState, used_ms: u64) -> Self {
        Self { state, used_ms: used_ms.into(), stored_used_ms: used_ms.into() }
    }

    pub(super) fn is_live(&self, expiry_ms: u64) -> bool {
        self.last_use().is_live(expiry_ms)
    }

    fn last_use(&self) -> LastUse {
        let lifetime_ms = if self.state == SessionState::Deleted { DELETED_LIFETIME_MS } else { LIFETIME_MS };
        LastUse { used_ms: self.used_ms.load(Relaxed), lifetime_ms }
    }

    pub(super) fn of_json(json: &str) -> Option<Self> {
        let StoredSession { state, used_ms } = serde_json::from_str(json).ok()?;
        Some(Self::new(state, used_ms))
    }

    pub(super) fn to_json(&self) -> Option<String> {
        let stored = StoredSession { state: self.state.clone(), used_ms: self.used_ms.load(Relaxed) };
        serde_json::to_string(&stored).ok()
    }
}

/// When a stored session was used last, and how long it is kept after that.
#[derive(Clone, Copy)]
pub(super) struct LastUse {
    pub(super) used_ms: u64,
    lifetime_ms: u64,
}

impl LastUse {
    /// That of a row, whatever version of the hub has written it. None if the row does not tell.
    pub(super) fn of_json(json: &str) -> Option<Self> {
        /// What rows of all versions have.
        #[derive(Deserialize)]
        struct AnyRow {
            used_ms: u64,
        }
        if let Some(record) = SessionRecord::of_json(json) {
            return Some(record.last_use());
        }
        let AnyRow { used_ms } = serde_json::from_str(json).ok()?;
        Some(Self { used_ms, lifetime_ms: DELETED_LIFETIME_MS })
    }

    pub(super) fn is_live(self, expiry_ms: u64) -> bool {
        expiry_ms.saturating_sub(self.used_ms) < self.lifetime_ms
    }
}

pub(super) fn row_name(nonce: &Nonce) -> String {
    format!("{:032x}", u128::from_be_bytes(*nonce))
}

pub(super) fn nonce_of(row_name: &str) -> Option<Nonce> {
    u128::from_str_radix(row_name, 16).ok().map(u128::to_be_bytes)
}
