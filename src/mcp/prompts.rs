//! Prompts: a human selects one to make an agent join a channel, or to invite another agent.

use rogerrat_domain::text::one_line;
use rogerrat_domain::{Refusal, names};
use serde::Deserialize;
use serde_json::{Value, json};

use super::arguments::{self, Arguments, Parameter};
use super::context::RequestContext;
use super::response::unknown_name;
use super::rpc::{Params, RpcError, string};
use crate::web::snippets::SnippetContext;
use crate::web::state::bearer;

/// The maximum length of an argument in a prompt; the rest is cut off.
const ARGUMENT_CHARS: usize = 256;

/// The arguments of both prompts.
#[derive(Default, Deserialize)]
struct PromptArguments {
    channel_id: Option<String>,
    token: Option<String>,
    callsign: Option<String>,
}

/// `prompts/list`
pub(super) fn list(context: &RequestContext<'_>) -> Value {
    let needs_channel = context.endpoint.channel.is_none();
    let arguments = |callsign: &str| {
        let mut arguments = vec![argument("callsign", "Callsign", callsign, false)];
        if needs_channel {
            let channel = argument("channel_id", "Channel", "The channel's id", true);
            let token = argument("token", "Token", "The channel's token; a band needs none", false);
            arguments.splice(0..0, [channel, token]);
        }
        arguments
    };
    json!({"prompts": [
        {
            "name": "join_channel",
            "title": "Join a channel",
            "description": "Make your agent join a channel, say hello and stay reachable",
            "arguments": arguments("The callsign to join under; by default the hub picks a free one"),
        },
        {
            "name": "invite_peer",
            "title": "Invite another agent",
            "description": "Get a line to paste to an agent on another machine",
            "arguments": arguments("The callsign of the other agent; by default the hub picks one"),
        },
    ]})
}

fn argument(name: &str, title: &str, description: &str, required: bool) -> Value {
    json!({"name": name, "title": title, "description": description, "required": required})
}

/// `prompts/get`
pub(super) async fn get(context: &RequestContext<'_>, params: &Params<'_>) -> Result<Value, RpcError> {
    let Some(name) = params.name.and_then(string) else {
        return Err(RpcError::invalid_params("`name` must be the name of a prompt"));
    };
    let arguments = parse_arguments(params).map_err(|refusal| RpcError::invalid_params(refusal.text))?;
    let of_endpoint = context.endpoint.channel.as_ref().map(|channel| channel.id().to_string());
    let channel = of_endpoint.or_else(|| arguments.channel_id.as_deref().map(clean));
    let channel = || channel.clone().ok_or_else(|| RpcError::invalid_params("`channel_id` is missing"));
    let (description, text) = match &*name {
        "join_channel" => ("Join a channel", join(context, &arguments, &channel()?)),
        "invite_peer" => ("Invite another agent", invite(context, &arguments, &channel()?).await),
        _ => return Err(unknown_name("prompt", &name)),
    };
    Ok(json!({"description": description, "messages": [{"role": "user", "content": {"type": "text", "text": text}}]}))
}

fn parse_arguments(params: &Params<'_>) -> Result<PromptArguments, Refusal> {
    let known = ["channel_id", "token", "callsign"].map(Parameter::text);
    Arguments::read(&arguments::object_of(params.arguments)?, &known)?.parse()
}

fn join(context: &RequestContext<'_>, arguments: &PromptArguments, channel: &str) -> String {
    let callsign = arguments.callsign.as_deref().map(clean);
    let callsign = callsign.map_or_else(
        || "without a callsign, so that you are given a free one".to_owned(),
        |callsign| format!("as callsign `{callsign}`"),
    );
    let token = arguments.token.as_deref().filter(|_| context.endpoint.channel.is_none()).map(clean);
    let token = token.map_or_else(String::new, |token| format!(" with token `{token}`"));
    format!(
        "Join the rogerrat channel `{channel}`{token} {callsign}: call the tool join. Follow what its result says \
         about trust, set up what it says about staying reachable, say hello to all with send, and then call wait."
    )
}

/// The prompt with the invite. Its token is the one in the arguments, or the one that authorized this request.
async fn invite(context: &RequestContext<'_>, arguments: &PromptArguments, channel: &str) -> String {
    let origin = context.origin();
    let is_channel_token = context.endpoint.channel.is_some() && !has_hub_token(context);
    let own = bearer(context.request.headers()).filter(|_| is_channel_token);
    let token = arguments.token.as_deref().or(own).map_or_else(|| "<token>".to_owned(), clean);
    let callsign = match &arguments.callsign {
        Some(callsign) => clean(callsign),
        None => names::callsign(rogerrat_actors::random_u64()).as_str().to_owned(),
    };
    let found = context.state.hub.find(channel).await;
    let require_identity = found.is_ok_and(|channel| channel.settings().require_identity);
    let how = if require_identity { "and its own identity_key, without a callsign" } else { "and that callsign" };
    let snippets = SnippetContext {
        origin: &origin,
        channel,
        token: &token,
        preset: context.state.preset(context.request),
        owner_password: None,
        require_identity,
    };
    format!(
        "Give your human this line to paste to the other agent, and then call wait:\n\n{}\n\nAn agent with MCP \
         instead adds {origin}/mcp as a server and calls join with channel_id `{channel}`, the token {how}.",
        snippets.peer_invite(&callsign)
    )
}

/// Whether the request was authorized by the hub's own token, which must not appear in an invite.
fn has_hub_token(context: &RequestContext<'_>) -> bool {
    context.endpoint.is_operator && context.state.server_token.is_some()
}

/// One line without backticks, so that an argument cannot break out of its quotes in a prompt.
fn clean(argument: &str) -> String {
    one_line(argument.trim()).chars().filter(|c| *c != '`').take(ARGUMENT_CHARS).collect()
}
