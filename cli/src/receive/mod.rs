//! Commands that receive messages for an agent that sleeps between its turns: `rogerrat wait` ends when a message
//! arrives, `rogerrat listen-here` appends messages to a file or runs a command, `rogerrat mcp` pushes them to an MCP
//! client.
//!
//! They read a stream with manual acknowledgments and acknowledge a message once it was handed on. After a broken
//! stream or a killed reader, the hub delivers again what was not acknowledged.

mod attachments;
mod batch;
mod bridge;
mod format;
mod inbox;
mod listen_here;
mod on_message;
mod outage;
mod output_reader;
mod owner;
mod sink;
mod wait;

use std::process::ExitCode;

use rogerrat_client::StreamGreeting;

use crate::outcome::{block_on, report, usage_error};

pub(crate) use bridge::McpBridgeArgs;
pub use bridge::McpSurface;
pub(crate) use format::json_line;
pub(crate) use listen_here::ListenHereArgs;
pub(crate) use wait::WaitArgs;

/// Number of message ids a receiver remembers as handed on. A hub keeps fewer unacknowledged messages.
const REMEMBERED_IDS: usize = 256;

/// Reports that the command polls instead of reading a stream, when that changes.
fn report_polling(name: &str, greeting: &StreamGreeting) {
    if let Some(notice) = polling_notice(greeting) {
        report(name, &notice);
    }
}

/// Says that a command polls instead of reading a stream, when that changes.
pub(crate) fn polling_notice(greeting: &StreamGreeting) -> Option<String> {
    let reason = greeting.polling.as_ref()?;
    Some(format!("event streams do not pass on the way to the hub ({reason}); polling instead"))
}

/// The report of a listener that waits until another one has ended.
const STEPPED_BACK: &str = "another reader of this session and consumer took over; it receives the messages until it \
                            ends, then this one does. One is enough: stop the other or this one";

#[expect(clippy::disallowed_methods, reason = "a client measures its own pauses and has no clock of the hub")]
pub(crate) fn now() -> tokio::time::Instant {
    tokio::time::Instant::now()
}

/// Exit codes: 0 a message was printed, 1 the hub refused, 2 usage error, 3 no message in time, 5 its process ended.
pub(crate) fn wait(args: &WaitArgs) -> ExitCode {
    match args.resolve() {
        Ok(target) => block_on(wait::NAME, wait::run(args, target)),
        Err(message) => usage_error(wait::NAME, &message),
    }
}

/// Exit codes: 0 stopped by a signal, 1 the hub refused, 2 usage error, 5 its process ended.
pub(crate) fn listen_here(args: &ListenHereArgs) -> ExitCode {
    match args.resolve() {
        Ok(target) => block_on(listen_here::NAME, listen_here::run(args, target)),
        Err(message) => usage_error(listen_here::NAME, &message),
    }
}

/// Exit codes: 0 the input ended or a signal stopped it, 1 it cannot start, 2 usage error.
pub(crate) fn mcp(args: &McpBridgeArgs, surface: McpSurface) -> ExitCode {
    match args.resolve() {
        Ok(target) => block_on(bridge::NAME, bridge::run(args, target, surface)),
        Err(message) => usage_error(bridge::NAME, &message),
    }
}
