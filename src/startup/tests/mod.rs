//! Two hubs on one log, in one process, and clients of either.

mod batches;
mod calls;
mod client;
mod cluster;
mod faults;
mod forwarded;
mod mcp;
mod moves;
mod proofs;
mod routes;
mod strangers;
mod waiting;
