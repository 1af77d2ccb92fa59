//! How identities and accounts stand right now, for the actors of all channels: which keys have ended, and how much each
//! account has sent lately.
//!
//! A join is proved before it comes into a mailbox, and the key may end in between. Whoever ends a key says so here first
//! and then goes round the channels; a channel first says that an identity is there and then looks here. So one of the
//! two sees the other.

use dashmap::DashMap;
use rogerrat_domain::limits::WINDOW_MS;
use rogerrat_domain::{AccountId, Code, Identity, Now, RateWindow, Refusal};

/// How long it is remembered that a key has ended: longer than any join is on its way.
const REMEMBERED_MS: u64 = 10 * 60_000;

/// How identities and accounts stand.
#[derive(Debug, Default)]
pub(crate) struct AccountPolicy {
    /// The numbers of keys that have ended, and at which uptime. A number is never used again.
    ended: DashMap<u64, u64>,
    /// What accounts have sent in the last minute, and at which uptime last.
    sent: DashMap<AccountId, (RateWindow, u64)>,
    /// What an account may send in a minute.
    sends_per_minute: Option<u32>,
}

impl AccountPolicy {
    pub(crate) fn new(sends_per_minute: Option<u32>) -> Self {
        Self { sends_per_minute, ..Self::default() }
    }

    /// Says that a key is good no more.
    pub(crate) fn end(&self, identity: &Identity, now: Now) {
        self.ended.insert(identity.key_no, now.uptime_ms);
    }

    /// Whether a key has ended lately.
    pub(crate) fn has_ended(&self, identity: &Identity) -> bool {
        self.ended.contains_key(&identity.key_no)
    }

    /// Counts a message of an account.
    ///
    /// # Errors
    /// `rate_limited`, with when to come back. Then it is not counted.
    pub(crate) fn count_send(&self, account: &AccountId, now: Now) -> Result<(), Refusal> {
        if self.sends_per_minute.is_none() {
            return Ok(());
        }
        let mut sent = self.sent.entry(account.clone()).or_default();
        let (window, last_ms) = &mut *sent;
        if let Some(quota) = window.quota(self.sends_per_minute, now).filter(|quota| quota.remaining == 0) {
            let wait_ms = quota.reset_at_ms.saturating_sub(now.at_ms).max(1);
            let text = format!("rate limit exceeded ({} sends a minute for an account)", quota.limit);
            return Err(Refusal::new(Code::RateLimited, text).retry_after_ms(wait_ms));
        }
        window.count(self.sends_per_minute, now);
        *last_ms = now.uptime_ms;
        Ok(())
    }

    /// Forgets what no longer matters.
    pub(crate) fn sweep(&self, now: Now) {
        self.ended.retain(|_, at_ms| now.uptime_ms < *at_ms + REMEMBERED_MS);
        self.sent.retain(|_, (_, last_ms)| now.uptime_ms < *last_ms + WINDOW_MS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_has_one_window_for_all_its_identities() {
        let standing = AccountPolicy::new(Some(2));
        let now = |s: u64| Now { at_ms: 1_000_000 + s * 1000, uptime_ms: s * 1000 };
        let (ours, theirs) = (AccountId::from_random(1), AccountId::from_random(2));
        standing.count_send(&ours, now(0)).unwrap();
        standing.count_send(&ours, now(10)).unwrap();
        let refusal = standing.count_send(&ours, now(20)).unwrap_err();
        assert_eq!((refusal.code, refusal.retry_after_ms), (Code::RateLimited, Some(40_000)));
        standing.count_send(&theirs, now(20)).unwrap();
        standing.count_send(&ours, now(60)).unwrap();
        standing.sweep(now(90));
        assert_eq!(standing.sent.len(), 1);
        let free = AccountPolicy::new(None);
        (0..10).for_each(|_| free.count_send(&ours, now(0)).unwrap());
    }

    #[test]
    fn a_key_that_ended_is_remembered_for_a_while() {
        let standing = AccountPolicy::new(None);
        let now = |uptime_ms| Now { at_ms: 0, uptime_ms };
        let (old, new) = (1, 2);
        let key = |key_no| Identity { account: AccountId::from_random(1), key_no };
        standing.end(&key(old), now(0));
        standing.sweep(now(REMEMBERED_MS - 1));
        assert!(standing.has_ended(&key(old)) && !standing.has_ended(&key(new)));
        standing.sweep(now(REMEMBERED_MS));
        assert!(!standing.has_ended(&key(old)));
    }
}
