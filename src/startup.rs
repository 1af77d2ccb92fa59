//! Build, then run: binds and can say where, serves until told to stop, and stops gently.

use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_http::HttpService;
use actix_http::error::DispatchError;
use actix_server::{GracefulShutdownSignal, Server};
use actix_service::{IntoServiceFactory as _, ServiceFactoryExt as _, fn_service, map_config};
use actix_web::App;
use actix_web::dev::AppConfig;
use actix_web::middleware::from_fn;
use actix_web::web::Data;
use rogerrat_actors::{Clock, Hub, HubError, HubRules, LogError, Ports};
use rogerrat_domain::{AccountLimits, BacklogLimits};
use rogerrat_store::{Store, StoreError, StoreOptions};
use rogerrat_webhook_sender::{HttpWebhookSender, SsrfGuard, SystemResolver, tls_config};
use rustix::process::Signal as Signo;
use tokio::net::TcpStream;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::timeout;
use tokio_rustls::rustls::{self, ServerConfig};

use crate::banner::banner;
use crate::compat::agent_chatroom::{self, Chatroom};
use crate::config::{Config, Storage};
use crate::http;
use crate::machine;
use crate::mcp::{self, McpState};
use crate::transport::{self, Certificate, CertificateError, Entrance, GOODBYE_TIME, HEAD_TIME, KEEP_ALIVE, Socket};
use crate::web::{self, AppState};

/// How long a draining hub still opens its door, so that whoever probes it learns that it is not ready.
const LAME_DUCK: Duration = Duration::from_secs(1);
/// How long a channel that nobody uses and that loses nothing by it stays in memory.
const LOSSLESS_IDLE_MS: u64 = 5 * 60_000;
/// How long the store may take to be closed.
const CLOSE_TIME: Duration = Duration::from_secs(30);
/// How often expired things of the door are forgotten.
const SWEEP_EVERY: Duration = Duration::from_secs(60);

/// Why the hub did not start, or did not end well.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    /// The address cannot be had.
    #[error("cannot listen on {address}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// What proves who we are cannot be read.
    #[error("the certificate cannot be used")]
    Certificate(#[from] CertificateError),
    /// TLS cannot be had.
    #[error("TLS cannot be set up")]
    Tls(#[from] rustls::Error),
    /// The data directory cannot be used.
    #[error("the store cannot be used")]
    Store(#[from] StoreError),
    /// What was kept before cannot be read.
    #[error("the store cannot be used")]
    Log(#[from] LogError),
    /// The room at the root cannot be opened.
    #[error("the room of --chatroom cannot be opened")]
    Chatroom(#[source] HubError),
    /// The server ended by itself.
    #[error("the server failed")]
    Serve(#[source] io::Error),
}

/// Runs the hub until it is told to stop.
///
/// # Errors
/// When it cannot start.
pub(crate) fn serve(config: &Config) -> Result<(), StartError> {
    match machine::raise_open_files() {
        Ok(files) => log::info!(before = files.before, now = files.now; "open-file limit raised"),
        Err(error) => log::warn!(error:display; "the open-file limit could not be raised"),
    }
    actix_web::rt::System::new().block_on(async { Running::build(config).await?.until_stopped().await })
}

/// A hub that has bound its address. The first signal drains it, a second one stops it at once.
struct Running {
    server: Server,
    hub: Hub,
    store: Arc<Store>,
    signals: Signals,
    drain_ms: u64,
}

impl Running {
    async fn build(config: &Config) -> Result<Self, StartError> {
        let clock = Clock::start();
        // A limit on the size of files makes a write fail, and is no reason to die. Whoever heard a signal once is spared.
        drop(signal(SignalKind::from_raw(Signo::XFSZ.as_raw())).map_err(StartError::Serve)?);
        let store = Arc::new(Store::open(&config.storage.data_dir, options(&config.storage))?);
        let poster = HttpWebhookSender::start(guard(config), tls_config()?);
        let ports = Ports::of(store.clone()).posting(poster);
        let hub = Hub::start(rules(config), ports, store.key(), clock).await?;
        let state = AppState::new(config, hub.clone(), clock);
        let mcp = McpState::load(&hub).await?;
        let chatroom = match &config.server.chatroom {
            Some(password) => Some(Chatroom::open(&hub, password).await.map_err(StartError::Chatroom)?),
            None => None,
        };
        sweep_now_and_then(state.clone(), mcp.clone());
        let tls = tls(config)?;
        let address = SocketAddr::new(config.server.host, config.server.port);
        let cannot_bind = |source| StartError::Bind { address, source };
        let listener = transport::bind(address).map_err(cannot_bind)?;
        let bound = listener.local_addr().map_err(cannot_bind)?;
        let room = chatroom.clone();
        let builder = Server::build()
            .workers(config.server.workers)
            .max_concurrent_connections(config.server.max_connections)
            .shutdown_timeout(config.server.drain_ms.div_ceil(1000))
            .disable_signals();
        let stopping = builder.graceful_shutdown_signal();
        let server = builder
            .listen("hub", listener, move || service(&state, &mcp, chatroom.as_ref(), tls.clone(), stopping.clone()))
            .map_err(cannot_bind)?;
        // Whoever reads the banner may stop the hub gently from then on.
        let signals = Signals::new().map_err(StartError::Serve)?;
        announce(config, bound, room.as_ref());
        log::info!(data_dir:display = config.storage.data_dir.display(); "the store is open");
        Ok(Self { server: server.run(), hub, store, signals, drain_ms: config.server.drain_ms })
    }

    async fn until_stopped(self) -> Result<(), StartError> {
        let Self { server, hub, store, mut signals, drain_ms } = self;
        let handle = server.handle();
        let told = async {
            signals.next().await;
            log::info!("draining");
            let gentle = async {
                let _ = timeout(Duration::from_millis(drain_ms), hub.drain()).await;
                tokio::time::sleep(LAME_DUCK.min(Duration::from_millis(drain_ms))).await;
                if timeout(CLOSE_TIME, hub.close()).await.is_err() {
                    log::warn!("the store was not closed in time: what was handed over last may come again");
                }
                handle.stop(true).await;
                // The server ends by itself now.
                pending::<()>().await;
            };
            tokio::select! {
                () = gentle => {}
                () = signals.next() => log::warn!("stopping at once"),
            }
        };
        let served = tokio::select! {
            served = server => served.map_err(StartError::Serve),
            () = told => Ok(()),
        };
        store.close();
        log::info!("stopped");
        served
    }
}

/// What a worker does with a connection: HTTP/1.1 and HTTP/2 for the same application.
fn service(
    state: &Data<AppState>,
    mcp: &Data<McpState>,
    chatroom: Option<&Data<Chatroom>>,
    tls: Option<Arc<ServerConfig>>,
    stopping: GracefulShutdownSignal,
) -> impl actix_service::ServiceFactory<TcpStream, Config = (), Response = (), Error = DispatchError, InitError = ()> + use<>
{
    let shared = state.clone();
    let app = App::new()
        .app_data(state.clone())
        .wrap(from_fn(move |request, next| web::handle(&shared, request, &next)))
        .configure(|config| http::channel_routes(config, state))
        .configure(|config| mcp::routes(config, state, mcp))
        .configure(|config| agent_chatroom::routes(config, state, chatroom))
        .configure(|config| http::routes(config, state));
    let app = app.into_factory().map_err(|error: actix_web::Error| error.error_response());
    let entrance = Entrance::new(tls, stopping.clone());
    let http = HttpService::build()
        .keep_alive(KEEP_ALIVE)
        .client_request_timeout(HEAD_TIME)
        .client_disconnect_timeout(GOODBYE_TIME)
        // Else a client that closed its connection would stay on it unnoticed until its poll is answered.
        .h1_allow_half_closed(false)
        .graceful_shutdown_signal(move || {
            let stopping = stopping.clone();
            async move { stopping.notified().await }
        })
        .on_connect_ext(|socket: &Socket, to| socket.introduce(to))
        .finish(map_config(app, |()| AppConfig::default()));
    // Boxed, or every connection would keep room for a TLS handshake as long as it lives.
    fn_service(move |tcp| Box::pin(entrance.clone().admit(tcp))).and_then(http)
}

/// The TLS of the port, if it has any; its certificate is kept fresh.
fn tls(config: &Config) -> Result<Option<Arc<ServerConfig>>, StartError> {
    let Some(files) = &config.server.tls else { return Ok(None) };
    let certificate = Certificate::load(files.clone())?;
    let tls = certificate.server_config()?;
    actix_web::rt::spawn(certificate.keep_fresh());
    Ok(Some(tls))
}

fn rules(config: &Config) -> HubRules {
    let limit = |n: u32| (n > 0).then_some(n);
    let channels = &config.channels;
    let days_ms = |days: u32| u64::from(days) * 24 * 3600 * 1000;
    HubRules {
        sends_per_minute: limit(config.limits.send_per_session),
        sends_per_minute_band: limit(config.limits.send_per_session_band),
        idle_ms: Some(u64::from(channels.idle_minutes) * 60_000),
        idle_lossless_ms: Some(LOSSLESS_IDLE_MS),
        shelf: BacklogLimits {
            messages: config.storage.shelf_messages as usize,
            bytes: (config.storage.shelf_mib as usize) << 20,
        },
        unused_ms: limit(channels.anonymous_unused_days).map(days_ms),
        member_ttl_ms: channels.member_ttl_seconds * 1000,
        per_account: AccountLimits {
            channels: limit(config.accounts.channels),
            identities: limit(config.accounts.identities),
            webhooks: limit(config.accounts.webhooks),
            sends_per_minute: limit(config.limits.send_per_account),
        },
    }
}

/// Where webhooks may be posted to.
fn guard(config: &Config) -> SsrfGuard {
    let server = &config.server;
    // Behind a proxy, or under an address of its own, a hub on loopback serves strangers.
    let is_loopback = server.host.is_loopback() && server.trusted_proxies.is_empty() && server.origin.is_none();
    SsrfGuard::new(&server.webhook_allow, server.webhook_ports.clone(), is_loopback, Arc::new(SystemResolver))
}

fn options(storage: &Storage) -> StoreOptions {
    StoreOptions { max_mib: storage.max_mib, ..StoreOptions::default() }
}

#[expect(clippy::print_stdout, reason = "the banner is what the command prints")]
fn announce(config: &Config, bound: SocketAddr, chatroom: Option<&Data<Chatroom>>) {
    let room = chatroom.map(|chatroom| chatroom.credentials());
    print!("{}", banner(config, bound, room));
    log::info!(address:display = bound, workers = config.server.workers; "listening");
}

fn sweep_now_and_then(state: Data<AppState>, mcp: Data<McpState>) {
    actix_web::rt::spawn(async move {
        let mut every = tokio::time::interval(SWEEP_EVERY);
        loop {
            every.tick().await;
            state.sweep();
            mcp.sweep(state.clock.now().at_ms);
        }
    });
}

/// What tells the hub to stop.
struct Signals {
    term: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self { term: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.term.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
