//! Which hub, which channel, and who is there: the flags, variables and profiles that all client commands share.
//!
//! Secrets may come from variables, files and profiles, so that no argument list shows them.

mod identity;
mod profiles;
mod secret;

use std::path::PathBuf;

use clap::Args;
pub(crate) use identity::IdentityArgs;
pub(crate) use profiles::{Profile, ProfileStore, Profiles, check_name};
use rogerrat_client::{ChannelClient, ChannelTarget, DEFAULT_ORIGIN, HubAddress, normalize_origin};
use secret::said;
pub(crate) use secret::{secret, variable};

/// Where to talk.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct TargetArgs {
    /// The hub's address [default: http://127.0.0.1:7424] [variable: ROGERRAT_ORIGIN]
    #[arg(long, value_name = "URL")]
    origin: Option<String>,
    /// Trust the authorities in this PEM file instead of the machine's, for https [variable: ROGERRAT_CA_FILE]
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// The channel's id [variable: ROGERRAT_CHANNEL]
    #[arg(long, value_name = "ID")]
    channel: Option<String>,
    /// The channel's token; bands want none. A list of processes shows it: better the variable ROGERRAT_TOKEN, or a file
    #[arg(long, value_name = "TOKEN", allow_hyphen_values = true, conflicts_with = "token_file")]
    token: Option<String>,
    /// A file with the channel's token
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// The session id from a join. A list of processes shows it: better the variable ROGERRAT_SESSION
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    session: Option<String>,
    /// What `create` and `join` have remembered under this name [default: the last one] [variable: ROGERRAT_PROFILE]
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
}

/// The same, complete and checked.
#[derive(Clone, Debug)]
pub(crate) struct ResolvedTarget {
    pub(crate) target: ChannelTarget,
    pub(crate) ca_file: Option<PathBuf>,
    /// The name under which it is remembered.
    pub(crate) profile: Option<String>,
    /// The name under which it is to be remembered.
    pub(crate) wanted_profile: Option<String>,
}

/// What is known before anybody looks at a profile.
struct Said {
    origin: Option<String>,
    channel: Option<String>,
    token: Option<String>,
    session: Option<String>,
}

impl TargetArgs {
    /// Flags first, then a profile that was named, then variables, then the profile in use. What is empty was not said.
    pub(crate) fn read(&self, seat: &IdentityArgs) -> Result<ResolvedTarget, String> {
        let said = self.said(!self.is_known()?)?;
        self.read_with(seat, said)
    }

    /// The same for what remembers nothing: a profile that was named must be there, and means all of it.
    pub(crate) fn read_known(&self, seat: &IdentityArgs) -> Result<ResolvedTarget, String> {
        let said = self.said(said(self.profile.as_ref()).is_none())?;
        self.read_with(seat, said)
    }

    fn read_with(&self, seat: &IdentityArgs, said: Said) -> Result<ResolvedTarget, String> {
        let found = self.look_up(&said)?;
        match self.place(seat, said, found)? {
            place if place.target.channel.is_empty() => {
                Err("which channel? `rogerrat create` makes one; else --channel or ROGERRAT_CHANNEL".into())
            }
            place => Ok(place),
        }
    }

    /// The same where the channel may be empty. The profile in use does not count: somebody else says where.
    pub(crate) fn read_somewhere(&self, seat: &IdentityArgs) -> Result<ResolvedTarget, String> {
        let said = self.said(!self.is_known()?)?;
        let found = if self.profile_name().is_some() { self.look_up(&said)? } else { None };
        self.place(seat, said, found)
    }

    fn place(
        &self,
        seat: &IdentityArgs,
        said: Said,
        found: Option<(String, Profile)>,
    ) -> Result<ResolvedTarget, String> {
        let wanted_profile = self.profile_name();
        let (name, profile) = found.map_or((None, Profile::default()), |(name, profile)| (Some(name), profile));
        let origin = said.origin.or_else(|| Some(profile.origin).filter(|origin| !origin.is_empty()));
        let ca_file = self.ca_file().or(profile.ca_file);
        let channel = said.channel.or_else(|| Some(profile.channel).filter(|channel| !channel.is_empty()));
        let callsign = said_callsign(seat)?;
        // Whom a profile means is not mixed with whom somebody else means.
        let is_free = profile.session.is_none();
        let is_same = callsign.is_none() || callsign == profile.callsign || is_free;
        let is_same = is_same && (said.session.is_none() || said.session == profile.session || is_free);
        let is_identity = profile.is_identity && (callsign.is_none() || callsign == profile.callsign);
        let kept_session = profile.session.filter(|_| is_same);
        let target = ChannelTarget {
            hub: HubAddress::parse(origin.as_deref().unwrap_or(DEFAULT_ORIGIN), ca_file.as_deref())?,
            channel: channel.unwrap_or_default(),
            token: said.token.or(profile.token),
            session: said.session.or(kept_session),
            callsign: callsign.or(profile.callsign.filter(|_| is_same)),
            consumer: None,
            identity_key: seat.identity_key()?,
            is_identity,
            owner_password: seat.owner_password()?.or(profile.owner_password),
        };
        target.check()?;
        Ok(ResolvedTarget { target, ca_file, profile: name.filter(|_| is_same), wanted_profile })
    }

    /// The hub alone, for what needs no channel.
    pub(crate) fn hub(&self) -> Result<HubAddress, String> {
        let origin = said(self.origin.as_ref()).or_else(|| variable("ROGERRAT_ORIGIN"));
        let kept = match origin {
            Some(_) => None,
            None => ProfileStore::here().map(|shelf| shelf.read()).transpose()?,
        };
        let name = self.profile_name();
        let kept = kept.as_ref().and_then(|book| book.get(name.as_deref())).map(|(_, profile)| profile);
        let origin = origin.or_else(|| kept.map(|profile| profile.origin.clone()));
        let ca_file = self.ca_file().or_else(|| kept.and_then(|profile| profile.ca_file.clone()));
        HubAddress::parse(origin.as_deref().unwrap_or(DEFAULT_ORIGIN), ca_file.as_deref())
    }

    /// A token that was said in a flag or its file, whatever it opens.
    pub(crate) fn said_token(&self) -> Result<Option<String>, String> {
        secret("token", self.token.as_ref(), self.token_file.as_ref())
    }

    /// The name under which something is remembered, or is to be.
    pub(crate) fn profile_name(&self) -> Option<String> {
        said(self.profile.as_ref()).or_else(|| variable("ROGERRAT_PROFILE"))
    }

    pub(crate) fn ca_file(&self) -> Option<PathBuf> {
        let file = self.ca_file.clone().or_else(|| variable("ROGERRAT_CA_FILE").map(PathBuf::from))?;
        // A profile is read from other folders, too.
        Some(std::path::absolute(&file).unwrap_or(file))
    }

    /// Whether a profile was named that there is. One that is not there yet says nothing.
    fn is_known(&self) -> Result<bool, String> {
        let Some(name) = said(self.profile.as_ref()) else { return Ok(false) };
        let Some(shelf) = ProfileStore::here() else { return Ok(false) };
        Ok(shelf.read()?.profiles.contains_key(&name))
    }

    /// What flags say, and variables where they count.
    fn said(&self, with_variables: bool) -> Result<Said, String> {
        let or_variable = |flag: Option<String>, name: &str| flag.or_else(|| variable(name).filter(|_| with_variables));
        Ok(Said {
            origin: or_variable(said(self.origin.as_ref()), "ROGERRAT_ORIGIN"),
            channel: or_variable(said(self.channel.as_ref()), "ROGERRAT_CHANNEL"),
            token: or_variable(self.said_token()?, "ROGERRAT_TOKEN"),
            session: or_variable(said(self.session.as_ref()), "ROGERRAT_SESSION"),
        })
    }

    /// The profile that was named or is in use, if it is one of what was said.
    fn look_up(&self, said: &Said) -> Result<Option<(String, Profile)>, String> {
        let name = self.profile_name();
        if let Some(name) = &name {
            check_name(name)?;
        }
        let Some(shelf) = ProfileStore::here() else {
            return match name {
                Some(_) => Err("where are the profiles? HOME is not set".into()),
                None => Ok(None),
            };
        };
        let book = shelf.read()?;
        let origin = said.origin.as_deref().map(normalize_origin);
        let origin = origin.as_deref();
        let found = match (&name, &said.channel) {
            (None, Some(channel)) => book.of_channel(origin, channel),
            (name, _) => book.get(name.as_deref()),
        };
        let Some((found_name, profile)) = found else {
            return match (name, &said.channel) {
                (Some(name), None) => Err(format!("there is no profile `{name}`; `rogerrat profile list` names all")),
                _ => Ok(None),
            };
        };
        let is_it = said.channel.as_ref().is_none_or(|channel| *channel == profile.channel)
            && origin.is_none_or(|origin| origin == profile.origin);
        match is_it {
            true => Ok(Some((found_name.to_owned(), profile.clone()))),
            false if self.profile.is_some() => Err(format!(
                "the profile `{found_name}` is of the channel {} on {}; name another one",
                profile.channel, profile.origin
            )),
            false => Ok(None),
        }
    }
}

fn said_callsign(seat: &IdentityArgs) -> Result<Option<String>, String> {
    let callsign = seat.callsign.as_ref().map(|callsign| callsign.trim().to_lowercase());
    match callsign {
        Some(callsign) if callsign.is_empty() => Err("--callsign is empty; leave it out, and the hub picks one".into()),
        callsign => Ok(callsign),
    }
}

impl ResolvedTarget {
    /// Fails where nobody is said to be there.
    pub(crate) fn needs_seat(self) -> Result<Self, String> {
        let target = &self.target;
        match target.session.is_some() || target.callsign.is_some() || target.identity_key.is_some() {
            true => Ok(self),
            false => {
                Err("as whom? `rogerrat join` first; or give --callsign to join, or --session or ROGERRAT_SESSION"
                    .into())
            }
        }
    }

    /// Reads with a cursor of this name.
    pub(crate) fn with_consumer(mut self, consumer: Option<&String>) -> Result<Self, String> {
        self.target.consumer = consumer.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
        self.target.check().map(|()| self)
    }

    /// A client that remembers its session under the profile it came from.
    pub(crate) fn client(&self) -> ChannelClient {
        self.client_of(self.target.clone())
    }

    /// The same for a target that was joined meanwhile.
    pub(crate) fn client_of(&self, target: ChannelTarget) -> ChannelClient {
        let (Some(name), Some(shelf)) = (self.profile.clone(), ProfileStore::here()) else {
            return ChannelClient::new(target);
        };
        ChannelClient::new(target).with_on_join(move |joined| {
            // Without it the next command joins again, and gets the same session.
            let _ = shelf.change(|book| {
                if let Some(profile) = book.profiles.get_mut(&name) {
                    profile.session.clone_from(&joined.session);
                    profile.callsign.clone_from(&joined.callsign);
                }
            });
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_consumer_is_checked_and_somebody_must_be_there() {
        let resolved = TargetArgs { channel: Some("quiet-lab-1".into()), ..TargetArgs::default() };
        let said = Said { origin: None, channel: resolved.channel.clone(), token: None, session: None };
        let resolved = resolved.place(&IdentityArgs::default(), said, None).unwrap();
        assert!(resolved.clone().with_consumer(Some(&"a&max=1".into())).is_err());
        assert!(resolved.needs_seat().unwrap_err().starts_with("as whom?"));
    }
}
