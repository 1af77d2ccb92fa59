//! Generated names: channel ids and callsigns, derived from a random number that the caller provides.

use petname::Petnames;

use crate::callsign::Callsign;
use crate::ids::ChannelId;

/// A channel id like `quiet-otter-3a8f`.
#[must_use]
pub fn channel_id(random: u64) -> ChannelId {
    let (adjective, noun) = words(random);
    #[expect(clippy::expect_used, reason = "the words are checked by a test")]
    ChannelId::parse(&format!("{adjective}-{noun}-{:04x}", random >> 48)).expect("a name fits the pattern")
}

/// A callsign like `brave-heron`. It depends only on the number, and the next number gives another one.
#[must_use]
pub fn callsign(random: u64) -> Callsign {
    let (adjective, noun) = words(random);
    #[expect(clippy::expect_used, reason = "the words are checked by a test")]
    Callsign::parse(&format!("{adjective}-{noun}")).expect("a name fits the pattern")
}

/// A callsign for an identity, like `brave-heron-3a8f`.
#[must_use]
pub fn identity_callsign(random: u64) -> Callsign {
    let (adjective, noun) = words(random);
    #[expect(clippy::expect_used, reason = "the words are checked by a test")]
    Callsign::parse(&format!("{adjective}-{noun}-{:04x}", random >> 48)).expect("a name fits the pattern")
}

/// Whether a name could be a generated [`callsign`].
#[must_use]
pub fn is_generated(name: &str) -> bool {
    let Petnames { adjectives, nouns, .. } = Petnames::small();
    name.split_once('-').is_some_and(|(adjective, noun)| adjectives.contains(&adjective) && nouns.contains(&noun))
}

fn words(random: u64) -> (&'static str, &'static str) {
    let Petnames { adjectives, nouns, .. } = Petnames::small();
    let pick = |words: &[&'static str], n: u64| words[usize::try_from(n).unwrap_or(0) % words.len()];
    (pick(&adjectives, random & 0xffff), pick(&nouns, (random >> 16) & 0xffff))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_valid_in_a_name() {
        let Petnames { adjectives, nouns, .. } = Petnames::small();
        for word in adjectives.iter().chain(nouns.iter()) {
            assert!(word.len() <= 15 && word.bytes().all(|b| b.is_ascii_lowercase()), "{word}");
        }
    }

    #[test]
    fn a_name_depends_on_the_number() {
        assert_eq!(channel_id(77), channel_id(77));
        assert_ne!(callsign(1), callsign(2));
        assert!(
            is_generated(callsign(1).as_str()) && !is_generated(identity_callsign(1).as_str()) && !is_generated("ann")
        );
    }
}
