//! Counts wrong owner passwords, for each channel and address, in a minute.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use rogerrat_domain::limits::{PASSWORD_ATTEMPTS, WINDOW_MS};
use rogerrat_domain::{ChannelId, Code, Now, Refusal};

/// Addresses remembered at most; beyond that, old ones are forgotten before a new one is.
const REMEMBERED: usize = 10_000;

/// Wrong passwords lately: since when, and how many.
#[derive(Debug, Default)]
pub struct Attempts(Mutex<HashMap<(ChannelId, IpAddr), (u64, u32)>>);

impl Attempts {
    /// Refuses who has guessed wrong too often.
    ///
    /// # Errors
    /// `rate_limited`, with when to come back.
    pub fn check(&self, channel: &ChannelId, address: IpAddr, now: Now) -> Result<(), Refusal> {
        let wrong = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match wrong.get(&(channel.clone(), address)) {
            Some((since_ms, n)) if *n >= PASSWORD_ATTEMPTS && now.uptime_ms < since_ms + WINDOW_MS => {
                let wait_ms = since_ms + WINDOW_MS - now.uptime_ms;
                Err(Refusal::new(Code::RateLimited, "too many wrong owner passwords").retry_after_ms(wait_ms))
            }
            _ => Ok(()),
        }
    }

    /// Counts a wrong one.
    pub fn wrong(&self, channel: &ChannelId, address: IpAddr, now: Now) {
        let mut wrong = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if wrong.len() >= REMEMBERED {
            wrong.retain(|_, (since_ms, _)| now.uptime_ms < *since_ms + WINDOW_MS);
        }
        if wrong.len() >= REMEMBERED {
            wrong.clear();
        }
        let (since_ms, n) = wrong.entry((channel.clone(), address)).or_insert((now.uptime_ms, 0));
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
        let (attempts, channel) = (Attempts::default(), ChannelId::parse("c").unwrap());
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
