//! The ports a hub stands on.

use std::sync::Arc;

use crate::accounts::Accounts;
use crate::log::Log;
use crate::memory_accounts::MemoryAccounts;
use crate::poster::Poster;

/// Where a hub keeps what must not be forgotten, and how it reaches out.
#[derive(Clone)]
pub struct Ports {
    /// What happens on channels.
    pub log: Arc<dyn Log>,
    /// Who owns what.
    pub accounts: Arc<dyn Accounts>,
    /// Where webhooks are posted.
    pub poster: Arc<dyn Poster>,
}

impl Ports {
    /// Everything in one place.
    pub fn of<S: Log + Accounts>(store: Arc<S>, poster: Arc<dyn Poster>) -> Self {
        Self { log: store.clone(), accounts: store, poster }
    }

    /// A log, and accounts that are forgotten.
    pub fn with_log(log: Arc<dyn Log>, poster: Arc<dyn Poster>) -> Self {
        Self { accounts: Arc::new(MemoryAccounts::beside(log.clone())), log, poster }
    }
}
