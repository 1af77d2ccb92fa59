//! What all channels check about identities and accounts: keys revoked lately, and the rate limit of each account over
//! all its channels.
//!
//! A join's key is verified before the join enters a mailbox, and may be revoked in between. Revoking adds the key here
//! first and then visits the channels; a channel first publishes that it has identities and then checks here. So one of
//! the two notices the other.

use dashmap::DashMap;
use rogerrat_domain::limits::WINDOW_MS;
use rogerrat_domain::{AccountId, Code, Identity, Now, RateWindow, Refusal};

/// How long a revoked key is remembered: longer than any join takes.
const REMEMBERED_MS: u64 = 10 * 60_000;

/// Revoked keys and send windows of accounts.
#[derive(Debug, Default)]
pub(crate) struct AccountPolicy {
    /// The numbers of revoked keys, each with the uptime of its revocation. Numbers are never used again.
    ended: DashMap<u64, u64>,
    /// The send window of each account, and the uptime of its last send.
    sent: DashMap<AccountId, (RateWindow, u64)>,
    /// Sends an account may make in a minute; none means no limit.
    sends_per_minute: Option<u32>,
}

impl AccountPolicy {
    pub(crate) fn new(sends_per_minute: Option<u32>) -> Self {
        Self { sends_per_minute, ..Self::default() }
    }

    /// Adds a revoked key.
    pub(crate) fn end(&self, identity: &Identity, now: Now) {
        self.ended.insert(identity.key_no, now.uptime_ms);
    }

    /// Whether a key has been revoked lately.
    pub(crate) fn has_ended(&self, identity: &Identity) -> bool {
        self.ended.contains_key(&identity.key_no)
    }

    /// Counts a send of an account.
    ///
    /// # Errors
    /// `rate_limited`, with the time after which to retry. The send is then not counted.
    pub(crate) fn count_send(&self, account: &AccountId, now: Now) -> Result<(), Refusal> {
        if self.sends_per_minute.is_none() {
            return Ok(());
        }
        let mut sent = self.sent.entry(account.clone()).or_default();
        let (window, last_ms) = &mut *sent;
        if let Some(quota) = window.quota(self.sends_per_minute, now).filter(|quota| quota.remaining == 0) {
            let wait_ms = quota.reset_at_ms.saturating_sub(now.at_ms).max(1);
            let text = format!("rate limit exceeded ({} sends per minute per account)", quota.limit);
            return Err(Refusal::new(Code::RateLimited, text).retry_after_ms(wait_ms));
        }
        window.count(self.sends_per_minute, now);
        *last_ms = now.uptime_ms;
        Ok(())
    }

    /// Removes expired keys and windows.
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
        let policy = AccountPolicy::new(Some(2));
        let now = |s: u64| Now { at_ms: 1_000_000 + s * 1000, uptime_ms: s * 1000 };
        let (ours, theirs) = (AccountId::from_random(1), AccountId::from_random(2));
        policy.count_send(&ours, now(0)).unwrap();
        policy.count_send(&ours, now(10)).unwrap();
        let refusal = policy.count_send(&ours, now(20)).unwrap_err();
        assert_eq!((refusal.code, refusal.retry_after_ms), (Code::RateLimited, Some(40_000)));
        policy.count_send(&theirs, now(20)).unwrap();
        policy.count_send(&ours, now(60)).unwrap();
        policy.sweep(now(90));
        assert_eq!(policy.sent.len(), 1);
        let free = AccountPolicy::new(None);
        (0..10).for_each(|_| free.count_send(&ours, now(0)).unwrap());
    }

    #[test]
    fn a_revoked_key_is_remembered_for_a_while() {
        let policy = AccountPolicy::new(None);
        let now = |uptime_ms| Now { at_ms: 0, uptime_ms };
        let (old, new) = (1, 2);
        let key = |key_no| Identity { account: AccountId::from_random(1), key_no };
        policy.end(&key(old), now(0));
        policy.sweep(now(REMEMBERED_MS - 1));
        assert!(policy.has_ended(&key(old)) && !policy.has_ended(&key(new)));
        policy.sweep(now(REMEMBERED_MS));
        assert!(!policy.has_ended(&key(old)));
    }
}
