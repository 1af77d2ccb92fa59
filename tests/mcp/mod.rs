//! The MCP interface: both protocol versions, both endpoints, long waits, and invalid requests.
//!
//! `tests/mcp/run` runs the official conformance suite and the client SDKs in `tests/mcp/clients`.

mod access;
mod accounts;
mod batches;
mod bounded;
pub(crate) mod client;
mod clients;
mod forgery;
mod given_up;
mod invalid_requests;
mod lists;
mod modern;
mod schemas;
mod sessions;
mod shared_connections;
mod tasks;
mod tools;
mod waiting;
