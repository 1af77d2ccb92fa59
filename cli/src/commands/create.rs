//! `rogerrat create`: creates a channel and saves it as a profile.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use rogerrat_client::{ClientError, HubAddress, HubClient, NewChannel};
use rogerrat_domain::text::one_line;
use rogerrat_domain::{ChannelId, DmVisibility, Durability, Retention, TrustMode};

use super::{RequestArgs, reply_line, save_profile};
use crate::outcome::{CommandError, block_on, print, report, usage_error};
use crate::target::{Profile, ProfileStore, TargetArgs, check_name, secret, variable};
use crate::words::word;

const NAME: &str = "rogerrat create";

/// Settings of the channel.
#[derive(Args)]
#[command(after_help = "Here, `--token` is the server token, if the hub has one, or the session token of an account \
                        [variable: ROGERRAT_HUB_TOKEN].")]
pub struct CreateArgs {
    #[command(flatten)]
    request: RequestArgs,
    /// What the transcript keeps
    #[arg(long, value_name = "WHAT", value_parser = word::<Retention>(Retention::NAMES))]
    retention: Option<Retention>,
    /// Whether members may act on each other's requests; `trusted` needs an owner password or --require-identity
    #[arg(long, value_name = "MODE", value_parser = word::<TrustMode>(TrustMode::NAMES))]
    trust_mode: Option<TrustMode>,
    /// Set the owner's password. Prefer a file, or the variable ROGERRAT_OWNER_PASSWORD
    #[arg(long, value_name = "PASSWORD", allow_hyphen_values = true, conflicts_with = "owner_password_file")]
    owner_password: Option<String>,
    /// Read the owner's password from this file
    #[arg(long, value_name = "FILE")]
    owner_password_file: Option<PathBuf>,
    /// End an idle session after this time
    #[arg(long, value_name = "SECONDS")]
    session_ttl: Option<f64>,
    /// Forget a member without a session after this time
    #[arg(long, value_name = "SECONDS")]
    member_ttl: Option<f64>,
    /// Who sees a direct message in the history
    #[arg(long, value_name = "WHO", value_parser = word::<DmVisibility>(DmVisibility::NAMES))]
    dm_visibility: Option<DmVisibility>,
    /// Reserve a used callsign for its member
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    claim_callsigns: Option<bool>,
    /// Where the hub stores messages; on `disk` they survive a restart
    #[arg(long, value_name = "WHERE", value_parser = word::<Durability>(Durability::NAMES))]
    durability: Option<Durability>,
    /// Let only identities join
    #[arg(long)]
    require_identity: bool,
    /// Post every message to this URL
    #[arg(long, value_name = "URL")]
    webhook: Option<String>,
}

pub(crate) fn run(args: &CreateArgs) -> ExitCode {
    match args.prepare() {
        Ok((hub, token, channel)) => block_on(NAME, args.create(hub, token, channel)),
        Err(message) => usage_error(NAME, &message),
    }
}

/// The hub's own token, or the session token of an account, for a request that creates something.
pub(crate) fn hub_token(target: &TargetArgs) -> Result<Option<String>, String> {
    let token = target.token()?.or_else(|| variable("ROGERRAT_HUB_TOKEN"));
    match token.as_ref().is_some_and(|token| !token.bytes().all(|byte| byte.is_ascii_graphic())) {
        true => Err("the token contains invalid characters".into()),
        false => Ok(token),
    }
}

/// The hub shows the channel's token only once, so a command that creates a channel checks first that it can save it.
pub(crate) fn check_profile(target: &TargetArgs, prints_json: bool) -> Result<(), String> {
    let Some(store) = ProfileStore::of_user() else {
        return match prints_json {
            true => Ok(()),
            false => Err("cannot save the channel's token: HOME is not set; use --json to print it".into()),
        };
    };
    let profiles = store.read()?;
    let Some(name) = target.profile_name() else { return Ok(()) };
    check_name(&name)?;
    match profiles.by_name.contains_key(&name) {
        true => Err(format!(
            "the profile `{name}` already exists; run `rogerrat profile remove {name}`, or use another name"
        )),
        false => Ok(()),
    }
}

impl CreateArgs {
    fn prepare(&self) -> Result<(HubAddress, Option<String>, NewChannel), String> {
        let (hub, target) = (self.request.target.hub()?, &self.request.target);
        let token = hub_token(target)?;
        check_profile(target, self.request.json)?;
        Ok((hub, token, self.channel()?))
    }

    fn channel(&self) -> Result<NewChannel, String> {
        let password = secret("owner password", self.owner_password.as_ref(), self.owner_password_file.as_ref())?;
        Ok(NewChannel {
            retention: self.retention,
            trust_mode: self.trust_mode,
            owner_password: password.or_else(|| variable("ROGERRAT_OWNER_PASSWORD")),
            session_ttl_seconds: self.session_ttl,
            member_ttl_seconds: self.member_ttl,
            dm_visibility: self.dm_visibility,
            claim_callsigns: self.claim_callsigns,
            durability: self.durability,
            require_identity: self.require_identity,
            webhook: self.webhook.clone(),
        })
    }

    async fn create(
        &self,
        hub: HubAddress,
        token: Option<String>,
        channel: NewChannel,
    ) -> Result<ExitCode, CommandError> {
        let created = HubClient::new(hub.clone()).create_channel(&channel, token.as_deref()).await?;
        let id = &created.channel_id;
        if ChannelId::parse(id).is_err() {
            return Err(ClientError::InvalidResponse("the id of the new channel is invalid".into()).into());
        }
        let webhook = created.webhook.as_ref().map_or_else(String::new, |webhook| {
            let line = format!(
                "its webhook {} posts to {}, signed with {}: save this key, it is shown only now",
                webhook.id, webhook.url, webhook.secret
            );
            one_line(&line).into_owned() + "\n"
        });
        let profile = Profile {
            origin: hub.origin().to_owned(),
            ca_file: self.request.target.ca_file(),
            channel: id.clone(),
            token: Some(created.join_token.clone()),
            owner_password: created.owner_password.clone(),
            ..Profile::default()
        };
        let requested = self.request.target.profile_name();
        match save_profile(NAME, requested.as_deref(), None, profile) {
            Ok(_) if self.request.json => print(&reply_line(&created))?,
            Ok(name) => print(&format!(
                "created {id} on {}, saved as profile {name}\n{webhook}\
                 to join it: rogerrat join\nto invite another agent: rogerrat invite\n",
                hub.origin()
            ))?,
            // The token is in no other place.
            Err(message) => {
                report(NAME, &message);
                print(&reply_line(&created))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
