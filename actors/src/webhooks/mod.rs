//! Webhooks at run time: the hooks in memory, and the actor that drives the outbox.

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

/// What a channel needs to queue webhook deliveries.
#[derive(Clone)]
pub(crate) struct Webhooks {
    pub(crate) hooks: Arc<HookRegistry>,
    pub(crate) addr: Addr<WebhookActor>,
    pub(crate) messages: Encryptor,
}

/// Encrypts the messages of due deliveries on disk.
pub(crate) fn messages(key: &HubKey) -> Encryptor {
    Encryptor::new(key, "webhook message")
}

/// Encrypts the secrets of webhooks on disk.
pub(crate) fn secrets(key: &HubKey) -> Encryptor {
    Encryptor::new(key, "webhook secret")
}

/// Checks whether stored webhooks can be decrypted with a hub's key. It reveals nothing of them.
pub struct HookEncryptors {
    messages: Encryptor,
    secrets: Encryptor,
}

impl HookEncryptors {
    /// The encryptors of the hub with this key.
    #[must_use]
    pub fn of(key: &HubKey) -> Self {
        Self { messages: messages(key), secrets: secrets(key) }
    }

    /// Whether the secrets of a hook can be decrypted.
    #[must_use]
    pub fn opens_secrets(&self, hook: &Hook) -> bool {
        let previous = hook.previous.iter().map(|previous| &previous.secret);
        previous.chain([&hook.secret]).all(|hidden| secret(&self.secrets, hook, hidden).is_some())
    }

    /// Whether the encrypted message of a delivery can be decrypted.
    #[must_use]
    pub fn opens_message(&self, delivery: &Delivery, hidden: &[u8]) -> bool {
        self.messages.decrypt(hidden, &delivery.context()).is_some()
    }
}

/// Decrypts a secret of a hook.
fn secret(secrets: &Encryptor, hook: &Hook, hidden: &str) -> Option<Secret> {
    Secret::parse(&secrets.decrypt_text(hidden, hook.id.as_str())?)
}
