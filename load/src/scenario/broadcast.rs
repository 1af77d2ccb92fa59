//! One speaker and many streams on each channel: how fast one message reaches everybody.
//!
//! All listeners of a channel get the same bytes, so a frame is read once and compared from then on: a thousand streams
//! on one thread would otherwise cost more than the server.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use rogerrat_client::http::{HttpError, expect_success};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::{Needs, ScenarioOptions};
use crate::http_connection::Line;
use crate::message::{self, Numbered};
use crate::order_check::Sequence;
use crate::pacer::Pacer;
use crate::run_state::{RunState, held};
use crate::send_template::SendTemplate;
use crate::setup::Setup;
use crate::stopwatch::elapsed_ns;
use crate::stream_events::{Feed, message_data};
use crate::target::{Session, Target};

const SPEAKER: &str = "speaker";
/// Messages under way at most, in an open loop too; a stream queues 256.
const MOST_UNDER_WAY: usize = 64;
/// Streams that are opened at once.
const AT_ONCE: usize = 32;
/// For the last message to reach a listener.
const LAST_WORDS: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, Copy)]
pub(crate) struct Broadcast {
    pub(super) channels: usize,
    /// Of each channel.
    pub(super) listeners: usize,
    pub(super) under_way: usize,
    pub(super) options: ScenarioOptions,
}

impl Broadcast {
    pub(super) fn summary(self) -> String {
        match self.channels {
            1 => format!("one speaker, {} streams", self.listeners),
            channels => format!("{channels} speakers, {} streams each", self.listeners),
        }
    }

    pub(super) fn needs(self) -> Needs {
        let streams = self.channels * self.listeners;
        Needs { lines: streams + self.channels, sends_by_one: usize::MAX, parked: streams }
    }

    pub(super) async fn start(
        self,
        target: &Arc<Target>,
        run_state: &Arc<RunState>,
        agents: &mut JoinSet<()>,
    ) -> Result<(), HttpError> {
        let setup = Setup::silent(target, run_state, self.options.durability);
        let names =
            |_| std::iter::once(SPEAKER.to_owned()).chain((0..self.listeners).map(|n| format!("l{n}"))).collect();
        for (index, sessions) in setup.channels(self.channels, names).await?.iter().enumerate() {
            let Some((speaker, listeners)) = sessions.split_first() else { continue };
            let shared = Arc::new(SharedState::new(self));
            let opening = listeners.iter().map(|session| open(target, session, run_state)).collect::<Vec<_>>();
            let streams: Vec<_> = stream::iter(opening).buffered(AT_ONCE).try_collect().await?;
            for (line, feed) in streams {
                let sequence = Sequence::default();
                let listener =
                    Listener { line, feed, sequence, shared: Arc::clone(&shared), run_state: Arc::clone(run_state) };
                agents.spawn(listener.scenario());
            }
            let rate = self.options.rate;
            let template = target.template(speaker, "all", self.options.payload_bytes);
            let pacer = Pacer::new(rate, index, self.channels);
            let speaker = Speaker { line: target.line(), template, pacer, shared, run_state: Arc::clone(run_state) };
            agents.spawn(speaker.scenario());
        }
        Ok(())
    }
}

async fn open(target: &Target, session: &Session, run_state: &RunState) -> Result<(Line, Feed), HttpError> {
    let (mut line, mut feed) = (target.line(), Feed::default());
    line.open(&target.stream_request(session), &mut feed).await?;
    run_state.grow();
    Ok((line, feed))
}

/// What a speaker and its listeners share.
struct SharedState {
    /// One permit for each message that may be under way.
    places: Semaphore,
    listeners: usize,
    payload_bytes: usize,
    /// The number of listeners that have not received a message yet, by its number.
    waiting: Vec<AtomicUsize>,
    /// The frame of a message as it was read first, by its number.
    frames: Mutex<Vec<(Vec<u8>, Numbered)>>,
    /// Sends that were answered.
    answered: AtomicU64,
}

impl SharedState {
    fn new(scenario: Broadcast) -> Self {
        let under_way = if scenario.options.rate.is_some() { MOST_UNDER_WAY } else { scenario.under_way };
        let none = (Vec::new(), Numbered { seq: 0, sent_ns: 0, last: false });
        Self {
            places: Semaphore::new(under_way),
            listeners: scenario.listeners,
            payload_bytes: scenario.options.payload_bytes,
            waiting: (0..MOST_UNDER_WAY).map(|_| AtomicUsize::new(0)).collect(),
            frames: Mutex::new(vec![none; MOST_UNDER_WAY]),
            answered: AtomicU64::new(0),
        }
    }

    fn slot(seq: u64) -> usize {
        seq as usize % MOST_UNDER_WAY
    }

    /// One listener has heard this message, or will not any more.
    fn heard(&self, seq: u64) {
        let waiting = &self.waiting[Self::slot(seq)];
        if waiting.load(Ordering::Relaxed) > 0 && waiting.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.places.add_permits(1);
        }
    }

    /// Reads a frame; who expects `expected` mostly finds that others have read it before. `None` is no message.
    fn read(&self, frame: &[u8], expected: u64) -> Result<Option<Numbered>, HttpError> {
        let mut frames = held(&self.frames);
        let (known, numbered) = &frames[Self::slot(expected)];
        if numbered.seq == expected && known == frame {
            return Ok(Some(*numbered));
        }
        let Some(data) = message_data(frame) else { return no_message(frame).map(|()| None) };
        let message = message::of_event(data)?;
        let numbered = message.numbered().filter(|_| message.is_of(SPEAKER, "all", self.payload_bytes));
        let numbered = numbered.ok_or_else(|| HttpError::InvalidResponse("a stream told what nobody said".into()))?;
        frames[Self::slot(numbered.seq)] = (frame.to_vec(), numbered);
        Ok(Some(numbered))
    }
}

/// A comment or a greeting is nothing; an end, a gap or a lag is a fault.
fn no_message(frame: &[u8]) -> Result<(), HttpError> {
    let event = frame.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(b"event: "));
    match event {
        None | Some(b"hello") => Ok(()),
        Some(event) => {
            Err(HttpError::InvalidResponse(format!("unexpected stream event `{}`", String::from_utf8_lossy(event))))
        }
    }
}

struct Speaker {
    line: Line,
    template: SendTemplate,
    pacer: Pacer,
    shared: Arc<SharedState>,
    run_state: Arc<RunState>,
}

impl Speaker {
    async fn scenario(mut self) {
        if let Err(fault) = self.talk().await {
            self.run_state.fail(&fault);
        }
    }

    async fn talk(&mut self) -> Result<(), HttpError> {
        let Self { line, template, pacer, shared, run_state } = self;
        for seq in 1.. {
            tokio::select! {
                place = shared.places.acquire() => place.map_err(|_| HttpError::Closed)?.forget(),
                // A listener that has stopped must not keep the last message from the others.
                () = run_state.drained() => {}
            }
            let sent_ns = pacer.due(run_state).await;
            let last = run_state.is_draining();
            shared.waiting[SharedState::slot(seq)].store(shared.listeners, Ordering::Relaxed);
            let (status, body) = line.call(template.number(Numbered { seq, sent_ns, last })).await?;
            expect_success("send", status, body)?;
            shared.answered.store(seq, Ordering::Relaxed);
            run_state.answer(sent_ns);
            if last {
                break;
            }
        }
        Ok(())
    }
}

struct Listener {
    line: Line,
    feed: Feed,
    sequence: Sequence,
    shared: Arc<SharedState>,
    run_state: Arc<RunState>,
}

impl Listener {
    async fn scenario(mut self) {
        let run_state = Arc::clone(&self.run_state);
        let patience = async {
            run_state.drained().await;
            tokio::time::sleep(LAST_WORDS).await;
        };
        let outcome = tokio::select! {
            outcome = self.hear_all() => outcome,
            () = patience => Ok(()),
        };
        run_state.found(match &outcome {
            Ok(()) => self.sequence.complete(self.shared.answered.load(Ordering::Relaxed)),
            Err(_) => self.sequence.so_far(),
        });
        if let Err(fault) = outcome {
            run_state.fail(&fault);
        }
    }

    async fn hear_all(&mut self) -> Result<(), HttpError> {
        loop {
            if self.read_frames()? {
                return Ok(());
            }
            self.line.more(&mut self.feed).await?;
        }
    }

    /// Takes all whole frames; true after the last message.
    fn read_frames(&mut self) -> Result<bool, HttpError> {
        let Self { feed, sequence, shared, run_state, .. } = self;
        let now_ns = elapsed_ns();
        while let Some(frame) = feed.next() {
            let expected = sequence.highest() + 1;
            let Some(numbered) = shared.read(frame, expected)? else { continue };
            if sequence.arrive(numbered.seq) {
                run_state.hop_at(now_ns, numbered.sent_ns);
                (expected..=numbered.seq).for_each(|seq| shared.heard(seq));
                if numbered.last {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}
