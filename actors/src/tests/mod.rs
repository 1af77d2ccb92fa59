//! Tests of the actors on paused time: an hour passes in microseconds, and no test sleeps.

mod clock;
mod cluster;
mod consumers;
mod crash_recovery;
mod durable;
mod emails;
mod harness;
mod instances;
mod log;
mod log_contract;
mod log_contracts;
mod log_writes;
mod memory_size;
mod metrics;
mod push;
mod push_reminders;
mod push_service;
mod revoked_keys;
mod shared_log_contract;
mod shutdown;
mod waiting;
mod webhook_receiver;
mod webhooks;
