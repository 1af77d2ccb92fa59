//! `rogerrat mcp` for several agents of one client, and several bridges of one member.

use rogerrat_testkit::{Hub, wait_until};
use serde_json::{Value, json};

use super::bridge_client::Bridge;

fn with(joined: &Value, more: &Value) -> Value {
    let mut arguments = json!({"session_id": joined["session_id"]});
    arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    arguments
}

/// The text of a call that is refused because it does not say which agent it is for.
#[track_caller]
fn refused(bridge: &mut Bridge, tool: &str, arguments: &Value) -> String {
    let result = bridge.call(tool, arguments);
    let text = result["content"][0]["text"].as_str().unwrap().to_owned();
    assert!(result["isError"] == true && text.starts_with("error: `session_id` is missing"), "{result}");
    assert!(text.contains("(invalid)"), "{result}");
    text
}

#[test]
fn d34_agents_that_share_a_bridge_keep_their_places() {
    let hub = Hub::unlimited();
    let channel = hub.channel();
    let ann = channel.join("ann");
    let mut bridge = Bridge::of(&channel, "bob");
    // The first that joins has the membership of the bridge.
    let bob = bridge.does("join", &json!({}));
    assert_eq!(bob["callsign"], "bob");
    bridge.does("send", &json!({"message": "alone"}));
    let carl = bridge.does("join", &json!({"callsign": "Carl"}));
    assert_ne!(bob["session_id"], carl["session_id"]);
    assert!(carl["hint"].as_str().unwrap().contains("with every call"), "{carl}");
    assert_eq!(channel.roster(), ["ann", "bob", "carl"]);
    for (tool, arguments) in
        [("send", json!({"message": "whose?"})), ("listen", json!({"session_id": " "})), ("leave", json!({}))]
    {
        let text = refused(&mut bridge, tool, &arguments);
        assert!(text.contains("bob") && text.contains("carl") && text.contains(&channel.id), "{text}");
    }
    bridge.does("send", &with(&bob, &json!({"to": "ann", "message": "I am bob"})));
    bridge.does("send", &with(&carl, &json!({"to": "ann", "message": "I am carl"})));
    assert_eq!(ann.listen(), ["alone", "I am bob", "I am carl"]);
    // The messages of both are pushed, a broadcast once.
    wait_until("both are followed", || {
        let sessions = [&bob, &carl].map(|joined| joined["session_id"].as_str().unwrap().to_owned());
        sessions.iter().all(|session| {
            let rows = channel.request("GET", "consumers").session(session).send().ok();
            rows["consumers"].as_array().unwrap().iter().any(|row| row["name"] == "bridge" && row["waiting"] == true)
        })
    });
    ann.send("bob", "for bob");
    ann.send("carl", "for carl");
    ann.say("for all");
    ann.send("bob", "end");
    ann.send("carl", "end");
    let mut pushed: Vec<String> = Vec::new();
    while pushed.iter().filter(|text| *text == "end").count() < 2 {
        pushed.push(bridge.pushed()["content"].as_str().unwrap().to_owned());
    }
    for text in ["for bob", "for carl", "for all"] {
        assert_eq!(pushed.iter().filter(|pushed| *pushed == text).count(), 1, "{text}: {pushed:?}");
    }
    let again = bridge.does("join", &json!({"callsign": "bob"}));
    assert_eq!(again["session_id"], bob["session_id"]);
    assert!(again["hint"].as_str().unwrap().contains("a callsign of your own"), "{again}");
    let third = bridge.does("join", &json!({}));
    assert_eq!(channel.roster().len(), 4, "{third}");
    bridge.does("leave", &with(&third, &json!({})));
    bridge.does("leave", &with(&carl, &json!({})));
    bridge.does("send", &json!({"to": "ann", "message": "alone again"}));
    assert_eq!(ann.listen(), ["alone again"]);
}

#[test]
fn d34_agents_that_share_a_bridge_without_a_channel_keep_their_places() {
    let hub = Hub::unlimited();
    let (here, there) = (hub.channel(), hub.channel());
    let mut bridge = Bridge::start(&["--origin", &hub.origin()], &[]);
    bridge.begin();
    let on_here = json!({"channel_id": here.id, "token": here.token, "callsign": "bob"});
    let first = bridge.does("join", &on_here);
    let second = bridge.does("join", &json!({"channel_id": there.id, "token": there.token, "callsign": "bob"}));
    assert_eq!((here.roster(), there.roster()), (vec!["bob".to_owned()], vec!["bob".to_owned()]));
    for arguments in [json!({"message": "whose?"}), json!({"message": "whose?", "channel_id": here.id})] {
        let text = refused(&mut bridge, "send", &arguments);
        assert!(text.contains(&here.id) && text.contains(&there.id), "{text}");
    }
    // A session id names its channel.
    bridge.does("send", &with(&first, &json!({"message": "here"})));
    bridge.does("send", &with(&second, &json!({"message": "there"})));
    assert_eq!((here.history(), there.history()), (vec!["here".to_owned()], vec!["there".to_owned()]));
    for channel in [&here, &there] {
        channel.join("ann").say("hello");
        assert_eq!(bridge.pushed()["meta"]["channel"], channel.id);
    }
    let wrong = bridge.call("send", &json!({"message": "whose?", "session_id": {"a": 1}}));
    assert_eq!(wrong["isError"], true, "{wrong}");
}

#[test]
fn a_bridge_pushes_again_when_the_one_that_replaced_it_has_ended() {
    let hub = Hub::unlimited();
    let channel = hub.channel();
    let ann = channel.join("ann");
    let mut first = Bridge::of(&channel, "bob");
    ann.say("one");
    assert_eq!(first.pushed()["content"], "one");
    let mut second = Bridge::of(&channel, "bob");
    second.does("roster", &json!({}));
    let mut sent = 0;
    wait_until("the second takes over", || {
        ann.say(&format!("{sent}"));
        sent += 1;
        second.says.try_recv().is_ok_and(|line| line.contains("notifications/claude/channel"))
    });
    ann.say("last of the second");
    while second.pushed()["content"] != "last of the second" {}
    let bob = channel.join("bob");
    wait_until("it is acknowledged", || {
        bob.consumers().iter().any(|row| row["name"] == "bridge" && row["in_flight"] == 0 && row["lag"] == 0)
    });
    second.end();
    ann.say("to the first");
    ann.say("again");
    // Nothing that the second pushed, and nothing twice.
    while first.pushed()["content"] != "to the first" {}
    assert_eq!(first.pushed()["content"], "again");
    assert!(first.pushed.iter().all(|pushed| pushed["params"]["content"] != "last of the second"));
    assert_eq!(first.does("listen", &json!({}))["messages"].as_array().unwrap().len(), sent + 4);
}
