//! The webhook receiver, a Python process, and the requests it received.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::{env, fs};

use rogerrat_testkit::wait_until;
use serde_json::Value;

/// A running receiver. It is killed when dropped.
pub(crate) struct Receiver {
    process: Child,
    port: u16,
    folder: PathBuf,
}

/// A request that it received.
#[derive(Clone, Debug)]
pub(crate) struct Got {
    pub(crate) path: String,
    /// Seconds on the receiver's clock.
    pub(crate) at: f64,
    pub(crate) headers: Value,
    /// Base64.
    pub(crate) raw: String,
    pub(crate) body: Value,
}

impl Got {
    pub(crate) fn id(&self) -> &str {
        self.headers["webhook-id"].as_str().unwrap()
    }

    pub(crate) fn text(&self) -> &str {
        self.body["message"]["text"].as_str().unwrap()
    }
}

fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/webhooks").join(name)
}

fn python() -> Command {
    Command::new(env::var_os("ROGERRAT_TEST_WEBHOOK_PYTHON").unwrap_or_else(|| "python3".into()))
}

impl Receiver {
    pub(crate) fn start() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("rogerrat-receiver-{}-{}", std::process::id(), NEXT.fetch_add(1, Relaxed));
        let folder = env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        let mut process = python()
            .arg(source("receiver.py"))
            .arg(folder.join("got"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 is installed");
        let mut port = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut port).unwrap();
        Self { process, port: port.trim().parse().unwrap(), folder }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/{path}", self.port)
    }

    /// All requests so far, in order.
    pub(crate) fn got(&self) -> Vec<Got> {
        let text = fs::read_to_string(self.folder.join("got")).unwrap_or_default();
        // The last line may be incomplete.
        let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
        whole.lines().map(read).collect()
    }

    /// The requests to a path.
    pub(crate) fn got_at(&self, path: &str) -> Vec<Got> {
        let path = format!("/{path}");
        self.got().into_iter().filter(|got| got.path == path).collect()
    }

    /// Waits for this number of requests to a path.
    pub(crate) fn wait_for(&self, path: &str, count: usize) -> Vec<Got> {
        wait_until(&format!("{count} arrived at {path}"), || self.got_at(path).len() >= count);
        self.got_at(path)
    }

    /// Verifies all requests with these secrets; returns their number and the library that verified them.
    pub(crate) fn verify(&self, secrets: &[&str]) -> (usize, String) {
        let output = python().arg(source("verify.py")).arg(self.folder.join("got")).args(secrets).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        let (count, how) = text.trim().split_once(' ').unwrap();
        (count.parse().unwrap(), how.to_owned())
    }
}

fn read(line: &str) -> Got {
    let line: Value = serde_json::from_str(line).unwrap();
    let raw = line["body"].as_str().unwrap().to_owned();
    let body = decode(&raw);
    Got {
        path: line["path"].as_str().unwrap().into(),
        at: line["at"].as_f64().unwrap(),
        headers: line["headers"].clone(),
        body: serde_json::from_slice(&body).unwrap(),
        raw,
    }
}

fn decode(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text).unwrap()
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}
