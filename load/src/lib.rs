//! `rogerrat load`: puts load on a hub over HTTP, verifies every message and measures the cost.
//!
//! The client uses raw TCP on one thread: it must be cheaper than the server, must not use more than one core, and none
//! of its threads may take CPU time from a server on the second core. It depends on the HTTP API only, never on the
//! hub's code.

mod args;
mod baseline;
mod baseline_process;
mod error_counts;
mod fsync;
mod html_report;
mod http_connection;
mod interrupt;
mod mcp;
mod message;
mod order_check;
mod pacer;
mod pool;
mod preflight;
mod procfs;
mod progress;
mod report;
mod run;
mod run_state;
mod runner;
mod scenario;
mod send_template;
mod server_under_test;
mod setup;
mod spawned_hub;
mod stopwatch;
mod table;
mod target;

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

pub use args::LoadArgs;
use args::{LoadCommand, RunArgs};
use report::LoadReport;
use scenario::Scenario;
use scenario::broadcast::Broadcast;
use scenario::channels::CreateChannels;
use scenario::churn::Churn;
use scenario::park::Park;
use scenario::pingpong::Pingpong;
use scenario::sends::Sends;
use scenario::soak::Soak;
use scenario::tasks::TaskPairs;

/// The run could not start or finish: invalid flags, no hub, no such process, not enough resources.
const UNUSABLE: u8 = 2;

/// Runs the scenario and prints its report.
///
/// Returns 0 if every message arrived once and in order and no request failed, 1 if not, 2 if nothing could be measured.
pub fn run(args: LoadArgs) -> ExitCode {
    let outcome = match args.command {
        LoadCommand::Pingpong(args) => measure(&Pingpong::from(&args), &args.run),
        LoadCommand::Broadcast(args) => measure(&Broadcast::from(&args), &args.run),
        LoadCommand::Park(args) => measure(&Park::from(&args), &args.run),
        LoadCommand::Sends(args) => measure(&Sends::from(&args), &args.run),
        LoadCommand::Channels(args) => measure(&CreateChannels::from(&args), &args.run),
        LoadCommand::Tasks(args) => measure(&TaskPairs::from(&args), &args.run),
        LoadCommand::Churn(args) => measure(&Churn::from(&args), &args.run),
        LoadCommand::Mcp(args) => measure(&Pingpong::from(&args), &args.run),
        LoadCommand::Soak(args) => measure(&Soak::from(&args), &args.run),
        LoadCommand::Baseline(args) => baseline_process::run(&args).map(|()| true).map_err(|error| error.to_string()),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            let _ = writeln!(io::stderr(), "rogerrat load: {message}");
            ExitCode::from(UNUSABLE)
        }
    }
}

fn measure(scenario: &dyn Scenario, args: &RunArgs) -> Result<bool, String> {
    for file in args.json.iter().chain(&args.report).filter(|file| !is_stdout(file)) {
        // Fail now rather than after a run of an hour.
        fs::File::options().create(true).append(true).open(file).map_err(|error| cannot_write(file, &error))?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let report = runtime.map_err(|error| error.to_string())?.block_on(run::run(scenario, args))?;
    publish(&report, args)?;
    Ok(report.is_clean())
}

/// Writes the report to the requested files and to standard output.
fn publish(report: &LoadReport, args: &RunArgs) -> Result<(), String> {
    if let Some(file) = &args.report {
        fs::write(file, html_report::html(report)).map_err(|error| cannot_write(file, &error))?;
    }
    let mut text = report.to_string();
    if let Some(file) = &args.json {
        let json = serde_json::to_string(report).map_err(|error| error.to_string())?;
        match is_stdout(file) {
            true => text = json,
            false => fs::write(file, json).map_err(|error| cannot_write(file, &error))?,
        }
    }
    writeln!(io::stdout(), "{}", text.trim_end()).map_err(|error| error.to_string())
}

fn is_stdout(file: &Path) -> bool {
    file == Path::new("-")
}

fn cannot_write(file: &Path, error: &io::Error) -> String {
    format!("cannot write {}: {error}", file.display())
}

/// Returns the command line with the token removed.
fn command_line() -> String {
    let mut words = vec!["rogerrat".to_owned()];
    let mut is_token = false;
    for word in std::env::args().skip(1) {
        words.push(match (is_token, word.split_once('=')) {
            (true, _) => "…".into(),
            (false, Some(("--token", _))) => "--token=…".into(),
            (false, _) => word.clone(),
        });
        is_token = word == "--token";
    }
    words.join(" ")
}
