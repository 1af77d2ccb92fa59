//! The PostgreSQL programs of this machine, the user that runs them, and an empty cluster to copy.

use std::ffi::OsStr;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::{env, fs};

/// The password of the superuser `postgres` over TCP; the Unix socket needs none.
pub(super) const PASSWORD: &str = "not-shown-anywhere";

/// Without this variable, tests are skipped where there is no PostgreSQL.
const REQUIRED: &str = "ROGERRAT_TEST_POSTGRES";

/// Installed programs, and who runs them: PostgreSQL refuses to run as root.
#[derive(Debug)]
pub(super) struct Installation {
    programs: PathBuf,
    version: String,
    /// The user and the group; none if the test's own will do.
    user: Option<(u32, u32)>,
    template: OnceLock<PathBuf>,
}

/// The installation of this machine; none if there is none and the tests do not require one.
pub(super) fn installation() -> Option<&'static Installation> {
    static FOUND: OnceLock<Option<Installation>> = OnceLock::new();
    let found = FOUND.get_or_init(find).as_ref();
    assert!(found.is_some() || env::var_os(REQUIRED).is_none_or(|value| value != "1"), "there is no PostgreSQL server");
    if found.is_none() {
        eprintln!("skipped: there is no PostgreSQL server (programs `initdb` and `postgres`)");
    }
    found
}

/// Finds the programs: the newest of those that Debian installs, else those on the PATH.
fn find() -> Option<Installation> {
    let mut packaged: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    packaged.sort();
    let on_path = env::var_os("PATH").map(|path| env::split_paths(&path).collect::<Vec<_>>()).unwrap_or_default();
    let folders = packaged.into_iter().rev().map(|(_, folder)| folder).chain(on_path);
    let programs = folders.into_iter().find(|folder| {
        ["initdb", "postgres", "psql", "pg_basebackup"].iter().all(|program| folder.join(program).is_file())
    })?;
    let version = Command::new(programs.join("postgres")).arg("--version").output().ok()?;
    // "postgres (PostgreSQL) 15.18 (Debian …)"
    let version = String::from_utf8_lossy(&version.stdout).split_whitespace().nth(2)?.to_owned();
    Some(Installation { programs, version, user: unprivileged_user()?, template: OnceLock::new() })
}

/// Whom to run the server as: `Some(None)` is the test's own user; none if the test is root and knows no other.
fn unprivileged_user() -> Option<Option<(u32, u32)>> {
    if fs::metadata("/proc/self").ok()?.uid() != 0 {
        return Some(None);
    }
    let users = fs::read_to_string("/etc/passwd").ok()?;
    let ids = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    Some(Some(["postgres", "nobody"].into_iter().find_map(ids)?))
}

impl Installation {
    /// The path of an installed program.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }

    /// A command that runs as the user of the server, with an empty environment.
    pub(super) fn command(&self, program: impl AsRef<OsStr>, folder: &Path) -> Command {
        let mut command = match self.user {
            None => Command::new(program),
            Some((user, group)) => {
                let mut command = Command::new("setpriv");
                command.args([format!("--reuid={user}"), format!("--regid={group}"), "--clear-groups".into()]);
                command.arg("--").arg(program);
                command
            }
        };
        let path = env::var_os("PATH").unwrap_or_default();
        command.env_clear().env("PATH", path).env("LC_ALL", "C").current_dir(folder).stdin(Stdio::null());
        command
    }

    /// Runs a command of the server's user, which must succeed.
    pub(super) fn run(&self, program: &str, folder: &Path, arguments: &[&OsStr]) -> Output {
        let output = self.command(program, folder).args(arguments).output().unwrap();
        assert!(output.status.success(), "{program} failed: {}", String::from_utf8_lossy(&output.stderr));
        output
    }

    /// Creates a folder that belongs to the user of the server.
    pub(super) fn create_folder(&self, path: &Path) {
        fs::create_dir_all(path).unwrap();
        if let Some((user, group)) = self.user {
            chown(path, Some(user), Some(group)).unwrap();
        }
    }

    /// An empty cluster. It is created once for each version, beside the folders of the tests, and copied by each server.
    pub(super) fn template(&self) -> &Path {
        self.template.get_or_init(|| {
            let owner = self.user.map_or_else(|| fs::metadata("/proc/self").unwrap().uid(), |(user, _)| user);
            let template = env::temp_dir().join(format!("rogerrat-initdb-{}-{owner}", self.version));
            if fs::metadata(&template).is_ok_and(|folder| folder.uid() == owner) {
                return template;
            }
            let new = env::temp_dir().join(format!("rogerrat-initdb-new-{}", std::process::id()));
            self.create_folder(&new);
            self.init(&new);
            // Another process may have been faster.
            if fs::rename(&new, &template).is_err() {
                assert!(fs::metadata(&template).is_ok_and(|folder| folder.uid() == owner), "{}", template.display());
                fs::remove_dir_all(&new).unwrap();
            }
            template
        })
    }

    fn init(&self, folder: &Path) {
        let password = folder.join("password");
        fs::write(&password, PASSWORD).unwrap();
        let mut command = self.command(self.program("initdb"), folder);
        command.args(["--no-sync", "--encoding=UTF8", "--locale=C", "--username=postgres", "--wal-segsize=1"]);
        command.arg("--pwfile").arg(&password).arg("-D").arg(folder.join("data"));
        let output = command.args(["--auth-local=trust", "--auth-host=scram-sha-256"]).output().unwrap();
        assert!(output.status.success(), "initdb failed: {}", String::from_utf8_lossy(&output.stderr));
        fs::remove_file(password).unwrap();
        let rules = "local all,replication all trust\nhost all,replication all 127.0.0.0/8 scram-sha-256\n";
        fs::write(folder.join("data/pg_hba.conf"), rules).unwrap();
    }
}
