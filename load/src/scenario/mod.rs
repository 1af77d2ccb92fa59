//! The scenarios. Each sets its agents up, and then they scenario until the run_state drains.

mod broadcast;
mod channels;
mod churn;
mod pair_loop;
mod park;
mod pingpong;
mod sends;
mod soak;

use std::sync::Arc;
use std::time::Duration;

use broadcast::Broadcast;
use channels::Channels;
use churn::Churn;
use pair_loop::Dialect;
use park::Park;
use pingpong::Pingpong;
use rogerrat_client::http::HttpError;
use sends::Sends;
use soak::Soak;
use tokio::task::JoinSet;

use super::args::{
    BroadcastArgs, ChannelsArgs, ChurnArgs, McpArgs, ParkArgs, PingpongArgs, RunArgs, SendsArgs, SoakArgs,
};
use super::run_state::RunState;
use super::target::{Durability, Target};

/// Options for all agents of a run.
#[derive(Debug, Clone, Copy)]
pub(super) struct ScenarioOptions {
    pub(super) payload_bytes: usize,
    /// Messages a second over all agents; `None` is a closed loop.
    pub(super) rate: Option<f64>,
    pub(super) durability: Option<Durability>,
}

/// What a scenario needs before it can begin.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Needs {
    /// Requests that are open at once.
    pub(super) lines: usize,
    /// Messages that one session says in a minute at least; none where it says hardly any.
    pub(super) sends_by_one: usize,
    /// Requests that stay open at once on the same connections, over HTTP/2.
    pub(super) parked: usize,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Scenario {
    Pingpong(Pingpong),
    Broadcast(Broadcast),
    Park(Park),
    Sends(Sends),
    Channels(Channels),
    Churn(Churn),
    Soak(Soak),
}

impl Scenario {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Pingpong(Pingpong { dialect: Dialect::Mcp, .. }) => "mcp",
            Self::Pingpong(_) => "pingpong",
            Self::Broadcast(_) => "broadcast",
            Self::Park(_) => "park",
            Self::Sends(_) => "sends",
            Self::Channels(_) => "channels",
            Self::Churn(_) => "churn",
            Self::Soak(_) => "soak",
        }
    }

    /// What is counted, one of them and many.
    pub(super) fn unit(self) -> (&'static str, &'static str) {
        match self {
            Self::Pingpong(_) => ("hop", "hops"),
            Self::Broadcast(_) => ("delivery", "deliveries"),
            Self::Park(_) => ("wake", "wakes"),
            Self::Sends(_) => ("send", "sends"),
            Self::Channels(_) => ("channel", "channels"),
            Self::Churn(_) => ("visit", "visits"),
            Self::Soak(_) => ("message", "messages"),
        }
    }

    /// What the memory is drawn over.
    pub(super) fn population(self) -> &'static str {
        match self {
            Self::Park(_) | Self::Broadcast(_) => "connections",
            Self::Channels(_) => "channels",
            _ => "agents",
        }
    }

    /// In a few words, for the report.
    pub(super) fn summary(self) -> String {
        match self {
            Self::Pingpong(scenario) => scenario.summary(),
            Self::Broadcast(scenario) => scenario.summary(),
            Self::Park(scenario) => scenario.summary(),
            Self::Sends(scenario) => scenario.summary(),
            Self::Channels(scenario) => scenario.summary(),
            Self::Churn(scenario) => scenario.summary(),
            Self::Soak(scenario) => scenario.summary(),
        }
    }

    pub(super) fn needs(self) -> Needs {
        match self {
            Self::Pingpong(scenario) => scenario.needs(),
            Self::Broadcast(scenario) => scenario.needs(),
            Self::Park(scenario) => scenario.needs(),
            Self::Sends(scenario) => scenario.needs(),
            Self::Channels(scenario) => scenario.needs(),
            Self::Churn(scenario) => scenario.needs(),
            Self::Soak(scenario) => scenario.needs(),
        }
    }

    /// Whether two sides can take turns in slices; else each plays its window whole.
    pub(super) fn takes_turns(self) -> bool {
        !matches!(self, Self::Park(_) | Self::Channels(_))
    }

    /// Whether a bare server has what it asks for.
    pub(super) fn supports_baseline(self) -> bool {
        match self {
            Self::Pingpong(scenario) => scenario.dialect == Dialect::Rest,
            Self::Broadcast(_) | Self::Park(_) | Self::Sends(_) => true,
            Self::Channels(_) | Self::Churn(_) | Self::Soak(_) => false,
        }
    }

    /// How long the window stays open: until all is done where the number of things is given.
    pub(super) fn window(self, args: &RunArgs) -> (Duration, Duration) {
        match self {
            Self::Channels(scenario) => (Duration::ZERO, scenario.longest()),
            _ => (args.warmup.0, args.seconds.0),
        }
    }

    /// For the last messages and polls after the window.
    pub(super) fn drain(self) -> Duration {
        match self {
            Self::Park(_) => Duration::from_secs(120),
            _ => Duration::from_secs(30),
        }
    }

    /// The same with channels of another kind.
    pub(super) fn with_durability(self, durability: Durability) -> Self {
        match self {
            Self::Sends(scenario) => Self::Sends(Sends {
                options: ScenarioOptions { durability: Some(durability), ..scenario.options },
                ..scenario
            }),
            other => other,
        }
    }

    /// For the second side of a comparison: only the first has bystanders.
    pub(super) fn opponent(self) -> Self {
        match self {
            Self::Pingpong(scenario) => Self::Pingpong(Pingpong { bystanders: 0, ..scenario }),
            other => other,
        }
    }

    /// Why it cannot be played, if it cannot.
    pub(super) fn refusal(self, args: &RunArgs) -> Option<String> {
        match self {
            Self::Park(scenario) => scenario.refusal(args.seconds.0 + args.warmup.0),
            _ => None,
        }
    }

    pub(super) async fn start(self, target: &Arc<Target>, run_state: &Arc<RunState>) -> Result<JoinSet<()>, HttpError> {
        let mut agents = JoinSet::new();
        match self {
            Self::Pingpong(scenario) => scenario.start(target, run_state, &mut agents).await?,
            Self::Broadcast(scenario) => scenario.start(target, run_state, &mut agents).await?,
            Self::Park(scenario) => scenario.start(target, run_state, &mut agents).await?,
            Self::Sends(scenario) => scenario.start(target, run_state, &mut agents).await?,
            Self::Channels(scenario) => scenario.start(target, run_state, &mut agents),
            Self::Churn(scenario) => scenario.start(target, run_state, &mut agents).await?,
            Self::Soak(scenario) => scenario.start(target, run_state, &mut agents).await?,
        }
        Ok(agents)
    }
}

impl From<&RunArgs> for ScenarioOptions {
    fn from(args: &RunArgs) -> Self {
        Self { payload_bytes: args.payload as usize, rate: args.rate, durability: args.durability }
    }
}

impl From<&PingpongArgs> for Scenario {
    fn from(args: &PingpongArgs) -> Self {
        let (pairs, bystanders) = (args.pairs as usize, args.bystanders as usize);
        let dialect = Dialect::Rest;
        Self::Pingpong(Pingpong {
            pairs,
            bystanders,
            poll: args.listen,
            dialect,
            options: ScenarioOptions::from(&args.run),
        })
    }
}

impl From<&McpArgs> for Scenario {
    fn from(args: &McpArgs) -> Self {
        Self::Pingpong(Pingpong {
            dialect: Dialect::Mcp,
            ..Pingpong::new(args.pairs as usize, ScenarioOptions::from(&args.run))
        })
    }
}

impl From<&BroadcastArgs> for Scenario {
    fn from(args: &BroadcastArgs) -> Self {
        let (channels, listeners) = (args.channels as usize, args.listeners as usize);
        let under_way = args.under_way as usize;
        Self::Broadcast(Broadcast { channels, listeners, under_way, options: ScenarioOptions::from(&args.run) })
    }
}

impl From<&ParkArgs> for Scenario {
    fn from(args: &ParkArgs) -> Self {
        let (polls, per_channel) = (args.polls as usize, args.per_channel as usize);
        Self::Park(Park { polls, per_channel, streams: args.streams, options: ScenarioOptions::from(&args.run) })
    }
}

impl From<&SendsArgs> for Scenario {
    fn from(args: &SendsArgs) -> Self {
        let (channels, senders) = (args.channels as usize, args.senders as usize);
        let (unheard, poll) = (args.unheard, args.listen);
        Self::Sends(Sends { channels, senders, unheard, poll, options: ScenarioOptions::from(&args.run) })
    }
}

impl From<&ChannelsArgs> for Scenario {
    fn from(args: &ChannelsArgs) -> Self {
        let (channels, members) = (args.channels as usize, args.members as usize);
        let (creators, retire, waves) = (args.creators as usize, args.retire.0, args.waves);
        Self::Channels(Channels {
            channels,
            members,
            creators,
            retire,
            waves,
            options: ScenarioOptions::from(&args.run),
        })
    }
}

impl From<&ChurnArgs> for Scenario {
    fn from(args: &ChurnArgs) -> Self {
        Self::Churn(Churn { guests: args.guests as usize, options: ScenarioOptions::from(&args.run) })
    }
}

impl From<&SoakArgs> for Scenario {
    fn from(args: &SoakArgs) -> Self {
        Self::Soak(Soak { scale: args.scale as usize, options: ScenarioOptions::from(&args.run) })
    }
}
