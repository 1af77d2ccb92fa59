//! The ports a hub stands on.

use std::sync::Arc;

use crate::accounts::Accounts;
use crate::log::Log;
use crate::memory_accounts::MemoryAccounts;
use crate::poster::{Nowhere, Poster};

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
    pub fn of<S: Log + Accounts>(store: Arc<S>) -> Self {
        Self { log: store.clone(), accounts: store, poster: Arc::new(Nowhere) }
    }

    /// A log, and accounts that are forgotten.
    pub fn with_log(log: Arc<dyn Log>) -> Self {
        Self { accounts: Arc::new(MemoryAccounts::beside(log.clone())), log, poster: Arc::new(Nowhere) }
    }

    /// The same with a way out for webhooks; without one nothing can be subscribed.
    #[must_use]
    pub fn posting(self, poster: Arc<dyn Poster>) -> Self {
        Self { poster, ..self }
    }
}
