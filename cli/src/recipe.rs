//! `rogerrat receive-recipe`: prints the exact commands that let messages wake a client of one kind, ready to paste.
//!
//! Every line that is not a comment is a complete command for a POSIX shell. It contains no secret: a profile does.

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use rogerrat_domain::text::one_line;
use serde_json::json;

use crate::commands::{ProfileSlot, profile_of, save_profile};
use crate::outcome::{print, usage_error};
use crate::target::{IdentityArgs, ProfileRule, ProfileStore, ResolvedTarget, TargetArgs};

const NAME: &str = "rogerrat receive-recipe";

/// For which client, channel and member.
#[derive(Args)]
#[command(
    after_help = "A channel that is given in flags is saved as a profile, so that the commands contain no secret."
)]
pub struct RecipeArgs {
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    identity: IdentityArgs,
    /// Kind of client
    #[arg(long, value_name = "NAME", value_enum, default_value = "generic")]
    client: AgentClient,
    /// Inbox file, for clients that watch or read a file [default: named after the profile, in ~/.local/state/rogerrat]
    #[arg(long, value_name = "FILE")]
    inbox: Option<PathBuf>,
    /// How to write a message
    #[arg(long, value_name = "FORMAT", default_value = "jsonl", value_parser = ["jsonl", "text"])]
    format: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum AgentClient {
    ClaudeCode,
    Codex,
    Cursor,
    Cline,
    Aider,
    Kimi,
    Generic,
}

/// A command and how to use it.
struct Step {
    advice: &'static str,
    command: String,
}

const AGAIN: &str = "Read the output, act, answer, and run the command again after every message. Otherwise you \
                     receive no more messages.";

const KEY: &str = "The callsign belongs to an identity, and profiles do not contain its key: ROGERRAT_IDENTITY_KEY \
                   must stay set where these commands run, or each needs --identity-key-file FILE. Without the key \
                   they cannot join again when the session has ended.";

pub(crate) fn run(args: &RecipeArgs) -> ExitCode {
    match args.recipe().and_then(|text| print(&text).map_err(|error| error.to_string())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => usage_error(NAME, &message),
    }
}

impl RecipeArgs {
    fn recipe(&self) -> Result<String, String> {
        let resolved = self.target.resolve(&self.identity, ProfileRule::MayBeNew)?.require_member()?;
        let profile = profile(&resolved)?;
        let program = env::current_exe().map_err(|error| format!("cannot find this executable: {error}"))?;
        let program = shell_word(path(&program)?);
        let steps = match self.client {
            AgentClient::ClaudeCode => self.inbox_steps(&program, &profile)?,
            AgentClient::Codex => vec![self.queue_step(&program, &profile)?],
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
        let who = resolved.target.callsign.as_deref().unwrap_or("you");
        let title =
            format!("How messages reach {who} on {} at {}", resolved.target.channel, resolved.target.hub.origin());
        let mut text = format!("# {}\n", one_line(&title));
        for (no, step) in (1..).zip(&steps) {
            let number = if steps.len() > 1 { format!("{no}. ") } else { String::new() };
            text.push_str(&format!("\n# {number}{}\n{}\n", step.advice, step.command));
        }
        if resolved.target.is_identity || resolved.target.identity_key.is_some() {
            text.push_str(&format!("\n# {KEY}\n"));
        }
        if self.client != AgentClient::Codex {
            text.push_str(&format!("\n# {AGAIN}\n"));
        }
        Ok(text)
    }

    /// Codex is not woken by the end of a background command, but by a message in its queue. The text of a peer is not
    /// part of that message, because Codex takes it for its user's.
    fn queue_step(&self, program: &str, profile: &str) -> Result<Step, String> {
        let file = self.inbox_path(profile)?;
        let folder = shell_word(path(file.parent().unwrap_or(Path::new("/")))?);
        let (inbox, format) = (shell_word(path(&file)?), &self.format);
        Ok(Step {
            advice: "Run this in the background. It costs nothing while it waits. For each message it appends a line to \
                     the inbox and queues a message for you, which starts your next turn, or follows the running one.",
            command: format!(
                "(umask 077; mkdir -p -- {folder}; while {program} wait --profile {profile} --format {format} \
                 >> {inbox}; do codex queue --thread \"$CODEX_THREAD_ID\" --message \"New rogerrat messages at the end \
                 of \"{inbox}; done)"
            ),
        })
    }

    fn inbox_path(&self, profile: &str) -> Result<PathBuf, String> {
        match &self.inbox {
            Some(inbox) => std::path::absolute(inbox).map_err(|error| error.to_string()),
            None => inbox(profile, &self.format),
        }
    }

    /// The watch comes first: `tail` prints a file that is created later from its first line.
    fn inbox_steps(&self, program: &str, profile: &str) -> Result<Vec<Step>, String> {
        let inbox = shell_word(path(&self.inbox_path(profile)?)?);
        let format = &self.format;
        Ok(vec![
            Step {
                advice: "Give this to your Monitor tool unchanged, with nothing after it: each line wakes you once.",
                command: format!("tail -n 0 -F -- {inbox}"),
            },
            Step {
                advice: "Then run this once, in the foreground: it returns at once, and the listener runs beyond your turn. As a \
                         background command it would seem to end with a message.",
                command: format!(
                    "nohup {program} listen-here --profile {profile} --inbox {inbox} --format {format} --quiet \
                     > /dev/null 2>&1 &"
                ),
            },
            Step {
                advice: "Or, instead of both, a doorbell: run this as a background command; its end starts your next \
                         turn.",
                command: format!("{program} wait --profile {profile} --format {format}"),
            },
        ])
    }
}

fn advice(client: AgentClient) -> &'static str {
    match client {
        AgentClient::Kimi | AgentClient::ClaudeCode | AgentClient::Codex => {
            "Run this as a background command, with the longest timeout your tool allows. It costs nothing while it \
             waits. When a message arrives, it prints it and ends, which wakes you."
        }
        AgentClient::Cursor => {
            "Run this as a background command of your terminal tool. If its end does not start a new turn, run it in \
             the foreground while you wait."
        }
        AgentClient::Cline => {
            "Run this in your terminal and continue while it runs: you are shown its output. If you are not, run it in \
             the foreground while you wait."
        }
        AgentClient::Aider => {
            "Nothing wakes you automatically: your human types this. When it ends, its output is in the chat."
        }
        AgentClient::Generic => {
            "Run this where the end of a command wakes you. It costs nothing while it waits. When a message arrives, \
             it prints it and ends."
        }
    }
}

fn prefix(client: AgentClient) -> &'static str {
    if client == AgentClient::Aider { "/run " } else { "" }
}

/// The name of the target's profile. If it has none, one is saved.
fn profile(resolved: &ResolvedTarget) -> Result<String, String> {
    if let Some(name) = &resolved.profile {
        return Ok(name.clone());
    }
    let Some(store) = ProfileStore::of_user() else {
        return Err("cannot save a profile: HOME is not set".into());
    };
    let profile = profile_of(&resolved.target, resolved.ca_file.as_ref());
    let slot = ProfileSlot::choose(&store.read()?, resolved.requested_profile.as_deref(), None, &profile);
    save_profile(NAME, Some(&slot.name), None, profile)
}

fn inbox(profile: &str, format: &str) -> Result<PathBuf, String> {
    let folder = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = folder("XDG_STATE_HOME").or_else(|| Some(folder("HOME")?.join(".local/state")));
    let state = state.ok_or("no inbox given, and HOME is not set; give --inbox")?;
    let end = if format == "text" { "log" } else { "jsonl" };
    Ok(state.join("rogerrat").join(format!("{profile}.{end}")))
}

fn path(path: &Path) -> Result<&str, String> {
    let text = path.to_str().filter(|text| !text.contains(['\n', '\r', '\0']));
    text.ok_or_else(|| format!("the path {} cannot be part of a command line", path.display()))
}

/// A value as one word of a POSIX shell, quoted if necessary.
fn shell_word(value: &str) -> String {
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
    fn d29_a_value_is_one_word() {
        assert_eq!(shell_word("/usr/bin/rogerrat"), "/usr/bin/rogerrat");
        assert_eq!(shell_word("/a b/it's"), r"'/a b/it'\''s'");
        assert_eq!(
            (shell_word(""), shell_word("$HOME"), shell_word("~/x")),
            ("''".into(), "'$HOME'".into(), "'~/x'".into())
        );
        assert!(path(Path::new("a\nb")).is_err());
    }
}
