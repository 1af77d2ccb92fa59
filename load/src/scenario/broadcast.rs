//! One sender and many streams on each channel: how fast one message reaches all listeners.
//!
//! All listeners of a channel receive the same bytes, so a frame is parsed once and only compared afterwards. Parsing it
//! for each of a thousand streams on one thread would cost more than the server needs.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use rogerrat_client::http::{HttpError, SseReader, expect_success};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::{Needs, Scenario, ScenarioOptions, ServerContext};
use crate::args::BroadcastArgs;
use crate::http_connection::HttpConnection;
use crate::message::{self, MessageTag};
use crate::order_check::OrderCheck;
use crate::pacer::Pacer;
use crate::run_state::{RunState, lock};
use crate::send_template::SendTemplate;
use crate::setup::Setup;
use crate::stopwatch::elapsed_ns;
use crate::target::{Session, Target};

const SENDER: &str = "sender";
/// Maximum messages in flight, in an open loop too; a stream queues 256.
const MAX_IN_FLIGHT: usize = 64;
/// Streams that are opened at the same time.
const CONCURRENT_OPENS: usize = 32;
/// How long the last message may take to reach a listener.
const LAST_MESSAGE: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, Copy)]
pub(crate) struct Broadcast {
    pub(super) channels: usize,
    /// Per channel.
    pub(super) listeners: usize,
    pub(super) under_way: usize,
    pub(super) options: ScenarioOptions,
}

impl Scenario for Broadcast {
    fn name(&self) -> &'static str {
        "broadcast"
    }

    fn unit(&self) -> (&'static str, &'static str) {
        ("delivery", "deliveries")
    }

    fn population(&self) -> &'static str {
        "connections"
    }

    fn summary(&self) -> String {
        match self.channels {
            1 => format!("one sender, {} streams", self.listeners),
            channels => format!("{channels} senders, {} streams each", self.listeners),
        }
    }

    fn needs(&self) -> Needs {
        let streams = self.channels * self.listeners;
        Needs { connections: streams + self.channels, sends_per_session: usize::MAX, parked_requests: streams }
    }

    fn spreads_over_hubs(&self) -> bool {
        true
    }

    fn start<'a>(
        &'a self,
        server: &'a ServerContext,
        agents: &'a mut JoinSet<()>,
    ) -> LocalBoxFuture<'a, Result<(), HttpError>> {
        Box::pin(async move {
            let run_state = &server.run_state;
            let names =
                |_| std::iter::once(SENDER.to_owned()).chain((0..self.listeners).map(|n| format!("l{n}"))).collect();
            let channels = Setup::uncounted(server).channels(self.channels, names).await?;
            for (index, sessions) in channels.iter().enumerate() {
                let Some((sender, listeners)) = sessions.split_first() else { continue };
                let channel = Arc::new(ChannelProgress::new(self));
                let open = |(agent, session)| {
                    let (target, is_at_owner) = server.hub_of_agent(index, agent);
                    let opening = open(target, session, run_state);
                    async move { Ok::<_, HttpError>((opening.await?, is_at_owner)) }
                };
                let opening = listeners.iter().enumerate().map(open).collect::<Vec<_>>();
                let streams: Vec<_> = stream::iter(opening).buffered(CONCURRENT_OPENS).try_collect().await?;
                for ((connection, events), is_at_owner) in streams {
                    let (channel, run_state) = (Arc::clone(&channel), Arc::clone(run_state));
                    let order = OrderCheck::default();
                    let listener = Listener { connection, events, is_at_owner, order, channel, run_state };
                    agents.spawn(listener.run());
                }
                // Every second sender uses a hub that does not own its channel.
                let (target, _) = server.hub_of_agent(index, index % 2);
                let sender = Sender {
                    connection: target.connection(),
                    template: target.send_template(sender, "all", self.options.payload_bytes),
                    pacer: Pacer::new(self.options.rate, index, self.channels),
                    channel,
                    run_state: Arc::clone(run_state),
                };
                agents.spawn(sender.run());
            }
            Ok(())
        })
    }
}

impl From<&BroadcastArgs> for Broadcast {
    fn from(args: &BroadcastArgs) -> Self {
        let (channels, listeners) = (args.channels as usize, args.listeners as usize);
        let under_way = args.under_way as usize;
        Self { channels, listeners, under_way, options: ScenarioOptions::from(&args.run) }
    }
}

async fn open(
    target: &Target,
    session: &Session,
    run_state: &RunState,
) -> Result<(HttpConnection, SseReader), HttpError> {
    let (mut connection, mut events) = (target.connection(), SseReader::default());
    connection.open_stream(&target.stream_request(session), &mut events).await?;
    run_state.grow_population();
    Ok((connection, events))
}

/// What the sender and the listeners of a channel share.
struct ChannelProgress {
    /// One permit for each message that may be in flight.
    permits: Semaphore,
    listeners: usize,
    payload_bytes: usize,
    /// How many listeners have not received a message yet, by its slot.
    waiting: Vec<AtomicUsize>,
    /// The frame of a message as it was first received, by its slot.
    frames: Mutex<Vec<(Vec<u8>, MessageTag)>>,
    /// Sends that succeeded.
    sent: AtomicU64,
}

impl ChannelProgress {
    fn new(scenario: &Broadcast) -> Self {
        let in_flight = if scenario.options.rate.is_some() { MAX_IN_FLIGHT } else { scenario.under_way };
        let none = (Vec::new(), MessageTag { seq: 0, sent_ns: 0, last: false });
        Self {
            permits: Semaphore::new(in_flight),
            listeners: scenario.listeners,
            payload_bytes: scenario.options.payload_bytes,
            waiting: (0..MAX_IN_FLIGHT).map(|_| AtomicUsize::new(0)).collect(),
            frames: Mutex::new(vec![none; MAX_IN_FLIGHT]),
            sent: AtomicU64::new(0),
        }
    }

    fn slot(seq: u64) -> usize {
        seq as usize % MAX_IN_FLIGHT
    }

    /// Counts a listener that has received this message or will not receive it any more.
    fn count_listener(&self, seq: u64) {
        let waiting = &self.waiting[Self::slot(seq)];
        if waiting.load(Ordering::Relaxed) > 0 && waiting.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.permits.add_permits(1);
        }
    }

    /// Reads a frame; `None` if it is not a message. Usually another listener has parsed the frame of the message
    /// `expected` before.
    fn read(&self, frame: &[u8], expected: u64) -> Result<Option<MessageTag>, HttpError> {
        let mut frames = lock(&self.frames);
        let (known, tag) = &frames[Self::slot(expected)];
        if tag.seq == expected && known == frame {
            return Ok(Some(*tag));
        }
        let Some(data) = message::data_of_frame(frame) else { return expect_no_loss(frame).map(|()| None) };
        let tag = message::parse_event(data)?.tag_if(SENDER, "all", self.payload_bytes);
        let tag = tag.ok_or_else(|| HttpError::InvalidResponse("a stream delivered a message of no sender".into()))?;
        frames[Self::slot(tag.seq)] = (frame.to_vec(), tag);
        Ok(Some(tag))
    }
}

/// Passes comments and the greeting; an end, a gap or a lag is an error.
fn expect_no_loss(frame: &[u8]) -> Result<(), HttpError> {
    let event = frame.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(b"event: "));
    match event {
        None | Some(b"hello") => Ok(()),
        Some(event) => Err(HttpError::InvalidResponse(format!("a stream sent `{}`", String::from_utf8_lossy(event)))),
    }
}

struct Sender {
    connection: HttpConnection,
    template: SendTemplate,
    pacer: Pacer,
    channel: Arc<ChannelProgress>,
    run_state: Arc<RunState>,
}

impl Sender {
    async fn run(mut self) {
        if let Err(error) = self.send_all().await {
            self.run_state.add_error(&error);
        }
    }

    async fn send_all(&mut self) -> Result<(), HttpError> {
        let Self { connection, template, pacer, channel, run_state } = self;
        for seq in 1.. {
            tokio::select! {
                permit = channel.permits.acquire() => permit.map_err(|_| HttpError::Closed)?.forget(),
                // A listener that has failed must not keep the last message from the others.
                () = run_state.wait_for_drain() => {}
            }
            let sent_ns = pacer.due(run_state).await;
            let last = run_state.is_draining();
            channel.waiting[ChannelProgress::slot(seq)].store(channel.listeners, Ordering::Relaxed);
            let (status, body) = connection.call(template.with_tag(MessageTag { seq, sent_ns, last })).await?;
            expect_success("send", status, body)?;
            channel.sent.store(seq, Ordering::Relaxed);
            run_state.record_reply(sent_ns);
            if last {
                break;
            }
        }
        Ok(())
    }
}

struct Listener {
    connection: HttpConnection,
    events: SseReader,
    /// Whether its hub owns the channel; none if there is one hub only.
    is_at_owner: Option<bool>,
    order: OrderCheck,
    channel: Arc<ChannelProgress>,
    run_state: Arc<RunState>,
}

impl Listener {
    async fn run(mut self) {
        let run_state = Arc::clone(&self.run_state);
        let give_up = async {
            run_state.wait_for_drain().await;
            tokio::time::sleep(LAST_MESSAGE).await;
        };
        let outcome = tokio::select! {
            outcome = self.receive_all() => outcome,
            () = give_up => Ok(()),
        };
        run_state.finish(outcome, [(&self.order, self.channel.sent.load(Ordering::Relaxed))]);
    }

    async fn receive_all(&mut self) -> Result<(), HttpError> {
        loop {
            if self.read_frames()? {
                return Ok(());
            }
            self.connection.read_stream(&mut self.events).await?;
        }
    }

    /// Reads all complete frames; returns true after the last message.
    fn read_frames(&mut self) -> Result<bool, HttpError> {
        let Self { events, is_at_owner, order, channel, run_state, .. } = self;
        let now_ns = elapsed_ns();
        while let Some(frame) = events.next_frame() {
            let expected = order.highest() + 1;
            let Some(tag) = channel.read(frame, expected)? else { continue };
            if order.record(tag.seq) {
                run_state.record_at(now_ns, tag.sent_ns);
                run_state.record_at_hub(*is_at_owner, tag.sent_ns);
                (expected..=tag.seq).for_each(|seq| channel.count_listener(seq));
                if tag.last {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}
