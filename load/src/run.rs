//! From the flags to the figures: the servers a run needs, what they must allow, and the contest between them.

use super::args::RunArgs;
use super::baseline_process::BaselineProcess;
use super::interrupt::Interrupt;
use super::procfs::Process;
use super::progress::Progress;
use super::report::LoadReport;
use super::runner::Runner;
use super::scenario::Scenario;
use super::server_under_test::ServerUnderTest;
use super::spawned_hub::SpawnedHub;
use super::target::{Durability, Target};
use super::{fsync, preflight};

/// The servers of a run that are ours; they end with it.
#[derive(Default)]
struct Servers {
    own: Option<SpawnedHub>,
    baseline: Option<BaselineProcess>,
}

pub(super) async fn run(scenario: Scenario, args: &RunArgs, compares_durability: bool) -> Result<LoadReport, String> {
    if let Some(refusal) = scenario.refusal(args) {
        return Err(refusal);
    }
    if args.baseline && !scenario.supports_baseline() {
        return Err(format!("the baseline has nothing to compare `{}` with", scenario.name()));
    }
    let interrupt = Interrupt::new().map_err(|error| error.to_string())?;
    let sides = 1 + usize::from(compares_durability || args.compare.is_some() || (args.baseline && has_hub(args)));
    preflight::machine(scenario, args, sides)?;
    let syncs = args.fsync_dir.as_deref().map(fsync::rate).transpose().map_err(|error| error.to_string())?;
    let progress = Progress::new(args.quiet, scenario.unit().1);
    let mut servers = Servers::default();
    let outcome = tokio::select! {
        outcome = go(scenario, args, compares_durability, &interrupt, &progress, &mut servers) => outcome,
        () = interrupt.insisted() => Err("interrupted twice".into()),
    };
    progress.done();
    Ok(LoadReport { fsyncs_per_second: syncs, ..outcome? })
}

fn has_hub(args: &RunArgs) -> bool {
    args.url.is_some() || args.own_hub
}

async fn go(
    scenario: Scenario,
    args: &RunArgs,
    compares_durability: bool,
    interrupt: &Interrupt,
    progress: &Progress,
    servers: &mut Servers,
) -> Result<LoadReport, String> {
    let text = |error: std::io::Error| error.to_string();
    let mut sides = Vec::new();
    if args.own_hub {
        let own = SpawnedHub::start(args.workers, &args.hub_flag)?;
        sides.push(side("hub", own.url(), None, Some(own.process().map_err(text)?), args).await?);
        servers.own = Some(own);
    } else if let Some(url) = &args.url {
        sides.push(side("hub", url, args.token.clone(), find(args.pid)?, args).await?);
    }
    if let Some(url) = &args.compare {
        sides.push(side("other", url, args.token.clone(), find(args.pid2)?, args).await?);
    }
    if args.baseline {
        let baseline = BaselineProcess::start(args.workers, args.baseline_cpus.as_deref()).map_err(text)?;
        sides.push(side("baseline", baseline.url(), None, Some(baseline.process().map_err(text)?), args).await?);
        servers.baseline = Some(baseline);
    }
    let mut plays = vec![scenario, scenario.opponent()];
    if compares_durability && let Some(first) = sides.first_mut() {
        first.name = "disk".into();
        let url = first.url.clone();
        let server = first.run_state.server;
        sides.push(side("memory", &url, args.token.clone(), server, args).await?);
        plays = vec![scenario.with_durability(Durability::Disk), scenario.with_durability(Durability::Memory)];
    }
    for side in sides.iter().filter(|side| side.name != "baseline") {
        preflight::hub(&side.url, &side.target, scenario.needs()).await?;
    }
    Runner { plays, sides, args, interrupt, progress }.run().await
}

fn find(pid: Option<u32>) -> Result<Option<Process>, String> {
    pid.map(Process::find).transpose().map_err(|error| format!("no such process: {error}"))
}

async fn side(
    name: &str,
    url: &str,
    token: Option<String>,
    server: Option<Process>,
    args: &RunArgs,
) -> Result<ServerUnderTest, String> {
    let mut target = Target::parse(url, token)?.with_sources(args.sources);
    if args.sources.is_some() && !preflight::is_here(&target) {
        return Err(format!("{url}: --sources are addresses of loopback, and this hub is elsewhere"));
    }
    if args.h2c {
        target = target.over_h2c(args.connections as usize).await.map_err(|fault| format!("{url}: {fault}"))?;
    }
    ServerUnderTest::new(name, url, target, server)
}
