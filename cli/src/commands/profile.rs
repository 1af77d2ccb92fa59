//! `rogerrat profile`: lists and changes saved profiles. It prints secrets only with `--secrets`.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use rogerrat_domain::text::one_line;
use serde_json::{Value, json};

use crate::outcome::{print, usage_error};
use crate::target::{Profile, ProfileStore, Profiles};

const NAME: &str = "rogerrat profile";

/// What to do with the profiles.
#[derive(Args)]
pub struct ProfileArgs {
    #[command(subcommand)]
    action: Action,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Action {
    /// List all profiles; a star marks the default one
    List,
    /// Show a profile
    Show {
        /// Name of the profile [default: the default profile]
        name: Option<String>,
        /// Show its secrets, too
        #[arg(long)]
        secrets: bool,
    },
    /// Remove a profile, and the channel's token with it
    Remove {
        /// Name of the profile
        name: String,
    },
    /// Make a profile the default one
    Default {
        /// Name of the profile
        name: String,
    },
}

pub(crate) fn run(args: &ProfileArgs) -> ExitCode {
    let Some(store) = ProfileStore::of_user() else {
        return usage_error(NAME, "cannot read profiles: HOME is not set");
    };
    let output = match &args.action {
        Action::List => store.read().map(|profiles| args.list(&profiles)),
        Action::Show { name, secrets } => {
            store.read().and_then(|profiles| args.show(&profiles, name.as_deref(), *secrets))
        }
        Action::Remove { name } => store.change(|profiles| args.remove(profiles, name)).and_then(|output| output),
        Action::Default { name } => store.change(|profiles| args.default(profiles, name)).and_then(|output| output),
    };
    match output.and_then(|output| print(&output).map_err(|error| error.to_string())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => usage_error(NAME, &message),
    }
}

fn unknown(name: &str) -> String {
    format!("there is no profile `{name}`; list them with `rogerrat profile list`")
}

/// The fields that are not secret.
fn public_fields(profile: &Profile) -> Value {
    json!({"origin": profile.origin, "ca_file": profile.ca_file, "channel": profile.channel,
           "callsign": profile.callsign, "joined": profile.session.is_some()})
}

impl ProfileArgs {
    fn list(&self, profiles: &Profiles) -> String {
        if self.json {
            let by_name: serde_json::Map<_, _> =
                profiles.by_name.iter().map(|(name, profile)| (name.clone(), public_fields(profile))).collect();
            return format!("{}\n", json!({"default": profiles.default, "profiles": by_name}));
        }
        let line = |(name, profile): (&String, &Profile)| {
            let star = if profiles.default.as_ref() == Some(name) { "*" } else { " " };
            let who = profile.callsign.as_deref().unwrap_or("not joined");
            one_line(&format!("{star} {name}: {who} on {} at {}", profile.channel, profile.origin)).into_owned() + "\n"
        };
        profiles.by_name.iter().map(line).collect()
    }

    fn show(&self, profiles: &Profiles, name: Option<&str>, secrets: bool) -> Result<String, String> {
        let found = profiles.get(name).ok_or_else(|| unknown(name.unwrap_or("default")))?;
        let mut shown = public_fields(found.1);
        shown["name"] = json!(found.0);
        if secrets {
            let Profile { token, session, owner_password, identity_key, account_token, recovery_token, .. } = found.1;
            for (key, secret) in [("token", token), ("session", session), ("owner_password", owner_password)] {
                shown[key] = json!(secret);
            }
            let of_remote_control =
                [("identity_key", identity_key), ("account_token", account_token), ("recovery_token", recovery_token)];
            for (key, secret) in of_remote_control.into_iter().filter(|(_, secret)| secret.is_some()) {
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

    fn remove(&self, profiles: &mut Profiles, name: &str) -> Result<String, String> {
        profiles.by_name.remove(name).ok_or_else(|| unknown(name))?;
        if profiles.default.as_deref() == Some(name) {
            profiles.default = None;
        }
        Ok(self.done("removed", name))
    }

    fn default(&self, profiles: &mut Profiles, name: &str) -> Result<String, String> {
        if !profiles.by_name.contains_key(name) {
            return Err(unknown(name));
        }
        profiles.default = Some(name.to_owned());
        Ok(self.done("default", name))
    }

    fn done(&self, what: &str, name: &str) -> String {
        match self.json {
            true => format!("{}\n", json!({what: name})),
            false => format!("{what}: {name}\n"),
        }
    }
}
