//! How many e-mails are sent to one address, for one account, and by the hub.
//!
//! A caller sees a refusal only because of what it did itself, so that no refusal reveals whether an address recovers an
//! account, or what others did with it. Beyond the other limits an e-mail is not sent, and the reply is the same.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rogerrat_domain::email::EmailLookup;
use rogerrat_domain::limits::{EMAIL_ACCOUNT_WINDOW_MS, EMAIL_WINDOW_MS, EMAILS_PER_ACCOUNT, EMAILS_PER_ADDRESS};
use rogerrat_domain::{AccountId, Code, Now, Refusal};

/// Keys from which on those without a recent event are removed.
const PRUNE_KEYS: usize = 1024;

/// Counts recent events by key. Every event is an e-mail, so the limit of the hub bounds the number of keys.
struct Recent<K> {
    bound: usize,
    window_ms: u64,
    times_ms: HashMap<K, VecDeque<u64>>,
    prune_at: usize,
}

impl<K: Eq + Hash> Recent<K> {
    fn new(bound: usize, window_ms: u64) -> Self {
        Self { bound, window_ms, times_ms: HashMap::new(), prune_at: PRUNE_KEYS }
    }

    /// How long the key must wait for its next event; none if it need not.
    fn wait_ms(&mut self, key: &K, now: Now) -> Option<u64> {
        let times = self.times_ms.get_mut(key)?;
        while times.front().is_some_and(|at_ms| at_ms + self.window_ms <= now.uptime_ms) {
            times.pop_front();
        }
        let oldest = times.front().filter(|_| times.len() >= self.bound)?;
        Some(oldest + self.window_ms - now.uptime_ms)
    }

    fn count(&mut self, key: K, now: Now) {
        if self.times_ms.len() >= self.prune_at {
            let window_ms = self.window_ms;
            self.times_ms.retain(|_, times| times.back().is_some_and(|at_ms| at_ms + window_ms > now.uptime_ms));
            self.prune_at = PRUNE_KEYS.max(2 * self.times_ms.len());
        }
        let times = self.times_ms.entry(key).or_default();
        times.push_back(now.uptime_ms);
        // Older ones do not matter any more.
        while times.len() > self.bound.max(1) {
            times.pop_front();
        }
    }
}

/// The limits of e-mails.
pub(crate) struct MailLimits(Mutex<Counts>);

struct Counts {
    /// E-mails with a code, by account and address: what a caller sees.
    own_codes: Recent<(AccountId, EmailLookup)>,
    own_codes_a_day: Recent<AccountId>,
    /// E-mails with a code, of the whole hub: what all callers see.
    codes: Recent<()>,
    codes_to: Recent<EmailLookup>,
    links_to: Recent<EmailLookup>,
    links_for: Recent<AccountId>,
    all: Recent<()>,
}

impl MailLimits {
    pub(crate) fn new(per_hour: u32) -> Self {
        let per_hour = per_hour as usize;
        Self(Mutex::new(Counts {
            own_codes: Recent::new(EMAILS_PER_ADDRESS, EMAIL_WINDOW_MS),
            own_codes_a_day: Recent::new(EMAILS_PER_ACCOUNT, EMAIL_ACCOUNT_WINDOW_MS),
            codes: Recent::new(per_hour, EMAIL_WINDOW_MS),
            codes_to: Recent::new(EMAILS_PER_ADDRESS, EMAIL_WINDOW_MS),
            links_to: Recent::new(EMAILS_PER_ADDRESS, EMAIL_WINDOW_MS),
            links_for: Recent::new(EMAILS_PER_ACCOUNT, EMAIL_ACCOUNT_WINDOW_MS),
            all: Recent::new(per_hour, EMAIL_WINDOW_MS),
        }))
    }

    /// Counts an e-mail with a code. Returns whether it may be sent; the reply is the same if not.
    ///
    /// # Errors
    /// `rate_limited`, with the time after which to retry.
    pub(crate) fn code(&self, account: &AccountId, lookup: &EmailLookup, now: Now) -> Result<bool, Refusal> {
        let mut counts = self.lock();
        let own = (account.clone(), lookup.clone());
        let refused = [
            (counts.own_codes.wait_ms(&own, now), "too many codes for this address; an hour allows 3"),
            (counts.own_codes_a_day.wait_ms(account, now), "too many codes for this account; a day allows 10"),
            (counts.codes.wait_ms(&(), now), "this hub has sent as many e-mails as it may in an hour"),
        ];
        if let Some((wait_ms, text)) = refused.into_iter().find_map(|(wait_ms, text)| Some((wait_ms?, text))) {
            let refusal = Refusal::new(Code::RateLimited, text).retry_after_ms(wait_ms);
            return Err(refusal.hint("look for the last code in your inbox and its spam folder, or ask later"));
        }
        counts.own_codes.count(own, now);
        counts.own_codes_a_day.count(account.clone(), now);
        counts.codes.count((), now);
        if counts.codes_to.wait_ms(lookup, now).is_some() || counts.all.wait_ms(&(), now).is_some() {
            return Ok(false);
        }
        counts.codes_to.count(lookup.clone(), now);
        counts.all.count((), now);
        Ok(true)
    }

    /// Counts an e-mail with links that recover accounts. Returns the accounts for which it may have one; without any it
    /// is not sent.
    pub(crate) fn links(&self, lookup: &EmailLookup, accounts: Vec<AccountId>, now: Now) -> Vec<AccountId> {
        let mut counts = self.lock();
        if counts.links_to.wait_ms(lookup, now).is_some() || counts.all.wait_ms(&(), now).is_some() {
            return Vec::new();
        }
        let mut accounts = accounts;
        accounts.retain(|account| counts.links_for.wait_ms(account, now).is_none());
        if !accounts.is_empty() {
            accounts.iter().for_each(|account| counts.links_for.count(account.clone(), now));
            counts.links_to.count(lookup.clone(), now);
            counts.all.count((), now);
        }
        accounts
    }

    /// Counts an e-mail about what happened to an address. It is always sent: each follows one that was limited.
    pub(crate) fn notice(&self, now: Now) {
        self.lock().all.count((), now);
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use rogerrat_domain::HubKey;
    use rogerrat_domain::email::{EmailAddress, EmailKeys};

    use super::*;

    const HOUR_MS: u64 = 3_600_000;

    fn at(uptime_ms: u64) -> Now {
        Now { at_ms: 0, uptime_ms }
    }

    fn to(name: &str) -> EmailLookup {
        EmailKeys::of(&HubKey::new([7; 32])).lookup(&EmailAddress::parse(&format!("{name}@example.org")).unwrap())
    }

    #[test]
    fn a_caller_is_refused_for_its_own_codes_only() {
        let (limits, [ann, bob]) = (MailLimits::new(100), [1, 2].map(AccountId::from_random));
        for _ in 0..3 {
            assert!(limits.code(&ann, &to("x"), at(0)).unwrap());
        }
        let refusal = limits.code(&ann, &to("x"), at(1000)).unwrap_err();
        assert_eq!((refusal.code, refusal.retry_after_ms), (Code::RateLimited, Some(HOUR_MS - 1000)));
        assert!(!limits.code(&bob, &to("x"), at(1000)).unwrap(), "the same reply, but nothing is sent");
        assert!(limits.code(&ann, &to("y"), at(1000)).unwrap());
        assert!(limits.code(&ann, &to("x"), at(HOUR_MS)).unwrap());
    }

    #[test]
    fn an_account_gets_ten_codes_a_day() {
        let (limits, ann) = (MailLimits::new(100), AccountId::from_random(1));
        for n in 0..10 {
            assert!(limits.code(&ann, &to(&format!("x{n}")), at(0)).unwrap());
        }
        limits.code(&ann, &to("another"), at(23 * HOUR_MS)).unwrap_err();
        limits.code(&ann, &to("another"), at(24 * HOUR_MS)).unwrap();
    }

    #[test]
    fn links_are_limited_for_address_account_and_hub_but_not_by_codes() {
        let (limits, [ann, bob]) = (MailLimits::new(8), [1, 2].map(AccountId::from_random));
        for _ in 0..3 {
            limits.code(&bob, &to("x"), at(0)).unwrap();
        }
        for _ in 0..3 {
            assert_eq!(limits.links(&to("x"), vec![ann.clone()], at(0)), std::slice::from_ref(&ann));
        }
        assert!(limits.links(&to("x"), vec![ann.clone()], at(0)).is_empty());
        assert_eq!(limits.links(&to("y"), vec![bob.clone()], at(0)).len(), 1);
        limits.notice(at(0));
        assert!(limits.links(&to("z"), vec![bob.clone()], at(0)).is_empty(), "the hub sent eight");
        assert!(!limits.code(&ann, &to("new"), at(0)).unwrap(), "how many links were sent is not shown");
        for hour in 1..8 {
            let left = usize::from(3 + hour <= 10);
            assert_eq!(limits.links(&to("x"), vec![ann.clone()], at(hour * HOUR_MS)).len(), left, "ten a day");
        }
    }

    #[test]
    fn what_is_counted_is_forgotten() {
        let mut recent = Recent::new(3, HOUR_MS);
        for n in 0..100_000_u64 {
            recent.count(n, at(n * 1000));
        }
        assert!(recent.times_ms.len() <= 2 * 3600 + PRUNE_KEYS, "{}", recent.times_ms.len());
    }
}
