//! A free name as a callsign. One that is a callsign already stays what it is; any other gets a part made from all of it, so
//! that no two names share a callsign. Pure.

use rogerrat_domain::Callsign;
use sha2::{Digest as _, Sha256};

/// Of a name that says nothing.
pub(super) const NOBODY: &str = "anonymous";
/// Letters of a name that are kept beside the part that tells it from others.
const KEPT_CHARS: usize = 21;

/// The callsigns to try for a name: the second is for when somebody else has the first. Where callsigns are claimed there is
/// one, told apart by the session, which is secret: that it shows no address.
pub(super) fn callsigns(name: &str, session: Option<&str>) -> impl Iterator<Item = Callsign> {
    let is_callsign = |name: &&str| Callsign::parse(name).is_ok_and(|callsign| callsign.as_str() == *name);
    let plain = Some(name).filter(|name| session.is_none() && is_callsign(name));
    let told_apart = format!("{}-{}", slug(name), mark(session.unwrap_or(name)));
    plain.map(str::to_owned).into_iter().chain([told_apart]).filter_map(|name| Callsign::parse(&name).ok())
}

/// What is left of a name when only letters, digits and single hyphens stay.
fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.chars().take(KEPT_CHARS * 4) {
        match c.to_ascii_lowercase() {
            c if c.is_ascii_alphanumeric() => slug.push(c),
            _ if slug.is_empty() || slug.ends_with('-') => {}
            _ => slug.push('-'),
        }
    }
    slug.truncate(KEPT_CHARS);
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "agent".to_owned() } else { slug.to_owned() }
}

/// Ten letters that hang on every letter of the name.
fn mark(name: &str) -> String {
    Sha256::digest(name.as_bytes()).iter().take(5).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    fn all(name: &str) -> Vec<String> {
        callsigns(name, None).map(|callsign| callsign.as_str().to_owned()).collect()
    }

    #[test]
    fn a_callsign_stays_and_any_other_name_is_told_apart() {
        assert_eq!(all("alice"), ["alice", "alice-2bd806c97f"]);
        assert_eq!(all("Alice"), ["alice-3bc51062973"[..16].to_owned()]);
        let names = ["Alice", "alice ", "ALICE", "Al!ce", "日本", "", "all", "-x", "x\ny", "a\u{200b}b"];
        let made: Vec<_> = names.iter().flat_map(|name| all(name)).collect();
        assert_eq!(made.iter().collect::<HashSet<_>>().len(), names.len(), "{made:?}");
        assert!(made.contains(&format!("agent-{}", mark("日本"))) && made.contains(&format!("all-{}", mark("all"))));
    }

    #[test]
    fn where_callsigns_are_claimed_no_name_is_plain() {
        let own = |session| callsigns("alice", Some(session)).map(|own| own.as_str().to_owned()).collect::<Vec<_>>();
        assert_eq!((own("one").len(), own("one")), (1, own("one")));
        assert!(own("one")[0].starts_with("alice-") && own("one") != own("two") && own("one")[0] != all("alice")[1]);
    }

    proptest! {
        #[test]
        fn every_name_has_a_callsign_and_always_the_same(name in any::<String>()) {
            prop_assert!(!all(&name).is_empty());
            prop_assert_eq!(all(&name), all(&name));
        }
    }
}
