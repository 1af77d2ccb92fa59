//! The flags of `serve` and `check`: each is the spelling of one key of the configuration.
//!
//! It never judges a value; the configuration does, so that all faults come at once.

use std::path::PathBuf;

use clap::Args;

use crate::config::{Effective, Faults, Flag, Said, Surroundings, Value};

const LIMITS: [&str; 7] = [
    "limits.send_per_session",
    "limits.send_per_session_band",
    "limits.send_per_address",
    "limits.create_per_address",
    "limits.join_per_address",
    "limits.account_per_address",
    "limits.send_per_account",
];

/// What can be said about a hub on the command line.
#[derive(Args, Default)]
pub(crate) struct ServeArgs {
    /// Port to listen on; 0 takes any free one [default: 7424]
    #[arg(long, value_name = "PORT", allow_hyphen_values = true)]
    port: Option<String>,
    /// IP address to listen on; one that others can reach needs a token [default: 127.0.0.1]
    #[arg(long, value_name = "ADDRESS")]
    host: Option<String>,
    /// Serve the local network: listen everywhere, make a token if there is none, show a QR code
    #[arg(long)]
    lan: bool,
    /// Certificate to serve https with, a PEM file; it is read again when it changes
    #[arg(long, value_name = "FILE")]
    tls_cert: Option<String>,
    /// Private key of the certificate, a PEM file
    #[arg(long, value_name = "FILE")]
    tls_key: Option<String>,
    /// Bearer token that guards the hub; ROGERRAT_SERVER__TOKEN keeps it out of process lists
    #[arg(long, value_name = "TOKEN", allow_hyphen_values = true)]
    token: Option<String>,
    /// Serve a room for agent-chatroom clients at `/`, with this password; ROGERRAT_SERVER__CHATROOM keeps it out of process lists
    #[arg(long, value_name = "PASSWORD", allow_hyphen_values = true)]
    chatroom: Option<String>,
    /// Bearer token of the administration, which is off without one; ROGERRAT_SERVER__ADMIN_TOKEN keeps it out of lists
    #[arg(long, value_name = "TOKEN", allow_hyphen_values = true)]
    admin_token: Option<String>,
    /// Where the hub keeps its data [default: ~/.rogerrat]
    #[arg(long, value_name = "FOLDER")]
    data_dir: Option<String>,
    /// Address people use from outside, such as `https://hub.example.org`
    #[arg(long, value_name = "URL")]
    origin: Option<String>,
    /// Read this file; environment and flags win over it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Messages a session may send in a minute; off lifts every limit [default: 60]
    #[arg(long, value_name = "N|off", allow_hyphen_values = true)]
    rate_limit: Option<String>,
    /// Proxy whose X-Forwarded-For is believed; may be repeated
    #[arg(long, value_name = "CIDR")]
    trusted_proxy: Vec<String>,
    /// Threads that serve requests; 0 is one for each core [default: 0]
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    workers: Option<String>,
    /// How log lines look: text or json [default: text]
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<String>,
}

impl ServeArgs {
    /// The configuration these flags lead to here, or all that is wrong with it.
    pub(crate) fn read(self) -> Result<Effective, Faults> {
        Effective::read(&self.said(), &Surroundings::here())
    }

    fn said(self) -> Said {
        let texts = [
            ("--port", "server.port", self.port),
            ("--host", "server.host", self.host),
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
        if self.lan {
            flags.push(Flag { key: "server.lan", name: "--lan", value: Value::Typed(true.into()) });
        }
        if !self.trusted_proxy.is_empty() {
            let value = Value::Typed(self.trusted_proxy.into());
            flags.push(Flag { key: "server.trusted_proxies", name: "--trusted-proxy", value });
        }
        flags.extend(self.rate_limit.into_iter().flat_map(rate_limit));
        Said { file: self.config, flags }
    }
}

/// A number is the limit of a session; `off` turns off all there are.
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

    fn read(arguments: &str) -> Result<Effective, Faults> {
        let arguments = ["rogerrat", "check"].into_iter().chain(arguments.split_whitespace());
        let Command::Check(args) = Cli::try_parse_from(arguments).unwrap().command else { panic!("not a check") };
        let env = vec![("HOME".into(), "/home/ann".into())];
        Effective::read(&args.said(), &Surroundings { env, cores: 2, mint: String::new })
    }

    fn config(arguments: &str) -> Config {
        read(arguments).unwrap_or_else(|faults| panic!("{faults}")).config
    }

    #[test]
    fn every_flag_reaches_its_key() {
        let Config { server, storage, log, .. } = config(
            "--port 0 --host 192.0.2.1 --token -begins-with-a-dash --chatroom -p --data-dir ~/hub --origin https://hub.example.org \
             --trusted-proxy 10.0.0.0/8 --trusted-proxy 192.0.2.9 --workers 3 --log-format json --tls-cert a.pem \
             --tls-key k.pem --admin-token administer",
        );
        let tls = server.tls.unwrap();
        assert_eq!((tls.cert.to_str(), tls.key.to_str()), (Some("a.pem"), Some("k.pem")));
        assert_eq!((server.port, server.host.to_string(), server.workers), (0, "192.0.2.1".to_owned(), 3));
        assert_eq!(server.token.as_deref(), Some("-begins-with-a-dash"));
        assert_eq!(server.chatroom.as_deref(), Some("-p"));
        assert_eq!(server.admin_token.as_deref(), Some("administer"));
        assert_eq!(server.trusted_proxies.len(), 2);
        assert_eq!(server.origin.unwrap().host_str(), Some("hub.example.org"));
        assert_eq!(storage.data_dir, PathBuf::from("/home/ann/hub"));
        assert_eq!(format!("{:?}", log.format), "Json");
    }

    #[test]
    fn d26_rate_limit_sets_the_session_and_off_lifts_all() {
        let limits = config("--rate-limit 5").limits;
        assert_eq!((limits.send_per_session, limits.send_per_session_band), (5, 10));
        let lifted = read("--rate-limit off").unwrap();
        let lines = lifted.lines.iter().filter(|line| line.key.starts_with("limits.")).map(ToString::to_string);
        let lines = lines.collect::<Vec<_>>();
        assert_eq!(lines.len(), LIMITS.len());
        assert!(lines.iter().all(|line| line.ends_with(" = 0   # flag --rate-limit")), "{lines:?}");
    }

    #[test]
    fn faults_name_their_flags() {
        let faults = read("--port -1 --rate-limit fast --trusted-proxy proxy --lan --config /nowhere").unwrap_err();
        let faults = faults.to_string();
        for flag in ["server.port (flag --port)", "(flag --rate-limit)", "(flag --trusted-proxy)", "file /nowhere"] {
            assert!(faults.contains(flag), "{flag} is not in\n{faults}");
        }
    }
}
