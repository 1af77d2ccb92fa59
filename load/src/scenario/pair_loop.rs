//! Two agents of a channel that answer each other, over REST or over MCP.
//!
//! An agent has a line for its poll and another for its sends, so that a parked poll never blocks a send. A pair is
//! one task: both agents wait in it, and a fault of one ends the other.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rogerrat_client::http::{HttpError, expect_success};

use crate::http_connection::Line;
use crate::message::{self, Numbered};
use crate::order_check::Sequence;
use crate::pacer::Pacer;
use crate::run_state::RunState;
use crate::send_template::{Request, SendTemplate};

/// A poll that was parked after a send was answered, and that hears nothing for so long, means that a message was lost.
pub(super) const POLL_S: u32 = 5;
/// The last look into the mailbox, after the last message.
pub(super) const SWEEP_S: u32 = 1;

/// What the agents speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Rest,
    Mcp,
}

/// What an agent needs to talk and to listen.
pub(super) struct AgentConfig {
    pub(super) callsign: &'static str,
    pub(super) receive_line: Line,
    pub(super) send_line: Line,
    pub(super) poll: Request,
    pub(super) sweep: Request,
    pub(super) template: SendTemplate,
    pub(super) payload_bytes: usize,
    pub(super) dialect: Dialect,
    pub(super) pacer: Pacer,
}

pub(super) struct Agent {
    config: AgentConfig,
    partner: &'static str,
    /// Sends that were answered with success, ours and the partner's.
    sent: Arc<AtomicU64>,
    partner_sent: Arc<AtomicU64>,
    sequence: Sequence,
}

/// Lets two agents answer each other until the run_state drains.
pub(super) async fn scenario(ann: AgentConfig, bob: AgentConfig, run_state: Arc<RunState>) {
    let sent = [Arc::<AtomicU64>::default(), Arc::default()];
    let agent = |config: AgentConfig, partner: &'static str, own: usize| Agent {
        config,
        partner,
        sent: Arc::clone(&sent[own]),
        partner_sent: Arc::clone(&sent[1 - own]),
        sequence: Sequence::default(),
    };
    let names = (ann.callsign, bob.callsign);
    let (mut ann, mut bob) = (agent(ann, names.1, 0), agent(bob, names.0, 1));
    let outcome = run_pair(&mut ann, &mut bob, &run_state).await;
    for listener in [&ann, &bob] {
        // After another fault than silence nobody knows about the message under way.
        let tail_is_known = matches!(outcome, Ok(()) | Err(HttpError::TimedOut(_)));
        run_state.found(match tail_is_known {
            true => listener.sequence.complete(listener.partner_sent.load(Ordering::Relaxed)),
            false => listener.sequence.so_far(),
        });
    }
    if let Err(fault) = outcome {
        run_state.fail(&fault);
    }
}

/// Both park, then the first serves.
async fn run_pair(ann: &mut Agent, bob: &mut Agent, run_state: &RunState) -> Result<(), HttpError> {
    bob.park().await?;
    ann.park().await?;
    ann.say(false, run_state).await?;
    tokio::try_join!(ann.answer_until_last(run_state), bob.answer_until_last(run_state))?;
    Ok(())
}

impl Agent {
    async fn park(&mut self) -> Result<(), HttpError> {
        self.config.receive_line.write(&self.config.poll).await
    }

    /// Parks before it answers, so that the next message always finds a parked poll.
    /// Who says the last message parks no more; who hears it answers no more.
    async fn answer_until_last(&mut self, run_state: &RunState) -> Result<(), HttpError> {
        let mut owed = 0;
        loop {
            let Some(heard) = self.hear(run_state, owed).await? else {
                owed = self.partner_sent.load(Ordering::Relaxed);
                self.park().await?;
                continue;
            };
            if heard.last {
                break;
            }
            owed = 0;
            let is_over = run_state.is_draining();
            if !is_over {
                self.park().await?;
            }
            if self.say(is_over, run_state).await? {
                break;
            }
        }
        self.sweep(run_state).await
    }

    /// Says the next message when it is due; tells whether it was the last.
    async fn say(&mut self, is_over: bool, run_state: &RunState) -> Result<bool, HttpError> {
        let sent_ns = self.config.pacer.due(run_state).await;
        let seq = self.sent.load(Ordering::Relaxed) + 1;
        let numbered = Numbered { seq, sent_ns, last: is_over };
        let (status, body) = self.config.send_line.call(self.config.template.number(numbered)).await?;
        expect_success("send", status, body)?;
        if self.config.dialect == Dialect::Mcp {
            message::expect_tool(body)?;
        }
        self.sent.store(seq, Ordering::Relaxed);
        run_state.answer(sent_ns);
        Ok(is_over)
    }

    /// Reads the parked poll's reply; `None` when it held nothing new. When it was parked, `owed` had been said.
    async fn hear(&mut self, run_state: &RunState, owed: u64) -> Result<Option<Numbered>, HttpError> {
        let Self { config, partner, sequence, .. } = self;
        let (status, body) = config.receive_line.reply().await?;
        expect_success("poll", status, body)?;
        let heard = read(body, config.dialect)?;
        if heard.is_empty() && owed > sequence.highest() {
            return Err(HttpError::TimedOut("a message was waited for"));
        }
        let mut fresh = None;
        for message in &heard {
            let expected = message.numbered().filter(|_| message.is_of(partner, config.callsign, config.payload_bytes));
            let Some(numbered) = expected else {
                sequence.stray();
                continue;
            };
            if sequence.arrive(numbered.seq) {
                run_state.hop(numbered.sent_ns);
                fresh = Some(numbered);
            }
        }
        Ok(fresh)
    }

    /// Nothing may be left when both have said their last.
    async fn sweep(&mut self, run_state: &RunState) -> Result<(), HttpError> {
        self.config.receive_line.write(&self.config.sweep).await?;
        self.hear(run_state, 0).await.map(drop)
    }
}

fn read(body: &[u8], dialect: Dialect) -> Result<Vec<message::Message<'_>>, HttpError> {
    match dialect {
        Dialect::Rest => message::of_poll(body),
        Dialect::Mcp => message::of_tool(body),
    }
}
