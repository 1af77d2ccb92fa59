//! Counts wrong guesses at a secret, for each address, in a window of time.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rogerrat_domain::limits::WINDOW_MS;
use rogerrat_domain::{Code, Now, Refusal};

/// Addresses remembered at most; beyond that, old ones are forgotten before a new one is.
const REMEMBERED: usize = 10_000;

/// Recent wrong guesses at secrets, each secret identified by a key.
#[derive(Debug)]
pub struct Attempts<K> {
    what: &'static str,
    bound: u32,
    window_ms: u64,
    wrong: Mutex<Wrong<K>>,
}

/// For each secret and address: when counting started, and the count.
type Wrong<K> = HashMap<(K, IpAddr), (u64, u32)>;

impl<K: Clone + Eq + Hash> Attempts<K> {
    /// Allows `bound` wrong guesses a minute; `what` names the secrets in the refusal.
    #[must_use]
    pub fn new(what: &'static str, bound: u32) -> Self {
        Self::in_window(what, bound, WINDOW_MS)
    }

    /// Allows `bound` wrong guesses in `window_ms` milliseconds after the first of them.
    #[must_use]
    pub fn in_window(what: &'static str, bound: u32, window_ms: u64) -> Self {
        Self { what, bound, window_ms, wrong: Mutex::default() }
    }

    /// Refuses an address that has guessed wrong too often.
    ///
    /// # Errors
    /// `rate_limited`, with the time after which to retry.
    pub fn check(&self, key: &K, address: IpAddr, now: Now) -> Result<(), Refusal> {
        self.refuse(&self.lock(), &(key.clone(), rate_limit_key(address)), now)
    }

    /// Counts a wrong guess.
    pub fn wrong(&self, key: &K, address: IpAddr, now: Now) {
        self.count(&mut self.lock(), (key.clone(), rate_limit_key(address)), now);
    }

    /// Counts a guess that was checked asynchronously, if it was wrong. Beyond the bound, parallel guesses are refused
    /// whether right or wrong, so that they reveal nothing.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub fn settle(&self, key: &K, address: IpAddr, now: Now, is_right: bool) -> Result<(), Refusal> {
        let (mut wrong, who) = (self.lock(), (key.clone(), rate_limit_key(address)));
        self.refuse(&wrong, &who, now)?;
        if !is_right {
            self.count(&mut wrong, who, now);
        }
        Ok(())
    }

    fn refuse(&self, wrong: &Wrong<K>, who: &(K, IpAddr), now: Now) -> Result<(), Refusal> {
        match wrong.get(who) {
            Some((since_ms, n)) if *n >= self.bound && now.uptime_ms < since_ms + self.window_ms => {
                let wait_ms = since_ms + self.window_ms - now.uptime_ms;
                Err(Refusal::new(Code::RateLimited, format!("too many wrong {}", self.what)).retry_after_ms(wait_ms))
            }
            _ => Ok(()),
        }
    }

    fn count(&self, wrong: &mut Wrong<K>, who: (K, IpAddr), now: Now) {
        if wrong.len() >= REMEMBERED {
            wrong.retain(|_, (since_ms, _)| now.uptime_ms < *since_ms + self.window_ms);
        }
        if wrong.len() >= REMEMBERED {
            wrong.clear();
        }
        let (since_ms, n) = wrong.entry(who).or_insert((now.uptime_ms, 0));
        if now.uptime_ms >= *since_ms + self.window_ms {
            (*since_ms, *n) = (now.uptime_ms, 0);
        }
        *n += 1;
    }

    fn lock(&self) -> MutexGuard<'_, Wrong<K>> {
        self.wrong.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The key under which an address is limited: the IPv4 address itself, or the /64 of an IPv6 address.
#[must_use]
pub fn rate_limit_key(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d22_five_wrong_passwords_a_minute() {
        let (attempts, channel) = (Attempts::new("owner passwords", 5), "c");
        let (here, there) = (IpAddr::from([127, 0, 0, 1]), IpAddr::from([127, 0, 0, 2]));
        let now = |s: u64| Now { at_ms: 0, uptime_ms: s * 1000 };
        for s in 0..5 {
            attempts.check(&channel, here, now(s)).unwrap();
            attempts.wrong(&channel, here, now(s));
        }
        assert_eq!(attempts.check(&channel, here, now(10)).unwrap_err().retry_after_ms, Some(50_000));
        attempts.check(&channel, there, now(10)).unwrap();
        attempts.check(&channel, here, now(60)).unwrap();
    }

    #[test]
    fn d22_parallel_guesses_do_not_pass_the_bound() {
        let attempts = Attempts::new("owner passwords", 5);
        let now = Now { at_ms: 0, uptime_ms: 0 };
        let near = |n: u16| IpAddr::from([0x2001, 0xdb8, 1, 2, 0, 0, 0, n]);
        for n in 0..8 {
            attempts.check(&"c", near(n), now).unwrap();
        }
        let results: Vec<_> = (0..8).map(|n| attempts.settle(&"c", near(n), now, n == 7).is_ok()).collect();
        assert_eq!(
            results,
            [true, true, true, true, true, false, false, false],
            "one rate_limit_key, and the right one is too late"
        );
        let agents: Vec<_> = (0..8).map(|_| attempts.settle(&"d", near(0), now, true)).collect();
        assert!(agents.iter().all(Result::is_ok), "the right password is accepted from many agents");
    }
}
