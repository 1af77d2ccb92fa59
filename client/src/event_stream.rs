//! One stream of events from a hub.
//!
//! A hub sends a comment every 25 s. A connection that is silent for longer is treated as broken.

use std::time::Duration;

use serde::Deserialize;
use tokio::time::timeout;

use crate::error::ClientError;
use crate::http::{Connection, HttpError, SseEvent, SseReader, parse_head};
use crate::message::{GapNotice, ReceivedMessage};
use crate::reply::StreamGreeting;

/// Maximum silence of an open stream.
const IDLE_TIMEOUT: Duration = Duration::from_secs(40);
const OK: u16 = 200;

/// An open stream. Opened by [`ChannelClient::stream`](crate::ChannelClient::stream).
pub struct EventStream {
    connection: Connection,
    reader: SseReader,
    /// An event that was read but not returned yet.
    peeked: Option<SseEvent>,
}

/// An event of a stream.
#[derive(Debug)]
pub enum StreamEvent {
    /// The first event.
    Hello(StreamGreeting),
    /// A message. It is delivered again until it is acknowledged.
    Message(ReceivedMessage),
    /// Messages were lost.
    Gap(GapNotice),
    /// An event of another kind, by its name.
    Other(String),
}

#[derive(Deserialize)]
struct Bye {
    reason: String,
}

impl EventStream {
    pub(crate) async fn open(mut connection: Connection, request: &[u8]) -> Result<Self, ClientError> {
        let mut reader = SseReader::default();
        connection.write(request).await?;
        loop {
            let input = connection.more().await?;
            match parse_head(input, |response| response.code)?.and_then(|(_, status)| status) {
                None => {}
                Some(OK) => {
                    reader.status(input)?;
                    reader.take(input)?;
                    return Ok(Self { connection, reader, peeked: None });
                }
                Some(_) => {
                    let (status, body) = connection.reply().await?;
                    return Err(ClientError::from_response(status, body));
                }
            }
        }
    }

    /// Waits for the next event. It may be cancelled at any time without losing one.
    ///
    /// # Errors
    ///
    /// Fails if the connection breaks or the hub ends the stream: because it shuts down ([`ClientError::Temporary`]),
    /// because a newer reader took over ([`ClientError::Superseded`]), or because the member left
    /// ([`ClientError::Left`]).
    pub async fn next(&mut self) -> Result<StreamEvent, ClientError> {
        loop {
            if let Some(event) = self.peeked.take().or_else(|| self.reader.next_event()) {
                return parse(&event);
            }
            if self.reader.has_ended() {
                return Err(HttpError::Closed.into());
            }
            let more = timeout(IDLE_TIMEOUT, self.connection.more()).await;
            let input = more.map_err(|_| ClientError::temporary("the hub has been silent for 40 s"))??;
            self.reader.take(input)?;
        }
    }

    /// Returns a message that was already received, if it is the next event.
    ///
    /// # Errors
    ///
    /// Fails if the message is not valid.
    pub fn next_ready_message(&mut self) -> Result<Option<ReceivedMessage>, ClientError> {
        match self.peeked.take().or_else(|| self.reader.next_event()) {
            Some(event) if event.name == "message" => Ok(Some(event.read()?)),
            event => {
                self.peeked = event;
                Ok(None)
            }
        }
    }
}

fn parse(event: &SseEvent) -> Result<StreamEvent, ClientError> {
    Ok(match &*event.name {
        "hello" => StreamEvent::Hello(event.read()?),
        "message" => StreamEvent::Message(event.read()?),
        "gap" => StreamEvent::Gap(event.read()?),
        "superseded" => return Err(ClientError::Superseded),
        "bye" => {
            let Bye { reason } = event.read()?;
            return Err(match &*reason {
                "left" => ClientError::Left,
                _ => ClientError::temporary(format!("the hub ended the stream ({reason})")),
            });
        }
        name => StreamEvent::Other(name.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use std::io;

    use tokio::io::AsyncWriteExt as _;
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn limits_the_length_of_the_head() {
        const MANY_BYTES: usize = 16 << 20;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let connection = Connection::new(listener.local_addr().unwrap());
        let server = async {
            let (mut peer, _) = listener.accept().await?;
            peer.write_all(b"HTTP/1.1 200 OK\r\nx-more: ").await?;
            peer.write_all(&vec![b'x'; MANY_BYTES]).await
        };
        let client =
            async { EventStream::open(connection, b"GET / HTTP/1.1\r\n\r\n").await.err().unwrap().to_string() };
        let (sent, error): (io::Result<()>, _) = tokio::join!(server, client);
        assert!(sent.is_err() && error.contains("64 KiB"), "{error}");
    }
}
