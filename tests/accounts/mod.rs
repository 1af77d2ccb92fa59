//! Accounts, identities, owned channels and trust mode over HTTP.

mod account;
mod identities;
mod joining;
mod keeping;
mod kit;
mod owned;
mod quotas;
mod strangers;
mod trust;
