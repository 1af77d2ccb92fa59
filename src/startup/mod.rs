//! Starts the hub, serves until a signal, and shuts down gracefully.

mod interfaces;
mod settings;
mod store;
#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::future::pending;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use actix_server::{Server, ServerHandle};
use actix_web::web::Data;
use rogerrat_actors::{Clock, Hub, HubError, LogError};
use rogerrat_mail_sender::{MailSetupError, SmtpMailSender};
#[cfg(feature = "postgres")]
use rogerrat_store::PostgresError;
use rogerrat_store::StoreError;
use rogerrat_webhook_sender::{BadVapidKey, HttpWebhookSender, tls_config};
use rustix::process::Signal as Signo;
use tokio::net::{TcpStream, UnixStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::yield_now;
use tokio::time::timeout;
use tokio_rustls::rustls::{self, ServerConfig};

use crate::banner::{print_banner, print_moved};
use crate::compat::agent_chatroom::Chatroom;
use crate::config::{Config, SocketSettings};
use crate::signals::Signals;
use crate::system_limits;
use crate::transport::{self, Certificate, CertificateError, SocketFile};
use crate::tunnel::{OpenTunnel, TunnelError, TunnelProgram};
use crate::web::TunnelHost;
pub(crate) use interfaces::Interfaces;
use store::OpenStore;
#[cfg(feature = "postgres")]
pub(crate) use store::postgres;

/// How long a draining hub still accepts connections, so that readiness probes see that it is not ready.
const LAME_DUCK: Duration = Duration::from_secs(1);
/// Maximum time to complete responses after the instance was declared to have ended.
const ENDED_LIMIT: Duration = Duration::from_secs(2);
/// Maximum time to close the store.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(30);

/// Why the hub failed to start, or failed while serving.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    /// The address cannot be bound.
    #[error("cannot listen on {address}; choose another port with --port, or another address with --host")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// The cause.
        source: io::Error,
    },
    /// The Unix socket cannot be created.
    #[error("cannot listen on the socket {}; its folder must exist and be writable, or choose another path", path.display())]
    BindSocket {
        /// Its path.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The TLS certificate cannot be read.
    #[error("cannot load the TLS certificate")]
    Certificate(#[from] CertificateError),
    /// The TLS configuration is invalid.
    #[error("cannot set up TLS")]
    Tls(#[from] rustls::Error),
    /// E-mails cannot be sent.
    #[error("cannot set up e-mail")]
    Mail(#[from] MailSetupError),
    /// The data directory cannot be used.
    #[error("cannot open the store")]
    Store(#[from] StoreError),
    /// The database cannot be used.
    #[cfg(feature = "postgres")]
    #[error("cannot use the database")]
    Database(#[from] PostgresError),
    /// The stored data cannot be read.
    #[error("cannot read the store")]
    Log(#[from] LogError),
    /// The key pair for web push cannot be made or read.
    #[error("cannot set up web push")]
    Push(#[from] BadVapidKey),
    /// The agent-chatroom interface cannot be opened.
    #[error("cannot open the chatroom")]
    Chatroom(#[source] HubError),
    /// The tunnel cannot be opened.
    #[error(transparent)]
    Tunnel(#[from] TunnelError),
    /// Other hubs own the channels of this one now. Nothing is wrong with its configuration: it must be started again.
    #[error(
        "this instance was declared to have ended, because it did not reach the database for too long; start it again, as \
         another instance"
    )]
    InstanceEnded,
    /// The server failed while running.
    #[error("the server failed")]
    Serve(#[source] io::Error),
}

impl StartError {
    /// The last lines that the program of the tunnel printed.
    pub(crate) fn output(&self) -> &[String] {
        if let Self::Tunnel(error) = self { &error.lines } else { &[] }
    }
}

/// Runs the hub until a signal stops it. `tunnel` is the program of its tunnel.
///
/// # Errors
/// When the hub cannot start or the server fails.
pub(crate) fn serve(config: &Config, tunnel: Option<TunnelProgram>) -> Result<(), StartError> {
    match system_limits::raise_open_files() {
        Ok(files) => log::info!(before = files.before, now = files.now; "set the open-file limit to the hard limit"),
        Err(error) => log::warn!(error:display; "cannot raise the open-file limit"),
    }
    actix_web::rt::System::new().block_on(async {
        match Running::build(config, tunnel).await {
            Ok(running) => running.until_stopped(config).await,
            Err(error) => {
                // Actors that were created and have not run yet start now: started when the runtime is dropped, they panic.
                yield_now().await;
                Err(error)
            }
        }
    })
}

/// A hub that listens. The first signal drains it, a second one stops it immediately.
struct Running {
    server: Server,
    hub: Hub,
    store: OpenStore,
    signals: Signals,
    drain_ms: u64,
    bound: Option<SocketAddr>,
    chatroom: Option<Data<Chatroom>>,
    tunnel: Option<OpenTunnel>,
    /// Removes the Unix socket at the end.
    _socket: Option<SocketFile>,
}

impl Running {
    async fn build(config: &Config, program: Option<TunnelProgram>) -> Result<Self, StartError> {
        let clock = Clock::start();
        // By default SIGXFSZ kills the process when a file exceeds its size limit. With a handler installed (tokio keeps
        // it after the stream is dropped) the write fails with an error instead.
        drop(signal(SignalKind::from_raw(Signo::XFSZ.as_raw())).map_err(StartError::Serve)?);
        // Other instances learn its address from the store, and connect when they have this listener.
        let peers = config.cluster.listen.map(|address| {
            let bound = transport::bind(address).and_then(|listener| Ok((listener.local_addr()?, listener)));
            bound.map_err(|source| StartError::Bind { address, source })
        });
        let peers = peers.transpose()?;
        let store = OpenStore::open(config, peers.as_ref().map(|(bound, _)| *bound))?;
        let sender = HttpWebhookSender::start(settings::guard(config), tls_config()?);
        let push = settings::push_sender(config, &store, &sender).await?;
        let mut ports = store.ports.clone().posting(sender).pushing(push);
        if let Some(settings) = &config.email.settings {
            ports = ports.mailing(Arc::new(SmtpMailSender::start(settings)?));
        }
        let hub = Hub::start(settings::rules(config), ports, store.key.clone(), clock).await?;
        let (publisher, host) = watch::channel(None);
        let tunnel_host = if program.is_some() { TunnelHost::of(host) } else { TunnelHost::default() };
        let mut builder = Server::build()
            .workers(config.server.workers)
            .max_concurrent_connections(config.server.max_connections)
            .shutdown_timeout(config.server.drain_ms.div_ceil(1000))
            .disable_signals();
        let stopping = builder.graceful_shutdown_signal();
        let interfaces = Interfaces::open(config, &hub, clock, tunnel_host, Arc::new(hub.clone()), stopping).await?;
        interfaces.sweep_periodically();
        let tls = tls(config)?;
        let address = SocketAddr::new(config.server.host, config.server.port);
        let cannot_bind = |source| StartError::Bind { address, source };
        let listener = config.server.tcp.then(|| transport::bind(address)).transpose().map_err(cannot_bind)?;
        let bound = listener.as_ref().map(TcpListener::local_addr).transpose().map_err(cannot_bind)?;
        interfaces.state.set_bound(bound);
        let socket = bind_socket(config.server.socket.as_ref()).await?;
        let (mut socket_file, path) = (None, config.server.socket.as_ref().map(|socket| &socket.path));
        if let Some((listener, file)) = socket {
            let interfaces = interfaces.clone();
            let serve = move || interfaces.service::<UnixStream>(None);
            let failed = |source| StartError::BindSocket { path: path.cloned().unwrap_or_default(), source };
            builder = builder.listen_uds("socket", listener, serve).map_err(failed)?;
            socket_file = Some(file);
        }
        if let Some((address, listener)) = peers {
            let cannot_bind = |source| StartError::Bind { address, source };
            let interfaces = interfaces.clone();
            let serve = move || interfaces.peer_service::<TcpStream>();
            builder = builder.listen("peers", listener, serve).map_err(cannot_bind)?;
        }
        let chatroom = interfaces.chatroom.clone();
        if let Some(listener) = listener {
            let serve = move || interfaces.service::<TcpStream>(tls.clone());
            builder = builder.listen("hub", listener, serve).map_err(cannot_bind)?;
        }
        // Install the signal handlers before printing the banner: from then on a signal must drain the hub.
        let signals = Signals::new().map_err(StartError::Serve)?;
        let open = |(program, bound): (_, SocketAddr)| {
            OpenTunnel::open(program, bound.port(), &config.storage.data_dir, publisher)
        };
        let tunnel = program.zip(bound).map(open);
        if tunnel.is_none() {
            print_banner(config, bound, chatroom.as_ref().map(|chatroom| chatroom.credentials()), None);
        }
        let (server, drain_ms) = (builder.run(), config.server.drain_ms);
        Ok(Self { server, hub, store, signals, drain_ms, bound, chatroom, tunnel, _socket: socket_file })
    }

    async fn until_stopped(self, config: &Config) -> Result<(), StartError> {
        let Self { server, hub, store, mut signals, drain_ms, bound, chatroom, mut tunnel, _socket } = self;
        let handle = server.handle();
        let is_hurried = Cell::new(false);
        let followed = async {
            match &mut tunnel {
                Some(tunnel) => follow(tunnel, config, bound, chatroom.as_ref()).await,
                None => pending().await,
            }
        };
        let signalled = async {
            signals.next().await;
            log::info!("draining");
            let graceful = async {
                let _ = timeout(Duration::from_millis(drain_ms), hub.drain()).await;
                tokio::time::sleep(LAME_DUCK.min(Duration::from_millis(drain_ms))).await;
                if timeout(CLOSE_TIMEOUT, hub.close()).await.is_err() {
                    log::warn!("the store did not close in time; the last deliveries may be repeated after a restart");
                }
                handle.stop(true).await;
                // The server future completes now and ends the outer select.
                pending::<()>().await;
            };
            tokio::select! {
                () = graceful => {}
                () = signals.next() => {
                    is_hurried.set(true);
                    log::warn!("second signal: stopping immediately");
                }
            }
        };
        let served = tokio::select! {
            served = server => served.map_err(StartError::Serve),
            () = signalled => Ok(()),
            () = stop_once_ended(&hub, &handle) => Ok(()),
            error = followed => Err(error.into()),
        };
        let served = if hub.has_ended() { Err(StartError::InstanceEnded) } else { served };
        if let Some(tunnel) = tunnel {
            tunnel.close(is_hurried.get()).await;
        }
        store.close();
        log::info!("stopped");
        served
    }
}

/// Stops the server when other hubs have declared this instance ended: it owns nothing any more.
async fn stop_once_ended(hub: &Hub, server: &ServerHandle) {
    hub.ended().await;
    // Streams end with an event, and polls with an answer.
    let _ = timeout(ENDED_LIMIT, server.stop(true)).await;
}

/// Prints the banner once the tunnel is open, and its address when it has another one. Returns if the tunnel cannot be
/// opened, unless the hub serves without it.
async fn follow(
    tunnel: &mut OpenTunnel,
    config: &Config,
    bound: Option<SocketAddr>,
    chatroom: Option<&Data<Chatroom>>,
) -> TunnelError {
    let mut shown = None;
    let credentials = || chatroom.map(|chatroom| chatroom.credentials());
    loop {
        match tunnel.next_host().await {
            Ok(host) if shown.as_ref() == Some(&host) => {}
            Ok(host) => {
                match &shown {
                    None => print_banner(config, bound, credentials(), Some(&host)),
                    Some(_) => print_moved(&config.server, &host),
                }
                shown = Some(host);
            }
            Err(error) if config.server.tunnel.as_ref().is_some_and(|settings| settings.is_optional) => {
                log::warn!(error:display; "serving without a tunnel");
                print_banner(config, bound, credentials(), None);
                pending::<()>().await;
            }
            Err(error) => return error,
        }
    }
}

/// Creates the Unix socket, if one is configured.
async fn bind_socket(settings: Option<&SocketSettings>) -> Result<Option<(UnixListener, SocketFile)>, StartError> {
    let Some(SocketSettings { path, mode }) = settings else { return Ok(None) };
    let bound = transport::bind_socket(path, *mode).await;
    bound.map(Some).map_err(|source| StartError::BindSocket { path: path.clone(), source })
}

/// The TLS configuration, if the hub serves https. Its certificate is reloaded when it changes.
fn tls(config: &Config) -> Result<Option<Arc<ServerConfig>>, StartError> {
    let Some(files) = &config.server.tls else { return Ok(None) };
    let certificate = Certificate::load(files.clone())?;
    let tls = certificate.server_config()?;
    actix_web::rt::spawn(certificate.reload_on_change());
    Ok(Some(tls))
}
