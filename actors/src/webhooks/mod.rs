//! Webhooks at run time: the hooks in memory, and the actor that drives the outbox.

mod actor;
mod hook_registry;
mod lanes;
mod messages;
mod owners;
mod push_actor;
mod push_attempt;
mod push_context;
mod push_reminders;
mod push_window;
mod saves;
mod send;

use std::sync::Arc;

use actix::Addr;
use rogerrat_domain::push::PushKeys;
use rogerrat_domain::webhook::{Delivery, Hook, HookId, RequestFormat, Secret};
use rogerrat_domain::{Encryptor, HubKey};

use crate::ports::error::LogError;
use crate::ports::log::Log;
use crate::random::nonce;

pub(crate) use actor::WebhookActor;
pub(crate) use hook_registry::{HookHandle, HookHandles, HookRegistry, QueuePermit};
pub(crate) use lanes::{LaneState, LeaveLanes, Reread, RereadAll, WakeLanes};
pub(crate) use messages::{Forget, Forgotten, Named, Rotate, Subscribe, Unsubscribe, Wake};
pub(crate) use push_actor::{DropPush, SubscribePush};
pub(crate) use push_context::PushContext;
pub(crate) use push_reminders::{AskedLeft, DueLooks, OwnSent};
pub(crate) use saves::UnsavedRows;

/// What a channel needs to queue webhook deliveries.
#[derive(Clone)]
pub(crate) struct Webhooks {
    pub(crate) hooks: Arc<HookRegistry>,
    pub(crate) addr: Addr<WebhookActor>,
    pub(crate) messages: Encryptor,
    pub(crate) formats: FormatEncryptor,
    pub(crate) secrets: Encryptor,
}

/// Encrypts the messages of due deliveries on disk.
pub(crate) fn messages(key: &HubKey) -> Encryptor {
    Encryptor::new(key, "webhook message")
}

/// Encrypts the secrets of webhooks on disk.
pub(crate) fn secrets(key: &HubKey) -> Encryptor {
    Encryptor::new(key, "webhook secret")
}

/// Encrypts the headers and body templates of webhooks on disk.
#[derive(Clone)]
pub(crate) struct FormatEncryptor(Encryptor);

impl FormatEncryptor {
    /// The encryptor of the hub with this key.
    pub(crate) fn new(key: &HubKey) -> Self {
        Self(Encryptor::new(key, "webhook format"))
    }

    /// Encrypts the format of a hook; none if it is the default.
    ///
    /// # Errors
    /// If it cannot be encoded.
    pub(crate) fn encrypt(&self, format: &RequestFormat, hook: &HookId) -> Result<Option<Arc<str>>, serde_json::Error> {
        if format.is_default() {
            return Ok(None);
        }
        let json = serde_json::to_vec(format)?;
        Ok(Some(self.0.encrypt_text(&json, hook.as_str(), nonce()).into()))
    }

    /// Decrypts the format of a hook. None if it cannot be decrypted.
    pub(crate) fn decrypt(&self, hook: &Hook) -> Option<RequestFormat> {
        let Some(hidden) = &hook.format else { return Some(RequestFormat::default()) };
        serde_json::from_slice(&self.0.decrypt_text(hidden, hook.id.as_str())?).ok()
    }
}

/// Checks whether stored webhooks can be decrypted with a hub's key. It reveals nothing of them.
pub struct HookEncryptors {
    messages: Encryptor,
    secrets: Encryptor,
    formats: FormatEncryptor,
}

impl HookEncryptors {
    /// The encryptors of the hub with this key.
    #[must_use]
    pub fn of(key: &HubKey) -> Self {
        Self { messages: messages(key), secrets: secrets(key), formats: FormatEncryptor::new(key) }
    }

    /// Whether the secrets of a hook, its headers and its body template can be decrypted.
    #[must_use]
    pub fn opens_secrets(&self, hook: &Hook) -> bool {
        if hook.push.is_some() {
            return push_attempt::keys(&self.secrets, hook).is_some();
        }
        let previous = hook.previous.iter().map(|previous| &previous.secret);
        previous.chain([&hook.secret]).all(|hidden| secret(&self.secrets, hook, hidden).is_some())
            && self.formats.decrypt(hook).is_some()
    }

    /// Whether the encrypted message of a delivery can be decrypted.
    #[must_use]
    pub fn opens_message(&self, delivery: &Delivery, hidden: &[u8]) -> bool {
        self.messages.decrypt(hidden, &delivery.context()).is_some()
    }
}

/// The name under which the log keeps the key pair for web push.
const PUSH_KEY_PAIR: &str = "push_key_pair";

/// The key pair with which the hub identifies itself to push services. It is made once, and stored encrypted.
///
/// # Errors
/// If the log cannot be read or written, or the stored key pair cannot be decrypted.
pub async fn stored_push_key(
    log: &dyn Log,
    key: &HubKey,
    new_key: impl FnOnce() -> Vec<u8>,
) -> Result<Vec<u8>, LogError> {
    let encryptor = Encryptor::new(key, "push key pair");
    let damaged = || LogError::Damaged("the key pair for web push cannot be decrypted with the hub's key".into());
    let open = |hidden: &str| encryptor.decrypt_text(hidden, PUSH_KEY_PAIR).ok_or_else(damaged);
    if let Some(hidden) = log.get_meta(PUSH_KEY_PAIR).await? {
        return open(&hidden);
    }
    let pair = new_key();
    let hidden = encryptor.encrypt_text(&pair, PUSH_KEY_PAIR, nonce());
    match log.instances().map(|instances| instances.put_meta_once(PUSH_KEY_PAIR, hidden.clone())) {
        // Another instance may have made one at the same time.
        Some(stored) => open(&stored.await?),
        None => {
            log.put_meta(PUSH_KEY_PAIR, hidden).await?;
            Ok(pair)
        }
    }
}

/// Decrypts the keys of a push subscription.
pub(crate) fn push_keys(webhooks: &Webhooks, hook: &Hook) -> Option<PushKeys> {
    push_attempt::keys(&webhooks.secrets, hook)
}

/// Decrypts a secret of a hook.
fn secret(secrets: &Encryptor, hook: &Hook, hidden: &str) -> Option<Secret> {
    Secret::parse(&secrets.decrypt_text(hidden, hook.id.as_str())?)
}
