//! What must hold for whatever the domain reads from outside. The property tests and the fuzzer ask the same of it.

use rogerrat_domain::op::{CreateDraft, CreateInput, Draft, JoinInput, SendInput};
use rogerrat_domain::{Callsign, ChannelId, ConsumerName, Hint, Refusal, SessionId, limits, text};

/// A send's body, and its `Idempotency-Key`.
pub(crate) fn send(body: &[u8], key: Option<&str>) {
    let Ok(input) = serde_json::from_slice::<SendInput>(body) else { return };
    match (Draft::check(input.clone(), key), Draft::check(input, key)) {
        (Ok(draft), again) => assert_eq!(Ok(draft), again, "the same send is the same draft"),
        (Err(refusal), again) => {
            quiet(&refusal, body);
            assert_eq!(Err(refusal), again);
        }
    }
}

/// A join's body.
pub(crate) fn join(body: &[u8]) {
    let Ok(input) = serde_json::from_slice::<JoinInput>(body) else { return };
    if let Some(wish) = &input.callsign {
        callsign(wish);
    }
}

/// A create's body.
pub(crate) fn create(body: &[u8]) {
    let Ok(input) = serde_json::from_slice::<CreateInput>(body) else { return };
    match CreateDraft::check(input, limits::MEMBER_TTL_MS) {
        Err(refusal) => quiet(&refusal, body),
        Ok(draft) => {
            let settings = draft.settings("token", None, None, 1);
            assert!((1..=limits::SESSION_TTL_MAX_MS).contains(&settings.session_ttl_ms));
            assert!((1..=limits::MEMBER_TTL_MAX_MS).contains(&settings.member_ttl_ms));
            assert!(settings.admits(Some("token")) && !settings.admits(Some("")) && !settings.admits(None));
        }
    }
}

/// Names in paths, headers and parameters.
pub(crate) fn names(said: &str) {
    callsign(said);
    match ChannelId::parse(said) {
        Ok(id) => assert_eq!((id.as_str(), id.to_string().as_str()), (said, said)),
        Err(refusal) => quiet(&refusal, said.as_bytes()),
    }
    match ConsumerName::parse(said) {
        Ok(name) => assert_eq!(name.as_str(), said),
        Err(refusal) => quiet(&refusal, said.as_bytes()),
    }
    match SessionId::present(Some(said)) {
        Ok(Some(id)) => {
            assert_eq!(id.text().unwrap_or_default(), said.trim());
            assert_eq!(SessionId::present(Some(id.text().unwrap_or_default())), Ok(Some(id)));
        }
        Ok(None) => assert!(said.trim().len() < limits::SESSION_ID_MIN_CHARS),
        Err(refusal) => quiet(&refusal, said.as_bytes()),
    }
}

fn callsign(said: &str) {
    match Callsign::parse(said) {
        Ok(name) => {
            assert_eq!(Callsign::parse(name.as_str()), Ok(name.clone()), "what is normal stays as it is");
            assert!((1..=limits::CALLSIGN_CHARS).contains(&name.as_str().len()) && name.as_str() != "all");
        }
        Err(refusal) => quiet(&refusal, said.as_bytes()),
    }
}

/// Text that is shown on a line.
pub(crate) fn shown(said: &str) {
    let line = text::one_line(said);
    assert!(!line.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')), "{line:?}");
    assert_eq!(text::one_line(&line), line, "one line stays as it is");
    let clip = text::clip(said);
    assert!(clip.chars().count() <= limits::ECHO_CHARS && text::one_line(&clip) == clip);
}

/// A refusal never repeats more than 64 characters of what was said (D12).
fn quiet(refusal: &Refusal, said: &[u8]) {
    let said = String::from_utf8_lossy(said);
    let hint = match &refusal.hint {
        Some(Hint::Text(text)) => Some(text),
        _ => None,
    };
    for text in std::iter::once(&refusal.text).chain(hint) {
        assert!(text.chars().count() <= 320, "{text}");
        // What is borrowed is a sentence of ours.
        if let std::borrow::Cow::Owned(text) = text {
            let ends: Vec<_> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
            let mut windows = ends.windows(limits::ECHO_CHARS + 2);
            assert!(!windows.any(|w| said.contains(&text[w[0]..w[limits::ECHO_CHARS + 1]])), "{text}");
        }
    }
}
