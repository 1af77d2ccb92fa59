//! The state shared by all handlers, and helpers that read request heads.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, LazyLock, OnceLock};

use actix_web::dev::RequestHead;
use actix_web::http::header::{self, HeaderMap, HeaderName};
use actix_web::{HttpMessage as _, HttpRequest, web};
use ipnet::IpNet;
use rogerrat_actors::{AccountOwner, Admission, Admitted, Attempts, Clock, Hub, HubError};
use rogerrat_domain::account::SESSION_PREFIX;
use rogerrat_domain::limits::ADMIN_ATTEMPTS;
use rogerrat_domain::{Code, Hint, Refusal, SessionId, TokenHash};
use url::Url;

use super::hosts::Hosts;
use super::peers::{Arrived, Peers};
use super::presets::Preset;
use super::problem::Problem;
use super::rate_limit::RateLimiter;
use super::request_metrics::RequestMetrics;
use super::tunnel_host::TunnelHost;
use crate::config::{Config, Limits, Server};
use crate::host_info;
use crate::transport::{ConnectionLimit, SOCKET_PEER};

/// The addresses from which the program of a tunnel connects.
static LOOPBACK: LazyLock<[IpNet; 2]> =
    LazyLock::new(|| [IpNet::new_assert([127, 0, 0, 0].into(), 8), IpNet::from(IpAddr::V6(Ipv6Addr::LOCALHOST))]);

/// The request header with the session id.
static SESSION_HEADER: HeaderName = HeaderName::from_static("x-session-id");

/// The state shared by all handlers.
pub(crate) struct AppState {
    pub(crate) hub: Hub,
    pub(crate) clock: Clock,
    pub(crate) hosts: Hosts,
    pub(crate) rate_limits: RateLimiter,
    pub(crate) limits: Limits,
    pub(crate) server_token: Option<TokenHash>,
    admin_token: Option<TokenHash>,
    admin_attempts: Attempts<()>,
    pub(crate) origin: Option<Url>,
    /// Whether `/` is an agent-chatroom room.
    pub(crate) has_chatroom: bool,
    /// The address of the TCP port; unset before the hub listens, and without TCP.
    bound: OnceLock<SocketAddr>,
    /// Whether the hub serves the local network.
    pub(crate) lan: bool,
    /// "http" or "https".
    pub(crate) scheme: &'static str,
    pub(crate) trusted_proxies: Vec<IpNet>,
    pub(crate) request_metrics: RequestMetrics,
    /// The open connections of each client address.
    pub(crate) connection_limit: Arc<ConnectionLimit>,
    /// The other instances of this hub; none if it shares its log with no other.
    pub(crate) peers: Option<Arc<Peers>>,
}

/// The state as handlers extract it.
pub(crate) type SharedState = web::Data<AppState>;

/// The limit of connections. Those of trusted proxies, and of the program of a tunnel, carry many clients.
fn connection_limit(server: &Server) -> Arc<ConnectionLimit> {
    let mut exempt = server.trusted_proxies.clone();
    if server.tunnel.is_some() {
        exempt.extend(*LOOPBACK);
    }
    ConnectionLimit::new(server.max_connections_per_address, &exempt)
}

impl AppState {
    /// Builds the state from the configuration.
    pub(crate) fn new(
        config: &Config,
        hub: Hub,
        clock: Clock,
        tunnel: TunnelHost,
        peers: Option<Arc<Peers>>,
    ) -> SharedState {
        let server = &config.server;
        web::Data::new(Self {
            hub,
            clock,
            hosts: Hosts::new(
                &host_info::hostname(),
                server.origin.as_ref(),
                server.allowed_hosts.clone(),
                server.allowed_origins.clone(),
            )
            .with_tunnel(tunnel),
            rate_limits: RateLimiter::new(&config.limits),
            limits: config.limits.clone(),
            server_token: server.token.as_deref().map(TokenHash::of),
            admin_token: server.admin_token.as_deref().map(TokenHash::of),
            admin_attempts: Attempts::new("admin tokens", ADMIN_ATTEMPTS),
            origin: server.origin.clone(),
            has_chatroom: server.chatroom.is_some(),
            bound: OnceLock::new(),
            lan: server.lan,
            scheme: server.scheme(),
            trusted_proxies: server.trusted_proxies.clone(),
            request_metrics: RequestMetrics::default(),
            connection_limit: connection_limit(server),
            peers,
        })
    }

    /// Records the address of the TCP port.
    pub(crate) fn set_bound(&self, bound: Option<SocketAddr>) {
        bound.map(|bound| self.bound.set(bound));
    }

    /// The address of the TCP port, if the hub listens on one.
    pub(crate) fn bound(&self) -> Option<SocketAddr> {
        self.bound.get().copied()
    }

    /// Removes expired entries.
    pub(crate) fn sweep(&self) {
        self.rate_limits.prune();
    }

    /// Finds the channel of a request and checks its bearer token.
    pub(crate) fn admit<'a>(&'a self, request: &'a HttpRequest) -> Admission<'a> {
        self.hub.admit(channel_of(request), bearer(request.headers()))
    }

    /// Admits a request, and reads the session id it must present.
    pub(crate) async fn admit_session(&self, request: &HttpRequest) -> Result<(Admitted, SessionId), Problem> {
        let at = self.admit(request).await?;
        let session = presented_session(request.headers())?;
        let missing = || {
            Refusal::invalid("the X-Session-Id header is missing or shorter than 8 characters").hint(Hint::JoinFirst)
        };
        Ok((at, session.ok_or_else(missing)?))
    }

    /// Checks that a request may create channels. Returns the account that will own them, if it presents one.
    ///
    /// # Errors
    /// `unauthorized`.
    pub(crate) async fn admit_channel_creation(&self, headers: &HeaderMap) -> Result<Option<AccountOwner>, HubError> {
        let bearer = bearer(headers);
        if bearer.is_some_and(|token| token.starts_with(SESSION_PREFIX)) {
            return self.hub.admit_owner(bearer).await.map(Some);
        }
        let admitted = match (&self.server_token, bearer) {
            (None, None) => true,
            (Some(hash), Some(token)) => hash.matches(token),
            (Some(_), None) | (None, Some(_)) => false,
        };
        if admitted {
            return Ok(None);
        }
        let refusal = Refusal::new(Code::Unauthorized, "invalid bearer token").hint(if self.server_token.is_some() {
            "creating channels needs the server token or an account session token: `Authorization: Bearer <token>`"
        } else {
            "creating channels needs no token: omit the Authorization header, or send an account session token"
        });
        Err(refusal.into())
    }

    /// Checks that a request may open accounts. Without a server token every request may.
    ///
    /// # Errors
    /// `unauthorized`.
    pub(crate) fn admit_account_creation(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let Some(hash) = &self.server_token else { return Ok(()) };
        if bearer(headers).is_some_and(|token| hash.matches(token)) {
            return Ok(());
        }
        Err(Refusal::new(Code::Unauthorized, "invalid bearer token")
            .hint("creating accounts needs the server token: `Authorization: Bearer <token>`"))
    }

    /// Resolves the account session token of a request.
    ///
    /// # Errors
    /// `unauthorized`.
    pub(crate) async fn admit_owner(&self, request: &HttpRequest) -> Result<AccountOwner, HubError> {
        self.hub.admit_owner(bearer(request.headers())).await
    }

    /// Whether the operator has enabled the admin API.
    pub(crate) fn has_admin_token(&self) -> bool {
        self.admin_token.is_some()
    }

    /// Checks the admin token of a request. Returns the client's address.
    pub(crate) fn admit_admin(&self, request: &HttpRequest) -> Result<IpAddr, Refusal> {
        let Some(hash) = &self.admin_token else {
            let refusal = Refusal::new(Code::Forbidden, "the admin API of this hub is disabled");
            return Err(refusal.hint("its operator enables it with --admin-token"));
        };
        let (client, now) = (self.client(request), self.clock.now());
        self.admin_attempts.check(&(), client, now)?;
        if bearer(request.headers()).is_some_and(|token| hash.matches(token)) {
            return Ok(client);
        }
        self.admin_attempts.wrong(&(), client, now);
        Err(Refusal::new(Code::Unauthorized, "invalid admin token")
            .hint("send the admin token as `Authorization: Bearer <token>`"))
    }

    /// The other instances, for a request that came in here and may be forwarded.
    pub(crate) fn peers_for(&self, request: &HttpRequest) -> Option<&Arc<Peers>> {
        self.peers.as_ref().filter(|_| !request.extensions().contains::<Arrived>())
    }

    /// What the instance states from which a request comes, if it does.
    fn arrived<T>(&self, request: &HttpRequest, of: impl FnOnce(&Arrived) -> T) -> Option<T> {
        self.peers.as_ref()?;
        request.extensions().get::<Arrived>().map(of)
    }

    /// The client address, for rate limits and bans.
    pub(crate) fn client(&self, request: &HttpRequest) -> IpAddr {
        if let Some(client) = self.arrived(request, |arrived| arrived.client) {
            return client;
        }
        let socket = request.peer_addr().map_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED), |peer| peer.ip().to_canonical());
        let headers =
            request.headers().get_all("x-forwarded-for").map(|value| String::from_utf8_lossy(value.as_bytes()));
        let is_local = socket.is_loopback() && request.peer_addr() != Some(SOCKET_PEER);
        let is_tunnel = is_local && self.is_through_tunnel(request);
        super::address::client(socket, headers, if is_tunnel { &LOOPBACK[..] } else { &self.trusted_proxies })
    }

    /// Whether a request is addressed to the host of the tunnel.
    fn is_through_tunnel(&self, request: &HttpRequest) -> bool {
        host_of(request.head()).is_some_and(|host| self.hosts.is_of_tunnel(host))
    }

    /// The public origin of the hub: that of the tunnel for a request through it, the configured one with the preset label
    /// of this request, or the origin of the request.
    pub(crate) fn public_origin(&self, request: &HttpRequest) -> String {
        if let Some(origin) = self.arrived(request, |arrived| arrived.origin.clone()) {
            return origin;
        }
        let host = host_of(request.head()).unwrap_or("127.0.0.1");
        if self.hosts.is_of_tunnel(host)
            && let Some(origin) = self.hosts.tunnel.origin()
        {
            return origin;
        }
        let Some(origin) = &self.origin else {
            // A client on the Unix socket does not know the port.
            let on_socket = request.peer_addr() == Some(SOCKET_PEER);
            return match self.bound.get().filter(|_| on_socket) {
                Some(bound) => format!("{}://localhost:{}", self.scheme, bound.port()),
                None => format!("{}://{host}", self.scheme),
            };
        };
        let origin = origin.origin().ascii_serialization();
        match self.hosts.preset_under_origin(host) {
            Some(preset) => origin.replacen("://", &format!("://{}.", preset.label()), 1),
            None => origin,
        }
    }

    /// Whether a request was sent to an address that ends with the tunnel. The configured origin does not, even if a tunnel
    /// leads to it.
    pub(crate) fn has_temporary_origin(&self, request: &HttpRequest) -> bool {
        host_of(request.head()).is_some_and(|host| self.hosts.is_of_tunnel(host) && !self.hosts.is_origin(host))
    }

    /// The public key for pages at the address of a request.
    ///
    /// # Errors
    /// Why they cannot subscribe.
    pub(crate) fn push_key(&self, request: &HttpRequest) -> Result<Arc<str>, Arc<str>> {
        if self.has_temporary_origin(request) {
            return Err(
                "the tunnel gets another address at its next start, and browsers keep subscriptions by address: use \
                        a hub with an address of its own, and set server.origin to it"
                    .into(),
            );
        }
        self.hub.push_key()
    }

    /// The preset selected by the Host of a request (A8).
    pub(crate) fn preset(&self, request: &HttpRequest) -> Preset {
        Preset::of_host(host_of(request.head()).unwrap_or_default())
    }
}

/// The host of a request: its authority (HTTP/2, absolute form), else its Host header.
pub(crate) fn host_of(head: &RequestHead) -> Option<&str> {
    let authority = head.uri.authority().map(|a| a.as_str());
    authority.or_else(|| {
        let mut hosts = head.headers().get_all(header::HOST);
        let host = hosts.next()?;
        hosts.next().is_none().then(|| host.to_str().ok())?
    })
}

/// The channel id in a request's path.
pub(crate) fn channel_of(request: &HttpRequest) -> &str {
    request.match_info().get("id").unwrap_or_default()
}

/// The bearer token of a request. The scheme is written in any case, with any spaces after it (RFC 9110, 11.1 and
/// 11.4). An empty token is none.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let credentials = headers.get(header::AUTHORIZATION)?.to_str().ok()?.trim_ascii();
    let (scheme, token) = credentials.split_at_checked("bearer".len())?;
    let is_bearer = scheme.eq_ignore_ascii_case("bearer") && token.starts_with([' ', '\t']);
    is_bearer.then(|| token.trim_ascii())
}

/// The session id a request presents.
pub(crate) fn presented_session(headers: &HeaderMap) -> Result<Option<SessionId>, Refusal> {
    let Some(value) = headers.get(&SESSION_HEADER) else { return Ok(None) };
    // A value that is not visible ASCII gets the same refusal as one that is too long.
    SessionId::present(Some(value.to_str().unwrap_or("\u{7f}")))
}
