//! `rogerrat receive-recipe`: the exact commands with which a client of this kind is woken, to be pasted as they stand.
//!
//! Every line that is not a comment is a whole command for a POSIX shell. No secret stands in one: a profile holds them.

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use rogerrat_client::ClientError;
use rogerrat_domain::text::one_line;
use serde_json::json;

use crate::commands::{kept, remember, slot};
use crate::outcome::{not_understood, print};
use crate::target::{IdentityArgs, ProfileStore, ResolvedTarget, TargetArgs};

const NAME: &str = "rogerrat receive-recipe";

/// For whom, and as whom.
#[derive(Args)]
#[command(
    after_help = "A place that was given in flags is remembered in a profile, so that no secret stands in a command."
)]
pub struct RecipeArgs {
    #[command(flatten)]
    place: TargetArgs,
    #[command(flatten)]
    seat: IdentityArgs,
    /// The kind of client
    #[arg(long, value_name = "NAME", value_enum, default_value = "generic")]
    client: Client,
    /// The file that grows, where a file is watched [default: a file of the profile's name in ~/.local/state/rogerrat]
    #[arg(long, value_name = "FILE")]
    inbox: Option<PathBuf>,
    /// How a message is written
    #[arg(long, value_name = "FORMAT", default_value = "jsonl", value_parser = ["jsonl", "text"])]
    format: String,
    /// Print one JSON value
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Client {
    ClaudeCode,
    Codex,
    Cursor,
    Cline,
    Aider,
    Kimi,
    Generic,
}

/// A command, and what to do with it.
struct Step {
    advice: &'static str,
    command: String,
}

const AGAIN: &str = "Read what it printed, act, answer, and run it again after every message, or you are deaf.";

const KEY: &str = "The callsign is an identity's, and no profile holds its key: ROGERRAT_IDENTITY_KEY must stay set where these run, \
                   or each wants --identity-key-file FILE. Without it nobody joins again when the session has ended.";

pub(crate) fn run(args: &RecipeArgs) -> ExitCode {
    match args.recipe().map(|text| print(&text)) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(ClientError::Refused(why))) | Err(why) => not_understood(NAME, &why),
        Ok(Err(trouble)) => not_understood(NAME, &trouble.to_string()),
    }
}

impl RecipeArgs {
    fn recipe(&self) -> Result<String, String> {
        let place = self.place.read(&self.seat)?.needs_seat()?;
        let profile = profile(&place)?;
        let program = env::current_exe().map_err(|error| format!("where this program is cannot be told: {error}"))?;
        let program = word(path(&program)?);
        let steps = match self.client {
            Client::ClaudeCode => self.file_that_grows(&program, &profile)?,
            client => vec![Step {
                advice: advice(client),
                command: format!("{}{program} wait --profile {profile} --format {}", prefix(client), self.format),
            }],
        };
        if self.json {
            let commands: Vec<_> = steps.iter().map(|step| &step.command).collect();
            let client = self.client.to_possible_value().map(|value| value.get_name().to_owned());
            return Ok(format!("{}\n", json!({"client": client, "profile": profile, "commands": commands})));
        }
        let who = place.target.callsign.as_deref().unwrap_or("you");
        let title = format!("How messages reach {who} on {} at {}", place.target.channel, place.target.hub.origin);
        let mut text = format!("# {}\n", one_line(&title));
        for (no, step) in (1..).zip(&steps) {
            let number = if steps.len() > 1 { format!("{no}. ") } else { String::new() };
            text.push_str(&format!("\n# {number}{}\n{}\n", step.advice, step.command));
        }
        if place.target.is_identity || place.target.identity_key.is_some() {
            text.push_str(&format!("\n# {KEY}\n"));
        }
        Ok(text + &format!("\n# {AGAIN}\n"))
    }

    /// The watch comes first: it shows a file that begins later from its first line.
    fn file_that_grows(&self, program: &str, profile: &str) -> Result<Vec<Step>, String> {
        let inbox = match &self.inbox {
            Some(inbox) => std::path::absolute(inbox).map_err(|error| error.to_string())?,
            None => inbox(profile, &self.format)?,
        };
        let inbox = word(path(&inbox)?);
        let format = &self.format;
        Ok(vec![
            Step {
                advice: "Give this to your Monitor tool, as it stands and with nothing behind it: each line is one wake.",
                command: format!("tail -n 0 -F -- {inbox}"),
            },
            Step {
                advice: "Then run this once, in a shell. It outlives your turn; a line is one message.",
                command: format!(
                    "nohup {program} listen-here --profile {profile} --inbox {inbox} --format {format} --quiet \
                     > /dev/null 2>&1 &"
                ),
            },
            Step {
                advice: "Or, instead of both, a doorbell: run this as a background command; its end begins your next turn.",
                command: format!("{program} wait --profile {profile} --format {format}"),
            },
        ])
    }
}

fn advice(client: Client) -> &'static str {
    match client {
        Client::Codex | Client::Kimi | Client::ClaudeCode => {
            "Run this as a background command, with the longest time your tool allows. It costs nothing while it waits, prints \
             what comes, and ends: its end wakes you."
        }
        Client::Cursor => {
            "Run this as a background command of your terminal tool. If its end brings you no new turn, run it in the foreground \
             while you wait."
        }
        Client::Cline => {
            "Run this in your terminal and go on while it runs: what it prints is shown to you. If it is not, run it in the \
             foreground while you wait."
        }
        Client::Aider => "Nothing wakes you by itself: your human types this. When it ends, its output is in the chat.",
        Client::Generic => {
            "Run this wherever the end of a command wakes you. It costs nothing while it waits, prints what comes, and ends."
        }
    }
}

fn prefix(client: Client) -> &'static str {
    if client == Client::Aider { "/run " } else { "" }
}

/// The profile of a place; where it has none it gets one.
fn profile(place: &ResolvedTarget) -> Result<String, String> {
    if let Some(name) = &place.profile {
        return Ok(name.clone());
    }
    let Some(shelf) = ProfileStore::here() else {
        return Err("the recipe needs a profile, and HOME is not set".into());
    };
    let profile = kept(&place.target, place.ca_file.as_ref());
    let slot = slot(&shelf.read()?, place.wanted_profile.as_deref(), None, &profile);
    remember(NAME, Some(&slot.name), None, profile)
}

fn inbox(profile: &str, format: &str) -> Result<PathBuf, String> {
    let folder = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = folder("XDG_STATE_HOME").or_else(|| Some(folder("HOME")?.join(".local/state")));
    let state = state.ok_or("where is the inbox to be? HOME is not set; give --inbox")?;
    let end = if format == "text" { "log" } else { "jsonl" };
    Ok(state.join("rogerrat").join(format!("{profile}.{end}")))
}

fn path(path: &Path) -> Result<&str, String> {
    let text = path.to_str().filter(|text| !text.contains(['\n', '\r', '\0']));
    text.ok_or_else(|| format!("{} cannot stand on a line", path.display()))
}

/// A value as one word of a POSIX shell, as it is where it can be.
fn word(value: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-:@%+=,".contains(&byte);
    match !value.is_empty() && value.bytes().all(is_plain) {
        true => value.to_owned(),
        false => format!("'{}'", value.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d29_a_word_is_one_word() {
        assert_eq!(word("/usr/bin/rogerrat"), "/usr/bin/rogerrat");
        assert_eq!(word("/a b/it's"), r"'/a b/it'\''s'");
        assert_eq!((word(""), word("$HOME"), word("~/x")), ("''".into(), "'$HOME'".into(), "'~/x'".into()));
        assert!(path(Path::new("a\nb")).is_err());
    }
}
