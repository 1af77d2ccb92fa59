//! The ports a hub stands on.

pub(crate) mod accounts;
pub(crate) mod log;
pub(crate) mod webhook_sender;
pub(crate) mod webhook_store;

use std::sync::Arc;

use crate::memory::MemoryAccounts;
use crate::ports::accounts::Accounts;
use crate::ports::log::Log;
use crate::ports::webhook_sender::{DisabledSender, WebhookSender};

/// Where a hub keeps what must not be forgotten, and how it reaches out.
#[derive(Clone)]
pub struct Ports {
    /// What happens on channels.
    pub log: Arc<dyn Log>,
    /// Who owns what.
    pub accounts: Arc<dyn Accounts>,
    /// Where webhooks are posted.
    pub webhook_sender: Arc<dyn WebhookSender>,
}

impl Ports {
    /// Everything in one place.
    pub fn of<S: Log + Accounts>(store: Arc<S>) -> Self {
        Self { log: store.clone(), accounts: store, webhook_sender: Arc::new(DisabledSender) }
    }

    /// A log, and accounts that are forgotten.
    pub fn with_log(log: Arc<dyn Log>) -> Self {
        Self { accounts: Arc::new(MemoryAccounts::beside(log.clone())), log, webhook_sender: Arc::new(DisabledSender) }
    }

    /// The same with a way out for webhooks; without one nothing can be subscribed.
    #[must_use]
    pub fn posting(self, webhook_sender: Arc<dyn WebhookSender>) -> Self {
        Self { webhook_sender, ..self }
    }
}
