//! What is wrong with a configuration: every fault names its key, its origin and the way out.
//!
//! It never repeats a secret, and of other values no more than their beginning.

use std::fmt;

use super::origin::Origin;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// `section.key`; none when a whole file is at fault.
    pub key: Option<String>,
    /// Where it was said.
    pub origin: Origin,
    /// What is wrong and what would be right.
    pub what: String,
}

impl Fault {
    /// A fault of one key.
    pub(super) fn of(key: impl Into<String>, origin: Origin, what: impl Into<String>) -> Self {
        Self { key: Some(key.into()), origin, what: what.into() }
    }

    /// A fault of a whole layer.
    pub(super) fn whole(origin: Origin, what: impl Into<String>) -> Self {
        Self { key: None, origin, what: what.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key {
            Some(key) => write!(f, "{key} ({}): {}", self.origin, self.what),
            None => write!(f, "{}: {}", self.origin, self.what),
        }
    }
}

/// All that is wrong, in the order in which it was found; shown one on a line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Faults(pub(super) Vec<Fault>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            fault.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_stand_one_on_a_line() {
        let faults = Faults(vec![
            Fault::of("server.port", Origin::Flag("--port"), "expected a whole number"),
            Fault::whole(Origin::File("/etc/hub.toml".into()), "cannot be read"),
        ]);
        assert_eq!(
            faults.to_string(),
            "server.port (flag --port): expected a whole number\nfile /etc/hub.toml: cannot be read"
        );
    }
}
