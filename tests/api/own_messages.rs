//! A23: consumers that also receive what their member sent, so that two devices of one member see the same.

use rogerrat_testkit::{Agent, Hub, Request, Stream, texts};
use serde_json::{Value, json};

fn read(agent: &Agent, query: &str) -> Value {
    agent.get(&format!("listen?timeout=1{query}")).ok()
}

/// The texts of a read that are marked as own, and the others.
fn split(read: &Value) -> (Vec<String>, Vec<String>) {
    let (own, others): (Vec<_>, Vec<_>) =
        read["messages"].as_array().unwrap().iter().cloned().partition(|message| message["own"] == true);
    (texts(&Value::Array(own)), texts(&Value::Array(others)))
}

#[test]
fn a23_two_devices_of_a_member_both_see_what_either_sent() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let mut phone = ann.stream("?consumer=phone&own=1");
    let laptop = ann.park("wait?timeout=60&consumer=laptop&own=true");
    ann.say("from one of them");
    let event = phone.next().unwrap();
    assert_eq!((&event.data()["text"], &event.data()["own"]), (&json!("from one of them"), &json!(true)));
    assert_eq!(split(&laptop.answer()).0, ["from one of them"]);
    ann.send("bob", "a DM of ours");
    bob.send("ann", "an answer");
    assert_eq!((phone.text(), phone.text()), ("a DM of ours".into(), "an answer".into()));
    let both = read(&ann, "&consumer=laptop&own=1");
    assert_eq!(split(&both), (vec!["a DM of ours".into()], vec!["an answer".into()]));
    assert_eq!(ann.listen(), ["an answer"], "the default consumer has no own messages");
    let body = ann.request("POST", "stream").body(r#"{"consumer":"tablet","own":true}"#);
    let mut tablet = Stream::open(body);
    assert_eq!(tablet.hello.data()["backlog_count"], 3);
    assert_eq!(tablet.next().unwrap().data()["own"], true);
}

#[test]
fn a23_own_needs_a_named_consumer() {
    let hub = Hub::start();
    let ann = hub.channel().join("ann");
    for request in ["listen?own=1", "wait?own=true", "stream?own=1"] {
        let refused = ann.get(request).refused(400, "invalid");
        assert!(refused["error"].as_str().unwrap().contains("own needs a consumer"), "{refused}");
        assert!(refused["hint"].as_str().unwrap().contains("consumer"), "{refused}");
    }
    ann.get("listen?own=yes&consumer=x").refused(400, "invalid");
    let post = |body: &str| -> Request { ann.request("POST", "stream").body(body) };
    post(r#"{"own":true}"#).send().refused(400, "invalid");
    post(r#"{"own":[],"consumer":"x"}"#).send().refused(400, "invalid");
    assert_eq!(ann.consumers().len(), 1, "a refused read creates no consumer");
    assert_eq!(read(&ann, "&own=0")["messages"], json!([]), "false needs none");
}

#[test]
fn a23_own_messages_need_an_ack_like_others_and_survive_a_kill() {
    let mut hub = Hub::start();
    let channel = hub.channel_with(&json!({"durability": "disk"}));
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    read(&ann, "&consumer=phone&own=1");
    let ids = [ann.say("mine"), bob.say("yours"), ann.send("bob", "mine, to bob")];
    let query = "&consumer=phone&own=1&ack=manual&lease=1";
    assert_eq!(split(&read(&ann, query)).0, ["mine", "mine, to bob"]);
    ann.post("ack", &json!({"upto": ids[0], "consumer": "phone"})).ok();
    hub.kill();
    hub.start_again(&[], &[]);
    let first = ann.consumers()[1].clone();
    assert_eq!((&first["name"], &first["cursor"]), (&json!("phone"), &json!(ids[0])));
    let again = ann.get(&format!("listen?timeout=30{query}")).ok();
    let rest: Vec<_> = again["messages"].as_array().unwrap().iter().map(|m| m["id"].as_u64().unwrap()).collect();
    assert_eq!(rest, ids[1..], "what was acknowledged does not come again: {again}");
    assert!(
        again["messages"].as_array().unwrap().iter().all(|m| m["own"] == (m["from"] == "ann") || m["own"].is_null())
    );
}

#[test]
fn a23_the_loss_of_own_messages_is_reported() {
    let hub = Hub::unlimited();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    read(&ann, "&consumer=phone&own=1");
    let lost = ann.say("early");
    for _ in 0..100 {
        ann.send("bob", "x");
        bob.listen();
    }
    assert_eq!(ann.get("listen?timeout=1").ok(), json!({"messages": [], "timed_out": true}));
    let read = read(&ann, "&consumer=phone&own=1");
    assert_eq!((&read["gap"]["to"], &read["gap"]["reason"]), (&json!(lost), &json!("ring")), "{read}");
    assert_eq!(split(&read).0.len(), 100);
}
