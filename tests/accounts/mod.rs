//! Accounts, identities, owned channels and trust mode over HTTP.

mod account;
pub(crate) mod account_client;
mod authorization;
mod identities;
mod joining;
mod owned;
mod persistence;
mod quotas;
mod sessions;
mod trust;
