//! The startup banner: the addresses of the hub, a command that creates a channel, and with `--lan` or a tunnel the token
//! and a QR code.
//!
//! It never puts a secret into a command: the token is exported on a separate line, and only with `--lan`, or if it was
//! generated for a tunnel. The link to the room of a tunnel contains the password, in its fragment.

use std::io::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::config::{Config, Server, TunnelProvider};
use crate::host_info;
use crate::web::qr::Qr;
use crate::web::quoted;
use crate::web::remote::encoded;

/// Returns the banner to print once the hub listens on `bound`, if it listens on TCP.
///
/// `chatroom` is the channel and the token of the agent-chatroom room at `/`.
fn banner(
    config: &Config,
    bound: Option<SocketAddr>,
    chatroom: Option<(String, &str)>,
    tunnel_host: Option<&str>,
) -> String {
    let Some(bound) = bound else { return socket_banner(&config.server, chatroom) };
    let lan = if config.server.lan { host_info::addresses_of(bound) } else { Vec::new() };
    let mut banner = compose(&config.server, bound, &lan, tunnel_host);
    if let Some((channel, token)) = chatroom {
        let local = SocketAddr::new(local_address(bound.ip()), bound.port());
        let reachable = lan.first().map_or(local, |ip| SocketAddr::new(*ip, bound.port()));
        let base = match tunnel_host {
            Some(host) => format!("https://{host}"),
            None => format!("{}://{reachable}", config.server.scheme()),
        };
        banner += &format!(
            "\nChatroom, for browsers and agent-chatroom clients:\n\n  {base}/\n  agent-chat join --url {base} --password \
             \"$PASSWORD\" --agent-name NAME\n\nIts channel and token for the REST API and MCP:\n\n  {channel}\n  {token}\n"
        );
    }
    banner
}

/// Prints that the tunnel has another host.
pub(crate) fn print_moved(server: &Server, host: &str) {
    let link = public_link(server, host);
    let code = Qr::of(&link).map(|code| code.plain()).unwrap_or_default();
    print(&format!(
        "\nThe tunnel has another address, and links to the old one no longer work:\n\n  {link}\n\n{code}\n"
    ));
}

/// Whoever started the hub may not read its output any more.
fn print(text: &str) {
    let _ = io::stdout().lock().write_all(text.as_bytes());
}

/// What a person opens: the room with its password, or the landing page.
fn public_link(server: &Server, host: &str) -> String {
    match &server.chatroom {
        Some(password) => {
            format!("https://{host}/#p={}", encoded(password))
        }
        None => format!("https://{host}/"),
    }
}

/// What people must know of a tunnel.
fn tunnel_notes(server: &Server, host: &str) -> Vec<String> {
    let notes = match server.tunnel.as_ref().map(|settings| settings.provider) {
        Some(TunnelProvider::Cloudflared) => {
            "The address changes at every start. Streams by GET arrive late through it: agents use `rogerrat wait` or\n\
             `rogerrat listen-here`, which read by POST or by polls."
        }
        Some(TunnelProvider::Ngrok) => "ngrok shows browsers a page of its own first; programs do not get it.",
        None => "",
    };
    let password =
        server.chatroom.as_ref().map(|_| "\nThe link contains the password of the room.").unwrap_or_default();
    let link = public_link(server, host);
    let head = format!("\nOn the internet, for whoever has the address:\n\n  {link}\n");
    vec![head, format!("{notes}{password}\n")]
}

/// Prints the banner, and logs where the hub listens.
pub(crate) fn print_banner(
    config: &Config,
    bound: Option<SocketAddr>,
    chatroom: Option<(String, &str)>,
    tunnel_host: Option<&str>,
) {
    print(&banner(config, bound, chatroom, tunnel_host));
    let address = bound.map_or_else(String::new, |bound| bound.to_string());
    let socket = config.server.socket.as_ref().map_or_else(String::new, |socket| socket.path.display().to_string());
    log::info!(address, socket, workers = config.server.workers; "listening");
}

/// `lan` are the addresses at which other machines reach the hub, in order of preference.
fn compose(server: &Server, bound: SocketAddr, lan: &[IpAddr], tunnel_host: Option<&str>) -> String {
    let base = |address| format!("{}://{address}", server.scheme());
    let local = base(SocketAddr::new(local_address(bound.ip()), bound.port()));
    let lan = lan.iter().map(|address| base(SocketAddr::new(*address, bound.port()))).collect::<Vec<_>>();
    let mut lines = vec![format!("rogerrat {}", env!("CARGO_PKG_VERSION")), String::new(), format!("  {local}")];
    lines.extend(lan.iter().filter(|address| **address != local).map(|address| format!("  {address}")));
    lines.extend(server.socket.as_ref().map(|socket| format!("  unix:{}", socket.path.display())));
    lines.extend(server.origin.as_ref().map(|origin| format!("  {}", origin.origin().ascii_serialization())));
    let public = tunnel_host.map(|host| format!("https://{host}"));
    lines.extend(public.iter().map(|address| format!("  {address}")));
    lines.extend(snippet(server, public.as_ref().or(lan.first()).unwrap_or(&local), ""));
    if let Some(host) = tunnel_host {
        lines.extend(tunnel_notes(server, host));
        lines.extend(Qr::of(&public_link(server, host)).map(|code| code.plain()));
    } else if let Some(address) = lan.first() {
        lines.push(String::new());
        lines.extend(Qr::of(&format!("{address}/")).map(|code| code.plain()));
    }
    lines.join("\n") + "\n"
}

/// The banner of a hub that listens on a socket only.
fn socket_banner(server: &Server, chatroom: Option<(String, &str)>) -> String {
    let path = server.socket.as_ref().map(|socket| socket.path.display().to_string()).unwrap_or_default();
    let mut lines = vec![format!("rogerrat {}", env!("CARGO_PKG_VERSION")), String::new(), format!("  unix:{path}")];
    lines.extend(snippet(server, "http://localhost", &format!("--unix-socket {} ", quoted(&path))));
    if let Some((channel, token)) = chatroom {
        lines.push(format!("\nChannel and token of the chatroom:\n\n  {channel}\n  {token}"));
    }
    lines.join("\n") + "\n"
}

/// An address at which this machine itself reaches the socket.
fn local_address(bound: IpAddr) -> IpAddr {
    match bound {
        IpAddr::V4(v4) if v4.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(v6) if v6.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        own => own,
    }
}

/// The commands that create a channel. curl reads the token from standard input, because arguments are visible to other
/// processes.
fn snippet(server: &Server, base: &str, socket_flag: &str) -> Vec<String> {
    let mut lines = vec![String::new(), "Create a channel:".to_owned(), String::new()];
    let is_shown = server.lan || (server.tunnel.is_some() && server.has_generated_token);
    let token = server.token.as_ref().filter(|_| is_shown);
    lines.extend(token.map(|token| format!("  export ROGERRAT_TOKEN={}", quoted(token))));
    let post = format!("{socket_flag}-X POST {base}/api/channels -d '{{}}'");
    lines.push(match &server.token {
        None => format!("  curl -s {post}"),
        Some(_) => {
            let config = r#"printf 'header = "Authorization: Bearer %s"\n' "$ROGERRAT_TOKEN""#;
            format!("  {config} | curl -s -K - {post}")
        }
    });
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{CommandLine, EffectiveConfig, Environment, Flag, Value};

    const TOKEN: &str = "it's-a-secret";

    fn server(flags: &[(&'static str, &str)]) -> Server {
        let flag =
            |(key, text): &(&'static str, &str)| Flag { key, name: "--x", value: Value::Text((*text).to_owned()) };
        let command_line = CommandLine { flags: flags.iter().map(flag).collect(), ..CommandLine::default() };
        let variables = vec![("HOME".into(), "/home/ann".into())];
        let environment = Environment { variables, cores: 1, generate_token: String::new };
        EffectiveConfig::read(&command_line, &environment).unwrap().config.server
    }

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn on_loopback_it_shows_the_address_and_one_command() {
        let banner = compose(&server(&[]), address("127.0.0.1:7424"), &[], None);
        let expected = format!(
            "rogerrat {}\n\n  http://127.0.0.1:7424\n\nCreate a channel:\n\n  \
             curl -s -X POST http://127.0.0.1:7424/api/channels -d '{{}}'\n",
            env!("CARGO_PKG_VERSION")
        );
        assert_eq!(banner, expected);
    }

    #[test]
    fn d29_the_token_is_printed_only_with_lan() {
        let server = server(&[("server.token", TOKEN)]);
        let banner = compose(&server, address("127.0.0.1:7424"), &[], None);
        assert!(banner.contains("\"$ROGERRAT_TOKEN\" | curl -s -K - -X POST"), "{banner}");
        assert!(!banner.contains("secret") && !banner.contains("export"), "{banner}");
    }

    #[test]
    fn d23_lan_shows_every_address_the_token_and_a_qr_code() {
        let server = server(&[("server.token", TOKEN), ("server.lan", "true")]);
        let lan = ["192.168.1.5", "10.0.0.2"].map(|text| text.parse().unwrap());
        let banner = compose(&server, address("0.0.0.0:81"), &lan, None);
        for line in ["  http://127.0.0.1:81", "  http://192.168.1.5:81", "  http://10.0.0.2:81"] {
            assert!(banner.lines().any(|l| l == line), "{line} is not in\n{banner}");
        }
        assert!(banner.contains("  export ROGERRAT_TOKEN='it'\\''s-a-secret'\n"), "{banner}");
        assert!(banner.contains("curl -s -K - -X POST http://192.168.1.5:81/api/channels"), "{banner}");
        assert!(banner.contains('█') && banner.contains('▀'), "{banner}");
    }

    #[test]
    fn a_socket_is_shown_beside_or_instead_of_the_port() {
        let beside = server(&[("server.socket", "/run/rr.sock")]);
        let banner = compose(&beside, address("127.0.0.1:81"), &[], None);
        assert!(banner.contains("  http://127.0.0.1:81\n  unix:/run/rr.sock\n"), "{banner}");
        let instead = server(&[("server.socket", "/run/rr's.sock"), ("server.tcp", "false")]);
        let banner = socket_banner(&instead, None);
        assert!(banner.contains("  unix:/run/rr's.sock\n") && !banner.contains("127.0.0.1"), "{banner}");
        let command = "curl -s --unix-socket '/run/rr'\\''s.sock' -X POST http://localhost/api/channels -d '{}'\n";
        assert!(banner.ends_with(command), "{banner}");
    }

    #[test]
    fn with_a_certificate_addresses_are_https() {
        let server = server(&[("server.tls_cert", "c.pem"), ("server.tls_key", "k.pem")]);
        let banner = compose(&server, address("127.0.0.1:81"), &[], None);
        assert!(banner.contains("  https://127.0.0.1:81\n") && !banner.contains("http://"), "{banner}");
    }

    #[test]
    fn the_public_origin_is_shown_too() {
        let server = server(&[("server.origin", "https://hub.example.org")]);
        let banner = compose(&server, address("[::1]:7424"), &[], None);
        assert!(banner.contains("  http://[::1]:7424\n  https://hub.example.org\n"), "{banner}");
    }
}
