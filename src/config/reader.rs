//! Reads and validates keys. Each read yields either an effective value or an error, so that all errors are collected.

use std::fmt;

use rogerrat_domain::text::one_line;
use serde::Serialize;

use super::error::ConfigError;
use super::origin::Origin;
use super::raw::{RawConfig, Value};

/// A key of the effective configuration, safe to print: secrets are masked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EffectiveValue {
    /// `section.key`.
    pub key: &'static str,
    /// The value as JSON, or a placeholder for a secret.
    pub value: String,
    /// Where the value was set.
    pub origin: Origin,
}

impl fmt::Display for EffectiveValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}   # {}", self.key, one_line(&self.value), self.origin)
    }
}

/// The raw configuration, with the values and errors found so far.
pub(super) struct Reader {
    raw: RawConfig,
    pub(super) values: Vec<EffectiveValue>,
    pub(super) errors: Vec<ConfigError>,
}

impl Reader {
    pub(super) fn new(raw: RawConfig, errors: Vec<ConfigError>) -> Self {
        Self { raw, values: Vec::new(), errors }
    }

    /// Reads a key whose value may be printed.
    pub(super) fn read<T: Serialize>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&Value) -> Result<T, String>,
    ) -> Option<T> {
        self.read_shown(key, parse, |value| serde_json::to_string(value).unwrap_or_default())
    }

    /// Reads a key that is printed as `show` returns it.
    pub(super) fn read_shown<T>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&Value) -> Result<T, String>,
        show: impl FnOnce(&T) -> String,
    ) -> Option<T> {
        let Some(setting) = self.raw.get(key) else {
            self.errors.push(ConfigError::for_key(key, Origin::Default, "has no default"));
            return None;
        };
        match parse(&setting.value) {
            Ok(value) => {
                self.values.push(EffectiveValue { key, value: show(&value), origin: setting.origin.clone() });
                Some(value)
            }
            Err(message) => {
                self.errors.push(ConfigError::for_key(key, setting.origin.clone(), message));
                None
            }
        }
    }

    /// Where a key was set.
    pub(super) fn origin(&self, key: &str) -> Origin {
        self.raw.get(key).map_or(Origin::Default, |setting| setting.origin.clone())
    }

    /// The raw value of a key.
    pub(super) fn value(&self, key: &str) -> Option<&Value> {
        self.raw.get(key).map(|setting| &setting.value)
    }

    /// Overrides a key before it is read, because its value depends on another key.
    pub(super) fn set(&mut self, key: &'static str, value: Value, origin: Origin) {
        self.raw.set(key, value, origin);
    }

    /// Records an error that concerns a combination of keys.
    pub(super) fn error(&mut self, key: &'static str, message: String) {
        let origin = self.origin(key);
        self.errors.push(ConfigError::for_key(key, origin, message));
    }
}
