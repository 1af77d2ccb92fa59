//! The baseline as a separate process: what `rogerrat load baseline` runs, and how a run starts and stops it.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use actix_web::dev::ServerHandle;

use super::args::BaselineArgs;
use super::baseline;
use super::procfs::Process;

const READY: &str = "baseline listening on ";

/// Serves until SIGTERM, SIGINT or, with `--until-stdin-ends`, the end of standard input.
pub(super) fn run(args: &BaselineArgs) -> io::Result<()> {
    actix_web::rt::System::new().block_on(async {
        let (server, address) = baseline::serve(args.port, args.workers.into())?;
        writeln!(io::stdout(), "{READY}http://{address}")?;
        if args.until_stdin_ends {
            stop_with_stdin(server.handle())?;
        }
        server.await
    })
}

/// Waits on a thread, because standard input can only be read by blocking.
fn stop_with_stdin(server: ServerHandle) -> io::Result<()> {
    let system = actix_web::rt::System::current();
    let wait = move || {
        let _ = io::stdin().read_to_end(&mut Vec::new());
        system.arbiter().spawn(async move { server.stop(false).await });
    };
    std::thread::Builder::new().name("baseline-stdin".into()).spawn(wait).map(drop)
}

/// A child process of this executable that serves the baseline; it is killed on drop.
pub(super) struct BaselineProcess {
    child: Child,
    url: String,
}

impl BaselineProcess {
    pub(super) fn start(workers: u16, cpus: Option<&str>) -> io::Result<Self> {
        let child = command(&std::env::current_exe()?, cpus)
            .args(["load", "baseline", "--port", "0", "--until-stdin-ends", "--workers", &workers.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut baseline = Self { child, url: String::new() };
        let mut first = String::new();
        if let Some(stdout) = baseline.child.stdout.take() {
            BufReader::new(stdout).read_line(&mut first)?;
        }
        let url = first.trim().strip_prefix(READY).ok_or_else(|| io::Error::other("the baseline did not start"))?;
        url.clone_into(&mut baseline.url);
        Ok(baseline)
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn process(&self) -> io::Result<Process> {
        Process::find(self.child.id())
    }
}

/// `taskset` replaces itself by the baseline, so that the process id stays the same.
fn command(executable: &Path, cpus: Option<&str>) -> Command {
    let Some(cpus) = cpus else {
        return Command::new(executable);
    };
    let mut command = Command::new("taskset");
    command.args(["-c", cpus]).arg(executable);
    command
}

impl Drop for BaselineProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
