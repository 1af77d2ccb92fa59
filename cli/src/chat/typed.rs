//! What a person typed, and what it means.

use std::path::PathBuf;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Typed {
    Say { to: String, text: String },
    Status(String),
    Attach { file: PathBuf, text: String },
    Roster,
    History,
    Help,
    Quit,
    Unknown(String),
}

pub(super) const HELP: &str = "\
a text says it to all; //text says one that begins with a slash
/dm NAME TEXT        to one member
/status TEXT         a passing sign of work, not kept
/attach FILE [TEXT]  a picture or a PDF, to all; a name with spaces in quotation marks
/roster              who is here
/history             the last messages
/quit                ends this; you stay on the channel";

impl Typed {
    /// Nothing for an empty line.
    pub(super) fn read(line: &str) -> Option<Self> {
        let line = line.trim_end();
        if line.trim().is_empty() {
            return None;
        }
        let to_all = |text: &str| Self::Say { to: "all".into(), text: text.into() };
        let Some(command) = line.strip_prefix('/') else { return Some(to_all(line)) };
        if command.starts_with('/') {
            return Some(to_all(command));
        }
        let (word, rest) = first_word(command);
        Some(match (word, rest) {
            ("quit" | "exit" | "q", _) => Self::Quit,
            ("roster" | "who", _) => Self::Roster,
            ("history", _) => Self::History,
            ("help" | "?", _) => Self::Help,
            ("status", text) if !text.is_empty() => Self::Status(text.into()),
            ("dm" | "msg", rest) => match first_word(rest) {
                (_, "") => Self::Unknown("/dm NAME TEXT".into()),
                (to, text) => Self::Say { to: to.into(), text: text.into() },
            },
            ("attach", rest) if !rest.is_empty() => {
                let (file, text) = quoted_or_word(rest);
                Self::Attach { file: file.into(), text: text.into() }
            }
            ("status", _) => Self::Unknown("/status TEXT".into()),
            ("attach", _) => Self::Unknown("/attach FILE [TEXT]".into()),
            (word, _) => Self::Unknown(format!("/{word}?")),
        })
    }
}

fn first_word(text: &str) -> (&str, &str) {
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (word, rest.trim_start())
}

fn quoted_or_word(text: &str) -> (&str, &str) {
    let quoted = text.strip_prefix('"').and_then(|rest| rest.split_once('"'));
    quoted.map_or_else(|| first_word(text), |(inner, rest)| (inner, rest.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_mean_what_the_help_says() {
        let say = |to: &str, text: &str| Some(Typed::Say { to: to.into(), text: text.into() });
        assert_eq!(Typed::read("  hello all "), say("all", "  hello all"));
        assert_eq!(Typed::read("//etc"), say("all", "/etc"));
        assert_eq!(Typed::read("/dm bob  look at this"), say("bob", "look at this"));
        assert_eq!(Typed::read("/dm bob"), Some(Typed::Unknown("/dm NAME TEXT".into())));
        let attach = |file: &str, text: &str| Some(Typed::Attach { file: file.into(), text: text.into() });
        assert_eq!(Typed::read("/attach \"a b.png\" see"), attach("a b.png", "see"));
        assert_eq!(Typed::read("/attach a.png"), attach("a.png", ""));
        assert_eq!((Typed::read(" "), Typed::read("/q")), (None, Some(Typed::Quit)));
        assert_eq!(Typed::read("/dance"), Some(Typed::Unknown("/dance?".into())));
    }
}
