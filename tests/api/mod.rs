//! The HTTP API, with one hub process and one data directory for each test.
//!
//! Tests are named after the promises of `docs/PROMISES.md`. Tests without a number check the wire format of the original.

mod access_control;
mod acks;
mod admin;
mod body_limits;
mod bounded;
mod compatibility;
mod concurrency;
mod credentials;
mod delivery;
mod description;
mod gaps_and_direct_messages;
mod headers_and_paths;
mod limits;
mod malformed;
mod malformed_requests;
mod messages;
mod metrics;
mod own_messages;
mod presence;
mod receipts_and_threads;
mod requests;
mod sessions;
mod shutdown;
mod side_events;
mod snippets;
mod startup;
mod streams;
mod task_refusals;
mod tasks;
