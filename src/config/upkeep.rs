//! `[channels]`, `[accounts]`, `[storage]` and `[log]`: what is kept, where, and what is told about it.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use log::LevelFilter;
use rogerrat_domain::limits::MEMBER_TTL_MAX_MS;
use serde::Serialize;

use super::parse;
use super::raw::Value;
use super::reader::Reader;
use super::surroundings::Surroundings;

const UNUSED_DAYS: RangeInclusive<u32> = 0..=36_500;
const PER_ACCOUNT: RangeInclusive<u32> = 0..=100_000;
const IDLE_MINUTES: RangeInclusive<u32> = 1..=10_080;
const MAX_MIB: RangeInclusive<u64> = 0..=1024 * 1024 * 1024;
const SHELF_MESSAGES: RangeInclusive<u32> = 100..=1_000_000;
const SHELF_MIB: RangeInclusive<u32> = 16..=65_536;
const MEMBER_TTL_SECONDS: RangeInclusive<u64> = 60..=MEMBER_TTL_MAX_MS / 1000;

/// How long channels and members are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Channels {
    /// After how many days an unused channel without an owner is deleted; 0 is never.
    pub anonymous_unused_days: u32,
    /// After how many minutes a memory channel without a live session leaves memory.
    pub idle_minutes: u32,
    /// How long a member without a live session is remembered, on channels that do not say it themselves.
    pub member_ttl_seconds: u64,
}

impl Channels {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let anonymous_unused_days =
            reader.read("channels.anonymous_unused_days", |value| parse::number(value, &UNUSED_DAYS));
        let idle_minutes = reader.read("channels.idle_minutes", |value| parse::number(value, &IDLE_MINUTES));
        let member_ttl_seconds =
            reader.read("channels.member_ttl_seconds", |value| parse::number(value, &MEMBER_TTL_SECONDS));
        Some(Self {
            anonymous_unused_days: anonymous_unused_days?,
            idle_minutes: idle_minutes?,
            member_ttl_seconds: member_ttl_seconds?,
        })
    }
}

/// What one account may have; 0 is as many as it likes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Accounts {
    /// Channels it owns.
    pub channels: u32,
    /// Identities.
    pub identities: u32,
    /// Webhooks.
    pub webhooks: u32,
}

impl Accounts {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let mut count = |key| reader.read(key, |value| parse::number(value, &PER_ACCOUNT));
        let channels = count("accounts.channels");
        let identities = count("accounts.identities");
        let webhooks = count("accounts.webhooks");
        Some(Self { channels: channels?, identities: identities?, webhooks: webhooks? })
    }
}

/// Where the hub keeps what it keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Storage {
    /// The folder of database, key and lock; `~` is already the home directory.
    pub data_dir: PathBuf,
    /// What the database may grow to, in MiB, its WAL not counted; 0 is no bound.
    pub max_mib: u64,
    /// Messages of a durable channel that are kept.
    pub shelf_messages: u32,
    /// Their size, in MiB.
    pub shelf_mib: u32,
}

impl Storage {
    pub(super) fn read(reader: &mut Reader, surroundings: &Surroundings) -> Option<Self> {
        let data_dir = reader.read("storage.data_dir", |value| folder(value, surroundings.home()));
        let max_mib = reader.read("storage.max_mib", |value| parse::number(value, &MAX_MIB));
        let shelf_messages = reader.read("storage.shelf_messages", |value| parse::number(value, &SHELF_MESSAGES));
        let shelf_mib = reader.read("storage.shelf_mib", |value| parse::number(value, &SHELF_MIB));
        Some(Self { data_dir: data_dir?, max_mib: max_mib?, shelf_messages: shelf_messages?, shelf_mib: shelf_mib? })
    }
}

fn folder(value: &Value, home: Option<PathBuf>) -> Result<PathBuf, String> {
    let text = parse::text(value, "a folder")?;
    let below_home = match text.strip_prefix('~') {
        None if text.is_empty() || text.contains('\0') => return Err(parse::expected("a folder", value)),
        None => return Ok(PathBuf::from(text)),
        Some("") => "",
        Some(rest) => {
            rest.strip_prefix('/').ok_or_else(|| parse::expected("a folder; ~ stands alone or before /", value))?
        }
    };
    let home = home.ok_or("~ is the home directory, and HOME is not set; say the whole path")?;
    Ok(if below_home.is_empty() { home } else { home.join(below_home) })
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One object a line.
    Json,
}

/// What the hub tells about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Log {
    /// How a line looks.
    pub format: LogFormat,
    /// Which lines there are, in the filter syntax of `env_logger`.
    pub level: String,
}

impl Log {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let format = reader.read("log.format", log_format);
        let level = reader.read("log.level", log_level);
        Some(Self { format: format?, level: level? })
    }
}

fn log_format(value: &Value) -> Result<LogFormat, String> {
    match parse::text_of(value).map(str::trim) {
        Some("text") => Ok(LogFormat::Text),
        Some("json") => Ok(LogFormat::Json),
        _ => Err(parse::expected("text or json", value)),
    }
}

/// `env_logger` would take a misspelt level for the name of a module and fall silent, so a bare word is a level here.
fn log_level(value: &Value) -> Result<String, String> {
    let what = "a level (off, error, warn, info, debug, trace), or rules such as info,rogerrat::http=debug";
    let text = parse::text(value, what)?;
    if text.split(',').all(|rule| is_log_rule(rule.trim())) {
        Ok(text.to_owned())
    } else {
        Err(parse::expected(what, value))
    }
}

fn is_log_rule(rule: &str) -> bool {
    let (target, level) = rule.split_once('=').unwrap_or(("rogerrat", rule));
    let is_target = !target.is_empty() && target.chars().all(|c| c.is_ascii_alphanumeric() || "_:-".contains(c));
    is_target && level.parse::<LevelFilter>().is_ok()
}
