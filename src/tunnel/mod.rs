//! The tunnel that makes a hub on this machine reachable from the internet: finds the program, starts it, follows its
//! address, and ends it with the hub.
//!
//! It knows nothing of requests. The host of the tunnel is published in a watch channel, which the interfaces read.

mod find;
mod output;
mod pid_file;
mod process;
mod supervisor;

pub(crate) use find::{TunnelProgram, find};
pub(crate) use supervisor::{OpenTunnel, TunnelError};
