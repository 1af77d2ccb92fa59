//! The hub's configuration: layers of raw values ([`raw`]) and the validated result ([`Config`]).
//!
//! All errors are reported at once, each with its key and origin. This module reads no global state except the file it
//! is given: environment variables, the number of cores and randomness are passed in as [`Environment`].

mod accounts;
mod channels;
mod cluster;
mod database;
mod email;
mod environment;
mod error;
mod limits;
mod listen;
mod logging;
mod origin;
mod parse;
mod push;
mod raw;
mod reader;
mod server;
mod socket;
mod storage;
#[cfg(test)]
mod tests;
mod tunnel;

use std::path::PathBuf;

pub(crate) use accounts::AccountQuotas;
pub(crate) use channels::ChannelRetention;
pub(crate) use cluster::Cluster;
pub(crate) use database::{Database, masked};
pub(crate) use email::Email;
pub(crate) use environment::Environment;
pub(crate) use error::ConfigErrors;
pub(crate) use limits::Limits;
pub(crate) use logging::{LogFormat, LogSettings};
pub(crate) use push::Push;
pub(crate) use raw::{Flag, Value};
pub(crate) use reader::EffectiveValue;
pub(crate) use server::Server;
pub(crate) use socket::SocketSettings;
pub(crate) use storage::Storage;
pub(crate) use tunnel::{TunnelProvider, TunnelSettings};

use raw::RawConfig;
use reader::Reader;

/// The validated configuration, one field per section.
#[derive(Debug)]
pub(crate) struct Config {
    /// `[server]`
    pub server: Server,
    /// `[limits]`
    pub limits: Limits,
    /// `[channels]`
    pub channels: ChannelRetention,
    /// `[accounts]`
    pub accounts: AccountQuotas,
    /// `[push]`
    pub push: Push,
    /// `[email]`
    pub email: Email,
    /// `[storage]`
    pub storage: Storage,
    /// `[database]`
    pub database: Database,
    /// `[cluster]`
    pub cluster: Cluster,
    /// `[log]`
    pub log: LogSettings,
}

/// The configuration given on the command line.
#[derive(Default)]
pub(crate) struct CommandLine {
    /// The file given with `--config`.
    pub file: Option<PathBuf>,
    /// The other flags.
    pub flags: Vec<Flag>,
    /// Flags that only replace defaults: file, environment and `flags` override them.
    pub weak_flags: Vec<Flag>,
}

/// A configuration with the origin of each value.
#[derive(Debug)]
pub(crate) struct EffectiveConfig {
    /// The validated configuration.
    pub config: Config,
    /// One entry per key, secrets masked.
    pub values: Vec<EffectiveValue>,
}

impl EffectiveConfig {
    /// Merges defaults, file, environment and flags, in this order, and validates the result.
    ///
    /// # Errors
    /// All errors that were found.
    pub(crate) fn read(command_line: &CommandLine, environment: &Environment) -> Result<Self, ConfigErrors> {
        let mut reader = merge(command_line, environment);
        let config = Config::read(&mut reader, environment);
        match config {
            Some(config) if reader.errors.is_empty() => Ok(Self { config, values: reader.values }),
            _ => Err(ConfigErrors(reader.errors)),
        }
    }
}

impl Config {
    fn read(reader: &mut Reader, environment: &Environment) -> Option<Self> {
        let server = Server::read(reader, environment);
        let is_local = |server: &Server| server.host.is_loopback() && server.tunnel.is_none();
        let limits = Limits::read(reader, server.as_ref().is_some_and(is_local));
        let channels = ChannelRetention::read(reader);
        let accounts = AccountQuotas::read(reader);
        let push = Push::read(reader);
        let email = Email::read(reader, server.as_ref().map(|server| &server.origin));
        let storage = Storage::read(reader, environment);
        let database = Database::read(reader, environment);
        let cluster = Cluster::read(reader, database.as_ref().is_some_and(|database| database.url.is_some()));
        let log = LogSettings::read(reader);
        Some(Self {
            server: server?,
            limits: limits?,
            channels: channels?,
            accounts: accounts?,
            push: push?,
            email: email?,
            storage: storage?,
            database: database?,
            cluster: cluster?,
            log: log?,
        })
    }
}

fn merge(command_line: &CommandLine, environment: &Environment) -> Reader {
    let mut errors = Vec::new();
    let mut raw = RawConfig::defaults(&mut errors);
    raw.apply_flags(&command_line.weak_flags, &mut errors);
    if let Some(file) = &command_line.file {
        raw.apply_file(file, &mut errors);
    }
    raw.apply_env(&environment.variables, &mut errors);
    raw.apply_flags(&command_line.flags, &mut errors);
    Reader::new(raw, errors)
}
