//! Recovery by e-mail through aiosmtpd, a mail server in Python. `tests/email/run` installs it; without it nothing is tested
//! here.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::{env, fs};

use rogerrat_testkit::{Hub, TIMEOUT, wait_until_within};
use serde_json::{Value, json};

use super::account_client::Account;
use super::email::{attach, mail_env, request};

/// A running server. It is killed when dropped.
struct Aiosmtpd {
    process: Child,
    port: String,
    mails: Receiver<Value>,
    ca: String,
}

impl Aiosmtpd {
    /// None if it is not installed.
    fn start() -> Option<Self> {
        let python = env::var_os("ROGERRAT_TEST_MAIL_PYTHON")?;
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let path = |kind: &str| {
            let path = env::temp_dir().join(format!("rogerrat-aiosmtpd-{}.{kind}", std::process::id()));
            path.to_str().unwrap().to_owned()
        };
        let (ca, key) = (path("pem"), path("key"));
        fs::write(&ca, made.cert.pem()).unwrap();
        fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/email/server.py");
        let mut process = Command::new(python)
            .arg(script)
            .args([ca.as_str(), key.as_str(), "hub@example.org", "secret"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
        let port = lines.next().unwrap();
        fs::remove_file(key).unwrap();
        let (sender, mails) = sync_channel(100);
        std::thread::spawn(move || {
            for line in lines {
                let _ = sender.send(serde_json::from_str(&line).unwrap());
            }
        });
        Some(Self { process, port, mails, ca })
    }

    /// The next e-mail.
    #[track_caller]
    fn mail(&self) -> Value {
        self.mails.recv_timeout(2 * TIMEOUT).unwrap()
    }
}

impl Drop for Aiosmtpd {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_file(&self.ca);
    }
}

#[test]
fn d42_an_account_is_recovered_through_another_mail_server() {
    let Some(server) = Aiosmtpd::start() else { return };
    let smtp = format!("smtp://hub%40example.org@127.0.0.1:{}", server.port);
    let [one, two] = mail_env(&smtp);
    let env = [one, two, ("ROGERRAT_EMAIL__PASSWORD", "secret"), ("SSL_CERT_FILE", server.ca.as_str())];
    let hub = Hub::with(&["--origin", "https://hub.example.org"], &env);
    let ann = Account::open(&hub);
    let spanish = ann.request("POST", "/email").header("Accept-Language", "es");
    assert_eq!(spanish.json(&json!({"email": "ann@example.org"})).send().status, 202);
    let mail = server.mail();
    assert_eq!((&mail["to"], &mail["from"]), (&json!(["ann@example.org"]), &json!("hub@example.org")));
    assert!(mail["tls"] == true && mail["mechanism"].is_string(), "{mail}");
    assert_eq!(mail["headers"]["Auto-Submitted"], "auto-generated");
    let text = mail["text"].as_str().unwrap();
    assert!(text.contains("Introduce este código"), "{text}");
    let code = text.lines().find(|line| line.len() == 6 && line.bytes().all(|b| b.is_ascii_digit())).unwrap();
    ann.post("/email/verify", &json!({"code": code})).ok();
    assert_eq!(request(&hub, "ann@example.org").status, 202);
    let mail = server.mail();
    let token = mail["text"].as_str().unwrap().lines().find_map(|line| line.split_once("/account/recover#t="));
    let body = json!({"token": token.unwrap().1});
    let recovered = hub.post("/api/account/recover/email/confirm").json(&body).send().ok();
    assert_eq!(recovered["account_id"], json!(ann.id));
    assert!(server.mail()["text"].as_str().unwrap().contains("se recuper"), "a notice");

    // Failures of the server, all at the same time.
    for name in ["later", "close", "hang", "never"] {
        assert_eq!(attach(&Account::open(&hub), &format!("{name}@example.org")).status, 202);
    }
    let mut arrived: Vec<_> = (0..3).map(|_| server.mail()["to"][0].as_str().unwrap().to_owned()).collect();
    arrived.sort_unstable();
    assert_eq!(arrived, ["close@example.org", "hang@example.org", "later@example.org"]);
    wait_until_within(2 * TIMEOUT, "the refusal is logged", || hub.log().contains("status=550"));
}
