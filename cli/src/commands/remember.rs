//! Remembering a place, so that the next command needs no more than what is new.

use crate::outcome::say;
use crate::target::{Profile, ProfileStore, Profiles};

/// The name under which a place goes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) name: String,
    /// It comes into use: it was not named, and nobody else is put out by it.
    pub(crate) is_next: bool,
}

/// Where a place on a channel goes: under the name that was wanted, or that it has, or the channel's. Where somebody else
/// sits under that, beside it.
pub(crate) fn slot(book: &Profiles, wanted: Option<&str>, mine: Option<&str>, profile: &Profile) -> Slot {
    if let Some(name) = wanted {
        return Slot { name: name.to_owned(), is_next: false };
    }
    if let Some(name) = mine {
        return Slot { name: name.to_owned(), is_next: true };
    }
    let is_free = |name: &str| {
        book.profiles.get(name).is_none_or(|found| {
            let is_same = found.channel == profile.channel && found.origin == profile.origin;
            is_same && (found.session.is_none() || found.callsign == profile.callsign)
        })
    };
    match is_free(&profile.channel) {
        true => Slot { name: profile.channel.clone(), is_next: true },
        false => {
            let callsign = profile.callsign.as_deref().unwrap_or("me");
            Slot { name: format!("{}-{callsign}", profile.channel), is_next: false }
        }
    }
}

/// Remembers a place, and brings it into use if it has no name of its own. Gives its name.
pub(crate) fn remember(
    command: &str,
    wanted: Option<&str>,
    mine: Option<&str>,
    mut profile: Profile,
) -> Result<String, String> {
    let Some(shelf) = ProfileStore::here() else { return Err("nothing is remembered: HOME is not set".into()) };
    let (slot, before) = shelf.change(|book| {
        let slot = slot(book, wanted, mine, &profile);
        if let Some(old) = book.profiles.remove(&slot.name) {
            profile.rest = old.rest;
        }
        book.profiles.insert(slot.name.clone(), profile);
        let before = book.default.clone().filter(|name| book.profiles.contains_key(name));
        if slot.is_next || before.is_none() {
            book.default = Some(slot.name.clone());
        }
        (slot, before)
    })?;
    match before {
        Some(before) if wanted.is_none() && !slot.is_next && before != slot.name => say(
            command,
            &format!(
                "somebody sits there already: remembered as `{0}`, so say --profile {0}; in use is still {before}",
                slot.name
            ),
        ),
        Some(before) if slot.is_next && before != slot.name => {
            say(command, &format!("in use from now on: {}; `rogerrat profile default {before}` goes back", slot.name));
        }
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
    fn nobody_is_put_out_of_a_profile() {
        let mut book = Profiles::default();
        let name = |book: &Profiles, wanted, callsign| slot(book, wanted, None, &profile(callsign)).name;
        assert_eq!(name(&book, None, "ann"), "c");
        book.profiles.insert("c".into(), profile("ann"));
        assert_eq!((name(&book, None, "ann"), name(&book, None, "bob")), ("c".into(), "c-bob".into()));
        assert_eq!(name(&book, Some("work"), "bob"), "work");
        book.profiles.get_mut("c").unwrap().session = None;
        assert_eq!(name(&book, None, "bob"), "c", "who left has no seat");
    }
}
