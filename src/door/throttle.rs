//! Limits for an address: creates, joins and sends a minute (D26). A session's own limit stands in the channel.

use std::net::IpAddr;
use std::num::NonZeroU32;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use rogerrat_actors::household;
use rogerrat_domain::{Code, Refusal};

use crate::config::Limits;

/// What is counted.
pub(crate) struct Throttle {
    pub(crate) creates: Limit,
    pub(crate) joins: Limit,
    pub(crate) sends: Limit,
    pub(crate) accounts: Limit,
}

/// One limit; none lets everybody through.
pub(crate) struct Limit {
    what: &'static str,
    per_minute: u32,
    limiter: Option<DefaultKeyedRateLimiter<IpAddr>>,
}

impl Throttle {
    pub(crate) fn of(limits: &Limits) -> Self {
        Self {
            creates: Limit::new("creates", limits.create_per_address),
            joins: Limit::new("joins", limits.join_per_address),
            sends: Limit::new("sends", limits.send_per_address),
            accounts: Limit::new("accounts", limits.account_per_address),
        }
    }

    /// Forgets addresses that have been quiet.
    pub(crate) fn forget_the_quiet(&self) {
        for limit in [&self.creates, &self.joins, &self.sends, &self.accounts] {
            if let Some(limiter) = &limit.limiter {
                limiter.retain_recent();
                limiter.shrink_to_fit();
            }
        }
    }
}

impl Limit {
    fn new(what: &'static str, per_minute: u32) -> Self {
        let limiter = NonZeroU32::new(per_minute).map(|n| RateLimiter::keyed(Quota::per_minute(n)));
        Self { what, per_minute, limiter }
    }

    /// Counts one.
    ///
    /// # Errors
    /// `rate_limited`, with when to come back.
    pub(crate) fn count(&self, address: impl FnOnce() -> IpAddr) -> Result<(), Refusal> {
        let Some(limiter) = &self.limiter else { return Ok(()) };
        limiter.check_key(&household(address())).map_err(|not_until| {
            let wait = not_until.wait_time_from(DefaultClock::default().now());
            let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            let text = format!("rate limit exceeded ({} {} a minute for an address)", self.per_minute, self.what);
            Refusal::new(Code::RateLimited, text).retry_after_ms(wait_ms.max(1))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d26_an_address_is_limited_and_another_is_not() {
        let limit = Limit::new("joins", 3);
        let here = || IpAddr::from([127, 0, 0, 1]);
        for _ in 0..3 {
            limit.count(here).unwrap();
        }
        let refusal = limit.count(here).unwrap_err();
        assert_eq!(refusal.code, Code::RateLimited);
        assert!(refusal.retry_after_ms.unwrap() <= 20_000);
        limit.count(|| IpAddr::from([127, 0, 0, 2])).unwrap();
        Limit::new("joins", 0).count(|| unreachable!("an unlimited one does not look")).unwrap();
    }
}
