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
    /// Sends a message that wants an `answer` or `work`.
    Ask {
        wants: &'static str,
        to: String,
        text: String,
        /// How many members' answers close a question to all.
        answers: Option<u32>,
    },
    Tasks,
    /// Takes this task, or the next one.
    Take(Option<u64>),
    /// Replies to a task with a state.
    Finish {
        task: u64,
        state: &'static str,
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
/ask NAME TEXT       ask one member, or all, for an answer; all:3 waits for three answers
/task NAME TEXT      give work to one member, or to whoever of all takes it
/tasks               list the open tasks, and who has them
/take [N]            take task N, or the next one
/done N TEXT         answer task N, or finish it; /failed, /rejected and /input work alike
/working N           go on with task N: renews the hour in which it is yours
/open N [TEXT]       give task N back
/cancel N [TEXT]     withdraw task N, which you sent
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
            ("tasks", _) => Self::Tasks,
            ("ask" | "task", rest) => match first_word(rest) {
                (_, "") => Self::Invalid(format!("/{word} NAME TEXT")),
                (to, text) => {
                    let wants = if word == "ask" { "answer" } else { "work" };
                    match with_answers(to) {
                        Some((to, answers)) if word == "ask" || answers.is_none() => {
                            Self::Ask { wants, to: to.into(), text: text.into(), answers }
                        }
                        _ => Self::Invalid(format!("/{word} NAME TEXT")),
                    }
                }
            },
            ("take", "") => Self::Take(None),
            ("take", number) => {
                task_number(number).map_or_else(|| Self::Invalid("/take [N]".into()), |task| Self::Take(Some(task)))
            }
            (word, rest) if state_of(word).is_some() => {
                let (number, text) = first_word(rest);
                match (state_of(word), task_number(number)) {
                    (Some(state), Some(task)) => Self::Finish { task, state, text: text.into() },
                    _ => Self::Invalid(format!("/{word} N TEXT")),
                }
            }
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

/// The state that a reply by this command has.
fn state_of(word: &str) -> Option<&'static str> {
    let states = [
        ("done", "done"),
        ("answer", "done"),
        ("failed", "failed"),
        ("rejected", "rejected"),
        ("input", "input"),
        ("working", "working"),
        ("open", "open"),
        ("cancel", "cancelled"),
    ];
    states.into_iter().find(|(name, _)| *name == word).map(|(_, state)| state)
}

/// The number of a task: `3` or `#3`.
fn task_number(word: &str) -> Option<u64> {
    word.strip_prefix('#').unwrap_or(word).parse().ok()
}

/// A name, or a name with the number of answers: `all:3`. None if that is no number.
fn with_answers(name: &str) -> Option<(&str, Option<u32>)> {
    match name.split_once(':') {
        None => Some((name, None)),
        Some((name, count)) => Some((name, Some(count.parse().ok()?))),
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
        let finish = |task, state, text: &str| Some(ChatInput::Finish { task, state, text: text.into() });
        assert_eq!(ChatInput::parse("/done 3 it was a clock"), finish(3, "done", "it was a clock"));
        assert_eq!(ChatInput::parse("/answer #1795187482643 yes"), finish(1_795_187_482_643, "done", "yes"));
        assert_eq!(ChatInput::parse("/cancel 3"), finish(3, "cancelled", ""));
        assert_eq!(ChatInput::parse("/done it"), Some(ChatInput::Invalid("/done N TEXT".into())));
        let asked = |wants, to: &str, text: &str, answers| {
            Some(ChatInput::Ask { wants, to: to.into(), text: text.into(), answers })
        };
        let ask = |wants, to: &str, text: &str| asked(wants, to, text, None);
        assert_eq!(ChatInput::parse("/ask all:3 which one?"), asked("answer", "all", "which one?", Some(3)));
        assert_eq!(ChatInput::parse("/ask all:x which?"), Some(ChatInput::Invalid("/ask NAME TEXT".into())));
        assert_eq!(ChatInput::parse("/task all:3 fix it"), Some(ChatInput::Invalid("/task NAME TEXT".into())));
        assert_eq!(ChatInput::parse("/ask bob is it frozen?"), ask("answer", "bob", "is it frozen?"));
        assert_eq!(ChatInput::parse("/task all fix it"), ask("work", "all", "fix it"));
        assert_eq!(ChatInput::parse("/task all"), Some(ChatInput::Invalid("/task NAME TEXT".into())));
        assert_eq!(ChatInput::parse("/take"), Some(ChatInput::Take(None)));
        assert_eq!(ChatInput::parse("/take 3"), Some(ChatInput::Take(Some(3))));
        assert_eq!(ChatInput::parse("/take it"), Some(ChatInput::Invalid("/take [N]".into())));
        assert_eq!((ChatInput::parse(" "), ChatInput::parse("/q")), (None, Some(ChatInput::Quit)));
        assert_eq!(ChatInput::parse("/dance"), Some(ChatInput::Invalid("/dance?".into())));
    }
}
