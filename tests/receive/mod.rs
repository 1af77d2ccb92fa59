//! The receiving commands (`wait`, `listen-here`, `mcp`) against a real hub: their output, their exit codes, and that no
//! message is lost between two runs.

mod bell;
mod bridge;
pub(crate) mod bridge_client;
mod bridge_members;
mod cut;
mod faulty_link;
mod held_streams;
mod listen;
mod owner;
mod rounds;
mod wait;
mod wake;
