//! The server under load, and the requests it gets. Requests are built once as bytes and written again and again.

use super::message::Numbered;
use crate::cli::client::Connection;
use std::net::{SocketAddr, ToSocketAddrs};
use url::Url;

#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) address: SocketAddr,
    host: String,
    /// What stands before `/api`, without a slash at its end.
    prefix: String,
    /// For creating channels only.
    create_token: Option<String>,
}

/// An agent's place on a channel.
#[derive(Debug, Clone)]
pub(super) struct Session {
    pub(super) channel_id: String,
    pub(super) join_token: String,
    pub(super) session_id: String,
}

/// Which of the two long polls is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum PollKind {
    Listen,
    Wait,
}

/// Where a channel keeps its messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Durability {
    Memory,
    Disk,
}

impl Target {
    /// Takes `http://host[:port][/prefix]` and looks the host up once.
    pub(super) fn parse(url: &str, create_token: Option<String>) -> Result<Self, String> {
        let parsed = Url::parse(url).map_err(|cause| format!("`{url}` is not a URL: {cause}"))?;
        if parsed.scheme() != "http" {
            return Err(format!("`{url}`: only http:// is supported; measure on the loopback, behind no proxy"));
        }
        let name = parsed.host_str().ok_or_else(|| format!("`{url}` has no host"))?;
        let port = parsed.port_or_known_default().unwrap_or(80);
        let host = format!("{name}:{port}");
        let mut found = host.to_socket_addrs().map_err(|cause| format!("`{host}` cannot be found: {cause}"))?;
        let address = found.next().ok_or_else(|| format!("`{host}` has no address"))?;
        let prefix = parsed.path().trim_end_matches('/').to_owned();
        Ok(Self { address, host, prefix, create_token })
    }

    pub(super) fn connection(&self) -> Connection {
        Connection::new(self.address)
    }

    /// Without a durability the hub decides.
    pub(super) fn create_request(&self, durability: Option<Durability>) -> Vec<u8> {
        let bearer = self.create_token.as_deref().map(bearer).unwrap_or_default();
        let body = match durability {
            None => "{}",
            Some(Durability::Memory) => r#"{"durability":"memory"}"#,
            Some(Durability::Disk) => r#"{"durability":"disk"}"#,
        };
        self.post("/api/channels", &bearer, body)
    }

    pub(super) fn join_request(&self, channel_id: &str, join_token: &str, callsign: &str) -> Vec<u8> {
        let path = format!("/api/channels/{channel_id}/join");
        self.post(&path, &bearer(join_token), &format!(r#"{{"callsign":"{callsign}"}}"#))
    }

    /// A long poll that the server ends by itself after `timeout_s`.
    pub(super) fn poll_request(&self, session: &Session, kind: PollKind, timeout_s: u32) -> Vec<u8> {
        let Session { channel_id, .. } = session;
        let verb = match kind {
            PollKind::Listen => "listen",
            PollKind::Wait => "wait",
        };
        let Self { prefix, host, .. } = self;
        let who = session.headers();
        format!(
            "GET {prefix}/api/channels/{channel_id}/{verb}?timeout={timeout_s} HTTP/1.1\r\nHost: {host}\r\n{who}\r\n"
        )
        .into_bytes()
    }

    fn post(&self, path: &str, headers: &str, body: &str) -> Vec<u8> {
        let Self { prefix, host, .. } = self;
        let length = body.len();
        format!(
            "POST {prefix}{path} HTTP/1.1\r\nHost: {host}\r\n{headers}\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .into_bytes()
    }
}

impl Session {
    fn headers(&self) -> String {
        format!("{}X-Session-Id: {}\r\n", bearer(&self.join_token), self.session_id)
    }
}

fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}

/// A send request whose text is numbered in place: its length never changes.
pub(super) struct Letter {
    request: Vec<u8>,
    text: std::ops::Range<usize>,
}

impl Letter {
    /// A direct message to `to` with a text of `payload_bytes`.
    pub(super) fn new(target: &Target, session: &Session, to: &str, payload_bytes: usize) -> Self {
        const TAIL: &str = r#""}"#;
        let path = format!("/api/channels/{}/send", session.channel_id);
        let body = format!(r#"{{"to":"{to}","message":"{:.<payload_bytes$}{TAIL}"#, "");
        let request = target.post(&path, &session.headers(), &body);
        let end = request.len() - TAIL.len();
        Self { request, text: end - payload_bytes..end }
    }

    pub(super) fn number(&mut self, numbered: Numbered) -> &[u8] {
        numbered.write(&mut self.request[self.text.clone()]);
        &self.request
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_http_is_taken() {
        let target = Target::parse("http://127.0.0.1:7424/hub/", None).unwrap();
        assert_eq!((target.address, &*target.prefix), ("127.0.0.1:7424".parse().unwrap(), "/hub"));
        assert_eq!(Target::parse("http://[::1]:80", None).unwrap().address, "[::1]:80".parse().unwrap());
        assert!(Target::parse("https://127.0.0.1", None).unwrap_err().contains("only http://"));
        assert!(Target::parse("127.0.0.1:7424", None).is_err());
    }

    #[test]
    fn a_letter_keeps_its_length() {
        let target = Target::parse("http://127.0.0.1:1", None).unwrap();
        let session = Session { channel_id: "c".into(), join_token: "t".into(), session_id: "s".into() };
        let mut letter = Letter::new(&target, &session, "bob", 60);
        let before = letter.request.len();
        let text = String::from_utf8(letter.number(Numbered { seq: 7, sent_ns: 8, last: false }).to_vec()).unwrap();
        assert_eq!(text.len(), before);
        assert!(
            text.starts_with("POST /api/channels/c/send HTTP/1.1\r\nHost: 127.0.0.1:1\r\nAuthorization: Bearer t\r\n")
        );
        let (_, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(text.contains(&format!("Content-Length: {}\r\n", body.len())));
        assert!(body.starts_with(r#"{"to":"bob","message":"7 8 more ....."#) && body.ends_with(r#"...."}"#));
    }
}
