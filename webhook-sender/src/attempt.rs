//! One attempt: signed, posted to an address that was checked, and only the status of the answer read.

use std::net::SocketAddr;
use std::sync::Arc;

use awc::error::SendRequestError;
use awc::{Client, Connector};
use rogerrat_actors::WebhookRequest;
use rogerrat_domain::webhook::{AttemptOutcome, plain_signature, standard_signature};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

use super::guard::{PinnedTarget, SsrfGuard, TargetError};

/// Addresses of one name that are tried, if there is no connection to the first.
const ADDRESSES: usize = 3;

/// What https is spoken with: the certificates this machine trusts.
///
/// # Errors
/// When TLS cannot be had.
pub fn tls_config() -> Result<Arc<ClientConfig>, rustls::Error> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        log::warn!("this machine trusts no certificate: webhooks over https will fail");
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// Posts a letter. The name is resolved and every address checked now, and the connection goes to what was checked.
pub(super) async fn post(letter: &WebhookRequest, guard: &SsrfGuard, tls_config: Arc<ClientConfig>) -> AttemptOutcome {
    let PinnedTarget { url, addresses } = match guard.pin(&letter.url).await {
        Ok(pinned) => pinned,
        Err(TargetError::Unresolved | TargetError::Slow) => return AttemptOutcome::Unreachable,
        Err(_) => return AttemptOutcome::Forbidden,
    };
    let mut posted = AttemptOutcome::Unreachable;
    for address in addresses.into_iter().take(ADDRESSES) {
        match post_to(letter, url.as_str(), address, tls_config.clone()).await {
            Ok(status) => return AttemptOutcome::Answered(status),
            Err(SendRequestError::Connect(_)) => posted = AttemptOutcome::Unreachable,
            Err(SendRequestError::Timeout) => return AttemptOutcome::TimedOut,
            Err(_) => return AttemptOutcome::Unreachable,
        }
    }
    posted
}

/// The client lives as long as the attempt: no connection can be one that was opened for another address.
async fn post_to(
    letter: &WebhookRequest,
    url: &str,
    address: SocketAddr,
    tls_config: Arc<ClientConfig>,
) -> Result<u16, SendRequestError> {
    let client = Client::builder()
        .connector(Connector::new().rustls_0_23(tls_config))
        .disable_redirects()
        .disable_timeout()
        .no_default_headers()
        .finish();
    let mut request = client
        .post(url)
        .address(address)
        .force_close()
        .no_decompress()
        .insert_header(("content-type", "application/json"))
        .insert_header(("user-agent", concat!("rogerrat/", env!("CARGO_PKG_VERSION"))));
    for header in headers(letter) {
        request = request.insert_header(header);
    }
    let answer = request.send_body(letter.body.clone()).await?;
    Ok(answer.status().as_u16())
}

/// The headers of both families, and those of the Standard Webhooks.
fn headers(letter: &WebhookRequest) -> Vec<(&'static str, String)> {
    let plain = plain_signature(&letter.plain, &letter.body);
    let standard = |secret| standard_signature(secret, &letter.id, letter.at_s, &letter.body);
    let standard = letter.standard.iter().map(standard).collect::<Vec<_>>().join(" ");
    vec![
        ("x-rogerrat-event", letter.event.clone()),
        ("x-rogerrat-signature", plain.clone()),
        ("x-rogerrat-delivery", letter.id.clone()),
        ("x-rogerthat-event", letter.event.clone()),
        ("x-rogerthat-signature", plain),
        ("x-rogerthat-delivery", letter.id.clone()),
        ("webhook-id", letter.id.clone()),
        ("webhook-timestamp", letter.at_s.to_string()),
        ("webhook-signature", standard),
    ]
}
