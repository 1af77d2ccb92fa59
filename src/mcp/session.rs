//! The ids of legacy sessions: sealed, so that a hub knows its own without having kept them, after a restart too. Pure.
//!
//! An id proves nothing about who holds it. What it may stand for, a seat on a channel, is kept beside it in `bindings.rs`.

use rogerrat_domain::Signer;

use super::bindings::{Bindings, Standing};
use super::era::Version;

/// How long an id is good after its last use.
pub(super) const LIFE_MS: u64 = 7 * DAY_MS;
/// An id used later than this after it was made is remembered; before, its making says when it was used.
const DAY_MS: u64 = 24 * 3600 * 1000;
/// What the seal is for.
pub(super) const PURPOSE: &str = "mcp sessions";
/// How the payload is laid out: a byte for this number, a byte for the version, six for the time, the rest is chance.
const LAYOUT: u8 = 1;
const HEAD_BYTES: usize = 8;

/// What makes an id unlike any other.
pub(super) type Nonce = [u8; 16];

/// What an id says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ticket {
    pub(super) version: Version,
    pub(super) minted_ms: u64,
    pub(super) nonce: Nonce,
}

impl Ticket {
    /// The id, good on one endpoint only.
    pub(super) fn seal(&self, seal: &Signer, endpoint: &str) -> String {
        let mut payload = Vec::with_capacity(HEAD_BYTES + self.nonce.len());
        let version = Version::ALL.iter().position(|version| *version == self.version).unwrap_or_default();
        payload.extend([LAYOUT, u8::try_from(version).unwrap_or_default()]);
        payload.extend_from_slice(&self.minted_ms.to_be_bytes()[2..]);
        payload.extend_from_slice(&self.nonce);
        seal.close(&payload, endpoint)
    }

    /// What an id says; none when this hub did not make it for this endpoint.
    pub(super) fn open(seal: &Signer, id: &str, endpoint: &str) -> Option<Self> {
        let payload = seal.open(id, endpoint)?;
        let (head, nonce) = payload.split_at_checked(HEAD_BYTES)?;
        let [LAYOUT, version, time @ ..] = head else { return None };
        let version = *Version::ALL.get(usize::from(*version))?;
        let minted_ms = time.iter().fold(0, |ms, byte| ms << 8 | u64::from(*byte));
        Some(Self { version, minted_ms, nonce: nonce.try_into().ok()? })
    }

    /// How its session stands; none when it is good no more. It is used now.
    pub(super) fn standing(&self, bindings: &Bindings, now_ms: u64) -> Option<Standing> {
        let age_ms = now_ms.saturating_sub(self.minted_ms);
        match bindings.standing(&self.nonce, now_ms) {
            Some(Standing::Deleted) => None,
            Some(standing) => Some(standing),
            // Nothing is kept of it, so it was last used within a day of its making.
            None if age_ms >= LIFE_MS + DAY_MS => None,
            None => {
                if age_ms >= DAY_MS {
                    drop(bindings.put(self.nonce, Standing::Unbound, now_ms));
                }
                Some(Standing::Unbound)
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

    fn ticket() -> Ticket {
        Ticket { version: Version::V2025_06_18, minted_ms: NOW_MS, nonce: [9; 16] }
    }

    #[test]
    fn an_id_says_what_was_sealed_in_it() {
        let id = ticket().seal(&seal(), "quiet-otter");
        assert_eq!(Ticket::open(&seal(), &id, "quiet-otter"), Some(ticket()));
        assert!(id.bytes().all(|b| b.is_ascii_graphic()) && id.len() < 64, "{id}");
        // The same key after a restart, however it got there.
        assert_eq!(Ticket::open(&Signer::new(&HubKey::new([7; 32]), PURPOSE), &id, "quiet-otter"), Some(ticket()));
    }

    #[test]
    fn an_id_of_another_endpoint_hub_or_maker_does_not_open() {
        let id = ticket().seal(&seal(), "quiet-otter");
        assert!(Ticket::open(&seal(), &id, "").is_none() && Ticket::open(&seal(), &id, "loud-otter").is_none());
        let other = Signer::new(&HubKey::new([8; 32]), PURPOSE);
        assert!(Ticket::open(&other, &id, "quiet-otter").is_none());
        for rubbish in ["", "x", "a0fac639-0000-4000-8000-000000000000", &id[..id.len() - 1]] {
            assert!(Ticket::open(&seal(), rubbish, "quiet-otter").is_none(), "{rubbish}");
        }
        for payload in [&[][..], &[LAYOUT, 0, 0], &[LAYOUT, 9, 0, 0, 0, 0, 0, 0, 1], &[0; 24], &[LAYOUT; 25]] {
            assert!(Ticket::open(&seal(), &seal().close(payload, ""), "").is_none(), "{payload:?}");
        }
    }

    #[test]
    fn an_id_is_good_for_seven_days_after_its_last_use() {
        let rows = Bindings::in_memory();
        let at = |days: u64, ms: u64| ticket().standing(&rows, NOW_MS + days * DAY_MS + ms).is_some();
        assert!(at(0, 0) && at(0, DAY_MS - 1), "nothing is kept of a use on the first day");
        assert_eq!(rows.len(), 0);
        assert!(at(7, DAY_MS - 1) && at(14, 0) && at(20, 0), "each use is good for seven days more");
        assert_eq!(rows.len(), 1);
        assert!(!at(27, DAY_MS));
        let unused = Bindings::in_memory();
        assert_eq!(ticket().standing(&unused, NOW_MS + LIFE_MS + DAY_MS), None);
    }

    #[test]
    fn a_deleted_id_is_good_no_more() {
        let rows = Bindings::in_memory();
        assert_eq!(ticket().standing(&rows, NOW_MS), Some(Standing::Unbound));
        drop(rows.put(ticket().nonce, Standing::Deleted, NOW_MS + 1));
        for days in [0, 1, 6, 7, 8, 9, 100] {
            let now_ms = NOW_MS + 2 + days * DAY_MS;
            rows.sweep(now_ms);
            assert_eq!(ticket().standing(&rows, now_ms), None, "after {days} days");
        }
    }

    #[test]
    fn a_clock_that_was_set_back_costs_nobody_a_session() {
        assert!(ticket().standing(&Bindings::in_memory(), NOW_MS - 5 * DAY_MS).is_some());
    }
}
