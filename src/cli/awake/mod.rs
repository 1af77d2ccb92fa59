//! What wakes an agent that sleeps between its turns: `rogerrat wait` ends when a message has come, `rogerrat listen-here`
//! lets a file grow or runs a command.
//!
//! Everything is read from a stream with manual acks and acknowledged when it has been handed on. What was on its way when
//! a stream broke, or when its reader was killed, is due again at once.

mod attachments;
mod bridge;
mod hook;
mod inbox;
mod line;
mod link;
mod listen;
mod outlet;
mod place;
mod retry;
mod stream;
mod trouble;
mod wait;

pub(crate) use bridge::{Face, McpArgs};
pub(crate) use listen::ListenArgs;
pub(crate) use wait::WaitArgs;

use rogerrat_domain::text::one_line;
use std::io::{self, Write as _};
use std::process::ExitCode;
use trouble::Trouble;

/// Nothing came in the time that was given.
const NOTHING_CAME: u8 = 3;
/// Another reader took over.
const SUPERSEDED: u8 = 4;

/// 0 with a message, 1 when the hub refuses, 2 when it is not understood, 3 when nothing came, 4 when superseded.
pub(crate) fn wait(args: &WaitArgs) -> ExitCode {
    const NAME: &str = "rogerrat wait";
    let place = match args.place.read() {
        Ok(place) => place,
        Err(message) => return not_understood(NAME, &message),
    };
    on_one_thread(NAME, wait::run(args, place))
}

/// 0 when it was told to stop, 1 when the hub refuses, 2 when it is not understood, 4 when superseded.
pub(crate) fn listen_here(args: &ListenArgs) -> ExitCode {
    let place = match args.place.read() {
        Ok(place) => place,
        Err(message) => return not_understood(listen::NAME, &message),
    };
    on_one_thread(listen::NAME, listen::run(args, place))
}

/// 0 when its input ended or it was told to stop, 1 when it cannot begin, 2 when it is not understood.
pub(crate) fn mcp(args: &McpArgs, face: Face) -> ExitCode {
    let place = match args.place.read_somewhere() {
        Ok(place) => place,
        Err(message) => return not_understood(bridge::NAME, &message),
    };
    on_one_thread(bridge::NAME, bridge::run(args, place, face))
}

fn on_one_thread(name: &str, work: impl Future<Output = Result<ExitCode, Trouble>>) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(cause) => return failed(name, &Trouble::Refused(cause.to_string())),
    };
    let outcome = runtime.block_on(work);
    // A name that is still looked up is not waited for.
    runtime.shutdown_background();
    outcome.unwrap_or_else(|trouble| failed(name, &trouble))
}

fn failed(name: &str, trouble: &Trouble) -> ExitCode {
    say(name, &trouble.to_string());
    match trouble {
        Trouble::Superseded => ExitCode::from(SUPERSEDED),
        _ => ExitCode::FAILURE,
    }
}

fn not_understood(name: &str, message: &str) -> ExitCode {
    say(name, message);
    ExitCode::from(super::NOT_UNDERSTOOD)
}

/// One line for whoever looks on.
fn say(name: &str, message: &str) {
    // Without a reader the exit code still tells.
    let _ = writeln!(io::stderr().lock(), "{name}: {}", one_line(message));
}
