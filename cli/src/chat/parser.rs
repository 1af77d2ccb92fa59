//! Parses a line that the user has typed.

use std::path::PathBuf;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum ChatInput {
    Send {
        to: String,
        text: String,
    },
    Status(String),
    Attach {
        file: PathBuf,
        text: String,
    },
    Roster,
    History,
    Help,
    Quit,
    /// The line is invalid. The text is the expected form.
    Invalid(String),
}

pub(super) const HELP: &str = "\
a text is sent to all; //text sends one that begins with a slash
/dm NAME TEXT        send to one member
/status TEXT         send a transient status, which is not stored
/attach FILE [TEXT]  send a picture, a PDF or a text file to all; quote a name with spaces
/roster              list the members
/history             show the newest messages again
/quit                end the chat; you stay on the channel";

impl ChatInput {
    /// Parses a line. `None` if it is empty.
    pub(super) fn parse(line: &str) -> Option<Self> {
        let line = line.trim_end();
        if line.trim().is_empty() {
            return None;
        }
        let to_all = |text: &str| Self::Send { to: rogerrat_domain::ALL.into(), text: text.into() };
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
                (_, "") => Self::Invalid("/dm NAME TEXT".into()),
                (to, text) => Self::Send { to: to.into(), text: text.into() },
            },
            ("attach", rest) if !rest.is_empty() => {
                let (file, text) = quoted_or_word(rest);
                Self::Attach { file: file.into(), text: text.into() }
            }
            ("status", _) => Self::Invalid("/status TEXT".into()),
            ("attach", _) => Self::Invalid("/attach FILE [TEXT]".into()),
            (word, _) => Self::Invalid(format!("/{word}?")),
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
    fn parses_every_command_of_the_help() {
        let send = |to: &str, text: &str| Some(ChatInput::Send { to: to.into(), text: text.into() });
        assert_eq!(ChatInput::parse("  hello all "), send("all", "  hello all"));
        assert_eq!(ChatInput::parse("//etc"), send("all", "/etc"));
        assert_eq!(ChatInput::parse("/dm bob  look at this"), send("bob", "look at this"));
        assert_eq!(ChatInput::parse("/dm bob"), Some(ChatInput::Invalid("/dm NAME TEXT".into())));
        let attach = |file: &str, text: &str| Some(ChatInput::Attach { file: file.into(), text: text.into() });
        assert_eq!(ChatInput::parse("/attach \"a b.png\" see"), attach("a b.png", "see"));
        assert_eq!(ChatInput::parse("/attach a.png"), attach("a.png", ""));
        assert_eq!((ChatInput::parse(" "), ChatInput::parse("/q")), (None, Some(ChatInput::Quit)));
        assert_eq!(ChatInput::parse("/dance"), Some(ChatInput::Invalid("/dance?".into())));
    }
}
