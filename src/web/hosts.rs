//! Checks the Host and Origin of requests, so that a web page cannot control a local hub (D24). Free of side effects,
//! so that it can be fuzzed.

use std::net::IpAddr;

use rogerrat_domain::{Code, Refusal};
use url::Url;

use super::presets::Preset;
use super::tunnel_host::TunnelHost;
use crate::host_info::is_public_name;

/// The host names and origins that a hub accepts.
pub(crate) struct Hosts {
    names: Vec<String>,
    origin_host: Option<String>,
    origins: Vec<String>,
    /// Whether browsers may remember to reach the host of the public origin over https only.
    has_hsts: bool,
    /// The host of the tunnel. It changes.
    pub(crate) tunnel: TunnelHost,
}

impl Hosts {
    /// Accepts the machine's name, the public origin, and additional names and origins.
    pub(crate) fn new(machine: &str, origin: Option<&Url>, mut names: Vec<String>, mut origins: Vec<String>) -> Self {
        if !machine.is_empty() {
            names.extend([machine.to_owned(), format!("{machine}.local")]);
        }
        origins.extend(origin.map(|origin| origin.origin().ascii_serialization()));
        let origin_host = origin.and_then(Url::host_str).map(str::to_lowercase);
        let has_hsts = origin.is_some_and(|origin| origin.scheme() == "https")
            && origin_host.as_deref().is_some_and(is_public_name);
        Self { names, origin_host, origins, has_hsts, tunnel: TunnelHost::default() }
    }

    /// Accepts the host of a tunnel, too, as long as it has it. Other hosts of its domain belong to others.
    pub(crate) fn with_tunnel(self, tunnel: TunnelHost) -> Self {
        Self { tunnel, ..self }
    }

    /// Whether a Host is that of the tunnel.
    pub(crate) fn is_of_tunnel(&self, host: &str) -> bool {
        self.tunnel.is(without_port(host).trim_end_matches('.'))
    }

    /// Checks the Host and each Origin of a request.
    ///
    /// # Errors
    /// `misdirected` for an unknown Host, `forbidden` for a foreign Origin.
    pub(crate) fn check<'a>(&self, host: &str, origins: impl IntoIterator<Item = &'a str>) -> Result<(), Refusal> {
        if !self.knows(host) {
            return Err(Refusal::new(Code::Misdirected, "unknown Host").hint(
                "use the address of the hub, or ask its operator to add the name to server.allowed_hosts \
                 (ROGERRAT_SERVER__ALLOWED_HOSTS)",
            ));
        }
        if origins.into_iter().all(|origin| self.admits(origin, host)) {
            return Ok(());
        }
        Err(Refusal::new(Code::Forbidden, "requests from this Origin are not allowed")
            .hint("ask the operator of the hub to add it to server.allowed_origins (ROGERRAT_SERVER__ALLOWED_ORIGINS)"))
    }

    /// Whether a Host is accepted, ignoring its port. IP literals are always accepted: DNS rebinding cannot use them.
    fn knows(&self, host: &str) -> bool {
        let name = without_port(host);
        if !is_valid_port(&host[name.len()..]) {
            return false;
        }
        let name = name.trim_end_matches('.');
        let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
        bare.parse::<IpAddr>().is_ok() || self.knows_name(&name.to_ascii_lowercase())
    }

    fn knows_name(&self, name: &str) -> bool {
        name == "localhost"
            || name.ends_with(".localhost")
            || self.names.iter().any(|known| known == name)
            || self.origin_host.as_deref() == Some(name)
            || self.preset_under_origin(name).is_some()
            || self.tunnel.is(name)
    }

    /// The preset of a Host that is a subdomain of the public origin.
    pub(crate) fn preset_under_origin(&self, host: &str) -> Option<Preset> {
        let name = without_port(host).trim_end_matches('.').to_ascii_lowercase();
        Preset::of_label(name.strip_suffix(self.origin_host.as_deref()?)?.strip_suffix('.')?)
    }

    /// Whether a response to this Host has `Strict-Transport-Security`: it is that of a public https origin. A machine
    /// that has several services under one name, or whose name is only known in its network, keeps plain http.
    pub(crate) fn has_hsts(&self, host: &str) -> bool {
        self.has_hsts && (self.is_origin(host) || self.preset_under_origin(host).is_some())
    }

    /// Whether a Host is that of the public origin.
    pub(crate) fn is_origin(&self, host: &str) -> bool {
        let name = without_port(host).trim_end_matches('.');
        self.origin_host.as_deref().is_some_and(|origin| name.eq_ignore_ascii_case(origin))
    }

    fn admits(&self, origin: &str, host: &str) -> bool {
        let same = origin.split_once("://").is_some_and(|(scheme, authority)| {
            authority.eq_ignore_ascii_case(host) || with_port(scheme, authority) == with_port(scheme, host)
        });
        let is_tunnel = || self.tunnel.origin().is_some_and(|own| own.eq_ignore_ascii_case(origin));
        same || self.origins.iter().any(|allowed| allowed.eq_ignore_ascii_case(origin)) || is_tunnel()
    }
}

fn without_port(host: &str) -> &str {
    let position = |text: &[u8], byte| text.iter().rposition(|b| *b == byte);
    let Some(colon) = position(host.as_bytes(), b':') else { return host };
    let (name, port) = host.as_bytes().split_at(colon);
    let is_address = position(name, b':').is_some();
    match position(port, b']').is_none() && (!is_address || name.contains(&b']')) {
        true => &host[..colon],
        false => host,
    }
}

/// Whether what follows a name in a Host is nothing, or a colon and digits: links that the hub returns contain it.
fn is_valid_port(port: &str) -> bool {
    let port = port.trim_start_matches(':');
    port.len() <= 5 && port.bytes().all(|b| b.is_ascii_digit())
}

/// Host and port, with the default port made explicit.
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
            has_hsts: true,
            tunnel: TunnelHost::default(),
        }
    }

    #[test]
    fn d24_accepted_hosts() {
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
    fn d24_refused_hosts() {
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
            "[::1",
            "[[::1]]",
            "[127.0.0.1]]",
            "localhost:$(id)",
            "127.0.0.1:evil.example",
            "[::1]:80;id",
        ] {
            assert!(!hosts().knows(host), "{host}");
        }
    }

    #[test]
    fn only_a_public_https_origin_has_strict_transport_security() {
        let has = |origin: &str, host: &str| {
            Hosts::new("box", Some(&Url::parse(origin).unwrap()), Vec::new(), Vec::new()).has_hsts(host)
        };
        for host in ["hub.example", "HUB.example:443", "hub.example.", "park.hub.example"] {
            assert!(has("https://hub.example", host), "{host}");
            assert!(!has("http://hub.example", host), "{host}");
        }
        for host in ["localhost", "127.0.0.1:7424", "[::1]", "box", "box.local", "x.hub.example", "example", ""] {
            assert!(!has("https://hub.example", host), "{host}");
        }
        for host in
            ["localhost", "a.localhost", "box.local", "BOX.LOCAL.", "192.168.1.9", "[fd00::1]", "box", "hub.lan"]
        {
            assert!(!has(&format!("https://{host}:7424"), host), "{host}");
        }
        assert!(!Hosts::new("box", None, Vec::new(), Vec::new()).has_hsts("hub.example"));
    }

    #[test]
    fn d24_the_host_of_a_tunnel_is_accepted_while_it_has_it() {
        let (publisher, host) = tokio::sync::watch::channel(None);
        let hosts = hosts().with_tunnel(TunnelHost::of(host));
        assert!(!hosts.knows("a.trycloudflare.com") && !hosts.is_of_tunnel("a.trycloudflare.com"));
        publisher.send_replace(Some("a.trycloudflare.com".into()));
        for host in ["a.trycloudflare.com", "A.TryCloudflare.com:443", "a.trycloudflare.com."] {
            assert!(hosts.knows(host) && hosts.is_of_tunnel(host), "{host}");
        }
        for host in ["b.trycloudflare.com", "x.a.trycloudflare.com", "trycloudflare.com", "park.a.trycloudflare.com"] {
            assert!(!hosts.knows(host), "{host}");
        }
        assert!(hosts.admits("https://a.trycloudflare.com", "localhost:1"));
        assert!(!hosts.admits("http://a.trycloudflare.com", "localhost:1"));
        assert!(!hosts.has_hsts("a.trycloudflare.com"));
        publisher.send_replace(Some("b.trycloudflare.com".into()));
        assert!(!hosts.knows("a.trycloudflare.com") && hosts.knows("b.trycloudflare.com"));
        publisher.send_replace(None);
        assert!(!hosts.knows("b.trycloudflare.com"));
    }

    #[test]
    fn d24_origins() {
        let (hosts, host) = (hosts(), "127.0.0.1:7424");
        assert!(hosts.admits("http://127.0.0.1:7424", host));
        assert!(hosts.admits("http://box", "box:80") && hosts.admits("https://app.example", host));
        let both = ["https://app.example", "http://evil.example"];
        assert!(hosts.check(host, [both[0]]).is_ok());
        assert!(hosts.check(host, both).is_err(), "each Origin counts");
        for origin in ["null", "http://127.0.0.1:7425", "http://127.0.0.1", "http://evil.example", "", "http://"] {
            assert!(!hosts.admits(origin, host), "{origin}");
        }
    }
}
