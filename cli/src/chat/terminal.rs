//! The terminal, and its settings before the line editor changed them.

use std::env;
use std::io::{self, IsTerminal as _, Write as _};

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};

const DEFAULT_COLUMNS: usize = 80;

pub(super) struct Terminal {
    before: Option<Termios>,
}

impl Terminal {
    pub(super) fn open() -> Result<Self, String> {
        match io::stdin().is_terminal() && io::stdout().is_terminal() {
            true => Ok(Self { before: tcgetattr(io::stdin()).ok() }),
            false => Err("chat needs a terminal; without one, use send, wait and listen-here".into()),
        }
    }

    /// Restores the settings for the next program.
    pub(super) fn restore(&self) {
        // Turns bracketed paste off and ends the edited line.
        let _ = io::stdout().lock().write_all(b"\x1b[?2004l\r\n");
        if let Some(before) = &self.before {
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, before);
        }
    }

    pub(super) fn wants_colours(&self) -> bool {
        wants_colours()
    }
}

/// Whether the user wants colours at a terminal.
pub(crate) fn wants_colours() -> bool {
    let is_set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
    !is_set("NO_COLOR") && env::var_os("TERM").is_some_and(|term| term != "dumb")
}

/// The current width.
pub(super) fn columns() -> usize {
    tcgetwinsize(io::stdout())
        .ok()
        .map(|size| usize::from(size.ws_col))
        .filter(|columns| *columns > 0)
        .unwrap_or(DEFAULT_COLUMNS)
}
