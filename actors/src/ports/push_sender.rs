//! The port that sends web push messages.

use std::future::ready;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use rogerrat_domain::Refusal;
use rogerrat_domain::push::{PushKeys, push_is_off};
use rogerrat_domain::webhook::AttemptOutcome;

/// One attempt to push a message to a browser.
#[derive(Clone, Debug)]
pub struct PushRequest {
    /// The address at the push service.
    pub endpoint: Arc<str>,
    /// The keys to encrypt the payload with.
    pub keys: PushKeys,
    /// The payload, in clear text.
    pub payload: Vec<u8>,
    /// How long the push service keeps it for a device that is off, in seconds.
    pub ttl_s: u64,
    /// Whether it also wakes a device that saves power.
    pub is_urgent: bool,
    /// A later message with the same topic replaces it at the push service.
    pub topic: String,
    /// When the attempt begins, in seconds since the epoch.
    pub at_s: u64,
}

/// Encrypts push messages and sends them to allowed push services only.
pub trait PushSender: Send + Sync + 'static {
    /// The public key with which browsers subscribe.
    ///
    /// # Errors
    /// Why the hub sends no push messages.
    fn public_key(&self) -> Result<Arc<str>, Arc<str>>;

    /// Checks an endpoint and the keys of a subscription.
    ///
    /// A refusal reveals nothing about the network of the hub.
    fn check(&self, endpoint: Arc<str>, keys: PushKeys) -> BoxFuture<'static, Result<(), Refusal>>;

    /// Encrypts and sends one message. The address is checked again, and the connection goes to the checked address.
    fn push(&self, request: PushRequest) -> BoxFuture<'static, AttemptOutcome>;
}

/// A hub that sends no push messages.
pub struct DisabledPush(
    /// Why it does not.
    pub Arc<str>,
);

impl PushSender for DisabledPush {
    fn public_key(&self) -> Result<Arc<str>, Arc<str>> {
        Err(self.0.clone())
    }

    fn check(&self, _: Arc<str>, _: PushKeys) -> BoxFuture<'static, Result<(), Refusal>> {
        Box::pin(ready(Err(push_is_off(&self.0))))
    }

    fn push(&self, _: PushRequest) -> BoxFuture<'static, AttemptOutcome> {
        Box::pin(ready(AttemptOutcome::Forbidden))
    }
}
