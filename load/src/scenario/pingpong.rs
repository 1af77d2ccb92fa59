//! Pairs of agents that answer each other: every hop is one send that wakes one parked poll.

use std::sync::Arc;

use rogerrat_client::http::HttpError;
use tokio::task::JoinSet;

use super::pair_loop::{self, AgentConfig, Dialect, POLL_S, SWEEP_S};
use super::{Needs, ScenarioOptions};
use crate::mcp;
use crate::pacer::Pacer;
use crate::run_state::RunState;
use crate::setup::Setup;
use crate::target::{PollKind, Session, Target};

const NAMES: [&str; 2] = ["ann", "bob"];
const LINES_PER_PAIR: usize = 4;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Pingpong {
    pub(super) pairs: usize,
    /// More channels of two members that say nothing.
    pub(super) bystanders: usize,
    pub(super) poll: PollKind,
    pub(super) dialect: Dialect,
    pub(super) options: ScenarioOptions,
}

impl Pingpong {
    pub(super) fn new(pairs: usize, options: ScenarioOptions) -> Self {
        Self { pairs, bystanders: 0, poll: PollKind::Listen, dialect: Dialect::Rest, options }
    }

    pub(super) fn summary(self) -> String {
        let Self { pairs, bystanders, dialect, .. } = self;
        let interface = if dialect == Dialect::Mcp { " through MCP tools" } else { "" };
        let more = if bystanders > 0 { format!(", among {bystanders} more channels") } else { String::new() };
        format!("{pairs} pairs answer each other{interface}{more}")
    }

    pub(super) fn needs(self) -> Needs {
        Needs { lines: self.pairs * LINES_PER_PAIR, sends_by_one: usize::MAX, parked: self.pairs * NAMES.len() }
    }

    /// Joins all pairs, then lets them all begin.
    pub(super) async fn start(
        self,
        target: &Arc<Target>,
        run_state: &Arc<RunState>,
        agents: &mut JoinSet<()>,
    ) -> Result<(), HttpError> {
        let setup = Setup::new(target, run_state, self.options.durability);
        let names = |_| NAMES.map(str::to_owned).to_vec();
        setup.channels(self.bystanders, names).await?;
        if self.dialect == Dialect::Mcp {
            for (pair, channel) in setup.channels(self.pairs, |_| vec!["host".to_owned()]).await?.iter().enumerate() {
                let Some(host) = channel.first() else { continue };
                let ann = self.tool_kit(target, host, 0, pair).await?;
                let bob = self.tool_kit(target, host, 1, pair).await?;
                agents.spawn(pair_loop::scenario(ann, bob, Arc::clone(run_state)));
            }
            return Ok(());
        }
        for (pair, sessions) in setup.channels(self.pairs, names).await?.iter().enumerate() {
            if let [ann, bob] = &sessions[..] {
                let (ann, bob) = (self.config(target, ann, 0, pair), self.config(target, bob, 1, pair));
                agents.spawn(pair_loop::scenario(ann, bob, Arc::clone(run_state)));
            }
        }
        Ok(())
    }

    /// The two of a pair speak in turn, so each has its place between those of the other.
    fn pacer(self, side: usize, pair: usize) -> Pacer {
        Pacer::new(self.options.rate, side * self.pairs + pair, self.pairs * NAMES.len())
    }

    fn config(self, target: &Target, session: &Session, side: usize, pair: usize) -> AgentConfig {
        let payload_bytes = self.options.payload_bytes;
        AgentConfig {
            callsign: NAMES[side],
            receive_line: target.line(),
            send_line: target.line(),
            poll: target.poll_request(session, self.poll, POLL_S),
            sweep: target.poll_request(session, self.poll, SWEEP_S),
            template: target.template(session, NAMES[1 - side], payload_bytes),
            payload_bytes,
            dialect: Dialect::Rest,
            pacer: self.pacer(side, pair),
        }
    }

    async fn tool_kit(
        self,
        target: &Target,
        host: &Session,
        side: usize,
        pair: usize,
    ) -> Result<AgentConfig, HttpError> {
        let payload_bytes = self.options.payload_bytes;
        let seat = mcp::Seat::take(target, host, NAMES[side]).await?;
        Ok(AgentConfig {
            callsign: NAMES[side],
            receive_line: target.line(),
            send_line: target.line(),
            poll: seat.listen(target, POLL_S),
            sweep: seat.listen(target, SWEEP_S),
            template: seat.template(target, NAMES[1 - side], payload_bytes),
            payload_bytes,
            dialect: Dialect::Mcp,
            pacer: self.pacer(side, pair),
        })
    }
}
