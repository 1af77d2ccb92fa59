//! The server under load: where it is, how it is reached, and the requests it gets.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::sync::atomic::{AtomicUsize, Ordering};

use rogerrat_client::http::{Connection, HttpError};
use url::Url;

use super::http_connection::Line;
use super::pool::Pool;
use super::send_template::{Request, SendTemplate};

/// Connections from one loopback address; a default port range has about 28,000.
const PORTS_PER_SOURCE: usize = 20_000;

pub(super) struct Target {
    pub(super) address: SocketAddr,
    host: String,
    /// What stands before `/api`, without a slash at its end.
    prefix: String,
    /// For creating channels only.
    create_token: Option<String>,
    /// Loopback addresses to connect from in turn; without it, a new one whenever the ports of one are used up.
    sources: Option<u8>,
    opened: AtomicUsize,
    /// The connections of HTTP/2, when that is spoken.
    pool: Option<Pool>,
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
        let parsed = Url::parse(url).map_err(|error| format!("`{url}` is not a URL: {error}"))?;
        if parsed.scheme() != "http" {
            return Err(format!("`{url}`: only http:// is supported; measure on the loopback, behind no proxy"));
        }
        let name = parsed.host_str().ok_or_else(|| format!("`{url}` has no host"))?;
        let port = parsed.port_or_known_default().unwrap_or(80);
        let host = format!("{name}:{port}");
        let mut found = host.to_socket_addrs().map_err(|error| format!("`{host}` cannot be found: {error}"))?;
        let address = found.next().ok_or_else(|| format!("`{host}` has no address"))?;
        if create_token.as_deref().is_some_and(|token| !token.bytes().all(|byte| byte.is_ascii_graphic())) {
            return Err("a token has visible ASCII characters only".into());
        }
        let prefix = parsed.path().trim_end_matches('/').to_owned();
        Ok(Self { address, host, prefix, create_token, sources: None, opened: AtomicUsize::new(0), pool: None })
    }

    pub(super) fn with_sources(self, sources: Option<u8>) -> Self {
        Self { sources, ..self }
    }

    /// Opens HTTP/2 connections that all lines share.
    pub(super) async fn over_h2c(mut self, connections: usize) -> Result<Self, HttpError> {
        let sources = (0..connections).map(|_| self.source());
        self.pool = Some(Pool::open(self.address, sources).await?);
        Ok(self)
    }

    pub(super) fn line(&self) -> Line {
        match &self.pool {
            Some(pool) => pool.line(),
            None => Line::own(self.connection()),
        }
    }

    /// A connection of HTTP/1.1, whatever the lines speak.
    pub(super) fn connection(&self) -> Connection {
        Connection::new(self.address).with_source(self.source())
    }

    /// Requests that a connection of HTTP/2 takes at once; `None` where each line has its own.
    pub(super) fn shared_streams(&self) -> Option<usize> {
        self.pool.as_ref().map(Pool::streams)
    }

    /// The loopback address to connect from. The first one the kernel chooses itself, as elsewhere: it then uses ports again
    /// whose connections were closed a moment ago, and runs can follow each other.
    fn source(&self) -> Option<IpAddr> {
        let IpAddr::V4(server) = self.address.ip() else { return None };
        let index = self.opened.fetch_add(1, Ordering::Relaxed);
        let step = match self.sources {
            Some(sources) => index % usize::from(sources),
            None => index / PORTS_PER_SOURCE,
        };
        let last = u8::try_from(step + 1).ok().filter(|last| *last > 1)?;
        server.is_loopback().then_some(Ipv4Addr::new(127, 0, 0, last).into())
    }

    /// Without a durability the hub decides.
    pub(super) fn create_request(&self, durability: Option<Durability>, ttl_s: Option<u32>) -> Request {
        let bearer = self.create_token.as_deref().map(bearer).unwrap_or_default();
        let durability = match durability {
            None => None,
            Some(Durability::Memory) => Some(r#""durability":"memory""#.to_owned()),
            Some(Durability::Disk) => Some(r#""durability":"disk""#.to_owned()),
        };
        let ttl = ttl_s.map(|ttl_s| format!(r#""session_ttl_seconds":{ttl_s}"#));
        let fields = durability.into_iter().chain(ttl).collect::<Vec<_>>().join(",");
        self.post("/api/channels", &bearer, &format!("{{{fields}}}"))
    }

    pub(super) fn join_request(&self, channel_id: &str, join_token: &str, callsign: &str) -> Request {
        let path = format!("/api/channels/{channel_id}/join");
        self.post(&path, &bearer(join_token), &format!(r#"{{"callsign":"{callsign}"}}"#))
    }

    pub(super) fn leave_request(&self, session: &Session) -> Request {
        self.post(&format!("/api/channels/{}/leave", session.channel_id), &session.headers(), "{}")
    }

    /// A long poll that the server ends by itself after `timeout_s`.
    pub(super) fn poll_request(&self, session: &Session, kind: PollKind, timeout_s: u32) -> Request {
        let verb = match kind {
            PollKind::Listen => "listen",
            PollKind::Wait => "wait",
        };
        self.get(session, &format!("{verb}?timeout={timeout_s}"))
    }

    pub(super) fn stream_request(&self, session: &Session) -> Request {
        self.get(session, "stream")
    }

    pub(super) fn history_request(&self, session: &Session, messages: usize) -> Request {
        self.get(session, &format!("history?n={messages}"))
    }

    /// A message to `to` with a text of `payload_bytes`.
    pub(super) fn template(&self, session: &Session, to: &str, payload_bytes: usize) -> SendTemplate {
        const TAIL: &str = r#""}"#;
        let path = format!("/api/channels/{}/send", session.channel_id);
        let body = format!(r#"{{"to":"{to}","message":"{:.<payload_bytes$}{TAIL}"#, "");
        SendTemplate::new(self.post(&path, &session.headers(), &body), payload_bytes, TAIL)
    }

    fn get(&self, session: &Session, what: &str) -> Request {
        let Self { prefix, host, .. } = self;
        let path = format!("{prefix}/api/channels/{}/{what}", session.channel_id);
        Request::new(self.pool.is_some(), "GET", host, &path, &session.headers(), "")
    }

    /// `path` comes behind the prefix.
    pub(super) fn post(&self, path: &str, headers: &str, body: &str) -> Request {
        let Self { prefix, host, .. } = self;
        Request::new(self.pool.is_some(), "POST", host, &format!("{prefix}{path}"), headers, body)
    }
}

impl Session {
    fn headers(&self) -> String {
        format!("{}X-Session-Id: {}\r\n", bearer(&self.join_token), self.session_id)
    }
}

/// The header line of a token.
pub(super) fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}

#[cfg(test)]
mod tests {
    use super::super::message::Numbered;
    use super::*;

    #[test]
    fn only_plain_http_is_taken() {
        let target = Target::parse("http://127.0.0.1:7424/hub/", None).unwrap();
        assert_eq!((target.address, &*target.prefix), ("127.0.0.1:7424".parse().unwrap(), "/hub"));
        assert_eq!(Target::parse("http://[::1]:80", None).unwrap().address, "[::1]:80".parse().unwrap());
        let refusal = |url, token| Target::parse(url, token).err().expect("it should be refused");
        assert!(refusal("https://127.0.0.1", None).contains("only http://"));
        refusal("127.0.0.1:7424", None);
        assert!(refusal("http://127.0.0.1", Some("a\r\nb".into())).contains("token"));
    }

    #[test]
    fn a_template_keeps_its_length() {
        let target = Target::parse("http://127.0.0.1:1", None).unwrap();
        let session = Session { channel_id: "c".into(), join_token: "t".into(), session_id: "s".into() };
        let mut template = target.template(&session, "bob", 60);
        let numbered = |seq| Numbered { seq, sent_ns: 8, last: false };
        let before = template.number(numbered(1)).raw().len();
        let text = String::from_utf8(template.number(numbered(7)).raw().to_vec()).unwrap();
        assert_eq!(text.len(), before);
        assert!(
            text.starts_with("POST /api/channels/c/send HTTP/1.1\r\nHost: 127.0.0.1:1\r\nAuthorization: Bearer t\r\n")
        );
        let (_, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(text.contains(&format!("Content-Length: {}\r\n", body.len())));
        assert!(body.starts_with(r#"{"to":"bob","message":"7 8 more ....."#) && body.ends_with(r#"...."}"#));
    }

    #[test]
    fn connections_come_from_several_addresses() {
        let from = |url, sources| Target::parse(url, None).unwrap().with_sources(sources);
        let last = |target: &Target| target.source().map(|source| source.to_string());
        let auto = from("http://127.0.0.1:1", None);
        assert_eq!(last(&auto), None);
        auto.opened.store(PORTS_PER_SOURCE, Ordering::Relaxed);
        assert_eq!(last(&auto).as_deref(), Some("127.0.0.2"));
        let three = from("http://127.0.0.1:1", Some(3));
        let of_three = [(); 4].map(|()| last(&three).unwrap_or_default());
        assert_eq!(of_three, ["", "127.0.0.2", "127.0.0.3", ""]);
        assert_eq!(last(&from("http://10.0.0.1", None)), None);
        assert_eq!(last(&from("http://[::1]", Some(2))), None);
    }
}
