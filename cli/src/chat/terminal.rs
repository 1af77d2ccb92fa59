//! The terminal, and how it was before a line was edited in it.

use std::env;
use std::io::{self, IsTerminal as _, Write as _};

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};

const COLUMNS: usize = 80;

pub(super) struct Terminal {
    before: Option<Termios>,
}

impl Terminal {
    pub(super) fn here() -> Result<Self, String> {
        match io::stdin().is_terminal() && io::stdout().is_terminal() {
            true => Ok(Self { before: tcgetattr(io::stdin()).ok() }),
            false => Err("this needs a terminal; without one there are send, wait and listen-here".into()),
        }
    }

    /// How it was, for whoever comes next.
    pub(super) fn restore(&self) {
        // Pasted text is told apart no longer, and the line that was being edited is ended.
        let _ = io::stdout().lock().write_all(b"\x1b[?2004l\r\n");
        if let Some(before) = &self.before {
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, before);
        }
    }

    pub(super) fn wants_colours(&self) -> bool {
        let is_said = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
        !is_said("NO_COLOR") && env::var_os("TERM").is_some_and(|term| term != "dumb")
    }
}

/// How wide it is now.
pub(super) fn columns() -> usize {
    tcgetwinsize(io::stdout())
        .ok()
        .map(|size| usize::from(size.ws_col))
        .filter(|columns| *columns > 0)
        .unwrap_or(COLUMNS)
}
