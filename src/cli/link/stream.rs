//! A stream of events from a hub. A link that is silent for too long is taken for dead: a hub says `: ping` every 25 s.

use super::trouble::Trouble;
use crate::cli::client::{Connection, Events, Fault, SseEvent, head};
use serde::Deserialize;
use std::time::Duration;
use tokio::time::timeout;

const SILENCE: Duration = Duration::from_secs(40);
const OK: u16 = 200;
/// For a connection and for the answer to a request.
pub(in crate::cli) const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Deserialize)]
struct Bye {
    reason: String,
}

pub(in crate::cli) struct Stream {
    connection: Connection,
    events: Events,
    /// Looked at and left.
    seen: Option<SseEvent>,
}

impl Stream {
    pub(super) async fn open(connection: Connection, request: &[u8]) -> Result<Self, Trouble> {
        let mut stream = Self { connection, events: Events::default(), seen: None };
        timeout(PATIENCE, stream.begin(request)).await.map_err(|_| Fault::Stalled("a stream was asked for"))??;
        Ok(stream)
    }

    async fn begin(&mut self, request: &[u8]) -> Result<(), Trouble> {
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
                    return Err(Trouble::of(status, body));
                }
            }
        }
    }

    /// A message that has come already, if nothing else came before it.
    pub(in crate::cli) fn next_message(&mut self) -> Option<SseEvent> {
        let event = self.seen.take().or_else(|| self.events.next())?;
        if event.name == "message" {
            return Some(event);
        }
        self.seen = Some(event);
        None
    }

    /// The next event; a goodbye is an error. May be given up at any time without losing any.
    pub(in crate::cli) async fn next(&mut self) -> Result<SseEvent, Trouble> {
        loop {
            if let Some(event) = self.seen.take().or_else(|| self.events.next()) {
                return match goodbye(&event)? {
                    Some(goodbye) => Err(goodbye),
                    None => Ok(event),
                };
            }
            if self.events.has_ended() {
                return Err(Fault::Closed.into());
            }
            let more = timeout(SILENCE, self.connection.more()).await;
            let input = more.map_err(|_| Trouble::passing("the hub has been silent for 40 s"))??;
            self.events.take(input)?;
        }
    }
}

/// Why the hub ends the stream with this event, if it does.
fn goodbye(event: &SseEvent) -> Result<Option<Trouble>, Fault> {
    Ok(match &*event.name {
        "superseded" => Some(Trouble::Superseded),
        "bye" => {
            let Bye { reason } = event.read()?;
            Some(match &*reason {
                "left" => Trouble::Left,
                _ => Trouble::passing(format!("the hub has ended the stream ({reason})")),
            })
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;
    use tokio::io::AsyncWriteExt as _;
    use tokio::net::TcpListener;

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
        let client = async { Stream::open(connection, b"GET / HTTP/1.1\r\n\r\n").await.err().unwrap().to_string() };
        let (sent, told): (io::Result<()>, _) = tokio::join!(server, client);
        assert!(sent.is_err() && told.contains("64 KiB"), "{told}");
    }
}
