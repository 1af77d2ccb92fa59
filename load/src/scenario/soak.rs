//! A mix of all for hours: pairs, streams, senders, guests and tools on one hub, so that what grows has time to show.

use std::sync::Arc;

use rogerrat_client::http::HttpError;
use tokio::task::JoinSet;

use super::broadcast::Broadcast;
use super::churn::Churn;
use super::pair_loop::Dialect;
use super::pingpong::Pingpong;
use super::sends::Sends;
use super::{Needs, ScenarioOptions};
use crate::run_state::RunState;
use crate::target::{PollKind, Target};

/// Messages a second over all, when nobody says more: a soak looks for what grows, not for the top speed.
const RATE: f64 = 400.0;
/// Its parts.
const PARTS: f64 = 5.0;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Soak {
    pub(super) scale: usize,
    pub(super) options: ScenarioOptions,
}

impl Soak {
    pub(super) fn summary(self) -> String {
        let scale = self.scale;
        format!(
            "{scale} pairs, {scale} more through MCP, {} streams, {scale} channels of senders, {scale} guests",
            scale * 10
        )
    }

    pub(super) fn needs(self) -> Needs {
        let (talk, tools, streams, sends, churn) = self.parts();
        let all = [talk.needs(), tools.needs(), streams.needs(), sends.needs(), churn.needs()];
        let sum = |of: fn(&Needs) -> usize| all.iter().map(of).sum();
        Needs { lines: sum(|needs| needs.lines), sends_by_one: usize::MAX, parked: sum(|needs| needs.parked) }
    }

    fn parts(self) -> (Pingpong, Pingpong, Broadcast, Sends, Churn) {
        let scale = self.scale;
        let options = ScenarioOptions { rate: Some(self.options.rate.unwrap_or(RATE) / PARTS), ..self.options };
        let talk = Pingpong::new(scale, options);
        let tools = Pingpong { dialect: Dialect::Mcp, ..talk };
        // One word of a speaker is heard by many.
        let slow = ScenarioOptions { rate: options.rate.map(|rate| rate / (scale * 10) as f64), ..options };
        let streams = Broadcast { channels: 1, listeners: scale * 10, under_way: 1, options: slow };
        let sends = Sends { channels: scale, senders: 2, unheard: false, poll: PollKind::Wait, options };
        (talk, tools, streams, sends, Churn { guests: scale, options })
    }

    pub(super) async fn start(
        self,
        target: &Arc<Target>,
        run_state: &Arc<RunState>,
        agents: &mut JoinSet<()>,
    ) -> Result<(), HttpError> {
        let (talk, tools, streams, sends, churn) = self.parts();
        talk.start(target, run_state, agents).await?;
        tools.start(target, run_state, agents).await?;
        streams.start(target, run_state, agents).await?;
        sends.start(target, run_state, agents).await?;
        churn.start(target, run_state, agents).await
    }
}
