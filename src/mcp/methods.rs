//! The methods: what each is answered with.

use actix_web::http::StatusCode;
use serde_json::{Value, json};

use super::answer::{NAME, Written, unknown};
use super::era::Version;
use super::rpc::{Call, Fault, Id, Params, Wrong, text};
use super::session::{Nonce, Ticket};
use super::tools::{self, Outcome};
use super::visit::Visit;
use super::waiting::Waiting;
use super::{prompts, resources, words};

/// How long what is listed stays true.
const TTL_MS: u64 = 3_600_000;

/// What a request comes to.
pub(super) enum Answer {
    /// Here it is.
    Now(Written),
    /// It waits for messages.
    Later(Waiting),
    /// What the conformance suite wants to see.
    #[cfg(feature = "conformance")]
    Scripted(actix_web::HttpResponse),
}

/// Answers a request.
pub(super) async fn answer(visit: &Visit<'_>, id: Id<'_>, call: &Call<'_>, params: &Params<'_>) -> Answer {
    #[cfg(feature = "conformance")]
    if let Some(answer) = super::conformance::answer(visit, id, call, params) {
        return answer;
    }
    let answered = match &*call.method {
        "tools/call" => return tool(visit, id, params).await,
        "initialize" if !visit.version.is_modern() && !visit.is_in_batch => initialize(visit, id, params),
        "ping" if !visit.version.is_modern() => Ok(Written::result(id, visit.version, &json!({}))),
        "server/discover" if visit.version.is_modern() => Ok(Written::result(id, visit.version, &discover(visit))),
        "tools/list" => Ok(listed(visit, id, json!({"tools": visit.mcp.catalogue.list(visit)}))),
        "prompts/list" => Ok(listed(visit, id, prompts::list(visit))),
        "prompts/get" => prompts::get(visit, params).await.map(|prompt| Written::result(id, visit.version, &prompt)),
        "resources/list" => Ok(listed(visit, id, resources::list(visit))),
        "resources/templates/list" => Ok(listed(visit, id, resources::templates())),
        "resources/read" => resources::read(visit, params).await.map(|read| fresh(visit, id, read)),
        method => {
            let method = rogerrat_domain::text::clip(method);
            Err(Fault::new(Wrong::Method, format!("method not found: {method}")))
        }
    };
    Answer::Now(answered.unwrap_or_else(|fault| Written::fault(&fault.of(Some(id)), visit.version.is_modern())))
}

/// Takes note of a notification. Nothing is ever answered to one.
pub(super) fn notice(visit: &Visit<'_>, call: &Call<'_>, params: &Params<'_>) {
    // A modern client cancels by closing its request: there is no session that could say whose a request id is.
    let (Some(ticket), Some(id)) = (&visit.ticket, params.request_id.and_then(Id::of)) else { return };
    if call.method == "notifications/cancelled" {
        visit.mcp.calls.cancel(ticket.nonce, id.as_json());
    }
}

async fn tool(visit: &Visit<'_>, id: Id<'_>, params: &Params<'_>) -> Answer {
    let fault = |fault: Fault| Answer::Now(Written::fault(&fault.of(Some(id)), visit.version.is_modern()));
    let Some(name) = params.name.and_then(text) else {
        return fault(Fault::new(Wrong::Params, "`name` must be the name of a tool"));
    };
    let Some(tool) = visit.mcp.catalogue.find(&name) else { return fault(unknown("tool", &name)) };
    match tools::call(visit, id, tool, params).await {
        Outcome::Told(told) => Answer::Now(Written::tool(id, visit.version, &told)),
        Outcome::Waits(waiting) => Answer::Later(waiting),
    }
}

/// Begins a session. Whatever id comes with it stays what it was.
fn initialize(visit: &Visit<'_>, id: Id<'_>, params: &Params<'_>) -> Result<Written, Fault> {
    let wish = match params.protocol_version {
        None => None,
        Some(raw) => Some(text(raw).ok_or_else(|| Fault::new(Wrong::Params, "`protocolVersion` must be a string"))?),
    };
    let known = wish.and_then(|wish| Version::parse(&wish)).filter(|version| !version.is_modern());
    let version = known.unwrap_or(Version::LATEST_LEGACY);
    let ticket = Ticket { version, minted_ms: visit.state.clock.now().at_ms, nonce: nonce() };
    let result = json!({
        "protocolVersion": version.as_str(),
        "capabilities": capabilities(visit),
        "serverInfo": server_info(),
        "instructions": words::instructions(visit),
    });
    let session = ticket.seal(&visit.mcp.seal, visit.entrance.name());
    Ok(Written { session: Some(session), status: StatusCode::OK, ..Written::result(id, version, &result) })
}

fn nonce() -> Nonce {
    let mut nonce = Nonce::default();
    nonce.copy_from_slice(&rogerrat_actors::random_key()[..16]);
    nonce
}

fn discover(visit: &Visit<'_>) -> Value {
    json!({
        "supportedVersions": Version::ALL.map(Version::as_str),
        "capabilities": capabilities(visit),
        "instructions": words::instructions(visit),
        "ttlMs": TTL_MS,
        "cacheScope": "public",
    })
}

/// What is offered. Lists do not change while a client looks, so nobody is told that they did.
fn capabilities(
    #[cfg_attr(not(feature = "conformance"), expect(unused_variables, reason = "only the fixtures ask who asks"))]
    visit: &Visit<'_>,
) -> Value {
    #[cfg(feature = "conformance")]
    if let Some(capabilities) = super::conformance::capabilities(visit) {
        return capabilities;
    }
    json!({"tools": {}, "resources": {}, "prompts": {}})
}

fn server_info() -> Value {
    json!({"name": NAME, "title": NAME, "version": env!("CARGO_PKG_VERSION")})
}

/// A list, and to modern clients how long it stays true. What is listed may depend on who asks.
pub(super) fn listed(visit: &Visit<'_>, id: Id<'_>, mut list: Value) -> Written {
    if visit.version.is_modern() {
        list["ttlMs"] = json!(TTL_MS);
        list["cacheScope"] = json!("private");
    }
    Written::result(id, visit.version, &list)
}

/// What is true now and may not be in a moment.
pub(super) fn fresh(visit: &Visit<'_>, id: Id<'_>, mut read: Value) -> Written {
    if visit.version.is_modern() {
        read["ttlMs"] = json!(0);
        read["cacheScope"] = json!("private");
    }
    Written::result(id, visit.version, &read)
}
