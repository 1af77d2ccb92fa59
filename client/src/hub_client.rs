//! Requests to one hub, whatever the path.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use crate::error::ClientError;
use crate::http::{Connection, HttpError};
use crate::hub_address::HubAddress;

/// For a connection and for the answer to a request.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// Sends single requests to a hub, each on a new connection.
pub struct HubClient {
    host: String,
    /// Where the hub was found last.
    address: Option<SocketAddr>,
}

impl HubClient {
    pub fn new(hub: &HubAddress) -> Self {
        Self { host: hub.host.clone(), address: None }
    }

    /// One request and its answer of the 200s.
    pub async fn call(&mut self, hub: &HubAddress, request: &[u8], wait: Duration) -> Result<Vec<u8>, ClientError> {
        let address = self.find().await?;
        let mut connection = Connection::new(address).secured(hub.tls.clone());
        let reply = timeout(PATIENCE + wait, connection.call(request)).await;
        let reply = reply.map_err(|_| HttpError::TimedOut("an answer was waited for")).and_then(|reply| reply);
        let (status, body) = reply.map_err(|fault| self.placed(fault.into()))?;
        match status {
            200..=299 => Ok(body.to_vec()),
            _ => Err(ClientError::of(status, body)),
        }
    }

    /// Says where it was that something went wrong on the way.
    pub(crate) fn placed(&self, error: ClientError) -> ClientError {
        match error {
            ClientError::Passing { why, retry_after: None } => ClientError::passing(format!("{}: {why}", self.host)),
            error => error,
        }
    }

    /// Forgets where the hub was.
    pub fn forget_address(&mut self) {
        self.address = None;
    }

    /// Looks the hub up anew after every failure: it may have moved.
    pub(crate) async fn find(&mut self) -> Result<SocketAddr, ClientError> {
        if let Some(address) = self.address {
            return Ok(address);
        }
        let host = &self.host;
        let found =
            timeout(PATIENCE, lookup_host(host)).await.map_err(|_| HttpError::TimedOut("a name was looked up"))?;
        let found = found.map_err(|error| ClientError::passing(format!("`{host}` cannot be found: {error}")))?;
        let address = reachable(&found.collect::<Vec<_>>()).await;
        self.address = address;
        address.ok_or_else(|| ClientError::passing(format!("`{host}` has no address")))
    }
}

/// The first of these that answers, or the last: `localhost` has two, and a hub may listen on one.
async fn reachable(addresses: &[SocketAddr]) -> Option<SocketAddr> {
    let (last, others) = addresses.split_last()?;
    for address in others {
        if let Ok(Ok(_)) = timeout(PATIENCE, TcpStream::connect(address)).await {
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
    async fn of_several_addresses_the_one_that_answers_is_taken() {
        let (gone, hub) =
            (TcpListener::bind("127.0.0.1:0").await.unwrap(), TcpListener::bind("127.0.0.1:0").await.unwrap());
        let (closed, open) = (gone.local_addr().unwrap(), hub.local_addr().unwrap());
        drop(gone);
        assert_eq!(reachable(&[closed, open, closed]).await, Some(open));
        assert_eq!((reachable(&[closed]).await, reachable(&[]).await), (Some(closed), None));
    }
}
