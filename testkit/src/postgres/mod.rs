//! A temporary PostgreSQL server: a process of its own, with a cluster of its own, on an address of its own.

mod installation;

use std::ffi::OsStr;
use std::fmt::Display;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use self::installation::{Installation, PASSWORD, installation};
use super::{TIMEOUT, wait_until};

/// Runs the server, and ends it as a line of the input says, or at its end: then the test has ended, however it did. The
/// shell is the server's parent, so no signal reaches another process. `kill` ends only the first process of the server;
/// the others notice it, as they would anywhere.
const RUN: &str = r#"
folder=$1; shift
"$@" &
server=$!
exec >/dev/null 2>&1
if read -r signal; then
    kill -"$signal" "$server"; wait "$server"
else
    kill -QUIT "$server"; wait "$server"; cd /; rm -rf "$folder"
fi
"#;

/// A running PostgreSQL server. When dropped, it is ended and its folder is removed.
///
/// It survives a crash of its machine as one in production does: `fsync` and `synchronous_commit` are on.
#[derive(Debug)]
pub struct Postgres {
    installation: &'static Installation,
    process: Option<Running>,
    address: SocketAddr,
    folder: PathBuf,
    settings: Vec<String>,
    log: Arc<Mutex<String>>,
}

#[derive(Debug)]
struct Running {
    shell: Child,
    /// Closed when the test ends.
    signal: ChildStdin,
    /// Disconnected when all processes of the server have ended.
    has_ended: Mutex<Receiver<()>>,
}

impl Postgres {
    /// Starts a server with the default settings; none if there is no PostgreSQL on this machine, which is printed. With
    /// the variable `ROGERRAT_TEST_POSTGRES=1` that is a failure.
    pub fn start() -> Option<Self> {
        Self::with(&[])
    }

    /// Starts a server with settings such as `max_connections=20`.
    pub fn with(settings: &[&str]) -> Option<Self> {
        let installation = installation()?;
        let template = installation.template();
        Some(Self::run(installation, settings, |data| {
            installation.run("cp", Path::new("/"), &["-R".as_ref(), template.join("data").as_ref(), data.as_ref()]);
        }))
    }

    /// A server that all tests of a process share, each in a database of its own; see [`start`](Self::start). It ends with
    /// the process.
    pub fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<Postgres>> = OnceLock::new();
        SHARED.get_or_init(Self::start).as_ref()
    }

    /// Starts a synchronous standby of this server: from now on, a commit waits for it.
    pub fn standby(&self) -> Self {
        let standby = Self::run(self.installation, &[], |data| {
            let mut copy = self.installation.command(self.installation.program("pg_basebackup"), Path::new("/"));
            copy.arg("-D").arg(data).arg("-h").arg(&self.folder).args(["-p", &self.address.port().to_string()]);
            let output = copy.args(["-U", "postgres", "-R", "-X", "stream", "-c", "fast"]).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        });
        self.sql("postgres", "ALTER SYSTEM SET synchronous_standby_names = '*'");
        self.sql("postgres", "SELECT pg_reload_conf()");
        wait_until("the standby is synchronous", || {
            self.sql("postgres", "SELECT sync_state FROM pg_stat_replication") == "sync"
        });
        standby
    }

    /// Makes this standby the primary.
    pub fn promote(&self) {
        self.sql("postgres", "ALTER SYSTEM SET synchronous_standby_names = ''");
        assert_eq!(self.sql("postgres", "SELECT pg_promote()"), "t", "{}", self.log());
        self.sql("postgres", "SELECT pg_reload_conf()");
    }

    fn run(installation: &'static Installation, settings: &[&str], fill: impl FnOnce(&Path)) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let n = NEXT.fetch_add(1, Relaxed);
        let folder = std::env::temp_dir().join(format!("rogerrat-postgres-{}-{n}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        installation.create_folder(&folder);
        fill(&folder.join("data"));
        let settings = settings.iter().map(|&setting| setting.to_owned()).collect();
        let address = SocketAddr::from((own_loopback_address(n), 0));
        let mut server = Self { installation, process: None, address, folder, settings, log: Arc::default() };
        wait_until("the server listens on a free port", || {
            // Where only 127.0.0.1 is a loopback address, another process may take the port before the server does.
            let listener = TcpListener::bind(server.address);
            let listener = listener.or_else(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).unwrap();
            server.address = listener.local_addr().unwrap();
            drop(listener);
            server.launch()
        });
        server
    }

    /// Starts a server again that was stopped or killed, on the same address and with the same data.
    pub fn start_again(&mut self) {
        assert!(self.process.is_none(), "the server is still running");
        wait_until("the server listens on its address again", || self.launch());
    }

    /// Starts the server and waits until it accepts connections; false if another process has its port.
    fn launch(&mut self) -> bool {
        let mut command = self.installation.command("sh", &self.folder);
        command.args(["-c", RUN, "sh"]).arg(&self.folder).arg(self.installation.program("postgres"));
        command.arg("-D").arg(self.folder.join("data")).arg("-k").arg(&self.folder);
        command.args(["-h", &self.address.ip().to_string(), "-p", &self.address.port().to_string()]);
        let small = ["shared_buffers=16MB", "max_connections=500", "max_wal_size=64MB", "log_statement=none"];
        // Otherwise a start after a kill syncs each file of the cluster, which takes seconds while others use the disk.
        let quick_recovery = ["recovery_init_sync_method=syncfs"];
        for setting in small.into_iter().chain(quick_recovery).chain(self.settings.iter().map(String::as_str)) {
            command.args(["-c", setting]);
        }
        let mut shell = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (signal, lines) = (shell.stdin.take().unwrap(), BufReader::new(shell.stderr.take().unwrap()));
        let (is_ready, ready) = sync_channel(1);
        let (ended, has_ended) = sync_channel(1);
        let log = self.log.clone();
        std::thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                if line.contains("ready to accept") {
                    let _ = is_ready.try_send(());
                }
                let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
                log.push_str(&line);
                log.push('\n');
            }
            drop((is_ready, ended));
        });
        self.process = Some(Running { shell, signal, has_ended: has_ended.into() });
        if ready.recv_timeout(TIMEOUT).is_ok() {
            return true;
        }
        let log = self.log();
        self.end("KILL");
        let tail = log.rsplit("starting PostgreSQL").next().unwrap_or_default();
        assert!(tail.contains("could not create any TCP/IP sockets"), "the server did not start:\n{log}");
        false
    }

    /// Ends the server with a signal and waits until all of its processes have ended.
    fn end(&mut self, signal: &str) {
        let Running { mut shell, signal: mut to, has_ended } = self.process.take().expect("the server is running");
        to.write_all(format!("{signal}\n").as_bytes()).unwrap();
        let has_ended = has_ended.into_inner().unwrap_or_else(PoisonError::into_inner);
        assert_eq!(has_ended.recv_timeout(TIMEOUT), Err(RecvTimeoutError::Disconnected), "{signal}");
        shell.wait().unwrap();
    }

    /// Kills the server with SIGKILL, as a crash would end it.
    pub fn kill(&mut self) {
        self.end("KILL");
    }

    /// Stops the server: it ends its sessions and writes everything to disk.
    pub fn stop(&mut self) {
        self.end("INT");
    }

    /// Creates an empty database and returns its URL, with the superuser's name and password.
    pub fn database(&self) -> String {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("test_{}", NEXT.fetch_add(1, Relaxed));
        self.sql("postgres", format_args!("CREATE DATABASE {name} TEMPLATE template0"));
        self.url(&name)
    }

    /// The URL of a database, with the superuser's name and password.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres:{PASSWORD}@{}/{database}", self.address)
    }

    /// The password in its URLs, which must never be shown.
    pub fn password(&self) -> &'static str {
        PASSWORD
    }

    /// The address on which it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The id of its first process.
    pub fn pid(&self) -> u32 {
        let file = fs::read_to_string(self.folder.join("data/postmaster.pid")).unwrap();
        file.lines().next().unwrap().trim().parse().unwrap()
    }

    /// Everything it has logged.
    pub fn log(&self) -> String {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Runs a statement in a database, by name or URL, and returns its rows as lines with `|` between the columns.
    pub fn sql(&self, database: &str, statement: impl Display) -> String {
        let name = database.rsplit('/').next().unwrap();
        let (port, statement) = (self.address.port().to_string(), statement.to_string());
        let arguments = ["-XAtq", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-p", &port, "-d", name, "-c", &statement];
        let mut arguments: Vec<&OsStr> = arguments.iter().map(OsStr::new).collect();
        arguments.extend([OsStr::new("-h"), self.folder.as_os_str()]);
        let psql = self.installation.program("psql");
        let output = self.installation.run(psql.to_str().unwrap(), Path::new("/"), &arguments);
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the server's log:\n{}", self.log());
        }
        if let Some(Running { mut shell, signal, .. }) = self.process.take() {
            // The shell ends the server and removes its folder.
            drop(signal);
            let _ = shell.wait();
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A loopback address that no other test uses, so that a port of it that is free remains free.
fn own_loopback_address(n: usize) -> Ipv4Addr {
    let [_, _, high, low] = std::process::id().to_be_bytes();
    Ipv4Addr::new(127, 64 + u8::try_from(n % 128).unwrap_or_default(), high, low.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_keeps_what_it_committed_and_ends_with_its_test() {
        let Some(mut server) = Postgres::start() else { return };
        let database = server.database();
        assert!(database.contains(&server.address().to_string()), "{database}");
        server.sql(&database, "CREATE TABLE numbers (n int)");
        for (n, end) in [Postgres::kill, Postgres::stop].into_iter().enumerate() {
            server.sql(&database, format_args!("INSERT INTO numbers VALUES ({n})"));
            end(&mut server);
            server.start_again();
        }
        assert_eq!(server.sql(&database, "SELECT count(*), max(n) FROM numbers"), "2|1");
        let (pid, folder) = (server.pid(), server.folder.clone());
        drop(server);
        assert!(!folder.exists() && !Path::new(&format!("/proc/{pid}")).exists());
    }

    #[test]
    fn a_promoted_standby_has_every_commit() {
        let Some(mut primary) = Postgres::start() else { return };
        let database = primary.database();
        let standby = primary.standby();
        primary.sql(&database, "CREATE TABLE numbers (n int)");
        primary.sql(&database, "INSERT INTO numbers VALUES (7)");
        primary.kill();
        standby.promote();
        assert_eq!(standby.sql(&database, "UPDATE numbers SET n = 8 RETURNING n"), "8");
    }

    #[test]
    fn tests_share_a_server_and_no_database() {
        let Some(server) = Postgres::shared() else { return };
        let [one, other] = [server.database(), server.database()];
        server.sql(&one, "CREATE TABLE numbers (n int)");
        server.sql(&other, "CREATE TABLE numbers (n int)");
        assert_eq!(server.address(), Postgres::shared().unwrap().address());
    }
}
