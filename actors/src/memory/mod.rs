//! The ports in memory, without a disk: for tests, and for measuring the hub without its store.

mod accounts;
mod emails;
mod log;
mod shared_instances;
mod shared_log;
mod shared_webhooks;
mod webhook_store;

pub use accounts::MemoryAccounts;
pub use log::MemoryLog;
pub use shared_log::{MemoryInstance, SharedMemoryLog};
