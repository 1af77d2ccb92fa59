//! Counts wrong guesses at a secret, for each address, in a minute.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use rogerrat_domain::limits::WINDOW_MS;
use rogerrat_domain::{Code, Now, Refusal};

/// Addresses remembered at most; beyond that, old ones are forgotten before a new one is.
const REMEMBERED: usize = 10_000;

/// Wrong guesses lately, at secrets that are told apart by a key.
#[derive(Debug)]
pub struct Attempts<K> {
    what: &'static str,
    bound: u32,
    /// Since when, and how many.
    wrong: Mutex<HashMap<(K, IpAddr), (u64, u32)>>,
}

impl<K: Clone + Eq + Hash> Attempts<K> {
    /// Counts guesses at what is called `what`, and allows `bound` wrong ones a minute.
    #[must_use]
    pub fn new(what: &'static str, bound: u32) -> Self {
        Self { what, bound, wrong: Mutex::default() }
    }

    /// Refuses who has guessed wrong too often.
    ///
    /// # Errors
    /// `rate_limited`, with when to come back.
    pub fn check(&self, key: &K, address: IpAddr, now: Now) -> Result<(), Refusal> {
        let wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        match wrong.get(&(key.clone(), address)) {
            Some((since_ms, n)) if *n >= self.bound && now.uptime_ms < since_ms + WINDOW_MS => {
                let wait_ms = since_ms + WINDOW_MS - now.uptime_ms;
                Err(Refusal::new(Code::RateLimited, format!("too many wrong {}", self.what)).retry_after_ms(wait_ms))
            }
            _ => Ok(()),
        }
    }

    /// Counts a wrong one.
    pub fn wrong(&self, key: &K, address: IpAddr, now: Now) {
        let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        if wrong.len() >= REMEMBERED {
            wrong.retain(|_, (since_ms, _)| now.uptime_ms < *since_ms + WINDOW_MS);
        }
        if wrong.len() >= REMEMBERED {
            wrong.clear();
        }
        let (since_ms, n) = wrong.entry((key.clone(), address)).or_insert((now.uptime_ms, 0));
        if now.uptime_ms >= *since_ms + WINDOW_MS {
            (*since_ms, *n) = (now.uptime_ms, 0);
        }
        *n += 1;
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
}
