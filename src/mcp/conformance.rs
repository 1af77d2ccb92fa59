//! `/mcp-conformance`: the fixtures of the official conformance suite, served by the protocol code of the real
//! endpoints.
//!
//! For tests only: it exists only in a hub that is built with the feature `conformance`. Methods without a fixture are
//! those of the real endpoints.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::Bytes;
use futures_util::stream;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::context::RequestContext;
use super::response::{RpcResponse, unknown_name};
use super::rpc::{ErrorCode, Params, RpcCall, RpcError, RpcId, string};

/// The path of the fixtures.
pub(super) const PATH: &str = "/mcp-conformance";
/// One red pixel.
const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==";
/// A sound without samples.
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

/// The outcome of a fixture.
pub(super) enum Fixture {
    Response(RpcResponse),
    Stream(HttpResponse),
}

fn is_conformance_path(context: &RequestContext<'_>) -> bool {
    context.request.path() == PATH
}

/// The capabilities without which the suite's client skips scenarios.
pub(super) fn capabilities(context: &RequestContext<'_>) -> Option<Value> {
    let modern = json!({"tools": {}, "resources": {}, "prompts": {}, "completions": {}});
    let legacy =
        json!({"tools": {}, "resources": {"subscribe": true}, "prompts": {}, "completions": {}, "logging": {}});
    is_conformance_path(context).then_some(if context.version.is_modern() { modern } else { legacy })
}

/// Calls a fixture; none when the real method must be called.
pub(super) fn call(
    context: &RequestContext<'_>,
    id: RpcId<'_>,
    call: &RpcCall<'_>,
    params: &Params<'_>,
) -> Option<Fixture> {
    if !is_conformance_path(context) {
        return None;
    }
    let name = || params.name.and_then(string);
    let response = match &*call.method {
        "tools/call" => return tool(context, id, &name()?, params),
        "tools/list" => Ok(RpcResponse::list(id, context.version, json!({"tools": TOOLS.map(listed)}))),
        "completion/complete" => Ok(json!({"completion": {"values": [], "total": 0, "hasMore": false}}))
            .map(|completion| RpcResponse::result(id, context.version, &completion)),
        "logging/setLevel" | "resources/subscribe" | "resources/unsubscribe" if !context.version.is_modern() => {
            Ok(RpcResponse::result(id, context.version, &json!({})))
        }
        "prompts/list" => Ok(RpcResponse::list(id, context.version, json!({"prompts": prompts()}))),
        "prompts/get" => prompt(&name()?, params).map(|prompt| RpcResponse::result(id, context.version, &prompt)),
        "resources/list" => Ok(RpcResponse::list(
            id,
            context.version,
            json!({"resources": [
                {"uri": "test://static-text", "name": "static-text", "description": "text", "mimeType": "text/plain"},
                {"uri": "test://static-binary", "name": "static-binary", "description": "PNG", "mimeType": "image/png"},
            ]}),
        )),
        "resources/templates/list" => Ok(RpcResponse::list(
            id,
            context.version,
            json!({"resourceTemplates": [
                {"uriTemplate": "test://template/{id}/data", "name": "template", "mimeType": "application/json"},
            ]}),
        )),
        "resources/read" => Ok(RpcResponse::uncached(id, context.version, resource(&params.uri.and_then(string)?)?)),
        _ => return None,
    };
    let is_modern = context.version.is_modern();
    Some(Fixture::Response(response.unwrap_or_else(|error| RpcResponse::error(&error.with_id(Some(id)), is_modern))))
}

fn listed(name: &str) -> Value {
    json!({"name": name, "description": "A fixture.", "inputSchema": {"type": "object", "properties": {}}})
}

fn text_content(text: &str) -> Value {
    json!({"type": "text", "text": text})
}

fn image() -> Value {
    json!({"type": "image", "data": PNG, "mimeType": "image/png"})
}

fn embedded(uri: &str, mime: &str, text: &str) -> Value {
    json!({"type": "resource", "resource": {"uri": uri, "mimeType": mime, "text": text}})
}

fn tool(context: &RequestContext<'_>, id: RpcId<'_>, name: &str, params: &Params<'_>) -> Option<Fixture> {
    let content = match name {
        "test_simple_text" => json!([text_content("This is a simple text response for testing.")]),
        "test_image_content" => json!([image()]),
        "test_audio_content" => json!([{"type": "audio", "data": WAV, "mimeType": "audio/wav"}]),
        "test_embedded_resource" => {
            json!([embedded("test://embedded-resource", "text/plain", "This is an embedded resource content.")])
        }
        "test_multiple_content_types" => json!([
            text_content("Multiple content types test:"),
            image(),
            embedded("test://mixed-content-resource", "application/json", r#"{"test":"data","value":123}"#),
        ]),
        "test_error_handling" => {
            let content = text_content("This tool intentionally returns an error for testing");
            let error = json!({"content": [content], "isError": true});
            return Some(Fixture::Response(RpcResponse::result(id, context.version, &error)));
        }
        "test_missing_capability" => {
            let needed = json!({"requiredCapabilities": {"sampling": {}}});
            let error = RpcError::new(ErrorCode::MissingCapability, "this tool needs sampling");
            let error = error.with_data(needed).with_id(Some(id));
            return Some(Fixture::Response(RpcResponse::error(&error, context.version.is_modern())));
        }
        "test_tool_with_progress" | "test_streaming_elicitation" => return Some(progress(context, id, params)),
        "test_tool_with_logging" if !context.version.is_modern() => return Some(logging(context, id)),
        "test_tool_with_logging" | "test_logging_tool" => json!([text_content("Nothing was logged.")]),
        _ => return None,
    };
    Some(Fixture::Response(RpcResponse::result(id, context.version, &json!({"content": content}))))
}

fn progress(context: &RequestContext<'_>, id: RpcId<'_>, params: &Params<'_>) -> Fixture {
    let token = params.meta().ok().flatten().and_then(|meta| meta.progress_token());
    let notification = |done: u64| {
        let token: Value = serde_json::from_str(token?.as_json()).ok()?;
        Some(json!({"progressToken": token, "progress": done, "total": 100}))
    };
    let notifications =
        [0, 50, 100].into_iter().filter_map(notification).map(|params| ("notifications/progress", params));
    notify(context, id, notifications.collect())
}

fn logging(context: &RequestContext<'_>, id: RpcId<'_>) -> Fixture {
    let lines = ["Tool execution started", "Tool processing data", "Tool execution completed"];
    let notifications = lines.map(|line| ("notifications/message", json!({"level": "info", "data": line})));
    notify(context, id, notifications.into())
}

/// A stream of notifications and the result.
fn notify(context: &RequestContext<'_>, id: RpcId<'_>, notifications: Vec<(&str, Value)>) -> Fixture {
    let event = |json: String| Bytes::from(format!("event: message\ndata: {json}\n\n"));
    let messages = notifications.into_iter();
    let messages = messages.map(|(method, params)| json!({"jsonrpc": "2.0", "method": method, "params": params}));
    let result = RpcResponse::result(id, context.version, &json!({"content": [text_content("Done.")]}));
    let events: Vec<_> = messages.map(|message| event(message.to_string())).chain([event(result.json)]).collect();
    let body = stream::unfold(events.into_iter(), async |mut events| {
        let event = events.next()?;
        sleep(Duration::from_millis(50)).await;
        Some((Ok::<_, actix_web::Error>(event), events))
    });
    Fixture::Stream(HttpResponse::Ok().content_type("text/event-stream").streaming(Box::pin(body)))
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

fn prompt(name: &str, params: &Params<'_>) -> Result<Value, RpcError> {
    let arguments: Value = params.arguments.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default();
    let argument = |name: &str| arguments[name].as_str().unwrap_or_default().to_owned();
    let contents = match name {
        "test_simple_prompt" => vec![text_content("This is a simple prompt for testing.")],
        "test_prompt_with_arguments" => {
            vec![text_content(&format!(
                "Prompt with arguments: arg1='{}', arg2='{}'",
                argument("arg1"),
                argument("arg2")
            ))]
        }
        "test_prompt_with_embedded_resource" => vec![
            embedded(&argument("resourceUri"), "text/plain", "Embedded resource content for testing."),
            text_content("Please process the embedded resource above."),
        ],
        "test_prompt_with_image" => vec![image(), text_content("Please analyze the image above.")],
        _ => return Err(unknown_name("prompt", name)),
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
