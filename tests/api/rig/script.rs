//! Shell snippets, run by bash as a user would run them.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

use super::Hub;

/// A running script. Its text is read from a file, so that no argument list holds it.
pub(crate) struct Script {
    bash: Child,
    out: BufReader<ChildStdout>,
    path: PathBuf,
}

impl Script {
    pub(crate) fn start(hub: &Hub, text: &str) -> Self {
        let path = hub.folder().join("script.sh");
        fs::write(&path, text).unwrap();
        let mut bash = Command::new("bash").arg(&path).stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(bash.stdout.take().unwrap());
        Self { bash, out, path }
    }

    /// The next line it prints; none at its end.
    pub(crate) fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.out.read_line(&mut line).unwrap();
        (read > 0).then(|| line.trim_end_matches('\n').to_owned())
    }

    /// All it prints until it ends, which must be well.
    #[track_caller]
    pub(crate) fn rest(mut self) -> String {
        let mut text = String::new();
        self.out.read_to_string(&mut text).unwrap();
        let status = self.bash.wait().unwrap();
        assert!(status.success(), "{status}: {text}");
        text
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        let _ = self.bash.kill();
        let _ = self.bash.wait();
        let _ = fs::remove_file(&self.path);
    }
}

/// Argument lists of all processes in which a word stands.
pub(crate) fn argument_lists_with(word: &str) -> Vec<String> {
    let processes =
        fs::read_dir("/proc").unwrap().filter_map(|entry| fs::read(entry.ok()?.path().join("cmdline")).ok());
    let lists = processes.map(|list| String::from_utf8_lossy(&list).replace('\0', " "));
    lists.filter(|list| list.contains(word)).collect()
}
