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
mod listen;
mod outlet;
mod wait;

use std::process::ExitCode;

pub(crate) use bridge::McpArgs;
pub use bridge::McpSurface;
pub(crate) use line::{Gap, json_line};
pub(crate) use listen::ListenArgs;
pub(crate) use wait::WaitArgs;

use crate::outcome::{not_understood, on_one_thread};

/// 0 with a message, 1 when the hub refuses, 2 when it is not understood, 3 when nothing came, 4 when superseded.
pub(crate) fn wait(args: &WaitArgs) -> ExitCode {
    match args.place() {
        Ok(place) => on_one_thread(wait::NAME, wait::run(args, place)),
        Err(message) => not_understood(wait::NAME, &message),
    }
}

/// 0 when it was told to stop, 1 when the hub refuses, 2 when it is not understood, 4 when superseded.
pub(crate) fn listen_here(args: &ListenArgs) -> ExitCode {
    match args.place() {
        Ok(place) => on_one_thread(listen::NAME, listen::run(args, place)),
        Err(message) => not_understood(listen::NAME, &message),
    }
}

/// 0 when its input ended or it was told to stop, 1 when it cannot begin, 2 when it is not understood.
pub(crate) fn mcp(args: &McpArgs, face: McpSurface) -> ExitCode {
    match args.place() {
        Ok(place) => on_one_thread(bridge::NAME, bridge::run(args, place, face)),
        Err(message) => not_understood(bridge::NAME, &message),
    }
}
