//! One attempt at a delivery: a signed request to a checked address. Of the response only the status and `Retry-After`
//! are read.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::SystemTime;

use awc::error::SendRequestError;
use awc::http::header::{self, HeaderName, HeaderValue, HttpDate};
use awc::{Client, Connector};
use rogerrat_actors::WebhookRequest;
use rogerrat_domain::webhook::{AttemptOutcome, plain_signature, standard_signature};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

use super::guard::{PinnedTarget, SsrfGuard, TargetError};
use super::headers;

/// Addresses of one name to try until one accepts a connection.
const ADDRESSES: usize = 3;

/// The TLS configuration of a client that trusts the CA certificates of this machine.
///
/// # Errors
/// If TLS cannot be set up.
pub fn tls_config() -> Result<Arc<ClientConfig>, rustls::Error> {
    let mut roots = RootCertStore::empty();
    let native = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(native.certs);
    if roots.is_empty() {
        log::warn!("no CA certificates found; HTTPS webhooks will fail");
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// A request as it is sent.
pub(super) struct Outgoing<'r> {
    pub(super) url: &'r str,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: &'r [u8],
    /// When the attempt begins, in seconds since the epoch.
    pub(super) at_s: u64,
}

/// Sends a webhook.
pub(super) async fn post(request: &WebhookRequest, guard: &SsrfGuard, tls_config: Arc<ClientConfig>) -> AttemptOutcome {
    let Some(body) = request.body.render() else { return AttemptOutcome::Unreadable };
    // Headers of the owner replace the first; those of the hub follow, so that they are never replaced.
    let headers = own_headers(vec![("content-type", "application/json".to_owned())])
        .chain(headers::values(&request.headers))
        .chain(own_headers(signature_headers(request, &body)))
        .collect();
    let outgoing = Outgoing { url: &request.url, headers, body: &body, at_s: request.at_s };
    send(&outgoing, guard, tls_config).await
}

/// Headers that the hub writes, as the client takes them.
pub(super) fn own_headers(headers: Vec<(&'static str, String)>) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    let valid = |(name, value): (_, String)| Some((HeaderName::from_static(name), HeaderValue::from_str(&value).ok()?));
    headers.into_iter().filter_map(valid)
}

/// Sends a request. The name is resolved and every address is checked now; the connection goes to a checked address.
pub(super) async fn send(request: &Outgoing<'_>, guard: &SsrfGuard, tls_config: Arc<ClientConfig>) -> AttemptOutcome {
    let PinnedTarget { url, addresses } = match guard.pin(request.url).await {
        Ok(pinned) => pinned,
        Err(TargetError::Unresolved | TargetError::ResolveTimeout) => return AttemptOutcome::Unreachable,
        Err(_) => return AttemptOutcome::Forbidden,
    };
    let mut outcome = AttemptOutcome::Unreachable;
    for address in addresses.into_iter().take(ADDRESSES) {
        match post_to(request, url.as_str(), address, tls_config.clone()).await {
            Ok(outcome) => return outcome,
            Err(SendRequestError::Connect(_)) => outcome = AttemptOutcome::Unreachable,
            Err(SendRequestError::Timeout) => return AttemptOutcome::TimedOut,
            Err(_) => return AttemptOutcome::Unreachable,
        }
    }
    outcome
}

/// Sends a request to one address. Each attempt has its own client, so that no connection to another address is reused.
async fn post_to(
    request: &Outgoing<'_>,
    url: &str,
    address: SocketAddr,
    tls_config: Arc<ClientConfig>,
) -> Result<AttemptOutcome, SendRequestError> {
    let client = Client::builder()
        .connector(Connector::new().rustls_0_23(tls_config))
        .disable_redirects()
        .disable_timeout()
        .no_default_headers()
        .finish();
    let mut http_request = client
        .post(url)
        .address(address)
        .force_close()
        .no_decompress()
        .insert_header(("user-agent", concat!("rogerrat/", env!("CARGO_PKG_VERSION"))));
    for (name, value) in &request.headers {
        http_request = http_request.insert_header((name.clone(), value.clone()));
    }
    let response = http_request.send_body(request.body.to_vec()).await?;
    let status = response.status().as_u16();
    let retry_after = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
    Ok(match retry_after.and_then(|value| retry_after_s(value.trim(), request.at_s)) {
        Some(seconds) => AttemptOutcome::Postponed(status, seconds),
        None => AttemptOutcome::Answered(status),
    })
}

/// The seconds of a `Retry-After`, which is a number of seconds or a date.
fn retry_after_s(value: &str, now_s: u64) -> Option<u64> {
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(value.parse().unwrap_or(u64::MAX));
    }
    let date = SystemTime::from(value.parse::<HttpDate>().ok()?);
    let at_s = date.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs();
    Some(at_s.saturating_sub(now_s))
}

/// The signature and event headers: `x-rogerrat-*`, the compatible `x-rogerthat-*`, and those of Standard Webhooks.
fn signature_headers(request: &WebhookRequest, body: &[u8]) -> Vec<(&'static str, String)> {
    let plain = plain_signature(&request.plain, body);
    let standard = |secret| standard_signature(secret, &request.id, request.at_s, body);
    let standard = request.standard.iter().map(standard).collect::<Vec<_>>().join(" ");
    vec![
        ("x-rogerrat-event", request.event.clone()),
        ("x-rogerrat-signature", plain.clone()),
        ("x-rogerrat-delivery", request.id.clone()),
        ("x-rogerthat-event", request.event.clone()),
        ("x-rogerthat-signature", plain),
        ("x-rogerthat-delivery", request.id.clone()),
        ("webhook-id", request.id.clone()),
        ("webhook-timestamp", request.at_s.to_string()),
        ("webhook-signature", standard),
    ]
}

#[cfg(test)]
mod tests {
    use super::retry_after_s;

    #[test]
    fn retry_after_is_a_number_of_seconds_or_a_date() {
        let now_s = 1_795_174_447;
        for (value, seconds) in [
            ("0", Some(0)),
            ("120", Some(120)),
            ("99999999999999999999999", Some(u64::MAX)),
            ("Fri, 20 Nov 2026 11:34:17 GMT", Some(10)),
            ("Thu, 01 Jan 2026 00:00:00 GMT", Some(0)),
            ("", None),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
        ] {
            assert_eq!(retry_after_s(value, now_s), seconds, "{value}");
        }
    }
}
