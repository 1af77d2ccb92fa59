//! `rogerrat create`: makes a channel and remembers it.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use rogerrat_client::{ClientError, HubAddress, HubClient};
use rogerrat_domain::ChannelId;
use rogerrat_domain::text::one_line;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::remember::remember;
use super::{CommandArgs, as_line, read};
use crate::outcome::{not_understood, on_one_thread, print, say};
use crate::target::{Profile, ProfileStore, check_name, secret, variable};

const NAME: &str = "rogerrat create";

/// What the channel is to be like.
#[derive(Args)]
#[command(after_help = "`--token` is here the hub's own, where its operator set one, or an account's session token \
                        [variable: ROGERRAT_HUB_TOKEN].")]
pub struct CreateArgs {
    #[command(flatten)]
    talk: CommandArgs,
    /// What is kept for the transcript
    #[arg(long, value_name = "WHAT", value_parser = ["none", "metadata", "prompts", "full"])]
    retention: Option<String>,
    /// Whether members may act on each other's word; `trusted` needs an owner password or --require-identity
    #[arg(long, value_name = "MODE", value_parser = ["untrusted", "trusted"])]
    trust_mode: Option<String>,
    /// The owner's password. Better the variable ROGERRAT_OWNER_PASSWORD, or a file
    #[arg(long, value_name = "PASSWORD", allow_hyphen_values = true, conflicts_with = "owner_password_file")]
    owner_password: Option<String>,
    /// A file with the owner's password
    #[arg(long, value_name = "FILE")]
    owner_password_file: Option<PathBuf>,
    /// How long a session lives without a sign of life
    #[arg(long, value_name = "SECONDS")]
    session_ttl: Option<f64>,
    /// How long a member is known without a session
    #[arg(long, value_name = "SECONDS")]
    member_ttl: Option<f64>,
    /// Who sees a direct message in the history
    #[arg(long, value_name = "WHO", value_parser = ["channel", "private"])]
    dm_visibility: Option<String>,
    /// A callsign comes back only to who held it
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    claim_callsigns: Option<bool>,
    /// Whether messages survive the hub
    #[arg(long, value_name = "WHERE", value_parser = ["memory", "disk"])]
    durability: Option<String>,
    /// Only identities may join
    #[arg(long)]
    require_identity: bool,
    /// Tell this URL of every message
    #[arg(long, value_name = "URL")]
    webhook: Option<String>,
}

#[derive(Deserialize)]
struct Created {
    channel_id: String,
    join_token: String,
    owner_password: Option<String>,
    webhook: Option<Webhook>,
}

/// The webhook that was subscribed with it.
#[derive(Deserialize)]
struct Webhook {
    id: String,
    url: String,
    secret: String,
}

pub(crate) fn run(args: &CreateArgs) -> ExitCode {
    let ready = args.ready();
    match ready {
        Ok((hub, token, body)) => on_one_thread(NAME, args.create(hub, token, body)),
        Err(message) => not_understood(NAME, &message),
    }
}

impl CreateArgs {
    fn ready(&self) -> Result<(HubAddress, Option<String>, Value), String> {
        let (hub, place) = (self.talk.place.hub()?, &self.talk.place);
        let token = place.said_token()?.or_else(|| variable("ROGERRAT_HUB_TOKEN"));
        if token.as_ref().is_some_and(|token| !token.bytes().all(|byte| byte.is_ascii_graphic())) {
            return Err("the token has characters that no token has".into());
        }
        self.check_profile()?;
        Ok((hub, token, self.body()?))
    }

    /// A channel's token is shown once: before there is one, it must be clear where it goes.
    fn check_profile(&self) -> Result<(), String> {
        let Some(shelf) = ProfileStore::here() else {
            return match self.talk.json {
                true => Ok(()),
                false => {
                    Err("the token could not be remembered: HOME is not set; say --json to have it printed".into())
                }
            };
        };
        let book = shelf.read()?;
        let Some(name) = self.talk.place.profile_name() else { return Ok(()) };
        check_name(&name)?;
        match book.profiles.contains_key(&name) {
            true => Err(format!("there is a profile `{name}`; `rogerrat profile remove {name}`, or take another name")),
            false => Ok(()),
        }
    }

    fn body(&self) -> Result<Value, String> {
        let password = secret("owner password", self.owner_password.as_ref(), self.owner_password_file.as_ref())?;
        let password = password.or_else(|| variable("ROGERRAT_OWNER_PASSWORD"));
        let mut body = Map::new();
        let mut say = |key: &str, value: Option<Value>| body.extend(value.map(|value| (key.to_owned(), value)));
        let text = |value: &Option<String>| value.clone().map(Value::from);
        say("retention", text(&self.retention));
        say("trust_mode", text(&self.trust_mode));
        say("owner_password", password.map(Value::from));
        say("session_ttl_seconds", self.session_ttl.map(Value::from));
        say("member_ttl_seconds", self.member_ttl.map(Value::from));
        say("dm_visibility", text(&self.dm_visibility));
        say("claim_callsigns", self.claim_callsigns.map(Value::from));
        say("durability", text(&self.durability));
        say("require_identity", Some(Value::from(true)).filter(|_| self.require_identity));
        say("webhook", text(&self.webhook));
        Ok(Value::Object(body))
    }

    async fn create(&self, hub: HubAddress, token: Option<String>, body: Value) -> Result<ExitCode, ClientError> {
        let request = hub.request("POST", "/api/channels", token.as_deref(), None, Some(&body));
        let reply = HubClient::new(&hub).call(&hub, &request, super::AT_ONCE).await?;
        let Created { channel_id, join_token, owner_password, webhook } = read(&reply)?;
        if ChannelId::parse(&channel_id).is_err() {
            let why = "a channel was created whose id is none: is this the address of a rogerrat hub?";
            return Err(ClientError::Refused(why.into()));
        }
        let webhook = webhook.map_or_else(String::new, |Webhook { id, url, secret }| {
            let line =
                format!("its webhook {id} posts to {url}, signed with {secret}: keep that, it is shown only now");
            one_line(&line).into_owned() + "\n"
        });
        let profile = Profile {
            origin: hub.origin.clone(),
            ca_file: self.talk.place.ca_file(),
            channel: channel_id.clone(),
            token: Some(join_token),
            owner_password,
            ..Profile::default()
        };
        let wanted = self.talk.place.profile_name();
        match remember(NAME, wanted.as_deref(), None, profile) {
            Ok(_) if self.talk.json => print(&as_line(&reply))?,
            Ok(name) => print(&format!(
                "created {channel_id} on {}, remembered as profile {name}\n\
                 {webhook}join it: rogerrat join\nthe line for the other agent: rogerrat invite\n",
                hub.origin
            ))?,
            // The only place where the token stands must not be lost.
            Err(why) => {
                say(NAME, &why);
                print(&as_line(&reply))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
