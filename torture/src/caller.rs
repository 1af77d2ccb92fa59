//! A member's own line to the hub: its credentials, one connection, and what an answer means for it.

use std::sync::Arc;
use std::time::Duration;

use rogerrat_client::http::{Connection, HttpError};
use serde::Deserialize;

use super::context::Context;
use super::oracle::{ChannelNo, Event, MemberNo};

/// No request of ours takes longer, unless the hub hangs.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
const SHOWN_CHARS: usize = 160;

/// A place on a channel.
#[derive(Debug, Clone)]
pub(super) struct Pass {
    pub(super) channel: ChannelNo,
    pub(super) member: MemberNo,
    pub(super) callsign: String,
    pub(super) channel_id: String,
    pub(super) token: String,
    pub(super) session: String,
}

impl Pass {
    /// A request under the channel's path, with token and session.
    pub(super) fn get(&self, path: &str) -> Vec<u8> {
        self.get_with(path, "")
    }

    pub(super) fn get_with(&self, path: &str, headers: &str) -> Vec<u8> {
        let Self { channel_id, token, session, .. } = self;
        request("GET", &format!("/api/channels/{channel_id}{path}"), &format!("{}{headers}", who(token, session)), "")
    }

    pub(super) fn post(&self, path: &str, body: &str) -> Vec<u8> {
        let Self { channel_id, token, session, .. } = self;
        request("POST", &format!("/api/channels/{channel_id}{path}"), &who(token, session), body)
    }
}

fn who(token: &str, session: &str) -> String {
    format!("Authorization: Bearer {token}\r\nX-Session-Id: {session}\r\n")
}

pub(super) fn request(method: &str, path: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n{headers}Content-Length: {length}\r\n\r\n{body}")
        .into_bytes()
}

/// What came back.
#[derive(Debug)]
pub(super) enum Answer {
    Done(Vec<u8>),
    /// The hub cannot say, or cannot now: 503 and 507.
    Troubled,
    /// Another status: the hub has not done it.
    Refused {
        status: u16,
        text: String,
    },
    /// The connection broke; what had come of it.
    Nothing {
        partly: Vec<u8>,
        fault: HttpError,
    },
}

impl Answer {
    pub(super) fn of(status: u16, body: &[u8]) -> Self {
        match status {
            200..=299 => Self::Done(body.to_vec()),
            503 | 507 => Self::Troubled,
            _ => {
                let text = String::from_utf8_lossy(body).chars().take(SHOWN_CHARS).collect::<String>();
                Self::Refused { status, text: format!("{status} {text}") }
            }
        }
    }
}

pub(super) struct Caller {
    pub(super) context: Arc<Context>,
    pub(super) pass: Pass,
    connection: Connection,
    /// The life of the hub in which the connection was used last.
    life: u32,
}

impl Caller {
    pub(super) fn new(context: &Arc<Context>, pass: &Pass) -> Self {
        Self { context: Arc::clone(context), pass: pass.clone(), connection: Connection::new(context.address), life: 0 }
    }

    /// The connection, and not one to a hub that is gone.
    pub(super) fn connection(&mut self) -> &mut Connection {
        let life = self.context.stamp().life;
        if life != self.life {
            self.life = life;
            self.connection.close();
        }
        &mut self.connection
    }

    pub(super) fn hear(&self, event: Event) {
        self.context.hear(event);
    }

    /// More of an answer that comes in pieces, of a hub that may be gone.
    pub(super) async fn more(&mut self) -> Result<&mut Vec<u8>, HttpError> {
        self.connection.more().await
    }

    /// Goes away, whatever is under way; gives what had come of it.
    pub(super) fn close(&mut self) -> Vec<u8> {
        self.connection.close()
    }

    /// One request and its reply; a broken connection is not reported to the oracle.
    pub(super) async fn call(&mut self, request: &[u8]) -> Answer {
        let reply = tokio::time::timeout(PATIENCE, self.connection().call(request)).await;
        let fault = match reply {
            Ok(Ok((status, body))) => {
                let answer = Answer::of(status, body);
                if matches!(answer, Answer::Troubled) {
                    self.hear(Event::Troubled { channel: self.pass.channel });
                }
                return answer;
            }
            Ok(Err(fault)) => fault,
            Err(_) => HttpError::TimedOut("a reply was waited for"),
        };
        Answer::Nothing { partly: self.connection.close(), fault }
    }

    /// One request that is no read: without an answer it is a fault, unless the hub was killed.
    pub(super) async fn ask(&mut self, what: &'static str, request: &[u8]) -> Answer {
        let began = self.context.stamp();
        let answer = self.call(request).await;
        if let Answer::Nothing { fault, .. } = &answer {
            let Pass { channel, callsign, .. } = &self.pass;
            self.hear(Event::Failed { began, what: format!("{what} of channel {channel}, {callsign}: {fault}") });
        }
        answer
    }

    /// The same, read as JSON; what is not answered or refused is none.
    pub(super) async fn learn<T: for<'de> Deserialize<'de>>(
        &mut self,
        what: &'static str,
        request: &[u8],
    ) -> Option<T> {
        match self.ask(what, request).await {
            Answer::Done(body) => self.read(what, &body),
            Answer::Refused { text, .. } => {
                self.turned_away(what, &text);
                None
            }
            Answer::Troubled | Answer::Nothing { .. } => None,
        }
    }

    pub(super) fn read<T: for<'de> Deserialize<'de>>(&self, what: &str, body: &[u8]) -> Option<T> {
        match serde_json::from_slice(body) {
            Ok(read) => Some(read),
            Err(error) => {
                self.hear(Event::Unfinished { what: format!("{what} was answered with what is no answer: {error}") });
                None
            }
        }
    }

    pub(super) fn turned_away(&self, what: &str, text: &str) {
        self.hear(Event::TurnedAway { member: self.pass.member, answer: format!("{what}: {text}") });
    }
}
