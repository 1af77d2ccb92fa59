//! The ports a hub stands on.

use std::sync::Arc;

use crate::accounts::Accounts;
use crate::log::Log;
use crate::memory_accounts::MemoryAccounts;

/// Where a hub keeps what must not be forgotten.
#[derive(Clone)]
pub struct Ports {
    /// What happens on channels.
    pub log: Arc<dyn Log>,
    /// Who owns what.
    pub accounts: Arc<dyn Accounts>,
}

impl Ports {
    /// Everything in one place.
    pub fn of<S: Log + Accounts>(store: Arc<S>) -> Self {
        Self { log: store.clone(), accounts: store }
    }

    /// A log, and accounts that are forgotten.
    pub fn with_log(log: Arc<dyn Log>) -> Self {
        Self { accounts: Arc::new(MemoryAccounts::beside(log.clone())), log }
    }
}
