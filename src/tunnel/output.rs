//! What the programs of tunnels print: the host of the tunnel, and that it is connected. Free of side effects.
//!
//! Once a tunnel is connected, its program also prints parts of requests, which whoever knows the address chooses. So a
//! process keeps the host that it had then: a line that looks like another address cannot move the hub there.

use std::sync::Arc;

use serde_json::Value;

use crate::config::TunnelProvider;

/// The domain of cloudflared's quick tunnels.
const QUICK_DOMAIN: &str = ".trycloudflare.com";

/// What a line means.
#[derive(Clone, Debug, PartialEq, Eq)]
enum TunnelNews {
    /// The host of the tunnel, in lower case.
    Host(String),
    /// The tunnel is connected.
    Connected,
    /// Both.
    ConnectedAs(String),
}

/// The output of one process.
#[derive(Debug)]
pub(super) struct TunnelOutput {
    provider: TunnelProvider,
    host: Option<Arc<str>>,
    is_connected: bool,
}

impl TunnelOutput {
    /// The output of a process that was just started.
    pub(super) fn of(provider: TunnelProvider) -> Self {
        Self { provider, host: None, is_connected: false }
    }

    /// Reads a line. Returns the host once: when it is known and the tunnel is connected. No later line is read.
    pub(super) fn read(&mut self, line: &str) -> Option<Arc<str>> {
        if self.is_open() {
            return None;
        }
        let (host, is_connected) = match self.provider.read(line)? {
            TunnelNews::Host(host) => (Some(host), false),
            TunnelNews::Connected => (None, true),
            TunnelNews::ConnectedAs(host) => (Some(host), true),
        };
        self.host = self.host.take().or(host.map(Arc::from));
        self.is_connected |= is_connected;
        self.host.clone().filter(|_| self.is_connected)
    }

    /// Whether the host is known and the tunnel was connected.
    pub(super) fn is_open(&self) -> bool {
        self.is_connected && self.host.is_some()
    }
}

impl TunnelProvider {
    /// Reads a line of the program's output.
    fn read(self, line: &str) -> Option<TunnelNews> {
        match self {
            Self::Cloudflared => read_cloudflared(line),
            Self::Ngrok => read_ngrok(line).map(TunnelNews::ConnectedAs),
        }
    }
}

/// cloudflared prints the address in a box. Its error messages contain another address under the same domain, that of the
/// service which assigns names.
fn read_cloudflared(line: &str) -> Option<TunnelNews> {
    if line.contains("Registered tunnel connection") {
        return Some(TunnelNews::Connected);
    }
    // Nothing else is on that line of the box.
    let boxed = line.split_once('|')?.1.trim().strip_suffix('|')?.trim();
    let host = host_of(boxed.strip_prefix("https://")?).filter(|host| host.len() + "https://".len() == boxed.len())?;
    let label = host.strip_suffix(QUICK_DOMAIN)?;
    (!label.is_empty() && label != "api").then_some(TunnelNews::Host(host))
}

/// ngrok prints a line of JSON, or of `name=value` pairs.
fn read_ngrok(line: &str) -> Option<String> {
    const STARTED: &str = "started tunnel";
    if let Ok(json) = serde_json::from_str::<Value>(line) {
        let is_start = json["msg"] == STARTED;
        return host_of(json["url"].as_str().filter(|_| is_start)?.strip_prefix("https://")?);
    }
    let url = line.split(' ').find_map(|pair| pair.strip_prefix("url=https://"))?;
    if line.contains(r#"msg="started tunnel""#) { host_of(url) } else { None }
}

/// The host at the beginning of a text, in lower case: labels of letters, digits and hyphens, without a port.
fn host_of(text: &str) -> Option<String> {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '.' && c != '-').unwrap_or(text.len());
    let (host, rest) = text.split_at(end);
    let ends = rest.is_empty() || rest.starts_with(['/', ' ', '|', '"']);
    let is_valid = host.len() <= 253
        && host.contains('.')
        && host
            .split('.')
            .all(|label| (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-'))
        && host.rsplit('.').next().is_some_and(|last| !last.bytes().all(|byte| byte.is_ascii_digit()));
    (ends && is_valid).then(|| host.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use TunnelNews::{Connected, ConnectedAs, Host};
    use TunnelProvider::{Cloudflared, Ngrok};

    #[test]
    fn cloudflared_prints_its_address_in_a_box() {
        let host = Some(Host("calm-blue-otter-runs.trycloudflare.com".into()));
        for (line, news) in [
            (
                "2026-08-24T18:00:00Z INF |  https://calm-blue-otter-runs.trycloudflare.com                |",
                host.clone(),
            ),
            ("|  https://Calm-Blue-Otter-Runs.trycloudflare.com|", host),
            (
                "2026-08-24T18:00:00Z INF |  Your quick Tunnel has been created! Visit it at (it may take some time):  |",
                None,
            ),
            ("2026-08-24T18:00:00Z INF +----------------------------+", None),
            ("2026-08-24T18:00:00Z INF Requesting new quick Tunnel on trycloudflare.com...", None),
            ("INF Thank you for trying Cloudflare Tunnel. (https://www.cloudflare.com/website-terms/)", None),
            (
                "2026-08-24T18:00:01Z INF Registered tunnel connection connIndex=0 connection=1 location=fra06",
                Some(Connected),
            ),
            (
                r#"ERR failed to request quick Tunnel: Post "https://api.trycloudflare.com/tunnel": dial tcp: timeout"#,
                None,
            ),
            ("|  failed: https://api.trycloudflare.com/tunnel  |", None),
            ("|  https://evil.example/.trycloudflare.com  |", None),
            ("|  https://trycloudflare.com  |", None),
            ("|  https://a.trycloudflare.com:8443  |", None),
            ("|  https://a.trycloudflare.com@evil.example  |", None),
            ("|  http://a-b.trycloudflare.com  |", None),
            ("|  https://a-b.trycloudflare.com", None),
            ("|  https://a-b.trycloudflare.com/path  |", None),
            ("ERR Request failed dest=https://real.trycloudflare.com/?|https://evil.trycloudflare.com type=http", None),
            ("|  https://a-b.trycloudflare.com | https://c-d.trycloudflare.com |", None),
            ("", None),
        ] {
            assert_eq!(Cloudflared.read(line), news, "{line}");
        }
    }

    #[test]
    fn a26_what_visitors_have_printed_does_not_change_the_host() {
        let boxed = |name: &str| format!("2026-08-24T18:00:00Z INF |  https://{name}.trycloudflare.com  |");
        let mut output = TunnelOutput::of(Cloudflared);
        assert_eq!(output.read("Requesting new quick Tunnel on trycloudflare.com..."), None);
        assert_eq!(output.read(&boxed("own")), None);
        assert!(!output.is_open());
        let connected = "INF Registered tunnel connection connIndex=0";
        assert_eq!(output.read(connected).as_deref(), Some("own.trycloudflare.com"));
        for line in [&boxed("evil"), connected, &format!("ERR dest=https://own.trycloudflare.com/?{}", boxed("evil"))] {
            assert_eq!(output.read(line), None, "{line}");
        }
        let started = |host: &str| format!(r#"{{"msg":"started tunnel","url":"https://{host}"}}"#);
        let mut output = TunnelOutput::of(Ngrok);
        assert_eq!(output.read(&started("own.ngrok-free.app")).as_deref(), Some("own.ngrok-free.app"));
        assert_eq!(output.read(&started("evil.ngrok-free.app")), None);
    }

    #[test]
    fn ngrok_prints_a_line_with_its_address() {
        let host = Some(ConnectedAs("ab12.ngrok-free.app".into()));
        for (line, news) in [
            (
                r#"{"addr":"http://localhost:1","lvl":"info","msg":"started tunnel","url":"https://ab12.ngrok-free.app"}"#,
                host.clone(),
            ),
            (
                "t=1 lvl=info msg=\"started tunnel\" obj=tunnels addr=http://localhost:1 url=https://ab12.ngrok-free.app",
                host,
            ),
            (r#"{"lvl":"info","msg":"started tunnel","url":"http://ab12.ngrok-free.app"}"#, None),
            (r#"{"lvl":"info","msg":"other","url":"https://ab12.ngrok-free.app"}"#, None),
            (r#"{"lvl":"eror","msg":"failed","err":"ERR_NGROK_4018 https://dashboard.ngrok.com/"}"#, None),
            ("lvl=info msg=\"other\" url=https://ab12.ngrok-free.app", None),
            (r#"{"msg":"started tunnel","url":5}"#, None),
            (r#"["started tunnel"]"#, None),
        ] {
            assert_eq!(Ngrok.read(line), news, "{line}");
        }
    }

    #[test]
    fn a_host_has_labels_only() {
        for bad in [
            "",
            "host",
            "-a.example",
            "a-.example",
            "a..example",
            "127.0.0.1",
            "a.example:80",
            "a.example\u{e9}",
            "a_b.example",
        ] {
            assert_eq!(host_of(bad), None, "{bad}");
        }
        assert_eq!(host_of("A.Example/path").as_deref(), Some("a.example"));
    }
}
