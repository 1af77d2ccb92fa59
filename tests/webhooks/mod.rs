//! Webhooks, delivered to a receiver in Python that verifies their signatures.
//!
//! `tests/webhooks/run` verifies them with the public library of the Standard Webhooks.

mod account;
mod aimed;
mod delivery;
mod hooks;
mod kills;
pub(crate) mod receiver;
mod subscribing;
