//! The interfaces of one hub, and the services that answer its connections: those of clients, and those of other instances.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_http::error::DispatchError;
use actix_server::GracefulShutdownSignal;
use actix_service::{IntoServiceFactory as _, ServiceFactory, ServiceFactoryExt as _, map_config};
use actix_web::dev::AppConfig;
use actix_web::middleware::from_fn;
use actix_web::web::{Data, ServiceConfig};
use actix_web::{App, HttpRequest};
use rogerrat_actors::{Clock, Hub};
use tokio_rustls::rustls::ServerConfig;

use super::StartError;
use crate::compat::agent_chatroom::{self, Chatroom};
use crate::config::Config;
use crate::http;
use crate::mcp::{self, McpState};
use crate::transport::{AcceptedStream, ConnectionLimit, ConnectionSettings, serve_connections};
use crate::web::peers::{self, Calls, ChannelLocator, ChannelOfPath, Peers, RequestRules};
use crate::web::state::bearer;
use crate::web::{self, AppState, TunnelHost};

/// How often expired rate limit and session state of the interfaces is removed.
const SWEEP_INTERVAL: Duration = Duration::from_secs(60);

/// What the interfaces of one hub share.
#[derive(Clone)]
pub(crate) struct Interfaces {
    pub(crate) state: Data<AppState>,
    mcp: Data<McpState>,
    pub(crate) chatroom: Option<Data<Chatroom>>,
    stopping: GracefulShutdownSignal,
}

impl Interfaces {
    /// Opens the interfaces of a hub. `locator` finds the channels of other instances; `stopping` ends what is
    /// forwarded to them.
    ///
    /// # Errors
    /// When stored data of an interface cannot be read.
    pub(crate) async fn open(
        config: &Config,
        hub: &Hub,
        clock: Clock,
        tunnel: TunnelHost,
        locator: Arc<dyn ChannelLocator>,
        stopping: GracefulShutdownSignal,
    ) -> Result<Self, StartError> {
        let mcp = McpState::load(hub).await?;
        let chatroom = match &config.server.chatroom {
            Some(password) => Some(Chatroom::open(hub, password).await.map_err(StartError::Chatroom)?),
            None => None,
        };
        let signer = hub.seal(peers::PURPOSE);
        let rules = RequestRules {
            channel_of_path: channel_of_path(chatroom.clone()),
            tokens_of,
            // Reading a room consumes nothing, and MCP delivers to requests by POST.
            delivers: |path| http::delivers(&peers::decoded(path)),
        };
        let peers = Peers::new(locator, signer, clock, rules, stopping.clone());
        if let Some(peers) = &peers {
            hub.set_peers(Arc::new(Calls(peers.clone())));
            let mcp = mcp.clone();
            peers.on_notice(move |text| mcp.on_notice(text, clock.uptime_ms()));
        }
        let state = AppState::new(config, hub.clone(), clock, tunnel, peers);
        Ok(Self { state, mcp, chatroom, stopping })
    }

    /// Removes what has expired, from now on.
    pub(crate) fn sweep_periodically(&self) {
        let Self { state, mcp, .. } = self.clone();
        actix_web::rt::spawn(async move {
            let mut every = tokio::time::interval(SWEEP_INTERVAL);
            loop {
                every.tick().await;
                state.sweep();
                let now = state.clock.now();
                mcp.sweep(now.at_ms, now.uptime_ms);
            }
        });
    }

    /// Builds the service of a worker for the connections of clients: the same application over HTTP/1.1 and HTTP/2.
    pub(crate) fn service<C: Into<AcceptedStream> + 'static>(
        &self,
        tls: Option<Arc<ServerConfig>>,
    ) -> impl ServiceFactory<C, Config = (), Response = (), Error = DispatchError, InitError = ()> + use<C> {
        let shared = self.state.clone();
        let app = App::new()
            .app_data(self.state.clone())
            .wrap(from_fn(move |request, next| web::handle(&shared, request, next)))
            .configure(|config| self.routes(config));
        let app = app.into_factory().map_err(|error: actix_web::Error| error.error_response());
        serve_connections(map_config(app, |()| AppConfig::default()), self.connections(tls, None))
    }

    /// Builds the service of a worker for the connections of other instances.
    pub(crate) fn peer_service<C: Into<AcceptedStream> + 'static>(
        &self,
    ) -> impl ServiceFactory<C, Config = (), Response = (), Error = DispatchError, InitError = ()> + use<C> {
        let shared = self.state.clone();
        let app = App::new()
            .app_data(self.state.clone())
            .wrap(from_fn(move |request, next| peers::accept(&shared, request, next)))
            .configure(|config| self.routes(config));
        let app = app.into_factory().map_err(|error: actix_web::Error| error.error_response());
        // Each connection of a client may have one here.
        let unlimited = ConnectionLimit::new(0, &[]);
        serve_connections(map_config(app, |()| AppConfig::default()), self.connections(None, Some(unlimited)))
    }

    fn routes(&self, config: &mut ServiceConfig) {
        let Self { state, mcp, chatroom, .. } = self;
        config
            .configure(|config| http::channel_routes(config, state))
            .configure(|config| mcp::routes(config, state, mcp))
            .configure(|config| agent_chatroom::routes(config, state, chatroom.as_ref()))
            .configure(|config| http::routes(config, state));
    }

    fn connections(&self, tls: Option<Arc<ServerConfig>>, limit: Option<Arc<ConnectionLimit>>) -> ConnectionSettings {
        let clock = self.state.clock;
        ConnectionSettings {
            tls,
            limit: limit.unwrap_or_else(|| self.state.connection_limit.clone()),
            stopping: self.stopping.clone(),
            unix_ms: Rc::new(move || clock.now().at_ms),
            uptime_ms: Arc::new(move || clock.uptime_ms()),
        }
    }
}

/// Texts in a request of which one may be the token of the channel that its path names, for all interfaces.
fn tokens_of(request: &HttpRequest) -> Vec<String> {
    let bearer = bearer(request.headers()).map(str::to_owned);
    bearer.into_iter().chain(agent_chatroom::password(request)).collect()
}

/// The channel that a path names, for all interfaces.
pub(super) fn channel_of_path(chatroom: Option<Data<Chatroom>>) -> ChannelOfPath {
    Arc::new(move |path| {
        let path = &*peers::decoded(path);
        http::channel_of_path(path)
            .or_else(|| mcp::channel_of_path(path))
            .or_else(|| agent_chatroom::channel_of_path(path, chatroom.as_deref().map(|chatroom| &**chatroom)))
    })
}
