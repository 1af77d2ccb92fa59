//! `rogerrat remote`: opens remote control, joins as the agent, and prints the link for the person's phone with its QR code.
//! `rogerrat remote link` adds another phone to a channel.

use std::io::{self, IsTerminal as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use rogerrat_client::{
    ChannelTarget, ClientError, HubAddress, HubClient, HubReply, OpenedRemoteControl, RemoteLink, RemoteOptions,
};
use rogerrat_domain::ChannelId;
use rogerrat_domain::text::one_line;

use super::create::{check_profile, hub_token};
use super::{RequestArgs, reply_line, run_on, save_profile};
use crate::chat::wants_colours;
use crate::outcome::{CommandError, block_on, print, report, report_error, usage_error};
use crate::target::{Profile, ProfileStore, ResolvedTarget, secret, variable};

const NAME: &str = "rogerrat remote";
const LINK_NAME: &str = "rogerrat remote link";
/// Light text on a dark background, whatever the colours of the terminal.
const LIGHT_ON_DARK: &str = "\x1b[97;40m";
const RESET: &str = "\x1b[0m";

/// The person and the agent.
#[derive(Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Here, `--token` is the server token, if the hub has one, or the session token of an account \
                  [variable: ROGERRAT_HUB_TOKEN]. A link is a key: whoever has it instructs this agent."
)]
pub struct RemoteArgs {
    #[command(subcommand)]
    action: Option<RemoteAction>,
    #[command(flatten)]
    request: RequestArgs,
    #[command(flatten)]
    phone: PhoneArgs,
    /// Callsign of this agent [default: one that the hub picks]
    #[arg(long, value_name = "NAME")]
    callsign: Option<String>,
}

#[derive(Subcommand)]
enum RemoteAction {
    /// Print a link with which another phone joins a channel
    Link(LinkArgs),
}

/// The person.
#[derive(Args)]
struct PhoneArgs {
    /// Name of the person on the phone
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Callsign of the person [default: one that the hub picks]
    #[arg(long, value_name = "NAME")]
    phone_callsign: Option<String>,
    /// Print no QR code
    #[arg(long)]
    no_qr: bool,
}

/// The channel, and the account that will own the person's identity.
#[derive(Args)]
#[command(after_help = "Without a token of an account, the one is used that `rogerrat remote` saved with the channel \
                        [variable: ROGERRAT_ACCOUNT_TOKEN].")]
struct LinkArgs {
    #[command(flatten)]
    request: RequestArgs,
    #[command(flatten)]
    phone: PhoneArgs,
    /// Read the session token of an account from this file
    #[arg(long, value_name = "FILE")]
    account_token_file: Option<PathBuf>,
}

pub(crate) fn run(args: &RemoteArgs) -> ExitCode {
    match &args.action {
        Some(RemoteAction::Link(link)) => run_on(LINK_NAME, link.request.resolve(), |target| link.make(target)),
        None => match args.prepare() {
            Ok((hub, token)) => block_on(NAME, args.open(hub, token)),
            Err(message) => usage_error(NAME, &message),
        },
    }
}

impl PhoneArgs {
    fn options(&self, agent_callsign: Option<&String>) -> RemoteOptions {
        RemoteOptions {
            name: self.name.clone(),
            agent_callsign: agent_callsign.cloned(),
            phone_callsign: self.phone_callsign.clone(),
            qr: Some(if self.no_qr { "none" } else { "ascii" }),
        }
    }
}

impl RemoteArgs {
    fn prepare(&self) -> Result<(HubAddress, Option<String>), String> {
        let target = &self.request.target;
        let (hub, token) = (target.hub()?, hub_token(target)?);
        check_profile(target, self.request.json)?;
        Ok((hub, token))
    }

    async fn open(&self, hub: HubAddress, token: Option<String>) -> Result<ExitCode, CommandError> {
        let options = self.phone.options(self.callsign.as_ref());
        let opened = HubClient::new(hub.clone()).open_remote_control(&options, token.as_deref()).await?;
        if ChannelId::parse(&opened.channel_id).is_err() {
            return Err(ClientError::InvalidResponse("the id of the new channel is invalid".into()).into());
        }
        let profile = self.profile(&hub, &opened);
        let saved = save_profile(NAME, self.request.target.profile_name().as_deref(), None, profile);
        let saved = match saved {
            Ok(name) => name,
            // The secrets are in no other place.
            Err(message) => {
                report(NAME, &message);
                print(&reply_line(&opened))?;
                return Ok(ExitCode::SUCCESS);
            }
        };
        let joined = self.join(hub, &opened, &saved).await;
        match self.request.json {
            true => print(&reply_line(&opened))?,
            false => print(&text(&opened, &saved))?,
        }
        match joined {
            Ok(()) => Ok(ExitCode::SUCCESS),
            Err(error) => {
                report(NAME, &format!("the agent has not joined yet; run `rogerrat join --profile {saved}`"));
                Ok(report_error(NAME, &error.into()).into())
            }
        }
    }

    fn profile(&self, hub: &HubAddress, opened: &OpenedRemoteControl) -> Profile {
        Profile {
            origin: hub.origin().to_owned(),
            ca_file: self.request.target.ca_file(),
            channel: opened.channel_id.clone(),
            token: Some(opened.channel_token.clone()),
            callsign: Some(opened.agent.callsign.clone()),
            owner_password: Some(opened.owner_password.clone()),
            is_identity: true,
            identity_key: Some(opened.agent.identity_key.clone()),
            account_token: opened.session_token.clone(),
            recovery_token: opened.recovery_token.clone(),
            ..Profile::default()
        }
    }

    /// Joins as the agent. The session is saved in the profile.
    async fn join(&self, hub: HubAddress, opened: &OpenedRemoteControl, profile: &str) -> Result<(), ClientError> {
        let target = ChannelTarget {
            token: Some(opened.channel_token.clone()),
            callsign: Some(opened.agent.callsign.clone()),
            identity_key: Some(opened.agent.identity_key.clone()),
            is_identity: true,
            owner_password: Some(opened.owner_password.clone()),
            ..ChannelTarget::new(hub, &opened.channel_id)
        };
        let resolved = ResolvedTarget {
            target,
            ca_file: self.request.target.ca_file(),
            profile: Some(profile.to_owned()),
            requested_profile: None,
        };
        resolved.client().join().await.map(|_| ())
    }
}

impl LinkArgs {
    async fn make(&self, resolved: ResolvedTarget) -> Result<ExitCode, CommandError> {
        let fail = |message: &str| Err(CommandError::Local(message.into()));
        let given = secret("account token", None, self.account_token_file.as_ref()).map_err(CommandError::Local)?;
        let saved = || {
            let profiles = ProfileStore::of_user()?.read().ok()?;
            profiles.get(Some(resolved.profile.as_deref()?))?.1.account_token.clone()
        };
        let Some(account) = given.or_else(|| variable("ROGERRAT_ACCOUNT_TOKEN")).or_else(saved) else {
            return fail("no account given; set ROGERRAT_ACCOUNT_TOKEN to the session token of an account");
        };
        let target = &resolved.target;
        if target.token.is_none() {
            return fail("the channel's token is not known; give --token-file");
        }
        let options = self.phone.options(None);
        let added = HubClient::new(target.hub.clone()).make_remote_link(target, &account, &options).await?;
        let lines = |link: &RemoteLink, pin: Option<&str>| {
            let password = match pin {
                Some(pin) => format!("PIN: {}\n", one_line(pin)),
                None => "the page asks for the owner password of the channel\n".to_owned(),
            };
            format!("{}{password}the phone is {}\n", links(link), one_line(&added.phone.callsign))
        };
        self.request.print(&added, |added| lines(&added.link, added.owner_password.as_deref()))?;
        Ok(ExitCode::SUCCESS)
    }
}

fn text(opened: &HubReply<OpenedRemoteControl>, profile: &str) -> String {
    format!(
        "{}PIN: {}\nyou are {} on {}, saved as profile {profile}; the phone is {}\nto go on: rogerrat wait --profile \
         {profile}\n",
        links(&opened.link),
        one_line(&opened.owner_password),
        one_line(&opened.agent.callsign),
        opened.channel_id,
        one_line(&opened.phone.callsign)
    )
}

/// The QR code and the links. Everything the hub sent is on one line.
fn links(link: &RemoteLink) -> String {
    let qr =
        link.qr_ascii_clean.as_deref().and_then(|code| qr_lines(code, io::stdout().is_terminal() && wants_colours()));
    let notice = link.notice.as_ref().map_or_else(String::new, |notice| one_line(notice).into_owned() + "\n");
    format!(
        "{}open this link on the phone: {}\nthe same without the PIN: {}\n{notice}",
        qr.unwrap_or_default(),
        one_line(&link.mobile_url),
        one_line(&link.mobile_url_protected)
    )
}

/// The lines of a QR code, if it consists of block characters.
fn qr_lines(code: &str, coloured: bool) -> Option<String> {
    let is_code = code.chars().all(|c| "█▀▄ \n".contains(c));
    let line = |line: &str| match coloured {
        true => format!("{LIGHT_ON_DARK}{line}{RESET}\n"),
        false => format!("{line}\n"),
    };
    is_code.then(|| code.lines().map(line).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_qr_code_has_colours_of_its_own_and_nothing_else_is_one() {
        assert_eq!(qr_lines("█▀\n▄ ", true).unwrap(), "\x1b[97;40m█▀\x1b[0m\n\x1b[97;40m▄ \x1b[0m\n");
        assert_eq!(qr_lines("█▀\n▄ ", false).unwrap(), "█▀\n▄ \n");
        assert!(qr_lines("█\x1b[2J█", true).is_none());
    }
}
