//! `rogerrat load`: puts load on a hub from outside, checks every message, and says what it cost.
//! The client is raw TCP on one thread, on purpose: it must be cheaper than the server, it takes one core at most,
//! and no thread of it steals work or wakes another while the server wants the second core.
//! It knows the HTTP contract only, never the hub's insides.

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
mod stream_events;
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

/// The run could not begin or end: wrong flags, no hub, no such process, no room.
const UNUSABLE: u8 = 2;

/// 0 when every message came once and in order and no request failed, 1 when not, 2 when nothing could be measured.
pub fn run(args: LoadArgs) -> ExitCode {
    let outcome = match args.command {
        LoadCommand::Pingpong(args) => scenario(Scenario::from(&args), &args.run, false),
        LoadCommand::Broadcast(args) => scenario(Scenario::from(&args), &args.run, false),
        LoadCommand::Park(args) => scenario(Scenario::from(&args), &args.run, false),
        LoadCommand::Sends(args) => scenario(Scenario::from(&args), &args.run, args.compare_durability),
        LoadCommand::Channels(args) => scenario(Scenario::from(&args), &args.run, false),
        LoadCommand::Churn(args) => scenario(Scenario::from(&args), &args.run, false),
        LoadCommand::Mcp(args) => scenario(Scenario::from(&args), &args.run, false),
        LoadCommand::Soak(args) => scenario(Scenario::from(&args), &args.run, false),
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

fn scenario(scenario: Scenario, args: &RunArgs, compares_durability: bool) -> Result<bool, String> {
    for file in args.json.iter().chain(&args.report).filter(|file| !is_stdout(file)) {
        // Better now than after an hour.
        fs::File::options().create(true).append(true).open(file).map_err(|error| cannot_write(file, &error))?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let figures =
        runtime.map_err(|error| error.to_string())?.block_on(run::run(scenario, args, compares_durability))?;
    publish(&figures, args)?;
    Ok(figures.is_clean())
}

/// To whom it was asked to go.
fn publish(figures: &LoadReport, args: &RunArgs) -> Result<(), String> {
    if let Some(file) = &args.report {
        fs::write(file, html_report::html(figures)).map_err(|error| cannot_write(file, &error))?;
    }
    let mut text = figures.to_string();
    if let Some(file) = &args.json {
        let json = serde_json::to_string(figures).map_err(|error| error.to_string())?;
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
    format!("{} cannot be written: {error}", file.display())
}

/// What was typed, without a token.
fn command_line() -> String {
    let mut words = vec!["rogerrat".to_owned()];
    let mut hides = false;
    for word in std::env::args().skip(1) {
        words.push(match (hides, word.split_once('=')) {
            (true, _) => "…".into(),
            (false, Some(("--token", _))) => "--token=…".into(),
            (false, _) => word.clone(),
        });
        hides = word == "--token";
    }
    words.join(" ")
}
