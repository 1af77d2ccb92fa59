//! Shell snippets, run by bash as a user would run them.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

use super::Hub;

/// A running bash script. Bash reads it from a file, so that its text is in no argument list.
pub struct Script {
    bash: Child,
    out: BufReader<ChildStdout>,
    path: PathBuf,
}

impl Script {
    /// Writes the script to the hub's folder and starts it.
    pub fn start(hub: &Hub, text: &str) -> Self {
        let path = hub.folder().join("script.sh");
        fs::write(&path, text).unwrap();
        let mut bash = Command::new("bash").arg(&path).stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(bash.stdout.take().unwrap());
        Self { bash, out, path }
    }

    /// The next line of its standard output; none at the end.
    pub fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.out.read_line(&mut line).unwrap();
        (read > 0).then(|| line.trim_end_matches('\n').to_owned())
    }

    /// The remaining output. Waits for the script, which must exit with success.
    #[track_caller]
    pub fn read_to_end(mut self) -> String {
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

/// The argument lists of all processes on this machine that contain `word`.
pub fn argument_lists_with(word: &str) -> Vec<String> {
    let processes =
        fs::read_dir("/proc").unwrap().filter_map(|entry| fs::read(entry.ok()?.path().join("cmdline")).ok());
    let lists = processes.map(|list| String::from_utf8_lossy(&list).replace('\0', " "));
    lists.filter(|list| list.contains(word)).collect()
}
