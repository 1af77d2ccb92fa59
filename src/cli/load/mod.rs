//! `rogerrat load`: puts load on a hub from outside and says what a hop and a parked poll cost.
//! The client is raw TCP on one thread, on purpose: it must be cheaper than the server, it takes one core at most,
//! and no thread of it steals work or wakes another while the server wants the second core.
//! It knows the HTTP contract only, never the hub's insides.

mod args;
mod contest;
mod floor;
mod floor_process;
mod fsync;
mod idle;
mod message;
mod pingpong;
mod procfs;
mod report;
mod sends;
mod sequence;
mod setup;
mod stage;
mod tally;
mod target;
mod turns;

pub(crate) use args::LoadArgs;

use args::LoadCommand;
use contest::Play;
use serde::Serialize;
use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

/// Files that are open besides the sockets of the load.
const OTHER_FILES: u64 = 64;
/// The run could not begin or end: wrong flags, no such process, no floor.
const UNUSABLE: u8 = 2;

/// 0 when every message came once and in order and no request failed, 1 when not, 2 when nothing could be measured.
pub(crate) fn run(args: LoadArgs) -> ExitCode {
    let outcome = match args.command {
        LoadCommand::Pingpong(args) => contest(Play::from(&args), &args.run),
        LoadCommand::Sends(args) => contest(Play::from(&args), &args.run),
        LoadCommand::Idle(args) => idle(&args),
        LoadCommand::Floor(args) => floor_process::run(&args).map(|()| true).map_err(|cause| cause.to_string()),
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

fn contest(play: Play, args: &args::RunArgs) -> Result<bool, String> {
    allow_sockets(play.sockets())?;
    let comparison = on_one_thread(contest::run(play, args))?;
    print(&comparison, args.json)?;
    Ok(comparison.is_clean())
}

fn idle(args: &args::IdleArgs) -> Result<bool, String> {
    allow_sockets(args.polls as usize)?;
    let report = on_one_thread(idle::run(args))?;
    print(&report, args.json)?;
    Ok(report.is_clean())
}

fn on_one_thread<T>(work: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|cause| cause.to_string())?.block_on(work)
}

/// Raises the limit of open files as far as it goes; says so when that is not far enough.
fn allow_sockets(sockets: usize) -> Result<(), String> {
    let wanted = sockets as u64 + OTHER_FILES;
    let allowed = rlimit::increase_nofile_limit(u64::MAX).map_err(|cause| cause.to_string())?;
    if allowed < wanted {
        return Err(format!("this needs {wanted} open files and {allowed} are allowed (see `ulimit -Hn`)"));
    }
    Ok(())
}

fn print(report: &(impl Display + Serialize), json: bool) -> Result<(), String> {
    let text = match json {
        true => serde_json::to_string(report).map_err(|cause| cause.to_string())?,
        false => report.to_string(),
    };
    writeln!(io::stdout(), "{}", text.trim_end()).map_err(|cause| cause.to_string())
}
