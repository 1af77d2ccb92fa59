//! A member of the channel of work: its credentials, its connection, and what all members share.

use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use rogerrat_client::http::Connection;
use serde_json::Value;
use tokio::sync::{Notify, watch};

use super::oracle::WorkOracle;
use crate::context::pause;
use crate::member_client::{REQUEST_TIMEOUT, Response, build_request};

/// Between two attempts at a hub that does not do what it is asked.
const RETRY: Duration = Duration::from_millis(20);

/// The phase of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum WorkPhase {
    /// Work is posted, and there are kills.
    Busy,
    /// Nothing is posted any more, and nothing is killed.
    Settling,
    /// All tasks are closed.
    Over,
}

/// What the members of a run share.
pub(super) struct Shared {
    address: SocketAddr,
    oracle: Mutex<WorkOracle>,
    pub(super) serving: watch::Sender<bool>,
    pub(super) phase: watch::Sender<WorkPhase>,
    /// By worker: ends its process.
    pub(super) kills: Vec<Notify>,
}

impl Shared {
    pub(super) fn new(address: SocketAddr, workers: u32) -> Self {
        Self {
            address,
            oracle: Mutex::default(),
            serving: watch::Sender::new(true),
            phase: watch::Sender::new(WorkPhase::Busy),
            kills: (0..workers).map(|_| Notify::new()).collect(),
        }
    }

    /// Locks the oracle. It never waits, because all tasks run on one thread.
    pub(super) fn oracle(&self) -> MutexGuard<'_, WorkOracle> {
        self.oracle.lock().expect("nothing panics while it holds the lock")
    }

    pub(super) fn phase(&self) -> WorkPhase {
        *self.phase.borrow()
    }

    pub(super) async fn wait_until_serving(&self) {
        // It cannot fail, because the sender is in `self`.
        let _ = self.serving.subscribe().wait_for(|serving| *serving).await;
    }
}

/// The result of a request.
#[derive(Debug)]
pub(super) enum Reply {
    Done(Value),
    /// The hub has not done it, for this reason.
    Refused {
        code: String,
        body: Value,
    },
    /// It is not known whether the hub has done it.
    Unknown,
}

/// A member and its connection.
pub(super) struct Agent<'s> {
    shared: &'s Shared,
    path: String,
    credentials: String,
    connection: Connection,
}

impl<'s> Agent<'s> {
    /// Joins a channel.
    pub(super) async fn join(shared: &'s Shared, channel: &str, token: &str, callsign: &str) -> Result<Self, String> {
        let path = format!("/api/channels/{channel}");
        let credentials = format!("Authorization: Bearer {token}\r\n");
        let connection = Connection::new(shared.address);
        let mut agent = Self { shared, path, credentials, connection };
        let joined = agent.request("POST", "/join", &serde_json::json!({"callsign": callsign})).await;
        let Reply::Done(joined) = joined else { return Err(format!("{callsign} could not join: {joined:?}")) };
        let session = joined["session_id"].as_str().unwrap_or_default();
        agent.credentials += &format!("X-Session-Id: {session}\r\n");
        Ok(agent)
    }

    fn bytes(&self, method: &str, path: &str, body: &Value) -> Vec<u8> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        build_request(method, &format!("{}{path}", self.path), &self.credentials, &body)
    }

    /// Sends a request once.
    pub(super) async fn request(&mut self, method: &str, path: &str, body: &Value) -> Reply {
        self.shared.wait_until_serving().await;
        let request = self.bytes(method, path, body);
        let reply = tokio::time::timeout(REQUEST_TIMEOUT, self.connection.call(&request)).await;
        let response = match reply {
            Ok(Ok((status, body))) => Some((status, body.to_vec())),
            _ => None,
        };
        let Some((status, body)) = response else {
            self.connection.close();
            pause(RETRY).await;
            return Reply::Unknown;
        };
        let json: Value = serde_json::from_slice(&body).unwrap_or_default();
        match Response::of(status, &body) {
            Response::Success(_) => Reply::Done(json),
            Response::Refused { .. } => {
                Reply::Refused { code: json["code"].as_str().unwrap_or_default().to_owned(), body: json }
            }
            Response::Unavailable | Response::Broken { .. } => {
                pause(RETRY).await;
                Reply::Unknown
            }
        }
    }

    /// Repeats a request that can be repeated until its outcome is known, or the run is over.
    pub(super) async fn insist(&mut self, method: &str, path: &str, body: &Value) -> Reply {
        loop {
            match self.request(method, path, body).await {
                Reply::Unknown if self.shared.phase() != WorkPhase::Over => {}
                known => return known,
            }
        }
    }

    /// Writes a request and closes the connection after a time, without reading the response.
    pub(super) async fn cut(&mut self, method: &str, path: &str, body: &Value, after: Duration) {
        self.shared.wait_until_serving().await;
        self.shared.oracle().counts.cut += 1;
        let request = self.bytes(method, path, body);
        if self.connection.write(&request).await.is_ok() {
            pause(after).await;
        }
        self.connection.close();
    }

    /// Closes the connection, as the end of a process does.
    pub(super) fn crash(&mut self) {
        self.connection.close();
    }
}
