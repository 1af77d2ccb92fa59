//! The desk: what the client says, and who answers it. What needs no hub is answered at once; a call of a tool runs beside.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use rogerrat_client::ChannelTarget;
use rogerrat_domain::text::clip;
use serde_json::{Map, Value, json};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::timeout;

use super::envelope::{self, Call, Wrong};
use super::forward::{Errand, Failure};
use super::lines::{Line, Out};
use super::seat::Seats;
use super::{McpSurface, NAME, words};
use crate::outcome::say;

/// Calls under way at once.
const CALLS: usize = 64;
/// For calls under way when the input ends.
const GOODBYE: Duration = Duration::from_secs(1);
/// How long what is listed stays true.
const TTL_MS: u64 = 3_600_000;

pub(super) struct Desk {
    place: Arc<ChannelTarget>,
    face: McpSurface,
    seats: Seats,
    out: Out,
    /// What the client and we agreed on.
    version: String,
    calls: JoinSet<()>,
    under_way: HashMap<String, AbortHandle>,
}

impl Desk {
    pub(super) fn new(place: ChannelTarget, face: McpSurface, seats: Seats, out: Out) -> Self {
        let version = face.legacy.first().copied().unwrap_or_default().to_owned();
        Self { place: Arc::new(place), face, seats, out, version, calls: JoinSet::new(), under_way: HashMap::new() }
    }

    /// Hears one line, and answers what can be answered at once.
    pub(super) async fn hear(&mut self, line: &Line) {
        let read = match line {
            Line::Whole(line) => envelope::read(line),
            // What is whole although its end is missing can be answered; anything else was cut off.
            Line::Half(line) => envelope::read(line).or_else(|_| {
                say(NAME, "the input ended in the middle of a line");
                Ok(None)
            }),
            Line::TooLong => {
                Err(Wrong { code: envelope::REQUEST, message: "invalid request: a line has at most 1 MiB", id: None })
            }
        };
        let answer = match read {
            Ok(None) => None,
            Ok(Some(call)) => match call.id {
                None => {
                    self.notice(&call);
                    None
                }
                Some(id) => self.request(id, &call).await,
            },
            Err(Wrong { code, message, id }) => {
                Some(fault(id.as_deref().unwrap_or("null"), code, message, &Value::Null))
            }
        };
        if let Some(answer) = answer {
            // Nobody reads: the bridge is about to end.
            let _ = self.out.say(answer).await;
        }
    }

    /// Waits a moment for what is under way.
    pub(super) async fn finish(&mut self) {
        let all = async { while self.calls.join_next().await.is_some() {} };
        let _ = timeout(GOODBYE, all).await;
    }

    fn notice(&mut self, call: &Call<'_>) {
        match &*call.method {
            "notifications/initialized" => self.seats.begin(),
            "notifications/cancelled" => {
                let id = call.params.get("requestId").map(Value::to_string);
                if let Some(call) = id.and_then(|id| self.under_way.remove(&id)) {
                    call.abort();
                }
            }
            _ => {}
        }
    }

    async fn request(&mut self, id: &str, call: &Call<'_>) -> Option<String> {
        let modern = call.modern_version();
        let is_modern = modern.is_some() || call.method == "server/discover";
        if let Some(version) = modern.filter(|version| !self.face.modern.contains(version)) {
            let data = json!({"supported": self.versions(), "requested": clip(version)});
            return Some(fault(id, envelope::VERSION_UNKNOWN, "unsupported protocol version", &data));
        }
        if is_modern {
            self.seats.begin();
        }
        let found = match &*call.method {
            "initialize" if !is_modern => self.initialize(call),
            "ping" => json!({}),
            "server/discover" => self.discover(),
            "tools/list" => listed(is_modern, json!({"tools": self.tools()})),
            "tools/call" => return self.call(id, call).await,
            method => {
                let message = format!("method not found: {}", clip(method));
                return Some(fault(id, envelope::METHOD, &message, &Value::Null));
            }
        };
        Some(result(id, is_modern, found))
    }

    fn initialize(&mut self, call: &Call<'_>) -> Value {
        let wish = call.params.get("protocolVersion").and_then(Value::as_str);
        let known = wish.filter(|wish| self.face.legacy.contains(wish)).or(self.face.legacy.first().copied());
        self.version = known.unwrap_or_default().to_owned();
        json!({
            "protocolVersion": self.version,
            "capabilities": capabilities(),
            "serverInfo": server_info(),
            "instructions": self.instructions(),
        })
    }

    fn discover(&self) -> Value {
        let found = json!({
            "supportedVersions": self.versions(),
            "capabilities": capabilities(),
            "instructions": self.instructions(),
        });
        listed(true, found)
    }

    fn instructions(&self) -> String {
        let hub = &self.place.hub;
        words::instructions(&self.seats, &hub.origin.clone())
    }

    fn versions(&self) -> Vec<&'static str> {
        [&self.face.modern[..], &self.face.legacy[..]].concat()
    }

    fn tools(&self) -> &[Value] {
        if self.seats.is_on_a_channel() { &self.face.tools_of_a_channel } else { &self.face.tools }
    }

    /// Lets a tool be called beside all else; only what cannot be called is answered here.
    async fn call(&mut self, id: &str, call: &Call<'_>) -> Option<String> {
        let Some(tool) = self.tools().iter().find(|tool| tool["name"] == call.name()).cloned() else {
            let message = format!("unknown tool: {}", clip(call.name()));
            return Some(fault(id, envelope::PARAMS, &message, &Value::Null));
        };
        self.under_way.retain(|_, call| !call.is_finished());
        if self.under_way.len() >= CALLS {
            let why = format!("{CALLS} calls are under way: wait for one of them");
            return Some(refused(id, call.modern_version().is_some(), &why, Some("overloaded")));
        }
        while self.calls.try_join_next().is_some() {}
        let version = call.modern_version().unwrap_or(&self.version).to_owned();
        let work = Work {
            id: id.to_owned(),
            tool,
            is_modern: call.modern_version().is_some(),
            version,
            params: call.params.clone(),
            place: self.place.clone(),
            seats: self.seats.clone(),
            out: self.out.clone(),
        };
        let under_way = self.calls.spawn(async move {
            let answer = work.run().await;
            // Nobody reads: the bridge is about to end.
            let _ = work.out.say(answer).await;
        });
        self.under_way.insert(id.to_owned(), under_way);
        None
    }
}

/// A call under way.
struct Work {
    id: String,
    tool: Value,
    version: String,
    is_modern: bool,
    params: Map<String, Value>,
    place: Arc<ChannelTarget>,
    seats: Seats,
    out: Out,
}

impl Work {
    async fn run(&self) -> String {
        let name = self.tool["name"].as_str().unwrap_or_default();
        let mut params = self.params.clone();
        let arguments = params.entry("arguments").or_insert_with(|| json!({}));
        if arguments.is_null() {
            *arguments = json!({});
        }
        let mut filled = Map::new();
        if let Value::Object(said) = arguments {
            self.seats.fill(&self.tool, said).await;
            filled.clone_from(said);
        }
        let body =
            format!(r#"{{"jsonrpc":"2.0","id":{},"method":"tools/call","params":{}}}"#, self.id, Value::Object(params));
        let errand = Errand { id: self.id.clone(), tool: name.to_owned(), version: self.version.clone(), body };
        match errand.run(&self.place, &self.out).await {
            Ok((line, told)) => {
                if let Some(told) = told {
                    self.seats.learn(name, &filled, &self.place, &told);
                }
                line
            }
            Err(failure) => self.failed(failure),
        }
    }

    fn failed(&self, failure: Failure) -> String {
        let origin = self.place.hub.origin.clone();
        let (why, code) = match failure {
            Failure::Away(why) => (
                format!("the hub at {origin} is out of reach ({why}): nothing was done. Call again in a few seconds"),
                None,
            ),
            Failure::Doubt(why) => (
                format!(
                    "the hub at {origin} broke off ({why}): nobody knows whether it was done. Look at history before you \
                     say anything twice"
                ),
                None,
            ),
            Failure::Refused { why, code } => (why, Some(code)),
        };
        refused(&self.id, self.is_modern, &why, code.as_deref())
    }
}

/// What a tool says that did not do its work.
fn refused(id: &str, is_modern: bool, why: &str, code: Option<&str>) -> String {
    let mut told = json!({"error": why});
    if let Some(code) = code {
        told["code"] = json!(code);
    }
    let text = json!([{"type": "text", "text": format!("error: {why}")}]);
    result(id, is_modern, json!({"content": text, "isError": true, "structuredContent": told}))
}

fn capabilities() -> Value {
    json!({"tools": {}, "experimental": {"claude/channel": {}}})
}

fn server_info() -> Value {
    json!({"name": "rogerrat", "title": "rogerrat", "version": env!("CARGO_PKG_VERSION")})
}

fn listed(is_modern: bool, mut list: Value) -> Value {
    if is_modern {
        list["ttlMs"] = json!(TTL_MS);
        list["cacheScope"] = json!("private");
    }
    list
}

fn result(id: &str, is_modern: bool, mut result: Value) -> String {
    if is_modern {
        result["resultType"] = json!("complete");
        result["_meta"] = json!({"io.modelcontextprotocol/serverInfo": server_info()});
    }
    format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#)
}

fn fault(id: &str, code: i32, message: &str, data: &Value) -> String {
    let mut error = json!({"code": code, "message": message});
    if !data.is_null() {
        error["data"] = data.clone();
    }
    format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{error}}}"#)
}
