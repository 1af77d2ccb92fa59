//! The push services that a hub sends to: those of browsers, and those that its operator adds.

use std::fmt;

use url::{Host, Url};

/// The push services of browsers: Chrome and its relatives, Firefox, Safari, Edge on Windows.
const KNOWN: [&str; 4] =
    ["fcm.googleapis.com", "*.push.services.mozilla.com", "*.push.apple.com", "*.notify.windows.com"];

/// A push service that the operator adds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PushHost {
    /// A host name, served over https on port 443.
    Name(String),
    /// All names below a host name, served over https on port 443.
    Below(String),
    /// An origin, with its scheme and port.
    Origin(String),
}

impl PushHost {
    /// Parses an entry: `push.example.org`, `*.push.example.org`, or `https://push.example.org:8443`. None if it is neither.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.contains("://") {
            let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
            let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
            let is_bare = is_bare && url.username().is_empty() && url.password().is_none();
            return is_bare.then(|| Self::Origin(url.origin().ascii_serialization()));
        }
        let name = |text: &str| match Host::parse(text) {
            Ok(Host::Domain(name)) if name.contains('.') && !name.ends_with('.') && !name.contains('*') => Some(name),
            _ => None,
        };
        match text.strip_prefix("*.") {
            Some(rest) => name(rest).map(Self::Below),
            None => name(text).map(Self::Name),
        }
    }
}

impl fmt::Display for PushHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) | Self::Origin(name) => f.write_str(name),
            Self::Below(name) => write!(f, "*.{name}"),
        }
    }
}

/// All push services that a hub sends to.
#[derive(Debug)]
pub(crate) struct PushHosts(Vec<PushHost>);

impl PushHosts {
    /// The known ones and some more.
    pub(crate) fn with(added: Vec<PushHost>) -> Self {
        Self(KNOWN.iter().filter_map(|known| PushHost::parse(known)).chain(added).collect())
    }

    /// Whether an endpoint is at one of them. Names are compared by whole labels.
    pub(crate) fn admit(&self, endpoint: &str) -> bool {
        let Ok(url) = Url::parse(endpoint) else { return false };
        if !url.username().is_empty() || url.password().is_some() {
            return false;
        }
        let secure = url.scheme() == "https" && url.port().is_none();
        let name = url.domain().filter(|_| secure).unwrap_or_default();
        self.0.iter().any(|host| match host {
            PushHost::Name(known) => name == known,
            PushHost::Below(known) => {
                name.strip_suffix(known.as_str()).is_some_and(|label| label.len() > 1 && label.ends_with('.'))
            }
            PushHost::Origin(origin) => url.origin().ascii_serialization() == *origin,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_labels_of_a_known_host_over_https_are_admitted() {
        let hosts = PushHosts::with(vec![
            PushHost::parse("push.example.org").unwrap(),
            PushHost::parse("http://127.0.0.1:8080").unwrap(),
        ]);
        for endpoint in [
            "https://fcm.googleapis.com/fcm/send/abc",
            "https://FCM.googleapis.com:443/x",
            "https://updates.push.services.mozilla.com/wpush/v2/abc",
            "https://web.push.apple.com/abc",
            "https://wns2-par02p.notify.windows.com/w/?token=abc",
            "https://push.example.org/1",
            "http://127.0.0.1:8080/1",
        ] {
            assert!(hosts.admit(endpoint), "{endpoint}");
        }
        for endpoint in [
            "http://fcm.googleapis.com/x",
            "https://fcm.googleapis.com:8443/x",
            "https://evil.example/x.fcm.googleapis.com/",
            "https://fcm.googleapis.com.evil.example/",
            "https://evilpush.apple.com/",
            "https://push.apple.com/",
            "https://.push.apple.com/",
            "https://fcm.googleapis.com@evil.example/",
            "https://user@fcm.googleapis.com/",
            "https://sub.push.example.org/",
            "https://push.example.org./",
            "https://127.0.0.1:8080/",
            "http://127.0.0.1:8081/",
            "http://127.0.0.1/",
            "ftp://push.example.org/",
            "push.example.org",
            "",
        ] {
            assert!(!hosts.admit(endpoint), "{endpoint}");
        }
    }

    #[test]
    fn an_entry_is_a_name_a_pattern_or_an_origin() {
        for good in ["push.example.org", "*.push.example.org", "http://127.0.0.1:8080", "https://push.lan"] {
            assert_eq!(PushHost::parse(good).unwrap().to_string(), good);
        }
        for bad in [
            "",
            "*",
            "*.",
            "org",
            "a.*.b",
            "push.example.org:443",
            "https://h/path",
            "ftp://h.org",
            "1.2.3.4",
            "h.org.",
        ] {
            assert_eq!(PushHost::parse(bad), None, "{bad}");
        }
    }
}
