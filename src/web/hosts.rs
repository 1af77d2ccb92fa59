//! Which Host and Origin a request may carry, so that a web page cannot drive a local hub (D24). Pure: it is fuzzed as it
//! stands.

use std::net::IpAddr;

use rogerrat_domain::{Code, Refusal};
use url::Url;

use super::presets::Preset;

/// The names a hub answers to.
pub(crate) struct Hosts {
    names: Vec<String>,
    origin_host: Option<String>,
    origins: Vec<String>,
}

impl Hosts {
    /// A hub on this machine, with its public origin, further names, and origins of pages that may call.
    pub(crate) fn new(machine: &str, origin: Option<&Url>, mut names: Vec<String>, mut origins: Vec<String>) -> Self {
        if !machine.is_empty() {
            names.extend([machine.to_owned(), format!("{machine}.local")]);
        }
        origins.extend(origin.map(|origin| origin.origin().ascii_serialization()));
        Self { names, origin_host: origin.and_then(Url::host_str).map(str::to_lowercase), origins }
    }

    /// Checks a request before anything else looks at it.
    ///
    /// # Errors
    /// `misdirected` for a Host that is not ours, `forbidden` for a foreign Origin.
    pub(crate) fn check(&self, host: &str, origin: Option<&str>) -> Result<(), Refusal> {
        if !self.knows(host) {
            return Err(Refusal::new(Code::Misdirected, "this hub does not answer to that Host")
                .hint("use its address, or let the operator add the name to allowed_hosts"));
        }
        match origin {
            Some(origin) if !self.admits(origin, host) => {
                Err(Refusal::new(Code::Forbidden, "requests from that Origin are not allowed")
                    .hint("let the operator add it to allowed_origins"))
            }
            _ => Ok(()),
        }
    }

    /// Whether a Host, its port ignored, is one of ours. An IP literal cannot be rebound.
    fn knows(&self, host: &str) -> bool {
        let name = without_port(host).trim_end_matches('.');
        let bare = name.trim_start_matches('[').trim_end_matches(']');
        bare.parse::<IpAddr>().is_ok() || self.knows_name(&name.to_ascii_lowercase())
    }

    fn knows_name(&self, name: &str) -> bool {
        name == "localhost"
            || name.ends_with(".localhost")
            || self.names.iter().any(|ours| ours == name)
            || self.origin_host.as_deref() == Some(name)
            || self.preset_under_origin(name).is_some()
    }

    /// The preset or edition a Host under the origin's names.
    pub(crate) fn preset_under_origin(&self, host: &str) -> Option<Preset> {
        let name = without_port(host).trim_end_matches('.').to_ascii_lowercase();
        Preset::of_label(name.strip_suffix(self.origin_host.as_deref()?)?.strip_suffix('.')?)
    }

    fn admits(&self, origin: &str, host: &str) -> bool {
        let same = origin.split_once("://").is_some_and(|(scheme, authority)| {
            authority.eq_ignore_ascii_case(host) || with_port(scheme, authority) == with_port(scheme, host)
        });
        same || self.origins.iter().any(|allowed| allowed.eq_ignore_ascii_case(origin))
    }
}

fn without_port(host: &str) -> &str {
    match host.rfind(':') {
        Some(colon) if !host[colon..].contains(']') && host[..colon].rfind(':').is_none_or(|_| host.contains(']')) => {
            &host[..colon]
        }
        _ => host,
    }
}

/// Host and port, the port spelled out.
fn with_port(scheme: &str, authority: &str) -> String {
    let authority = authority.to_ascii_lowercase();
    if without_port(&authority).len() < authority.len() {
        return authority;
    }
    let port = if scheme.eq_ignore_ascii_case("https") { 443 } else { 80 };
    format!("{authority}:{port}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts() -> Hosts {
        Hosts {
            names: vec!["box".into(), "box.local".into(), "hub.lan".into()],
            origin_host: Some("rogerrat.example".into()),
            origins: vec!["https://rogerrat.example".into(), "https://app.example".into()],
        }
    }

    #[test]
    fn d24_hosts_that_are_ours() {
        for host in [
            "127.0.0.1:7424",
            "127.0.0.1",
            "[::1]:7424",
            "[::1]",
            "192.168.1.9:1",
            "localhost:7424",
            "a.localhost",
            "LOCALHOST",
            "box",
            "box.local:7424",
            "hub.lan",
            "rogerrat.example",
            "park.rogerrat.example:443",
            "codex-park.rogerrat.example",
            "claude.rogerrat.example",
        ] {
            assert!(hosts().knows(host), "{host}");
        }
    }

    #[test]
    fn d24_hosts_that_are_not() {
        for host in [
            "",
            "evil.example",
            "rogerrat.example.evil",
            "evilrogerrat.example",
            "x.rogerrat.example",
            "park-codex.rogerrat.example",
            "localhost.evil",
            "127.0.0.1.evil",
            "xlocalhost",
        ] {
            assert!(!hosts().knows(host), "{host}");
        }
    }

    #[test]
    fn d24_origins() {
        let (hosts, host) = (hosts(), "127.0.0.1:7424");
        assert!(hosts.admits("http://127.0.0.1:7424", host));
        assert!(hosts.admits("http://box", "box:80") && hosts.admits("https://app.example", host));
        for origin in ["null", "http://127.0.0.1:7425", "http://127.0.0.1", "http://evil.example", "", "http://"] {
            assert!(!hosts.admits(origin, host), "{origin}");
        }
    }
}
