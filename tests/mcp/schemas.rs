//! The schemas of all tools: grammars and strict back ends accept the inputs, and every result fits its output schema.

use std::process::{Command, Stdio};

use rogerrat_testkit::Hub;
use serde_json::{Map, Value, json};

use super::client::{Client, LEGACY, hub, own_path};
use super::clients::installed;

/// The keywords of an input schema.
const WORDS: [&str; 6] = ["type", "description", "enum", "properties", "required", "items"];
const TYPES: [&str; 6] = ["string", "number", "integer", "boolean", "array", "object"];
/// The maximum size of the response with the list of tools, in bytes.
const LIST_BYTES: usize = 24_000;

fn tools(client: &Client) -> Vec<Value> {
    client.result("tools/list", json!({}))["tools"].as_array().unwrap().clone()
}

/// Checks that an input schema has one plain type everywhere and no bounds.
fn check_input(schema: &Value, path: &str) {
    let fields = schema.as_object().unwrap_or_else(|| panic!("{path}: {schema}"));
    for word in fields.keys() {
        assert!(WORDS.contains(&&**word), "{path}: {word}");
    }
    let kind = schema["type"].as_str().unwrap_or_else(|| panic!("{path}: the type is {}", schema["type"]));
    assert!(TYPES.contains(&kind), "{path}: {kind}");
    assert_eq!(kind == "array", schema["items"].is_object(), "{path}");
    let is_choice = schema["enum"].as_array().is_some_and(|all| !all.is_empty() && all.iter().all(Value::is_string));
    assert!(schema["enum"].is_null() || (kind == "string" && is_choice), "{path}");
    let no_fields = Map::new();
    let properties = schema["properties"].as_object().unwrap_or(&no_fields);
    for (name, field) in properties {
        assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b"_0123456789".contains(&b)), "{path}.{name}");
        assert!(field["description"].as_str().is_some_and(|text| !text.contains('\n')), "{path}.{name}");
        check_input(field, &format!("{path}.{name}"));
    }
    for name in schema["required"].as_array().into_iter().flatten() {
        assert!(properties.contains_key(name.as_str().unwrap()), "{path}: {name}");
    }
    if let Some(items) = fields.get("items") {
        check_input(items, &format!("{path}[]"));
    }
}

#[test]
fn input_schemas_have_one_plain_type_and_no_bounds() {
    let (hub, channel) = hub();
    let own = Client { bearer: Some(channel.token.clone()), ..Client::modern(*hub, &own_path(&channel)) };
    for client in [Client::legacy(*hub, "/mcp"), Client::modern(*hub, "/mcp"), own] {
        for tool in tools(&client) {
            let name = tool["name"].as_str().unwrap();
            assert_eq!(tool["inputSchema"]["type"], "object", "{name}");
            check_input(&tool["inputSchema"], name);
            let output = tool["outputSchema"].to_string();
            assert!(!output.contains(":null"), "{name}: no keyword of JSON Schema is null");
            for word in ["$ref", "oneOf", "anyOf", "pattern", "format", "maximum", "maxLength", "additionalProperties"]
            {
                assert!(!output.contains(&format!("\"{word}\":")), "{name}: {word}");
            }
        }
    }
}

/// Arguments that a grammar must be able to generate, with their names in the order of the schema.
fn examples(tool: &str) -> Value {
    match tool {
        "send" => {
            json!([{"message": "hi", "reply_to": 1_795_174_447_277_u64, "to": "bob"}, {"message": "hi", "to": "2"}])
        }
        "ack" => json!([{"upto": 1_795_174_447_277_u64}]),
        "listen" | "wait" => json!([{}, {"max": 5, "timeout_seconds": 30}]),
        "history" => json!([{"n": 20}]),
        _ => json!([]),
    }
}

#[test]
fn schemas_convert_to_grammars() {
    let Some(clients) = installed() else { return };
    let (hub, channel) = hub();
    let own = Client { bearer: Some(channel.token.clone()), ..Client::modern(*hub, &own_path(&channel)) };
    for client in [Client::legacy(*hub, "/mcp"), own] {
        let tools = tools(&client).into_iter().map(|mut tool| {
            tool["examples"] = examples(tool["name"].as_str().unwrap());
            tool
        });
        let mut python = Command::new(clients.join("grammars/bin/python"));
        python.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/mcp/clients/grammars.py"));
        let mut process = python.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        serde_json::to_writer(process.stdin.take().unwrap(), &tools.collect::<Vec<_>>()).unwrap();
        let output = process.wait_with_output().unwrap();
        let errors: Map<String, Value> = serde_json::from_slice(&output.stdout).unwrap();
        assert!(errors.len() >= 12 && errors.values().all(|found| *found == json!([])), "{errors:?}");
    }
}

#[test]
fn the_list_of_tools_is_small() {
    let (hub, channel) = hub();
    let own = Client { bearer: Some(channel.token.clone()), ..Client::modern(*hub, &own_path(&channel)) };
    let legacy = ["2025-03-26", "2025-06-18", LEGACY]
        .map(|version| Client { version, ..Client::modern(*hub, "/mcp") }.initialized());
    for client in legacy.into_iter().chain([Client::modern(*hub, "/mcp"), own]) {
        let list = client.request("tools/list", json!({})).send();
        assert!(list.ok()["result"]["tools"].is_array());
        assert!(list.body.len() < LIST_BYTES, "{}: {} bytes", client.version, list.body.len());
        println!("{} on {}: {} bytes", client.version, client.path, list.body.len());
    }
}

/// Every bound of a request body over HTTP is stated in words in the schema of the tool, whose back end cannot hold it.
#[test]
fn bounds_are_stated_in_words() {
    let hub = Hub::start();
    let api = hub.get("/openapi.json").send().ok();
    let client = Client::modern(*hub, "/mcp");
    let of_tool = |name: &str| {
        let tools = tools(&client);
        tools.iter().find(|tool| tool["name"] == name).unwrap()["inputSchema"]["properties"].clone()
    };
    for (tool, body) in
        [("send", "SendInput"), ("create_channel", "CreateInput"), ("join", "JoinInput"), ("ack", "AckInput")]
    {
        let described = of_tool(tool);
        for (name, wide) in api["components"]["schemas"][body]["properties"].as_object().unwrap() {
            // The results of tasks have a tool of their own, and some arguments are not listed.
            if ["answers", "state", "fence", "data"].contains(&&**name) {
                continue;
            }
            let text = described[name]["description"].as_str().unwrap_or_default().replace(',', "");
            let bounds = ["maxLength", "maxItems", "maximum"].map(|word| wide[word].as_u64());
            let of_items = wide["items"]["maxLength"].as_u64();
            for bound in bounds.into_iter().chain([of_items]).flatten().filter(|bound| *bound < 1 << 53) {
                assert!(text.contains(&bound.to_string()), "{tool}.{name}: {bound} is not in `{text}`");
            }
        }
    }
}

/// What every tool refuses, with the arguments that make it do so.
pub(super) fn refusals() -> Vec<(&'static str, Value, &'static str)> {
    let elsewhere = |more: Value| {
        let mut arguments = json!({"channel_id": "no-such-channel", "session_id": "s".repeat(43)});
        arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        arguments
    };
    let mut all = vec![
        ("create_channel", json!({"retention": "bogus"}), "invalid"),
        ("create_channel", json!({"account_token": "x"}), "unauthorized"),
        ("create_identity", json!({"session_token": "x"}), "unauthorized"),
        ("create_account", json!(["x"]), "invalid"),
        ("open_remote_control", json!({"session_token": "x"}), "unauthorized"),
        ("open_remote_control", json!({"qr": "svg"}), "invalid"),
        (
            "make_remote_link",
            json!({"channel_id": "no-such-channel", "channel_token": "x", "session_token": "x"}),
            "not_found",
        ),
        ("make_remote_link", json!({"channel_id": "general", "channel_token": "x"}), "invalid"),
        ("join", json!({"channel_id": "no-such-channel", "token": "x"}), "not_found"),
        ("send", json!({"to": "nobody", "message": "x"}), "not_joined"),
        ("send", json!({"mesage": "x"}), "invalid"),
        ("ack", json!({}), "invalid"),
        ("history", json!({"n": "many"}), "not_joined"),
    ];
    let tools = "send listen wait ack roster history fetch ask take finish tasks leave keepalive";
    for tool in tools.split(' ') {
        let needed = json!({"channel_id": ["a", "b"], "upto": 1, "message_id": 1, "task_id": 1, "state": "done"});
        all.push((tool, needed, "invalid"));
        let needed = match tool {
            "send" => json!({"message": "x"}),
            "fetch" => json!({"message_id": 1}),
            "ask" => json!({"to": "nobody", "message": "x"}),
            "take" | "tasks" => json!({"task_id": 1}),
            "finish" => json!({"task_id": 1, "state": "done"}),
            _ => json!({"upto": 1}),
        };
        all.push((tool, elsewhere(needed.clone()), "not_found"));
        all.push((tool, needed, "not_joined"));
    }
    all
}

#[test]
fn every_refusal_is_a_result_that_clients_accept() {
    let (hub, channel) = hub();
    let own = Client { bearer: Some(channel.token.clone()), ..Client::modern(*hub, &own_path(&channel)) };
    for client in [Client::legacy(*hub, "/mcp"), Client::modern(*hub, "/mcp")] {
        for (tool, arguments, code) in refusals() {
            let text = client.call_refused(tool, &arguments, code);
            assert!(text.len() > 20, "{tool}: {text}");
        }
    }
    let text = own.call_refused("send", &json!({"channel_id": "general", "message": "x"}), "invalid");
    assert!(text.contains(&channel.id), "{text}");
    own.call_refused("send", &json!({"channel_id": format!(" {} ", channel.id), "message": "x"}), "not_joined");
}

#[test]
fn arguments_are_read_as_clients_send_them() {
    let (hub, channel) = hub();
    let (ann, bob) = (channel.join("ann"), Client::legacy(*hub, "/mcp"));
    let membership = bob.join(&channel, "bob");
    let upto = ann.send("bob", "one");
    bob.call("listen", &json!({"timeout_seconds": "1", "max": " 5 ", "since": "", "consumer": null, "ack": "Auto"}));
    bob.call("history", &json!({"n": "5", "thread": " "}));
    bob.call("ack", &json!({"upto": format!("#{upto}"), "toolCallId": "call_1", "sessionId": "chat-7"}));
    let more = json!({"to": 1, "message": 42, "reply_to": upto.to_string(), "suggested_replies": "[\"yes\",\"no\"]",
                      "action": "sendMessage", "chatInput": "hi", "session_id": "", "channel_id": null, "thread": ""});
    bob.call("send", &more);
    bob.call("send", &Value::String(json!({"to": "1", "message": "as text"}).to_string()));
    bob.call(
        "create_channel",
        &json!({"claim_callsigns": "true", "require_identity": "", "session_ttl_seconds": "60"}),
    );
    for nothing in [json!(null), json!([]), json!("")] {
        bob.call("roster", &nothing);
    }
    let read = hub.get(&format!("/api/channels/{}/history", channel.id)).bearer(&channel.token).send().ok();
    let messages: Vec<_> =
        read["history"].as_array().unwrap().iter().filter(|message| message["from"] == "bob").collect();
    assert_eq!((&messages[0]["text"], &messages[0]["reply_to"]), (&json!("42"), &json!(upto)), "{read}");
    assert_eq!(messages[0]["suggested_replies"], json!(["yes", "no"]));
    assert!(messages[0]["thread"].is_null());
    assert_eq!(messages[1]["text"], "as text");
    let text = bob.call_refused("listen", &json!({"timout_seconds": 1}), "invalid");
    assert!(text.contains("did you mean `timeout_seconds`?"), "{text}");
    let modern = Client::modern(*hub, "/mcp");
    assert_eq!(
        modern.call(
            "keepalive",
            &json!({"channel_id": membership["channel_id"],
                                                "session_id": membership["session_id"], "x": 1})
        )["unread"],
        0
    );
}

#[test]
fn parameters_and_prompt_arguments_may_be_nothing() {
    let (hub, channel) = hub();
    let client = Client::legacy(*hub, "/mcp");
    for method in ["tools/list", "prompts/list", "resources/list", "ping"] {
        for params in [json!(null), json!([])] {
            assert!(client.result(method, params)["_meta"].is_null(), "{method}");
        }
    }
    let own = Client::on(&channel);
    for arguments in [json!(null), json!([]), json!({"callsign": 7, "sessionId": "x"}), json!({"callsign": ""})] {
        own.result("prompts/get", json!({"name": "join_channel", "arguments": arguments}));
    }
    let arguments = json!({"name": "join_channel", "arguments": {"calsign": "bob"}});
    assert_eq!(own.error("prompts/get", arguments), (200, -32602));
}
