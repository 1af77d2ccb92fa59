//! Pairs of agents that reply to each other: every hop is one send that wakes one parked poll.

use std::sync::Arc;

use futures_util::future::LocalBoxFuture;
use rogerrat_client::http::HttpError;
use tokio::task::JoinSet;

use super::pair_loop::{self, AgentConfig, POLL_S, Protocol, SWEEP_S};
use super::{Needs, Scenario, ScenarioOptions, ServerContext};
use crate::args::{McpArgs, PingpongArgs};
use crate::mcp::McpSession;
use crate::pacer::Pacer;
use crate::setup::Setup;
use crate::target::{PollKind, Session, Target};

const NAMES: [&str; 2] = ["ann", "bob"];
const CONNECTIONS_PER_PAIR: usize = 4;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Pingpong {
    pub(super) pairs: usize,
    /// Additional channels with two idle members each.
    pub(super) bystanders: usize,
    pub(super) poll: PollKind,
    pub(super) protocol: Protocol,
    pub(super) options: ScenarioOptions,
}

impl Pingpong {
    pub(super) fn new(pairs: usize, options: ScenarioOptions) -> Self {
        Self { pairs, bystanders: 0, poll: PollKind::Listen, protocol: Protocol::Rest, options }
    }

    /// Offsets the two agents of a pair from each other, because they send in turn.
    fn pacer(&self, agent: usize, pair: usize) -> Pacer {
        Pacer::new(self.options.rate, agent * self.pairs + pair, self.pairs * NAMES.len())
    }

    fn rest_agent(&self, target: &Target, session: &Session, agent: usize, pair: usize) -> AgentConfig {
        let payload_bytes = self.options.payload_bytes;
        AgentConfig {
            callsign: NAMES[agent],
            poll_connection: target.connection(),
            send_connection: target.connection(),
            poll: target.poll_request(session, self.poll, POLL_S),
            sweep: target.poll_request(session, self.poll, SWEEP_S),
            template: target.send_template(session, NAMES[1 - agent], payload_bytes),
            payload_bytes,
            protocol: Protocol::Rest,
            pacer: self.pacer(agent, pair),
            is_at_owner: None,
        }
    }

    async fn mcp_agent(
        &self,
        target: &Target,
        host: &Session,
        agent: usize,
        pair: usize,
    ) -> Result<AgentConfig, HttpError> {
        let payload_bytes = self.options.payload_bytes;
        let session = McpSession::join(target, host, NAMES[agent]).await?;
        Ok(AgentConfig {
            callsign: NAMES[agent],
            poll_connection: target.connection(),
            send_connection: target.connection(),
            poll: session.listen_request(target, POLL_S),
            sweep: session.listen_request(target, SWEEP_S),
            template: session.send_template(target, NAMES[1 - agent], payload_bytes),
            payload_bytes,
            protocol: Protocol::Mcp,
            pacer: self.pacer(agent, pair),
            is_at_owner: None,
        })
    }
}

impl Scenario for Pingpong {
    fn name(&self) -> &'static str {
        match self.protocol {
            Protocol::Rest => "pingpong",
            Protocol::Mcp => "mcp",
        }
    }

    fn unit(&self) -> (&'static str, &'static str) {
        ("hop", "hops")
    }

    fn summary(&self) -> String {
        let Self { pairs, bystanders, protocol, .. } = self;
        let through = if *protocol == Protocol::Mcp { " through MCP tools" } else { "" };
        let among = if *bystanders > 0 { format!(", among {bystanders} idle channels") } else { String::new() };
        format!("{pairs} pairs reply to each other{through}{among}")
    }

    fn needs(&self) -> Needs {
        Needs {
            connections: self.pairs * CONNECTIONS_PER_PAIR,
            sends_per_session: usize::MAX,
            parked_requests: self.pairs * NAMES.len(),
        }
    }

    fn runs_on_baseline(&self) -> bool {
        self.protocol == Protocol::Rest
    }

    fn spreads_over_hubs(&self) -> bool {
        self.protocol == Protocol::Rest
    }

    /// Joins all pairs before the first of them starts.
    fn start<'a>(
        &'a self,
        server: &'a ServerContext,
        agents: &'a mut JoinSet<()>,
    ) -> LocalBoxFuture<'a, Result<(), HttpError>> {
        Box::pin(async move {
            let target = &*server.target;
            let setup = Setup::new(server);
            let names = |_| NAMES.map(str::to_owned).to_vec();
            if server.has_bystanders {
                setup.channels(self.bystanders, names).await?;
            }
            match self.protocol {
                Protocol::Rest => {
                    for (pair, sessions) in setup.channels(self.pairs, names).await?.iter().enumerate() {
                        let [ann, bob] = &sessions[..] else { continue };
                        // Every second pair uses a hub that does not own its channel.
                        let (target, is_at_owner) = server.hub_of_agent(pair, pair % 2);
                        let ann = AgentConfig { is_at_owner, ..self.rest_agent(target, ann, 0, pair) };
                        let bob = AgentConfig { is_at_owner, ..self.rest_agent(target, bob, 1, pair) };
                        agents.spawn(pair_loop::run(ann, bob, Arc::clone(&server.run_state)));
                    }
                }
                Protocol::Mcp => {
                    let host = |_| vec!["host".to_owned()];
                    for (pair, sessions) in setup.channels(self.pairs, host).await?.iter().enumerate() {
                        let Some(host) = sessions.first() else { continue };
                        let ann = self.mcp_agent(target, host, 0, pair).await?;
                        let bob = self.mcp_agent(target, host, 1, pair).await?;
                        agents.spawn(pair_loop::run(ann, bob, Arc::clone(&server.run_state)));
                    }
                }
            }
            Ok(())
        })
    }
}

impl From<&PingpongArgs> for Pingpong {
    fn from(args: &PingpongArgs) -> Self {
        let (pairs, bystanders) = (args.pairs as usize, args.bystanders as usize);
        Self { bystanders, poll: args.listen, ..Self::new(pairs, ScenarioOptions::from(&args.run)) }
    }
}

impl From<&McpArgs> for Pingpong {
    fn from(args: &McpArgs) -> Self {
        let options = ScenarioOptions::from(&args.run);
        Self { protocol: Protocol::Mcp, ..Self::new(args.pairs as usize, options) }
    }
}
