//! Saves a channel and session as a profile, so that the next command needs no flags for them.

use std::path::PathBuf;

use rogerrat_client::ChannelTarget;

use crate::outcome::report;
use crate::target::{Profile, ProfileStore, Profiles};

/// The name to save a profile under.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ProfileSlot {
    pub(crate) name: String,
    /// Whether the profile becomes the default: no name was given, and no other member's profile has the channel's
    /// name.
    pub(crate) becomes_default: bool,
}

impl ProfileSlot {
    /// Chooses the requested name, the profile's current name, or the channel's id. If another member's profile has the
    /// channel's id, the callsign is appended.
    pub(crate) fn choose(
        profiles: &Profiles,
        requested: Option<&str>,
        current: Option<&str>,
        profile: &Profile,
    ) -> Self {
        if let Some(name) = requested {
            return Self { name: name.to_owned(), becomes_default: false };
        }
        if let Some(name) = current {
            return Self { name: name.to_owned(), becomes_default: true };
        }
        let is_free = |name: &str| {
            profiles.by_name.get(name).is_none_or(|found| {
                let same_channel = found.channel == profile.channel && found.origin == profile.origin;
                same_channel && (found.session.is_none() || found.callsign == profile.callsign)
            })
        };
        match is_free(&profile.channel) {
            true => Self { name: profile.channel.clone(), becomes_default: true },
            false => {
                let callsign = profile.callsign.as_deref().unwrap_or("me");
                Self { name: format!("{}-{callsign}", profile.channel), becomes_default: false }
            }
        }
    }
}

/// The profile of a target.
pub(crate) fn profile_of(target: &ChannelTarget, ca_file: Option<&PathBuf>) -> Profile {
    Profile {
        origin: target.hub.origin().to_owned(),
        ca_file: ca_file.cloned(),
        channel: target.channel.clone(),
        token: target.token.clone(),
        session: target.session.clone(),
        callsign: target.callsign.clone(),
        owner_password: target.owner_password.clone(),
        is_identity: target.is_identity || target.identity_key.is_some(),
        ..Profile::default()
    }
}

/// Saves a profile and returns its name. Reports if the default profile changed, or is another one.
pub(crate) fn save_profile(
    command: &str,
    requested: Option<&str>,
    current: Option<&str>,
    mut profile: Profile,
) -> Result<String, String> {
    let Some(store) = ProfileStore::of_user() else { return Err("cannot save a profile: HOME is not set".into()) };
    let (slot, old_default) = store.change(|profiles| {
        let slot = ProfileSlot::choose(profiles, requested, current, &profile);
        if let Some(old) = profiles.by_name.remove(&slot.name) {
            let is_same = old.origin == profile.origin && old.channel == profile.channel;
            if is_same && old.callsign == profile.callsign {
                profile.identity_key = profile.identity_key.or(old.identity_key);
            }
            if is_same {
                profile.account_token = profile.account_token.or(old.account_token);
                profile.recovery_token = profile.recovery_token.or(old.recovery_token);
            }
            profile.rest = old.rest;
        }
        profiles.by_name.insert(slot.name.clone(), profile);
        let old_default = profiles.default.clone().filter(|name| profiles.by_name.contains_key(name));
        if slot.becomes_default || old_default.is_none() {
            profiles.default = Some(slot.name.clone());
        }
        (slot, old_default)
    })?;
    match old_default {
        Some(default) if requested.is_none() && !slot.becomes_default && default != slot.name => report(
            command,
            &format!(
                "another member has a profile of this channel: saved as `{0}`, use --profile {0}; the default profile \
                 is still {default}",
                slot.name
            ),
        ),
        Some(default) if slot.becomes_default && default != slot.name => report(
            command,
            &format!("the default profile is now {}; to go back: rogerrat profile default {default}", slot.name),
        ),
        _ => {}
    }
    Ok(slot.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(callsign: &str) -> Profile {
        let mut profile = Profile { origin: "http://h".into(), channel: "c".into(), ..Profile::default() };
        profile.session = Some(format!("session of {callsign}"));
        profile.callsign = Some(callsign.into());
        profile
    }

    #[test]
    fn does_not_replace_the_profile_of_another_member() {
        let mut profiles = Profiles::default();
        let name = |profiles: &Profiles, requested, callsign| {
            ProfileSlot::choose(profiles, requested, None, &profile(callsign)).name
        };
        assert_eq!(name(&profiles, None, "ann"), "c");
        profiles.by_name.insert("c".into(), profile("ann"));
        assert_eq!((name(&profiles, None, "ann"), name(&profiles, None, "bob")), ("c".into(), "c-bob".into()));
        assert_eq!(name(&profiles, Some("work"), "bob"), "work");
        profiles.by_name.get_mut("c").unwrap().session = None;
        assert_eq!(name(&profiles, None, "bob"), "c", "a profile without a session can be replaced");
    }
}
