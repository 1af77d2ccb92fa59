//! The receiving commands (`wait`, `listen-here`, `mcp`) against a real hub: their output, their exit codes, and that no
//! message is lost between two runs.

mod bell;
mod bridge;
mod client;
mod cut;
mod listen;
mod road;
mod rounds;
mod wait;
