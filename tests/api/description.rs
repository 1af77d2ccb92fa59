//! `/openapi.json` against the hub that serves it: exactly its routes, and the same errors as `docs/API.md`. The rig
//! validates the response to every request of every test against it.

use std::collections::{BTreeMap, BTreeSet};

use rogerrat_testkit::{Hub, openapi_document};
use serde_json::{Value, json};

/// The operations of a description, by `METHOD /path`.
fn operations(api: &Value) -> BTreeMap<String, &Value> {
    let paths = api["paths"].as_object().unwrap().iter();
    let of = |path: &String, method: &String| format!("{} {path}", method.to_uppercase());
    paths.flat_map(|(path, item)| item.as_object().unwrap().iter().map(move |(m, o)| (of(path, m), o))).collect()
}

/// The routes of a running hub: the metrics list their patterns, and `Allow` their methods.
fn routes(hub: &Hub) -> BTreeSet<String> {
    let metrics = hub.get("/metrics").send().text();
    let patterns: BTreeSet<_> = metrics
        .lines()
        .filter_map(|line| line.strip_prefix("rogerrat_requests_total{route=\"")?.split('"').next())
        // MCP is described by its own protocol, and agent-chatroom has its own format.
        .filter(|pattern| *pattern != "(none)" && !pattern.starts_with("/mcp") && !pattern.starts_with("/compat"))
        .collect();
    assert!(patterns.len() > 30, "the metrics do not list the routes");
    let mut routes = BTreeSet::new();
    for pattern in patterns {
        let template = pattern.replace(":.*}", "}");
        let refused = hub.request("BREW", &template.replace(['{', '}'], "")).send();
        let allow = refused.header("allow").unwrap_or_else(|| panic!("{pattern}: {}", refused.text())).to_owned();
        routes
            .extend(allow.split(", ").filter(|method| *method != "HEAD").map(|method| format!("{method} {template}")));
    }
    routes
}

#[test]
fn a07_exactly_the_existing_routes_are_described() {
    let hub = Hub::start();
    let described: BTreeSet<_> = operations(openapi_document()).into_keys().collect();
    assert_eq!(described, routes(&hub), "the described routes, and those of the router");
}

#[test]
fn a07_the_description_is_complete() {
    let hub = Hub::start();
    let api = hub.get("/openapi.json").send().ok();
    assert_eq!((&api["openapi"], &api["info"]["version"]), (&json!("3.1.0"), &json!(env!("CARGO_PKG_VERSION"))));
    assert_eq!(api["servers"], json!([{"url": hub.origin()}]));
    let by_another_name = hub.get("/openapi.json").header("Host", "park.localhost:1").send().ok();
    assert_eq!(by_another_name["servers"], json!([{"url": "http://park.localhost:1"}]));
    let mut ids = BTreeSet::new();
    for (route, operation) in operations(&api) {
        assert!(ids.insert(operation["operationId"].as_str().unwrap().to_owned()), "{route}: duplicate operation id");
        assert!(operation["summary"].is_string() && operation["tags"][0].is_string(), "{route}");
        let template = route.split('{').skip(1).filter_map(|rest| rest.split('}').next());
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        for parameter in parameters.clone() {
            let is_described = parameter["description"].is_string() || parameter["schema"]["description"].is_string();
            assert!(is_described, "{route}: {parameter}");
        }
        let in_path = parameters.filter(|parameter| parameter["in"] == "path").map(|p| p["name"].as_str().unwrap());
        assert_eq!(template.collect::<BTreeSet<_>>(), in_path.collect(), "{route}");
        let codes = operation["x-error-codes"].as_array().unwrap_or_else(|| panic!("{route} lists no error codes"));
        assert!(codes.contains(&json!("internal")), "{route}");
    }
    let mut references = Vec::new();
    gather(&api, "", &mut references);
    for reference in references {
        assert!(api.pointer(reference.trim_start_matches('#')).is_some(), "{reference} does not exist");
    }
}

/// What is sent, asked or banned must be said, which rules between the fields describe.
const NEVER_EMPTY: [&str; 3] = ["AskInput", "BanInput", "SendInput"];

#[test]
fn a07_a_body_without_required_fields_may_be_absent() {
    let api = openapi_document();
    let mut seen = BTreeSet::new();
    for (route, operation) in operations(api) {
        let body = &operation["requestBody"];
        let Some(at) = body["content"]["application/json"]["schema"]["$ref"].as_str() else { continue };
        let name = at.rsplit('/').next().unwrap();
        let needs_nothing = api["components"]["schemas"][name]["required"].is_null() && !NEVER_EMPTY.contains(&name);
        assert_eq!(body["required"], json!(!needs_nothing), "{route}: {name}");
        seen.insert(name);
    }
    assert!(NEVER_EMPTY.iter().all(|name| seen.contains(name)), "{seen:?}");
    let hub = Hub::start();
    let ann = hub.channel().join("ann");
    let taken = ann.call(ann.request("POST", "tasks/take")).ok();
    assert_eq!(taken, json!({"task": null, "timed_out": true}));
    // A whole number may have a fraction of zero.
    ann.post("tasks/7/take", &json!({"fence": 1.0})).refused(404, "not_found");
    for path in ["tasks/take", "tasks/7/take"] {
        ann.post(path, &json!({"fence": 1_u64 << 32})).refused(400, "invalid");
    }
    let refused = ann.post("tasks/7/take", &json!({"fence": 1.5})).refused(400, "invalid");
    assert!(refused["error"].as_str().unwrap().contains("a whole number"), "{refused}");
    for what in ["send", "ask"] {
        ann.call(ann.request("POST", what)).refused(400, "invalid");
    }
}

#[test]
fn a07_no_unsigned_number_is_described_as_signed() {
    fn check(value: &Value, at: &str) {
        let is_signed = value["format"] == "int32" || value["format"] == "int64";
        assert!(value["minimum"].is_null() || !is_signed, "{at}: {value}");
        match value {
            Value::Array(items) => items.iter().for_each(|item| check(item, at)),
            Value::Object(fields) => fields.iter().for_each(|(name, field)| check(field, &format!("{at}/{name}"))),
            _ => {}
        }
    }
    check(openapi_document(), "");
    let schemas = &openapi_document()["components"]["schemas"];
    assert_eq!(schemas["TakeInput"]["properties"]["fence"]["maximum"], json!(u32::MAX));
}

/// Collects every reference. A null is a value that was indexed but never set, except for a constant.
fn gather<'a>(value: &'a Value, name: &str, references: &mut Vec<&'a str>) {
    assert!(!value.is_null() || name == "const", "{name} is null");
    if let Some(reference) = value["$ref"].as_str() {
        references.push(reference);
    }
    match value {
        Value::Array(items) => items.iter().for_each(|item| gather(item, "an item", references)),
        Value::Object(fields) => fields.iter().for_each(|(name, field)| gather(field, name, references)),
        _ => {}
    }
}

#[test]
fn a07_fields_and_their_limits_are_described() {
    let schemas = &openapi_document()["components"]["schemas"];
    for (name, schema) in schemas.as_object().unwrap() {
        // Cards are described by their structure, and snippets by the clients they are for.
        if ["Info", "McpCard", "AgentCard", "Connect", "AnthropicSdk", "Endpoints", "McpArgs"].contains(&name.as_str())
        {
            continue;
        }
        assert!(schema["description"].is_string(), "{name} has no description");
        for (field, schema) in schema["properties"].as_object().into_iter().flatten() {
            // What may be null is described beside the reference to what it is otherwise.
            let either = schema["oneOf"].as_array().into_iter().flatten().any(|item| item["description"].is_string());
            let is_described = schema["description"].is_string() || schema["$ref"].is_string() || either;
            assert!(is_described, "{name}.{field} has no description: {schema}");
        }
    }
    let send = &schemas["SendInput"]["properties"];
    assert_eq!((&send["message"]["maxLength"], &send["attachments"]["maxItems"]), (&json!(8192), &json!(4)));
    assert_eq!(schemas["Priority"]["enum"], json!(["min", "low", "default", "high", "urgent"]));
}

#[test]
fn d23_required_tokens_are_described() {
    let of = |hub: &Hub, path: &str, method: &str| {
        hub.get("/openapi.json").send().ok()["paths"][path][method]["security"].clone()
    };
    let (open, guarded) = (Hub::start(), Hub::with(&["--token", "a-token-of-the-hub"], &[]));
    assert_eq!(of(&open, "/api/channels", "post"), json!([{}, {"account_session": []}]));
    assert_eq!(of(&guarded, "/api/channels", "post"), json!([{"server_token": []}, {"account_session": []}]));
    for (path, method) in [("/api/account", "post"), ("/metrics", "get")] {
        assert_eq!(of(&open, path, method), Value::Null, "{path}");
        assert_eq!(of(&guarded, path, method), json!([{"server_token": []}]), "{path}");
    }
    assert_eq!(of(&open, "/api/account", "get"), json!([{"account_session": []}]));
    let send = "/api/channels/{id}/send";
    assert_eq!(of(&open, send, "post"), json!([{"channel_token": [], "session": []}]));
}

/// The codes that sections of `docs/API.md` list.
fn documented_codes(page: &str) -> BTreeMap<String, BTreeSet<String>> {
    let codes: Vec<_> = rogerrat_domain::Code::ALL.iter().map(|code| code.as_str()).collect();
    let sections = page.split("\n### `").skip(1).filter_map(|section| section.split_once('`'));
    // MCP is described by its own protocol.
    let listed = sections.filter(|(route, _)| !route.contains(" /mcp") && !route.contains(" /compat")).filter_map(
        |(route, text)| {
            let text = text.split("\n## ").next()?.split_once("**Errors:**")?.1.split("\n\n").next()?;
            let quoted = text.split('`').skip(1).step_by(2).filter(|word| codes.contains(word)).map(str::to_owned);
            Some((route.to_owned(), quoted.collect()))
        },
    );
    listed.collect()
}

#[test]
fn a07_the_api_page_and_the_description_list_the_same_errors() {
    let page = include_str!("../../docs/API.md");
    let documented = documented_codes(page);
    assert!(documented.len() > 10, "the format of docs/API.md has changed");
    let operations = operations(openapi_document());
    for (route, documented) in documented {
        let codes = operations[&route]["x-error-codes"].as_array().unwrap().iter();
        let mut codes: BTreeSet<_> = codes.map(|code| code.as_str().unwrap().to_owned()).collect();
        // Every route can return these; the page lists one only if the route itself returns it.
        for code in
            ["internal", "misdirected", "forbidden", "banned"].iter().filter(|code| !documented.contains(**code))
        {
            codes.remove(*code);
        }
        assert_eq!(documented, codes, "{route}: docs/API.md, and the description");
    }
}
