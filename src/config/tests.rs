//! The configuration from end to end: layers, faults, and the rules between keys.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;

use super::raw::DEFAULT_TOML;
use super::*;

const TOKEN: &str = "correct-horse-battery";

/// A configuration in the making; nothing of this machine is in it.
struct Setting {
    said: Said,
    surroundings: Surroundings,
}

fn nothing_said() -> Setting {
    let env = vec![("HOME".into(), "/home/ann".into())];
    Setting { said: Said::default(), surroundings: Surroundings { env, cores: 6, mint: || "minted-token".to_owned() } }
}

impl Setting {
    fn env(mut self, name: &str, value: &str) -> Self {
        self.surroundings.env.push((OsString::from(name), OsString::from(value)));
        self
    }

    fn flag(mut self, name: &'static str, key: &'static str, value: &str) -> Self {
        self.said.flags.push(Flag { key, name, value: Value::Text(value.to_owned()) });
        self
    }

    fn lan(mut self) -> Self {
        self.said.flags.push(Flag { key: "server.lan", name: "--lan", value: Value::Typed(true.into()) });
        self
    }

    /// A file of its own for each test.
    fn file(mut self, name: &str, text: &str) -> Self {
        let path = file_of(name);
        std::fs::write(&path, text).unwrap();
        self.said.file = Some(path);
        self
    }

    fn read(&self) -> Effective {
        Effective::read(&self.said, &self.surroundings).unwrap_or_else(|faults| panic!("{faults}"))
    }

    fn faults(&self) -> Vec<String> {
        let faults = Effective::read(&self.said, &self.surroundings).expect_err("it should not be accepted");
        faults.to_string().lines().map(str::to_owned).collect()
    }

    fn line(&self, key: &str) -> String {
        self.read().lines.iter().find(|line| line.key == key).unwrap().to_string()
    }
}

fn file_of(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("rogerrat-config-{}-{name}.toml", std::process::id()))
}

#[test]
fn the_defaults_are_those_of_the_documentation() {
    let Config { server, limits, channels, accounts, storage, log } = nothing_said().read().config;
    assert_eq!((server.host.to_string(), server.port, server.lan), ("127.0.0.1".to_owned(), 7424, false));
    assert!(server.token.is_none() && server.origin.is_none() && server.trusted_proxies.is_empty());
    assert!(server.allowed_hosts.is_empty() && server.allowed_origins.is_empty());
    assert_eq!((server.workers, server.max_connections, server.drain_ms), (6, 25_000, 5_000));
    assert_eq!((limits.send_per_session, limits.send_per_session_band), (60, 10));
    assert_eq!((channels.anonymous_unused_days, channels.idle_minutes), (30, 60));
    assert_eq!(channels.member_ttl_seconds, 604_800);
    assert_eq!((accounts.channels, accounts.identities, accounts.webhooks), (100, 20, 10));
    assert_eq!(limits.send_per_account, 600);
    assert_eq!(storage.data_dir, PathBuf::from("/home/ann/.rogerrat"));
    assert_eq!((storage.max_mib, storage.shelf_messages, storage.shelf_mib), (0, 10_000, 64));
    assert_eq!((log.format, log.level.as_str()), (LogFormat::Text, "info"));
}

#[test]
fn every_key_of_the_default_is_read_and_explained() {
    let read = nothing_said().read().lines.iter().map(|line| line.key.to_owned()).collect::<BTreeSet<_>>();
    let known = Raw::defaults(&mut Vec::new()).keys().map(str::to_owned).collect::<BTreeSet<_>>();
    assert_eq!(read, known);
    let lines = DEFAULT_TOML.lines().collect::<Vec<_>>();
    for pair in lines.windows(2).filter(|pair| pair[1].contains(" = ") && !pair[1].starts_with('#')) {
        assert!(pair[0].starts_with("# "), "a comment is missing above: {}", pair[1]);
    }
}

#[test]
fn later_layers_win() {
    let mut setting = nothing_said().file("layers", "[server]\nport = 1001\nworkers = 3\n[log]\nformat = 'json'\n");
    let file = file_of("layers");
    assert_eq!(setting.line("server.port"), format!("server.port = 1001   # file {}", file.display()));
    setting = setting.env("ROGERRAT_SERVER__PORT", "1002").env("ROGERRAT_LOG__FORMAT", "text");
    assert_eq!(setting.line("server.port"), "server.port = 1002   # env ROGERRAT_SERVER__PORT");
    setting = setting.flag("--port", "server.port", "1003");
    assert_eq!(setting.line("server.port"), "server.port = 1003   # flag --port");
    assert_eq!(setting.line("log.format"), "log.format = \"text\"   # env ROGERRAT_LOG__FORMAT");
    assert_eq!(setting.read().config.server.workers, 3);
    assert_eq!(setting.line("server.drain_ms"), "server.drain_ms = 5000   # default");
    std::fs::remove_file(file).unwrap();
}

#[test]
fn all_faults_come_at_once_with_key_and_origin() {
    let faults = nothing_said()
        .file("faults", "stray = 1\n[server]\nport = \"x\"\nhosts = []\n[limit]\nsend = 1\n")
        .env("ROGERRAT_LIMITS__SEND_PER_SESSION", "-4")
        .env("ROGERRAT_LOG__COLOUR", "red")
        .env("ROGERRAT_server__port", "7")
        .flag("--workers", "server.workers", "5000")
        .flag("--data-dir", "storage.data_dir", "~bob/hub")
        .flag("--log-format", "log.format", "xml")
        .faults();
    let file = file_of("faults");
    let expected = [
        format!("limit.send (file {}): unknown section; there are accounts, channels, limits,", file.display()),
        format!("server.hosts (file {}): unknown key; [server] has admin_token, allowed_hosts,", file.display()),
        format!("stray (file {}): unknown section;", file.display()),
        "log.colour (env ROGERRAT_LOG__COLOUR): unknown key; [log] has format, level".to_owned(),
        "server.port (env ROGERRAT_server__port): unknown variable; write its name in capitals".to_owned(),
        format!("server.port (file {}): expected a whole number from 0 to 65535, got \"x\"", file.display()),
        "server.workers (flag --workers): expected a whole number from 0 to 1024, got \"5000\"".to_owned(),
        "limits.send_per_session (env ROGERRAT_LIMITS__SEND_PER_SESSION): expected a whole number".to_owned(),
        "storage.data_dir (flag --data-dir): expected a folder; ~ stands alone or before /".to_owned(),
        "log.format (flag --log-format): expected text or json, got \"xml\"".to_owned(),
    ];
    for start in &expected {
        assert!(faults.iter().any(|fault| fault.starts_with(start)), "{start}\nis not in\n{}", faults.join("\n"));
    }
    assert_eq!(faults.len(), expected.len(), "{faults:#?}");
    std::fs::remove_file(file).unwrap();
}

#[test]
fn a_section_is_not_a_value_and_a_value_not_a_section() {
    let faults = nothing_said().file("shape", "server = 5\n[limits.send_per_session]\na = 1\n").faults();
    assert!(faults.iter().any(|fault| fault.starts_with("server (") && fault.contains("unknown key; [server] has")));
    assert!(faults.iter().any(|fault| fault.starts_with("limits.send_per_session (")));
    std::fs::remove_file(file_of("shape")).unwrap();
}

#[test]
fn other_variables_are_none_of_ours() {
    nothing_said().env("ROGERRAT_TOKEN", "x").env("ROGER__RAT", "x").env("PATH", "").read();
}

#[test]
fn lists_in_the_environment_are_separated_by_commas() {
    let server = nothing_said()
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
    let loopback = nothing_said().env("ROGERRAT_LIMITS__JOIN_PER_ADDRESS", "7");
    assert_eq!(loopback.line("limits.send_per_address"), "limits.send_per_address = 0   # default (loopback bind)");
    assert_eq!(loopback.line("limits.create_per_address"), "limits.create_per_address = 0   # default (loopback bind)");
    assert_eq!(loopback.read().config.limits.join_per_address, 7);
    let open = nothing_said().flag("--host", "server.host", "192.0.2.1").flag("--token", "server.token", TOKEN);
    let limits = open.read().config.limits;
    assert_eq!((limits.send_per_address, limits.create_per_address, limits.join_per_address), (600, 60, 120));
}

#[test]
fn d23_a_host_others_reach_needs_a_token() {
    let open = nothing_said().flag("--host", "server.host", "0.0.0.0");
    let faults = open.faults();
    assert_eq!(faults.len(), 1);
    assert!(faults[0].starts_with("server.host (flag --host): other machines reach 0.0.0.0"), "{}", faults[0]);
    assert!(faults[0].contains("--token") && faults[0].contains("--lan"));
    assert!(open.env("ROGERRAT_SERVER__TOKEN", TOKEN).read().config.server.token.as_deref() == Some(TOKEN));
}

#[test]
fn d23_lan_binds_all_interfaces_and_mints_a_token() {
    let lan = nothing_said().lan();
    assert_eq!(lan.line("server.host"), "server.host = \"0.0.0.0\"   # flag --lan");
    assert_eq!(lan.line("server.token"), "server.token = (set)   # minted");
    assert_eq!(lan.read().config.server.token.as_deref(), Some("minted-token"));
    assert_eq!(lan.read().config.limits.send_per_address, 600);
    let given = nothing_said().lan().flag("--token", "server.token", TOKEN);
    assert_eq!(given.line("server.token"), "server.token = (set)   # flag --token");
}

#[test]
fn a_host_said_beside_lan_is_kept_and_an_earlier_one_is_not() {
    let beside = nothing_said().lan().flag("--host", "server.host", "192.0.2.7");
    assert_eq!(beside.line("server.host"), "server.host = \"192.0.2.7\"   # flag --host");
    let earlier = nothing_said().env("ROGERRAT_SERVER__HOST", "127.0.0.1").lan();
    assert_eq!(earlier.line("server.host"), "server.host = \"0.0.0.0\"   # flag --lan");
    let later = nothing_said().env("ROGERRAT_SERVER__LAN", "true").flag("--host", "server.host", "127.0.0.1");
    assert!(later.read().config.server.host.is_loopback());
}

#[test]
fn a_token_is_never_repeated() {
    let shown = nothing_said().env("ROGERRAT_SERVER__TOKEN", TOKEN).read();
    assert!(shown.lines.iter().all(|line| !line.to_string().contains(TOKEN)));
    assert!(!format!("{:?}", shown.config).contains(TOKEN));
    for bad in ["sécret-token", "s3cr3t", "two words here", &"s3cr3t".repeat(50)] {
        let faults = nothing_said().env("ROGERRAT_SERVER__TOKEN", bad).faults().join("\n");
        assert!(faults.contains("server.token (env ROGERRAT_SERVER__TOKEN): expected text of 8 to 256"), "{faults}");
        assert!(!faults.contains(bad), "{faults}");
    }
    let faults = nothing_said().file("secret", &format!("[server]\n# one\ntoken = {TOKEN}\n")).faults();
    assert!(faults[0].contains("line 3 is not TOML") && !faults.join("\n").contains(TOKEN), "{faults:?}");
    std::fs::remove_file(file_of("secret")).unwrap();
}

#[test]
fn an_empty_token_is_refused_where_a_variable_may_have_been_unset() {
    let faults = nothing_said().lan().flag("--token", "server.token", "").faults();
    assert!(faults[0].starts_with("server.token (flag --token): an empty token guards nothing"), "{faults:?}");
    assert_eq!(faults.len(), 1);
}

#[test]
fn an_origin_is_an_address_without_path() {
    let setting = nothing_said().flag("--origin", "server.origin", "https://Hub.example.org/");
    assert_eq!(setting.line("server.origin"), "server.origin = \"https://hub.example.org\"   # flag --origin");
    let faults = nothing_said().flag("--origin", "server.origin", "https://ann:s3cr3t@hub.example.org").faults();
    assert!(faults[0].starts_with("server.origin (flag --origin): expected an http or https address"));
    assert!(!faults[0].contains("s3cr3t"));
}

#[test]
fn a_certificate_and_its_key_are_said_together() {
    for (said, other) in [("server.tls_cert", "server.tls_key"), ("server.tls_key", "server.tls_cert")] {
        let faults = nothing_said().flag("--tls", said, "/etc/hub.pem").flag("--port", "server.port", "x").faults();
        assert_eq!(faults.len(), 2, "{faults:?}");
        let half = faults.iter().find(|fault| fault.starts_with(&format!("{said} (flag --tls)"))).unwrap();
        assert!(half.contains(other) && half.contains("both, or neither"), "{half}");
    }
    assert_eq!(nothing_said().file("tls", "[server]\ntls_cert = 1\ntls_key = []\n").faults().len(), 2);
    std::fs::remove_file(file_of("tls")).unwrap();
    let both = nothing_said().flag("-c", "server.tls_cert", "c.pem").flag("-k", "server.tls_key", "k.pem");
    assert_eq!(both.line("server.tls_key"), "server.tls_key = \"k.pem\"   # flag -k");
    assert!(both.read().config.server.tls.is_some() && nothing_said().read().config.server.tls.is_none());
}

#[test]
fn workers_follow_the_cores_unless_said() {
    assert_eq!(nothing_said().line("server.workers"), "server.workers = 6   # default (number of cores)");
    let zero = nothing_said().flag("--workers", "server.workers", "0");
    assert_eq!(zero.line("server.workers"), "server.workers = 6   # flag --workers");
}

#[test]
fn a_misspelt_level_is_a_fault() {
    for level in ["info", "debug,rogerrat::http=trace", "warn, actix_server=off"] {
        assert_eq!(nothing_said().env("ROGERRAT_LOG__LEVEL", level).read().config.log.level, level);
    }
    for level in ["inof", "", "rogerrat=loud", "a=b=info", "info,,debug"] {
        assert_eq!(nothing_said().env("ROGERRAT_LOG__LEVEL", level).faults().len(), 1, "{level}");
    }
}

#[test]
fn a_missing_file_or_home_is_a_fault() {
    let mut setting = nothing_said();
    setting.said.file = Some(PathBuf::from("/nowhere/hub.toml"));
    setting.surroundings.env.clear();
    let faults = setting.faults();
    assert!(faults[0].starts_with("file /nowhere/hub.toml: cannot be read:"), "{faults:?}");
    assert!(faults[1].starts_with("storage.data_dir (default): ~ is the home directory"), "{faults:?}");
}
