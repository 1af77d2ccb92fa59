//! One response of server-sent events.
//!
//! A hub sends a comment every 25 s. A connection that is silent for longer is treated as broken.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use tokio::time::{Instant, timeout};

use crate::error::ClientError;
use crate::http::{Connection, HttpError, SseEvent, SseReader, parse_head};
use crate::message::ReceivedMessage;
use crate::stream_event::StreamEvent;
use crate::stream_passage::{StreamPassage, now};

/// Maximum silence of an open stream.
const IDLE_TIMEOUT: Duration = Duration::from_secs(40);
const OK: u16 = 200;

/// An open response.
pub(crate) struct SseStream {
    connection: Connection,
    reader: SseReader,
    /// An event that was read but not returned yet.
    peeked: Option<SseEvent>,
    opened_at: Instant,
    /// Whether a message arrived, or anything after the first event.
    flows: bool,
    passage: Arc<StreamPassage>,
    /// How long to poll if this stream does not pass.
    retry: Option<Duration>,
}

#[derive(Deserialize)]
struct Bye {
    reason: String,
}

impl SseStream {
    /// Reads the response to a stream request up to its first event.
    pub(crate) async fn open(
        mut connection: Connection,
        passage: Arc<StreamPassage>,
        retry: Option<Duration>,
    ) -> Result<Self, ClientError> {
        let mut reader = SseReader::default();
        loop {
            let input = connection.more().await?;
            match parse_head(input, |response| response.code)?.and_then(|(_, status)| status) {
                None => {}
                Some(OK) => {
                    reader.status(input)?;
                    break;
                }
                Some(_) => {
                    let (status, body) = connection.reply().await?;
                    return Err(ClientError::from_response(status, body));
                }
            }
        }
        reader.take(connection.input())?;
        let mut stream = Self { connection, reader, peeked: None, opened_at: now(), flows: false, passage, retry };
        loop {
            stream.peeked = stream.reader.next_event();
            if stream.peeked.is_some() {
                return Ok(stream);
            }
            if stream.reader.has_ended() {
                return Err(HttpError::Closed.into());
            }
            let input = stream.connection.more().await?;
            stream.reader.take(input)?;
        }
    }

    /// Waits for the next event. It may be cancelled at any time without losing one.
    pub(crate) async fn next(&mut self) -> Result<StreamEvent, ClientError> {
        loop {
            if let Some(event) = self.peeked.take().or_else(|| self.reader.next_event()) {
                if event.name == "message" {
                    self.note_flow();
                }
                return parse(&event);
            }
            if self.reader.has_ended() {
                return Err(self.broken(HttpError::Closed));
            }
            match timeout(IDLE_TIMEOUT, self.connection.more()).await {
                Err(_) => return Err(self.silent()),
                Ok(Err(error)) => return Err(self.broken(error)),
                Ok(Ok(input)) => {
                    self.reader.take(input)?;
                    self.note_flow();
                }
            }
        }
    }

    /// Returns a message that was already received, if it is the next event.
    pub(crate) fn next_ready_message(&mut self) -> Result<Option<ReceivedMessage>, ClientError> {
        match self.peeked.take().or_else(|| self.reader.next_event()) {
            Some(event) if event.name == "message" => Ok(Some(event.read()?)),
            event => {
                self.peeked = event;
                Ok(None)
            }
        }
    }

    fn note_flow(&mut self) {
        self.flows = true;
        self.passage.note_flow();
    }

    fn broken(&self, error: HttpError) -> ClientError {
        if !self.flows {
            self.passage.count_end(now() - self.opened_at, self.retry);
        }
        error.into()
    }

    /// A hub sends a comment every 25 s: if not even one arrived, a proxy holds them back.
    fn silent(&self) -> ClientError {
        let reason = "the hub has been silent for 40 s";
        if !self.flows {
            self.passage.block(reason, self.retry);
        }
        ClientError::temporary(reason)
    }
}

fn parse(event: &SseEvent) -> Result<StreamEvent, ClientError> {
    Ok(match &*event.name {
        "hello" => StreamEvent::Hello(event.read()?),
        "message" => StreamEvent::Message(event.read()?),
        "gap" => StreamEvent::Gap(event.read()?),
        "task" => StreamEvent::Tasks(event.read()?),
        "superseded" => return Err(ClientError::Superseded),
        "bye" => {
            let Bye { reason } = event.read()?;
            return Err(match &*reason {
                "left" => ClientError::Left,
                "evicted" => ClientError::Evicted,
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
        let mut connection = Connection::new(listener.local_addr().unwrap());
        let server = async {
            let (mut peer, _) = listener.accept().await?;
            peer.write_all(b"HTTP/1.1 200 OK\r\nx-more: ").await?;
            peer.write_all(&vec![b'x'; MANY_BYTES]).await
        };
        let client = async {
            connection.write(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
            SseStream::open(connection, Arc::default(), None).await.err().unwrap().to_string()
        };
        let (sent, error): (io::Result<()>, _) = tokio::join!(server, client);
        assert!(sent.is_err() && error.contains("64 KiB"), "{error}");
    }

    /// A hub that restarts often sends what was not acknowledged together with the greeting.
    #[tokio::test]
    async fn a_short_stream_that_delivers_a_message_passes() {
        const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
        const HELLO: &str = "event: hello\ndata: {\"channel_id\":\"c\",\"callsign\":\"bob\",\"head\":1}\n\n";
        const MESSAGE: &str =
            "event: message\ndata: {\"id\":1,\"from\":\"ann\",\"to\":\"all\",\"text\":\"hi\",\"at\":1}\n\n";
        async fn is_blocked_after_short_streams(events: String) -> bool {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let passage = Arc::<StreamPassage>::default();
            for _ in 0..6 {
                let mut connection = Connection::new(listener.local_addr().unwrap());
                connection.write(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
                let (mut peer, _) = listener.accept().await.unwrap();
                peer.write_all(format!("{HEAD}{events}").as_bytes()).await.unwrap();
                drop(peer);
                let mut stream = SseStream::open(connection, Arc::clone(&passage), None).await.unwrap();
                while stream.next().await.is_ok() {}
            }
            passage.is_blocked()
        }
        assert!(!is_blocked_after_short_streams(format!("{HELLO}{MESSAGE}")).await);
        assert!(is_blocked_after_short_streams(HELLO.to_owned()).await);
    }
}
