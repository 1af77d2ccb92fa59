//! Connections of HTTP/2 in the clear that all lines share, each line keeping to one of them.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use h2::client::{Builder, SendRequest};
use rogerrat_client::http::HttpError;

use super::http_connection::Line;

/// What the server may send ahead on one stream, and on all of a connection, in bytes.
const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 16 << 20;
/// A server that does not speak HTTP/2 may keep silent.
const HANDSHAKE: Duration = Duration::from_secs(5);

pub(super) struct Pool {
    senders: Vec<SendRequest<Bytes>>,
    /// Requests that may be under way at once over all connections.
    streams: usize,
    next: AtomicUsize,
}

impl Pool {
    /// Opens one connection from each of these addresses.
    pub(super) async fn open(
        address: SocketAddr,
        sources: impl Iterator<Item = Option<IpAddr>>,
    ) -> Result<Self, HttpError> {
        let (mut senders, mut all_streams) = (Vec::new(), 0_usize);
        for source in sources {
            let shaken = tokio::time::timeout(HANDSHAKE, shake(address, source)).await;
            let (sender, streams) = shaken.unwrap_or(Err(HttpError::TimedOut("HTTP/2 was offered")))?;
            all_streams = all_streams.saturating_add(streams);
            senders.push(sender);
        }
        Ok(Self { senders, streams: all_streams, next: AtomicUsize::new(0) })
    }

    pub(super) fn line(&self) -> Line {
        let index = self.next.fetch_add(1, Ordering::Relaxed) % self.senders.len();
        Line::shared(self.senders[index].clone())
    }

    pub(super) fn streams(&self) -> usize {
        self.streams
    }
}

/// Connects, and asks for something that costs nothing: the answer brings the server's settings, and proves that it
/// speaks HTTP/2. Gives the requests that it takes at once, too.
async fn shake(address: SocketAddr, source: Option<IpAddr>) -> Result<(SendRequest<Bytes>, usize), HttpError> {
    let stream = rogerrat_client::http::connect(address, source).await.map_err(HttpError::Connect)?;
    let mut builder = Builder::new();
    builder.initial_window_size(STREAM_WINDOW).initial_connection_window_size(CONNECTION_WINDOW).enable_push(false);
    let (sender, mut connection) = builder.handshake(stream).await.map_err(|error| not_spoken(&error))?;
    let request = http::Request::builder().uri(format!("http://{address}/healthz")).body(());
    let request = request.map_err(|error| HttpError::Internal(error.to_string()))?;
    let mut sender = sender.ready().await.map_err(|error| not_spoken(&error))?;
    let (answer, _) = sender.send_request(request, true).map_err(|error| not_spoken(&error))?;
    tokio::select! {
        answer = answer => drop(answer.map_err(|error| not_spoken(&error))?),
        ended = &mut connection => return Err(ended.err().map_or(HttpError::Closed, |error| not_spoken(&error))),
    }
    let streams = connection.max_concurrent_send_streams();
    // It ends with its last line; the lines get its error.
    tokio::spawn(connection);
    Ok((sender, streams))
}

fn not_spoken(error: &h2::Error) -> HttpError {
    HttpError::Read(io::Error::other(format!("no HTTP/2 in the clear: {error}")))
}
