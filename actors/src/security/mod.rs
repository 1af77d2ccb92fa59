//! Access checks: bans, limits on wrong passwords, password hashing, revoked keys and account rate limits.

pub(crate) mod account_policy;
pub(crate) mod attempts;
pub(crate) mod bans;
pub(crate) mod password;
