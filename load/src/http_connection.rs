//! A connection to a server for one request at a time: its own over HTTP/1.1, or a shared one over HTTP/2.

use std::io;

use bytes::Bytes;
use futures_util::FutureExt as _;
use h2::RecvStream;
use h2::client::{ResponseFuture, SendRequest};
use http::Response;
use rogerrat_client::http::{Connection, HttpError, SseReader, expect_success};

use super::send_template::Request;

pub(super) struct HttpConnection(Transport);

enum Transport {
    Http1(Connection),
    Http2(Box<Http2Requests>),
}

/// One request after the other on a shared HTTP/2 connection.
struct Http2Requests {
    sender: SendRequest<Bytes>,
    pending: Option<ResponseFuture>,
    /// A response that arrived when `is_silent` looked for it.
    early: Option<Result<Response<RecvStream>, h2::Error>>,
    stream: Option<RecvStream>,
    body: Vec<u8>,
}

impl HttpConnection {
    pub(super) fn http1(connection: Connection) -> Self {
        Self(Transport::Http1(connection))
    }

    pub(super) fn http2(sender: SendRequest<Bytes>) -> Self {
        let body = Vec::new();
        Self(Transport::Http2(Box::new(Http2Requests { sender, pending: None, early: None, stream: None, body })))
    }

    /// Writes one whole request.
    pub(super) async fn write(&mut self, request: &Request) -> Result<(), HttpError> {
        match &mut self.0 {
            Transport::Http1(connection) => connection.write(request.raw()).await,
            Transport::Http2(requests) => requests.write(request).await,
        }
    }

    /// Waits for the response; returns its status and its body.
    pub(super) async fn reply(&mut self) -> Result<(u16, &[u8]), HttpError> {
        match &mut self.0 {
            Transport::Http1(connection) => connection.reply().await,
            Transport::Http2(requests) => requests.reply().await,
        }
    }

    /// Writes a request and waits for its response.
    pub(super) async fn call(&mut self, request: &Request) -> Result<(u16, &[u8]), HttpError> {
        self.write(request).await?;
        self.reply().await
    }

    /// Whether the request is still parked: no byte of its response has arrived.
    pub(super) fn is_silent(&mut self) -> bool {
        match &mut self.0 {
            Transport::Http1(connection) => connection.is_silent(),
            Transport::Http2(requests) => requests.is_silent(),
        }
    }

    /// Requests a stream and waits for the head of the response.
    pub(super) async fn open_stream(&mut self, request: &Request, events: &mut SseReader) -> Result<(), HttpError> {
        self.write(request).await?;
        match &mut self.0 {
            Transport::Http1(connection) => {
                let status = loop {
                    if let Some(status) = events.status(connection.more().await?)? {
                        break status;
                    }
                };
                let input = connection.input();
                expect_success("stream", status, input)?;
                take_chunks(input, events)
            }
            Transport::Http2(requests) => requests.open_stream().await,
        }
    }

    /// Waits for more bytes of a stream.
    pub(super) async fn read_stream(&mut self, events: &mut SseReader) -> Result<(), HttpError> {
        match &mut self.0 {
            Transport::Http1(connection) => take_chunks(connection.more().await?, events),
            Transport::Http2(requests) => requests.read_stream(events).await,
        }
    }

    /// Closes an HTTP/1.1 connection that may be too old; the next request connects again.
    pub(super) fn close(&mut self) {
        if let Transport::Http1(connection) = &mut self.0 {
            connection.close();
        }
    }
}

/// Moves all complete chunks out of `input`. The end of a stream is an error: only the client may end it.
fn take_chunks(input: &mut Vec<u8>, events: &mut SseReader) -> Result<(), HttpError> {
    events.take(input)?;
    if events.has_ended() { Err(HttpError::Closed) } else { Ok(()) }
}

impl Http2Requests {
    async fn write(&mut self, request: &Request) -> Result<(), HttpError> {
        let (head, body) =
            request.http2().ok_or_else(|| HttpError::Internal("the request cannot be sent over HTTP/2".into()))?;
        self.sender = self.sender.clone().ready().await.map_err(read_error)?;
        let (pending, mut rest) = self.sender.send_request(head, body.is_empty()).map_err(read_error)?;
        if !body.is_empty() {
            rest.send_data(body, true).map_err(read_error)?;
        }
        (self.pending, self.early) = (Some(pending), None);
        Ok(())
    }

    async fn response(&mut self) -> Result<Response<RecvStream>, HttpError> {
        if let Some(early) = self.early.take() {
            return early.map_err(read_error);
        }
        // It stays in place while it is awaited, so that a caller that is cancelled finds it again.
        let pending = self.pending.as_mut().ok_or(HttpError::Closed)?;
        let response = pending.await;
        self.pending = None;
        response.map_err(read_error)
    }

    async fn reply(&mut self) -> Result<(u16, &[u8]), HttpError> {
        let response = self.response().await?;
        let status = response.status().as_u16();
        let mut stream = response.into_body();
        self.body.clear();
        while let Some(piece) = stream.data().await {
            let piece = piece.map_err(read_error)?;
            let _ = stream.flow_control().release_capacity(piece.len());
            self.body.extend_from_slice(&piece);
        }
        Ok((status, &self.body))
    }

    fn is_silent(&mut self) -> bool {
        let Some(pending) = &mut self.pending else { return false };
        match pending.now_or_never() {
            None => true,
            Some(response) => {
                (self.pending, self.early) = (None, Some(response));
                false
            }
        }
    }

    async fn open_stream(&mut self) -> Result<(), HttpError> {
        let response = self.response().await?;
        expect_success("stream", response.status().as_u16(), b"")?;
        self.stream = Some(response.into_body());
        Ok(())
    }

    async fn read_stream(&mut self, events: &mut SseReader) -> Result<(), HttpError> {
        let stream = self.stream.as_mut().ok_or(HttpError::Closed)?;
        let piece = stream.data().await.ok_or(HttpError::Closed)?.map_err(read_error)?;
        let _ = stream.flow_control().release_capacity(piece.len());
        events.push(&piece);
        Ok(())
    }
}

fn read_error(error: h2::Error) -> HttpError {
    HttpError::Read(io::Error::other(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_chunk_of_a_stream_is_an_error() {
        let mut events = SseReader::default();
        take_chunks(&mut b"9\r\ndata: {}\n\r\n".to_vec(), &mut events).unwrap();
        assert!(matches!(take_chunks(&mut b"0\r\n\r\n".to_vec(), &mut events), Err(HttpError::Closed)));
        assert!(take_chunks(&mut b"zz\r\n".to_vec(), &mut SseReader::default()).is_err());
    }
}
