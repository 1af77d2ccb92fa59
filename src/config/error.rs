//! Configuration errors. Each names its key, the origin of the value and what was expected.
//!
//! An error never contains a secret, and of other values only the beginning.

use std::fmt;

use super::origin::Origin;

/// One configuration error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ConfigError {
    /// `section.key`; none when the error concerns a whole source, such as a file that cannot be read.
    pub key: Option<String>,
    /// Where the value was set.
    pub origin: Origin,
    /// What is wrong and what was expected.
    pub message: String,
}

impl ConfigError {
    /// An error of one key.
    pub(super) fn for_key(key: impl Into<String>, origin: Origin, message: impl Into<String>) -> Self {
        Self { key: Some(key.into()), origin, message: message.into() }
    }

    /// An error of a whole source.
    pub(super) fn for_source(origin: Origin, message: impl Into<String>) -> Self {
        Self { key: None, origin, message: message.into() }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key {
            Some(key) => write!(f, "{key} ({}): {}", self.origin, self.message),
            None => write!(f, "{}: {}", self.origin, self.message),
        }
    }
}

/// All errors of a configuration, in the order in which they were found. Displays one per line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ConfigErrors(pub(super) Vec<ConfigError>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_displayed_one_per_line() {
        let errors = ConfigErrors(vec![
            ConfigError::for_key("server.port", Origin::Flag("--port"), "expected a whole number"),
            ConfigError::for_source(Origin::File("/etc/hub.toml".into()), "cannot be read"),
        ]);
        assert_eq!(
            errors.to_string(),
            "server.port (flag --port): expected a whole number\nfile /etc/hub.toml: cannot be read"
        );
    }
}
