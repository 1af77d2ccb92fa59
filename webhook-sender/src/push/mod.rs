//! Web push: encrypts messages for browsers and sends them to their push services.

mod encrypt;
mod hosts;
mod vapid;

use std::sync::Arc;

use rogerrat_actors::PushRequest;
use rogerrat_domain::Refusal;
use rogerrat_domain::push::PushKeys;
use rogerrat_domain::webhook::AttemptOutcome;
use tokio_rustls::rustls::ClientConfig;
use url::Url;

use super::attempt::{self, Outgoing};
use super::guard::{SsrfGuard, TargetError};

pub use hosts::PushHost;
pub(crate) use hosts::PushHosts;
pub use vapid::{BadVapidKey, Vapid};

/// Why a subscription is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PushError {
    /// The endpoint is at no known push service.
    Host,
    /// The endpoint is no valid address.
    Target(TargetError),
    /// The public key is no point of the curve.
    Key,
}

impl From<PushError> for Refusal {
    fn from(error: PushError) -> Self {
        match error {
            PushError::Host | PushError::Target(_) => Refusal::invalid(
                "`endpoint` is not at a push service that this hub sends to",
            )
            .hint("subscribe with the browser's own service; the operator of the hub can add others to `push.hosts`"),
            PushError::Key => Refusal::invalid("`keys.p256dh` is not a public key of P-256")
                .hint("send the keys that the subscription's toJSON() returns"),
        }
    }
}

/// The push services, and how the hub identifies itself to them.
pub(crate) struct PushServices {
    pub(crate) vapid: Vapid,
    pub(crate) hosts: PushHosts,
}

/// Checks an endpoint and the keys of a subscription.
pub(super) async fn check(
    endpoint: &str,
    keys: &PushKeys,
    hosts: &PushHosts,
    guard: &SsrfGuard,
) -> Result<(), PushError> {
    // First, because it is cheap and the key costs a key exchange.
    if !hosts.admit(endpoint) {
        return Err(PushError::Host);
    }
    if !encrypt::is_usable(keys) {
        return Err(PushError::Key);
    }
    guard.pin(endpoint).await.map(|_| ()).map_err(PushError::Target)
}

/// Encrypts and sends a message. The endpoint is checked again, because the configuration may have changed.
pub(super) async fn send(
    request: &PushRequest,
    PushServices { vapid, hosts }: &PushServices,
    guard: &SsrfGuard,
    tls_config: Arc<ClientConfig>,
) -> AttemptOutcome {
    if !hosts.admit(&request.endpoint) {
        return AttemptOutcome::Forbidden;
    }
    let audience = Url::parse(&request.endpoint).map(|url| url.origin().ascii_serialization());
    let authorization = audience.ok().and_then(|audience| vapid.authorization(&audience, request.at_s));
    let Some((authorization, body)) = authorization.zip(encrypt::encrypt(&request.payload, &request.keys).ok()) else {
        return AttemptOutcome::Unreadable;
    };
    let urgency = if request.is_urgent { "high" } else { "normal" };
    let headers = vec![
        ("content-type", "application/octet-stream".to_owned()),
        ("content-encoding", "aes128gcm".to_owned()),
        ("ttl", request.ttl_s.to_string()),
        ("urgency", urgency.to_owned()),
        ("topic", request.topic.clone()),
        ("authorization", authorization),
    ];
    let headers = attempt::own_headers(headers).collect();
    let outgoing = Outgoing { url: &request.endpoint, headers, body: &body, at_s: request.at_s };
    attempt::send(&outgoing, guard, tls_config).await
}
