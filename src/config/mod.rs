//! The hub's configuration: what was said ([`raw`], in layers) and what it means ([`Config`]).
//!
//! All faults come at once, each with its key and origin. It never reads the surroundings by itself: environment,
//! cores and chance are handed in as [`Surroundings`].

mod fault;
mod limits;
mod listen;
mod origin;
mod parse;
mod raw;
mod reader;
mod server;
mod surroundings;
#[cfg(test)]
mod tests;
mod upkeep;

use std::path::PathBuf;

pub(crate) use fault::Faults;
pub(crate) use limits::Limits;
pub(crate) use raw::{Flag, Value};
pub(crate) use reader::Line;
pub(crate) use server::Server;
pub(crate) use surroundings::Surroundings;
pub(crate) use upkeep::{Accounts, Channels, Log, LogFormat, Storage};

use raw::Raw;
use reader::Reader;

/// What the hub runs with.
#[derive(Debug)]
pub(crate) struct Config {
    /// Where and for whom it listens.
    pub server: Server,
    /// How much a caller may do in a minute.
    pub limits: Limits,
    /// How long channels and members are kept.
    pub channels: Channels,
    /// What an account may have.
    pub accounts: Accounts,
    /// Where it keeps them.
    pub storage: Storage,
    /// How it tells what happens.
    pub log: Log,
}

/// What the command line says.
#[derive(Default)]
pub(crate) struct Said {
    /// The file of `--config`.
    pub file: Option<PathBuf>,
    /// The other flags.
    pub flags: Vec<Flag>,
}

/// A configuration, and line by line who decided what.
#[derive(Debug)]
pub(crate) struct Effective {
    /// What it means.
    pub config: Config,
    /// One line for each key, secrets hidden.
    pub lines: Vec<Line>,
}

impl Effective {
    /// Lays defaults, file, environment and flags over each other and says what they mean, or all that is wrong.
    pub(crate) fn read(said: &Said, surroundings: &Surroundings) -> Result<Self, Faults> {
        let mut reader = lay(said, surroundings);
        let config = Config::read(&mut reader, surroundings);
        match config {
            Some(config) if reader.faults.is_empty() => Ok(Self { config, lines: reader.lines }),
            _ => Err(Faults(reader.faults)),
        }
    }
}

impl Config {
    fn read(reader: &mut Reader, surroundings: &Surroundings) -> Option<Self> {
        let server = Server::read(reader, surroundings);
        let limits = Limits::read(reader, server.as_ref().is_some_and(|server| server.host.is_loopback()));
        let channels = Channels::read(reader);
        let accounts = Accounts::read(reader);
        let storage = Storage::read(reader, surroundings);
        let log = Log::read(reader);
        Some(Self {
            server: server?,
            limits: limits?,
            channels: channels?,
            accounts: accounts?,
            storage: storage?,
            log: log?,
        })
    }
}

fn lay(said: &Said, surroundings: &Surroundings) -> Reader {
    let mut faults = Vec::new();
    let mut raw = Raw::defaults(&mut faults);
    if let Some(file) = &said.file {
        raw.lay_file(file, &mut faults);
    }
    raw.lay_env(&surroundings.env, &mut faults);
    raw.lay_flags(&said.flags, &mut faults);
    Reader::new(raw, faults)
}
