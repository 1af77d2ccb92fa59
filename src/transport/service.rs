//! The service of a worker: one application over HTTP/1 and HTTP/2.

use std::future::ready;
use std::rc::Rc;
use std::sync::Arc;

use actix_http::body::BoxBody;
use actix_http::error::DispatchError;
use actix_http::{HttpService, Protocol, Request, Response};
use actix_server::GracefulShutdownSignal;
use actix_service::{Service as _, ServiceFactory, fn_factory, fn_service};
use tokio_rustls::rustls::ServerConfig;

use super::accept::{AcceptedStream, ConnectionAcceptor};
use super::connection_events::UptimeMs;
use super::connection_limit::ConnectionLimit;
use super::http1::Http1App;
use super::http2::{Http2Server, UnixMs};
use super::socket::Socket;
use super::{DISCONNECT_TIMEOUT, KEEP_ALIVE, REQUEST_HEAD_TIMEOUT};

/// What the connections of a worker need besides the application.
#[derive(Clone)]
pub(crate) struct ConnectionSettings {
    /// TLS, if the port serves https.
    pub(crate) tls: Option<Arc<ServerConfig>>,
    /// The limit of each client address.
    pub(crate) limit: Arc<ConnectionLimit>,
    /// Signals that the hub drains.
    pub(crate) stopping: GracefulShutdownSignal,
    /// The time of `Date` headers.
    pub(crate) unix_ms: UnixMs,
    /// The uptime of events on connections.
    pub(crate) uptime_ms: UptimeMs,
}

/// Serves an application on accepted connections.
pub(crate) fn serve_connections<C, F>(
    app: F,
    settings: ConnectionSettings,
) -> impl ServiceFactory<C, Config = (), Response = (), Error = DispatchError, InitError = ()>
where
    C: Into<AcceptedStream> + 'static,
    F: ServiceFactory<Request, Config = (), InitError = ()> + 'static,
    F::Service: 'static,
    F::Response: Into<Response<BoxBody>> + 'static,
    F::Error: Into<Response<BoxBody>> + 'static,
{
    fn_factory(move || {
        let (app, settings) = (app.new_service(()), settings.clone());
        async move {
            let app = Rc::new(app.await?);
            let ConnectionSettings { tls, limit, stopping, unix_ms, uptime_ms } = settings;
            let http1 = Rc::new(http1_factory(app.clone(), stopping.clone()).new_service(()).await?);
            let http2 = Rc::new(Http2Server::new(app, unix_ms, stopping.clone()));
            let acceptor = ConnectionAcceptor::new(tls, limit, uptime_ms, stopping);
            Ok(fn_service(move |stream: C| {
                let (acceptor, http1, http2) = (acceptor.clone(), http1.clone(), http2.clone());
                async move {
                    // Boxed: otherwise every connection would reserve space for a TLS handshake during its whole life.
                    let (socket, protocol, peer) = Box::pin(acceptor.accept(stream.into())).await?;
                    match protocol {
                        // Boxed: otherwise every HTTP/1 connection would reserve space for an HTTP/2 one.
                        Protocol::Http2 => Box::pin(http2.serve(socket, peer)).await,
                        _ => http1.call((socket, peer)).await,
                    }
                }
            }))
        }
    })
}

fn http1_factory<S>(
    app: Rc<S>,
    stopping: GracefulShutdownSignal,
) -> impl ServiceFactory<
    (Socket, Option<std::net::SocketAddr>),
    Config = (),
    Response = (),
    Error = DispatchError,
    InitError = (),
>
where
    S: actix_service::Service<Request> + 'static,
    S::Response: Into<Response<BoxBody>> + 'static,
    S::Error: Into<Response<BoxBody>> + 'static,
{
    HttpService::build()
        .keep_alive(KEEP_ALIVE)
        .client_request_timeout(REQUEST_HEAD_TIMEOUT)
        .client_disconnect_timeout(DISCONNECT_TIMEOUT)
        // With half-closed connections, a disconnected client would go unnoticed until its poll is answered.
        .h1_allow_half_closed(false)
        .graceful_shutdown_signal(move || {
            let stopping = stopping.clone();
            async move { stopping.notified().await }
        })
        .on_connect_ext(|socket: &Socket, extensions| socket.publish_activity(extensions))
        .h1(fn_factory(move || ready(Ok::<_, ()>(Http1App(app.clone())))))
}
