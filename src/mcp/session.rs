//! Session ids. They are sealed, so that a hub recognizes its own ids without storing them, also after a restart. Pure.
//!
//! An id does not prove who presents it. The membership it gives access to is stored in `session_store.rs`.

use rogerrat_domain::Signer;

use super::protocol_version::ProtocolVersion;
use super::session_store::{DAY_MS, LIFETIME_MS, Nonce, SessionState, SessionStore};

/// What the key of the seal is derived for.
pub(super) const PURPOSE: &str = "mcp sessions";
/// The layout of the payload: one byte for this number, one for the version, six for the time, the rest is the nonce.
const LAYOUT: u8 = 1;
const HEAD_BYTES: usize = 8;

/// The content of an `Mcp-Session-Id`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct McpSessionId {
    pub(super) version: ProtocolVersion,
    pub(super) issued_ms: u64,
    pub(super) nonce: Nonce,
}

impl McpSessionId {
    /// Encodes the id. It is valid on this endpoint only.
    pub(super) fn seal(&self, seal: &Signer, endpoint: &str) -> String {
        let mut payload = Vec::with_capacity(HEAD_BYTES + self.nonce.len());
        let version = ProtocolVersion::ALL.iter().position(|version| *version == self.version).unwrap_or_default();
        payload.extend([LAYOUT, u8::try_from(version).unwrap_or_default()]);
        payload.extend_from_slice(&self.issued_ms.to_be_bytes()[2..]);
        payload.extend_from_slice(&self.nonce);
        seal.sign(&payload, endpoint)
    }

    /// Decodes an id; none when this hub did not issue it for this endpoint.
    pub(super) fn open(seal: &Signer, id: &str, endpoint: &str) -> Option<Self> {
        let payload = seal.verify(id, endpoint)?;
        let (head, nonce) = payload.split_at_checked(HEAD_BYTES)?;
        let [LAYOUT, version, time @ ..] = head else { return None };
        let version = *ProtocolVersion::ALL.get(usize::from(*version))?;
        let issued_ms = time.iter().fold(0, |ms, byte| ms << 8 | u64::from(*byte));
        Some(Self { version, issued_ms, nonce: nonce.try_into().ok()? })
    }

    /// Returns the state of its session and marks the session as used. None when the session expired or was deleted.
    pub(super) fn state(&self, store: &SessionStore, now_ms: u64) -> Option<SessionState> {
        let age_ms = now_ms.saturating_sub(self.issued_ms);
        match store.get(&self.nonce, now_ms) {
            Some(SessionState::Deleted) => None,
            Some(state) => Some(state),
            // There is no record, so it was last used within a day of being issued.
            None if store.expiry_ms(now_ms).saturating_sub(self.issued_ms) >= LIFETIME_MS + DAY_MS => None,
            None => {
                if age_ms >= DAY_MS {
                    drop(store.put(self.nonce, SessionState::Unbound, now_ms));
                }
                Some(SessionState::Unbound)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rogerrat_domain::HubKey;

    const NOW_MS: u64 = 1_795_175_889_285;

    fn seal() -> Signer {
        Signer::new(&HubKey::new([7; 32]), PURPOSE)
    }

    fn issued() -> McpSessionId {
        McpSessionId { version: ProtocolVersion::V2025_06_18, issued_ms: NOW_MS, nonce: [9; 16] }
    }

    #[test]
    fn an_id_opens_to_what_was_sealed() {
        let id = issued().seal(&seal(), "quiet-otter");
        assert_eq!(McpSessionId::open(&seal(), &id, "quiet-otter"), Some(issued()));
        assert!(id.bytes().all(|b| b.is_ascii_graphic()) && id.len() < 64, "{id}");
        // The same key after a restart.
        assert_eq!(
            McpSessionId::open(&Signer::new(&HubKey::new([7; 32]), PURPOSE), &id, "quiet-otter"),
            Some(issued())
        );
    }

    #[test]
    fn an_id_of_another_endpoint_or_hub_or_a_forged_one_does_not_open() {
        let id = issued().seal(&seal(), "quiet-otter");
        assert!(
            McpSessionId::open(&seal(), &id, "").is_none() && McpSessionId::open(&seal(), &id, "loud-otter").is_none()
        );
        let other = Signer::new(&HubKey::new([8; 32]), PURPOSE);
        assert!(McpSessionId::open(&other, &id, "quiet-otter").is_none());
        for invalid in ["", "x", "a0fac639-0000-4000-8000-000000000000", &id[..id.len() - 1]] {
            assert!(McpSessionId::open(&seal(), invalid, "quiet-otter").is_none(), "{invalid}");
        }
        for payload in [&[][..], &[LAYOUT, 0, 0], &[LAYOUT, 9, 0, 0, 0, 0, 0, 0, 1], &[0; 24], &[LAYOUT; 25]] {
            assert!(McpSessionId::open(&seal(), &seal().sign(payload, ""), "").is_none(), "{payload:?}");
        }
    }

    #[test]
    fn an_id_is_valid_for_seven_days_after_its_last_use() {
        let store = SessionStore::in_memory();
        let at = |days: u64, ms: u64| issued().state(&store, NOW_MS + days * DAY_MS + ms).is_some();
        assert!(at(0, 0) && at(0, DAY_MS - 1), "a use on the first day is not recorded");
        assert_eq!(store.len(), 0);
        assert!(at(7, DAY_MS - 1) && at(14, 0) && at(20, 0), "each use extends the lifetime by seven days");
        assert_eq!(store.len(), 1);
        assert!(!at(27, DAY_MS));
        let unused = SessionStore::in_memory();
        assert_eq!(issued().state(&unused, NOW_MS + LIFETIME_MS + DAY_MS), None);
    }

    #[test]
    fn a_deleted_id_stays_invalid() {
        let store = SessionStore::in_memory();
        assert_eq!(issued().state(&store, NOW_MS), Some(SessionState::Unbound));
        drop(store.put(issued().nonce, SessionState::Deleted, NOW_MS + 1));
        for days in [0, 1, 6, 7, 8, 9, 100] {
            let now_ms = NOW_MS + 2 + days * DAY_MS;
            store.sweep(now_ms);
            assert_eq!(issued().state(&store, now_ms), None, "after {days} days");
        }
    }

    #[test]
    fn a_clock_that_was_set_back_ends_no_session() {
        assert!(issued().state(&SessionStore::in_memory(), NOW_MS - 5 * DAY_MS).is_some());
    }
}
