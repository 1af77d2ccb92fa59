//! The ports in memory, without a disk: for tests, and for measuring the hub without its store.

mod accounts;
mod emails;
mod log;
mod shared_log;
mod webhook_store;

pub use accounts::MemoryAccounts;
pub use log::MemoryLog;
pub use shared_log::{MemoryInstance, SharedMemoryLog};
