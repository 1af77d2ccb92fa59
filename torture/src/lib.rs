//! `rogerrat torture`: runs its own hub, kills it with SIGKILL repeatedly, and verifies that it keeps its promises.
//!
//! Writers and readers are ordinary HTTP clients. An oracle takes all their requests and responses and finds what must
//! not happen. The tool never reads the hub's data, and it kills no process but the one it started.
//!
//! With `--hub`, it tests several hubs that run already and share a database, and kills those whose process is given. A
//! [`Judge`] does the same while somebody else makes them fail.

mod args;
mod checker;
mod clients;
mod cluster_run;
mod context;
mod data_dir;
mod hub;
mod hub_target;
mod judge;
mod member_client;
mod message_text;
mod oracle;
mod reader;
mod report;
mod rng;
mod run;
mod service;
mod setup;
mod stopwatch;
mod work;
mod writer;

use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

pub use args::TortureArgs;
use args::TortureKind;
use data_dir::DataDir;
pub use judge::Judge;
pub use report::TortureReport;
use rng::Rng;
use serde::Serialize;
pub use setup::TortureLoad;
use tokio::signal::unix::{SignalKind, signal};
pub use work::TortureWorkArgs;
use work::WorkReport;

/// The run could not start, or was interrupted.
const UNUSABLE: u8 = 2;

/// Runs the test and prints its report.
///
/// Returns 0 without violations, 1 with violations, 2 if the run could not start or was interrupted.
pub fn run(args: &TortureArgs) -> ExitCode {
    let given = match &args.what {
        Some(TortureKind::Work(work)) => work.seed,
        None => args.seed,
    };
    let seed = given.unwrap_or_else(Rng::random_seed);
    let outcome = match &args.what {
        Some(TortureKind::Work(work)) => torture_work(work, seed)
            .and_then(|report| print(&report, &report.to_string(), work.json).map(|()| report.is_clean())),
        None => torture(args, seed)
            .and_then(|report| print(&report, &report.to_string(), args.json).map(|()| report.is_clean())),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            let _ = writeln!(io::stderr(), "rogerrat torture: {message}\nseed {seed}");
            ExitCode::from(UNUSABLE)
        }
    }
}

/// Runs the test. The hub and its temporary directory are removed when this returns.
fn torture(args: &TortureArgs, seed: u64) -> Result<TortureReport, String> {
    if args.channels + args.memory_channels == 0 {
        return Err("at least one channel is needed".into());
    }
    if !args.hubs.is_empty() {
        return on_this_thread(cluster_run::run(args, seed));
    }
    on_data_dir(args.data_dir.as_deref(), async |data_dir| run::run(args, seed, data_dir).await)
}

/// Runs the test of work.
fn torture_work(args: &TortureWorkArgs, seed: u64) -> Result<WorkReport, String> {
    on_data_dir(args.data_dir.as_deref(), async |data_dir| work::run(args, seed, data_dir).await)
}

/// Runs a test with a directory for its hub.
fn on_data_dir<T>(given: Option<&Path>, test: impl AsyncFnOnce(&Path) -> Result<T, String>) -> Result<T, String> {
    let data_dir = DataDir::open(given);
    let data_dir = data_dir.map_err(|error| format!("cannot open the data directory: {error}"))?;
    on_this_thread(test(data_dir.path()))
}

/// Runs a test on one thread, until it ends or is interrupted.
fn on_this_thread<T>(test: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| error.to_string())?.block_on(async {
        tokio::select! {
            outcome = test => outcome,
            reason = interrupted() => Err(reason),
        }
    })
}

/// Waits for a signal that ends the process.
async fn interrupted() -> String {
    let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
    let signals = kinds.map(signal).into_iter().collect::<io::Result<Vec<_>>>();
    let Ok(mut signals) = signals else { return "cannot install signal handlers".into() };
    let any = signals.iter_mut().map(|signal| Box::pin(signal.recv()));
    futures_util::future::select_all(any).await;
    "interrupted".into()
}

fn print(report: &impl Serialize, text: &str, json: bool) -> Result<(), String> {
    let text = match json {
        true => serde_json::to_string(report).map_err(|error| error.to_string())?,
        false => text.to_owned(),
    };
    writeln!(io::stdout(), "{}", text.trim_end()).map_err(|error| error.to_string())
}
