//! Several senders on each channel, each as fast as its sends are answered, with or without a listener.
//!
//! A limited number of messages in flight keeps the listener's mailbox from overflowing: senders wait for the listener
//! to catch up.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future::LocalBoxFuture;
use futures_util::stream::{FuturesUnordered, TryStreamExt};
use rogerrat_client::http::{HttpError, expect_success};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::pair_loop::{POLL_S, SWEEP_S};
use super::{Needs, Scenario, ScenarioOptions, ServerContext};
use crate::args::SendsArgs;
use crate::http_connection::HttpConnection;
use crate::message::{self, Message, MessageTag};
use crate::order_check::OrderCheck;
use crate::pacer::Pacer;
use crate::run_state::RunState;
use crate::send_template::{Request, SendTemplate};
use crate::setup::Setup;
use crate::target::{PollKind, Session, Target};

/// Maximum messages of a channel that were sent but not received yet; a mailbox holds 100.
const IN_FLIGHT: usize = 64;
const LISTENER: &str = "listener";
/// Messages in the history of a channel.
const HISTORY: usize = 100;
const NOT_FOUND: u16 = 404;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Sends {
    channels: usize,
    senders: usize,
    unheard: bool,
    compare_durability: bool,
    poll: PollKind,
    options: ScenarioOptions,
}

impl Sends {
    pub(super) fn new(channels: usize, senders: usize, options: ScenarioOptions) -> Self {
        Self { channels, senders, unheard: false, compare_durability: false, poll: PollKind::Wait, options }
    }
}

impl Scenario for Sends {
    fn name(&self) -> &'static str {
        "sends"
    }

    fn unit(&self) -> (&'static str, &'static str) {
        ("send", "sends")
    }

    fn summary(&self) -> String {
        let Self { channels, senders, unheard, .. } = self;
        let listeners = if *unheard { "no listener" } else { "one listener each" };
        format!("{senders} senders on each of {channels} channels, {listeners}")
    }

    fn needs(&self) -> Needs {
        let connections = self.channels * (self.senders + 1);
        Needs { connections, sends_per_session: usize::MAX, parked_requests: self.channels }
    }

    fn compares_durability(&self) -> bool {
        self.compare_durability
    }

    fn spreads_over_hubs(&self) -> bool {
        true
    }

    /// Joins all agents before the first of them starts.
    fn start<'a>(
        &'a self,
        server: &'a ServerContext,
        agents: &'a mut JoinSet<()>,
    ) -> LocalBoxFuture<'a, Result<(), HttpError>> {
        Box::pin(async move {
            let names = |_| (0..self.senders).map(|sender| format!("s{sender}")).chain([LISTENER.to_owned()]).collect();
            let channels = Setup::new(server).channels(self.channels, names).await?;
            for (index, sessions) in channels.iter().enumerate() {
                if let Some((listener, senders)) = sessions.split_last() {
                    let agents_of_channel = ChannelAgents::new(server, senders, listener, self, index);
                    agents.spawn(agents_of_channel.run(Arc::clone(&server.run_state)));
                }
            }
            Ok(())
        })
    }
}

impl From<&SendsArgs> for Sends {
    fn from(args: &SendsArgs) -> Self {
        let (channels, senders) = (args.channels as usize, args.senders as usize);
        let SendsArgs { unheard, compare_durability, listen: poll, .. } = *args;
        let options = ScenarioOptions::from(&args.run);
        Self { unheard, compare_durability, poll, ..Self::new(channels, senders, options) }
    }
}

/// The agents of one channel.
struct ChannelAgents {
    listener: Listener,
    senders: Vec<Sender>,
}

/// What the senders and the listener of a channel share.
struct InFlight {
    /// One permit for each message that may be in flight.
    permits: Semaphore,
    sent: AtomicU64,
}

impl ChannelAgents {
    fn new(server: &ServerContext, senders: &[Session], listener: &Session, scenario: &Sends, channel: usize) -> Self {
        let ScenarioOptions { rate, payload_bytes } = scenario.options;
        let to = if scenario.unheard { "all" } else { LISTENER };
        let sender = |(index, session): (usize, &Session)| {
            let (target, is_at_owner) = server.hub_of_agent(channel, index);
            Sender {
                connection: target.connection(),
                is_at_owner,
                template: target.send_template(session, to, payload_bytes),
                pacer: Pacer::new(rate, channel * scenario.senders + index, scenario.channels * scenario.senders),
                sent: 0,
            }
        };
        let senders = senders.iter().enumerate().map(sender).collect::<Vec<_>>();
        // Every second listener uses a hub that does not own its channel.
        let (target, _) = server.hub_of_agent(channel, channel % 2);
        Self { listener: Listener::new(target, listener, senders.len(), scenario), senders }
    }

    async fn run(mut self, run_state: Arc<RunState>) {
        let outcome = match self.listener.unheard {
            false => self.send_and_receive(&run_state).await,
            true => self.send_unheard(&run_state).await,
        };
        // Without a listener the history shows only the last messages, so that none counts as lost.
        let expected = |sender: &Sender| if self.listener.unheard { 0 } else { sender.sent };
        let checks = self.senders.iter().zip(&self.listener.orders);
        run_state.finish(outcome, checks.map(|(sender, order)| (order, expected(sender))));
    }

    async fn send_and_receive(&mut self, run_state: &RunState) -> Result<(), HttpError> {
        let in_flight = &InFlight { permits: Semaphore::new(IN_FLIGHT), sent: AtomicU64::new(0) };
        let sends = self.senders.iter_mut().map(|sender| sender.send_all(Some(in_flight), run_state));
        let sends = sends.collect::<FuturesUnordered<_>>();
        tokio::try_join!(self.listener.receive_all(in_flight, run_state), sends.try_collect::<()>())?;
        Ok(())
    }

    async fn send_unheard(&mut self, run_state: &RunState) -> Result<(), HttpError> {
        let sends = self.senders.iter_mut().map(|sender| sender.send_all(None, run_state));
        sends.collect::<FuturesUnordered<_>>().try_collect::<()>().await?;
        let sent = self.senders.iter().map(|sender| sender.sent).collect::<Vec<_>>();
        self.listener.check_history(&sent).await
    }
}

struct Sender {
    connection: HttpConnection,
    /// Whether its hub owns the channel; none if there is one hub only.
    is_at_owner: Option<bool>,
    template: SendTemplate,
    pacer: Pacer,
    /// Sends that succeeded.
    sent: u64,
}

impl Sender {
    /// Sends until the run drains. Without a listener there is no `in_flight`, and a send counts once it is answered.
    async fn send_all(&mut self, in_flight: Option<&InFlight>, run_state: &RunState) -> Result<(), HttpError> {
        loop {
            if let Some(in_flight) = in_flight {
                // The listener returns the permit when it has received the message.
                in_flight.permits.acquire().await.map_err(|_| HttpError::Closed)?.forget();
            }
            // In an open loop this is the scheduled time, even if there was no permit then.
            let sent_ns = self.pacer.due(run_state).await;
            let last = run_state.is_draining();
            let tag = MessageTag { seq: self.sent + 1, sent_ns, last };
            let (status, body) = self.connection.call(self.template.with_tag(tag)).await?;
            expect_success("send", status, body)?;
            self.sent += 1;
            run_state.record_at_hub(self.is_at_owner, sent_ns);
            match in_flight {
                Some(in_flight) => {
                    in_flight.sent.fetch_add(1, Ordering::Relaxed);
                    run_state.record_reply(sent_ns);
                }
                None => run_state.record(sent_ns),
            }
            if last {
                return Ok(());
            }
        }
    }
}

struct Listener {
    connection: HttpConnection,
    poll: Request,
    sweep: Request,
    history: Request,
    unheard: bool,
    payload_bytes: usize,
    /// By sender.
    orders: Vec<OrderCheck>,
    /// Senders whose last message has not arrived.
    active_senders: usize,
    received: u64,
}

impl Listener {
    fn new(target: &Target, session: &Session, senders: usize, scenario: &Sends) -> Self {
        Self {
            connection: target.connection(),
            poll: target.poll_request(session, scenario.poll, POLL_S),
            sweep: target.poll_request(session, scenario.poll, SWEEP_S),
            history: target.history_request(session, HISTORY),
            unheard: scenario.unheard,
            payload_bytes: scenario.options.payload_bytes,
            orders: (0..senders).map(|_| OrderCheck::default()).collect(),
            active_senders: senders,
            received: 0,
        }
    }

    async fn receive_all(&mut self, in_flight: &InFlight, run_state: &RunState) -> Result<(), HttpError> {
        while self.active_senders > 0 {
            let expected = in_flight.sent.load(Ordering::Relaxed);
            self.connection.write(&self.poll).await?;
            if self.receive(in_flight, run_state).await? == 0 && expected > self.received {
                return Err(HttpError::TimedOut("a message did not arrive"));
            }
        }
        self.connection.write(&self.sweep).await?;
        self.receive(in_flight, run_state).await?;
        Ok(())
    }

    /// Reads the response of a poll and checks every message in it; returns how many there were.
    async fn receive(&mut self, in_flight: &InFlight, run_state: &RunState) -> Result<usize, HttpError> {
        let (status, body) = self.connection.reply().await?;
        expect_success("poll", status, body)?;
        let messages = message::parse_poll(body)?;
        for message in &messages {
            let (_, order) = order_of(&mut self.orders, message)
                .ok_or_else(|| HttpError::InvalidResponse(format!("`{}` is no sender", message.from)))?;
            let Some(tag) = order.receive(message.tag_if(&message.from, LISTENER, self.payload_bytes)) else {
                continue;
            };
            run_state.record(tag.sent_ns);
            self.active_senders = self.active_senders.saturating_sub(usize::from(tag.last));
            self.received += 1;
            in_flight.permits.add_permits(1);
        }
        Ok(messages.len())
    }

    /// Checks the broadcasts that are still in the history: the last ones of each sender, in order and without a gap.
    async fn check_history(&mut self, sent: &[u64]) -> Result<(), HttpError> {
        let (status, body) = self.connection.call(&self.history).await?;
        if status == NOT_FOUND {
            // The baseline has no history.
            return Ok(());
        }
        expect_success("history", status, body)?;
        let messages = message::parse_history(body)?;
        let mut next = vec![None; sent.len()];
        for message in &messages {
            let Some((sender, order)) = order_of(&mut self.orders, message) else { continue };
            let Some(tag) = message.tag_if(&message.from, "all", self.payload_bytes) else {
                order.record_stray();
                continue;
            };
            match next[sender].replace(tag.seq + 1) {
                None => order.begin_at(tag.seq),
                Some(_) => {
                    order.record(tag.seq);
                }
            }
        }
        if sent.iter().any(|sent| *sent > 0) && messages.is_empty() {
            return Err(HttpError::InvalidResponse("the history is empty".into()));
        }
        // If any message of a sender is in the history, its last message must be too.
        let is_complete = |(next, sent): (&Option<u64>, &u64)| next.is_none_or(|next| next == sent + 1);
        match next.iter().zip(sent).all(is_complete) {
            true => Ok(()),
            false => Err(HttpError::InvalidResponse("the last messages are missing in the history".into())),
        }
    }
}

/// Returns the index and the order check of the sender of a message; `None` if it is none of the senders.
fn order_of<'a>(orders: &'a mut [OrderCheck], message: &Message<'_>) -> Option<(usize, &'a mut OrderCheck)> {
    let sender = message.from.strip_prefix('s')?.parse::<usize>().ok()?;
    Some((sender, orders.get_mut(sender)?))
}
