//! `[storage]`: the data directory and its bounds.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use super::environment::Environment;
use super::parse;
use super::raw::Value;
use super::reader::Reader;

const MAX_MIB: RangeInclusive<u64> = 0..=1024 * 1024 * 1024;
const BACKLOG_MESSAGES: RangeInclusive<u32> = 100..=1_000_000;
const BACKLOG_MIB: RangeInclusive<u32> = 16..=65_536;

/// Where the hub stores its data, and how much of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Storage {
    /// The directory of database, key and lock file. A leading `~` is already expanded.
    pub data_dir: PathBuf,
    /// Maximum size of the database in MiB, without its WAL; 0 is unlimited.
    pub max_mib: u64,
    /// Maximum number of messages in the backlog of a durable channel.
    pub backlog_messages: u32,
    /// Maximum size of that backlog in MiB.
    pub backlog_mib: u32,
}

impl Storage {
    pub(super) fn read(reader: &mut Reader, environment: &Environment) -> Option<Self> {
        let data_dir = reader.read("storage.data_dir", |value| path(value, environment.home(), "a directory"));
        let max_mib = reader.read("storage.max_mib", |value| parse::number(value, &MAX_MIB));
        let backlog_messages = reader.read("storage.backlog_messages", |value| parse::number(value, &BACKLOG_MESSAGES));
        let backlog_mib = reader.read("storage.backlog_mib", |value| parse::number(value, &BACKLOG_MIB));
        Some(Self {
            data_dir: data_dir?,
            max_mib: max_mib?,
            backlog_messages: backlog_messages?,
            backlog_mib: backlog_mib?,
        })
    }
}

/// A path, with a leading `~` expanded.
pub(super) fn path(value: &Value, home: Option<PathBuf>, expected: &str) -> Result<PathBuf, String> {
    let text = parse::text(value, expected)?;
    let below_home = match text.strip_prefix('~') {
        None if text.is_empty() || text.contains('\0') => return Err(parse::expected(expected, value)),
        None => return Ok(PathBuf::from(text)),
        Some("") => "",
        Some(rest) => rest
            .strip_prefix('/')
            .ok_or_else(|| parse::expected(&format!("{expected}; ~ must be alone or followed by /"), value))?,
    };
    let home = home.ok_or("~ is the home directory, but HOME is not set; use an absolute path")?;
    Ok(if below_home.is_empty() { home } else { home.join(below_home) })
}
