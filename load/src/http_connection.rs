//! A line to the hub: one request at a time, over an HTTP/1.1 connection of its own or a shared one of HTTP/2.

use std::io;

use bytes::Bytes;
use futures_util::FutureExt as _;
use h2::RecvStream;
use h2::client::{ResponseFuture, SendRequest};
use http::Response;
use rogerrat_client::http::{Connection, HttpError, expect_success};

use super::send_template::Request;
use super::stream_events::Feed;

pub(super) struct Line(Road);

enum Road {
    Own(Connection),
    Shared(Box<Exchange>),
}

/// One exchange after the other on a connection of HTTP/2.
struct Exchange {
    sender: SendRequest<Bytes>,
    pending: Option<ResponseFuture>,
    /// An answer that came while somebody only looked whether it was there.
    early: Option<Result<Response<RecvStream>, h2::Error>>,
    stream: Option<RecvStream>,
    body: Vec<u8>,
}

impl Line {
    pub(super) fn own(connection: Connection) -> Self {
        Self(Road::Own(connection))
    }

    pub(super) fn shared(sender: SendRequest<Bytes>) -> Self {
        let body = Vec::new();
        Self(Road::Shared(Box::new(Exchange { sender, pending: None, early: None, stream: None, body })))
    }

    /// Writes one whole request.
    pub(super) async fn write(&mut self, request: &Request) -> Result<(), HttpError> {
        match &mut self.0 {
            Road::Own(connection) => connection.write(request.raw()).await,
            Road::Shared(exchange) => exchange.write(request).await,
        }
    }

    /// Waits for the reply: its status and its body.
    pub(super) async fn reply(&mut self) -> Result<(u16, &[u8]), HttpError> {
        match &mut self.0 {
            Road::Own(connection) => connection.reply().await,
            Road::Shared(exchange) => exchange.reply().await,
        }
    }

    /// One request and its reply.
    pub(super) async fn call(&mut self, request: &Request) -> Result<(u16, &[u8]), HttpError> {
        self.write(request).await?;
        self.reply().await
    }

    /// Whether its request is still parked: nothing has come.
    pub(super) fn is_silent(&mut self) -> bool {
        match &mut self.0 {
            Road::Own(connection) => connection.is_silent(),
            Road::Shared(exchange) => exchange.is_silent(),
        }
    }

    /// Asks for a stream and waits for its head.
    pub(super) async fn open(&mut self, request: &Request, feed: &mut Feed) -> Result<(), HttpError> {
        self.write(request).await?;
        match &mut self.0 {
            Road::Own(connection) => feed.head(connection).await,
            Road::Shared(exchange) => exchange.open().await,
        }
    }

    /// Waits for more of a stream.
    pub(super) async fn more(&mut self, feed: &mut Feed) -> Result<(), HttpError> {
        match &mut self.0 {
            Road::Own(connection) => feed.chunks(connection.more().await?),
            Road::Shared(exchange) => exchange.more(feed).await,
        }
    }

    /// Closes an HTTP/1.1 connection that may be too old; the next request connects anew.
    pub(super) fn hang_up(&mut self) {
        if let Road::Own(connection) = &mut self.0 {
            connection.close();
        }
    }
}

impl Exchange {
    async fn write(&mut self, request: &Request) -> Result<(), HttpError> {
        let (head, body) =
            request.modern().ok_or_else(|| HttpError::InvalidResponse("no request for HTTP/2".into()))?;
        self.sender = self.sender.clone().ready().await.map_err(broken)?;
        let (pending, mut rest) = self.sender.send_request(head, body.is_empty()).map_err(broken)?;
        if !body.is_empty() {
            rest.send_data(body, true).map_err(broken)?;
        }
        (self.pending, self.early) = (Some(pending), None);
        Ok(())
    }

    async fn answer(&mut self) -> Result<Response<RecvStream>, HttpError> {
        if let Some(early) = self.early.take() {
            return early.map_err(broken);
        }
        // Left in its place while it is waited for: who gives up in between must find it again.
        let pending = self.pending.as_mut().ok_or(HttpError::Closed)?;
        let answer = pending.await;
        self.pending = None;
        answer.map_err(broken)
    }

    async fn reply(&mut self) -> Result<(u16, &[u8]), HttpError> {
        let answer = self.answer().await?;
        let status = answer.status().as_u16();
        let mut stream = answer.into_body();
        self.body.clear();
        while let Some(piece) = stream.data().await {
            let piece = piece.map_err(broken)?;
            let _ = stream.flow_control().release_capacity(piece.len());
            self.body.extend_from_slice(&piece);
        }
        Ok((status, &self.body))
    }

    fn is_silent(&mut self) -> bool {
        let Some(pending) = &mut self.pending else { return false };
        match pending.now_or_never() {
            None => true,
            Some(answer) => {
                (self.pending, self.early) = (None, Some(answer));
                false
            }
        }
    }

    async fn open(&mut self) -> Result<(), HttpError> {
        let answer = self.answer().await?;
        expect_success("stream", answer.status().as_u16(), b"")?;
        self.stream = Some(answer.into_body());
        Ok(())
    }

    async fn more(&mut self, feed: &mut Feed) -> Result<(), HttpError> {
        let stream = self.stream.as_mut().ok_or(HttpError::Closed)?;
        let piece = stream.data().await.ok_or(HttpError::Closed)?.map_err(broken)?;
        let _ = stream.flow_control().release_capacity(piece.len());
        feed.push(&piece);
        Ok(())
    }
}

fn broken(error: h2::Error) -> HttpError {
    HttpError::Read(io::Error::other(error))
}
