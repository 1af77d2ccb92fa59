//! Commands over HTTPS: which certificates they trust, and the error when they do not.

use std::fs;

use rogerrat_testkit::Hub;

use super::kit::Shell;

struct Secured {
    hub: Hub,
    shell: Shell,
    ca: String,
}

impl Secured {
    fn start() -> Self {
        Self::named(&["127.0.0.1", "localhost"])
    }

    /// Starts a hub with a certificate for these names.
    fn named(names: &[&str]) -> Self {
        let names = names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        let shell = Shell::with(&[]);
        let path = |name: &str| shell.home().join(name).to_str().unwrap().to_owned();
        let (ca, key) = (path("the hub's.pem"), path("hub.key"));
        fs::write(&ca, made.cert.pem()).unwrap();
        fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        let hub = Hub::with(&["--tls-cert", &ca, "--tls-key", &key], &[]);
        Self { hub, shell, ca }
    }

    fn origin(&self) -> String {
        format!("https://localhost:{}", self.hub.0.port())
    }
}

#[test]
fn a_private_certificate_authority_is_trusted_when_it_is_given() {
    let secured = Secured::start();
    let (shell, origin) = (&secured.shell, secured.origin());
    shell.ok(&["create", "--origin", &origin, "--ca-file", "the hub's.pem"]);
    shell.ok(&["join", "--callsign", "ann"]);
    shell.ok(&["join", "--callsign", "bob", "--profile", "bob", "--origin", &origin, "--ca-file", &secured.ca]
        .iter()
        .copied()
        .chain(of_channel(shell).iter().map(String::as_str))
        .collect::<Vec<_>>());
    let bell = shell.start(&["wait", "--profile", "bob"]);
    shell.ok(&["send", "bob", "over https"]);
    let rung = rogerrat_testkit::wait_for_exit(bell);
    assert!(rung.code == Some(0) && rung.out.ends_with(": over https\n"), "{rung:?}");
}

/// Flags that name the stored channel.
fn of_channel(shell: &Shell) -> [String; 4] {
    let shown: serde_json::Value =
        serde_json::from_str(&shell.ok(&["profile", "show", "--secrets", "--json"])).unwrap();
    let field = |name: &str| shown[name].as_str().unwrap().to_owned();
    ["--channel".into(), field("channel"), "--token".into(), field("token")]
}

#[test]
fn an_untrusted_certificate_is_not_retried() {
    let secured = Secured::named(&["localhost"]);
    let stranger = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    fs::write(secured.shell.home().join("other.pem"), stranger.cert.pem()).unwrap();
    let other_name = format!("https://127.0.0.1:{}", secured.hub.0.port());
    for command in ["wait", "listen-here"] {
        for (origin, ca) in [(&secured.origin(), "other.pem"), (&other_name, &secured.ca)] {
            let place = ["--channel", "c", "--token", "t", "--callsign", "ann", "--origin", origin, "--ca-file", ca];
            let ended = secured.shell.run(&[&[command][..], &place].concat());
            ended.with_one_line(1, "the hub's certificate is not trusted");
        }
    }
}

#[test]
fn an_untrusted_certificate_is_one_line() {
    let secured = Secured::start();
    let history = |arguments: &[&str]| secured.shell.run(&[&["history", "--channel", "c"], arguments].concat());
    let stranger = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let other = secured.shell.home().join("other.pem");
    fs::write(&other, stranger.cert.pem()).unwrap();
    history(&["--origin", &secured.origin(), "--ca-file", "other.pem"]).with_one_line(1, "certificate is not trusted");
    history(&["--origin", &secured.origin(), "--ca-file", "nowhere.pem"])
        .with_one_line(2, "cannot read certificates from");
    history(&["--origin", &secured.origin(), "--ca-file", "hub.key"]).with_one_line(2, "no certificate found");
    let other_name = format!("https://127.0.0.2:{}", secured.hub.0.port());
    assert_eq!(history(&["--origin", &other_name, "--ca-file", &secured.ca]).code, Some(1));
    let plain = Hub::start();
    let plain = format!("https://{}", plain.0);
    history(&["--origin", &plain, "--ca-file", &secured.ca]).with_one_line(1, "TLS handshake failed");
}
