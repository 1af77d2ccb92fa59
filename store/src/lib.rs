//! The durable stores of a rogerrat hub: each implements [`Log`](rogerrat_actors::Log),
//! [`WebhookStore`](rogerrat_actors::WebhookStore) and [`Accounts`](rogerrat_actors::Accounts).
//!
//! - [`Store`] keeps everything in one SQLite file, for a single hub. [`back_up`], [`restore`] and [`verify()`] work on its data
//!   directory without a [`Store`].
//! - [`PostgresStore`] keeps everything in a PostgreSQL database that several hubs may share. It is compiled with the feature
//!   `postgres`. [`import()`] copies a data directory into an empty one, and [`verify_database`] checks one.
//!
//! A store knows no rules of channels, and keeps no message text in memory beyond a transaction or a reply.
#![warn(missing_docs)]
#![cfg_attr(not(feature = "postgres"), allow(rustdoc::broken_intra_doc_links))]

#[cfg(feature = "postgres")]
mod postgres;
mod shared;
mod sqlite;
#[cfg(test)]
mod tests;

#[cfg(feature = "postgres")]
pub use postgres::{
    DatabaseReport, ImportError, PostgresError, PostgresOptions, PostgresStore, RunningHub, import, verify_database,
};
pub use sqlite::{Store, StoreError, StoreOptions, VerifyReport, back_up, existing_hub_key, hub_key, restore, verify};
