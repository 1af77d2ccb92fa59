//! The shell of an agent: every call is a new bash process that shares only `RR` with earlier calls.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use rogerrat_testkit::{HttpTarget, Hub};

/// The blocks of a page, in order.
#[derive(Clone)]
pub(crate) struct Page(pub(crate) String, Vec<String>);

impl Page {
    /// The page of the raw calls as it is served for a host name.
    pub(crate) fn of(target: HttpTarget, host: Option<&str>) -> Self {
        Self::at(target, "/llms-full.txt", "bash", host)
    }

    /// The guide as it is served for a host name.
    pub(crate) fn guide(target: HttpTarget, host: Option<&str>) -> Self {
        Self::at(target, "/llms.txt", "sh", host)
    }

    fn at(target: HttpTarget, path: &str, language: &str, host: Option<&str>) -> Self {
        let request = target.get(path);
        let reply = match host {
            Some(host) => request.header("Host", host).send(),
            None => request.send(),
        };
        assert_eq!(reply.status, 200, "{}", reply.text());
        let text = reply.text();
        let fence = format!("```{language}\n");
        let blocks = text.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap().to_owned());
        let blocks = blocks.collect();
        Self(text, blocks)
    }

    /// The only block that contains this text.
    #[track_caller]
    pub(crate) fn block(&self, part: &str) -> &str {
        let found = self.1.iter().filter(|block| block.contains(part)).collect::<Vec<_>>();
        assert_eq!(found.len(), 1, "{part}: {found:?}");
        found[0]
    }

    pub(crate) fn create(&self) -> &str {
        self.block("CREATED=")
    }

    pub(crate) fn join(&self) -> &str {
        self.block("RR=$(mktemp -d)")
    }

    pub(crate) fn identity(&self) -> &str {
        self.block("IDENTITY_KEY=$(")
    }

    /// The blocks after joining, by purpose.
    pub(crate) fn after(&self, what: &str) -> &str {
        match what {
            "send" => self.block(r#""message":"hello"}'"#),
            "send a file" => self.block("<<'TEXT'"),
            "wait" => self.block("wait?timeout=30"),
            "leave" => self.block("POST leave"),
            other => panic!("no block to {other}"),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.1.len()
    }
}

/// An agent that has joined with the guide.
pub(crate) struct Caller<'a> {
    hub: &'a Hub,
    pub(crate) rr: String,
    /// The output of the join.
    pub(crate) output: String,
}

impl<'a> Caller<'a> {
    /// Runs blocks that end with joining.
    #[track_caller]
    pub(crate) fn join(hub: &'a Hub, script: &str) -> Self {
        let output = Shell::start(hub, script, "").read_to_end();
        let rr =
            output.lines().find_map(|line| line.strip_prefix("RR=")).unwrap_or_else(|| panic!("{output}")).to_owned();
        Self { hub, rr, output }
    }

    pub(crate) fn start(&self, block: &str) -> Shell {
        Shell::start(self.hub, block, &self.rr)
    }

    #[track_caller]
    pub(crate) fn call(&self, block: &str) -> String {
        self.start(block).read_to_end()
    }
}

/// An agent that follows the guide, in a folder of its own.
pub(crate) struct Reader<'a> {
    hub: &'a Hub,
    folder: std::path::PathBuf,
    /// The name of its profile. Its shell does not keep it.
    profile: String,
}

impl<'a> Reader<'a> {
    /// Gets the script as the guide describes it.
    #[track_caller]
    pub(crate) fn new(hub: &'a Hub, page: &Page) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let folder = hub.folder().join(format!("reader {}", NEXT.fetch_add(1, Relaxed)));
        fs::create_dir(&folder).unwrap();
        let mut reader = Self { hub, folder, profile: String::new() };
        let printed = reader.call(page.block("curl -fsS"));
        reader.profile = printed.trim().strip_prefix("--profile ").unwrap_or_else(|| panic!("{printed}")).to_owned();
        reader
    }

    pub(crate) fn start(&self, block: &str) -> Shell {
        let profile = format!("export ROGERRAT_PROFILE='{}'\n", self.profile);
        Shell::start_in(self.hub, &format!("cd '{}'\n{profile}{block}", self.folder.display()), "", "sh")
    }

    #[track_caller]
    pub(crate) fn call(&self, block: &str) -> String {
        self.start(block).read_to_end()
    }
}

/// A running shell.
pub(crate) struct Shell {
    bash: Child,
    out: BufReader<ChildStdout>,
}

impl Shell {
    /// Temporary files are created in the hub's directory, which is removed with it.
    pub(crate) fn start(hub: &Hub, text: &str, rr: &str) -> Self {
        Self::start_in(hub, text, rr, "bash")
    }

    fn start_in(hub: &Hub, text: &str, rr: &str, shell: &str) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let path = hub.folder().join(format!("call-{}.sh", NEXT.fetch_add(1, Relaxed)));
        fs::write(&path, text).unwrap();
        let mut bash = Command::new(shell);
        bash.arg(&path).env("TMPDIR", hub.folder()).env("HOME", hub.folder()).env_remove("RR");
        bash.env_remove("XDG_CONFIG_HOME");
        if !rr.is_empty() {
            bash.env("RR", rr);
        }
        let mut bash = bash.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(bash.stdout.take().unwrap());
        Self { bash, out }
    }

    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        line.trim_end_matches('\n').to_owned()
    }

    /// All output until it exits, which must be successful.
    #[track_caller]
    pub(crate) fn read_to_end(mut self) -> String {
        let mut text = String::new();
        self.out.read_to_string(&mut text).unwrap();
        let status = self.bash.wait().unwrap();
        assert!(status.success(), "{status}: {text}");
        text
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        let _ = self.bash.kill();
        let _ = self.bash.wait();
    }
}
