//! The port to the world: where webhooks are posted.

use std::future::ready;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use rogerrat_domain::Refusal;
use rogerrat_domain::webhook::{AttemptOutcome, Secret};

/// One attempt at a delivery.
#[derive(Clone, Debug)]
pub struct WebhookRequest {
    /// Where to.
    pub url: Arc<str>,
    /// The event.
    pub event: String,
    /// The delivery's id.
    pub id: String,
    /// When the attempt begins, in seconds since the epoch.
    pub at_s: u64,
    /// What is posted.
    pub body: Vec<u8>,
    /// What the plain signature is keyed with: the same for every attempt.
    pub plain: Secret,
    /// What the standard signatures are keyed with: the newest first.
    pub standard: Vec<Secret>,
}

/// Posts to addresses that may be reached, and to no others.
pub trait WebhookSender: Send + Sync + 'static {
    /// Whether an address may be posted to.
    ///
    /// The answer is a refusal that tells nothing of the network behind the hub.
    fn check(&self, url: Arc<str>) -> BoxFuture<'static, Result<(), Refusal>>;

    /// Posts once. The address is checked again, and the connection goes to what was checked.
    fn post(&self, letter: WebhookRequest) -> BoxFuture<'static, AttemptOutcome>;
}

/// A world that cannot be reached.
pub(crate) struct DisabledSender;

impl WebhookSender for DisabledSender {
    fn check(&self, _: Arc<str>) -> BoxFuture<'static, Result<(), Refusal>> {
        Box::pin(ready(Err(Refusal::invalid("this hub posts to nobody"))))
    }

    fn post(&self, _: WebhookRequest) -> BoxFuture<'static, AttemptOutcome> {
        Box::pin(ready(AttemptOutcome::Forbidden))
    }
}
