//! Tests of the whole configuration: layers, errors, and the rules between keys.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;

use super::raw::DEFAULT_TOML;
use super::*;

const TOKEN: &str = "correct-horse-battery";

/// Inputs of a configuration, independent of this machine.
struct Inputs {
    command_line: CommandLine,
    environment: Environment,
}

fn defaults() -> Inputs {
    let variables = vec![("HOME".into(), "/home/ann".into())];
    let environment = Environment { variables, cores: 6, generate_token: || "generated-token".to_owned() };
    Inputs { command_line: CommandLine::default(), environment }
}

impl Inputs {
    fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.variables.push((OsString::from(name), OsString::from(value)));
        self
    }

    fn flag(mut self, name: &'static str, key: &'static str, value: &str) -> Self {
        self.command_line.flags.push(Flag { key, name, value: Value::Text(value.to_owned()) });
        self
    }

    fn lan(mut self) -> Self {
        self.command_line.flags.push(Flag { key: "server.lan", name: "--lan", value: Value::Typed(true.into()) });
        self
    }

    /// Writes a configuration file; `name` is unique per test.
    fn file(mut self, name: &str, text: &str) -> Self {
        let path = path_of(name);
        std::fs::write(&path, text).unwrap();
        self.command_line.file = Some(path);
        self
    }

    fn read(&self) -> EffectiveConfig {
        EffectiveConfig::read(&self.command_line, &self.environment).unwrap_or_else(|errors| panic!("{errors}"))
    }

    fn errors(&self) -> Vec<String> {
        let read = EffectiveConfig::read(&self.command_line, &self.environment);
        let errors = read.expect_err("it should not be accepted");
        errors.to_string().lines().map(str::to_owned).collect()
    }

    fn line(&self, key: &str) -> String {
        self.read().values.iter().find(|value| value.key == key).unwrap().to_string()
    }
}

fn path_of(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("rogerrat-config-{}-{name}.toml", std::process::id()))
}

#[test]
fn the_defaults_match_the_documentation() {
    let Config { server, limits, channels, accounts, email, push, storage, database, cluster, log } =
        defaults().read().config;
    assert_eq!((cluster.listen, cluster.url, database.url, database.ca_file), (None, None, None, None));
    assert_eq!((server.host.to_string(), server.port, server.lan), ("127.0.0.1".to_owned(), 7424, false));
    assert!(server.token.is_none() && server.origin.is_none() && server.trusted_proxies.is_empty());
    assert!(server.allowed_hosts.is_empty() && server.allowed_origins.is_empty());
    assert_eq!((server.workers, server.max_connections, server.drain_ms), (6, 25_000, 5_000));
    assert_eq!((limits.send_per_session, limits.send_per_session_band), (60, 10));
    assert_eq!((channels.anonymous_unused_days, channels.idle_minutes), (30, 60));
    assert_eq!(channels.member_ttl_seconds, 604_800);
    assert_eq!((accounts.channels, accounts.identities, accounts.webhooks), (100, 20, 10));
    assert_eq!(limits.send_per_account, 600);
    assert!(push.hosts.is_empty() && push.contact(None).is_err());
    assert_eq!((limits.send_per_account, limits.email_per_address, limits.push_per_address), (600, 0, 0));
    assert!(email.settings.is_none() && email.per_hour == 200);
    assert_eq!(storage.data_dir, PathBuf::from("/home/ann/.rogerrat"));
    assert_eq!((storage.max_mib, storage.backlog_messages, storage.backlog_mib), (0, 10_000, 64));
    assert_eq!((log.format, log.level.as_str()), (LogFormat::Text, "info"));
}

#[test]
fn every_key_of_the_default_is_read_and_explained() {
    let read = defaults().read().values.iter().map(|value| value.key.to_owned()).collect::<BTreeSet<_>>();
    let known = RawConfig::defaults(&mut Vec::new()).keys().map(str::to_owned).collect::<BTreeSet<_>>();
    assert_eq!(read, known);
    let lines = DEFAULT_TOML.lines().collect::<Vec<_>>();
    for pair in lines.windows(2).filter(|pair| pair[1].contains(" = ") && !pair[1].starts_with('#')) {
        assert!(pair[0].starts_with("# "), "a comment is missing above: {}", pair[1]);
    }
}

#[test]
fn later_layers_override_earlier_ones() {
    let mut inputs = defaults().file("layers", "[server]\nport = 1001\nworkers = 3\n[log]\nformat = 'json'\n");
    let file = path_of("layers");
    assert_eq!(inputs.line("server.port"), format!("server.port = 1001   # file {}", file.display()));
    inputs = inputs.env("ROGERRAT_SERVER__PORT", "1002").env("ROGERRAT_LOG__FORMAT", "text");
    assert_eq!(inputs.line("server.port"), "server.port = 1002   # env ROGERRAT_SERVER__PORT");
    inputs = inputs.flag("--port", "server.port", "1003");
    assert_eq!(inputs.line("server.port"), "server.port = 1003   # flag --port");
    assert_eq!(inputs.line("log.format"), "log.format = \"text\"   # env ROGERRAT_LOG__FORMAT");
    assert_eq!(inputs.read().config.server.workers, 3);
    assert_eq!(inputs.line("server.drain_ms"), "server.drain_ms = 5000   # default");
    std::fs::remove_file(file).unwrap();
}

#[test]
fn all_errors_are_reported_at_once_with_key_and_origin() {
    let errors = defaults()
        .file("errors", "stray = 1\n[server]\nport = \"x\"\nhosts = []\n[limit]\nsend = 1\n")
        .env("ROGERRAT_LIMITS__SEND_PER_SESSION", "-4")
        .env("ROGERRAT_LOG__COLOUR", "red")
        .env("ROGERRAT_server__port", "7")
        .flag("--workers", "server.workers", "5000")
        .flag("--data-dir", "storage.data_dir", "~bob/hub")
        .flag("--log-format", "log.format", "xml")
        .errors();
    let file = path_of("errors");
    let expected = [
        format!(
            "limit.send (file {}): unknown section; the sections are accounts, channels, cluster, database, email,",
            file.display()
        ),
        format!("server.hosts (file {}): unknown key; [server] has admin_token, allowed_hosts,", file.display()),
        format!("stray (file {}): unknown section;", file.display()),
        "log.colour (env ROGERRAT_LOG__COLOUR): unknown key; [log] has format, level".to_owned(),
        "server.port (env ROGERRAT_server__port): unknown variable; write its name in upper case".to_owned(),
        format!("server.port (file {}): expected a whole number from 0 to 65535, got \"x\"", file.display()),
        "server.workers (flag --workers): expected a whole number from 0 to 1024, got \"5000\"".to_owned(),
        "limits.send_per_session (env ROGERRAT_LIMITS__SEND_PER_SESSION): expected a whole number".to_owned(),
        "storage.data_dir (flag --data-dir): expected a directory; ~ must be alone or followed by /".to_owned(),
        "log.format (flag --log-format): expected text or json, got \"xml\"".to_owned(),
    ];
    for start in &expected {
        assert!(errors.iter().any(|error| error.starts_with(start)), "{start}\nis not in\n{}", errors.join("\n"));
    }
    assert_eq!(errors.len(), expected.len(), "{errors:#?}");
    std::fs::remove_file(file).unwrap();
}

#[test]
fn a_section_and_a_value_cannot_replace_each_other() {
    let errors = defaults().file("shape", "server = 5\n[limits.send_per_session]\na = 1\n").errors();
    assert!(errors.iter().any(|error| error.starts_with("server (") && error.contains("unknown key; [server] has")));
    assert!(errors.iter().any(|error| error.starts_with("limits.send_per_session (")));
    std::fs::remove_file(path_of("shape")).unwrap();
}

#[test]
fn other_variables_are_ignored() {
    defaults().env("ROGERRAT_TOKEN", "x").env("ROGER__RAT", "x").env("PATH", "").read();
}

#[test]
fn lists_in_the_environment_are_separated_by_commas() {
    let server = defaults()
        .env("ROGERRAT_SERVER__TRUSTED_PROXIES", "10.0.0.0/8, 192.168.1.1")
        .env("ROGERRAT_SERVER__ALLOWED_HOSTS", "Hub.Internal,other")
        .env("ROGERRAT_SERVER__ALLOWED_ORIGINS", "https://App.example/")
        .read()
        .config
        .server;
    let proxies = server.trusted_proxies.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(proxies, ["10.0.0.0/8", "192.168.1.1/32"]);
    assert_eq!(server.allowed_hosts, ["hub.internal", "other"]);
    assert_eq!(server.allowed_origins, ["https://app.example"]);
}

#[test]
fn d26_on_loopback_the_address_limits_are_off_unless_set() {
    let loopback = defaults().env("ROGERRAT_LIMITS__JOIN_PER_ADDRESS", "7");
    assert_eq!(loopback.line("limits.send_per_address"), "limits.send_per_address = 0   # default (loopback bind)");
    assert_eq!(loopback.line("limits.create_per_address"), "limits.create_per_address = 0   # default (loopback bind)");
    assert_eq!(loopback.read().config.limits.join_per_address, 7);
    let open = defaults().flag("--host", "server.host", "192.0.2.1").flag("--token", "server.token", TOKEN);
    let limits = open.read().config.limits;
    assert_eq!((limits.send_per_address, limits.create_per_address, limits.join_per_address), (600, 60, 120));
}

#[test]
fn d23_a_host_reachable_from_other_machines_needs_a_token() {
    let open = defaults().flag("--host", "server.host", "0.0.0.0");
    let errors = open.errors();
    assert_eq!(errors.len(), 1);
    assert!(
        errors[0].starts_with("server.host (flag --host): 0.0.0.0 is reachable from other machines"),
        "{}",
        errors[0]
    );
    assert!(errors[0].contains("--token") && errors[0].contains("--lan"));
    assert!(open.env("ROGERRAT_SERVER__TOKEN", TOKEN).read().config.server.token.as_deref() == Some(TOKEN));
}

#[test]
fn d23_lan_listens_on_all_interfaces_and_generates_a_token() {
    let lan = defaults().lan();
    assert_eq!(lan.line("server.host"), "server.host = \"0.0.0.0\"   # flag --lan");
    assert_eq!(lan.line("server.token"), "server.token = (set)   # generated");
    assert_eq!(lan.read().config.server.token.as_deref(), Some("generated-token"));
    assert_eq!(lan.read().config.limits.send_per_address, 600);
    let given = defaults().lan().flag("--token", "server.token", TOKEN);
    assert_eq!(given.line("server.token"), "server.token = (set)   # flag --token");
}

#[test]
fn lan_keeps_a_host_of_the_same_or_a_later_layer() {
    let same_layer = defaults().lan().flag("--host", "server.host", "192.0.2.7");
    assert_eq!(same_layer.line("server.host"), "server.host = \"192.0.2.7\"   # flag --host");
    let earlier = defaults().env("ROGERRAT_SERVER__HOST", "127.0.0.1").lan();
    assert_eq!(earlier.line("server.host"), "server.host = \"0.0.0.0\"   # flag --lan");
    let later = defaults().env("ROGERRAT_SERVER__LAN", "true").flag("--host", "server.host", "127.0.0.1");
    assert!(later.read().config.server.host.is_loopback());
}

#[test]
fn a_token_is_never_printed() {
    let shown = defaults().env("ROGERRAT_SERVER__TOKEN", TOKEN).read();
    assert!(shown.values.iter().all(|value| !value.to_string().contains(TOKEN)));
    assert!(!format!("{:?}", shown.config).contains(TOKEN));
    for bad in ["sécret-token", "s3cr3t", "two words here", &"s3cr3t".repeat(50)] {
        let errors = defaults().env("ROGERRAT_SERVER__TOKEN", bad).errors().join("\n");
        assert!(errors.contains("server.token (env ROGERRAT_SERVER__TOKEN): expected text of 8 to 256"), "{errors}");
        assert!(!errors.contains(bad), "{errors}");
    }
    let errors = defaults().file("secret", &format!("[server]\n# one\ntoken = {TOKEN}\n")).errors();
    assert!(errors[0].contains("line 3 is not TOML") && !errors.join("\n").contains(TOKEN), "{errors:?}");
    std::fs::remove_file(path_of("secret")).unwrap();
}

#[test]
fn an_empty_token_from_a_flag_or_variable_is_an_error() {
    let errors = defaults().lan().flag("--token", "server.token", "").errors();
    assert!(errors[0].starts_with("server.token (flag --token): the token is empty"), "{errors:?}");
    assert_eq!(errors.len(), 1);
}

#[test]
fn an_origin_is_a_url_without_path() {
    let inputs = defaults().flag("--origin", "server.origin", "https://Hub.example.org/");
    assert_eq!(inputs.line("server.origin"), "server.origin = \"https://hub.example.org\"   # flag --origin");
    let errors = defaults().flag("--origin", "server.origin", "https://ann:s3cr3t@hub.example.org").errors();
    assert!(errors[0].starts_with("server.origin (flag --origin): expected an http or https URL"));
    assert!(!errors[0].contains("s3cr3t"));
}

#[test]
fn certificate_and_key_must_be_set_together() {
    for (set, missing) in [("server.tls_cert", "server.tls_key"), ("server.tls_key", "server.tls_cert")] {
        let errors = defaults().flag("--tls", set, "/etc/hub.pem").flag("--port", "server.port", "x").errors();
        assert_eq!(errors.len(), 2, "{errors:?}");
        let error = errors.iter().find(|error| error.starts_with(&format!("{set} (flag --tls)"))).unwrap();
        assert!(error.contains(missing) && error.contains("set both keys, or neither"), "{error}");
    }
    assert_eq!(defaults().file("tls", "[server]\ntls_cert = 1\ntls_key = []\n").errors().len(), 2);
    std::fs::remove_file(path_of("tls")).unwrap();
    let both = defaults().flag("-c", "server.tls_cert", "c.pem").flag("-k", "server.tls_key", "k.pem");
    assert_eq!(both.line("server.tls_key"), "server.tls_key = \"k.pem\"   # flag -k");
    assert!(both.read().config.server.tls.is_some() && defaults().read().config.server.tls.is_none());
}

#[test]
fn workers_default_to_the_number_of_cores() {
    assert_eq!(defaults().line("server.workers"), "server.workers = 6   # default (number of cores)");
    let zero = defaults().flag("--workers", "server.workers", "0");
    assert_eq!(zero.line("server.workers"), "server.workers = 6   # flag --workers");
}

#[test]
fn a_misspelt_level_is_an_error() {
    for level in ["info", "debug,rogerrat::http=trace", "warn, actix_server=off"] {
        assert_eq!(defaults().env("ROGERRAT_LOG__LEVEL", level).read().config.log.level, level);
    }
    for level in ["inof", "", "rogerrat=loud", "a=b=info", "info,,debug"] {
        assert_eq!(defaults().env("ROGERRAT_LOG__LEVEL", level).errors().len(), 1, "{level}");
    }
}

#[test]
fn a_missing_file_or_home_is_an_error() {
    let mut inputs = defaults();
    inputs.command_line.file = Some(PathBuf::from("/nowhere/hub.toml"));
    inputs.environment.variables.clear();
    let errors = inputs.errors();
    assert!(errors[0].starts_with("file /nowhere/hub.toml: cannot be read:"), "{errors:?}");
    assert!(errors[1].starts_with("storage.data_dir (default): ~ is the home directory"), "{errors:?}");
}

#[test]
fn a_socket_has_permission_bits_and_may_replace_tcp() {
    let socket = |mode: &str| {
        defaults().flag("--socket", "server.socket", "/run/rr.sock").flag("--m", "server.socket_mode", mode)
    };
    for (text, mode) in [("600", 0o600), ("0660", 0o660), ("0777", 0o777)] {
        assert_eq!(socket(text).read().config.server.socket.unwrap().mode, mode);
    }
    assert_eq!(socket("660").line("server.socket_mode"), "server.socket_mode = \"0660\"   # flag --m");
    for bad in ["", "6", "888", "1777", "rw", "-600"] {
        assert!(socket(bad).errors()[0].contains("octal permission bits"), "{bad}");
    }
    let without = defaults().flag("--no-tcp", "server.tcp", "false");
    assert!(without.errors()[0].starts_with("server.tcp (flag --no-tcp): without TCP the hub needs a socket"));
}

#[test]
fn a26_a_tunnel_generates_a_token_and_limits_addresses() {
    let tunnel = || defaults().flag("--tunnel", "server.tunnel", "cloudflared");
    let Config { server, limits, .. } = tunnel().read().config;
    assert_eq!((server.token.as_deref(), server.has_generated_token), (Some("generated-token"), true));
    let settings = server.tunnel.unwrap();
    assert_eq!((settings.provider, settings.command, settings.is_optional), (TunnelProvider::Cloudflared, None, false));
    assert!(limits.create_per_address > 0 && defaults().read().config.limits.create_per_address == 0);
    let given = tunnel().env("ROGERRAT_SERVER__TOKEN", TOKEN).read().config.server;
    assert_eq!((given.token.as_deref(), given.has_generated_token), (Some(TOKEN), false));
    assert!(tunnel().env("ROGERRAT_SERVER__TOKEN", "").errors()[0].contains("the token is empty"));
    let at = |path| tunnel().env("ROGERRAT_SERVER__TUNNEL_COMMAND", path).read().config.server.tunnel.unwrap().command;
    assert_eq!(at("~/bin/mine"), Some(PathBuf::from("/home/ann/bin/mine")));
    assert!(tunnel().flag("--host", "server.host", "0.0.0.0").read().config.server.tunnel.is_some());
    for (flag, key, value, reason) in [
        ("--tunnel", "server.tunnel", "pigeon", "cloudflared or ngrok"),
        ("--host", "server.host", "192.0.2.1", "listens on 127.0.0.1"),
        ("--no-tcp", "server.tcp", "false", "needs a socket"),
    ] {
        let errors = tunnel().flag(flag, key, value).errors().join("\n");
        assert!(errors.contains(reason), "{errors}");
    }
}
