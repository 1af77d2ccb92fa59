//! Several senders and one listener on each channel, as fast as sends are answered.
//! A window of messages under way keeps the listener's mailbox from filling up: a sender waits for it to catch up.

use super::message::{Heard, Numbered};
use super::pingpong::{POLL_S, SWEEP_S};
use super::sequence::Sequence;
use super::setup::Setup;
use super::stage::Stage;
use super::target::{Durability, Letter, PollKind, Session, Target};
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
    pub(super) sides: Sides,
}

/// The kinds of channels that a crowd talks on, turn by turn.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sides {
    One(Option<Durability>),
    MemoryAndDisk,
}

impl Sides {
    pub(super) fn count(self) -> usize {
        self.durabilities().count()
    }

    fn durabilities(self) -> impl Iterator<Item = Option<Durability>> {
        let (first, second) = match self {
            Self::One(durability) => (durability, None),
            Self::MemoryAndDisk => (Some(Durability::Memory), Some(Some(Durability::Disk))),
        };
        [first].into_iter().chain(second)
    }
}

impl Sends {
    /// Joins all agents, then lets them all begin.
    pub(super) async fn start(self, target: &Target, stage: &Arc<Stage>) -> Result<JoinSet<()>, Fault> {
        let mut setup = Setup::new(target);
        let mut ready = Vec::with_capacity(self.channels);
        for _ in 0..self.channels {
            let mut sides = Vec::with_capacity(self.sides.count());
            for durability in self.sides.durabilities() {
                let callsigns = (0..self.senders).map(callsign).chain([LISTENER.to_owned()]);
                sides.push(setup.channel(durability, callsigns).await?);
            }
            ready.push(Crowd::new(target, &sides, self));
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

/// The agents of one channel, or of one of each kind: the senders are the same, the listeners are not.
struct Crowd {
    listeners: Vec<Listener>,
    senders: Vec<Sender>,
    rooms: Vec<Semaphore>,
}

impl Crowd {
    /// The last session of each side is the listener's.
    fn new(target: &Target, sides: &[Vec<Session>], load: Sends) -> Self {
        let mut senders = (0..load.senders).map(|_| Sender::new(target)).collect::<Vec<_>>();
        let mut listeners = Vec::with_capacity(sides.len());
        for (listener, sessions) in sides.iter().filter_map(|sessions| sessions.split_last()) {
            listeners.push(Listener::new(target, listener, sessions.len(), load.poll));
            for (sender, session) in senders.iter_mut().zip(sessions) {
                let letter = Letter::new(target, session, LISTENER, load.payload_bytes);
                sender.outboxes.push(Outbox { letter, sent: 0 });
            }
        }
        let rooms = sides.iter().map(|_| Semaphore::new(UNDER_WAY)).collect();
        Self { listeners, senders, rooms }
    }

    async fn play(mut self, stage: Arc<Stage>) {
        let rooms = &self.rooms;
        let listeners = self.listeners.iter_mut().zip(rooms);
        let hearing: FuturesUnordered<_> = listeners.map(|(ear, room)| ear.hear_all(room, &stage)).collect();
        let talk: FuturesUnordered<_> = self.senders.iter_mut().map(|sender| sender.talk(rooms, &stage)).collect();
        let outcome = tokio::try_join!(hearing.try_collect::<()>(), talk.try_collect::<()>());
        // After another fault than silence nobody knows about the messages under way.
        let tail_is_known = matches!(outcome, Ok(_) | Err(Fault::Stalled(_)));
        for (side, listener) in self.listeners.iter().enumerate() {
            for (sender, sequence) in self.senders.iter().zip(&listener.sequences) {
                stage.found(match tail_is_known {
                    true => sequence.complete(sender.outboxes[side].sent),
                    false => sequence.so_far(),
                });
            }
        }
        if let Err(fault) = outcome {
            stage.fail(&fault);
        }
    }
}

/// What a sender says on one side.
struct Outbox {
    letter: Letter,
    /// Sends that were answered with success.
    sent: u64,
}

struct Sender {
    connection: Connection,
    /// One for each side.
    outboxes: Vec<Outbox>,
}

impl Sender {
    fn new(target: &Target) -> Self {
        Self { connection: target.connection(), outboxes: Vec::new() }
    }

    async fn talk(&mut self, rooms: &[Semaphore], stage: &Stage) -> Result<(), Fault> {
        loop {
            let side = stage.turn();
            let last = self.say(side, rooms, stage).await?;
            if last {
                for other in (0..rooms.len()).filter(|other| *other != side) {
                    self.say(other, rooms, stage).await?;
                }
                return Ok(());
            }
        }
    }

    /// Says the next message of a side; tells whether it was the last.
    async fn say(&mut self, side: usize, rooms: &[Semaphore], stage: &Stage) -> Result<bool, Fault> {
        // The listener gives the room back when it has heard the message.
        rooms[side].acquire().await.map_err(|_| Fault::Closed)?.forget();
        let last = stage.is_draining();
        let sent_ns = elapsed_ns();
        let outbox = &mut self.outboxes[side];
        let numbered = Numbered { seq: outbox.sent + 1, sent_ns, last };
        let (status, body) = self.connection.call(outbox.letter.number(numbered)).await?;
        expect_success("send", status, body)?;
        outbox.sent += 1;
        stage.answer(side, sent_ns);
        Ok(last)
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
