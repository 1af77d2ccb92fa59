//! The address of a server, its connections, and the requests that are sent to it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::sync::atomic::{AtomicUsize, Ordering};

use rogerrat_client::http::{Connection, HttpError};
use url::Url;

use super::http_connection::HttpConnection;
use super::pool::Pool;
use super::send_template::{Request, SendTemplate};

/// Connections from one loopback address; the default port range has about 28,000 ports.
const PORTS_PER_SOURCE: usize = 20_000;

pub(super) struct Target {
    pub(super) address: SocketAddr,
    host: String,
    /// The path before `/api`, without a slash at its end.
    prefix: String,
    /// Needed for creating channels only.
    create_token: Option<String>,
    /// The number of loopback addresses to connect from in turn; `None` uses another one per `PORTS_PER_SOURCE`.
    sources: Option<u8>,
    opened: AtomicUsize,
    /// The shared HTTP/2 connections; `None` for HTTP/1.1.
    pool: Option<Pool>,
}

/// The session of an agent on a channel.
#[derive(Debug, Clone)]
pub(super) struct Session {
    pub(super) channel_id: String,
    pub(super) join_token: String,
    pub(super) session_id: String,
}

/// The two long polls of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum PollKind {
    Listen,
    Wait,
}

/// Where a channel stores its messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Durability {
    Memory,
    Disk,
}

impl Target {
    /// Parses `http://host[:port][/prefix]` and resolves the host once.
    pub(super) fn parse(url: &str, create_token: Option<String>) -> Result<Self, String> {
        let parsed = Url::parse(url).map_err(|error| format!("`{url}` is not a URL: {error}"))?;
        if parsed.scheme() != "http" {
            return Err(format!("`{url}`: only http:// is supported; measure on a loopback address, without a proxy"));
        }
        let name = parsed.host_str().ok_or_else(|| format!("`{url}` has no host"))?;
        let port = parsed.port_or_known_default().unwrap_or(80);
        let host = format!("{name}:{port}");
        let mut found = host.to_socket_addrs().map_err(|error| format!("cannot resolve `{host}`: {error}"))?;
        let address = found.next().ok_or_else(|| format!("`{host}` has no address"))?;
        if create_token.as_deref().is_some_and(|token| !token.bytes().all(|byte| byte.is_ascii_graphic())) {
            return Err("the token must consist of visible ASCII characters".into());
        }
        let prefix = parsed.path().trim_end_matches('/').to_owned();
        Ok(Self { address, host, prefix, create_token, sources: None, opened: AtomicUsize::new(0), pool: None })
    }

    pub(super) fn with_sources(self, sources: Option<u8>) -> Self {
        Self { sources, ..self }
    }

    /// Opens this many HTTP/2 connections, which all agents share.
    pub(super) async fn over_h2c(mut self, connections: usize) -> Result<Self, HttpError> {
        let sources = (0..connections).map(|_| self.source());
        self.pool = Some(Pool::open(self.address, sources).await?);
        Ok(self)
    }

    /// Returns a connection for one agent.
    pub(super) fn connection(&self) -> HttpConnection {
        match &self.pool {
            Some(pool) => pool.connection(),
            None => HttpConnection::http1(self.http1_connection()),
        }
    }

    /// Returns an HTTP/1.1 connection, also when agents use HTTP/2.
    pub(super) fn http1_connection(&self) -> Connection {
        Connection::new(self.address).with_source(self.source())
    }

    /// Maximum concurrent requests over all HTTP/2 connections; `None` for HTTP/1.1.
    pub(super) fn shared_streams(&self) -> Option<usize> {
        self.pool.as_ref().map(Pool::streams)
    }

    /// Returns the loopback address to connect from. The first one is left to the kernel: only then does it reuse the
    /// ports of connections that were closed a moment ago, which lets one run follow another.
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

    /// Without a durability, the hub uses its default.
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

    /// A POST below the path of a session's channel.
    pub(super) fn session_request(&self, session: &Session, what: &str, body: &str) -> Request {
        self.post(&format!("/api/channels/{}/{what}", session.channel_id), &session.headers(), body)
    }

    pub(super) fn leave_request(&self, session: &Session) -> Request {
        self.session_request(session, "leave", "{}")
    }

    /// A long poll that the server answers after `timeout_s` at the latest.
    pub(super) fn poll_request(&self, session: &Session, kind: PollKind, timeout_s: u32) -> Request {
        let operation = match kind {
            PollKind::Listen => "listen",
            PollKind::Wait => "wait",
        };
        self.get(session, &format!("{operation}?timeout={timeout_s}"))
    }

    pub(super) fn stream_request(&self, session: &Session) -> Request {
        self.get(session, "stream")
    }

    pub(super) fn history_request(&self, session: &Session, messages: usize) -> Request {
        self.get(session, &format!("history?n={messages}"))
    }

    /// A request that sends a message of `payload_bytes` to `to`.
    pub(super) fn send_template(&self, session: &Session, to: &str, payload_bytes: usize) -> SendTemplate {
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

    /// `path` is appended to the prefix.
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

/// Returns the header line of a token.
pub(super) fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}

#[cfg(test)]
mod tests {
    use super::super::message::MessageTag;
    use super::*;

    #[test]
    fn only_plain_http_is_accepted() {
        let target = Target::parse("http://127.0.0.1:7424/hub/", None).unwrap();
        assert_eq!((target.address, &*target.prefix), ("127.0.0.1:7424".parse().unwrap(), "/hub"));
        assert_eq!(Target::parse("http://[::1]:80", None).unwrap().address, "[::1]:80".parse().unwrap());
        let refusal = |url, token| Target::parse(url, token).err().expect("it should be rejected");
        assert!(refusal("https://127.0.0.1", None).contains("only http://"));
        refusal("127.0.0.1:7424", None);
        assert!(refusal("http://127.0.0.1", Some("a\r\nb".into())).contains("token"));
    }

    #[test]
    fn the_length_of_a_send_request_is_constant() {
        let target = Target::parse("http://127.0.0.1:1", None).unwrap();
        let session = Session { channel_id: "c".into(), join_token: "t".into(), session_id: "s".into() };
        let mut template = target.send_template(&session, "bob", 60);
        let tag = |seq| MessageTag { seq, sent_ns: 8, last: false };
        let before = template.with_tag(tag(1)).raw().len();
        let text = String::from_utf8(template.with_tag(tag(7)).raw().to_vec()).unwrap();
        assert_eq!(text.len(), before);
        assert!(
            text.starts_with("POST /api/channels/c/send HTTP/1.1\r\nHost: 127.0.0.1:1\r\nAuthorization: Bearer t\r\n")
        );
        let (_, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(text.contains(&format!("Content-Length: {}\r\n", body.len())));
        assert!(body.starts_with(r#"{"to":"bob","message":"7 8 more ....."#) && body.ends_with(r#"...."}"#));
    }

    #[test]
    fn connections_use_several_source_addresses() {
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
