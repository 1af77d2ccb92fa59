//! Cleartext HTTP/2 connections that all agents share. Each `HttpConnection` uses one of them.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use h2::client::{Builder, SendRequest};
use rogerrat_client::http::HttpError;

use super::http_connection::HttpConnection;

/// Flow-control windows: bytes that the server may send ahead on one stream, and on all streams of a connection.
const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 16 << 20;
/// Timeout of the handshake. A server without HTTP/2 may not answer at all.
const HANDSHAKE: Duration = Duration::from_secs(5);

pub(super) struct Pool {
    senders: Vec<SendRequest<Bytes>>,
    /// Maximum concurrent requests over all connections.
    streams: usize,
    next: AtomicUsize,
}

impl Pool {
    /// Opens one connection from each source address.
    pub(super) async fn open(
        address: SocketAddr,
        sources: impl Iterator<Item = Option<IpAddr>>,
    ) -> Result<Self, HttpError> {
        let (mut senders, mut all_streams) = (Vec::new(), 0_usize);
        for source in sources {
            let opened = tokio::time::timeout(HANDSHAKE, connect(address, source)).await;
            let (sender, streams) = opened.unwrap_or(Err(HttpError::TimedOut("no answer to the HTTP/2 handshake")))?;
            all_streams = all_streams.saturating_add(streams);
            senders.push(sender);
        }
        Ok(Self { senders, streams: all_streams, next: AtomicUsize::new(0) })
    }

    pub(super) fn connection(&self) -> HttpConnection {
        let index = self.next.fetch_add(1, Ordering::Relaxed) % self.senders.len();
        HttpConnection::http2(self.senders[index].clone())
    }

    pub(super) fn streams(&self) -> usize {
        self.streams
    }
}

/// Connects and sends a cheap request: its response proves that the server supports HTTP/2, and its settings have
/// arrived by then. Also returns how many concurrent requests the server accepts.
async fn connect(address: SocketAddr, source: Option<IpAddr>) -> Result<(SendRequest<Bytes>, usize), HttpError> {
    let stream = rogerrat_client::http::connect(address, source).await.map_err(HttpError::Connect)?;
    let mut builder = Builder::new();
    builder.initial_window_size(STREAM_WINDOW).initial_connection_window_size(CONNECTION_WINDOW).enable_push(false);
    let (sender, mut connection) = builder.handshake(stream).await.map_err(|error| not_supported(&error))?;
    let request = http::Request::builder().uri(format!("http://{address}/healthz")).body(());
    let request = request.map_err(|error| HttpError::Internal(error.to_string()))?;
    let mut sender = sender.ready().await.map_err(|error| not_supported(&error))?;
    let (response, _) = sender.send_request(request, true).map_err(|error| not_supported(&error))?;
    tokio::select! {
        response = response => drop(response.map_err(|error| not_supported(&error))?),
        ended = &mut connection => return Err(ended.err().map_or(HttpError::Closed, |error| not_supported(&error))),
    }
    let streams = connection.max_concurrent_send_streams();
    // The task ends with the last user of the connection, and each of them receives the error.
    tokio::spawn(connection);
    Ok((sender, streams))
}

fn not_supported(error: &h2::Error) -> HttpError {
    HttpError::Read(io::Error::other(format!("no cleartext HTTP/2: {error}")))
}
