//! D7, D8, D11 to D15: valid requests, and how invalid ones are refused.

use std::collections::HashSet;

use rogerrat_testkit::{Agent, Hub, Reply, keys};
use serde_json::{Value, json};

/// Every path below a channel, with its method.
const ROUTES: [(&str, &str); 14] = [
    ("POST", "join"),
    ("POST", "leave"),
    ("POST", "keepalive"),
    ("POST", "send"),
    ("POST", "ack"),
    ("GET", "roster"),
    ("GET", "stats"),
    ("GET", "transcript"),
    ("GET", "history"),
    ("GET", "consumers"),
    ("GET", "listen"),
    ("GET", "wait"),
    ("GET", "stream"),
    ("GET", "messages/7/receipts"),
];

#[test]
fn d07_a_wrong_method_is_405_with_allow() {
    let hub = Hub::start();
    let channel = hub.channel();
    let top = [("POST", "/api/channels"), ("GET", "/api/bands"), ("GET", "/api/stats"), ("GET", "/readyz")];
    let below = ROUTES.map(|(method, what)| (method, channel.path(what)));
    let described = ("GET", format!("/api/channels/{}", channel.id));
    let all = top.map(|(method, path)| (method, path.to_owned())).into_iter().chain(below).chain([described]);
    for (method, path) in all {
        let is_right = |wrong: &str| wrong == method || (wrong == "POST" && path.ends_with("/stream"));
        for wrong in ["POST", "GET", "PUT", "DELETE", "PATCH", "OPTIONS"].into_iter().filter(|wrong| !is_right(wrong)) {
            let reply = hub.request(wrong, &path).bearer(&channel.token).send();
            reply.refused(405, "method_not_allowed");
            let allow = reply.header("allow").unwrap_or_else(|| panic!("{wrong} {path} has no Allow"));
            assert!(allow.split(", ").any(|allowed| allowed == method), "{wrong} {path}: {allow}");
            assert!(!allow.contains(wrong), "{wrong} {path}: {allow}");
        }
    }
}

#[test]
fn d07_unknown_path_is_404() {
    let hub = Hub::start();
    let channel = hub.channel();
    for path in ["/nowhere", "/api", "/api/", "/api/channels/", "/api/bands/", "//", "/api/channels/x/y/z", "/%00"] {
        hub.get(path).send().refused(404, "not_found");
        hub.post(path).send().refused(404, "not_found");
    }
    channel.get("roster/").refused(404, "not_found");
    hub.get("/api/channels/no-such-0000").send().refused(404, "not_found");
    hub.post("/api/channels/no-such-0000/join").json(&json!({"callsign": "x"})).send().refused(404, "not_found");
}

#[test]
fn d07_head_consumes_nothing() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    ann.say("still here");
    for (what, allow) in [("listen?timeout=1", "GET"), ("wait?timeout=1", "GET"), ("stream", "GET, POST")] {
        let reply = bob.request("HEAD", what).send();
        assert_eq!((reply.status, reply.header("allow"), reply.body.len()), (405, Some(allow), 0));
    }
    for what in ["history", "roster", "stats", "consumers"] {
        let (head, get) = (bob.request("HEAD", what).send(), bob.get(what));
        assert!(head.body.is_empty());
        assert_eq!((head.status, head.header("content-type")), (get.status, get.header("content-type")), "{what}");
    }
    assert_eq!((bob.unread(), bob.listen()), (1, vec!["still here".to_owned()]));
}

#[test]
fn d08_a_number_must_be_finite() {
    let hub = Hub::start();
    let bob = hub.channel().join("bob");
    for bad in ["soon", "NaN", "nan", "inf", "-inf", "Infinity", "1e999", "1,5", "0x10", "1s", "%00", "null", "[]"] {
        for what in [format!("listen?timeout={bad}"), format!("wait?timeout={bad}"), format!("listen?since={bad}")] {
            bob.get(&what).refused(400, "invalid");
        }
        bob.get(&format!("wait?since={bad}")).refused(400, "invalid");
        bob.get(&format!("stream?since={bad}")).refused(400, "invalid");
    }
    bob.request("GET", "stream").header("Last-Event-ID", "soon").send().refused(400, "invalid");
}

#[test]
fn d08_timeouts_out_of_range_are_clamped() {
    let hub = Hub::start();
    let channel = hub.channel();
    let agents: Vec<_> = (0..6).map(|n| channel.join(&format!("a{n}"))).collect();
    let (duration, ()) = rogerrat_testkit::timed(|| {
        let ask = |agent: &Agent, timeout: &str| agent.start(&format!("listen?timeout={timeout}"));
        let short = ["0", "-5", "", "0.001", "-1e300", "1"].map(str::to_owned);
        let polls: Vec<_> = agents.iter().zip(&short).map(|(agent, timeout)| ask(agent, timeout)).collect();
        for poll in polls {
            assert_eq!(poll.answer(), json!({"messages": [], "timed_out": true}));
        }
    });
    assert!((900..20_000).contains(&duration.as_millis()), "each waits one second: {duration:?}");
    let long = agents[0].park("listen?timeout=1e300");
    agents[1].say("and one that is too long is no error");
    assert_eq!(long.answer()["timed_out"], false);
}

#[test]
fn d11_the_content_type_of_a_body_is_ignored() {
    let hub = Hub::start();
    for kind in ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x", "rubbish", ""] {
        let reply = hub.post("/api/channels").header("Content-Type", kind).body(r#"{"retention":"full"}"#).send();
        assert_eq!(reply.ok()["retention"], "full", "{kind}");
    }
    assert_eq!(hub.post("/api/channels").body(r#"{"retention":"full"}"#).send().ok()["retention"], "full");
}

#[test]
fn d11_an_empty_body_means_defaults() {
    let hub = Hub::start();
    for body in ["", " \r\n\t ", "{}"] {
        let created = hub.post("/api/channels").body(body).send().ok();
        assert_eq!((&created["retention"], &created["session_ttl_seconds"]), (&json!("none"), &json!(1800)));
    }
    hub.post("/api/channels").send().ok();
    let channel = hub.channel();
    let joined = channel.request("POST", "join").send().ok();
    assert_eq!(channel.roster(), [joined["callsign"].as_str().unwrap()]);
}

#[test]
fn d11_malformed_json_is_invalid_json() {
    let hub = Hub::start();
    let channel = hub.channel();
    let ann = channel.join("ann");
    for bad in ["{", "{\"a\":}", "nope", "{'a':1}", "{\"a\":1}}", "{\"a\":1,}", "\u{feff}{", "{\"a\":\"\\x\"}", "\0"] {
        hub.post("/api/channels").body(bad).send().refused(400, "invalid_json");
        channel.request("POST", "join").body(bad).send().refused(400, "invalid_json");
        for what in ["send", "ack"] {
            ann.call(ann.request("POST", what).body(bad)).refused(400, "invalid_json");
        }
    }
    ann.call(ann.request("POST", "send").body("{\"message\":\"\\ud800\"}")).refused(400, "invalid_json");
    ann.call(ann.request("POST", "send").body(&b"{\"message\":\"\xff\xfe\"}"[..])).refused(400, "invalid_json");
}

#[test]
fn d11_a_byte_order_mark_is_skipped_and_another_encoding_is_named() {
    let hub = Hub::start();
    let channel = hub.channel();
    let ann = channel.join("ann");
    let chatroom = format!("/compat/agent-chatroom/{}/messages", channel.id);
    let call = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    let requests = [
        (ann.request("POST", "send"), r#"{"message":"m"}"#),
        (channel.request("POST", "join"), r#"{"callsign":"bob"}"#),
        (hub.post("/api/channels"), "{}"),
        (hub.post("/mcp"), call),
        (hub.post(&chatroom).bearer(&channel.token), r#"{"text":"t"}"#),
    ];
    for (request, json) in requests {
        assert_eq!(request.clone().body(format!("\u{feff}{json}")).send().status, 200, "{json}");
        let wide: Vec<u8> = json.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let latin_1 = [b"{\"message\":\"caf\xe9\",", &json.as_bytes()[1..]].concat();
        for body in [[b"\xff\xfe", &wide[..]].concat(), wide, latin_1] {
            let reply = request.clone().body(body).send();
            assert_eq!(reply.status, 400, "{json}");
            assert!(reply.text().contains("encode it as UTF-8"), "{}", reply.text());
        }
    }
}

#[test]
fn d11_a_wrong_type_is_invalid_and_names_the_field() {
    let hub = Hub::start();
    let channel = hub.channel();
    let ann = channel.join("ann");
    let named = |reply: &Reply, field: &str| {
        let error = reply.refused(400, "invalid")["error"].as_str().unwrap().to_owned();
        assert!(error.contains(field), "{field} is not in {error:?}");
    };
    for (field, bad) in [
        ("message", json!(5)),
        ("to", json!(true)),
        ("to", json!([1])),
        ("priority", json!(null)),
        ("priority", json!("loud")),
        ("kind", json!("text")),
        ("suggested_replies", json!("yes")),
        ("attachments", json!({})),
        ("reply_to", json!("7")),
        ("thread", json!(7)),
        ("client_msg_id", json!(7)),
    ] {
        let mut body = json!({"message": "x"});
        body[field] = bad;
        named(&ann.try_send(&body), field);
    }
    for (field, bad) in [("callsign", json!(5)), ("owner_password", json!({})), ("identity_key", json!(1))] {
        named(&channel.try_join(&json!({ field: bad })), field);
    }
    for (field, bad) in [
        ("retention", json!(null)),
        ("retention", json!("some")),
        ("trust_mode", json!(1)),
        ("owner_password", json!(123_456)),
        ("session_ttl_seconds", json!("60")),
        ("session_ttl_seconds", json!(null)),
        ("dm_visibility", json!(true)),
        ("claim_callsigns", json!("yes")),
    ] {
        named(&hub.post("/api/channels").json(&json!({ field: bad })).send(), field);
    }
    named(&ann.post("ack", &json!({"upto": "7"})), "upto");
    for body in [json!([]), json!("x"), json!(5), json!(null)] {
        ann.try_send(&body).refused(400, "invalid");
    }
    assert_eq!(channel.history(), [""; 0]);
}

#[test]
fn d13_text_is_counted_in_characters_and_never_cut() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    for text in ["🐀".repeat(8192), "x".repeat(8192), "\\\"\n".repeat(2730)] {
        ann.say(&text);
        assert_eq!(bob.listen(), [text]);
    }
    let before = channel.visible_state();
    for text in ["x".repeat(8193), "🐀".repeat(8193)] {
        ann.try_send(&json!({"message": text})).refused(400, "invalid");
    }
    ann.try_send(&json!({"kind": "status", "message": "🐀".repeat(280)})).ok();
    ann.try_send(&json!({"kind": "status", "message": "x".repeat(281)})).refused(400, "invalid");
    assert_eq!(channel.visible_state()[0], before[0]);
    assert_eq!(bob.unread(), 0);
}

#[test]
fn d14_every_error_has_the_same_shape_and_every_response_an_id() {
    let hub = Hub::with(&["--rate-limit", "2"], &[]);
    let channel = hub.channel();
    let ann = channel.join("ann");
    let replies = [
        hub.get("/nowhere").send(),
        hub.request("DELETE", "/api/bands").send(),
        channel.target.get(&channel.path("roster")).send(),
        channel.request("POST", "send").send(),
        channel.request("POST", "keepalive").session("never-was-here").send(),
        channel.try_join(&json!({"callsign": " "})),
        channel.try_join_as("ann", "somebody-elses"),
        ann.try_send(&json!({"to": "nobody", "message": "x"})),
        ann.try_send(&json!({"message": "x".repeat(9000)})),
        ann.call(ann.request("POST", "send").body("{")),
        ann.get("messages/1/receipts"),
        ann.get("listen?timeout=x"),
        hub.post("/api/channels").header("Content-Length", "99999999").send(),
        hub.get("/").header("Host", "evil.example").send(),
        hub.get("/api/bands").header("Origin", "null").send(),
        send_over_the_limit(&ann),
    ];
    let mut ids = HashSet::new();
    for reply in &replies {
        assert!(reply.status >= 400, "{}", reply.text());
        assert_eq!(reply.header("content-type"), Some("application/json"));
        let optional = ["hint", "retry_after_seconds", "field", "free_callsign"];
        let keys = keys(&reply.text()).into_iter().filter(|key| !optional.contains(&key.as_str()));
        assert_eq!(keys.collect::<Vec<_>>(), ["error", "code", "request_id"]);
        assert!(ids.insert(reply.json()["request_id"].as_str().unwrap().to_owned()), "ids are unique");
        assert_eq!(reply.json()["request_id"].as_str(), reply.header("x-request-id"));
    }
    assert_eq!(replies[5].json()["field"], "callsign");
    let free = replies[6].json()["free_callsign"].as_str().unwrap().to_owned();
    channel.try_join(&json!({"callsign": free})).ok();
    for path in ["/livez", "/api/bands", "/api/stats"] {
        assert!(ids.insert(hub.get(path).send().header("x-request-id").unwrap().to_owned()));
    }
    assert!(ids.insert(ann.stream("").head.header("x-request-id").unwrap().to_owned()));
}

/// The third send of a session with a limit of two.
fn send_over_the_limit(agent: &Agent) -> Reply {
    agent.say("1");
    agent.say("2");
    let reply = agent.try_send(&json!({"message": "3"}));
    reply.refused(429, "rate_limited");
    reply
}

#[test]
fn d15_an_unknown_recipient_is_refused_with_the_members() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, _, carl) = (channel.join("ann"), channel.join("bob"), channel.join("carl"));
    carl.leave();
    for to in [json!("nobody"), json!("#9"), json!(9), json!("9"), json!("a b"), json!("#x")] {
        let body = json!({"to": to, "message": "x"});
        let refusal = ann.try_send(&body).refused(400, "unknown_recipient");
        let hint = refusal["hint"].as_str().unwrap();
        assert!(hint.contains("ann") && hint.contains("bob"), "{hint}");
    }
    assert_eq!(channel.history(), [""; 0]);
    let queued = ann.try_send(&json!({"to": "carl", "message": "for later"})).ok();
    assert_eq!(queued["queued"], true, "a member that has left is still a member");
    let all = ["all", "ALL", "", " "].map(|to| ann.try_send(&json!({"to": to, "message": "x"})).ok()["to"].clone());
    assert_eq!(all, [Value::from("all"), "all".into(), "all".into(), "all".into()]);
}
