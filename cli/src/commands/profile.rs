//! `rogerrat profile`: what is remembered. Secrets are shown to who asks for them, and to nobody else.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use rogerrat_client::ClientError;
use rogerrat_domain::text::one_line;
use serde_json::{Value, json};

use crate::outcome::{not_understood, print};
use crate::target::{Profile, ProfileStore, Profiles};

const NAME: &str = "rogerrat profile";

/// What to do with what is remembered.
#[derive(Args)]
pub struct ProfileArgs {
    #[command(subcommand)]
    what: What,
    /// Print one JSON value
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum What {
    /// Name all; a star marks the one in use
    List,
    /// Show one, by default the one in use
    Show {
        /// Which
        name: Option<String>,
        /// With its secrets
        #[arg(long)]
        secrets: bool,
    },
    /// Forget one; its token is gone with it
    Remove {
        /// Which
        name: String,
    },
    /// Bring one into use
    Default {
        /// Which
        name: String,
    },
}

pub(crate) fn run(args: &ProfileArgs) -> ExitCode {
    let Some(shelf) = ProfileStore::here() else {
        return not_understood(NAME, "there are no profiles: HOME is not set");
    };
    let told = match &args.what {
        What::List => shelf.read().map(|book| args.list(&book)),
        What::Show { name, secrets } => shelf.read().and_then(|book| args.show(&book, name.as_deref(), *secrets)),
        What::Remove { name } => shelf.change(|book| args.remove(book, name)).and_then(|told| told),
        What::Default { name } => shelf.change(|book| args.default(book, name)).and_then(|told| told),
    };
    match told.map(|told| print(&told)) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(ClientError::Refused(why))) | Err(why) => not_understood(NAME, &why),
        Ok(Err(trouble)) => not_understood(NAME, &trouble.to_string()),
    }
}

fn unknown(name: &str) -> String {
    format!("there is no profile `{name}`; `rogerrat profile list` names all")
}

/// What is no secret.
fn plain(profile: &Profile) -> Value {
    json!({"origin": profile.origin, "ca_file": profile.ca_file, "channel": profile.channel,
           "callsign": profile.callsign, "joined": profile.session.is_some()})
}

impl ProfileArgs {
    fn list(&self, book: &Profiles) -> String {
        if self.json {
            let profiles: serde_json::Map<_, _> =
                book.profiles.iter().map(|(name, p)| (name.clone(), plain(p))).collect();
            return format!("{}\n", json!({"default": book.default, "profiles": profiles}));
        }
        let line = |(name, profile): (&String, &Profile)| {
            let star = if book.default.as_ref() == Some(name) { "*" } else { " " };
            let who = profile.callsign.as_deref().unwrap_or("nobody yet");
            one_line(&format!("{star} {name}: {who} on {} at {}", profile.channel, profile.origin)).into_owned() + "\n"
        };
        book.profiles.iter().map(line).collect()
    }

    fn show(&self, book: &Profiles, name: Option<&str>, secrets: bool) -> Result<String, String> {
        let found = book.get(name).ok_or_else(|| unknown(name.unwrap_or("in use")))?;
        let mut shown = plain(found.1);
        shown["name"] = json!(found.0);
        if secrets {
            let Profile { token, session, owner_password, .. } = found.1;
            for (key, secret) in [("token", token), ("session", session), ("owner_password", owner_password)] {
                shown[key] = json!(secret);
            }
        }
        if self.json {
            return Ok(format!("{shown}\n"));
        }
        let line = |(key, value): (&String, &Value)| match value {
            Value::Null => String::new(),
            Value::String(text) => format!("{key}: {}\n", one_line(text)),
            value => format!("{key}: {value}\n"),
        };
        Ok(shown.as_object().into_iter().flatten().map(line).collect())
    }

    fn remove(&self, book: &mut Profiles, name: &str) -> Result<String, String> {
        book.profiles.remove(name).ok_or_else(|| unknown(name))?;
        if book.default.as_deref() == Some(name) {
            book.default = None;
        }
        Ok(self.done("removed", name))
    }

    fn default(&self, book: &mut Profiles, name: &str) -> Result<String, String> {
        if !book.profiles.contains_key(name) {
            return Err(unknown(name));
        }
        book.default = Some(name.to_owned());
        Ok(self.done("default", name))
    }

    fn done(&self, what: &str, name: &str) -> String {
        match self.json {
            true => format!("{}\n", json!({what: name})),
            false => format!("{what}: {name}\n"),
        }
    }
}
