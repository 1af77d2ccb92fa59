//! What the programs of tunnels print: the host of the tunnel, and that it is connected. Free of side effects.

use serde_json::Value;

use crate::config::TunnelProvider;

/// The domain of cloudflared's quick tunnels.
const QUICK_DOMAIN: &str = ".trycloudflare.com";

/// What a line means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TunnelNews {
    /// The host of the tunnel, in lower case.
    Host(String),
    /// The tunnel is connected.
    Connected,
    /// Both.
    ConnectedAs(String),
}

impl TunnelProvider {
    /// Reads a line of the program's output.
    pub(super) fn read(self, line: &str) -> Option<TunnelNews> {
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
    let (_, boxed) = line.split_once('|')?;
    let host = host_of(boxed.split_once("https://")?.1)?;
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
            ("", None),
        ] {
            assert_eq!(Cloudflared.read(line), news, "{line}");
        }
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
