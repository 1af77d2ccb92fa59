//! Discovery for programs and people: the info, the cards, the pages, robots, and the redirect of `/docs/…`.

use rogerrat_testkit::{Hub, Reply};
use serde_json::{Value, json};

fn get(hub: &Hub, path: &str) -> Reply {
    hub.get(path).send()
}

#[test]
fn the_start_page_is_html_for_people_and_json_for_programs() {
    let hub = Hub::start();
    let link = format!(
        "<{0}/llms.txt>; rel=\"alternate\"; type=\"text/markdown\", <{0}/openapi.json>; rel=\"service-desc\"; \
         type=\"application/json\", <{0}/docs>; rel=\"service-doc\"; type=\"text/html\"",
        hub.origin()
    );
    let json = ["application/json", "text/plain, Application/JSON;q=0.5"];
    let html = ["", "*/*", "text/html,application/json", "application/json, text/html;q=0.1"];
    for (accepts, kind) in [(&json[..], "application/json"), (&html[..], "text/html; charset=utf-8")] {
        for accept in accepts {
            let reply = hub.get("/").header("Accept", accept).send();
            assert_eq!((reply.status, reply.header("content-type")), (200, Some(kind)), "{accept}");
            assert_eq!(reply.header("link"), Some(&*link), "{accept}");
        }
    }
    assert!(get(&hub, "/").text().contains(&format!("Read {}/llms.txt", hub.origin())));
    assert_eq!(hub.get("/").header("Accept", json[0]).send().json(), get(&hub, "/api/v1/info").json());
}

#[test]
fn the_info_is_complete_and_has_the_limits_of_the_hub() {
    let hub = Hub::with(&["--rate-limit", "7"], &[("ROGERRAT_LIMITS__JOIN_PER_ADDRESS", "9")]);
    let info = get(&hub, "/api/v1/info").ok();
    for key in "service version tagline homepage repository license discovery mcp rest retention_modes limits \
                quickstart_for_agents"
        .split(' ')
    {
        assert!(info.get(key).is_some(), "{key}");
    }
    let limits = &info["limits"];
    assert_eq!(
        (&limits["send_per_session_per_minute_default"], &limits["join_per_ip_per_minute"]),
        (&json!(7), &json!(9))
    );
    assert_eq!(limits["send_per_ip_per_minute_default"], Value::Null, "disabled on loopback");
    for (key, value) in [
        ("session_idle_ttl_seconds_default", json!(1800)),
        ("session_idle_ttl_seconds_max", json!(86_400)),
        ("max_message_length_chars", json!(8192)),
        ("callsign_pattern", json!("^[a-z0-9][a-z0-9_-]{0,31}$")),
        ("ring_buffer_messages_per_channel", json!(100)),
    ] {
        assert_eq!(limits[key], value, "{key}");
    }
}

#[test]
fn the_info_says_what_the_hub_has_and_what_needs_its_token() {
    let hub = Hub::start();
    let info = get(&hub, "/api/v1/info").ok();
    assert_eq!((&info["token_needed_for"], &info["origin"]), (&json!([]), &json!(hub.origin())));
    assert_eq!((&info["features"]["admin"], &info["features"]["chatroom"]), (&json!(false), &json!(false)));
    let hub = Hub::with(
        &["--chatroom", "a-room-word", "--token", "t0p-secret-token"],
        &[("ROGERRAT_SERVER__ADMIN_TOKEN", "adm1n-secret-token")],
    );
    let info = get(&hub, "/api/v1/info").ok();
    assert_eq!(info["token_needed_for"], json!(["channels", "accounts", "remote_control", "mcp"]));
    assert_eq!((&info["features"]["admin"], &info["features"]["chatroom"]), (&json!(true), &json!(true)));
}

#[test]
fn cards_list_only_existing_endpoints() {
    let hub = Hub::start();
    let (info, card) = (get(&hub, "/api/v1/info").ok(), get(&hub, "/.well-known/mcp.json").ok());
    assert_eq!(card["schema_version"], "0.1");
    let is_served = hub.post("/mcp").json(&json!({})).send().status != 404;
    assert_eq!(info["mcp"]["available"], is_served);
    assert_eq!(!card["transports"].as_array().unwrap().is_empty(), is_served);
    let channel = hub.channel();
    for (name, call) in card["rest_api"].as_object().unwrap() {
        let Some((method, url)) = call.as_str().unwrap().split_once(" http") else { continue };
        let path = url.split_once(&hub.0.to_string()).unwrap().1.replace("{id}", &channel.id);
        let status = hub.request(method, &path).send().status;
        assert!(status != 404 && status != 405, "{name}: {method} {path} is {status}");
    }
    let agent = get(&hub, "/.well-known/agent.json").ok();
    assert_eq!((agent["skills"].as_array().unwrap().len(), &agent["url"]), (5, &json!(hub.origin())));
}

#[test]
fn the_other_pages() {
    let hub = Hub::start();
    let (html, text) = (get(&hub, "/policy"), get(&hub, "/policy.txt"));
    assert_eq!(html.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(text.header("content-type"), Some("text/markdown; charset=utf-8"));
    assert!(html.text().contains("<h1>Usage policy") && text.text().starts_with("# Usage policy"));
    assert!(get(&hub, "/robots.txt").text().starts_with("User-agent: *\n"));
    let page = get(&hub, "/docs");
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    for path in ["/docs/", "/docs/quickstart", "/docs/a/b"] {
        let reply = get(&hub, path);
        assert_eq!((reply.status, reply.header("location")), (302, Some("/llms.txt")), "{path}");
    }
    for path in ["/", "/llms.txt", "/policy", "/api/v1/info", "/openapi.json", "/docs"] {
        hub.post(path).send().refused(405, "method_not_allowed");
        let head = hub.request("HEAD", path).send();
        assert_eq!((head.status, head.body.len()), (200, 0), "{path}");
    }
    get(&hub, "/llms.txt/").refused(404, "not_found");
}
