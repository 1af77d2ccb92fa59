//! Runs curl the way an agent does.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use rogerrat_testkit::wait_until;
use serde_json::Value;

/// A response: status, HTTP version, head and body.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) version: String,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Response {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.status, 200, "{self:?}");
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }
}

/// Runs curl to its end; none when it gets no response.
pub(crate) fn try_curl(arguments: &[&str]) -> Option<Response> {
    let output = Command::new("curl")
        .args(["-sS", "-q", "--max-time", "30", "-D", "-", "-w", "\n%{http_code} %{http_version}"])
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("curl is installed");
    if !output.status.success() {
        return None;
    }
    let text = output.stdout;
    let cut = text.iter().rposition(|byte| *byte == b'\n').unwrap();
    let (status, version) = std::str::from_utf8(&text[cut + 1..]).unwrap().split_once(' ').unwrap();
    let end = text.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    Some(Response {
        status: status.parse().unwrap(),
        version: version.to_owned(),
        head: String::from_utf8_lossy(&text[..end]).into_owned(),
        body: text[end + 4..cut].to_vec(),
    })
}

#[track_caller]
pub(crate) fn curl(arguments: &[&str]) -> Response {
    try_curl(arguments).unwrap_or_else(|| panic!("no response: curl {arguments:?}"))
}

/// A stream read by curl.
pub(crate) struct StreamReader {
    curl: Child,
    out: BufReader<ChildStdout>,
}

impl StreamReader {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new("curl");
        command.args(["-sS", "-q", "-N", "--max-time", "60"]).args(arguments).stdin(Stdio::null());
        let mut curl = command.stdout(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(curl.stdout.take().unwrap());
        Self { curl, out }
    }

    /// Reads until a line contains this.
    pub(crate) fn until(&mut self, word: &str) -> String {
        let mut line = String::new();
        wait_until(word, || {
            line.clear();
            assert!(self.out.read_line(&mut line).unwrap() > 0, "it ended before {word}");
            line.contains(word)
        });
        line
    }
}

impl Drop for StreamReader {
    fn drop(&mut self) {
        let _ = self.curl.kill();
        let _ = self.curl.wait();
    }
}
