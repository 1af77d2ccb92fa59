//! The port that sends webhook requests.

use std::future::ready;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use rogerrat_domain::Refusal;
use rogerrat_domain::webhook::{AttemptOutcome, HookHeaders, Secret, WebhookBody};

/// One attempt to deliver a webhook.
#[derive(Clone, Debug)]
pub struct WebhookRequest {
    /// The target URL.
    pub url: Arc<str>,
    /// The name of the event.
    pub event: String,
    /// The delivery's id.
    pub id: String,
    /// When the attempt begins, in seconds since the epoch.
    pub at_s: u64,
    /// Headers that the owner of the webhook adds.
    pub headers: HookHeaders,
    /// What the request body is made of.
    pub body: WebhookBody,
    /// The key of the plain signature, the same for every attempt.
    pub plain: Secret,
    /// The keys of the Standard Webhooks signatures, newest first.
    pub standard: Vec<Secret>,
}

/// Sends webhook requests to allowed addresses only.
pub trait WebhookSender: Send + Sync + 'static {
    /// Checks whether a URL may be a webhook target.
    ///
    /// A refusal reveals nothing about the network of the hub.
    fn check(&self, url: Arc<str>) -> BoxFuture<'static, Result<(), Refusal>>;

    /// Checks whether these headers may be added to requests.
    ///
    /// # Errors
    /// `invalid`, with the reason and without the value of a header.
    fn check_headers(&self, headers: &HookHeaders) -> Result<(), Refusal>;

    /// Sends one request. The address is checked again, and the connection goes to the checked address.
    fn post(&self, request: WebhookRequest) -> BoxFuture<'static, AttemptOutcome>;
}

/// Refuses every target: the hub sends no webhooks.
pub(crate) struct DisabledSender;

impl WebhookSender for DisabledSender {
    fn check(&self, _: Arc<str>) -> BoxFuture<'static, Result<(), Refusal>> {
        Box::pin(ready(Err(Refusal::invalid("this hub does not send webhooks"))))
    }

    fn check_headers(&self, _: &HookHeaders) -> Result<(), Refusal> {
        Ok(())
    }

    fn post(&self, _: WebhookRequest) -> BoxFuture<'static, AttemptOutcome> {
        Box::pin(ready(AttemptOutcome::Forbidden))
    }
}
