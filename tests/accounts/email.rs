//! Recovering accounts by e-mail, before a mail server.

use std::fs;

use rogerrat_testkit::{Hub, Reply, wait_until};
use serde_json::{Value, json};

use super::account_client::Account;
use super::mail_server::MailServer;

const VERIFY: &str = "/account/verify#c=";
const RECOVER: &str = "/account/recover#t=";

/// Starts a hub that sends its e-mails to a server.
pub(crate) fn hub_with_mail(server: &MailServer, more: &[(&str, &str)]) -> Hub {
    let smtp = smtp(server);
    Hub::with(&["--origin", "http://localhost:7"], &[&mail_env(&smtp), more].concat())
}

pub(crate) fn smtp(server: &MailServer) -> String {
    format!("smtp://{}?tls=none", server.address)
}

pub(crate) fn mail_env(smtp: &str) -> [(&str, &str); 2] {
    [("ROGERRAT_EMAIL__SMTP", smtp), ("ROGERRAT_EMAIL__FROM", "The hub <hub@example.org>")]
}

pub(crate) fn attach(ann: &Account, address: &str) -> Reply {
    ann.post("/email", &json!({"email": address}))
}

fn verify(ann: &Account, code: &str) -> Reply {
    ann.post("/email/verify", &json!({"code": code}))
}

pub(crate) fn request(hub: &Hub, address: &str) -> Reply {
    hub.post("/api/account/recover/email").json(&json!({"email": address})).send()
}

fn confirm(hub: &Hub, token: &str) -> Reply {
    hub.post("/api/account/recover/email/confirm").json(&json!({"token": token})).send()
}

/// An account with a verified address. Its e-mail is the `n`th of the server.
#[track_caller]
pub(crate) fn verified(hub: &Hub, server: &MailServer, address: &str, n: usize) -> Account {
    let ann = Account::open(hub);
    assert_eq!(attach(&ann, address).status, 202);
    verify(&ann, &server.mail(n).code()).ok();
    ann
}

#[test]
fn d42_an_account_is_recovered_by_email() {
    let server = MailServer::start();
    let hub = hub_with_mail(&server, &[]);
    assert_eq!(hub.get("/api/v1/info").send().ok()["features"]["email"], true);
    let ann = Account::open(&hub);
    assert_eq!(ann.get("").ok()["email"], json!(null));
    let attached = attach(&ann, " Ann@Example.org ");
    assert_eq!((attached.status, &attached.json()["email"]), (202, &json!("A…@Example.org")));
    assert_eq!(attached.json()["verified"], false);
    let mail = server.newest_of(1);
    assert_eq!(mail.to, "Ann@Example.org");
    for line in ["Auto-Submitted: auto-generated", "From: \"The hub\" <hub@example.org>", "To: Ann@Example.org"] {
        assert!(mail.head.lines().any(|l| l == line), "{line} is not in\n{}", mail.head);
    }
    assert!(mail.text.contains(&ann.id) && mail.text.contains("http://localhost:7"), "{}", mail.text);
    let waiting = ann.get("").ok();
    assert_eq!(waiting["email"]["verified"], false);
    assert_eq!(waiting["email"]["expires_at"], attached.json()["expires_at"]);
    assert_eq!(verify(&ann, &mail.code()).ok(), json!({"email": "A…@Example.org", "verified": true}));
    assert_eq!(ann.get("").ok()["email"]["verified"], true);

    let requested = request(&hub, "ann@EXAMPLE.ORG");
    assert_eq!((requested.status, requested.json()), (202, json!({"ok": true})));
    let mail = server.newest_of(2);
    assert_eq!(mail.to, "Ann@Example.org", "as its owner wrote it");
    let [token] = mail.secrets(RECOVER).try_into().unwrap();
    // What a mail scanner does with a link.
    for path in ["/account/recover", "/account/verify", "/api/account/recover/email/confirm"] {
        hub.get(path).send();
        hub.request("HEAD", path).send();
    }
    let recovered = confirm(&hub, &token).ok();
    assert_eq!(recovered["account_id"], json!(ann.id));
    confirm(&hub, &token).refused(401, "unauthorized");
    let text = |field: &str| recovered[field].as_str().unwrap().to_owned();
    let again = Account { session: text("session_token"), recovery: text("recovery_token"), ..ann.clone() };
    assert_eq!(again.get("/sessions").ok()["sessions"].as_array().unwrap().len(), 2, "sessions stay");
    let recover = |token: &str| hub.post("/api/account/recover").json(&json!({"recovery_token": token})).send();
    recover(&ann.recovery).refused(401, "unauthorized");
    recover(&again.recovery).ok();
    let notice = server.newest_of(3);
    assert!(notice.text.contains("was recovered") && notice.secrets("#").is_empty(), "{}", notice.text);

    assert_eq!(again.delete("/email").ok(), json!({"ok": true}));
    assert!(server.newest_of(4).text.contains("no longer recovers"));
    again.delete("/email").refused(404, "not_found");
    assert_eq!(again.get("").ok()["email"], json!(null));
}

#[test]
fn an_email_is_in_the_language_of_its_account_and_its_link_needs_no_session() {
    let server = MailServer::start();
    let hub = hub_with_mail(&server, &[]);
    let ann = Account::open(&hub);
    let request_ = ann.request("POST", "/email").header("Accept-Language", "es-MX,es;q=0.9,en;q=0.5");
    assert_eq!(request_.json(&json!({"email": "ann@example.org"})).send().status, 202);
    let mail = server.newest_of(1);
    assert!(mail.text.contains("Introduce este código") && mail.text.contains("seguramente tú"), "{}", mail.text);
    let [secret] = mail.secrets(VERIFY).try_into().unwrap();
    let by_link = |secret: &str| hub.post("/api/account/email/verify").json(&json!({"code": secret})).send();
    by_link(&mail.code()).refused(401, "unauthorized");
    by_link(&secret[..secret.len() - 1]).refused(404, "not_found");
    assert_eq!(by_link(&secret).ok()["verified"], true);
    by_link(&secret).refused(404, "not_found");
    request(&hub, "ann@example.org");
    assert!(server.newest_of(2).text.contains("Abre el enlace"));
}

#[test]
fn d42_codes_and_links_survive_a_restart_and_end_with_the_account() {
    let server = MailServer::start();
    let mut hub = hub_with_mail(&server, &[]);
    let smtp = smtp(&server);
    let restart = |hub: &mut Hub| {
        hub.kill();
        hub.start_again(&["--origin", "http://localhost:7"], &mail_env(&smtp));
    };
    let ann = Account::open(&hub);
    attach(&ann, "ann@example.org");
    let code = server.newest_of(1).code();
    restart(&mut hub);
    verify(&ann, &code).ok();
    request(&hub, "ann@example.org");
    let [token] = server.newest_of(2).secrets(RECOVER).try_into().unwrap();
    request(&hub, "ann@example.org");
    let [unused] = server.newest_of(3).secrets(RECOVER).try_into().unwrap();
    restart(&mut hub);
    let session = confirm(&hub, &token).ok()["session_token"].as_str().unwrap().to_owned();
    server.newest_of(4);
    confirm(&hub, &unused).refused(401, "unauthorized");
    let ann = Account { session, ..ann };
    request(&hub, "ann@example.org");
    let [last] = server.newest_of(5).secrets(RECOVER).try_into().unwrap();
    ann.delete("").ok();
    confirm(&hub, &last).refused(401, "unauthorized");
    restart(&mut hub);
    assert_eq!(request(&hub, "ann@example.org").status, 202);
    let bob = verified(&hub, &server, "bob@example.org", 5);
    assert_eq!(server.count(), 6, "the request before was for nobody: {}", bob.id);
}

#[test]
fn d42_a_code_is_guessed_five_times() {
    let server = MailServer::start();
    let hub = hub_with_mail(&server, &[]);
    let (ann, bob) = (Account::open(&hub), Account::open(&hub));
    verify(&ann, "123456").refused(404, "not_found");
    attach(&ann, "ann@example.org");
    let code = server.newest_of(1).code();
    verify(&bob, &code).refused(404, "not_found");
    let wrong = if code == "111111" { "222222" } else { "111111" };
    for _ in 0..5 {
        verify(&ann, wrong).refused(400, "invalid");
    }
    verify(&ann, &code).refused(404, "not_found");
    attach(&ann, "ann@example.org");
    verify(&ann, &server.newest_of(2).code()).ok();
}

#[test]
fn d42_nothing_is_logged_or_stored_that_tells_an_address() {
    let server = MailServer::start();
    let mut hub = hub_with_mail(&server, &[("ROGERRAT_LOG__LEVEL", "trace")]);
    let ann = verified(&hub, &server, "ann.secret@example.org", 0);
    request(&hub, "ann.secret@example.org");
    let [token] = server.newest_of(2).secrets(RECOVER).try_into().unwrap();
    attach(&ann, "bob.secret@example.org");
    let codes = [server.mail(0).code(), server.newest_of(3).code()];
    attach(&ann, "not an address").refused(400, "invalid");
    let refusal = attach(&ann, "carol.secret@nowhere").text();
    assert!(!refusal.contains("carol"), "{refusal}");
    let metrics = hub.get("/metrics").send().text();
    assert!(metrics.contains("rogerrat_mails_total{status=\"sent\"} 3"), "{metrics}");
    confirm(&hub, &token).ok();
    server.newest_of(4);
    hub.stop();
    let log = hub.log();
    let mut stored = Vec::new();
    for file in fs::read_dir(hub.data()).unwrap() {
        stored.extend(fs::read(file.unwrap().path()).unwrap());
    }
    let holds = |bytes: &[u8], text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
    for secret in ["ann.secret", "bob.secret", "carol", token.as_str()] {
        assert!(!holds(log.as_bytes(), secret), "{secret} is in\n{log}");
        assert!(!holds(&stored, secret), "{secret} is stored");
    }
    // Six digits may be a part of a longer number by chance.
    let is_logged = |code: &String| log.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == code);
    assert!(!codes.iter().any(is_logged), "{codes:?} in\n{log}");
}

#[test]
fn the_database_with_addresses_is_verified() {
    let server = MailServer::start();
    let mut hub = hub_with_mail(&server, &[]);
    let ann = verified(&hub, &server, "ann@example.org", 0);
    attach(&ann, "new@example.org");
    server.newest_of(2);
    hub.stop();
    let output = rogerrat_testkit::run(&["verify", "--data-dir", hub.data().to_str().unwrap()], &[]);
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && printed.contains("e-mail addresses 2\n"), "{printed}");
}

#[test]
fn without_a_mail_server_every_route_says_so() {
    let hub = Hub::unlimited();
    let ann = Account::open(&hub);
    assert_eq!(hub.get("/api/v1/info").send().ok()["features"]["email"], false);
    attach(&ann, "ann@example.org").refused(404, "not_found");
    verify(&ann, "123456").refused(404, "not_found");
    ann.delete("/email").refused(404, "not_found");
    let reply: Value = request(&hub, "ann@example.org").refused(404, "not_found");
    assert!(reply["hint"].as_str().unwrap().contains("recovery token"), "{reply}");
    confirm(&hub, "rr_back_x").refused(404, "not_found");
}

#[test]
fn requests_without_a_session_or_with_bad_input_are_refused() {
    let server = MailServer::start();
    let hub = hub_with_mail(&server, &[]);
    let ann = Account::open(&hub);
    let anonymous =
        |method: &str, path: &str| hub.request(method, path).json(&json!({"email": "a@example.org"})).send();
    anonymous("POST", "/api/account/email").refused(401, "unauthorized");
    anonymous("DELETE", "/api/account/email").refused(401, "unauthorized");
    for bad in
        ["", "ann", "ann@localhost", "a@b.org\r\nBcc: c@d.org", "Ann <a@b.org>", &format!("a@{}.org", "b".repeat(300))]
    {
        attach(&ann, bad).refused(400, "invalid");
        request(&hub, bad).refused(400, "invalid");
    }
    for body in ["{", "[]", "{}", "{\"email\": 1}"] {
        assert_eq!(ann.request("POST", "/email").body(body).send().status, 400);
        assert_eq!(hub.post("/api/account/recover/email").body(body).send().status, 400);
    }
    assert_eq!(hub.get("/api/account/recover/email/confirm").send().status, 405);
    wait_until("nothing is sent", || server.connections() == 0);
}
