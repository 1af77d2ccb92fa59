//! Rate limits per client address: creates, joins, sends, accounts, QR codes and push subscriptions per minute, e-mails
//! per hour (D26). The channel enforces the limits per session.

use std::net::IpAddr;
use std::num::NonZeroU32;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota};
use rogerrat_actors::rate_limit_key;
use rogerrat_domain::{Code, Refusal};

use crate::config::Limits;

/// The limits per address.
pub(crate) struct RateLimiter {
    pub(crate) creates: AddressLimit,
    pub(crate) joins: AddressLimit,
    pub(crate) sends: AddressLimit,
    pub(crate) accounts: AddressLimit,
    pub(crate) qr_codes: AddressLimit,
    pub(crate) pushes: AddressLimit,
    pub(crate) emails: AddressLimit,
}

/// One limit per address. A limit of 0 means unlimited.
pub(crate) struct AddressLimit {
    what: &'static str,
    count: u32,
    window: &'static str,
    limiter: Option<DefaultKeyedRateLimiter<IpAddr>>,
}

impl RateLimiter {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            creates: AddressLimit::new("creates", limits.create_per_address),
            joins: AddressLimit::new("joins", limits.join_per_address),
            sends: AddressLimit::new("sends", limits.send_per_address),
            accounts: AddressLimit::new("accounts", limits.account_per_address),
            qr_codes: AddressLimit::new("QR codes", limits.qr_per_address),
            pushes: AddressLimit::new("push subscriptions and tests", limits.push_per_address),
            emails: AddressLimit::hourly("e-mails", limits.email_per_address),
        }
    }

    /// Removes addresses without recent requests.
    pub(crate) fn prune(&self) {
        for limit in
            [&self.creates, &self.joins, &self.sends, &self.accounts, &self.qr_codes, &self.pushes, &self.emails]
        {
            if let Some(limiter) = &limit.limiter {
                limiter.retain_recent();
                limiter.shrink_to_fit();
            }
        }
    }
}

impl AddressLimit {
    fn new(what: &'static str, per_minute: u32) -> Self {
        Self::with(what, per_minute, "minute", Quota::per_minute)
    }

    fn hourly(what: &'static str, per_hour: u32) -> Self {
        Self::with(what, per_hour, "hour", Quota::per_hour)
    }

    fn with(what: &'static str, count: u32, window: &'static str, quota: fn(NonZeroU32) -> Quota) -> Self {
        let limiter = NonZeroU32::new(count).map(|n| governor::RateLimiter::keyed(quota(n)));
        Self { what, count, window, limiter }
    }

    /// Counts one request of an address.
    ///
    /// # Errors
    /// `rate_limited`, with the time after which to retry.
    pub(crate) fn count(&self, address: impl FnOnce() -> IpAddr) -> Result<(), Refusal> {
        let Some(limiter) = &self.limiter else { return Ok(()) };
        limiter.check_key(&rate_limit_key(address())).map_err(|not_until| {
            let wait = not_until.wait_time_from(DefaultClock::default().now());
            let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            let text = format!("rate limit exceeded ({} {} per {} per address)", self.count, self.what, self.window);
            Refusal::new(Code::RateLimited, text).retry_after_ms(wait_ms.max(1))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d26_every_address_has_a_limit_of_its_own() {
        let limit = AddressLimit::new("joins", 3);
        let here = || IpAddr::from([127, 0, 0, 1]);
        for _ in 0..3 {
            limit.count(here).unwrap();
        }
        let refusal = limit.count(here).unwrap_err();
        assert_eq!(refusal.code, Code::RateLimited);
        assert!(refusal.retry_after_ms.unwrap() <= 20_000);
        limit.count(|| IpAddr::from([127, 0, 0, 2])).unwrap();
        AddressLimit::new("joins", 0).count(|| unreachable!("the address is not resolved without a limit")).unwrap();
    }
}
