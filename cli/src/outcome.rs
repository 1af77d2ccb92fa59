//! How a client command ends: its exit code, and one line on standard error that explains a failure.

use std::fmt;
use std::io::{self, Write as _};
use std::process::ExitCode;

use rogerrat_client::ClientError;
use rogerrat_domain::text::one_line;

/// Exit code: the hub refused or could not be reached.
const FAILED: u8 = 1;
/// Exit code: the command line or the configuration is invalid.
pub const USAGE_ERROR: u8 = 2;
/// Exit code: no message arrived in time.
pub(crate) const NO_MESSAGE: u8 = 3;
/// Exit code: another reader took over.
const SUPERSEDED: u8 = 4;
/// Exit code: the process that a listener works for has ended.
pub(crate) const OWNER_ENDED: u8 = 5;

/// Why a command failed.
#[derive(Debug)]
pub enum CommandError {
    /// A request to the hub failed.
    Client(ClientError),
    /// Something else failed, on this machine.
    Local(String),
}

impl From<ClientError> for CommandError {
    fn from(error: ClientError) -> Self {
        Self::Client(error)
    }
}

/// The message, with the flag that helps.
impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client(ClientError::SessionEnded(message)) => {
                write!(f, "{message}; with --callsign it joins again by itself")
            }
            Self::Client(error @ ClientError::Superseded) => {
                write!(f, "{error}, which now receives the messages; one reader is enough")
            }
            Self::Client(ClientError::UntrustedCertificate(message)) => {
                write!(f, "{message}; name its certificate authority with --ca-file")
            }
            Self::Client(ClientError::IdentityKeyMissing) => f.write_str(
                "the session belongs to an identity: set ROGERRAT_IDENTITY_KEY, or give --identity-key-file",
            ),
            Self::Client(error @ ClientError::Refused { message, code: Some(code), field, .. }) => {
                match shell_hint(code, field.as_deref()) {
                    Some(hint) => write!(f, "{message}; {hint}"),
                    None => error.fmt(f),
                }
            }
            Self::Client(error) => error.fmt(f),
            Self::Local(message) => f.write_str(message),
        }
    }
}

/// What a shell user can do about a refusal, where the hub's hint is for callers who speak HTTP.
fn shell_hint(code: &str, field: Option<&str>) -> Option<&'static str> {
    match code {
        "unauthorized" => Some("check --token-file, or the password or key you gave; a profile saves them"),
        // The hub says why a task is not there any more.
        "not_found" if field == Some("task") => None,
        "not_found" => Some("check --origin, --channel and the names you gave; `rogerrat create` creates a channel"),
        "limit_reached" => Some("remove what you no longer need, or ask the operator of the hub"),
        _ => None,
    }
}

/// Runs a command to its end on this thread.
pub(crate) fn block_on(name: &str, command: impl Future<Output = Result<ExitCode, CommandError>>) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return report_error(name, &CommandError::Local(error.to_string())).into(),
    };
    let outcome = runtime.block_on(command);
    // Does not wait for a pending name lookup.
    runtime.shutdown_background();
    outcome.unwrap_or_else(|error| report_error(name, &error).into())
}

/// Prints why a command failed and returns the exit code for it.
pub(crate) fn report_error(name: &str, error: &CommandError) -> u8 {
    match error {
        CommandError::Client(ClientError::Temporary { message, retry_after: Some(after) }) => {
            report(name, &format!("{message}; try again in {} s", after.as_secs()));
        }
        _ => report(name, &error.to_string()),
    }
    match error {
        CommandError::Client(ClientError::Superseded) => SUPERSEDED,
        _ => FAILED,
    }
}

/// Prints why a command line is invalid and returns the exit code for it.
pub fn usage_error(name: &str, message: &str) -> ExitCode {
    report(name, message);
    ExitCode::from(USAGE_ERROR)
}

/// Prints one line on standard error.
pub(crate) fn report(name: &str, message: &str) {
    // If standard error is closed, the exit code still reports a failure.
    let _ = writeln!(io::stderr().lock(), "{name}: {}", one_line(message));
}

/// Prints the result of a command on standard output.
///
/// # Errors
///
/// Fails if standard output is closed.
pub fn print(text: &str) -> Result<(), CommandError> {
    let mut out = io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.map_err(|error| CommandError::Local(format!("cannot write to standard output: {error}")))
}
