//! From the flags to the report: starts the servers that a run needs, checks their limits, and runs the scenario.

use std::io;
use std::sync::Arc;

use super::args::RunArgs;
use super::baseline_process::BaselineProcess;
use super::interrupt::Interrupt;
use super::procfs::Process;
use super::progress::Progress;
use super::report::LoadReport;
use super::run_state::RunState;
use super::runner::Runner;
use super::scenario::{Scenario, ServerContext};
use super::server_under_test::ServerUnderTest;
use super::spawned_hub::SpawnedHub;
use super::target::{Durability, Target};
use super::{fsync, preflight};

const BASELINE: &str = "baseline";

/// The servers that were started for the run; they end with it.
#[derive(Default)]
struct SpawnedServers {
    hub: Option<SpawnedHub>,
    baseline: Option<BaselineProcess>,
}

pub(super) async fn run(scenario: &dyn Scenario, args: &RunArgs) -> Result<LoadReport, String> {
    scenario.check(args)?;
    if args.baseline && !scenario.runs_on_baseline() {
        return Err(format!("the baseline does not support `{}`", scenario.name()));
    }
    if !args.hubs.is_empty() && !scenario.spreads_over_hubs() {
        let name = scenario.name();
        return Err(format!("--hub works with `pingpong`, `broadcast`, `sends` and `tasks`, and not with `{name}`"));
    }
    let interrupt = Interrupt::new().map_err(|error| error.to_string())?;
    let has_second = scenario.compares_durability()
        || args.compare.is_some()
        || (args.baseline && (args.url.is_some() || args.spawn_hub));
    preflight::machine(scenario, args, 1 + usize::from(has_second))?;
    let syncs = args.fsync_dir.as_deref().map(fsync::rate).transpose().map_err(|error| error.to_string())?;
    let progress = Progress::new(args.quiet, scenario.unit().1);
    let mut spawned = SpawnedServers::default();
    let outcome = tokio::select! {
        outcome = start_and_run(scenario, args, &interrupt, &progress, &mut spawned) => outcome,
        () = interrupt.repeated() => Err("interrupted twice".into()),
    };
    progress.finish();
    Ok(LoadReport { fsyncs_per_second: syncs, ..outcome? })
}

async fn start_and_run(
    scenario: &dyn Scenario,
    args: &RunArgs,
    interrupt: &Interrupt,
    progress: &Progress,
    spawned: &mut SpawnedServers,
) -> Result<LoadReport, String> {
    let text = |error: io::Error| error.to_string();
    let mut servers = Vec::new();
    if args.spawn_hub {
        let hub = SpawnedHub::start(args.workers, &args.hub_flag)?;
        servers.push(connect("hub", hub.url(), None, Some(hub.process().map_err(text)?), args).await?);
        spawned.hub = Some(hub);
    } else if let Some(url) = &args.url {
        let mut server = connect("hub", url, args.token.clone(), find(args.pid)?, args).await?;
        let others = args
            .hubs
            .iter()
            .map(|url| Ok(Arc::new(Target::parse(url, args.token.clone())?.with_sources(args.sources))));
        server.context.other_hubs = others.collect::<Result<_, String>>()?;
        servers.push(server);
    }
    if let Some(url) = &args.compare {
        servers.push(connect("other", url, args.token.clone(), find(args.pid2)?, args).await?);
    }
    if args.baseline {
        let baseline = BaselineProcess::start(args.workers, args.baseline_cpus.as_deref()).map_err(text)?;
        let process = baseline.process().map_err(text)?;
        servers.push(connect(BASELINE, baseline.url(), None, Some(process), args).await?);
        spawned.baseline = Some(baseline);
    }
    if scenario.compares_durability()
        && let Some(first) = servers.first_mut()
    {
        let (url, process) = (first.url.clone(), first.context.run_state.process);
        first.name = "disk".into();
        first.context.durability = Some(Durability::Disk);
        let mut second = connect("memory", &url, args.token.clone(), process, args).await?;
        second.context.durability = Some(Durability::Memory);
        servers.push(second);
    }
    if let Some(first) = servers.first_mut() {
        first.context.has_bystanders = true;
    }
    for server in servers.iter().filter(|server| server.name != BASELINE) {
        preflight::hub(&server.url, &server.context.target, scenario.needs()).await?;
        for (url, target) in args.hubs.iter().zip(&*server.context.other_hubs) {
            preflight::hub(url, target, scenario.needs()).await?;
        }
    }
    Runner { scenario, servers, args, interrupt, progress }.run().await
}

fn find(pid: Option<u32>) -> Result<Option<Process>, String> {
    pid.map(Process::find).transpose().map_err(|error| format!("no such process: {error}"))
}

async fn connect(
    name: &str,
    url: &str,
    token: Option<String>,
    process: Option<Process>,
    args: &RunArgs,
) -> Result<ServerUnderTest, String> {
    let mut target = Target::parse(url, token)?.with_sources(args.sources);
    if args.sources.is_some() && !preflight::is_local(&target) {
        return Err(format!("{url}: --sources needs a hub on a loopback address"));
    }
    if args.h2c {
        target = target.over_h2c(args.connections as usize).await.map_err(|error| format!("{url}: {error}"))?;
    }
    let run_state = RunState::new(process).map_err(|error| error.to_string())?;
    let context = ServerContext {
        target: Arc::new(target),
        other_hubs: Arc::new([]),
        run_state: Arc::new(run_state),
        durability: args.durability,
        has_bystanders: false,
    };
    Ok(ServerUnderTest::new(name, url, context))
}
