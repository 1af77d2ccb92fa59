//! The label of an account's session: a name that the caller chose, or what its `User-Agent` says about the device.

use actix_web::http::header::{HeaderMap, USER_AGENT};
use rogerrat_domain::Refusal;
use rogerrat_domain::account_session::SessionLabel;

/// Browsers by the product of their `User-Agent`. A browser names those it is compatible with as well, so the order
/// matters.
const BROWSERS: [(&str, &str); 9] = [
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
];
/// Systems by a word of the `User-Agent`. Android names Linux as well, and an iPhone names a Mac.
const SYSTEMS: [(&str, &str); 7] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("Linux", "Linux"),
];

/// The label of a new session: the given one, else one of the `User-Agent`.
///
/// # Errors
/// `invalid` for the given one.
pub(crate) fn session_label(given: Option<&str>, headers: &HeaderMap) -> Result<Option<SessionLabel>, Refusal> {
    match given {
        Some(label) => SessionLabel::parse(label).map(Some),
        None => Ok(headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok()).and_then(of_user_agent)),
    }
}

/// Names a browser and its system, or else the first product.
fn of_user_agent(agent: &str) -> Option<SessionLabel> {
    let name_in =
        |names: &[(&str, &'static str)]| names.iter().find(|(word, _)| agent.contains(word)).map(|(_, name)| *name);
    let is_safari = || agent.contains("Safari/") && agent.contains("Version/");
    let browser = name_in(&BROWSERS).or_else(|| is_safari().then_some("Safari"));
    match (browser, name_in(&SYSTEMS)) {
        (Some(browser), Some(system)) => SessionLabel::of_text(&format!("{browser} on {system}")),
        _ => agent.split_whitespace().next().and_then(SessionLabel::of_text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_named_with_its_system() {
        let mozilla = "Mozilla/5.0";
        for (agent, label) in [
            (
                "(X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36",
                "Chrome on Linux",
            ),
            (
                "(Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Mobile Safari/537.36",
                "Chrome on Android",
            ),
            (
                "(iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            (
                "(Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36 Edg/156.0.0.0",
                "Edge on Windows",
            ),
            ("(Macintosh; Intel Mac OS X 10.15; rv:150.0) Gecko/20100101 Firefox/150.0", "Firefox on Mac"),
        ] {
            assert_eq!(of_user_agent(&format!("{mozilla} {agent}")).unwrap().to_string(), label);
        }
    }

    #[test]
    fn another_client_is_named_by_its_product() {
        let label = |agent: &str| of_user_agent(agent).map(|label| label.to_string());
        assert_eq!(label("curl/8.5.0"), Some("curl/8.5.0".to_owned()));
        assert_eq!(label("python-requests/2.32 (Linux)"), Some("python-requests/2.32".to_owned()));
        assert_eq!(label(&"x".repeat(9000)), Some("x".repeat(64)));
        assert_eq!((label(""), label("   ")), (None, None));
    }
}
