//! Parked polls or streams over many channels that stay idle for the whole window: the cost of waiting.
//!
//! Then one message to each channel wakes all of them, and each must receive it once. All agents join before the first
//! one parks, so that the memory of a parked poll is measured apart from the memory of a member.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use futures_util::stream::{self, FuturesUnordered, StreamExt as _, TryStreamExt as _};
use rogerrat_client::http::{HttpError, SseReader, expect_success};
use tokio::task::JoinSet;

use super::pair_loop::SWEEP_S;
use super::{Needs, Scenario, ScenarioOptions, ServerContext};
use crate::args::{ParkArgs, RunArgs};
use crate::http_connection::HttpConnection;
use crate::message::{self, Message, MessageTag};
use crate::order_check::{OrderCheck, OrderErrors};
use crate::procfs::Process;
use crate::report::Fact;
use crate::run_state::RunState;
use crate::send_template::{Request, SendTemplate};
use crate::setup::Setup;
use crate::stopwatch::elapsed_ns;
use crate::target::{PollKind, Session, Target};

const SENDER: &str = "sender";
/// Timeout of the parked polls; warm-up and window must be shorter.
const POLL_S: u32 = 300;
/// Maximum time between the first poll and the wake.
const MAX_PARKED: Duration = Duration::from_secs(200);
/// Polls that are sent at the same time.
const CONCURRENT_POLLS: usize = 64;
/// How long to wait for the server's CPU to become idle: steps, and the length of a step.
const SETTLE_STEPS: usize = 40;
const SETTLE_STEP: Duration = Duration::from_millis(500);
/// CPU time per step below which a server counts as idle, in microseconds.
const IDLE_CPU_US: u64 = 25_000;
/// How long the wake of all agents may take.
const WAKE: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, Copy)]
pub(crate) struct Park {
    polls: usize,
    per_channel: usize,
    streams: bool,
    options: ScenarioOptions,
}

impl Park {
    fn channels(&self) -> usize {
        self.polls.div_ceil(self.per_channel)
    }

    async fn park_all(&self, server: &ServerContext) -> Result<Vec<ParkedChannel>, HttpError> {
        let run_state = &server.run_state;
        let members = |channel: usize| self.per_channel.min(self.polls - channel * self.per_channel);
        let names = |channel| {
            std::iter::once(SENDER.to_owned()).chain((0..members(channel)).map(|n| format!("a{n}"))).collect()
        };
        let before = run_state.rss_kib();
        let channels = Setup::uncounted(server).channels(self.channels(), names).await?;
        wait_until_idle(run_state.process).await;
        let joined = run_state.rss_kib();
        let park = |sessions: Vec<Session>| self.park_channel(server, sessions);
        let parked = stream::iter(channels).then(park).try_collect::<Vec<_>>().await?;
        wait_until_idle(run_state.process).await;
        let polls = self.polls as f64;
        let each = |from: Option<u64>, to: Option<u64>| Some((to? as f64 - from? as f64) / polls);
        run_state.add_fact(Fact::new("parked", "parked at the same time", polls, ""));
        for (key, label, kib) in [
            ("kib_per_member", "memory of a member", each(before, joined)),
            ("kib_per_poll", "memory of a parked request, with its connection", each(joined, run_state.rss_kib())),
        ] {
            if let Some(kib) = kib {
                run_state.add_fact(Fact::new(key, label, kib, "KiB"));
            }
        }
        Ok(parked)
    }

    async fn park_channel(&self, server: &ServerContext, sessions: Vec<Session>) -> Result<ParkedChannel, HttpError> {
        let target = &server.target;
        let (sender, members) = sessions.split_first().ok_or(HttpError::Closed)?;
        let (connection, template) =
            (target.connection(), target.send_template(sender, "all", self.options.payload_bytes));
        let park = |session: &Session| ParkedMember::park(target, session.clone(), self, &server.run_state);
        let parking = stream::iter(members.iter().map(park));
        let members = parking.buffered(CONCURRENT_POLLS).try_collect().await?;
        Ok(ParkedChannel { connection, template, members })
    }
}

impl Scenario for Park {
    fn name(&self) -> &'static str {
        "park"
    }

    fn unit(&self) -> (&'static str, &'static str) {
        ("wake", "wakes")
    }

    fn population(&self) -> &'static str {
        "connections"
    }

    fn summary(&self) -> String {
        let what = if self.streams { "streams" } else { "parked polls" };
        format!("{} {what} over {} channels, then a wake of all", self.polls, self.channels())
    }

    fn needs(&self) -> Needs {
        Needs { connections: self.polls + self.channels(), sends_per_session: 1, parked_requests: self.polls }
    }

    fn takes_turns(&self) -> bool {
        false
    }

    fn drain_timeout(&self) -> Duration {
        Duration::from_secs(120)
    }

    fn check(&self, args: &RunArgs) -> Result<(), String> {
        if self.streams || args.seconds.0 + args.warmup.0 <= MAX_PARKED {
            return Ok(());
        }
        let max_s = MAX_PARKED.as_secs();
        Err(format!("a poll waits {POLL_S} s at most: use --seconds and --warmup of {max_s} s in total, or --streams"))
    }

    fn start<'a>(
        &'a self,
        server: &'a ServerContext,
        agents: &'a mut JoinSet<()>,
    ) -> LocalBoxFuture<'a, Result<(), HttpError>> {
        Box::pin(async move {
            let channels = self.park_all(server).await?;
            agents.spawn(wake_all(channels, Arc::clone(&server.run_state)));
            Ok(())
        })
    }
}

impl From<&ParkArgs> for Park {
    fn from(args: &ParkArgs) -> Self {
        let (polls, per_channel) = (args.polls as usize, args.per_channel as usize);
        Self { polls, per_channel, streams: args.streams, options: ScenarioOptions::from(&args.run) }
    }
}

/// Waits until the server's CPU is idle; one step if its process is unknown.
async fn wait_until_idle(process: Option<Process>) {
    for _ in 0..SETTLE_STEPS {
        let used = || process.and_then(|process| process.cpu_us().ok());
        let before = used();
        tokio::time::sleep(SETTLE_STEP).await;
        let is_idle = before.zip(used()).is_none_or(|(before, after)| after.saturating_sub(before) < IDLE_CPU_US);
        if is_idle {
            return;
        }
    }
}

/// A channel with its parked members, and the sender that wakes them.
struct ParkedChannel {
    connection: HttpConnection,
    template: SendTemplate,
    members: Vec<ParkedMember>,
}

struct ParkedMember {
    connection: HttpConnection,
    /// Of a stream; `None` for a poll.
    events: Option<SseReader>,
    sweep: Request,
    payload_bytes: usize,
    order: OrderCheck,
}

/// Waits for the end of the window, checks that no poll returned early, and wakes all members.
async fn wake_all(mut channels: Vec<ParkedChannel>, run_state: Arc<RunState>) {
    run_state.wait_for_drain().await;
    let early = channels.iter_mut().flat_map(|channel| &mut channel.members).filter_map(ParkedMember::has_returned);
    let strayed = early.count() as u64;
    run_state.add_order_errors(OrderErrors { strayed, ..OrderErrors::default() });
    let start_ns = elapsed_ns();
    let last_ns = AtomicU64::new(0);
    let woken: FuturesUnordered<_> = channels.iter_mut().map(|channel| channel.wake(&run_state, &last_ns)).collect();
    if tokio::time::timeout(WAKE, woken.collect::<Vec<_>>()).await.is_err() {
        run_state.add_error(&HttpError::TimedOut("not all agents were woken"));
    }
    let last_ns = last_ns.into_inner();
    if last_ns > start_ns {
        run_state.add_busy_time(last_ns - start_ns);
        run_state.add_fact(Fact::new("woken_after_ms", "time to wake all", (last_ns - start_ns) as f64 / 1e6, "ms"));
    }
    let members = channels.iter_mut().flat_map(|channel| &mut channel.members);
    members.map(|member| member.sweep(&run_state)).collect::<FuturesUnordered<_>>().collect::<()>().await;
    for member in channels.iter().flat_map(|channel| &channel.members) {
        run_state.add_order_errors(member.order.final_errors(1));
    }
}

impl ParkedChannel {
    /// Sends the message and receives it at all members; raises `last_ns` to the time of each arrival.
    async fn wake(&mut self, run_state: &RunState, last_ns: &AtomicU64) {
        let Self { connection, template, members } = self;
        // It was idle for longer than some servers keep a connection open.
        connection.close();
        let sent_ns = elapsed_ns();
        let send = async {
            let request = template.with_tag(MessageTag { seq: 1, sent_ns, last: true });
            let (status, body) = connection.call(request).await?;
            expect_success("send", status, body)
        };
        let receive = members.iter_mut().map(|member| async {
            let outcome = member.receive().await;
            if outcome.is_ok() {
                run_state.record_in_any_phase(sent_ns);
                last_ns.fetch_max(elapsed_ns(), Ordering::Relaxed);
            }
            outcome
        });
        let receive = receive.collect::<FuturesUnordered<_>>().collect::<Vec<_>>();
        let (sent, received) = tokio::join!(send, receive);
        for error in std::iter::once(sent).chain(received).filter_map(Result::err) {
            run_state.add_error(&error);
        }
    }
}

impl ParkedMember {
    async fn park(target: &Target, session: Session, scenario: &Park, run_state: &RunState) -> Result<Self, HttpError> {
        let mut connection = target.connection();
        let mut events = scenario.streams.then(SseReader::default);
        match &mut events {
            Some(events) => {
                connection.open_stream(&target.stream_request(&session), events).await?;
                while events.next_frame().is_some() {}
            }
            None => connection.write(&target.poll_request(&session, PollKind::Wait, POLL_S)).await?,
        }
        run_state.grow_population();
        let sweep = target.poll_request(&session, PollKind::Listen, SWEEP_S);
        let payload_bytes = scenario.options.payload_bytes;
        Ok(Self { connection, events, sweep, payload_bytes, order: OrderCheck::default() })
    }

    /// Returns `Some` if the poll was answered before the wake. A stream may have received a comment.
    fn has_returned(&mut self) -> Option<()> {
        (self.events.is_none() && !self.connection.is_silent()).then_some(())
    }

    /// Waits for the one message.
    async fn receive(&mut self) -> Result<(), HttpError> {
        let Self { connection, events, payload_bytes, order, .. } = self;
        let Some(events) = events else {
            let (status, body) = connection.reply().await?;
            expect_success("poll", status, body)?;
            message::parse_poll(body)?.iter().for_each(|message| check(order, message, *payload_bytes));
            return Ok(());
        };
        while order.highest() == 0 {
            while let Some(frame) = events.next_frame() {
                if let Some(data) = message::data_of_frame(frame) {
                    check(order, &message::parse_event(data)?, *payload_bytes);
                }
            }
            if order.highest() == 0 {
                connection.read_stream(events).await?;
            }
        }
        Ok(())
    }

    /// Polls once more: nothing may arrive twice. A stream has shown all it has.
    async fn sweep(&mut self, run_state: &RunState) {
        if self.events.is_some() {
            return;
        }
        let poll = async {
            let (status, body) = self.connection.call(&self.sweep).await?;
            expect_success("poll", status, body)?;
            message::parse_poll(body)?.iter().for_each(|message| check(&mut self.order, message, self.payload_bytes));
            Ok::<_, HttpError>(())
        };
        if let Err(error) = poll.await {
            run_state.add_error(&error);
        }
    }
}

fn check(order: &mut OrderCheck, message: &Message<'_>, payload_bytes: usize) {
    order.receive(message.tag_if(SENDER, "all", payload_bytes));
}
