//! How a client command ends: one line on standard error, and an exit code that says what it was.

use std::io::{self, Write as _};
use std::process::ExitCode;

use rogerrat_client::ClientError;
use rogerrat_domain::text::one_line;

/// The command line or the configuration is not understood.
pub const NOT_UNDERSTOOD: u8 = 2;
/// The hub refuses, or is not there.
const FAILED: u8 = 1;
/// Nothing came in the time that was given.
pub(crate) const NOTHING_CAME: u8 = 3;
/// Another reader took over.
const SUPERSEDED: u8 = 4;

/// Does the work and waits for nobody else.
pub(crate) fn on_one_thread(name: &str, work: impl Future<Output = Result<ExitCode, ClientError>>) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(name, &ClientError::Refused(error.to_string())),
    };
    let outcome = runtime.block_on(work);
    // A name that is still looked up is not waited for.
    runtime.shutdown_background();
    outcome.unwrap_or_else(|error| failed(name, &error))
}

fn failed(name: &str, error: &ClientError) -> ExitCode {
    ended(name, error).into()
}

/// Says what went wrong, and gives the exit code for it.
pub(crate) fn ended(name: &str, error: &ClientError) -> u8 {
    match error {
        ClientError::Passing { why, retry_after: Some(after) } => {
            say(name, &format!("{why}; try again in {} s", after.as_secs()));
        }
        _ => say(name, &error.to_string()),
    }
    match error {
        ClientError::Superseded => SUPERSEDED,
        _ => FAILED,
    }
}

pub fn not_understood(name: &str, message: &str) -> ExitCode {
    say(name, message);
    ExitCode::from(NOT_UNDERSTOOD)
}

/// One line for whoever looks on.
pub(crate) fn say(name: &str, message: &str) {
    // Without a reader the exit code still tells.
    let _ = writeln!(io::stderr().lock(), "{name}: {}", one_line(message));
}

/// What was asked for, to standard output, at once.
pub fn print(text: &str) -> Result<(), ClientError> {
    let mut out = io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    // Nobody reads any more, and nobody will again.
    written.map_err(|error| ClientError::Refused(format!("it cannot be printed: {error}")))
}
