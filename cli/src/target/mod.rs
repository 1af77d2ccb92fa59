//! Which hub, which channel, and as which member: the flags, variables and profiles that all client commands share.
//!
//! Secrets can come from variables, files and profiles, so that they are in no process arguments.

mod identity;
mod profiles;
mod values;

use std::path::{Path, PathBuf};

use clap::Args;
use rogerrat_client::{ChannelClient, ChannelTarget, DEFAULT_ORIGIN, HubAddress, normalize_origin};

pub(crate) use identity::IdentityArgs;
pub(crate) use profiles::{Profile, ProfileStore, Profiles, check_name};
use values::non_empty;
pub(crate) use values::{secret, variable};

/// Which hub and channel.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct TargetArgs {
    /// Address of the hub, or unix:/path for its socket [default: http://127.0.0.1:7424] [variable: ROGERRAT_ORIGIN]
    #[arg(long, value_name = "URL")]
    origin: Option<String>,
    /// For https: trust the certificate authorities in this PEM file instead of the machine's [variable:
    /// ROGERRAT_CA_FILE]
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Id of the channel [variable: ROGERRAT_CHANNEL]
    #[arg(long, value_name = "ID")]
    channel: Option<String>,
    /// Token of the channel; bands need none. Prefer a file, or the variable ROGERRAT_TOKEN: others can read process
    /// arguments
    #[arg(long, value_name = "TOKEN", allow_hyphen_values = true, conflicts_with = "token_file")]
    token: Option<String>,
    /// Read the channel's token from this file
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Session id from a join. Prefer the variable ROGERRAT_SESSION: others can read process arguments
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    session: Option<String>,
    /// Use the profile that `create` or `join` saved under this name [default: the default profile] [variable:
    /// ROGERRAT_PROFILE]
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
}

/// How a command uses profiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProfileRule {
    /// `--profile` may name a profile that the command creates. Until then, variables count.
    MayBeNew,
    /// `--profile` must name a saved profile, and variables do not count beside it.
    MustExist,
    /// The default profile is not used, and the channel may be missing. `--profile` may name a new profile.
    OnlyIfNamed,
}

/// The complete and validated target of a command.
#[derive(Clone, Debug)]
pub(crate) struct ResolvedTarget {
    pub(crate) target: ChannelTarget,
    pub(crate) ca_file: Option<PathBuf>,
    /// The profile it was read from.
    pub(crate) profile: Option<String>,
    /// The profile name that was given.
    pub(crate) requested_profile: Option<String>,
}

/// The values from flags and variables, before a profile is read.
struct Overrides {
    origin: Option<String>,
    channel: Option<String>,
    token: Option<String>,
    session: Option<String>,
}

impl TargetArgs {
    /// Combines flags, the profile named by `--profile`, variables and the default profile, in this order of
    /// precedence. Empty values are ignored.
    pub(crate) fn resolve(&self, identity: &IdentityArgs, rule: ProfileRule) -> Result<ResolvedTarget, String> {
        let use_variables = match rule {
            ProfileRule::MayBeNew | ProfileRule::OnlyIfNamed => !self.names_saved_profile()?,
            ProfileRule::MustExist => non_empty(self.profile.as_ref()).is_none(),
        };
        let overrides = self.overrides(use_variables)?;
        let use_profile = rule != ProfileRule::OnlyIfNamed || self.profile_name().is_some();
        let profile = if use_profile { self.find_profile(&overrides)? } else { None };
        let resolved = self.combine(identity, overrides, profile)?;
        match resolved.target.channel.is_empty() && rule != ProfileRule::OnlyIfNamed {
            true => {
                Err("no channel given; create one with `rogerrat create`, or set --channel or ROGERRAT_CHANNEL".into())
            }
            false => Ok(resolved),
        }
    }

    fn combine(
        &self,
        identity: &IdentityArgs,
        overrides: Overrides,
        profile: Option<(String, Profile)>,
    ) -> Result<ResolvedTarget, String> {
        let (name, profile) = profile.map_or((None, Profile::default()), |(name, profile)| (Some(name), profile));
        let origin = overrides.origin.or_else(|| Some(profile.origin).filter(|origin| !origin.is_empty()));
        let ca_file = self.ca_file().or(profile.ca_file);
        let channel = overrides.channel.or_else(|| Some(profile.channel).filter(|channel| !channel.is_empty()));
        let callsign = identity.callsign()?;
        // The profile's session and callsign are used only if no other member was asked for.
        let has_no_session = profile.session.is_none();
        let same_callsign = callsign.is_none() || callsign == profile.callsign;
        let same_session = overrides.session.is_none() || overrides.session == profile.session;
        let same_member = has_no_session || (same_callsign && same_session);
        let profile_session = profile.session.filter(|_| same_member);
        let target = ChannelTarget {
            channel: channel.unwrap_or_default(),
            token: overrides.token.or(profile.token),
            session: overrides.session.or(profile_session),
            identity_key: identity.identity_key(profile.identity_key.filter(|_| same_member && same_callsign))?,
            is_identity: profile.is_identity && same_callsign,
            callsign: callsign.or(profile.callsign.filter(|_| same_member)),
            owner_password: identity.owner_password()?.or(profile.owner_password),
            consumer: None,
            hub: hub_address(origin.as_deref(), ca_file.as_deref())?,
        };
        target.check()?;
        let (profile, requested_profile) = (name.filter(|_| same_member), self.profile_name());
        Ok(ResolvedTarget { target, ca_file, profile, requested_profile })
    }

    /// The hub, for commands that need no channel.
    pub(crate) fn hub(&self) -> Result<HubAddress, String> {
        let origin = non_empty(self.origin.as_ref()).or_else(|| variable("ROGERRAT_ORIGIN"));
        let profiles = match origin {
            Some(_) => None,
            None => ProfileStore::of_user().map(|store| store.read()).transpose()?,
        };
        let name = self.profile_name();
        let profile = profiles.as_ref().and_then(|profiles| profiles.get(name.as_deref())).map(|(_, profile)| profile);
        let origin = origin.or_else(|| profile.map(|profile| profile.origin.clone()));
        let ca_file = self.ca_file().or_else(|| profile.and_then(|profile| profile.ca_file.clone()));
        hub_address(origin.as_deref(), ca_file.as_deref())
    }

    /// The token from the flag or its file.
    pub(crate) fn token(&self) -> Result<Option<String>, String> {
        secret("token", self.token.as_ref(), self.token_file.as_ref())
    }

    /// The name of the profile to read or to create.
    pub(crate) fn profile_name(&self) -> Option<String> {
        non_empty(self.profile.as_ref()).or_else(|| variable("ROGERRAT_PROFILE"))
    }

    pub(crate) fn ca_file(&self) -> Option<PathBuf> {
        let file = self.ca_file.clone().or_else(|| variable("ROGERRAT_CA_FILE").map(PathBuf::from))?;
        // It is saved in a profile, which is used in other working directories.
        Some(std::path::absolute(&file).unwrap_or(file))
    }

    fn names_saved_profile(&self) -> Result<bool, String> {
        let Some(name) = non_empty(self.profile.as_ref()) else { return Ok(false) };
        let Some(store) = ProfileStore::of_user() else { return Ok(false) };
        Ok(store.read()?.by_name.contains_key(&name))
    }

    fn overrides(&self, use_variables: bool) -> Result<Overrides, String> {
        let or_variable = |flag: Option<String>, name: &str| flag.or_else(|| variable(name).filter(|_| use_variables));
        Ok(Overrides {
            origin: or_variable(non_empty(self.origin.as_ref()), "ROGERRAT_ORIGIN"),
            channel: or_variable(non_empty(self.channel.as_ref()), "ROGERRAT_CHANNEL"),
            token: or_variable(self.token()?, "ROGERRAT_TOKEN"),
            session: or_variable(non_empty(self.session.as_ref()), "ROGERRAT_SESSION"),
        })
    }

    /// The named or default profile, if it belongs to the given hub and channel.
    fn find_profile(&self, overrides: &Overrides) -> Result<Option<(String, Profile)>, String> {
        let name = self.profile_name();
        if let Some(name) = &name {
            check_name(name)?;
        }
        let Some(store) = ProfileStore::of_user() else {
            return match name {
                Some(_) => Err("cannot read profiles: HOME is not set".into()),
                None => Ok(None),
            };
        };
        let profiles = store.read()?;
        let origin = overrides.origin.as_deref().map(normalize_origin);
        let origin = origin.as_deref();
        let found = match (&name, &overrides.channel) {
            (None, Some(channel)) => profiles.of_channel(origin, channel),
            (name, _) => profiles.get(name.as_deref()),
        };
        let Some((found_name, profile)) = found else {
            return match (name, &overrides.channel) {
                (Some(name), None) => Err(format!(
                    "there is no profile `{name}`; list them with `rogerrat profile list`, or create it: join with \
                         --channel and the channel's token"
                )),
                _ => Ok(None),
            };
        };
        let matches = overrides.channel.as_ref().is_none_or(|channel| *channel == profile.channel)
            && origin.is_none_or(|origin| origin == profile.origin);
        match matches {
            true => Ok(Some((found_name.to_owned(), profile.clone()))),
            false if self.profile.is_some() => Err(format!(
                "the profile `{found_name}` belongs to the channel {} on {}; name another one",
                profile.channel, profile.origin
            )),
            false => Ok(None),
        }
    }
}

impl ResolvedTarget {
    /// Fails if the command could neither use a session nor join.
    pub(crate) fn require_member(self) -> Result<Self, String> {
        let target = &self.target;
        match target.session.is_some() || target.callsign.is_some() || target.identity_key.is_some() {
            true => Ok(self),
            false => Err("no identity given; run `rogerrat join` first, or set --callsign to join, or --session or \
                          ROGERRAT_SESSION"
                .into()),
        }
    }

    /// Reads with the cursor of this name.
    pub(crate) fn with_consumer(mut self, consumer: Option<&String>) -> Result<Self, String> {
        self.target.consumer = non_empty(consumer);
        self.target.check().map(|()| self)
    }

    /// A client that saves its session in the profile the target came from.
    pub(crate) fn client(&self) -> ChannelClient {
        self.client_with(self.target.clone())
    }

    /// As [`client`](Self::client), for a target that was joined meanwhile.
    pub(crate) fn client_with(&self, target: ChannelTarget) -> ChannelClient {
        let (Some(name), Some(store)) = (self.profile.clone(), ProfileStore::of_user()) else {
            return ChannelClient::new(target);
        };
        ChannelClient::new(target).with_on_join(move |joined| {
            // If it cannot be saved, the next command joins again and gets the same session.
            let _ = store.change(|profiles| {
                if let Some(profile) = profiles.by_name.get_mut(&name) {
                    profile.session.clone_from(&joined.session);
                    profile.callsign.clone_from(&joined.callsign);
                }
            });
        })
    }
}

/// The hub at `origin`, through the proxy of the environment.
fn hub_address(origin: Option<&str>, ca_file: Option<&Path>) -> Result<HubAddress, String> {
    HubAddress::parse(origin.unwrap_or(DEFAULT_ORIGIN), ca_file)?.through_environment_proxy()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn validates_the_consumer_and_requires_a_member() {
        let args = TargetArgs { channel: Some("quiet-lab-1".into()), ..TargetArgs::default() };
        let overrides = Overrides { origin: None, channel: args.channel.clone(), token: None, session: None };
        let resolved = args.combine(&IdentityArgs::default(), overrides, None).unwrap();
        assert!(resolved.clone().with_consumer(Some(&"a&max=1".into())).is_err());
        assert!(resolved.require_member().unwrap_err().starts_with("no identity given"));
    }
}
