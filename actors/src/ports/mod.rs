//! The ports of a hub: traits for storage and for sending webhooks, implemented outside this crate.

pub(crate) mod accounts;
pub(crate) mod error;
pub(crate) mod log;
pub(crate) mod webhook_sender;
pub(crate) mod webhook_store;

use std::sync::Arc;

use crate::memory::MemoryAccounts;
use crate::ports::accounts::Accounts;
use crate::ports::log::Log;
use crate::ports::webhook_sender::{DisabledSender, WebhookSender};

/// The implementations a hub runs on.
#[derive(Clone)]
pub struct Ports {
    /// Stores the records of channels.
    pub log: Arc<dyn Log>,
    /// Stores accounts and identities.
    pub accounts: Arc<dyn Accounts>,
    /// Sends webhook requests.
    pub webhook_sender: Arc<dyn WebhookSender>,
}

impl Ports {
    /// A store that implements both storage ports; webhooks are disabled.
    pub fn of<S: Log + Accounts>(store: Arc<S>) -> Self {
        Self { log: store.clone(), accounts: store, webhook_sender: Arc::new(DisabledSender) }
    }

    /// A log, and accounts in memory that are lost when the hub stops; webhooks are disabled.
    pub fn with_log(log: Arc<dyn Log>) -> Self {
        Self { accounts: Arc::new(MemoryAccounts::beside(log.clone())), log, webhook_sender: Arc::new(DisabledSender) }
    }

    /// Enables webhooks, sent by `webhook_sender`.
    #[must_use]
    pub fn posting(self, webhook_sender: Arc<dyn WebhookSender>) -> Self {
        Self { webhook_sender, ..self }
    }
}
