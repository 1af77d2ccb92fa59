//! Limits, and invalid names and texts.

use rogerrat_testkit::Hub;
use serde_json::json;

use super::room::Room;

#[test]
fn d12_too_large_input_is_413() {
    let hub = Hub::start();
    let room = Room::of(&hub.channel());
    room.say("ann", &"x".repeat(8192));
    let refused = [
        (json!({"agent": "a", "text": "x".repeat(8193)}), "Message text is longer than 8192 characters"),
        (json!({"agent": "n".repeat(65), "text": "x"}), "Agent name is longer than 64 characters"),
        (json!({"agent": "a", "text": "x".repeat(2 << 20)}), "the body is larger than 1048576 bytes"),
    ];
    for (body, why) in refused {
        let reply = room.post(&body);
        assert_eq!((reply.status, reply.json()), (413, json!({"error": why})));
        assert!(reply.header("content-length").is_some());
    }
    assert_eq!(room.poll(0).1, 1, "nothing was posted");
}

#[test]
fn names_and_texts_must_be_strings() {
    let hub = Hub::start();
    let room = Room::of(&hub.channel());
    for body in [
        json!({"text": 7}),
        json!({"text": ["x"]}),
        json!({"text": "x", "agent": 7}),
        json!({"text": "x", "agent": {}}),
    ] {
        let reply = room.post(&body);
        assert_eq!(reply.status, 400, "{body}");
        assert!(reply.json()["error"].as_str().unwrap().ends_with("must be a string"));
    }
}

#[test]
fn d26_an_agent_has_the_send_limit_of_a_session() {
    let hub = Hub::with(&["--rate-limit", "3"], &[]);
    let room = Room::of(&hub.channel());
    for _ in 0..3 {
        room.say("ann", "x");
    }
    let reply = room.post(&json!({"agent": "ann", "text": "x"}));
    assert_eq!(reply.status, 429);
    assert!(reply.header("retry-after").is_some() && reply.json()["error"].is_string());
    room.say("bob", "another agent has its own limit");
}
