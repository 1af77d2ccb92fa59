//! Tortures several hubs that run already: kills, stops and freezes one of them at a time.

use std::time::Duration;

use rogerrat_client::http::Connection;
use rustix::process::{Pid, Signal};
use tokio::time::timeout;

use super::args::TortureArgs;
use super::context::{Context, now_ms, pause};
use super::hub_target::{HubTarget, is_running, send};
use super::judge;
use super::member_client::build_request;
use super::oracle::Event;
use super::report::TortureReport;
use super::rng::Rng;

/// How long all channels may take until they are served again, and a hub until its supervisor has started it.
const RECOVERY: Duration = Duration::from_secs(120);
const CHECK_EVERY: Duration = Duration::from_millis(20);
const CHECK_TIMEOUT: Duration = Duration::from_secs(5);
/// A hub that was frozen for longer than ten seconds may have been declared dead.
const MAX_FREEZE_MS: u64 = 20_000;
/// A hub that was declared dead learns it within a second or two.
const UNTIL_DEAD: Duration = Duration::from_secs(3);
/// Chances in percent, of a hub with a supervisor. Others are frozen only.
const KILL: u64 = 40;
const STOP: u64 = 30;
/// The stream of random numbers; those of the clients come after.
const RUNNER_STREAM: u64 = 0;

/// What happens to a hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Kill,
    Stop,
    Freeze,
}

/// Fails if the clients cannot be started; everything after is in the report.
pub(super) async fn run(args: &TortureArgs, seed: u64) -> Result<TortureReport, String> {
    let addresses = args.hubs.iter().map(|hub| hub.address).collect::<Vec<_>>();
    if args.cycles > 0 && addresses.len() < 2 {
        return Err("with --hub, at least two hubs are needed, or --cycles 0".into());
    }
    if args.cycles > 0 && args.hubs.iter().all(|hub| hub.pid().is_none()) {
        return Err(
            "no hub has a process that may be killed: give its process id, as in --hub http://127.0.0.1:7424=77".into(),
        );
    }
    let (context, clients) = judge::start(addresses, args.token.as_deref(), args.load(), seed).await?;
    let start_ms = now_ms();
    let mut runner = Runner { hubs: &args.hubs, context: &context, rng: Rng::new(seed, RUNNER_STREAM) };
    let outcome = runner.run(args).await;
    if let Err(what) = outcome {
        context.record(Event::Unfinished { what });
    }
    clients.drain(&context).await;
    context.oracle().check_all_sends();
    Ok(TortureReport::of_cluster(&context, seed, (now_ms() - start_ms) as f64 / 1000.0))
}

struct Runner<'r> {
    hubs: &'r [HubTarget],
    context: &'r Context,
    rng: Rng,
}

impl Runner<'_> {
    async fn run(&mut self, args: &TortureArgs) -> Result<(), String> {
        for _ in 0..args.cycles {
            self.let_hubs_run(args.seconds).await;
            self.fail_one().await?;
        }
        self.let_hubs_run(args.seconds).await;
        Ok(())
    }

    async fn let_hubs_run(&mut self, mean_s: f64) {
        let length = self.rng.ms(0, (mean_s * 2000.0) as u64);
        pause(length).await;
    }

    /// Makes one hub fail, and waits until all are well again.
    async fn fail_one(&mut self) -> Result<(), String> {
        let with_pid = self.hubs.iter().filter_map(|hub| Some((hub, hub.pid()?))).collect::<Vec<_>>();
        if with_pid.is_empty() {
            return Err("no hub is left that may be killed".into());
        }
        let (hub, pid) = with_pid[self.rng.pick(with_pid.len())];
        let fault = match hub.is_supervised() {
            true if self.rng.percent(KILL) => Fault::Kill,
            true if self.rng.percent(STOP) => Fault::Stop,
            _ => Fault::Freeze,
        };
        self.context.record(Event::FaultBegun);
        let signal = match fault {
            Fault::Kill => Signal::KILL,
            Fault::Stop => Signal::TERM,
            Fault::Freeze => Signal::STOP,
        };
        send(pid, signal).map_err(|error| format!("a signal to {}: {error}", hub.address))?;
        if fault == Fault::Freeze {
            let length = self.rng.ms(0, MAX_FREEZE_MS);
            pause(length).await;
            // It may have been killed meanwhile, by others.
            let _ = send(pid, Signal::CONT);
        }
        self.recover(hub, pid, fault).await?;
        self.context.record(Event::FaultEnded);
        Ok(())
    }

    async fn recover(&self, hub: &HubTarget, pid: Pid, fault: Fault) -> Result<(), String> {
        let recovered = async {
            // A hub that was declared dead ends by itself when it learns it.
            if fault == Fault::Freeze {
                pause(UNTIL_DEAD).await;
            }
            let ends = fault != Fault::Freeze;
            while ends && is_running(pid) {
                pause(CHECK_EVERY).await;
            }
            let is_needed = || hub.is_supervised() || is_running(pid);
            while is_needed() && !is_ready(hub).await {
                pause(CHECK_EVERY).await;
            }
            let since_ms = now_ms();
            while !self.context.service().is_served_since(since_ms) {
                pause(CHECK_EVERY).await;
            }
        };
        let in_time = timeout(RECOVERY, recovered).await;
        in_time.map_err(|_| format!("after {fault:?} of {}, not all was served within {RECOVERY:?}", hub.address))
    }
}

async fn is_ready(hub: &HubTarget) -> bool {
    let (request, mut connection) = (build_request("GET", "/readyz", "", ""), Connection::new(hub.address));
    matches!(timeout(CHECK_TIMEOUT, connection.call(&request)).await, Ok(Ok((200, _))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_run_without_clients_or_processes_ends_with_a_reason() {
        let oracle = crate::oracle::Oracle::of_cluster();
        let context = Context::new(vec![([127, 0, 0, 1], 1).into()], oracle, Vec::new(), Vec::new());
        let hubs = ["http://127.0.0.1:1".parse().unwrap()];
        let mut runner = Runner { hubs: &hubs, context: &context, rng: Rng::new(u64::MAX, RUNNER_STREAM) };
        assert_eq!(runner.fail_one().await, Err("no hub is left that may be killed".to_owned()));
        assert!(!is_ready(&hubs[0]).await);
    }
}
