//! `rogerrat torture`: runs a hub of its own, kills it with SIGKILL again and again, and checks that it keeps its word.
//! Writers and readers talk to it over HTTP like anybody; an oracle hears all of it and knows what may not happen.
//!
//! It never looks into the hub's files, and it touches no process but the one it started.

mod args;
mod caller;
mod checker;
mod context;
mod data_dir;
mod hub;
mod message_text;
mod oracle;
mod reader;
mod report;
mod rng;
mod run;
mod setup;
mod stopwatch;
mod writer;

use std::io::{self, Write as _};
use std::process::ExitCode;

pub use args::TortureArgs;
use data_dir::Folder;
use report::Report;
use rng::Rng;
use tokio::signal::unix::{SignalKind, signal};

/// The run could not begin, or was interrupted.
const UNUSABLE: u8 = 2;

/// 0 when the hub kept everything it promised, 1 when not, 2 when nothing could be found out.
pub fn run(args: &TortureArgs) -> ExitCode {
    let seed = args.seed.unwrap_or_else(Rng::any_seed);
    match torture(args, seed).and_then(|report| print(&report, args.json).map(|()| report.is_clean())) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            let _ = writeln!(io::stderr(), "rogerrat torture: {message}\nseed {seed}");
            ExitCode::from(UNUSABLE)
        }
    }
}

/// The hub and its folder go when this returns, whatever the reason.
fn torture(args: &TortureArgs, seed: u64) -> Result<Report, String> {
    if args.channels + args.memory_channels == 0 {
        return Err("there is no channel to talk on".into());
    }
    let folder = Folder::open(args.data_dir.as_deref()).map_err(|error| format!("no folder for the data: {error}"))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| error.to_string())?.block_on(async {
        tokio::select! {
            outcome = run::run(args, seed, folder.path()) => outcome,
            why = interrupted() => Err(why),
        }
    })
}

async fn interrupted() -> String {
    let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
    let signals = kinds.map(signal).into_iter().collect::<io::Result<Vec<_>>>();
    let Ok(mut signals) = signals else { return "signals cannot be had".into() };
    let any = signals.iter_mut().map(|signal| Box::pin(signal.recv()));
    futures_util::future::select_all(any).await;
    "interrupted".into()
}

fn print(report: &Report, json: bool) -> Result<(), String> {
    let text = match json {
        true => serde_json::to_string(report).map_err(|error| error.to_string())?,
        false => report.to_string(),
    };
    writeln!(io::stdout(), "{}", text.trim_end()).map_err(|error| error.to_string())
}
