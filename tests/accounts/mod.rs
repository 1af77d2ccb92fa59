//! Accounts, identities, owned channels and trust mode over HTTP.

mod account;
pub(crate) mod account_client;
mod authorization;
mod email;
mod email_aiosmtpd;
mod email_limits;
mod email_server;
mod identities;
mod joining;
mod mail_server;
mod owned;
mod persistence;
mod quotas;
mod sessions;
mod tasks;
mod trust;
