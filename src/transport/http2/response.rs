//! Writes the response to one HTTP/2 request, within the client's flow-control window.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::pin;
use std::time::{Duration, UNIX_EPOCH};

use actix_http::Response;
use actix_http::body::{BodySize, BoxBody, MessageBody as _};
use actix_http::header::{
    CONNECTION, CONTENT_LENGTH, DATE, HeaderName, HeaderValue, HttpDate, TRANSFER_ENCODING, TryIntoHeaderValue as _,
    UPGRADE,
};
use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, SendStream};
use http::StatusCode;
use tokio::time::timeout;

use super::UnixMs;
use crate::transport::PEER_STALL_TIMEOUT;

/// The largest piece that is written at once, so that other responses of the connection get their turn.
const PIECE_BYTES: usize = 16 * 1024;
/// Headers that HTTP/2 forbids (RFC 9113, section 8.2.2).
static FORBIDDEN: [HeaderName; 5] = [
    CONNECTION,
    TRANSFER_ENCODING,
    UPGRADE,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
];

/// Why a response was not sent completely.
#[derive(Debug, thiserror::Error)]
pub(super) enum WriteError {
    /// The connection or the request ended.
    #[error("the request was reset")]
    Reset(#[from] h2::Error),
    /// The client took nothing for [`PEER_STALL_TIMEOUT`].
    #[error("the client takes nothing")]
    Stalled,
    /// The body failed.
    #[error("the body failed")]
    Body,
}

/// Writes responses. One for each worker.
pub(super) struct ResponseWriter {
    unix_ms: UnixMs,
    /// The current second and its `Date` header.
    date: RefCell<(u64, Option<HeaderValue>)>,
}

impl ResponseWriter {
    pub(super) fn new(unix_ms: UnixMs) -> Self {
        Self { unix_ms, date: RefCell::default() }
    }

    /// Writes head and body. A piece of the body counts as taken when the next one is requested: at that moment the
    /// stream was open and had room for it.
    pub(super) async fn write(
        &self,
        response: Response<BoxBody>,
        mut reply: SendResponse<Bytes>,
        is_head: bool,
    ) -> Result<(), WriteError> {
        let (response, body) = response.into_parts();
        let size = body.size();
        let mut body = pin!(body);
        let (head, has_body) = self.head(&response, size);
        let is_complete = is_head || !has_body;
        let mut stream = reply.send_response(head, is_complete)?;
        if is_complete {
            return Ok(());
        }
        loop {
            let piece = tokio::select! {
                biased;
                piece = poll_fn(|cx| body.as_mut().poll_next(cx)) => piece,
                reset = poll_fn(|cx| stream.poll_reset(cx)) => {
                    reset?;
                    return Ok(());
                }
            };
            match piece {
                Some(Ok(piece)) => send(&mut stream, piece).await?,
                Some(Err(_)) => {
                    stream.send_reset(Reason::INTERNAL_ERROR);
                    return Err(WriteError::Body);
                }
                None => return Ok(stream.send_data(Bytes::new(), true)?),
            }
        }
    }

    /// The head of a response, and whether a body follows it.
    fn head(&self, response: &Response<()>, size: BodySize) -> (http::Response<()>, bool) {
        let mut head = http::Response::new(());
        *head.status_mut() = response.status();
        *head.version_mut() = http::Version::HTTP_2;
        let headers = head.headers_mut();
        headers.reserve(response.headers().len() + 2);
        let may_have_body = !matches!(response.status(), StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        if let BodySize::Sized(bytes) = size
            && may_have_body
        {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(bytes));
        }
        for (name, value) in response.headers() {
            let is_computed = *name == CONTENT_LENGTH && size != BodySize::Stream;
            if !is_computed && !FORBIDDEN.contains(name) {
                headers.append(name, value.clone());
            }
        }
        if !headers.contains_key(DATE)
            && let Some(date) = self.date()
        {
            headers.insert(DATE, date);
        }
        (head, may_have_body && !matches!(size, BodySize::None | BodySize::Sized(0)))
    }

    /// The `Date` header, formatted once a second.
    fn date(&self) -> Option<HeaderValue> {
        let second = (self.unix_ms)() / 1000;
        let mut date = self.date.borrow_mut();
        if date.1.is_none() || date.0 != second {
            let now = HttpDate::from(UNIX_EPOCH + Duration::from_secs(second));
            *date = (second, now.try_into_value().ok());
        }
        date.1.clone()
    }
}

/// Sends a piece of a body when the client's window has room for it.
async fn send(stream: &mut SendStream<Bytes>, mut piece: Bytes) -> Result<(), WriteError> {
    while !piece.is_empty() {
        stream.reserve_capacity(piece.len().min(PIECE_BYTES));
        let Ok(capacity) = timeout(PEER_STALL_TIMEOUT, poll_fn(|cx| stream.poll_capacity(cx))).await else {
            stream.send_reset(Reason::CANCEL);
            return Err(WriteError::Stalled);
        };
        // None: the stream was closed meanwhile.
        let capacity = capacity.ok_or_else(|| h2::Error::from(Reason::CANCEL))??;
        let now = piece.split_to(capacity.min(piece.len()));
        if !now.is_empty() {
            stream.send_data(now, false)?;
        }
    }
    Ok(())
}
