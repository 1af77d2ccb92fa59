//! How a client command ends: one line on standard error, and an exit code that says what it was.

use super::link::Trouble;
use rogerrat_domain::text::one_line;
use std::io::{self, Write as _};
use std::process::ExitCode;

/// The hub refuses, or is not there.
const FAILED: u8 = 1;
/// Nothing came in the time that was given.
pub(super) const NOTHING_CAME: u8 = 3;
/// Another reader took over.
const SUPERSEDED: u8 = 4;

/// Does the work and waits for nobody else.
pub(super) fn on_one_thread(name: &str, work: impl Future<Output = Result<ExitCode, Trouble>>) -> ExitCode {
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
    ended(name, trouble).into()
}

/// Says what went wrong, and gives the exit code for it.
pub(super) fn ended(name: &str, trouble: &Trouble) -> u8 {
    match trouble {
        Trouble::Passing { why, retry_after: Some(after) } => {
            say(name, &format!("{why}; try again in {} s", after.as_secs()));
        }
        _ => say(name, &trouble.to_string()),
    }
    match trouble {
        Trouble::Superseded => SUPERSEDED,
        _ => FAILED,
    }
}

pub(super) fn not_understood(name: &str, message: &str) -> ExitCode {
    say(name, message);
    ExitCode::from(super::NOT_UNDERSTOOD)
}

/// One line for whoever looks on.
pub(super) fn say(name: &str, message: &str) {
    // Without a reader the exit code still tells.
    let _ = writeln!(io::stderr().lock(), "{name}: {}", one_line(message));
}

/// What was asked for, to standard output, at once.
pub(super) fn print(text: &str) -> Result<(), Trouble> {
    let mut out = io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    // Nobody reads any more, and nobody will again.
    written.map_err(|cause| Trouble::Refused(format!("it cannot be printed: {cause}")))
}
