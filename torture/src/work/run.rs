//! One run: rounds of kills while work is shared out; then all tasks are closed and checked.

use std::path::Path;
use std::time::Duration;

use futures_util::future::join_all;
use rogerrat_client::http::{Connection, expect_success};
use serde_json::{Value, json};

use super::agent::{Agent, Shared, WorkPhase};
use super::args::TortureWorkArgs;
use super::report::WorkReport;
use super::task_sender::TaskSender;
use super::worker::Worker;
use crate::context::{now_ms, pause};
use crate::hub::HubProcess;
use crate::member_client::build_request;
use crate::rng::Rng;

/// How long all tasks may take to be closed: some leases have to end, five times at most.
const SETTLE: Duration = Duration::from_secs(120);
const DAY_S: u32 = 86_400;
/// The chance that a round kills the hub, and that it kills workers, in percent.
const KILL_HUB: u64 = 55;
const KILL_WORKERS: u64 = 60;

/// Fails if the hub cannot be started; everything after is in the report.
pub(crate) async fn run(args: &TortureWorkArgs, seed: u64, data_dir: &Path) -> Result<WorkReport, String> {
    let mut port_rng = Rng::new(seed ^ u64::from(std::process::id()), 1);
    let hub = HubProcess::new(data_dir, |low, high| port_rng.between(low, high)).map_err(|error| error.to_string())?;
    let mut runner = Runner { hub, rng: Rng::new(seed, 0) };
    runner.hub.start().map_err(|error| error.to_string())?;
    runner.hub.wait_until_ready().await?;
    let shared = Shared::new(runner.hub.address(), args.workers);
    let (channel, token) = create_channel(&runner.hub).await?;
    let task_sender = Agent::join(&shared, &channel, &token, "task_sender").await?;
    let task_sender = TaskSender::new(&shared, task_sender, Rng::new(seed, 2), args.tasks as usize);
    let mut workers = Vec::new();
    for no in 0..args.workers {
        let agent = Agent::join(&shared, &channel, &token, &format!("w{no}")).await?;
        workers.push(Worker::new(&shared, no as usize, agent, Rng::new(seed, u64::from(no) + 3)));
    }
    let start_ms = now_ms();
    let kills = async {
        let rounds = runner.rounds(args, &shared).await;
        if rounds.is_err() {
            shared.phase.send_replace(WorkPhase::Over);
            shared.serving.send_replace(true);
            return rounds;
        }
        shared.phase.send_replace(WorkPhase::Settling);
        let mut phase = shared.phase.subscribe();
        let over = phase.wait_for(|phase| *phase == WorkPhase::Over);
        let is_over = tokio::time::timeout(SETTLE, over).await.is_ok();
        if !is_over {
            let open = shared.oracle().open();
            shared.oracle().violation("tasks were not closed in time", &format!("{open:?}"));
            shared.phase.send_replace(WorkPhase::Over);
        }
        rounds
    };
    let (rounds, (), _) = tokio::join!(kills, task_sender.run(), join_all(workers.into_iter().map(Worker::run)));
    rounds?;
    let seconds = (now_ms() - start_ms) as f64 / 1000.0;
    let report = WorkReport::new(&shared.oracle(), seed, args.rounds, seconds);
    Ok(report)
}

async fn create_channel(hub: &HubProcess) -> Result<(String, String), String> {
    let body = json!({"durability": "disk", "session_ttl_seconds": DAY_S}).to_string();
    let mut connection = Connection::new(hub.address());
    let reply = connection.call(&build_request("POST", "/api/channels", "", &body)).await;
    let (status, body) = reply.map_err(|error| error.to_string())?;
    expect_success("create channel", status, body).map_err(|error| error.to_string())?;
    let created: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let text = |name: &str| created[name].as_str().unwrap_or_default().to_owned();
    Ok((text("channel_id"), text("join_token")))
}

struct Runner {
    hub: HubProcess,
    rng: Rng,
}

impl Runner {
    async fn rounds(&mut self, args: &TortureWorkArgs, shared: &Shared) -> Result<(), String> {
        for _ in 0..args.rounds {
            let length = self.rng.ms(0, (args.seconds * 2000.0) as u64);
            pause(length).await;
            if let Some(status) = self.hub.exit_status() {
                return Err(self.hub.with_log(&format!("the hub ended by itself ({status})")));
            }
            let kills_hub = self.rng.percent(KILL_HUB);
            if !kills_hub || self.rng.percent(KILL_WORKERS) {
                for _ in 0..self.rng.between(1, 3) {
                    shared.kills[self.rng.pick(shared.kills.len())].notify_one();
                }
            }
            if kills_hub {
                self.kill_and_restart(shared).await?;
            }
        }
        pause(Duration::from_secs_f64(args.seconds)).await;
        Ok(())
    }

    async fn kill_and_restart(&mut self, shared: &Shared) -> Result<(), String> {
        shared.serving.send_replace(false);
        self.hub.kill();
        shared.oracle().counts.hub_kills += 1;
        self.hub.start().map_err(|error| error.to_string())?;
        self.hub.wait_until_ready().await?;
        shared.serving.send_replace(true);
        Ok(())
    }
}
