//! The flags of `serve` and `check`. Each flag sets a configuration key.
//!
//! Values are not validated here: the configuration does that, so that all errors are reported at once.

use std::path::PathBuf;

use clap::Args;

use crate::config::{CommandLine, ConfigErrors, EffectiveConfig, Environment, Flag, Value};

const LIMITS: [&str; 10] = [
    "limits.send_per_session",
    "limits.send_per_session_band",
    "limits.send_per_address",
    "limits.create_per_address",
    "limits.join_per_address",
    "limits.account_per_address",
    "limits.qr_per_address",
    "limits.push_per_address",
    "limits.email_per_address",
    "limits.send_per_account",
];
/// Turned off with the rate limits, unless it is set: a load test opens all its connections from one address.
const CONNECTIONS: &str = "server.max_connections_per_address";

/// Flags of `serve` and `check`.
#[derive(Args, Default)]
pub(crate) struct ServeArgs {
    /// Port to listen on; 0 picks a free one [default: 7424]
    #[arg(long, value_name = "PORT", allow_hyphen_values = true)]
    port: Option<String>,
    /// IP address to listen on; one that other machines can reach requires a token [default: 127.0.0.1]
    #[arg(long, value_name = "ADDRESS")]
    host: Option<String>,
    /// Unix socket to listen on, beside the port, for clients without a network
    #[arg(long, value_name = "PATH")]
    socket: Option<String>,
    /// Permission bits of the socket [default: 0600]
    #[arg(long, value_name = "OCTAL", allow_hyphen_values = true)]
    socket_mode: Option<String>,
    /// Listen on the socket only
    #[arg(long)]
    no_tcp: bool,
    /// Serve the local network: listen on all interfaces, generate a token if none is set, show a QR code
    #[arg(long)]
    lan: bool,
    /// Make the hub reachable from the internet by an installed program, cloudflared or ngrok; generates a token if none is
    /// set, shows the public address and a QR code
    #[arg(long, value_name = "PROGRAM")]
    tunnel: Option<String>,
    /// Path of the program that opens the tunnel
    #[arg(long, value_name = "PATH")]
    tunnel_command: Option<String>,
    /// Serve without a tunnel if it cannot be opened
    #[arg(long)]
    tunnel_optional: bool,
    /// PEM file with the certificate to serve https with; reloaded when it changes
    #[arg(long, value_name = "FILE")]
    tls_cert: Option<String>,
    /// PEM file with the private key of the certificate
    #[arg(long, value_name = "FILE")]
    tls_key: Option<String>,
    /// Bearer token that protects the hub; ROGERRAT_SERVER__TOKEN keeps it out of process lists
    #[arg(long, value_name = "TOKEN", allow_hyphen_values = true)]
    token: Option<String>,
    /// Password of a room for agent-chatroom clients at `/`; ROGERRAT_SERVER__CHATROOM keeps it out of process lists
    #[arg(long, value_name = "PASSWORD", allow_hyphen_values = true)]
    chatroom: Option<String>,
    /// Bearer token that enables the admin API; ROGERRAT_SERVER__ADMIN_TOKEN keeps it out of process lists
    #[arg(long, value_name = "TOKEN", allow_hyphen_values = true)]
    admin_token: Option<String>,
    /// Data directory [default: ~/.rogerrat]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<String>,
    /// Public URL of the hub, such as `https://hub.example.org`
    #[arg(long, value_name = "URL")]
    origin: Option<String>,
    /// Configuration file; environment variables and flags override it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Messages per minute and session; off disables all rate limits, and the limit of connections per address
    /// [default: 60]
    #[arg(long, value_name = "N|off", allow_hyphen_values = true)]
    rate_limit: Option<String>,
    /// Proxy whose X-Forwarded-For header is trusted; may be repeated
    #[arg(long, value_name = "CIDR")]
    trusted_proxy: Vec<String>,
    /// Worker threads; 0 is one per core [default: 0]
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    workers: Option<String>,
    /// Log format: text or json [default: text]
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<String>,
}

impl ServeArgs {
    /// Reads the configuration with these flags and the environment of this process.
    pub(crate) fn read(self) -> Result<EffectiveConfig, ConfigErrors> {
        EffectiveConfig::read(&self.command_line(), &Environment::current())
    }

    fn command_line(self) -> CommandLine {
        let texts = [
            ("--port", "server.port", self.port),
            ("--host", "server.host", self.host),
            ("--socket", "server.socket", self.socket),
            ("--socket-mode", "server.socket_mode", self.socket_mode),
            ("--tunnel", "server.tunnel", self.tunnel),
            ("--tunnel-command", "server.tunnel_command", self.tunnel_command),
            ("--tls-cert", "server.tls_cert", self.tls_cert),
            ("--tls-key", "server.tls_key", self.tls_key),
            ("--token", "server.token", self.token),
            ("--chatroom", "server.chatroom", self.chatroom),
            ("--admin-token", "server.admin_token", self.admin_token),
            ("--data-dir", "storage.data_dir", self.data_dir),
            ("--origin", "server.origin", self.origin),
            ("--workers", "server.workers", self.workers),
            ("--log-format", "log.format", self.log_format),
        ];
        let text = |(name, key, text): (_, _, Option<String>)| Some(Flag { key, name, value: Value::Text(text?) });
        let mut flags = texts.into_iter().filter_map(text).collect::<Vec<_>>();
        if self.no_tcp {
            flags.push(Flag { key: "server.tcp", name: "--no-tcp", value: Value::Typed(false.into()) });
        }
        if self.lan {
            flags.push(Flag { key: "server.lan", name: "--lan", value: Value::Typed(true.into()) });
        }
        if self.tunnel_optional {
            let value = Value::Typed(true.into());
            flags.push(Flag { key: "server.tunnel_optional", name: "--tunnel-optional", value });
        }
        if !self.trusted_proxy.is_empty() {
            let value = Value::Typed(self.trusted_proxy.into());
            flags.push(Flag { key: "server.trusted_proxies", name: "--trusted-proxy", value });
        }
        let mut weak_flags = Vec::new();
        if self.rate_limit.as_deref() == Some("off") {
            weak_flags.push(Flag { key: CONNECTIONS, name: "--rate-limit", value: Value::Typed(0.into()) });
        }
        flags.extend(self.rate_limit.into_iter().flat_map(rate_limit));
        CommandLine { file: self.config, flags, weak_flags }
    }
}

/// A number sets the limit per session; `off` disables all rate limits.
fn rate_limit(text: String) -> Vec<Flag> {
    let flag = |key, value| Flag { key, name: "--rate-limit", value };
    if text == "off" {
        LIMITS.into_iter().map(|key| flag(key, Value::Typed(0.into()))).collect()
    } else {
        vec![flag(LIMITS[0], Value::Text(text))]
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::{Cli, Command};
    use crate::config::Config;

    fn read(arguments: &str) -> Result<EffectiveConfig, ConfigErrors> {
        read_with(arguments, &[])
    }

    fn read_with(arguments: &str, more: &[(&str, &str)]) -> Result<EffectiveConfig, ConfigErrors> {
        let arguments = ["rogerrat", "check"].into_iter().chain(arguments.split_whitespace());
        let Command::Check(args) = Cli::try_parse_from(arguments).unwrap().command else { panic!("not a check") };
        let args = args.serve;
        let variables = [&[("HOME", "/home/ann")], more].concat();
        let variables = variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        let environment = Environment { variables, cores: 2, generate_token: String::new };
        EffectiveConfig::read(&args.command_line(), &environment)
    }

    fn config(arguments: &str) -> Config {
        read(arguments).unwrap_or_else(|errors| panic!("{errors}")).config
    }

    #[test]
    fn every_flag_sets_its_key() {
        let Config { server, storage, log, .. } = config(
            "--port 0 --host 192.0.2.1 --tunnel-optional --tunnel-command t --token -begins-with-a-dash --chatroom -p --data-dir ~/hub --origin https://hub.example.org \
             --trusted-proxy 10.0.0.0/8 --trusted-proxy 192.0.2.9 --workers 3 --log-format json --tls-cert a.pem \
             --tls-key k.pem --admin-token administer --socket ~/hub.sock --socket-mode 660 --no-tcp",
        );
        let tls = server.tls.unwrap();
        assert_eq!((tls.cert.to_str(), tls.key.to_str()), (Some("a.pem"), Some("k.pem")));
        assert_eq!((server.port, server.host.to_string(), server.workers), (0, "192.0.2.1".to_owned(), 3));
        let socket = server.socket.unwrap();
        assert_eq!((socket.path, socket.mode, server.tcp), (PathBuf::from("/home/ann/hub.sock"), 0o660, false));
        assert_eq!(server.token.as_deref(), Some("-begins-with-a-dash"));
        assert_eq!(server.chatroom.as_deref(), Some("-p"));
        assert_eq!(server.admin_token.as_deref(), Some("administer"));
        assert_eq!(server.trusted_proxies.len(), 2);
        assert_eq!(server.origin.unwrap().host_str(), Some("hub.example.org"));
        assert_eq!(storage.data_dir, PathBuf::from("/home/ann/hub"));
        assert_eq!(format!("{:?}", log.format), "Json");
    }

    #[test]
    fn d26_rate_limit_sets_the_session_limit_and_off_disables_all() {
        let limits = config("--rate-limit 5").limits;
        assert_eq!((limits.send_per_session, limits.send_per_session_band), (5, 10));
        let off = read("--rate-limit off").unwrap();
        let lines = off.values.iter().filter(|value| value.key.starts_with("limits.")).map(ToString::to_string);
        let lines = lines.collect::<Vec<_>>();
        assert_eq!(lines.len(), LIMITS.len());
        assert!(lines.iter().all(|line| line.ends_with(" = 0   # flag --rate-limit")), "{lines:?}");
    }

    #[test]
    fn d30_rate_limit_off_lifts_the_limit_of_connections_unless_it_is_set() {
        let line = |arguments, variables: &[_]| {
            let read = read_with(arguments, variables).unwrap();
            read.values.iter().find(|value| value.key == CONNECTIONS).unwrap().to_string()
        };
        assert!(line("--rate-limit off", &[]).ends_with(" = 0   # flag --rate-limit"));
        assert!(line("--rate-limit 5", &[]).ends_with(" = 1000   # default"));
        let set = line("--rate-limit off", &[("ROGERRAT_SERVER__MAX_CONNECTIONS_PER_ADDRESS", "7")]);
        assert!(set.ends_with(" = 7   # env ROGERRAT_SERVER__MAX_CONNECTIONS_PER_ADDRESS"), "{set}");
    }

    #[test]
    fn errors_name_their_flags() {
        let errors = read("--port -1 --rate-limit fast --trusted-proxy proxy --lan --config /nowhere").unwrap_err();
        let errors = errors.to_string();
        for flag in ["server.port (flag --port)", "(flag --rate-limit)", "(flag --trusted-proxy)", "file /nowhere"] {
            assert!(errors.contains(flag), "{flag} is not in\n{errors}");
        }
    }
}
