//! Derives callsigns from free-form names. A name that is a valid callsign stays as it is; any other gets a suffix
//! derived from the whole name, so that no two names share a callsign.

use rogerrat_domain::Callsign;
use sha2::{Digest as _, Sha256};

/// The name of clients that send none.
pub(super) const DEFAULT_NAME: &str = "anonymous";
/// Characters of a name that are kept before the suffix.
const SLUG_CHARS: usize = 21;

/// The callsigns to try for a name: the plain name, then one with a suffix, in case the first is taken. If callsigns
/// are claimed there is only one, with a suffix derived from the secret session, so that it does not reveal an address.
pub(super) fn callsigns(name: &str, session: Option<&str>) -> impl Iterator<Item = Callsign> {
    let is_callsign = |name: &&str| Callsign::parse(name).is_ok_and(|callsign| callsign.as_str() == *name);
    let plain = Some(name).filter(|name| session.is_none() && is_callsign(name));
    let suffixed = format!("{}-{}", slug(name), suffix(session.unwrap_or(name)));
    plain.map(str::to_owned).into_iter().chain([suffixed]).filter_map(|name| Callsign::parse(&name).ok())
}

/// The name reduced to letters, digits and single hyphens.
fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.chars().take(SLUG_CHARS * 4) {
        match c.to_ascii_lowercase() {
            c if c.is_ascii_alphanumeric() => slug.push(c),
            _ if slug.is_empty() || slug.ends_with('-') => {}
            _ => slug.push('-'),
        }
    }
    slug.truncate(SLUG_CHARS);
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "agent".to_owned() } else { slug.to_owned() }
}

/// Ten characters that depend on the whole name.
fn suffix(name: &str) -> String {
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
    fn a_valid_callsign_is_kept_and_any_other_name_gets_a_suffix() {
        assert_eq!(all("alice"), ["alice", "alice-2bd806c97f"]);
        assert_eq!(all("Alice"), ["alice-3bc51062973"[..16].to_owned()]);
        let names = ["Alice", "alice ", "ALICE", "Al!ce", "日本", "", "all", "-x", "x\ny", "a\u{200b}b"];
        let made: Vec<_> = names.iter().flat_map(|name| all(name)).collect();
        assert_eq!(made.iter().collect::<HashSet<_>>().len(), names.len(), "{made:?}");
        assert!(
            made.contains(&format!("agent-{}", suffix("日本"))) && made.contains(&format!("all-{}", suffix("all")))
        );
    }

    #[test]
    fn every_name_gets_a_suffix_if_callsigns_are_claimed() {
        let own = |session| callsigns("alice", Some(session)).map(|own| own.as_str().to_owned()).collect::<Vec<_>>();
        assert_eq!((own("one").len(), own("one")), (1, own("one")));
        assert!(own("one")[0].starts_with("alice-") && own("one") != own("two") && own("one")[0] != all("alice")[1]);
    }

    proptest! {
        #[test]
        fn every_name_has_a_stable_callsign(name in any::<String>()) {
            prop_assert!(!all(&name).is_empty());
            prop_assert_eq!(all(&name), all(&name));
        }
    }
}
