//! A bridge process and a client for it: requests, answers, and pushed messages.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};

use rogerrat_testkit::{Agent, Channel, TIMEOUT, client_env, executable};
use serde_json::{Value, json};

/// A running bridge with its output.
pub(crate) struct Bridge {
    process: Child,
    pub(crate) input: Option<ChildStdin>,
    pub(crate) says: Receiver<String>,
    /// Pushed messages that the test has not read yet.
    pub(crate) pushed: Vec<Value>,
}

impl Bridge {
    pub(crate) fn start(arguments: &[&str], env: &[(&str, &str)]) -> Self {
        let mut command = Command::new(executable());
        command.env_clear().envs(env.iter().copied()).arg("mcp").args(arguments);
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let out = BufReader::new(process.stdout.take().unwrap());
        let (say, says) = sync_channel(1024);
        std::thread::spawn(move || out.lines().try_for_each(|line| say.send(line.unwrap())));
        Self { input: process.stdin.take(), process, says, pushed: Vec::new() }
    }

    /// Starts a bridge that joins a channel by itself.
    pub(crate) fn of(channel: &Channel, callsign: &str) -> Self {
        let env = [("ROGERRAT_TOKEN", &*channel.token)];
        let mut bridge =
            Self::start(&["--origin", &channel.origin(), "--channel", &channel.id, "--callsign", callsign], &env);
        bridge.begin();
        bridge
    }

    /// Starts a bridge with the session of an agent.
    pub(crate) fn of_session(agent: &Agent) -> Self {
        let origin = agent.channel.origin();
        let mut bridge = Self::start(&[], &client_env(&agent.channel, &origin, &agent.session));
        bridge.begin();
        bridge
    }

    pub(crate) fn begin(&mut self) -> Value {
        let hello = self.result("initialize", &json!({"protocolVersion": "2025-11-25", "capabilities": {}}));
        self.write(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}).to_string());
        hello
    }

    pub(crate) fn write(&mut self, line: &str) {
        let input = self.input.as_mut().unwrap();
        input.write_all(line.as_bytes()).and_then(|()| input.write_all(b"\n")).unwrap();
    }

    /// The next line, which must be a JSON-RPC message.
    #[track_caller]
    pub(crate) fn line(&self) -> Value {
        let line = self.says.recv_timeout(TIMEOUT).expect("a line of output");
        let message: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
        assert_eq!(message["jsonrpc"], "2.0", "{line}");
        message
    }

    /// The next message that is not a push.
    #[track_caller]
    pub(crate) fn answer(&mut self) -> Value {
        loop {
            let message = self.line();
            if message["method"].is_null() {
                return message;
            }
            self.pushed.push(message);
        }
    }

    /// The next pushed message.
    #[track_caller]
    pub(crate) fn pushed(&mut self) -> Value {
        if !self.pushed.is_empty() {
            return self.pushed.remove(0)["params"].clone();
        }
        let message = self.line();
        assert_eq!(message["method"], "notifications/claude/channel", "{message}");
        assert!(message["id"].is_null(), "{message}");
        message["params"].clone()
    }

    pub(crate) fn ask(&mut self, id: u64, method: &str, params: &Value) {
        self.write(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).to_string());
    }

    #[track_caller]
    pub(crate) fn result(&mut self, method: &str, params: &Value) -> Value {
        self.ask(7, method, params);
        let answer = self.answer();
        assert_eq!(answer["id"], 7, "{answer}");
        answer["result"].clone()
    }

    #[track_caller]
    pub(crate) fn call(&mut self, tool: &str, arguments: &Value) -> Value {
        self.result("tools/call", &json!({"name": tool, "arguments": arguments}))
    }

    /// The structured result of a tool, which must succeed.
    #[track_caller]
    pub(crate) fn does(&mut self, tool: &str, arguments: &Value) -> Value {
        let result = self.call(tool, arguments);
        assert!(result["isError"].is_null(), "{result}");
        result["structuredContent"].clone()
    }

    /// Calls a tool, which must refuse with this code.
    #[track_caller]
    pub(crate) fn refuses(&mut self, tool: &str, arguments: &Value, code: &str) {
        let result = self.call(tool, arguments);
        assert_eq!(result["isError"], true, "{result}");
        assert!(result["structuredContent"].is_null(), "{result}");
        let text = result["content"][0]["text"].as_str().unwrap();
        assert!(text.contains(&format!("({code})")), "{text}");
    }

    #[track_caller]
    pub(crate) fn fault(&mut self, line: &str) -> (i64, Value) {
        self.write(line);
        let answer = self.answer();
        assert!(answer["error"]["message"].is_string(), "{answer}");
        (answer["error"]["code"].as_i64().unwrap(), answer["id"].clone())
    }

    /// Closes its input and waits for its exit.
    pub(crate) fn end(mut self) -> (ExitStatus, Vec<String>) {
        drop(self.input.take());
        let rest = self.says.iter().collect();
        (self.process.wait().unwrap(), rest)
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
