//! Reads keys out of what was said: each reading leaves either a line of the effective configuration or a fault, so
//! that all faults come at once.

use std::fmt;

use rogerrat_domain::text::one_line;
use serde::Serialize;

use super::fault::Fault;
use super::origin::Origin;
use super::raw::{Raw, Value};

/// One line of the effective configuration, fit to be printed: a secret's value is not in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// `section.key`.
    pub key: &'static str,
    /// The value as JSON, or what stands for a secret.
    pub value: String,
    /// Who decided it.
    pub origin: Origin,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}   # {}", self.key, one_line(&self.value), self.origin)
    }
}

/// What was said, and what has been understood of it so far.
pub(super) struct Reader {
    raw: Raw,
    pub(super) lines: Vec<Line>,
    pub(super) faults: Vec<Fault>,
}

impl Reader {
    pub(super) fn new(raw: Raw, faults: Vec<Fault>) -> Self {
        Self { raw, lines: Vec::new(), faults }
    }

    /// Reads a key whose value may be shown.
    pub(super) fn read<T: Serialize>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&Value) -> Result<T, String>,
    ) -> Option<T> {
        self.read_shown(key, parse, |value| serde_json::to_string(value).unwrap_or_default())
    }

    /// Reads a key and shows what `show` makes of it.
    pub(super) fn read_shown<T>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&Value) -> Result<T, String>,
        show: impl FnOnce(&T) -> String,
    ) -> Option<T> {
        let Some(said) = self.raw.get(key) else {
            self.faults.push(Fault::of(key, Origin::Default, "has no default"));
            return None;
        };
        match parse(&said.value) {
            Ok(value) => {
                self.lines.push(Line { key, value: show(&value), origin: said.origin.clone() });
                Some(value)
            }
            Err(what) => {
                self.faults.push(Fault::of(key, said.origin.clone(), what));
                None
            }
        }
    }

    /// Who said a key.
    pub(super) fn origin(&self, key: &str) -> Origin {
        self.raw.get(key).map_or(Origin::Default, |said| said.origin.clone())
    }

    /// What was said for a key.
    pub(super) fn said(&self, key: &str) -> Option<&Value> {
        self.raw.get(key).map(|said| &said.value)
    }

    /// Decides a key that is still to be read, because of another one.
    pub(super) fn decide(&mut self, key: &'static str, value: Value, origin: Origin) {
        self.raw.set(key, value, origin);
    }

    /// Keeps a fault that only several keys together show.
    pub(super) fn fault(&mut self, key: &'static str, what: String) {
        let origin = self.origin(key);
        self.faults.push(Fault::of(key, origin, what));
    }
}
