//! The raw configuration: every key with its value and origin, after merging the layers. Later layers override earlier
//! ones.
//!
//! `config/default.toml` contains every key, so a key that it lacks is unknown. Values are not interpreted here.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::Path;

use rogerrat_domain::text::clip;
use toml::Table;

use super::error::ConfigError;
use super::origin::Origin;

/// The compiled defaults.
pub(super) const DEFAULT_TOML: &str = include_str!("../../config/default.toml");
const PREFIX: &str = "ROGERRAT_";

/// An uninterpreted value.
#[derive(Clone)]
pub(crate) enum Value {
    /// From the environment or a flag; it is parsed as the type of its key.
    Text(String),
    /// From a file, or from a flag with its own type.
    Typed(toml::Value),
}

/// A command line flag.
pub(crate) struct Flag {
    /// The key it sets.
    pub key: &'static str,
    /// Its name, with the dashes.
    pub name: &'static str,
    /// Its value.
    pub value: Value,
}

/// A value and its origin.
pub(super) struct Setting {
    pub(super) value: Value,
    pub(super) origin: Origin,
}

/// The layers merged so far.
pub(super) struct RawConfig {
    settings: BTreeMap<String, Setting>,
}

impl RawConfig {
    /// The compiled defaults alone.
    pub(super) fn defaults(errors: &mut Vec<ConfigError>) -> Self {
        let mut raw = Self { settings: BTreeMap::new() };
        for (key, value) in keys_of(DEFAULT_TOML, &Origin::Default, errors) {
            raw.set(&key, Value::Typed(value), Origin::Default);
        }
        raw
    }

    /// Applies the file at `path`.
    pub(super) fn apply_file(&mut self, path: &Path, errors: &mut Vec<ConfigError>) {
        let origin = Origin::File(path.to_owned());
        match fs::read_to_string(path) {
            Ok(text) => {
                for (key, value) in keys_of(&text, &origin, errors) {
                    self.apply(&key, Value::Typed(value), origin.clone(), errors);
                }
            }
            Err(error) => errors.push(ConfigError::for_source(origin, format!("cannot be read: {error}"))),
        }
    }

    /// Applies the variables named `ROGERRAT_SECTION__KEY`; other variables are ignored.
    pub(super) fn apply_env(&mut self, env: &[(OsString, OsString)], errors: &mut Vec<ConfigError>) {
        for (name, value) in env {
            let name = name.to_string_lossy();
            let Some((section, key)) = name.strip_prefix(PREFIX).and_then(|rest| rest.split_once("__")) else {
                continue;
            };
            let path = format!("{section}.{key}").to_ascii_lowercase();
            let origin = Origin::Env(name.clone().into_owned());
            match value.to_str() {
                _ if name.contains(|c: char| c.is_ascii_lowercase()) => {
                    let message = "unknown variable; write its name in upper case";
                    errors.push(ConfigError::for_key(clip(&path), origin, message));
                }
                Some(text) => self.apply(&path, Value::Text(text.to_owned()), origin, errors),
                None => errors.push(ConfigError::for_key(clip(&path), origin, "expected UTF-8 text")),
            }
        }
    }

    /// Applies the command line flags.
    pub(super) fn apply_flags(&mut self, flags: &[Flag], errors: &mut Vec<ConfigError>) {
        for flag in flags {
            self.apply(flag.key, flag.value.clone(), Origin::Flag(flag.name), errors);
        }
    }

    /// The value of a key and its origin.
    pub(super) fn get(&self, key: &str) -> Option<&Setting> {
        self.settings.get(key)
    }

    /// Sets a key without checking whether it is known.
    pub(super) fn set(&mut self, key: &str, value: Value, origin: Origin) {
        self.settings.insert(key.to_owned(), Setting { value, origin });
    }

    /// All known keys.
    #[cfg(test)]
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.settings.keys().map(String::as_str)
    }

    fn apply(&mut self, key: &str, value: Value, origin: Origin, errors: &mut Vec<ConfigError>) {
        match self.settings.get_mut(key) {
            Some(setting) => *setting = Setting { value, origin },
            None => {
                let message = self.unknown_key_message(key);
                errors.push(ConfigError::for_key(clip(key), origin, message));
            }
        }
    }

    fn unknown_key_message(&self, key: &str) -> String {
        let section = key.split_once('.').map_or(key, |(section, _)| section);
        let known = self.settings.keys().filter_map(|key| key.split_once('.'));
        let names = known.clone().filter(|(s, _)| *s == section).map(|(_, name)| name).collect::<Vec<_>>();
        if names.is_empty() {
            let mut sections = known.map(|(section, _)| section).collect::<Vec<_>>();
            sections.dedup();
            format!("unknown section; the sections are {}", sections.join(", "))
        } else {
            format!("unknown key; [{section}] has {}", names.join(", "))
        }
    }
}

/// The `section.key` pairs of a TOML text; a key outside any section keeps its bare name.
fn keys_of(text: &str, origin: &Origin, errors: &mut Vec<ConfigError>) -> Vec<(String, toml::Value)> {
    let table = match text.parse::<Table>() {
        Ok(table) => table,
        Err(error) => {
            errors.push(ConfigError::for_source(origin.clone(), syntax_error_message(text, &error)));
            return Vec::new();
        }
    };
    let mut keys = Vec::new();
    for (section, value) in table {
        match value {
            toml::Value::Table(table) => {
                keys.extend(table.into_iter().map(|(key, value)| (format!("{section}.{key}"), value)));
            }
            value => keys.push((section, value)),
        }
    }
    keys
}

/// The parser's message without the offending line, because that line may contain the token.
fn syntax_error_message(text: &str, error: &toml::de::Error) -> String {
    let start = error.span().map_or(0, |span| span.start);
    let line = 1 + text.bytes().take(start).filter(|byte| *byte == b'\n').count();
    format!("line {line} is not TOML: {}", error.message().replace('\n', ", "))
}
