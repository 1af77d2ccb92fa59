//! Pushing what comes on the channel: a stream with manual acks on a cursor of its own. A message is acknowledged when its
//! notification was written out. It goes on for ever, over every restart of the hub.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use rogerrat_client::http::SseEvent;
use rogerrat_client::{ChannelClient, ChannelTarget, ClientError, EventStream, Retry};
use serde::Deserialize;
use tokio::time::sleep;

use super::super::line::{Gap, Message, Priority};
use super::lines::{Closed, Out};
use super::seat::{Seat, Seats};
use super::{NAME, notice};
use crate::outcome::say;
use crate::target::ResolvedTarget;

/// Ids remembered as pushed; more are never unacknowledged.
const REMEMBERED: usize = 256;
/// Before a hub is asked again that has refused.
const AFTER_A_REFUSAL: Duration = Duration::from_secs(30);

#[derive(Deserialize)]
struct Rows {
    consumers: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    name: Option<String>,
    cursor: u64,
}

pub(super) struct Follower {
    place: ResolvedTarget,
    min_priority: Priority,
    seats: Seats,
    out: Out,
    retry: Retry,
    /// Pushed by this process.
    done: VecDeque<(String, u64)>,
    told_gap: u64,
    /// What was complained of last.
    told: Option<String>,
}

/// Why a stream is not followed any more.
enum End {
    ClientError(ClientError),
    /// Nobody reads our output.
    Closed,
}

impl<T: Into<ClientError>> From<T> for End {
    fn from(trouble: T) -> Self {
        Self::ClientError(trouble.into())
    }
}

impl From<Closed> for End {
    fn from(_: Closed) -> Self {
        Self::Closed
    }
}

impl Follower {
    pub(super) fn new(place: ResolvedTarget, min_priority: Priority, seats: Seats, out: Out) -> Self {
        Self {
            place,
            min_priority,
            seats,
            out,
            retry: Retry::default(),
            done: VecDeque::new(),
            told_gap: 0,
            told: None,
        }
    }

    /// Follows whatever seat there is. Ends when nobody reads any more.
    pub(super) async fn follow(mut self) {
        let mut seat = self.seats.watch();
        let target = &self.place.target;
        let mut is_first = !target.channel.is_empty() && target.callsign.is_some();
        loop {
            let link = match seat.borrow_and_update().clone() {
                Some(seat) => {
                    is_first = false;
                    Some(ChannelClient::new(self.target_of(seat)))
                }
                None if is_first => Some(self.place.client()),
                None => None,
            };
            let changed = match link {
                None => seat.changed().await,
                Some(mut link) => {
                    tokio::select! {
                        is_over = self.stay(&mut link) => match is_over {
                            true => return,
                            false => seat.changed().await,
                        },
                        changed = seat.changed() => changed,
                    }
                }
            };
            if changed.is_err() {
                return;
            }
        }
    }

    fn target_of(&self, seat: Seat) -> ChannelTarget {
        let Seat { channel, token, session, callsign } = seat;
        ChannelTarget { channel, token, session: Some(session), callsign, ..self.place.target.clone() }
    }

    /// Until there is no use in going on with this seat (false), or at all (true).
    async fn stay(&mut self, link: &mut ChannelClient) -> bool {
        loop {
            let (why, pause) = match self.once(link).await {
                End::Closed => return true,
                End::ClientError(ClientError::Passing { why, retry_after }) => (why, retry_after),
                End::ClientError(ClientError::Refused(why)) => (why, Some(AFTER_A_REFUSAL)),
                End::ClientError(
                    trouble @ (ClientError::NoSession(_) | ClientError::Superseded | ClientError::Left),
                ) => {
                    self.complain(format!("{trouble}; nothing is pushed until you join again"));
                    return false;
                }
            };
            link.forget_address();
            self.complain(format!("{why}; trying again"));
            sleep(self.retry.pause(pause)).await;
        }
    }

    fn complain(&mut self, why: String) {
        if self.told.as_ref() != Some(&why) {
            say(NAME, &why);
        }
        self.told = Some(why);
    }

    /// One stream, to its end.
    async fn once(&mut self, link: &mut ChannelClient) -> End {
        match self.stream(link).await {
            Err(end) => end,
            Ok(never) => match never {},
        }
    }

    async fn stream(&mut self, link: &mut ChannelClient) -> Result<Infallible, End> {
        link.enter().await?;
        self.seats.take(Seat::of(link.target()));
        self.seats.begun().await;
        let since = self.since(link).await?;
        let mut stream = link.stream(&since).await?;
        self.seats.take(Seat::of(link.target()));
        loop {
            let event = stream.next().await?;
            self.heed(link, &event, &mut stream).await?;
        }
    }

    /// What the tools have returned already is not pushed again.
    async fn since(&self, link: &mut ChannelClient) -> Result<String, ClientError> {
        let rows = match link.get("consumers").await {
            Ok(body) => serde_json::from_slice(&body).unwrap_or(Rows { consumers: Vec::new() }).consumers,
            // The stream joins again, or says what is wrong.
            Err(ClientError::NoSession(_)) => Vec::new(),
            Err(trouble) => return Err(trouble),
        };
        let cursor = |name: Option<&str>| rows.iter().find(|row| row.name.as_deref() == name).map(|row| row.cursor);
        let own = cursor(self.place.target.consumer.as_deref());
        let returned = cursor(None).filter(|returned| own.is_none_or(|own| own < *returned));
        Ok(returned.map_or(String::new(), |id| format!("&since={id}")))
    }

    async fn heed(&mut self, link: &mut ChannelClient, event: &SseEvent, stream: &mut EventStream) -> Result<(), End> {
        match &*event.name {
            "hello" => {
                self.retry.reset();
                self.complain(format!("following {}", link.target().channel));
            }
            "message" => {
                let mut messages = vec![Message::read(event)?];
                while let Some(more) = stream.next_message() {
                    messages.push(Message::read(&more)?);
                }
                self.push(link, &messages).await?;
            }
            "gap" => {
                let gap: Gap = event.read()?;
                if gap.to > self.told_gap {
                    self.told_gap = gap.to;
                    self.out.say(notice::of_gap(&link.target().channel, &gap)).await?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// A status wakes nobody: it is no news when it is read.
    async fn push(&mut self, link: &mut ChannelClient, messages: &[Message]) -> Result<(), End> {
        let channel = link.target().channel.clone();
        for message in messages.iter().filter(|message| !message.is_status && message.priority >= self.min_priority) {
            let known = (channel.clone(), message.id);
            if self.done.contains(&known) {
                continue;
            }
            if let Some(notice) = notice::of_message(&channel, message.json()) {
                self.out.say(notice).await?;
            }
            self.done.push_back(known);
            if self.done.len() > REMEMBERED {
                self.done.pop_front();
            }
        }
        let upto = messages.iter().filter(|message| !message.is_status).map(|message| message.id).max();
        let Some(upto) = upto else { return Ok(()) };
        // What cannot be acknowledged comes again, and is not pushed again.
        Ok(link.acknowledge(upto).await?)
    }
}
