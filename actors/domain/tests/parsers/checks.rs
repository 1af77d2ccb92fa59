//! Properties of parsing untrusted input, shared by the property tests and the fuzz targets.

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
    if let Some(requested) = &input.callsign {
        callsign(requested);
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
pub(crate) fn names(input: &str) {
    callsign(input);
    match ChannelId::parse(input) {
        Ok(id) => assert_eq!((id.as_str(), id.to_string().as_str()), (input, input)),
        Err(refusal) => quiet(&refusal, input.as_bytes()),
    }
    match ConsumerName::parse(input) {
        Ok(name) => assert_eq!(name.as_str(), input),
        Err(refusal) => quiet(&refusal, input.as_bytes()),
    }
    match SessionId::present(Some(input)) {
        Ok(Some(id)) => {
            assert_eq!(id.text().unwrap_or_default(), input.trim());
            assert_eq!(SessionId::present(Some(id.text().unwrap_or_default())), Ok(Some(id)));
        }
        Ok(None) => assert!(input.trim().len() < limits::SESSION_ID_MIN_CHARS),
        Err(refusal) => quiet(&refusal, input.as_bytes()),
    }
}

fn callsign(input: &str) {
    match Callsign::parse(input) {
        Ok(name) => {
            assert_eq!(Callsign::parse(name.as_str()), Ok(name.clone()), "normalising is idempotent");
            assert!((1..=limits::CALLSIGN_CHARS).contains(&name.as_str().len()) && name.as_str() != "all");
        }
        Err(refusal) => quiet(&refusal, input.as_bytes()),
    }
}

/// Text that is shown on a line.
pub(crate) fn shown(input: &str) {
    let line = text::one_line(input);
    assert!(!line.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')), "{line:?}");
    assert_eq!(text::one_line(&line), line, "escaping is idempotent");
    let clip = text::clip(input);
    assert!(clip.chars().count() <= limits::ECHO_CHARS && text::one_line(&clip) == clip);
}

/// A refusal never repeats more than 64 characters of the input (D12).
fn quiet(refusal: &Refusal, input: &[u8]) {
    let input = String::from_utf8_lossy(input);
    let hint = match &refusal.hint {
        Some(Hint::Text(text)) => Some(text),
        _ => None,
    };
    for text in std::iter::once(&refusal.text).chain(hint) {
        assert!(text.chars().count() <= 320, "{text}");
        // A borrowed text is a constant.
        if let std::borrow::Cow::Owned(text) = text {
            let ends: Vec<_> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
            let mut windows = ends.windows(limits::ECHO_CHARS + 2);
            assert!(!windows.any(|w| input.contains(&text[w[0]..w[limits::ECHO_CHARS + 1]])), "{text}");
        }
    }
}
