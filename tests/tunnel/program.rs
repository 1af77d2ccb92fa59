//! A program that stands in for cloudflared or ngrok, in a folder of its own that is first in `PATH`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use rogerrat_testkit::Hub;

/// The stand-in. When dropped, its processes are killed and its folder is removed.
pub(crate) struct Program {
    folder: PathBuf,
    name: &'static str,
    mode: &'static str,
}

impl Program {
    /// A program of this name, which gets these hosts, one for each start.
    pub(crate) fn named(name: &'static str, mode: &'static str, hosts: &[&str]) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let folder = format!("rogerrat-tunnel-{}-{}", std::process::id(), NEXT.fetch_add(1, Relaxed));
        let folder = std::env::temp_dir().join(folder);
        fs::create_dir_all(folder.join("bin")).unwrap();
        let file = folder.join("bin").join(name);
        fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tunnel/program.sh"), &file).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(folder.join("hosts"), hosts.join("\n") + "\n").unwrap();
        assert!(Command::new("mkfifo").arg(folder.join("control")).status().unwrap().success());
        Self { folder, name, mode }
    }

    /// Its path.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.join("bin").join(self.name)
    }

    /// Starts a hub that opens the tunnel.
    pub(crate) fn hub(&self, flags: &[&str], env: &[(&str, &str)]) -> Hub {
        let path = self.search_path();
        Hub::with(&[&["--tunnel", self.name], flags].concat(), &[&self.env(&path)[..], env].concat())
    }

    /// The value of `PATH`.
    pub(crate) fn search_path(&self) -> String {
        format!("{}:/usr/bin:/bin", self.folder.join("bin").display())
    }

    /// The environment of a hub.
    pub(crate) fn env<'a>(&'a self, path: &'a str) -> [(&'a str, &'a str); 3] {
        [("PATH", path), ("TUNNEL_FOLDER", self.folder.to_str().unwrap()), ("TUNNEL_MODE", self.mode)]
    }

    /// Has the running program do something. It waits until the program reads it.
    pub(crate) fn control(&self, command: &str) {
        fs::write(self.folder.join("control"), format!("{command}\n")).unwrap();
    }

    /// What each start was given as arguments.
    pub(crate) fn arguments(&self) -> Vec<String> {
        self.lines("arguments")
    }

    /// Variables of the hub's configuration that it was given.
    pub(crate) fn variables(&self) -> Vec<String> {
        self.lines("variables")
    }

    /// The processes of all starts.
    pub(crate) fn pids(&self) -> Vec<String> {
        self.lines("pids")
    }

    fn lines(&self, name: &str) -> Vec<String> {
        fs::read_to_string(self.folder.join(name)).unwrap_or_default().lines().map(str::to_owned).collect()
    }
}

/// Whether a process runs. One that has ended and is still listed has no command line.
pub(crate) fn is_running(pid: &str) -> bool {
    fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| !line.is_empty())
}

impl Drop for Program {
    fn drop(&mut self) {
        for pid in self.pids().iter().filter(|pid| is_running(pid)) {
            let _ = Command::new("kill").args(["-KILL", pid]).output();
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}
