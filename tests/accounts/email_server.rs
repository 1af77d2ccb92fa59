//! How the hub talks to mail servers, and how it is configured to.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use rogerrat_testkit::{Hub, run, wait_until};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use super::account_client::Account;
use super::email::{attach, hub_with_mail, mail_env, smtp};
use super::mail_server::{Access, Behavior, MailServer};

const PASSWORD: &str = "pass-wörd";

/// A server with a certificate for 127.0.0.1, and the certificate as PEM.
fn encrypted(mechanism: &'static str) -> (MailServer, String) {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let tls = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key);
    let access = Access { tls: Some(Arc::new(tls.unwrap())), auth: Some((mechanism, "ann@example.org", PASSWORD)) };
    (MailServer::with(access), made.cert.pem())
}

/// Starts a hub that uses such a server, and trusts the certificates of a file.
fn hub_with_login(server: &MailServer, ca: &str, password: &str) -> Hub {
    let path = std::env::temp_dir().join(format!("rogerrat-mail-{}-{}.pem", std::process::id(), server.address.port()));
    fs::write(&path, ca).unwrap();
    let smtp = format!("smtp://ann%40example.org@{}", server.address);
    let [server, from] = mail_env(&smtp);
    let env = [server, from, ("ROGERRAT_EMAIL__PASSWORD", password), ("SSL_CERT_FILE", path.to_str().unwrap())];
    let hub = Hub::with(&["--origin", "https://hub.example.org"], &env);
    fs::remove_file(path).unwrap();
    hub
}

#[test]
fn an_email_goes_over_starttls_with_either_login() {
    for mechanism in ["PLAIN", "LOGIN"] {
        let (server, ca) = encrypted(mechanism);
        let hub = hub_with_login(&server, &ca, PASSWORD);
        attach(&Account::open(&hub), "ann@example.org");
        let mail = server.newest_of(1);
        assert!(mail.text.contains("https://hub.example.org/account/verify#c=rr_mail_"), "{}", mail.text);
        let commands = server.commands();
        assert!(commands.starts_with("EHLO hub.example.org\nSTARTTLS\nEHLO hub.example.org\nAUTH "), "{commands}");
        assert!(!hub.log().contains(PASSWORD));
    }
}

#[test]
fn a_server_that_is_not_the_right_one_gets_no_password() {
    let (server, _) = encrypted("PLAIN");
    let other = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let hub = hub_with_login(&server, &other.cert.pem(), PASSWORD);
    attach(&Account::open(&hub), "ann@example.org");
    wait_until("the failure is logged", || hub.log().contains("TLS with the server failed"));
    assert!(!server.commands().contains("AUTH"), "{}", server.commands());
    // A server that does not offer what is needed.
    let plain = MailServer::start();
    let hub = hub_with_login(&plain, &other.cert.pem(), PASSWORD);
    attach(&Account::open(&hub), "ann@example.org");
    wait_until("the failure is logged", || hub.log().contains("does not offer what the configuration needs"));
    assert!(!plain.commands().contains("AUTH"), "{}", plain.commands());
}

#[test]
fn a_wrong_password_is_final_and_the_words_of_the_server_are_not_logged() {
    let (server, ca) = encrypted("PLAIN");
    let hub = hub_with_login(&server, &ca, "wrong");
    attach(&Account::open(&hub), "ann@example.org");
    wait_until("the failure is logged", || hub.log().contains("status=535"));
    let metrics = hub.get("/metrics").send().text();
    assert!(metrics.contains("rogerrat_mails_total{status=\"failed\"} 1"), "{metrics}");
    assert!(!hub.log().contains("ann@example.org"), "{}", hub.log());
}

#[test]
fn an_email_is_tried_again_after_a_temporary_failure() {
    let server = MailServer::start();
    let hub = hub_with_mail(&server, &[]);
    server.next([Behavior::Refuse("451 4.3.0 try later, ann@example.org")]);
    attach(&Account::open(&hub), "ann@example.org");
    server.newest_of(1);
    assert_eq!(server.connections(), 2);
    server.next([Behavior::Close]);
    attach(&Account::open(&hub), "bob@example.org");
    server.newest_of(2);
    server.next([Behavior::Refuse("550 5.1.1 no such user")]);
    attach(&Account::open(&hub), "carol@example.org");
    wait_until("the failure is logged", || hub.log().contains("status=550"));
    assert!(hub.log().contains("status=451") && !hub.log().contains("example.org\n"), "{}", hub.log());
    assert!(!hub.log().contains("ann@"), "{}", hub.log());
}

#[test]
fn a_test_email_can_be_sent() {
    let server = MailServer::start();
    let smtp = smtp(&server);
    let env = mail_env(&smtp);
    let check = |to: &str| run(&["check", "--origin", "http://localhost:7", "--mail-to", to], &env);
    let sent = check("operator@example.org");
    let out = String::from_utf8(sent.stdout).unwrap();
    assert!(sent.status.success() && out.contains("accepted a test e-mail"), "{out}");
    assert!(server.newest_of(1).text.contains("can send e-mails"));
    server.next([Behavior::Refuse("550 5.1.1 no such user")]);
    let refused = check("operator@example.org");
    let err = String::from_utf8(refused.stderr).unwrap();
    assert!(refused.status.code() == Some(1) && err.contains("no such user") && err.lines().count() == 1, "{err}");
    assert_eq!(check("no address").status.code(), Some(1));
    let off = run(&["check", "--mail-to", "operator@example.org"], &[]);
    assert!(String::from_utf8(off.stderr).unwrap().contains("no mail server is configured"));
}

#[test]
fn a_configuration_that_would_leak_or_fail_is_refused() {
    let check = |flags: &[&str], env: &[(&str, &str)]| {
        let output = run(&[&["check"], flags].concat(), env);
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout) + &text(output.stderr))
    };
    let https = ["--origin", "https://hub.example.org"];
    let env = |smtp: &'static str, from: &'static str| [("ROGERRAT_EMAIL__SMTP", smtp), ("ROGERRAT_EMAIL__FROM", from)];
    let good = env("smtps://mail.example.org", "hub@example.org");
    let (code, out) = check(&https, &good);
    assert!(code == Some(0) && out.contains("email.smtp = \"smtps://mail.example.org\""), "{out}");
    for (flags, env, expected) in [
        (&[][..], &good, "server.origin (default): must be https for e-mail"),
        (&["--origin", "http://hub.example.org"][..], &good, "must be https for e-mail"),
        (&https[..], &env("smtps://mail.example.org", ""), "email.from (env ROGERRAT_EMAIL__FROM): is missing"),
        (&https[..], &env("smtps://mail.example.org", "no address"), "expected an address"),
        (&https[..], &env("smtp://mail.example.org?tls=none", "hub@example.org"), "same machine only"),
        (&https[..], &env("smtps://u:hunter2@mail.example.org", "hub@example.org"), "must not contain the password"),
        (&https[..], &env("smtps://u@mail.example.org", "hub@example.org"), "set ROGERRAT_EMAIL__PASSWORD"),
    ] {
        let (code, out) = check(flags, env);
        assert!(code == Some(2) && out.contains(expected) && !out.contains("hunter2"), "{expected}: {out}");
    }
}

#[test]
fn the_password_is_read_from_a_private_file_only() {
    let path = std::env::temp_dir().join(format!("rogerrat-mail-{}.toml", std::process::id()));
    let text = "[email]\nsmtp = \"smtps://u@mail.example.org\"\npassword = \"hunter2\"\nfrom = \"hub@example.org\"\n";
    fs::write(&path, text).unwrap();
    let check = |mode| {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let output = run(&["check", "--origin", "https://hub.example.org", "--config", path.to_str().unwrap()], &[]);
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
    };
    let (shared, private) = (check(0o640), check(0o600));
    fs::remove_file(&path).unwrap();
    assert!(shared.contains("must not contain the password") && !shared.contains("hunter2"), "{shared}");
    assert!(private.contains("email.password = (set)") && !private.contains("hunter2"), "{private}");
}
