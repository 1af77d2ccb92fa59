//! Webhooks as they run: the directory everybody reads, and the actor that drives the outbox.

mod actor;
mod hook_registry;
mod messages;
mod send;

use std::sync::Arc;

use actix::Addr;
use rogerrat_domain::webhook::{Delivery, Hook, Secret};
use rogerrat_domain::{Encryptor, HubKey};

pub(crate) use actor::WebhookActor;
pub(crate) use hook_registry::{HookHandle, HookRegistry, QueuePermit};
pub(crate) use messages::{Forget, Forgotten, Named, Rotate, Subscribe, Unsubscribe, Wake};

/// What a channel needs to have its webhooks told.
#[derive(Clone)]
pub(crate) struct Webhooks {
    pub(crate) hooks: Arc<HookRegistry>,
    pub(crate) addr: Addr<WebhookActor>,
    pub(crate) messages: Encryptor,
}

/// What hides the messages of due deliveries on disk.
pub(crate) fn messages(key: &HubKey) -> Encryptor {
    Encryptor::new(key, "webhook message")
}

/// What hides the secrets of webhooks on disk.
pub(crate) fn secrets(key: &HubKey) -> Encryptor {
    Encryptor::new(key, "webhook secret")
}

/// Says whether what is kept of webhooks can be read with a hub's key. It shows nothing of it.
pub struct HookEncryptors {
    messages: Encryptor,
    secrets: Encryptor,
}

impl HookEncryptors {
    /// The vaults of the hub that has this key.
    #[must_use]
    pub fn of(key: &HubKey) -> Self {
        Self { messages: messages(key), secrets: secrets(key) }
    }

    /// Whether the secrets of a hook open.
    #[must_use]
    pub fn opens_secrets(&self, hook: &Hook) -> bool {
        let previous = hook.previous.iter().map(|previous| &previous.secret);
        previous.chain([&hook.secret]).all(|hidden| secret(&self.secrets, hook, hidden).is_some())
    }

    /// Whether the hidden message of a delivery opens.
    #[must_use]
    pub fn opens_message(&self, delivery: &Delivery, hidden: &[u8]) -> bool {
        self.messages.open(hidden, &delivery.context()).is_some()
    }
}

/// A secret of a hook.
fn secret(secrets: &Encryptor, hook: &Hook, hidden: &str) -> Option<Secret> {
    Secret::read(&secrets.open_text(hidden, hook.id.as_str())?)
}
