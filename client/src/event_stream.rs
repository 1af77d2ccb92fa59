//! A stream of events from a hub. A link that is silent for too long is taken for dead: a hub says `: ping` every 25 s.

use std::time::Duration;

use serde::Deserialize;
use tokio::time::timeout;

use crate::error::ClientError;
use crate::http::{Connection, HttpError, SseEvent, SseReader, head};
use crate::hub_client::PATIENCE;

const SILENCE: Duration = Duration::from_secs(40);
const OK: u16 = 200;

#[derive(Deserialize)]
struct Bye {
    reason: String,
}

pub struct EventStream {
    connection: Connection,
    events: SseReader,
    /// Looked at and left.
    seen: Option<SseEvent>,
}

impl EventStream {
    pub(super) async fn open(connection: Connection, request: &[u8]) -> Result<Self, ClientError> {
        let mut stream = Self { connection, events: SseReader::default(), seen: None };
        timeout(PATIENCE, stream.begin(request)).await.map_err(|_| HttpError::TimedOut("a stream was asked for"))??;
        Ok(stream)
    }

    async fn begin(&mut self, request: &[u8]) -> Result<(), ClientError> {
        self.connection.write(request).await?;
        loop {
            let input = self.connection.more().await?;
            match head(input, |reply| reply.code)?.and_then(|(_, status)| status) {
                None => {}
                Some(OK) => {
                    self.events.status(input)?;
                    self.events.take(input)?;
                    return Ok(());
                }
                Some(_) => {
                    let (status, body) = self.connection.reply().await?;
                    return Err(ClientError::of(status, body));
                }
            }
        }
    }

    /// A message that has come already, if nothing else came before it.
    pub fn next_message(&mut self) -> Option<SseEvent> {
        let event = self.seen.take().or_else(|| self.events.next())?;
        if event.name == "message" {
            return Some(event);
        }
        self.seen = Some(event);
        None
    }

    /// The next event; a goodbye is an error. May be given up at any time without losing any.
    pub async fn next(&mut self) -> Result<SseEvent, ClientError> {
        loop {
            if let Some(event) = self.seen.take().or_else(|| self.events.next()) {
                return match goodbye(&event)? {
                    Some(goodbye) => Err(goodbye),
                    None => Ok(event),
                };
            }
            if self.events.has_ended() {
                return Err(HttpError::Closed.into());
            }
            let more = timeout(SILENCE, self.connection.more()).await;
            let input = more.map_err(|_| ClientError::passing("the hub has been silent for 40 s"))??;
            self.events.take(input)?;
        }
    }
}

/// Why the hub ends the stream with this event, if it does.
fn goodbye(event: &SseEvent) -> Result<Option<ClientError>, HttpError> {
    Ok(match &*event.name {
        "superseded" => Some(ClientError::Superseded),
        "bye" => {
            let Bye { reason } = event.read()?;
            Some(match &*reason {
                "left" => ClientError::Left,
                _ => ClientError::passing(format!("the hub has ended the stream ({reason})")),
            })
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use std::io;

    use tokio::io::AsyncWriteExt as _;
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_head_without_an_end_is_not_read_for_ever() {
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
        let (sent, told): (io::Result<()>, _) = tokio::join!(server, client);
        assert!(sent.is_err() && told.contains("64 KiB"), "{told}");
    }
}
