//! A listener whose agent has died: it ends, and the messages stay unread.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rogerrat_testkit::{Agent, ClientCommand, Hub, client_env, executable, wait_until};

/// An agent that runs a script and then sleeps until it is killed.
struct FakeAgent(Child);

impl FakeAgent {
    /// `$BIN` is the executable, and standard error of everything goes to `err`.
    fn start(member: &Agent, script: &str, err: &Path) -> Self {
        let origin = member.channel.origin();
        let mut command = Command::new("sh");
        command.env_clear().envs(client_env(&member.channel, &origin, &member.session));
        command.env("PATH", std::env::var("PATH").unwrap()).env("BIN", executable());
        command.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::null());
        Self(command.stderr(fs::File::create(err).unwrap()).spawn().unwrap())
    }

    fn die(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for FakeAgent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn d35_a_listener_ends_unread_with_the_process_that_started_it() {
    let hub = Hub::start();
    let err = hub.folder().join("err");
    for script in [
        // Its own child, the child of a wrapper, and a listener that waits behind another one.
        r#""$BIN" wait < /dev/null & exec cat"#,
        r#"sh -c '"$BIN" wait; true' < /dev/null & exec cat"#,
        r#"sh -c 'nohup timeout 600 "$BIN" wait; true' < /dev/null & exec cat"#,
        r#""$BIN" listen-here --with-pid $$ --inbox inbox < /dev/null & exec cat"#,
        r#""$BIN" listen-here --with-pid parent < /dev/null & exec cat"#,
    ] {
        let channel = hub.channel();
        let (ann, bob) = (channel.join("ann"), channel.join("bob"));
        let mut agent = FakeAgent::start(&bob, &format!("cd '{}'; {script}", hub.folder().display()), &err);
        bob.until_waiting(true);
        agent.die();
        bob.until_waiting(false);
        ann.send("bob", "keep me");
        assert_eq!(bob.listen(), ["keep me"], "{script}");
        wait_until("it reports why", || fs::read_to_string(&err).unwrap().contains("has ended"));
    }
}

#[test]
fn d35_a_listener_that_is_started_by_a_process_that_ends_at_once_takes_nothing() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    ann.send("bob", "keep me");
    let (out, err) = (hub.folder().join("out"), hub.folder().join("err"));
    // `sh` begins a session of its own, as a client's tool does.
    let script = format!("setsid sh -c '\"$BIN\" wait > \"{}\" < /dev/null &'; exec cat", out.display());
    let _agent = FakeAgent::start(&bob, &script, &err);
    wait_until("it has ended", || fs::read_to_string(&err).unwrap().contains("has ended"));
    assert_eq!(fs::read_to_string(&out).unwrap(), "");
    assert_eq!(bob.listen(), ["keep me"]);
}

#[test]
fn with_pid_names_another_process_or_none() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let mut other = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
    let pid = other.id().to_string();
    let bell = ClientCommand::start_as(&bob, &["wait", "--with-pid", &pid]);
    bob.until_waiting(true);
    other.kill().unwrap();
    other.wait().unwrap();
    bell.wait_for_exit().with_one_line(5, "--with-pid");
    ClientCommand::start_as(&bob, &["wait", "--with-pid", &pid]).wait_for_exit().with_one_line(5, "has ended");
    assert_eq!(ClientCommand::start_as(&bob, &["wait", "--with-pid", "me"]).wait_for_exit().code, Some(2));
    let err = hub.folder().join("err");
    let out = hub.folder().join("out");
    let script = format!("\"$BIN\" wait --with-pid none > '{}' < /dev/null & exec cat", out.display());
    let mut agent = FakeAgent::start(&bob, &script, &err);
    bob.until_waiting(true);
    agent.die();
    ann.send("bob", "hello");
    wait_until("it rings", || fs::read_to_string(&out).unwrap().ends_with(": hello\n"));
}

#[test]
fn d35_a_listener_whose_output_no_one_reads_takes_nothing() {
    let hub = Hub::start();
    for arguments in [&["wait", "--with-pid", "none"][..], &["listen-here"]] {
        let channel = hub.channel();
        let (ann, bob) = (channel.join("ann"), channel.join("bob"));
        let (reader, writer) = std::io::pipe().unwrap();
        let origin = channel.origin();
        let env = client_env(&channel, &origin, &bob.session);
        let listener = ClientCommand::start_with_stdout(writer.into(), arguments, &env);
        bob.until_waiting(true);
        drop(reader);
        let ended = listener.wait_for_exit();
        assert!(ended.code == Some(5) && ended.err.contains("closed by its reader"), "{ended:?}");
        ann.say("keep me");
        assert_eq!(bob.listen(), ["keep me"]);
    }
}
