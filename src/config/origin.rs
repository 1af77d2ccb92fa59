//! Where a value was said: the compiled default, a file, the environment or a flag, in the order in which later wins.
//!
//! It never knows the value itself.

use std::fmt;
use std::path::PathBuf;

use rogerrat_domain::text::one_line;

/// The place that decided a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// `config/default.toml`, compiled in.
    Default,
    /// A default that follows from another value; the reason stands in brackets.
    DefaultFor(&'static str),
    /// The hub made it up at this start.
    Minted,
    /// The file given with `--config`.
    File(PathBuf),
    /// An environment variable, by name.
    Env(String),
    /// A command line flag, with its dashes.
    Flag(&'static str),
}

impl Origin {
    /// The layer's place: a value of a higher one wins.
    pub(super) fn rank(&self) -> u8 {
        match self {
            Self::Default | Self::DefaultFor(_) | Self::Minted => 0,
            Self::File(_) => 1,
            Self::Env(_) => 2,
            Self::Flag(_) => 3,
        }
    }

    /// Whether a person said it.
    pub(super) fn is_said(&self) -> bool {
        self.rank() > 0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::DefaultFor(reason) => write!(f, "default ({reason})"),
            Self::Minted => f.write_str("minted"),
            Self::File(path) => write!(f, "file {}", one_line(&path.to_string_lossy())),
            Self::Env(name) => write!(f, "env {}", one_line(name)),
            Self::Flag(flag) => write!(f, "flag {flag}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_layers_rank_higher() {
        let ranks = [Origin::Default, Origin::File("f".into()), Origin::Env("E".into()), Origin::Flag("--f")]
            .map(|origin| origin.rank());
        assert!(ranks.is_sorted_by(|a, b| a < b), "{ranks:?}");
        assert!(!Origin::DefaultFor("x").is_said() && !Origin::Minted.is_said());
    }

    #[test]
    fn an_origin_stays_on_its_line() {
        assert_eq!(Origin::File("/etc/a\nb.toml".into()).to_string(), "file /etc/a\\nb.toml");
        assert_eq!(Origin::DefaultFor("loopback bind").to_string(), "default (loopback bind)");
        assert_eq!(Origin::Flag("--port").to_string(), "flag --port");
    }
}
