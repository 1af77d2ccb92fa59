//! Requests to a hub that need no session.

use std::net::SocketAddr;
use std::time::Duration;

use rogerrat_domain::{DmVisibility, Durability, Retention, TrustMode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use crate::channel_target::is_header_value;
use crate::error::ClientError;
use crate::http::{Connection, HttpError};
use crate::hub_address::HubAddress;
use crate::reply::{CreatedChannel, HubReply};

/// Time limit for resolving a name, opening a connection, and for the response to a request that the hub does not hold.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// Sends single requests to a hub, each on a new connection.
#[derive(Clone, Debug)]
pub struct HubClient {
    hub: HubAddress,
    /// The address that answered last.
    address: Option<SocketAddr>,
}

/// Settings of a new channel. The hub chooses what is not set.
#[derive(Clone, Debug, Default, Serialize)]
pub struct NewChannel {
    /// What the transcript keeps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention: Option<Retention>,
    /// Whether members may act on each other's requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trust_mode: Option<TrustMode>,
    /// The owner's password, 6 to 128 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner_password: Option<String>,
    /// Seconds after which an idle session ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_ttl_seconds: Option<f64>,
    /// Seconds after which a member without a session is forgotten.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member_ttl_seconds: Option<f64>,
    /// Who sees a direct message in the history.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dm_visibility: Option<DmVisibility>,
    /// Whether a used callsign is reserved for its member.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claim_callsigns: Option<bool>,
    /// Whether messages survive a restart of the hub.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub durability: Option<Durability>,
    /// Whether only identities may join.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub require_identity: bool,
    /// URL of a webhook for all messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook: Option<String>,
}

impl HubClient {
    /// Creates a client. Nothing is sent yet.
    #[must_use]
    pub fn new(hub: HubAddress) -> Self {
        Self { hub, address: None }
    }

    /// Creates a channel. `token` is the hub's own token, if it has one, or the session token of an account.
    ///
    /// # Errors
    ///
    /// Fails if the hub refuses the settings or the token, or cannot be reached.
    pub async fn create_channel(
        &mut self,
        channel: &NewChannel,
        token: Option<&str>,
    ) -> Result<HubReply<CreatedChannel>, ClientError> {
        self.post("/api/channels", token, channel).await
    }

    /// Posts a body to a path of the hub.
    pub(crate) async fn post<T: DeserializeOwned>(
        &mut self,
        path: &str,
        token: Option<&str>,
        body: &impl Serialize,
    ) -> Result<HubReply<T>, ClientError> {
        if !token.is_none_or(is_header_value) {
            return Err(ClientError::InvalidTarget("the token contains invalid characters".into()));
        }
        let body = serde_json::to_value(body).map_err(|error| ClientError::InvalidTarget(error.to_string()))?;
        let request = self.hub.request("POST", path, token, None, Some(&body));
        HubReply::parse(self.call(&request, Duration::ZERO).await?)
    }

    /// Sends a request and returns the body of a 2xx response. The hub may hold the request for `wait`.
    pub(crate) async fn call(&mut self, request: &[u8], wait: Duration) -> Result<Vec<u8>, ClientError> {
        let mut connection = self.connect().await?;
        let response = timeout(REQUEST_TIMEOUT + wait, connection.call(request)).await;
        let response = response.map_err(|_| HttpError::TimedOut("no response")).and_then(|response| response);
        let (status, body) = response.map_err(|error| self.with_host(error.into()))?;
        match status {
            200..=299 => Ok(body.to_vec()),
            _ => {
                let error = ClientError::from_response(status, body);
                Err(if self.hub.has_proxy() { self.with_host(error) } else { error })
            }
        }
    }

    /// Resolves the hub's name, or that of its proxy, and returns a connection that is not open yet.
    ///
    /// # Errors
    ///
    /// Fails if the name cannot be resolved.
    pub async fn connect(&mut self) -> Result<Connection, ClientError> {
        if let Some(socket) = self.hub.socket() {
            return Ok(Connection::unix(socket));
        }
        let address = self.resolve().await?;
        Ok(Connection::new(address).with_tunnel(self.hub.tunnel()).with_tls(self.hub.tls().cloned()))
    }

    /// Resolves the hub's name again for the next request: after a failure it may have moved.
    pub(crate) fn forget_address(&mut self) {
        self.address = None;
    }

    /// Prefixes an error of the network, or of a proxy, with the hub's host and its proxy.
    pub(crate) fn with_host(&self, error: ClientError) -> ClientError {
        match error {
            ClientError::Temporary { message, retry_after: None } => {
                ClientError::temporary(format!("{}: {message}", self.hub.shown()))
            }
            ClientError::Refused { message, hint, code: None, field } if self.hub.has_proxy() => {
                ClientError::Refused { message: format!("{}: {message}", self.hub.shown()), hint, code: None, field }
            }
            error => error,
        }
    }

    async fn resolve(&mut self) -> Result<SocketAddr, ClientError> {
        if let Some(address) = self.address {
            return Ok(address);
        }
        let host = self.hub.peer();
        let lookup = timeout(REQUEST_TIMEOUT, lookup_host(host)).await;
        let lookup = lookup.map_err(|_| HttpError::TimedOut("the name lookup"))?;
        let found = lookup.map_err(|error| ClientError::temporary(format!("cannot resolve `{host}`: {error}")))?;
        let address = reachable(&found.collect::<Vec<_>>()).await;
        let address = address.ok_or_else(|| ClientError::temporary(format!("`{host}` has no address")))?;
        self.address = Some(address);
        Ok(address)
    }
}

/// Returns the first address that accepts a connection, or the last one. `localhost` has two, and a hub may listen on
/// one.
async fn reachable(addresses: &[SocketAddr]) -> Option<SocketAddr> {
    let (last, others) = addresses.split_last()?;
    for address in others {
        if let Ok(Ok(_)) = timeout(REQUEST_TIMEOUT, TcpStream::connect(address)).await {
            return Some(*address);
        }
    }
    Some(*last)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn picks_the_address_that_accepts_connections() {
        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (closed_address, open_address) = (closed.local_addr().unwrap(), listener.local_addr().unwrap());
        drop(closed);
        assert_eq!(reachable(&[closed_address, open_address, closed_address]).await, Some(open_address));
        assert_eq!((reachable(&[closed_address]).await, reachable(&[]).await), (Some(closed_address), None));
    }
}
