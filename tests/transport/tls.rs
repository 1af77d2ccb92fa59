//! https: a conversation, a certificate replaced while a stream is open, and certificates that are rejected.

use std::fs;
use std::path::PathBuf;

use rogerrat_testkit::{Hub, run, wait_until};
use serde_json::Value;

use super::curl::{StreamReader, curl, try_curl};

/// A directory with certificates, removed when dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("rogerrat-tls-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        let folder = Self(path);
        folder.issue("first");
        folder.install("first");
        folder
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    /// Creates a certificate for 127.0.0.1 and its key.
    fn issue(&self, name: &str) {
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned(), "localhost".to_owned()]).unwrap();
        fs::write(self.path(&format!("{name}.pem")), made.cert.pem()).unwrap();
        fs::write(self.path(&format!("{name}.key")), made.signing_key.serialize_pem()).unwrap();
    }

    /// Moves it to the paths the hub is configured with, like a renewal.
    fn install(&self, name: &str) {
        for kind in ["pem", "key"] {
            let new = self.path(&format!("new.{kind}"));
            fs::copy(self.path(&format!("{name}.{kind}")), &new).unwrap();
            fs::rename(new, self.path(&format!("hub.{kind}"))).unwrap();
        }
    }

    fn hub(&self) -> Hub {
        Hub::with(&["--tls-cert", &self.path("hub.pem"), "--tls-key", &self.path("hub.key")], &[])
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A member of a channel over https.
struct Member {
    base: String,
    headers: Vec<String>,
}

impl Member {
    fn join(hub: &Hub, ca: &str) -> Self {
        let created = curl(&["--cacert", ca, &format!("https://{}/api/channels", hub.0), "-d", "{}"]).json();
        let base = format!("https://{}/api/channels/{}", hub.0, created["channel_id"].as_str().unwrap());
        let mut member = Self { base, headers: Vec::new() };
        member.headers.push(format!("Authorization: Bearer {}", created["join_token"].as_str().unwrap()));
        let joined = member.request(ca, "/join", &["-d", "{}"]);
        member.headers.push(format!("X-Session-Id: {}", joined["session_id"].as_str().unwrap()));
        member
    }

    fn arguments(&self, ca: &str, what: &str) -> Vec<String> {
        let mut arguments = vec!["--cacert".into(), ca.into(), format!("{}{what}", self.base)];
        arguments.extend(self.headers.iter().flat_map(|header| ["-H".into(), header.clone()]));
        arguments
    }

    #[track_caller]
    fn request(&self, ca: &str, what: &str, more: &[&str]) -> Value {
        let arguments = self.arguments(ca, what);
        curl(&[&arguments.iter().map(String::as_str).collect::<Vec<_>>()[..], more].concat()).json()
    }

    fn stream(&self, ca: &str) -> StreamReader {
        let arguments = self.arguments(ca, "/stream");
        StreamReader::start(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    }
}

#[test]
fn https_serves_both_versions_and_announces_https_urls() {
    let folder = Folder::new("versions");
    let (hub, ca) = (folder.hub(), folder.path("first.pem"));
    let origin = format!("https://{}", hub.0);
    assert!(hub.banner.contains(&format!("  {origin}\n")) && !hub.banner.contains("http://"), "{}", hub.banner);
    for (how, version) in [("--http2", "2"), ("--http1.1", "1.1"), ("--tlsv1.3", "2"), ("--tls-max", "2")] {
        let max = if how == "--tls-max" { &["1.2"][..] } else { &[] };
        let create = format!("{origin}/api/channels");
        let answer = curl(&[&[how][..], max, &["--cacert", &ca, &create, "-d", "{}"]].concat());
        assert_eq!(answer.version, version, "{how}");
        let created = answer.json();
        assert!(created["mcp_url"].as_str().unwrap().starts_with(&origin), "{created}");
        assert!(created["peer_invite"].as_str().unwrap().contains(&origin), "{created}");
    }
    assert!(try_curl(&[&format!("{origin}/livez")]).is_none(), "the certificate is not trusted by default");
    assert!(try_curl(&[&format!("http://{}/livez", hub.0)]).is_none(), "plain http is not served");
}

#[test]
fn a_certificate_is_replaced_without_dropping_a_stream() {
    let folder = Folder::new("reload");
    let (hub, first) = (folder.hub(), folder.path("first.pem"));
    let ann = Member::join(&hub, &first);
    let mut stream = ann.stream(&first);
    stream.until("retry:");
    // A failed renewal changes nothing.
    fs::write(folder.path("hub.pem"), "rubbish").unwrap();
    wait_until("the failure is logged", || hub.log().contains("still serving the previous one"));
    ann.request(&first, "/roster", &[]);
    folder.issue("second");
    folder.install("second");
    let second = folder.path("second.pem");
    let live = format!("https://{}/livez", hub.0);
    wait_until("new connections get it", || try_curl(&["--cacert", &second, &live]).is_some());
    assert!(try_curl(&["--cacert", &first, &live]).is_none(), "the old certificate is no longer served");
    let logged = hub.log().matches("still serving the previous one").count();
    assert_eq!(logged, 1, "{}", hub.log());
    let bob = Member { base: ann.base.clone(), headers: ann.headers[..1].to_vec() };
    let joined = bob.request(&second, "/join", &["-d", r#"{"callsign":"bob"}"#]);
    let session = format!("X-Session-Id: {}", joined["session_id"].as_str().unwrap());
    bob.request(&second, "/send", &["-H", &session, "-d", r#"{"to":"all","message":"still there"}"#]);
    stream.until("still there");
}

#[test]
fn an_unusable_certificate_prevents_the_start() {
    let folder = Folder::new("refused");
    folder.issue("second");
    let (cert, key) = (folder.path("first.pem"), folder.path("first.key"));
    let start = |cert: &str, key: &str| {
        let output = run(&["serve", "--port", "0", "--tls-cert", cert, "--tls-key", key], &[]);
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    for (cert, key, why) in [
        (cert.clone(), folder.path("second.key"), "cannot be used together"),
        (folder.path("none.pem"), key.clone(), "none.pem: cannot read a PEM certificate"),
        (key.clone(), key.clone(), "first.key: cannot read a PEM certificate"),
        (cert.clone(), cert.clone(), "first.pem: cannot read a PEM private key"),
    ] {
        let (code, error) = start(&cert, &key);
        assert_eq!(code, Some(1), "{error}");
        assert!(error.contains(why) && !error.contains("PRIVATE"), "{error}");
    }
    let without_key = run(&["serve", "--port", "0", "--tls-cert", &cert], &[]);
    assert_eq!(without_key.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&without_key.stderr).contains("server.tls_key"));
}
