//! Caddy, the reverse proxy that the deployments use, with their own configuration.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::hub::folder;
use super::wait_until;

/// A running Caddy. When dropped, it is killed and its folder is removed.
#[derive(Debug)]
pub struct Caddy {
    process: Child,
    /// Where clients connect to, without TLS.
    pub address: SocketAddr,
    folder: PathBuf,
}

impl Caddy {
    /// Whether Caddy is installed; if not, that is printed. With the variable `ROGERRAT_TEST_DEPLOY` it is a failure.
    pub fn is_installed() -> bool {
        let is_installed = Command::new("caddy").arg("version").stdout(Stdio::null()).status().is_ok();
        if !is_installed {
            assert!(std::env::var_os("ROGERRAT_TEST_DEPLOY").is_none(), "Caddy is not installed");
            eprintln!("skipped: Caddy is not installed");
        }
        is_installed
    }

    /// Starts Caddy with a configuration that has one site, in which each key of `replaced` becomes the value.
    ///
    /// # Panics
    ///
    /// Panics if a key does not occur in the configuration, or if Caddy refuses it.
    pub fn start(caddyfile: &Path, replaced: &[(&str, &str)]) -> Self {
        let mut site = fs::read_to_string(caddyfile).unwrap();
        for (key, value) in replaced {
            assert!(site.contains(key), "{}: {key}", caddyfile.display());
            site = site.replace(key, value);
        }
        let folder = folder();
        let mut started = None;
        wait_until("Caddy listens on a free port", || {
            started = Self::listen(&site, &folder);
            started.is_some()
        });
        let (process, address) = started.unwrap();
        Self { process, address, folder }
    }

    /// Starts Caddy on a port that was free a moment ago; none if another process has taken it.
    fn listen(site: &str, folder: &Path) -> Option<(Child, SocketAddr)> {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let (head, block) = site.split_once(" {\n").expect("the site is a block");
        let name = head.lines().last().unwrap();
        let start = format!("http://:{} {{\n\tbind 127.0.0.1\n", address.port());
        let config = format!("{{\n\tadmin off\n}}\n{start}{}", block.replace(name, "localhost"));
        let path = folder.join("Caddyfile");
        fs::write(&path, config).unwrap();
        let log = File::create(folder.join("log")).unwrap();
        let mut command = Command::new("caddy");
        command.args(["run", "--adapter", "caddyfile", "--config"].map(OsStr::new)).arg(&path);
        command.env("HOME", folder).env("XDG_DATA_HOME", folder).env("XDG_CONFIG_HOME", folder);
        let mut process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let mut has_exited = false;
        wait_until("Caddy listens or has exited", || {
            has_exited = process.try_wait().unwrap().is_some();
            has_exited || TcpStream::connect(address).is_ok()
        });
        if has_exited {
            let log = fs::read_to_string(folder.join("log")).unwrap();
            assert!(log.contains("address already in use"), "Caddy did not start:\n{log}");
            return None;
        }
        Some((process, address))
    }
}

impl Drop for Caddy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if std::thread::panicking() {
            eprintln!("Caddy's log:\n{}", fs::read_to_string(self.folder.join("log")).unwrap_or_default());
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}
