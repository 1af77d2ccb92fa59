//! Load scenarios. Each one joins its agents to a server and lets them run until the run drains.

pub(super) mod broadcast;
pub(super) mod channels;
pub(super) mod churn;
mod pair_loop;
pub(super) mod park;
pub(super) mod pingpong;
pub(super) mod sends;
pub(super) mod soak;
pub(super) mod tasks;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use rogerrat_client::http::HttpError;
use tokio::task::JoinSet;

use super::args::RunArgs;
use super::run_state::RunState;
use super::target::{Durability, Target};

/// A kind of load: what its agents do, what it needs, and how its report describes it.
pub(super) trait Scenario {
    fn name(&self) -> &'static str;

    /// The counted operation, in singular and plural.
    fn unit(&self) -> (&'static str, &'static str);

    /// What the memory is plotted over.
    fn population(&self) -> &'static str {
        "agents"
    }

    /// A short description for the report.
    fn summary(&self) -> String;

    fn needs(&self) -> Needs;

    /// Whether two servers can take turns in slices; otherwise each runs its whole window at once.
    fn takes_turns(&self) -> bool {
        true
    }

    /// Whether the baseline serves the requests of this scenario.
    fn runs_on_baseline(&self) -> bool {
        true
    }

    /// Whether disk channels and memory channels of one server are compared.
    fn compares_durability(&self) -> bool {
        false
    }

    /// Whether its channels and agents can be spread over several hubs on one database.
    fn spreads_over_hubs(&self) -> bool {
        false
    }

    /// The length of the warm-up and of the measured window.
    fn lengths(&self, args: &RunArgs) -> (Duration, Duration) {
        (args.warmup.0, args.seconds.0)
    }

    /// How long the last messages and polls may take after the window.
    fn drain_timeout(&self) -> Duration {
        Duration::from_secs(30)
    }

    /// Rejects flags that do not fit together.
    fn check(&self, _args: &RunArgs) -> Result<(), String> {
        Ok(())
    }

    /// Joins all agents and spawns their tasks into `agents`. The tasks end when the run drains.
    fn start<'a>(
        &'a self,
        server: &'a ServerContext,
        agents: &'a mut JoinSet<()>,
    ) -> LocalBoxFuture<'a, Result<(), HttpError>>;
}

/// The server that a scenario runs against, and the state that its agents share.
#[derive(Clone)]
pub(super) struct ServerContext {
    pub(super) target: Arc<Target>,
    /// Other hubs on the same database.
    pub(super) other_hubs: Arc<[Arc<Target>]>,
    pub(super) run_state: Arc<RunState>,
    /// The durability of its channels; `None` leaves the choice to the hub.
    pub(super) durability: Option<Durability>,
    /// Only the first server of a comparison gets bystanders.
    pub(super) has_bystanders: bool,
}

impl ServerContext {
    /// The number of hubs that serve the same channels.
    pub(super) fn hubs(&self) -> usize {
        1 + self.other_hubs.len()
    }

    /// One of the hubs, counted from 0 and beginning again after the last.
    pub(super) fn hub(&self, index: usize) -> &Arc<Target> {
        match index % self.hubs() {
            0 => &self.target,
            other => &self.other_hubs[other - 1],
        }
    }

    /// The hub that an agent of a channel uses: the agents are spread over all hubs, beginning with the owner. Also whether
    /// that is the owner; none if there is one hub only.
    pub(super) fn hub_of_agent(&self, channel: usize, agent: usize) -> (&Arc<Target>, Option<bool>) {
        let is_at_owner = (self.hubs() > 1).then_some(agent.is_multiple_of(self.hubs()));
        (self.hub(self.owner(channel) + agent), is_at_owner)
    }

    /// The hub at which a channel is created, and that owns it: two channels after another are at the same.
    pub(super) fn owner(&self, channel: usize) -> usize {
        channel / 2 % self.hubs()
    }
}

/// What a scenario needs from the machine and the hub.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Needs {
    /// Requests that are open at the same time; each has a connection of its own over HTTP/1.1.
    pub(super) connections: usize,
    /// Messages that one session sends per minute, at least; 0 if it sends hardly any.
    pub(super) sends_per_session: usize,
    /// Requests that stay open at the same time on shared HTTP/2 connections.
    pub(super) parked_requests: usize,
}

/// Options that all agents of a run have in common.
#[derive(Debug, Clone, Copy)]
pub(super) struct ScenarioOptions {
    pub(super) payload_bytes: usize,
    /// Messages per second over all agents; `None` is a closed loop.
    pub(super) rate: Option<f64>,
}

impl From<&RunArgs> for ScenarioOptions {
    fn from(args: &RunArgs) -> Self {
        Self { payload_bytes: args.payload as usize, rate: args.rate }
    }
}
