//! The HTTP client of one member: its credentials, its connection, and what a response means.

use std::sync::Arc;
use std::time::Duration;

use rogerrat_client::http::{Connection, HttpError};
use serde::Deserialize;

use super::context::{Context, now_ms};
use super::message_text::ids_in;
use super::oracle::{ChannelNo, Event, MemberNo, ReadEnd};

/// Timeout of a request; none takes longer unless the hub hangs.
pub(super) const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// When a client goes to another hub, if there is one.
const FAIL_OVER_AFTER: Duration = Duration::from_secs(5);
const SHOWN_CHARS: usize = 160;

/// A member of a channel, with its credentials.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) no: MemberNo,
    pub(super) channel: ChannelNo,
    pub(super) callsign: String,
    pub(super) channel_id: String,
    pub(super) token: String,
    pub(super) session: String,
}

impl Member {
    /// Builds a request below the channel's path, with token and session.
    pub(super) fn get(&self, path: &str) -> Vec<u8> {
        self.get_with(path, "")
    }

    pub(super) fn get_with(&self, path: &str, headers: &str) -> Vec<u8> {
        build_request("GET", &self.path(path), &format!("{}{headers}", self.credentials()), "")
    }

    pub(super) fn post(&self, path: &str, body: &str) -> Vec<u8> {
        build_request("POST", &self.path(path), &self.credentials(), body)
    }

    fn path(&self, path: &str) -> String {
        format!("/api/channels/{}{path}", self.channel_id)
    }

    fn credentials(&self) -> String {
        format!("Authorization: Bearer {}\r\nX-Session-Id: {}\r\n", self.token, self.session)
    }
}

pub(super) fn build_request(method: &str, path: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n{headers}Content-Length: {length}\r\n\r\n{body}")
        .into_bytes()
}

/// The outcome of a request.
#[derive(Debug)]
pub(super) enum Response {
    Success(Vec<u8>),
    /// The hub is overloaded or does not know the outcome: 503 and 507; was frozen before it had read the request: 408; or
    /// was not reached by a proxy: 502 and 504.
    Unavailable,
    /// Another status: the hub has not done it.
    Refused {
        status: u16,
        text: String,
    },
    /// The connection broke; `partial` is what was received.
    Broken {
        partial: Vec<u8>,
        error: HttpError,
    },
}

impl Response {
    pub(super) fn of(status: u16, body: &[u8]) -> Self {
        match status {
            200..=299 => Self::Success(body.to_vec()),
            408 | 502 | 503 | 504 | 507 => Self::Unavailable,
            _ => {
                let text = String::from_utf8_lossy(body).chars().take(SHOWN_CHARS).collect::<String>();
                Self::Refused { status, text: format!("{status} {text}") }
            }
        }
    }
}

pub(super) struct MemberClient {
    pub(super) context: Arc<Context>,
    pub(super) member: Member,
    connection: Connection,
    /// Where the connection leads to, in the list of addresses.
    at: usize,
    /// The boot of the hub in which the connection was last used.
    boot: u32,
}

impl MemberClient {
    pub(super) fn new(context: &Arc<Context>, member: &Member) -> Self {
        let at = member.no % context.addresses.len();
        let connection = Connection::new(context.addresses[at]);
        Self { context: Arc::clone(context), member: member.clone(), connection, at, boot: 0 }
    }

    /// Connects to the next hub from now on, as a proxy with health checks would; a single hub keeps its connection.
    pub(super) fn fail_over(&mut self) {
        let count = self.context.addresses.len();
        if count > 1 {
            let next = (1..=count).map(|step| (self.at + step) % count);
            let service = self.context.service();
            let responsive = next.clone().find(|at| !service.is_silent(*at, now_ms()));
            self.at = responsive.unwrap_or((self.at + 1) % count);
            drop(service);
            self.connection = Connection::new(self.context.addresses[self.at]);
        }
    }

    /// Returns the connection, closed if it leads to a hub that was killed.
    pub(super) fn connection(&mut self) -> &mut Connection {
        let boot = self.context.request_start().boot;
        if boot != self.boot {
            self.boot = boot;
            // Of several hubs, most are not concerned.
            if !self.context.is_cluster() {
                self.connection.close();
            }
        }
        &mut self.connection
    }

    pub(super) fn record(&self, event: Event) {
        self.context.record(event);
    }

    /// Waits for more of a response, from a hub that may have been killed.
    pub(super) async fn more(&mut self) -> Result<&mut Vec<u8>, HttpError> {
        self.connection.more().await
    }

    /// Closes the connection and returns what was received.
    pub(super) fn close(&mut self) -> Vec<u8> {
        self.connection.close()
    }

    /// Sends a request and waits for its response. Does not report a broken connection to the oracle.
    pub(super) async fn call(&mut self, request: &[u8]) -> Response {
        self.call_within(request, self.request_timeout(0)).await
    }

    /// The timeout of a request that waits up to `wait_s` seconds for messages. A client that knows another hub waits less.
    pub(super) fn request_timeout(&self, wait_s: u64) -> Duration {
        match self.context.is_cluster() {
            true => FAIL_OVER_AFTER + Duration::from_secs(wait_s),
            false => REQUEST_TIMEOUT,
        }
    }

    /// Like [`call`](Self::call), with a timeout. Without success, the next request goes to the next hub.
    pub(super) async fn call_within(&mut self, request: &[u8], timeout: Duration) -> Response {
        let reply = tokio::time::timeout(timeout, self.connection().call(request)).await;
        let error = match reply {
            Ok(Ok((status, body))) => {
                let response = Response::of(status, body);
                if matches!(response, Response::Unavailable) {
                    self.record(Event::Unavailable { channel: self.member.channel });
                    self.fail_over();
                }
                return response;
            }
            Ok(Err(error)) => error,
            Err(_) => HttpError::TimedOut("no response"),
        };
        let partial = self.connection.close();
        if self.is_patience(&error) {
            self.context.service().note_silence(self.at, now_ms());
        }
        self.fail_over();
        Response::Broken { partial, error }
    }

    /// Sends a request other than a read. A missing response is a violation unless the hub was killed.
    pub(super) async fn request(&mut self, what: &'static str, request: &[u8]) -> Response {
        let start = self.context.request_start();
        let response = self.call(request).await;
        if let Response::Broken { error, .. } = &response
            && !self.is_patience(error)
        {
            let Member { channel, callsign, .. } = &self.member;
            let what = format!("{what} on channel {channel} by {callsign}: {error}");
            self.record(Event::RequestFailed { start, what });
        }
        response
    }

    /// Whether a client left because it knows another hub.
    pub(super) fn is_patience(&self, error: &HttpError) -> bool {
        self.context.is_cluster() && matches!(error, HttpError::TimedOut(_))
    }

    /// How a read without a response ended.
    pub(super) fn unanswered_read(&self, partial: &[u8], error: &HttpError) -> ReadEnd {
        let partial_ids = ids_in(partial);
        match self.is_patience(error) {
            true => ReadEnd::GivenUp { partial_ids },
            false => ReadEnd::Cut { partial_ids },
        }
    }

    /// Like `request`, with a JSON response; `None` without a successful response.
    pub(super) async fn request_json<T: for<'de> Deserialize<'de>>(
        &mut self,
        what: &'static str,
        request: &[u8],
    ) -> Option<T> {
        match self.request(what, request).await {
            Response::Success(body) => self.parse(what, &body),
            Response::Refused { text, .. } => {
                self.report_refusal(what, &text);
                None
            }
            Response::Unavailable | Response::Broken { .. } => None,
        }
    }

    pub(super) fn parse<T: for<'de> Deserialize<'de>>(&self, what: &str, body: &[u8]) -> Option<T> {
        match serde_json::from_slice(body) {
            Ok(parsed) => Some(parsed),
            Err(error) => {
                self.record(Event::Unfinished { what: format!("{what} has an invalid response: {error}") });
                None
            }
        }
    }

    pub(super) fn report_refusal(&self, what: &str, text: &str) {
        self.record(Event::MemberRefused { member: self.member.no, response: format!("{what}: {text}") });
    }
}
