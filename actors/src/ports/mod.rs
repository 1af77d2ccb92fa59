//! The ports of a hub: traits for storage and for sending webhooks, implemented outside this crate.

pub(crate) mod accounts;
pub(crate) mod emails;
pub(crate) mod error;
pub(crate) mod facts;
pub(crate) mod instances;
pub(crate) mod lanes;
pub(crate) mod log;
pub(crate) mod mail_sender;
pub(crate) mod peers;
pub(crate) mod push_sender;
pub(crate) mod webhook_sender;
pub(crate) mod webhook_store;

use std::sync::Arc;

use crate::memory::MemoryAccounts;
use crate::ports::accounts::Accounts;
use crate::ports::log::Log;
use crate::ports::mail_sender::MailSender;
use crate::ports::push_sender::{DisabledPush, PushSender};
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
    /// Sends web push messages.
    pub push_sender: Arc<dyn PushSender>,
    /// Sends e-mails; none sends none.
    pub mail_sender: Option<Arc<dyn MailSender>>,
}

fn no_push() -> Arc<dyn PushSender> {
    Arc::new(DisabledPush("it was started without a sender".into()))
}

impl Ports {
    /// A store that implements both storage ports; webhooks and e-mail are disabled.
    pub fn of<S: Log + Accounts>(store: Arc<S>) -> Self {
        let (webhook_sender, push_sender) = (Arc::new(DisabledSender), no_push());
        Self { log: store.clone(), accounts: store, webhook_sender, push_sender, mail_sender: None }
    }

    /// A log, and accounts in memory that are lost when the hub stops; webhooks and e-mail are disabled.
    pub fn with_log(log: Arc<dyn Log>) -> Self {
        Self {
            accounts: Arc::new(MemoryAccounts::beside(log.clone())),
            log,
            webhook_sender: Arc::new(DisabledSender),
            push_sender: no_push(),
            mail_sender: None,
        }
    }

    /// Enables webhooks, sent by `webhook_sender`.
    #[must_use]
    pub fn posting(self, webhook_sender: Arc<dyn WebhookSender>) -> Self {
        Self { webhook_sender, ..self }
    }

    /// Enables web push, sent by `push_sender`.
    #[must_use]
    pub fn pushing(self, push_sender: Arc<dyn PushSender>) -> Self {
        Self { push_sender, ..self }
    }

    /// Enables e-mail, sent by `mail_sender`.
    #[must_use]
    pub fn mailing(self, mail_sender: Arc<dyn MailSender>) -> Self {
        Self { mail_sender: Some(mail_sender), ..self }
    }
}
