//! A mix of all scenarios on one hub, long enough for a leak to show: pairs, streams, senders, guests and MCP tools.

use futures_util::future::LocalBoxFuture;
use rogerrat_client::http::HttpError;
use tokio::task::JoinSet;

use super::broadcast::Broadcast;
use super::churn::Churn;
use super::pair_loop::Protocol;
use super::pingpong::Pingpong;
use super::sends::Sends;
use super::{Needs, Scenario, ScenarioOptions, ServerContext};
use crate::args::SoakArgs;

/// The default number of messages per second over all parts. A soak test looks for growth, not for the top speed.
const RATE: f64 = 400.0;
const PARTS: f64 = 5.0;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Soak {
    scale: usize,
    options: ScenarioOptions,
}

impl Soak {
    fn parts(&self) -> [Box<dyn Scenario>; 5] {
        let scale = self.scale;
        let options = ScenarioOptions { rate: Some(self.options.rate.unwrap_or(RATE) / PARTS), ..self.options };
        let pairs = Pingpong::new(scale, options);
        let mcp_pairs = Pingpong { protocol: Protocol::Mcp, ..pairs };
        // Each broadcast is delivered to all streams, so that its rate counts as many times.
        let slow = ScenarioOptions { rate: options.rate.map(|rate| rate / (scale * 10) as f64), ..options };
        let streams = Broadcast { channels: 1, listeners: scale * 10, under_way: 1, options: slow };
        let sends = Sends::new(scale, 2, options);
        let guests = Churn { guests: scale, options };
        [Box::new(pairs), Box::new(mcp_pairs), Box::new(streams), Box::new(sends), Box::new(guests)]
    }
}

impl Scenario for Soak {
    fn name(&self) -> &'static str {
        "soak"
    }

    fn unit(&self) -> (&'static str, &'static str) {
        ("message", "messages")
    }

    fn summary(&self) -> String {
        let scale = self.scale;
        let streams = scale * 10;
        format!("{scale} pairs, {scale} pairs over MCP, {streams} streams, {scale} channels of senders, {scale} guests")
    }

    fn needs(&self) -> Needs {
        let needs = self.parts().map(|part| part.needs());
        Needs {
            connections: needs.iter().map(|needs| needs.connections).sum(),
            sends_per_session: usize::MAX,
            parked_requests: needs.iter().map(|needs| needs.parked_requests).sum(),
        }
    }

    fn runs_on_baseline(&self) -> bool {
        false
    }

    fn start<'a>(
        &'a self,
        server: &'a ServerContext,
        agents: &'a mut JoinSet<()>,
    ) -> LocalBoxFuture<'a, Result<(), HttpError>> {
        Box::pin(async move {
            for part in self.parts() {
                part.start(server, agents).await?;
            }
            Ok(())
        })
    }
}

impl From<&SoakArgs> for Soak {
    fn from(args: &SoakArgs) -> Self {
        Self { scale: args.scale as usize, options: ScenarioOptions::from(&args.run) }
    }
}
