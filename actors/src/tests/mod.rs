//! Tests of the actors on paused time: an hour passes in microseconds, and no test sleeps.

mod clock;
mod consumers;
mod crash_recovery;
mod durable;
mod emails;
mod harness;
mod log;
mod log_writes;
mod memory_size;
mod metrics;
mod push;
mod push_service;
mod revoked_keys;
mod shutdown;
mod waiting;
mod webhook_receiver;
mod webhooks;
