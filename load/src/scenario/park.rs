//! Parked polls or streams over many channels without messages for the length of the window: the cost of waiting.
//! Then one message to each channel wakes all, and each must get it once. All agents join first, so that the memory
//! of a parked poll is measured apart from the memory of a member.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::stream::{self, FuturesUnordered, StreamExt as _, TryStreamExt as _};
use rogerrat_client::http::{HttpError, expect_success};
use tokio::task::JoinSet;

use super::pair_loop::SWEEP_S;
use super::{Needs, ScenarioOptions};
use crate::http_connection::Line;
use crate::message::{self, Message, Numbered};
use crate::order_check::{OrderError, Sequence};
use crate::procfs::Process;
use crate::report::Fact;
use crate::run_state::RunState;
use crate::send_template::{Request, SendTemplate};
use crate::setup::Setup;
use crate::stopwatch::elapsed_ns;
use crate::stream_events::{Feed, message_data};
use crate::target::{PollKind, Session, Target};

const CALLER: &str = "caller";
/// What a poll asks for; the window is shorter.
const POLL_S: u32 = 300;
/// The longest time between the first poll and the wake.
const LONGEST: Duration = Duration::from_secs(200);
/// Polls that are parked at once.
const AT_ONCE: usize = 64;
/// The most steps that the server gets to become idle.
const QUIET_STEPS: usize = 40;
const QUIET_STEP: Duration = Duration::from_millis(500);
/// CPU time in one step below which a server is quiet, in microseconds.
const QUIET_CPU_US: u64 = 25_000;
/// For all to be woken.
const WAKE: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, Copy)]
pub(crate) struct Park {
    pub(super) polls: usize,
    pub(super) per_channel: usize,
    pub(super) streams: bool,
    pub(super) options: ScenarioOptions,
}

impl Park {
    pub(super) fn summary(self) -> String {
        let what = if self.streams { "streams" } else { "parked polls" };
        format!("{} {what} over {} channels, then a wake of all", self.polls, self.channels())
    }

    fn channels(self) -> usize {
        self.polls.div_ceil(self.per_channel)
    }

    pub(super) fn needs(self) -> Needs {
        Needs { lines: self.polls + self.channels(), sends_by_one: 1, parked: self.polls }
    }

    pub(super) fn refusal(self, waiting: Duration) -> Option<String> {
        let is_too_long = !self.streams && waiting > LONGEST;
        is_too_long.then(|| {
            let longest = LONGEST.as_secs();
            format!("a poll waits {POLL_S} s at most: --seconds and --warmup {longest} together, or --streams")
        })
    }

    pub(super) async fn start(
        self,
        target: &Arc<Target>,
        run_state: &Arc<RunState>,
        agents: &mut JoinSet<()>,
    ) -> Result<(), HttpError> {
        let members = |channel: usize| self.per_channel.min(self.polls - channel * self.per_channel);
        let names = |channel| {
            std::iter::once(CALLER.to_owned()).chain((0..members(channel)).map(|n| format!("a{n}"))).collect()
        };
        let before = run_state.rss_kib();
        let setup = Setup::silent(target, run_state, self.options.durability);
        let channels = setup.channels(self.channels(), names).await?;
        settle(run_state.server).await;
        let joined = run_state.rss_kib();
        let park = |sessions: Vec<Session>| self.park_channel(target, run_state, sessions);
        let circles = stream::iter(channels).then(park).try_collect::<Vec<_>>().await?;
        settle(run_state.server).await;
        let polls = self.polls as f64;
        let each = |from: Option<u64>, to: Option<u64>| Some((to? as f64 - from? as f64) / polls);
        run_state.tell(Fact::new("parked", "parked at once", polls, ""));
        for (key, label, kib) in [
            ("kib_per_member", "memory of a member", each(before, joined)),
            ("kib_per_poll", "memory of a parked one, with its connection", each(joined, run_state.rss_kib())),
        ] {
            if let Some(kib) = kib {
                run_state.tell(Fact::new(key, label, kib, "KiB"));
            }
        }
        agents.spawn(wake_all(circles, Arc::clone(run_state)));
        Ok(())
    }

    async fn park_channel(
        self,
        target: &Target,
        run_state: &RunState,
        sessions: Vec<Session>,
    ) -> Result<Circle, HttpError> {
        let bytes = self.options.payload_bytes;
        let (caller, members) = sessions.split_first().ok_or(HttpError::Closed)?;
        let (line, template) = (target.line(), target.template(caller, "all", bytes));
        let park = |session: &Session| Parked::park(target, session.clone(), self, run_state);
        let parked = stream::iter(members.iter().map(park)).buffered(AT_ONCE).try_collect().await?;
        Ok(Circle { line, template, parked })
    }
}

/// Until its CPU is quiet, or for a while where nobody knows it.
async fn settle(server: Option<Process>) {
    for _ in 0..QUIET_STEPS {
        let used = || server.and_then(|server| server.cpu_us().ok());
        let before = used();
        tokio::time::sleep(QUIET_STEP).await;
        let is_quiet = before.zip(used()).is_none_or(|(before, after)| after.saturating_sub(before) < QUIET_CPU_US);
        if is_quiet {
            return;
        }
    }
}

/// A channel: who wakes, and who is woken.
struct Circle {
    line: Line,
    template: SendTemplate,
    parked: Vec<Parked>,
}

struct Parked {
    line: Line,
    /// Of a stream.
    feed: Option<Feed>,
    sweep: Request,
    payload_bytes: usize,
    sequence: Sequence,
}

/// When the first was called, and when the last was woken.
#[derive(Default)]
struct Clocks {
    first_ns: AtomicU64,
    last_ns: AtomicU64,
}

/// Waits for the end of the window, sees that nobody was disturbed, and wakes them.
async fn wake_all(mut circles: Vec<Circle>, run_state: Arc<RunState>) {
    run_state.drained().await;
    let disturbed = circles.iter_mut().flat_map(|circle| &mut circle.parked).filter_map(Parked::disturbed).count();
    run_state.found(OrderError { strayed: disturbed as u64, ..OrderError::default() });
    let clocks = Clocks::default();
    clocks.first_ns.store(elapsed_ns(), Ordering::Relaxed);
    let woken: FuturesUnordered<_> = circles.iter_mut().map(|circle| circle.wake(&run_state, &clocks)).collect();
    let woken = tokio::time::timeout(WAKE, woken.collect::<Vec<_>>()).await;
    if woken.is_err() {
        run_state.fail(&HttpError::TimedOut("a wake was waited for"));
    }
    let (first_ns, last_ns) = (clocks.first_ns.into_inner(), clocks.last_ns.into_inner());
    if last_ns > first_ns {
        run_state.was_busy(last_ns - first_ns);
        run_state.tell(Fact::new("woken_after_ms", "all were woken after", (last_ns - first_ns) as f64 / 1e6, "ms"));
    }
    let swept: FuturesUnordered<_> =
        circles.iter_mut().flat_map(|circle| &mut circle.parked).map(|parked| parked.sweep(&run_state)).collect();
    swept.collect::<()>().await;
    let lost = circles.iter().flat_map(|circle| &circle.parked).map(|parked| parked.sequence.complete(1));
    lost.for_each(|disorder| run_state.found(disorder));
}

impl Circle {
    async fn wake(&mut self, run_state: &RunState, clocks: &Clocks) {
        let Self { line, template, parked } = self;
        // It was idle for longer than some servers keep a connection.
        line.hang_up();
        let sent_ns = elapsed_ns();
        let call = async {
            let numbered = Numbered { seq: 1, sent_ns, last: true };
            let (status, body) = line.call(template.number(numbered)).await?;
            expect_success("send", status, body)
        };
        let hear = parked.iter_mut().map(|parked| async {
            let outcome = parked.hear().await;
            if outcome.is_ok() {
                run_state.once(sent_ns);
                clocks.last_ns.fetch_max(elapsed_ns(), Ordering::Relaxed);
            }
            outcome
        });
        let hear = hear.collect::<FuturesUnordered<_>>().collect::<Vec<_>>();
        let (called, heard) = tokio::join!(call, hear);
        for fault in std::iter::once(called).chain(heard).filter_map(Result::err) {
            run_state.fail(&fault);
        }
    }
}

impl Parked {
    async fn park(target: &Target, session: Session, scenario: Park, run_state: &RunState) -> Result<Self, HttpError> {
        let mut line = target.line();
        let mut feed = scenario.streams.then(Feed::default);
        match &mut feed {
            Some(feed) => {
                line.open(&target.stream_request(&session), feed).await?;
                while feed.next().is_some() {}
            }
            None => line.write(&target.poll_request(&session, PollKind::Wait, POLL_S)).await?,
        }
        run_state.grow();
        let sweep = target.poll_request(&session, PollKind::Listen, SWEEP_S);
        Ok(Self { line, feed, sweep, payload_bytes: scenario.options.payload_bytes, sequence: Sequence::default() })
    }

    /// A stream may have had a comment; a poll must have nothing.
    fn disturbed(&mut self) -> Option<()> {
        (self.feed.is_none() && !self.line.is_silent()).then_some(())
    }

    /// Waits for the one message.
    async fn hear(&mut self) -> Result<(), HttpError> {
        let Self { line, feed, payload_bytes, sequence, .. } = self;
        let Some(feed) = feed else {
            let (status, body) = line.reply().await?;
            expect_success("poll", status, body)?;
            message::of_poll(body)?.iter().for_each(|message| arrive(sequence, message, *payload_bytes));
            return Ok(());
        };
        while sequence.highest() == 0 {
            while let Some(frame) = feed.next() {
                if let Some(data) = message_data(frame) {
                    arrive(sequence, &message::of_event(data)?, *payload_bytes);
                }
            }
            if sequence.highest() == 0 {
                line.more(feed).await?;
            }
        }
        Ok(())
    }

    /// One more look: nothing may come twice. A stream has shown all it has.
    async fn sweep(&mut self, run_state: &RunState) {
        if self.feed.is_some() {
            return;
        }
        let asked = async {
            let (status, body) = self.line.call(&self.sweep).await?;
            expect_success("poll", status, body)?;
            message::of_poll(body)?.iter().for_each(|message| arrive(&mut self.sequence, message, self.payload_bytes));
            Ok::<_, HttpError>(())
        };
        if let Err(fault) = asked.await {
            run_state.fail(&fault);
        }
    }
}

fn arrive(sequence: &mut Sequence, message: &Message<'_>, payload_bytes: usize) {
    match message.numbered().filter(|_| message.is_of(CALLER, "all", payload_bytes)) {
        Some(numbered) => {
            sequence.arrive(numbered.seq);
        }
        None => sequence.stray(),
    }
}
