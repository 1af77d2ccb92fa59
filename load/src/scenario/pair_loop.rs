//! Two agents of a channel that reply to each other, over REST or MCP.
//!
//! Each agent polls on one connection and sends on another, so that a parked poll never blocks a send. A pair is one
//! task: both agents wait in it, and an error of one ends the other.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rogerrat_client::http::{HttpError, expect_success};

use crate::http_connection::HttpConnection;
use crate::message::{self, Message, MessageTag};
use crate::order_check::OrderCheck;
use crate::pacer::Pacer;
use crate::run_state::RunState;
use crate::send_template::{Request, SendTemplate};

/// Timeout of a poll. If a poll that was parked after a send was answered returns empty, that message is lost.
pub(super) const POLL_S: u32 = 5;
/// Timeout of the sweep: the last poll after the last message, which must return nothing new.
pub(super) const SWEEP_S: u32 = 1;

/// The interface of the hub that an agent uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    Rest,
    Mcp,
}

/// The connections and requests of an agent.
pub(super) struct AgentConfig {
    pub(super) callsign: &'static str,
    pub(super) poll_connection: HttpConnection,
    pub(super) send_connection: HttpConnection,
    pub(super) poll: Request,
    pub(super) sweep: Request,
    pub(super) template: SendTemplate,
    pub(super) payload_bytes: usize,
    pub(super) protocol: Protocol,
    pub(super) pacer: Pacer,
    /// Whether its hub owns the channel; none if there is one hub only.
    pub(super) is_at_owner: Option<bool>,
}

struct Agent {
    config: AgentConfig,
    partner: &'static str,
    /// Sends of this agent that succeeded.
    sent: Arc<AtomicU64>,
    partner_sent: Arc<AtomicU64>,
    order: OrderCheck,
}

/// Runs a pair until the run drains.
pub(super) async fn run(ann: AgentConfig, bob: AgentConfig, run_state: Arc<RunState>) {
    let sent = [Arc::<AtomicU64>::default(), Arc::default()];
    let agent = |config: AgentConfig, partner: &'static str, own: usize| Agent {
        config,
        partner,
        sent: Arc::clone(&sent[own]),
        partner_sent: Arc::clone(&sent[1 - own]),
        order: OrderCheck::default(),
    };
    let names = (ann.callsign, bob.callsign);
    let (mut ann, mut bob) = (agent(ann, names.1, 0), agent(bob, names.0, 1));
    let outcome = exchange(&mut ann, &mut bob, &run_state).await;
    let checks = [&ann, &bob].map(|agent| (&agent.order, agent.partner_sent.load(Ordering::Relaxed)));
    run_state.finish(outcome, checks);
}

/// Parks the polls of both agents, then starts with a message of the first.
async fn exchange(ann: &mut Agent, bob: &mut Agent, run_state: &RunState) -> Result<(), HttpError> {
    bob.park().await?;
    ann.park().await?;
    ann.send(false, run_state).await?;
    tokio::try_join!(ann.reply_until_last(run_state), bob.reply_until_last(run_state))?;
    Ok(())
}

impl Agent {
    async fn park(&mut self) -> Result<(), HttpError> {
        self.config.poll_connection.write(&self.config.poll).await
    }

    /// Parks before each reply, so that the next message always finds a parked poll. The agent that sends the last
    /// message parks no more, and the one that receives it sends no more.
    async fn reply_until_last(&mut self, run_state: &RunState) -> Result<(), HttpError> {
        let mut expected = 0;
        loop {
            let Some(received) = self.receive(run_state, expected).await? else {
                expected = self.partner_sent.load(Ordering::Relaxed);
                self.park().await?;
                continue;
            };
            if received.last {
                break;
            }
            expected = 0;
            let is_last = run_state.is_draining();
            if !is_last {
                self.park().await?;
            }
            self.send(is_last, run_state).await?;
            if is_last {
                break;
            }
        }
        self.sweep(run_state).await
    }

    /// Sends the next message when it is due.
    async fn send(&mut self, is_last: bool, run_state: &RunState) -> Result<(), HttpError> {
        let sent_ns = self.config.pacer.due(run_state).await;
        let seq = self.sent.load(Ordering::Relaxed) + 1;
        let request = self.config.template.with_tag(MessageTag { seq, sent_ns, last: is_last });
        let (status, body) = self.config.send_connection.call(request).await?;
        expect_success("send", status, body)?;
        if self.config.protocol == Protocol::Mcp {
            message::expect_tool_success(body)?;
        }
        self.sent.store(seq, Ordering::Relaxed);
        run_state.record_reply(sent_ns);
        Ok(())
    }

    /// Reads the response of the parked poll; `None` if it had no new message. When the poll was parked, the partner
    /// had sent the messages up to `expected`.
    async fn receive(&mut self, run_state: &RunState, expected: u64) -> Result<Option<MessageTag>, HttpError> {
        let Self { config, partner, order, .. } = self;
        let (status, body) = config.poll_connection.reply().await?;
        expect_success("poll", status, body)?;
        let messages = parse(body, config.protocol)?;
        if messages.is_empty() && expected > order.highest() {
            return Err(HttpError::TimedOut("a message did not arrive"));
        }
        let mut newest = None;
        for message in &messages {
            let tag = message.tag_if(partner, config.callsign, config.payload_bytes);
            if let Some(tag) = order.receive(tag) {
                run_state.record(tag.sent_ns);
                run_state.record_at_hub(config.is_at_owner, tag.sent_ns);
                newest = Some(tag);
            }
        }
        Ok(newest)
    }

    /// Polls once more: after both last messages, nothing may be left.
    async fn sweep(&mut self, run_state: &RunState) -> Result<(), HttpError> {
        self.config.poll_connection.write(&self.config.sweep).await?;
        self.receive(run_state, 0).await.map(drop)
    }
}

fn parse(body: &[u8], protocol: Protocol) -> Result<Vec<Message<'_>>, HttpError> {
    match protocol {
        Protocol::Rest => message::parse_poll(body),
        Protocol::Mcp => message::parse_tool_result(body),
    }
}
