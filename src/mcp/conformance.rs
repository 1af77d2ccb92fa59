//! `/mcp-conformance`: the fixtures of the official conformance suite, with the protocol code of the real endpoints.
//!
//! For tests only, and not in a hub that is built without the feature `conformance`. It says what the suite wants said; what
//! it does not know falls through to the real methods.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::{self, Bytes, ServiceConfig};
use futures_util::stream;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::answer::Written;
use super::methods::Answer;
use super::rpc::{Call, Fault, Id, Params, Wrong, text};
use super::visit::Visit;
use super::{endpoint, methods};

const PATH: &str = "/mcp-conformance";
/// One red pixel.
const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==";
/// No sound at all.
const WAV: &str = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA=";
const TOOLS: [&str; 11] = [
    "test_simple_text",
    "test_image_content",
    "test_audio_content",
    "test_embedded_resource",
    "test_multiple_content_types",
    "test_error_handling",
    "test_tool_with_progress",
    "test_tool_with_logging",
    "test_logging_tool",
    "test_missing_capability",
    "test_streaming_elicitation",
];

/// The route.
pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(web::resource(PATH).route(web::post().to(endpoint::post)).route(web::delete().to(endpoint::delete)));
}

fn is_here(visit: &Visit<'_>) -> bool {
    visit.request.path() == PATH
}

/// What the suite's client must be told before it asks for it.
pub(super) fn capabilities(visit: &Visit<'_>) -> Option<Value> {
    let modern = json!({"tools": {}, "resources": {}, "prompts": {}, "completions": {}});
    let legacy =
        json!({"tools": {}, "resources": {"subscribe": true}, "prompts": {}, "completions": {}, "logging": {}});
    is_here(visit).then_some(if visit.version.is_modern() { modern } else { legacy })
}

/// What the suite asks for; none for what the real methods answer.
pub(super) fn answer(visit: &Visit<'_>, id: Id<'_>, call: &Call<'_>, params: &Params<'_>) -> Option<Answer> {
    if !is_here(visit) {
        return None;
    }
    let named = || params.name.and_then(text);
    let answered = match &*call.method {
        "tools/call" => return tool(visit, id, &named()?, params),
        "tools/list" => Ok(methods::listed(visit, id, json!({"tools": TOOLS.map(listed)}))),
        "completion/complete" => Ok(json!({"completion": {"values": [], "total": 0, "hasMore": false}}))
            .map(|completion| Written::result(id, visit.version, &completion)),
        "logging/setLevel" | "resources/subscribe" | "resources/unsubscribe" if !visit.version.is_modern() => {
            Ok(Written::result(id, visit.version, &json!({})))
        }
        "prompts/list" => Ok(methods::listed(visit, id, json!({"prompts": prompts()}))),
        "prompts/get" => prompt(&named()?, params).map(|prompt| Written::result(id, visit.version, &prompt)),
        "resources/list" => Ok(methods::listed(
            visit,
            id,
            json!({"resources": [
                {"uri": "test://static-text", "name": "static-text", "description": "text", "mimeType": "text/plain"},
                {"uri": "test://static-binary", "name": "static-binary", "description": "image", "mimeType": "image/png"},
            ]}),
        )),
        "resources/templates/list" => Ok(methods::listed(
            visit,
            id,
            json!({"resourceTemplates": [
                {"uriTemplate": "test://template/{id}/data", "name": "template", "mimeType": "application/json"},
            ]}),
        )),
        "resources/read" => Ok(methods::fresh(visit, id, resource(&params.uri.and_then(text)?)?)),
        _ => return None,
    };
    let is_modern = visit.version.is_modern();
    Some(Answer::Now(answered.unwrap_or_else(|fault| Written::fault(&fault.of(Some(id)), is_modern))))
}

fn listed(name: &str) -> Value {
    json!({"name": name, "description": "A fixture.", "inputSchema": {"type": "object", "properties": {}}})
}

fn words(text: &str) -> Value {
    json!({"type": "text", "text": text})
}

fn image() -> Value {
    json!({"type": "image", "data": PNG, "mimeType": "image/png"})
}

fn embedded(uri: &str, mime: &str, text: &str) -> Value {
    json!({"type": "resource", "resource": {"uri": uri, "mimeType": mime, "text": text}})
}

fn tool(visit: &Visit<'_>, id: Id<'_>, name: &str, params: &Params<'_>) -> Option<Answer> {
    let content = match name {
        "test_simple_text" => json!([words("This is a simple text response for testing.")]),
        "test_image_content" => json!([image()]),
        "test_audio_content" => json!([{"type": "audio", "data": WAV, "mimeType": "audio/wav"}]),
        "test_embedded_resource" => {
            json!([embedded("test://embedded-resource", "text/plain", "This is an embedded resource content.")])
        }
        "test_multiple_content_types" => json!([
            words("Multiple content types test:"),
            image(),
            embedded("test://mixed-content-resource", "application/json", r#"{"test":"data","value":123}"#),
        ]),
        "test_error_handling" => {
            let error =
                json!({"content": [words("This tool intentionally returns an error for testing")], "isError": true});
            return Some(Answer::Now(Written::result(id, visit.version, &error)));
        }
        "test_missing_capability" => {
            let needed = json!({"requiredCapabilities": {"sampling": {}}});
            let fault = Fault::new(Wrong::Capability, "this tool needs sampling").data(needed).of(Some(id));
            return Some(Answer::Now(Written::fault(&fault, visit.version.is_modern())));
        }
        "test_tool_with_progress" | "test_streaming_elicitation" => return Some(progress(visit, id, params)),
        "test_tool_with_logging" if !visit.version.is_modern() => return Some(logging(visit, id)),
        "test_tool_with_logging" | "test_logging_tool" => json!([words("Nothing was logged.")]),
        _ => return None,
    };
    Some(Answer::Now(Written::result(id, visit.version, &json!({"content": content}))))
}

fn progress(visit: &Visit<'_>, id: Id<'_>, params: &Params<'_>) -> Answer {
    let token = params.meta().ok().flatten().and_then(|meta| meta.progress_token());
    let told = |done: u64| {
        let token: Value = serde_json::from_str(token?.as_json()).ok()?;
        Some(json!({"progressToken": token, "progress": done, "total": 100}))
    };
    let told = [0, 50, 100].into_iter().filter_map(told).map(|params| ("notifications/progress", params));
    script(visit, id, told.collect())
}

fn logging(visit: &Visit<'_>, id: Id<'_>) -> Answer {
    let lines = ["Tool execution started", "Tool processing data", "Tool execution completed"];
    let told = lines.map(|line| ("notifications/message", json!({"level": "info", "data": line})));
    script(visit, id, told.into())
}

/// Notifications, one after the other, and the result.
fn script(visit: &Visit<'_>, id: Id<'_>, told: Vec<(&str, Value)>) -> Answer {
    let event = |json: String| Bytes::from(format!("event: message\ndata: {json}\n\n"));
    let told = told.into_iter().map(|(method, params)| json!({"jsonrpc": "2.0", "method": method, "params": params}));
    let result = Written::result(id, visit.version, &json!({"content": [words("Done.")]}));
    let events: Vec<_> = told.map(|message| event(message.to_string())).chain([event(result.json)]).collect();
    let body = stream::unfold(events.into_iter(), async |mut events| {
        let event = events.next()?;
        sleep(Duration::from_millis(50)).await;
        Some((Ok::<_, actix_web::Error>(event), events))
    });
    Answer::Scripted(HttpResponse::Ok().content_type("text/event-stream").streaming(Box::pin(body)))
}

fn prompts() -> Value {
    let argument = |name: &str| json!({"name": name, "description": "An argument.", "required": true});
    let prompt = |name: &str, arguments: &[&str]| {
        let arguments: Vec<_> = arguments.iter().map(|name| argument(name)).collect();
        json!({"name": name, "description": "A fixture.", "arguments": arguments})
    };
    json!([
        prompt("test_simple_prompt", &[]),
        prompt("test_prompt_with_arguments", &["arg1", "arg2"]),
        prompt("test_prompt_with_embedded_resource", &["resourceUri"]),
        prompt("test_prompt_with_image", &[]),
    ])
}

fn prompt(name: &str, params: &Params<'_>) -> Result<Value, Fault> {
    let said: Value = params.arguments.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default();
    let argument = |name: &str| said[name].as_str().unwrap_or_default().to_owned();
    let contents = match name {
        "test_simple_prompt" => vec![words("This is a simple prompt for testing.")],
        "test_prompt_with_arguments" => {
            vec![words(&format!("Prompt with arguments: arg1='{}', arg2='{}'", argument("arg1"), argument("arg2")))]
        }
        "test_prompt_with_embedded_resource" => vec![
            embedded(&argument("resourceUri"), "text/plain", "Embedded resource content for testing."),
            words("Please process the embedded resource above."),
        ],
        "test_prompt_with_image" => vec![image(), words("Please analyze the image above.")],
        _ => return Err(super::answer::unknown("prompt", name)),
    };
    let messages = contents.into_iter().map(|content| json!({"role": "user", "content": content}));
    Ok(json!({"messages": messages.collect::<Vec<_>>()}))
}

fn resource(uri: &str) -> Option<Value> {
    let content = match uri {
        "test://static-text" => {
            json!({"uri": uri, "mimeType": "text/plain", "text": "This is the content of the static text resource."})
        }
        "test://static-binary" => json!({"uri": uri, "mimeType": "image/png", "blob": PNG}),
        _ => {
            let id = uri.strip_prefix("test://template/")?.strip_suffix("/data")?;
            let data = json!({"id": id, "templateTest": true, "data": format!("Data for ID: {id}")}).to_string();
            json!({"uri": uri, "mimeType": "application/json", "text": data})
        }
    };
    Some(json!({"contents": [content]}))
}
