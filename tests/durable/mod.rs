//! What a hub stores: tests kill or stop a hub and start it again on its address and data directory.
//!
//! `tests/torture` kills hubs at random moments under load.

mod delivery;
mod full;
mod history;
mod kit;
mod members;
mod memory;
mod reading;
mod settings;
mod stopping;
mod transcripts;
