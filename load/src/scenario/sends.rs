//! Several senders on each channel, as fast as sends are answered: to one listener, or to nobody.
//! A window of messages under way keeps the listener's mailbox from filling up: a sender waits for it to catch up.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::stream::{FuturesUnordered, TryStreamExt};
use rogerrat_client::http::{HttpError, expect_success};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::pair_loop::{POLL_S, SWEEP_S};
use super::{Needs, ScenarioOptions};
use crate::http_connection::Line;
use crate::message::{self, Numbered};
use crate::order_check::Sequence;
use crate::pacer::Pacer;
use crate::run_state::RunState;
use crate::send_template::{Request, SendTemplate};
use crate::setup::Setup;
use crate::target::{PollKind, Session, Target};

/// Messages sent and not yet heard on a channel; a mailbox holds 100.
const UNDER_WAY: usize = 64;
const LISTENER: &str = "base";
/// What a channel's history holds.
const HISTORY: usize = 100;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Sends {
    pub(super) channels: usize,
    pub(super) senders: usize,
    pub(super) unheard: bool,
    pub(super) poll: PollKind,
    pub(super) options: ScenarioOptions,
}

impl Sends {
    pub(super) fn summary(self) -> String {
        let Self { channels, senders, unheard, .. } = self;
        let listeners = if unheard { "nobody listens" } else { "one listener each" };
        format!("{senders} senders on each of {channels} channels, {listeners}")
    }

    pub(super) fn needs(self) -> Needs {
        let lines = self.channels * (self.senders + 1);
        Needs { lines, sends_by_one: usize::MAX, parked: self.channels }
    }

    /// Joins all agents, then lets them all begin.
    pub(super) async fn start(
        self,
        target: &Arc<Target>,
        run_state: &Arc<RunState>,
        agents: &mut JoinSet<()>,
    ) -> Result<(), HttpError> {
        let setup = Setup::new(target, run_state, self.options.durability);
        let names = |_| (0..self.senders).map(|sender| format!("s{sender}")).chain([LISTENER.to_owned()]).collect();
        for (index, sessions) in setup.channels(self.channels, names).await?.iter().enumerate() {
            if let Some((listener, senders)) = sessions.split_last() {
                agents.spawn(SendChannel::new(target, senders, listener, self, index).scenario(Arc::clone(run_state)));
            }
        }
        Ok(())
    }
}

/// The agents of one channel.
struct SendChannel {
    listener: Listener,
    senders: Vec<Sender>,
}

/// What senders and listener of a channel share.
struct SharedState {
    /// One permit for each message that may be under way.
    places: Semaphore,
    sent: AtomicU64,
}

impl SendChannel {
    /// The last session is the listener's.
    fn new(target: &Target, senders: &[Session], listener: &Session, load: Sends, channel: usize) -> Self {
        let (rate, bytes) = (load.options.rate, load.options.payload_bytes);
        let to = if load.unheard { "all" } else { LISTENER };
        let sender = |(index, session): (usize, &Session)| Sender {
            line: target.line(),
            template: target.template(session, to, bytes),
            pacer: Pacer::new(rate, channel * load.senders + index, load.channels * load.senders),
            sent: 0,
        };
        let senders = senders.iter().enumerate().map(sender).collect::<Vec<_>>();
        Self { listener: Listener::new(target, listener, senders.len(), load), senders }
    }

    async fn scenario(mut self, run_state: Arc<RunState>) {
        let shared = &SharedState { places: Semaphore::new(UNDER_WAY), sent: AtomicU64::new(0) };
        let unheard = self.listener.unheard;
        let talk: FuturesUnordered<_> =
            self.senders.iter_mut().map(|sender| sender.talk((!unheard).then_some(shared), &run_state)).collect();
        let outcome = match unheard {
            false => tokio::try_join!(self.listener.hear_all(shared, &run_state), talk.try_collect::<()>()).map(drop),
            true => talk.try_collect::<()>().await,
        };
        let outcome = match (unheard, outcome) {
            (true, Ok(())) => {
                let sent = self.senders.iter().map(|sender| sender.sent).collect::<Vec<_>>();
                self.listener.look_back(&sent).await
            }
            (_, outcome) => outcome,
        };
        // After another fault than silence nobody knows about the messages under way.
        let tail_is_known = matches!(outcome, Ok(()) | Err(HttpError::TimedOut(_)));
        for (sender, sequence) in self.senders.iter().zip(&self.listener.sequences) {
            run_state.found(match tail_is_known && !unheard {
                true => sequence.complete(sender.sent),
                false => sequence.so_far(),
            });
        }
        if let Err(fault) = outcome {
            run_state.fail(&fault);
        }
    }
}

struct Sender {
    line: Line,
    template: SendTemplate,
    pacer: Pacer,
    /// Sends that were answered with success.
    sent: u64,
}

impl Sender {
    /// Talks until the run_state drains; without shared state nobody listens, and a send counts when it is answered.
    async fn talk(&mut self, shared: Option<&SharedState>, run_state: &RunState) -> Result<(), HttpError> {
        loop {
            if let Some(shared) = shared {
                // The listener gives the place back when it has heard the message.
                shared.places.acquire().await.map_err(|_| HttpError::Closed)?.forget();
            }
            // In an open loop the moment that was planned, also when there was no place then.
            let sent_ns = self.pacer.due(run_state).await;
            let last = run_state.is_draining();
            let numbered = Numbered { seq: self.sent + 1, sent_ns, last };
            let (status, body) = self.line.call(self.template.number(numbered)).await?;
            expect_success("send", status, body)?;
            self.sent += 1;
            match shared {
                Some(shared) => {
                    shared.sent.fetch_add(1, Ordering::Relaxed);
                    run_state.answer(sent_ns);
                }
                None => run_state.hop(sent_ns),
            }
            if last {
                return Ok(());
            }
        }
    }
}

struct Listener {
    line: Line,
    poll: Request,
    sweep: Request,
    history: Request,
    unheard: bool,
    payload_bytes: usize,
    /// One for each sender.
    sequences: Vec<Sequence>,
    /// Senders that have not said their last message.
    talking: usize,
    heard: u64,
}

impl Listener {
    fn new(target: &Target, session: &Session, senders: usize, load: Sends) -> Self {
        Self {
            line: target.line(),
            poll: target.poll_request(session, load.poll, POLL_S),
            sweep: target.poll_request(session, load.poll, SWEEP_S),
            history: target.history_request(session, HISTORY),
            unheard: load.unheard,
            payload_bytes: load.options.payload_bytes,
            sequences: (0..senders).map(|_| Sequence::default()).collect(),
            talking: senders,
            heard: 0,
        }
    }

    async fn hear_all(&mut self, shared: &SharedState, run_state: &RunState) -> Result<(), HttpError> {
        while self.talking > 0 {
            let owed = shared.sent.load(Ordering::Relaxed);
            self.line.write(&self.poll).await?;
            if self.hear(shared, run_state).await? == 0 && owed > self.heard {
                return Err(HttpError::TimedOut("a message was waited for"));
            }
        }
        self.line.write(&self.sweep).await?;
        self.hear(shared, run_state).await?;
        Ok(())
    }

    /// Reads one poll's reply and checks every message in it; tells how many there were.
    async fn hear(&mut self, shared: &SharedState, run_state: &RunState) -> Result<usize, HttpError> {
        let (status, body) = self.line.reply().await?;
        expect_success("poll", status, body)?;
        let messages = message::of_poll(body)?;
        for message in &messages {
            let Some((sequence, numbered)) = place(&mut self.sequences, message, LISTENER, self.payload_bytes)
                .map_err(|()| HttpError::InvalidResponse(format!("nobody knows {}", message.from)))?
            else {
                continue;
            };
            if sequence.arrive(numbered.seq) {
                run_state.hop(numbered.sent_ns);
                self.talking = self.talking.saturating_sub(usize::from(numbered.last));
                self.heard += 1;
                shared.places.add_permits(1);
            }
        }
        Ok(messages.len())
    }

    /// What the history still holds of broadcasts that nobody heard: each sender's last ones, dense and in order.
    async fn look_back(&mut self, sent: &[u64]) -> Result<(), HttpError> {
        const NOT_FOUND: u16 = 404;
        let (status, body) = self.line.call(&self.history).await?;
        if status == NOT_FOUND {
            // A bare server keeps none.
            return Ok(());
        }
        expect_success("history", status, body)?;
        let messages = message::of_history(body)?;
        let mut next = vec![None; sent.len()];
        for message in &messages {
            let known = place(&mut self.sequences, message, "all", self.payload_bytes);
            let Ok(Some((sequence, numbered))) = known else { continue };
            let sender = message.from[1..].parse::<usize>().unwrap_or_default();
            match next[sender].replace(numbered.seq + 1) {
                None => sequence.begin_at(numbered.seq),
                Some(_) => {
                    sequence.arrive(numbered.seq);
                }
            }
        }
        let all = sent.iter().sum::<u64>();
        if all > 0 && messages.is_empty() {
            return Err(HttpError::InvalidResponse("the history is empty".into()));
        }
        // A sender whose last message is in the history at all must be there to the end.
        let seen = |(next, sent): (&Option<u64>, &u64)| next.is_none_or(|next| next == sent + 1);
        match next.iter().zip(sent).all(seen) {
            true => Ok(()),
            false => Err(HttpError::InvalidResponse("the history ends before the last message".into())),
        }
    }
}

/// The sequence a message belongs to, or nothing when it strayed; an error when nobody knows its sender.
fn place<'a>(
    sequences: &'a mut [Sequence],
    message: &message::Message<'_>,
    to: &str,
    payload_bytes: usize,
) -> Result<Option<(&'a mut Sequence, Numbered)>, ()> {
    let sender = message.from.strip_prefix('s').and_then(|number| number.parse::<usize>().ok());
    let sequence = sender.and_then(|sender| sequences.get_mut(sender)).ok_or(())?;
    let numbered = message.numbered().filter(|_| message.is_of(&message.from, to, payload_bytes));
    if numbered.is_none() {
        sequence.stray();
    }
    Ok(numbered.map(|numbered| (sequence, numbered)))
}
