//! Several senders and one listener on each channel, as fast as sends are answered.
//! A window of messages under way keeps the listener's mailbox from filling up: a sender waits for it to catch up.

use super::message::{Heard, Numbered};
use super::pingpong::{POLL_S, SWEEP_S};
use super::sequence::Sequence;
use super::setup::Setup;
use super::stage::Stage;
use super::target::{Letter, PollKind, Session, Target};
use crate::cli::client::Connection;
use crate::cli::client::elapsed_ns;
use crate::cli::client::{Fault, expect_success};
use futures_util::stream::{FuturesUnordered, TryStreamExt};
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Messages sent and not yet heard on a channel; a mailbox holds 100.
const UNDER_WAY: usize = 64;
const LISTENER: &str = "base";

#[derive(Debug, Clone, Copy)]
pub(super) struct Sends {
    pub(super) channels: usize,
    pub(super) senders: usize,
    pub(super) payload_bytes: usize,
    pub(super) poll: PollKind,
}

impl Sends {
    /// Joins all agents, then lets them all begin.
    pub(super) async fn start(self, target: &Target, stage: &Arc<Stage>) -> Result<JoinSet<()>, Fault> {
        let mut setup = Setup::new(target);
        let mut ready = Vec::with_capacity(self.channels);
        for _ in 0..self.channels {
            let callsigns = (0..self.senders).map(callsign).chain([LISTENER.to_owned()]);
            let sessions = setup.channel(callsigns).await?;
            ready.extend(Crowd::new(target, &sessions, self));
        }
        let mut tasks = JoinSet::new();
        for crowd in ready {
            tasks.spawn(crowd.play(Arc::clone(stage)));
        }
        Ok(tasks)
    }
}

fn callsign(sender: usize) -> String {
    format!("s{sender}")
}

/// The agents of one channel.
struct Crowd {
    listener: Listener,
    senders: Vec<Sender>,
    room: Semaphore,
}

impl Crowd {
    /// The last session is the listener's.
    fn new(target: &Target, sessions: &[Session], load: Sends) -> Option<Self> {
        let (listener, senders) = sessions.split_last()?;
        Some(Self {
            listener: Listener::new(target, listener, senders.len(), load.poll),
            senders: senders.iter().map(|session| Sender::new(target, session, load.payload_bytes)).collect(),
            room: Semaphore::new(UNDER_WAY),
        })
    }

    async fn play(mut self, stage: Arc<Stage>) {
        let room = &self.room;
        let talk: FuturesUnordered<_> = self.senders.iter_mut().map(|sender| sender.talk(room, &stage)).collect();
        let outcome = tokio::try_join!(self.listener.hear_all(room, &stage), talk.try_collect::<()>());
        // After another fault than silence nobody knows about the messages under way.
        let tail_is_known = matches!(outcome, Ok(_) | Err(Fault::Stalled(_)));
        for (sender, sequence) in self.senders.iter().zip(&self.listener.sequences) {
            stage.found(match tail_is_known {
                true => sequence.complete(sender.sent),
                false => sequence.so_far(),
            });
        }
        if let Err(fault) = outcome {
            stage.fail(&fault);
        }
    }
}

struct Sender {
    connection: Connection,
    letter: Letter,
    /// Sends that were answered with success.
    sent: u64,
}

impl Sender {
    fn new(target: &Target, session: &Session, payload_bytes: usize) -> Self {
        let letter = Letter::new(target, session, LISTENER, payload_bytes);
        Self { connection: target.connection(), letter, sent: 0 }
    }

    async fn talk(&mut self, room: &Semaphore, stage: &Stage) -> Result<(), Fault> {
        loop {
            // The listener gives the room back when it has heard the message.
            room.acquire().await.map_err(|_| Fault::Closed)?.forget();
            let last = stage.is_draining();
            let sent_ns = elapsed_ns();
            let numbered = Numbered { seq: self.sent + 1, sent_ns, last };
            let (status, body) = self.connection.call(self.letter.number(numbered)).await?;
            expect_success("send", status, body)?;
            self.sent += 1;
            stage.answer(sent_ns);
            if last {
                return Ok(());
            }
        }
    }
}

struct Listener {
    connection: Connection,
    poll: Vec<u8>,
    sweep: Vec<u8>,
    /// One for each sender.
    sequences: Vec<Sequence>,
    /// Senders that have not said their last message.
    talking: usize,
}

impl Listener {
    fn new(target: &Target, session: &Session, senders: usize, poll: PollKind) -> Self {
        Self {
            connection: target.connection(),
            poll: target.poll_request(session, poll, POLL_S),
            sweep: target.poll_request(session, poll, SWEEP_S),
            sequences: (0..senders).map(|_| Sequence::default()).collect(),
            talking: senders,
        }
    }

    async fn hear_all(&mut self, room: &Semaphore, stage: &Stage) -> Result<(), Fault> {
        while self.talking > 0 {
            self.connection.write(&self.poll).await?;
            if self.hear(room, stage).await? == 0 {
                return Err(Fault::Stalled("a parked poll ran its full time"));
            }
        }
        self.connection.write(&self.sweep).await?;
        self.hear(room, stage).await?;
        Ok(())
    }

    /// Reads one poll's reply and checks every message in it; tells how many there were.
    async fn hear(&mut self, room: &Semaphore, stage: &Stage) -> Result<usize, Fault> {
        let (status, body) = self.connection.reply().await?;
        expect_success("poll", status, body)?;
        let heard = Heard::parse(body)?;
        for message in &heard.messages {
            let numbered = message.numbered()?;
            let sender = message.from.strip_prefix('s').and_then(|number| number.parse::<usize>().ok());
            let sequence = sender.and_then(|sender| self.sequences.get_mut(sender));
            let sequence = sequence.ok_or_else(|| Fault::Garbled(format!("nobody knows {}", message.from)))?;
            if sequence.arrive(numbered.seq) {
                stage.hop(numbered.sent_ns);
                self.talking = self.talking.saturating_sub(usize::from(numbered.last));
                room.add_permits(1);
            }
        }
        Ok(heard.messages.len())
    }
}
