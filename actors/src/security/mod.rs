//! Who may do what: bans, bounds on wrong passwords, password hashing, and what all channels know of revoked keys.

pub(crate) mod account_policy;
pub(crate) mod attempts;
pub(crate) mod bans;
pub(crate) mod password;
