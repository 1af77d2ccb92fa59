//! A stream of events from a hub. A link that is silent for too long is taken for dead: a hub says `: ping` every 25 s.

use super::trouble::Trouble;
use crate::cli::client::{Connection, Events, Fault, SseEvent};
use std::time::Duration;
use tokio::time::timeout;

const SILENCE: Duration = Duration::from_secs(40);
/// For a connection and for the answer to a request.
pub(in crate::cli) const PATIENCE: Duration = Duration::from_secs(10);

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
        let mut head = Vec::new();
        loop {
            head.clone_from(self.connection.more().await?);
            match self.events.status(&mut head)? {
                None => {}
                Some(200) => break,
                Some(_) => {
                    let (status, body) = self.connection.reply().await?;
                    return Err(Trouble::of(status, body));
                }
            }
        }
        *self.connection.input() = head;
        self.events.take(self.connection.input())?;
        Ok(())
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

    /// The next event. May be given up at any time without losing any.
    pub(in crate::cli) async fn next(&mut self) -> Result<SseEvent, Trouble> {
        loop {
            if let Some(event) = self.seen.take().or_else(|| self.events.next()) {
                return Ok(event);
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
