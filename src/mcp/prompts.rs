//! Prompts: what a human picks to let its agent join a channel, or to invite another agent.

use rogerrat_domain::names;
use rogerrat_domain::text::one_line;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::unknown;
use super::rpc::{Fault, Params, Wrong, text};
use super::visit::Visit;
use crate::web::snippets::SnippetContext;
use crate::web::state::bearer;

/// Letters of an argument.
const ARGUMENT_CHARS: usize = 256;

/// What a prompt takes.
#[derive(Default, Deserialize)]
struct Arguments {
    channel_id: Option<String>,
    token: Option<String>,
    callsign: Option<String>,
}

/// `prompts/list`
pub(super) fn list(visit: &Visit<'_>) -> Value {
    let knows_the_channel = visit.entrance.channel.is_some();
    let argument = |name: &str, title: &str, description: &str, required: bool| json!({"name": name, "title": title, "description": description, "required": required});
    let arguments = |callsign: &str| {
        let channel = [
            argument("channel_id", "Channel", "The channel's id", true),
            argument("token", "Token", "The channel's token; a band needs none", false),
        ];
        let channel = if knows_the_channel { Vec::new() } else { channel.to_vec() };
        [channel, vec![argument("callsign", "Callsign", callsign, false)]].concat()
    };
    json!({"prompts": [
        {
            "name": "join_channel",
            "title": "Join a channel",
            "description": "Let your agent join a channel, say hello and stay reachable",
            "arguments": arguments("The name to join under; without one the hub picks a free one"),
        },
        {
            "name": "invite_peer",
            "title": "Invite another agent",
            "description": "One line to paste to an agent on another machine",
            "arguments": arguments("The name it shall join under; without one the hub picks one"),
        },
    ]})
}

/// `prompts/get`
pub(super) async fn get(visit: &Visit<'_>, params: &Params<'_>) -> Result<Value, Fault> {
    let Some(name) = params.name.and_then(text) else {
        return Err(Fault::new(Wrong::Params, "`name` must be the name of a prompt"));
    };
    let said = arguments(params)?;
    let on_endpoint = visit.entrance.channel.as_ref().map(|at| at.id().to_string());
    let channel = on_endpoint.or_else(|| said.channel_id.as_deref().map(plain));
    let channel = || channel.clone().ok_or_else(|| Fault::new(Wrong::Params, "`channel_id` is missing"));
    let (description, text) = match &*name {
        "join_channel" => ("Join a channel", join(visit, &said, &channel()?)),
        "invite_peer" => ("Invite another agent", invite(visit, &said, &channel()?).await),
        _ => return Err(unknown("prompt", &name)),
    };
    Ok(json!({"description": description, "messages": [{"role": "user", "content": {"type": "text", "text": text}}]}))
}

fn arguments(params: &Params<'_>) -> Result<Arguments, Fault> {
    let Some(raw) = params.arguments.filter(|raw| raw.get() != "null") else { return Ok(Arguments::default()) };
    let wrong = |_| Fault::new(Wrong::Params, "`arguments` must be an object of strings");
    if !raw.get().starts_with('{') {
        return Err(Fault::new(Wrong::Params, "`arguments` must be an object of strings"));
    }
    serde_json::from_str(raw.get()).map_err(wrong)
}

fn join(visit: &Visit<'_>, said: &Arguments, channel: &str) -> String {
    let callsign = said.callsign.as_deref().map(plain);
    let under = callsign.map_or_else(
        || "without a callsign, so that you get a free one".to_owned(),
        |callsign| format!("as callsign `{callsign}`"),
    );
    let token = said.token.as_deref().filter(|_| visit.entrance.channel.is_none()).map(plain);
    let with = token.map_or_else(String::new, |token| format!(" with token `{token}`"));
    format!(
        "Join the rogerrat channel `{channel}`{with} {under}: call the tool join. Obey what its result says of trust, set up \
         what it says of staying reachable, say hello to all with send, and then call wait."
    )
}

/// The line for the other agent. The token is the one that was said, or the one this request came with.
async fn invite(visit: &Visit<'_>, said: &Arguments, channel: &str) -> String {
    let origin = visit.origin();
    let own = bearer(visit.request.headers()).filter(|_| visit.entrance.channel.is_some() && !is_the_hubs(visit));
    let token = said.token.as_deref().or(own).map_or_else(|| "<token>".to_owned(), plain);
    let callsign = match &said.callsign {
        Some(callsign) => plain(callsign),
        None => names::callsign(rogerrat_actors::random_u64()).as_str().to_owned(),
    };
    let found = visit.state.hub.find(channel).await;
    let require_identity = found.is_ok_and(|at| at.settings().require_identity);
    let how = if require_identity { "and its own identity_key, without a callsign" } else { "and that callsign" };
    let snippets = SnippetContext {
        origin: &origin,
        channel,
        token: &token,
        preset: visit.state.preset(visit.request),
        owner_password: None,
        require_identity,
    };
    format!(
        "Give your human this line to paste to the other agent, and then call wait:\n\n{}\n\nOver MCP the other agent adds \
         {origin}/mcp as a server and calls join with channel_id `{channel}`, the token {how}.",
        snippets.peer_invite(&callsign)
    )
}

/// Whether the request's bearer is the hub's own token, which is handed to nobody.
fn is_the_hubs(visit: &Visit<'_>) -> bool {
    visit.entrance.is_operator && visit.state.server_token.is_some()
}

fn plain(said: &str) -> String {
    one_line(said.trim()).chars().filter(|c| *c != '`').take(ARGUMENT_CHARS).collect()
}
