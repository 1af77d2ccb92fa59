//! Finds the program of a tunnel. It is never downloaded.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use crate::config::{TunnelProvider, TunnelSettings};

/// A program that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TunnelProgram {
    pub(super) provider: TunnelProvider,
    pub(super) path: PathBuf,
}

impl TunnelProgram {
    /// The arguments to forward requests to a port of this machine.
    pub(super) fn arguments(&self, port: u16) -> Vec<String> {
        let target = format!("127.0.0.1:{port}");
        let url = format!("http://{target}");
        let arguments: &[&str] = match self.provider {
            // Without a protocol a quick tunnel uses QUIC only, which some networks block. A configuration file in the home
            // directory would name another tunnel.
            TunnelProvider::Cloudflared => {
                &["tunnel", "--config", "/dev/null", "--no-autoupdate", "--protocol", "auto", "--url", &url]
            }
            // No `--host-header`: the public host must reach the hub.
            TunnelProvider::Ngrok => &["http", &target, "--log", "stdout", "--log-format", "json"],
        };
        arguments.iter().map(|argument| (*argument).to_owned()).collect()
    }
}

/// Finds the program of a tunnel: the configured one, else by its name in `PATH`, and cloudflared in the home directory,
/// too.
///
/// # Errors
/// Where to get it.
pub(crate) fn find(settings: &TunnelSettings) -> Result<TunnelProgram, String> {
    let provider = settings.provider;
    let found = find_in(settings, env::var_os("PATH").as_deref(), env::var_os("HOME").as_deref());
    found.map(|path| TunnelProgram { provider, path }).ok_or_else(|| missing(settings))
}

fn find_in(settings: &TunnelSettings, path: Option<&OsStr>, home: Option<&OsStr>) -> Option<PathBuf> {
    let name = settings.provider.name();
    let in_path = |name: &Path| {
        let folders = path.map(env::split_paths).into_iter().flatten();
        folders.filter(|folder| folder.is_absolute()).map(|folder| folder.join(name)).find(|file| is_program(file))
    };
    match &settings.command {
        // A name without a slash is searched for, as a shell does.
        Some(command) if command.components().count() == 1 && !command.is_absolute() => in_path(command),
        Some(command) => is_program(command).then(|| command.clone()),
        None => in_path(Path::new(name)).or_else(|| {
            let home = home.filter(|_| settings.provider == TunnelProvider::Cloudflared)?;
            Some(Path::new(home).join(name)).filter(|file| is_program(file))
        }),
    }
}

fn is_program(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

fn missing(settings: &TunnelSettings) -> String {
    let name = settings.provider.name();
    let (place, source) = match settings.provider {
        TunnelProvider::Cloudflared => (
            "in PATH or in the home directory",
            "https://developers.cloudflare.com/cloudflare-one/connections/connect-networks/downloads/",
        ),
        TunnelProvider::Ngrok => ("in PATH", "https://ngrok.com/download"),
    };
    match &settings.command {
        Some(command) => {
            format!("server.tunnel_command is no program: {}; get {name} from {source}", command.display())
        }
        None => {
            format!("{name} is not installed: it is not {place}; get it from {source}, or set server.tunnel_command")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(provider: TunnelProvider, command: Option<&Path>) -> TunnelSettings {
        TunnelSettings { provider, command: command.map(Path::to_owned), is_optional: false }
    }

    #[test]
    fn a_program_is_found_in_path_in_the_home_directory_or_where_it_is_configured() {
        let folder = env::temp_dir().join(format!("rr-find-{}", std::process::id()));
        for (folder, name) in [("bin", "ngrok"), ("home", "cloudflared"), ("home", "ngrok"), ("bin", "mine")] {
            let file = self::Path::new(&folder).to_owned();
            let file = env::temp_dir().join(format!("rr-find-{}", std::process::id())).join(file).join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, "#!/bin/sh\n").unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        }
        fs::write(folder.join("bin/cloudflared"), "no program").unwrap();
        let (path, home) = (folder.join("bin"), folder.join("home"));
        let found = |provider, command: Option<&Path>| {
            find_in(&settings(provider, command), Some(path.as_os_str()), Some(home.as_os_str()))
        };
        assert_eq!(found(TunnelProvider::Ngrok, None), Some(path.join("ngrok")));
        assert_eq!(found(TunnelProvider::Cloudflared, None), Some(home.join("cloudflared")));
        assert_eq!(found(TunnelProvider::Ngrok, Some(Path::new("mine"))), Some(path.join("mine")));
        assert_eq!(found(TunnelProvider::Ngrok, Some(&path.join("mine"))), Some(path.join("mine")));
        assert_eq!(found(TunnelProvider::Ngrok, Some(&path.join("cloudflared"))), None, "it cannot be executed");
        assert_eq!(found(TunnelProvider::Ngrok, Some(&path)), None, "a folder");
        let relative = find_in(&settings(TunnelProvider::Ngrok, None), Some(OsStr::new("bin:.")), None);
        assert_eq!(relative, None);
        assert!(missing(&settings(TunnelProvider::Ngrok, None)).contains("https://ngrok.com/download"));
        fs::remove_dir_all(folder).unwrap();
    }
}
