//! `[log]`: format and level of the log.

use log::LevelFilter;
use serde::Serialize;

use super::parse;
use super::raw::Value;
use super::reader::Reader;

/// The format of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// Human-readable text.
    Text,
    /// One JSON object per line.
    Json,
}

/// What is logged, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogSettings {
    /// The format of a line.
    pub format: LogFormat,
    /// The filter, in the syntax of `env_logger`.
    pub level: String,
}

impl LogSettings {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let format = reader.read("log.format", log_format);
        let level = reader.read("log.level", log_level);
        Some(Self { format: format?, level: level? })
    }
}

fn log_format(value: &Value) -> Result<LogFormat, String> {
    match parse::as_text(value).map(str::trim) {
        Some("text") => Ok(LogFormat::Text),
        Some("json") => Ok(LogFormat::Json),
        _ => Err(parse::expected("text or json", value)),
    }
}

/// `env_logger` takes a misspelt level for a module name and then logs nothing, so a bare word must be a level here.
fn log_level(value: &Value) -> Result<String, String> {
    let expected = "a level (off, error, warn, info, debug, trace), or rules such as info,rogerrat::http=debug";
    let text = parse::text(value, expected)?;
    if text.split(',').all(|rule| is_log_rule(rule.trim())) {
        Ok(text.to_owned())
    } else {
        Err(parse::expected(expected, value))
    }
}

fn is_log_rule(rule: &str) -> bool {
    let (target, level) = rule.split_once('=').unwrap_or(("rogerrat", rule));
    let is_target = !target.is_empty() && target.chars().all(|c| c.is_ascii_alphanumeric() || "_:-".contains(c));
    is_target && level.parse::<LevelFilter>().is_ok()
}
