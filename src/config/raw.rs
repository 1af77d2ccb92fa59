//! What was said: every key with its value and its origin, the layers laid over each other, later wins.
//!
//! `config/default.toml` holds every key there is, so a key it does not hold is unknown. What a value means is not
//! decided here.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::Path;

use rogerrat_domain::text::clip;
use toml::Table;

use super::fault::Fault;
use super::origin::Origin;

/// The compiled defaults.
pub(super) const DEFAULT_TOML: &str = include_str!("../../config/default.toml");
const PREFIX: &str = "ROGERRAT_";

/// A value as it was said.
#[derive(Clone)]
pub(crate) enum Value {
    /// From the environment or a flag: it takes the type of its key.
    Text(String),
    /// From a file, or from a flag that has a type of its own.
    Typed(toml::Value),
}

/// A flag that was given.
pub(crate) struct Flag {
    /// The key it sets.
    pub key: &'static str,
    /// Its name, with the dashes.
    pub name: &'static str,
    /// What it was set to.
    pub value: Value,
}

/// A value and who said it.
pub(super) struct Said {
    pub(super) value: Value,
    pub(super) origin: Origin,
}

/// The layers so far.
pub(super) struct Raw {
    said: BTreeMap<String, Said>,
}

impl Raw {
    /// The compiled defaults alone.
    pub(super) fn defaults(faults: &mut Vec<Fault>) -> Self {
        let mut raw = Self { said: BTreeMap::new() };
        for (key, value) in keys_of(DEFAULT_TOML, &Origin::Default, faults) {
            raw.set(&key, Value::Typed(value), Origin::Default);
        }
        raw
    }

    /// Lays the file at `path` over what was said.
    pub(super) fn lay_file(&mut self, path: &Path, faults: &mut Vec<Fault>) {
        let origin = Origin::File(path.to_owned());
        match fs::read_to_string(path) {
            Ok(text) => {
                for (key, value) in keys_of(&text, &origin, faults) {
                    self.lay(&key, Value::Typed(value), origin.clone(), faults);
                }
            }
            Err(error) => faults.push(Fault::whole(origin, format!("cannot be read: {error}"))),
        }
    }

    /// Lays the `ROGERRAT_SECTION__KEY` variables over what was said; other variables are none of ours.
    pub(super) fn lay_env(&mut self, env: &[(OsString, OsString)], faults: &mut Vec<Fault>) {
        for (name, value) in env {
            let name = name.to_string_lossy();
            let Some((section, key)) = name.strip_prefix(PREFIX).and_then(|rest| rest.split_once("__")) else {
                continue;
            };
            let path = format!("{section}.{key}").to_ascii_lowercase();
            let origin = Origin::Env(name.clone().into_owned());
            match value.to_str() {
                _ if name.contains(|c: char| c.is_ascii_lowercase()) => {
                    faults.push(Fault::of(clip(&path), origin, "unknown variable; write its name in capitals"));
                }
                Some(text) => self.lay(&path, Value::Text(text.to_owned()), origin, faults),
                None => faults.push(Fault::of(clip(&path), origin, "expected UTF-8 text")),
            }
        }
    }

    /// Lays the flags over what was said.
    pub(super) fn lay_flags(&mut self, flags: &[Flag], faults: &mut Vec<Fault>) {
        for flag in flags {
            self.lay(flag.key, flag.value.clone(), Origin::Flag(flag.name), faults);
        }
    }

    /// The value of a key and its origin.
    pub(super) fn get(&self, key: &str) -> Option<&Said> {
        self.said.get(key)
    }

    /// Sets a key without asking whether it is known.
    pub(super) fn set(&mut self, key: &str, value: Value, origin: Origin) {
        self.said.insert(key.to_owned(), Said { value, origin });
    }

    /// Every key there is.
    #[cfg(test)]
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.said.keys().map(String::as_str)
    }

    fn lay(&mut self, key: &str, value: Value, origin: Origin, faults: &mut Vec<Fault>) {
        match self.said.get_mut(key) {
            Some(said) => *said = Said { value, origin },
            None => {
                let what = self.why_unknown(key);
                faults.push(Fault::of(clip(key), origin, what));
            }
        }
    }

    fn why_unknown(&self, key: &str) -> String {
        let section = key.split_once('.').map_or(key, |(section, _)| section);
        let known = self.said.keys().filter_map(|key| key.split_once('.'));
        let names = known.clone().filter(|(s, _)| *s == section).map(|(_, name)| name).collect::<Vec<_>>();
        if names.is_empty() {
            let mut sections = known.map(|(section, _)| section).collect::<Vec<_>>();
            sections.dedup();
            format!("unknown section; there are {}", sections.join(", "))
        } else {
            format!("unknown key; [{section}] has {}", names.join(", "))
        }
    }
}

/// The `section.key` pairs of a TOML text; what does not stand in a section keeps its bare name.
fn keys_of(text: &str, origin: &Origin, faults: &mut Vec<Fault>) -> Vec<(String, toml::Value)> {
    let table = match text.parse::<Table>() {
        Ok(table) => table,
        Err(error) => {
            faults.push(Fault::whole(origin.clone(), why_not_toml(text, &error)));
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

/// The parser's complaint without the line it complains about, which may hold the token.
fn why_not_toml(text: &str, error: &toml::de::Error) -> String {
    let start = error.span().map_or(0, |span| span.start);
    let line = 1 + text.bytes().take(start).filter(|byte| *byte == b'\n').count();
    format!("line {line} is not TOML: {}", error.message().replace('\n', ", "))
}
