//! Pairs of agents that answer each other: every hop is one send that wakes one parked poll.
//! An agent has a connection for its poll and another for its sends, so a parked poll never blocks a send.
//! A pair is one task: both agents wait in it, and a fault of one ends the other.

use super::message::{Heard, Numbered};
use super::sequence::Sequence;
use super::setup::Setup;
use super::stage::Stage;
use super::target::{Durability, Letter, PollKind, Session, Target};
use crate::cli::client::Connection;
use crate::cli::client::elapsed_ns;
use crate::cli::client::{Fault, expect_success};
use std::sync::Arc;
use tokio::task::JoinSet;

/// A poll that hears nothing for so long means that a message was lost.
pub(super) const POLL_S: u32 = 20;
/// The last look into the mailbox, after the last message.
pub(super) const SWEEP_S: u32 = 1;

#[derive(Debug, Clone, Copy)]
pub(super) struct Pingpong {
    pub(super) pairs: usize,
    pub(super) payload_bytes: usize,
    pub(super) poll: PollKind,
    pub(super) durability: Option<Durability>,
}

impl Pingpong {
    pub(super) const SOCKETS_PER_PAIR: usize = 4;

    /// Joins all pairs, then lets them all begin.
    pub(super) async fn start(self, target: &Target, stage: &Arc<Stage>) -> Result<JoinSet<()>, Fault> {
        let mut setup = Setup::new(target);
        let mut ready = Vec::with_capacity(self.pairs);
        for _ in 0..self.pairs {
            let sessions = setup.channel(self.durability, ["ann", "bob"]).await?;
            let mut partners = ["bob", "ann"].into_iter();
            ready.extend(sessions.iter().zip(&mut partners).map(|(session, to)| Agent::new(target, session, to, self)));
        }
        let mut tasks = JoinSet::new();
        let mut agents = ready.into_iter();
        while let (Some(ann), Some(bob)) = (agents.next(), agents.next()) {
            tasks.spawn(play(ann, bob, Arc::clone(stage)));
        }
        Ok(tasks)
    }
}

async fn play(mut ann: Agent, mut bob: Agent, stage: Arc<Stage>) {
    let outcome = rally(&mut ann, &mut bob, &stage).await;
    for (listener, sender) in [(&ann, &bob), (&bob, &ann)] {
        // After another fault than silence nobody knows about the message under way.
        let tail_is_known = matches!(outcome, Ok(()) | Err(Fault::Stalled(_)));
        stage.found(match tail_is_known {
            true => listener.sequence.complete(sender.sent),
            false => listener.sequence.so_far(),
        });
    }
    if let Err(fault) = outcome {
        stage.fail(&fault);
    }
}

/// Both park, then the first serves.
async fn rally(ann: &mut Agent, bob: &mut Agent, stage: &Stage) -> Result<(), Fault> {
    bob.park().await?;
    ann.park().await?;
    ann.say(false).await?;
    tokio::try_join!(ann.answer_until_last(stage), bob.answer_until_last(stage))?;
    Ok(())
}

struct Agent {
    ear: Connection,
    mouth: Connection,
    poll: Vec<u8>,
    sweep: Vec<u8>,
    letter: Letter,
    /// Sends that were answered with success.
    sent: u64,
    sequence: Sequence,
}

impl Agent {
    fn new(target: &Target, session: &Session, to: &str, game: Pingpong) -> Self {
        Self {
            ear: target.connection(),
            mouth: target.connection(),
            poll: target.poll_request(session, game.poll, POLL_S),
            sweep: target.poll_request(session, game.poll, SWEEP_S),
            letter: Letter::new(target, session, to, game.payload_bytes),
            sent: 0,
            sequence: Sequence::default(),
        }
    }

    async fn park(&mut self) -> Result<(), Fault> {
        self.ear.write(&self.poll).await
    }

    /// Parks before it answers, so that the next message always finds a parked poll.
    /// Who says the last message parks no more; who hears it answers no more.
    async fn answer_until_last(&mut self, stage: &Stage) -> Result<(), Fault> {
        loop {
            let Some(heard) = self.hear(stage).await? else {
                self.park().await?;
                continue;
            };
            if heard.last {
                break;
            }
            let last = stage.is_draining();
            if !last {
                self.park().await?;
            }
            self.say(last).await?;
            if last {
                break;
            }
        }
        self.sweep().await
    }

    async fn say(&mut self, last: bool) -> Result<(), Fault> {
        let numbered = Numbered { seq: self.sent + 1, sent_ns: elapsed_ns(), last };
        let (status, body) = self.mouth.call(self.letter.number(numbered)).await?;
        expect_success("send", status, body)?;
        self.sent += 1;
        Ok(())
    }

    /// Reads the parked poll's reply; `None` when it held only messages that had come before.
    async fn hear(&mut self, stage: &Stage) -> Result<Option<Numbered>, Fault> {
        let (status, body) = self.ear.reply().await?;
        expect_success("poll", status, body)?;
        let heard = Heard::parse(body)?;
        if heard.messages.is_empty() {
            return Err(Fault::Stalled("a parked poll ran its full time"));
        }
        let mut fresh = None;
        for message in &heard.messages {
            let numbered = message.numbered()?;
            if self.sequence.arrive(numbered.seq) {
                stage.hop(numbered.sent_ns);
                fresh = Some(numbered);
            }
        }
        Ok(fresh)
    }

    /// Nothing may be left when both have said their last.
    async fn sweep(&mut self) -> Result<(), Fault> {
        let (status, body) = self.ear.call(&self.sweep).await?;
        expect_success("poll", status, body)?;
        for message in &Heard::parse(body)?.messages {
            self.sequence.arrive(message.numbered()?.seq);
        }
        Ok(())
    }
}
