//! A9, A10, A11: what is no task, no step or no number is refused by its code, and changes nothing.

use rogerrat_testkit::{Agent, Channel, Hub, Reply};
use serde_json::{Value, json};

const HUGE: u64 = 9_999_999_999_999;

fn pair(hub: &Hub) -> (Channel, Agent, Agent) {
    let channel = hub.channel();
    let [ann, bob] = ["ann", "bob"].map(|who| channel.join(who));
    (channel, ann, bob)
}

fn posted(by: &Agent, body: &Value) -> u64 {
    by.try_send(body).ok()["id"].as_u64().unwrap()
}

/// All tasks as a member sees them.
fn board(agent: &Agent) -> Value {
    agent.get("tasks?limit=200").ok()["tasks"].take()
}

#[test]
fn a09_fields_of_a_task_that_are_wrong_are_refused_and_nothing_is_sent() {
    let hub = Hub::unlimited();
    let (_, ann, bob) = pair(&hub);
    let work = posted(&ann, &json!({"wants": "work", "message": "fix it"}));
    let before = (board(&ann), bob.unread());
    let answer = |more: Value| with(&json!({"wants": "answer", "message": "x"}), &more);
    let step = |more: Value| with(&json!({"reply_to": work, "message": "x"}), &more);
    for body in [
        answer(json!({"wants": "decision"})),
        answer(json!({"wants": 7})),
        answer(json!({"wants": ["answer"]})),
        answer(json!({"deadline_seconds": 0})),
        answer(json!({"deadline_seconds": 31 * 86_400})),
        answer(json!({"deadline_seconds": u64::MAX})),
        answer(json!({"deadline_seconds": -1})),
        answer(json!({"deadline_seconds": 1.5})),
        answer(json!({"deadline_seconds": "60"})),
        answer(json!({"answers": 0})),
        answer(json!({"answers": 17})),
        answer(json!({"answers": 3, "to": "bob"})),
        answer(json!({"quiet": true})),
        answer(json!({"quiet": "yes"})),
        answer(json!({"state": "done"})),
        answer(json!({"fence": 1})),
        answer(json!({"kind": "status"})),
        answer(json!({"to": "ann"})),
        answer(json!({"data": "text"})),
        answer(json!({"data": 7})),
        answer(json!({"data": {"text": "x".repeat(16_385 - r#"{"text":""}"#.len())}})),
        answer(json!({"data": nested(33)})),
        json!({"wants": "answer"}),
        json!({"message": "x", "deadline_seconds": 60}),
        json!({"message": "x", "state": "done"}),
        json!({"message": "x", "reply_to": work, "fence": 1}),
        step(json!({"state": "finished"})),
        step(json!({"state": "held"})),
        step(json!({"state": "away"})),
        step(json!({"state": "done", "fence": u64::from(u32::MAX) + 1})),
        step(json!({"state": "done", "fence": -1})),
        step(json!({"state": "done", "fence": "one"})),
        step(json!({"state": "done", "wants": "work"})),
        step(json!({"state": "done", "kind": "status"})),
        json!({"reply_to": "first", "state": "done"}),
        json!({"reply_to": -1, "state": "done"}),
    ] {
        let refused = bob_or_ann(&body, &ann, &bob).refused(400, "invalid");
        assert!(!refused["error"].as_str().unwrap().is_empty(), "{body}");
        assert_eq!((board(&ann), bob.unread()), before, "{body}");
    }
    let most = json!({"text": "x".repeat(16_384 - r#"{"text":""}"#.len())});
    ann.try_send(&answer(json!({"data": most}))).ok();
    ann.try_send(&answer(json!({"data": nested(32), "deadline_seconds": 30 * 86_400}))).ok();
}

/// Questions are asked by ann, steps taken by bob.
fn bob_or_ann(body: &Value, ann: &Agent, bob: &Agent) -> Reply {
    if body["reply_to"].is_null() { ann.try_send(body) } else { bob.try_send(body) }
}

fn with(body: &Value, more: &Value) -> Value {
    let mut whole = body.clone();
    whole.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    whole
}

fn nested(levels: usize) -> Value {
    (0..levels).fold(Value::Null, |inner, _| json!([inner]))
}

#[test]
fn a11_a_task_that_is_not_there_is_not_found_and_a_question_is_not_taken() {
    let hub = Hub::unlimited();
    let (channel, ann, bob) = pair(&hub);
    let elsewhere = hub.channel();
    let other = posted(&elsewhere.join("ann"), &json!({"wants": "work", "message": "x"}));
    let plain = ann.say("no task");
    let question = posted(&ann, &json!({"to": "bob", "wants": "answer", "message": "x"}));
    let private = posted(&ann, &json!({"to": "bob", "wants": "work", "message": "x"}));
    let eve = channel.join("eve");
    for id in [other, plain, HUGE, u64::MAX] {
        bob.get(&format!("tasks/{id}")).refused(404, "not_found");
        bob.post(&format!("tasks/{id}/take"), &json!({})).refused(404, "not_found");
        bob.try_send(&json!({"reply_to": id, "state": "done", "message": "x"})).refused(404, "not_found");
        bob.post("ask", &json!({"ask_id": id, "timeout": 0})).refused(404, "not_found");
    }
    for id in ["first", "-1", "1.5", "18446744073709551616"] {
        bob.get(&format!("tasks/{id}")).refused(400, "invalid");
        bob.post(&format!("tasks/{id}/take"), &json!({})).refused(400, "invalid");
    }
    let not_taken = bob.post(&format!("tasks/{question}/take"), &json!({})).refused(400, "invalid");
    assert!(not_taken["hint"].as_str().unwrap().contains("reply"), "{not_taken}");
    for id in [question, private] {
        eve.get(&format!("tasks/{id}")).refused(404, "not_found");
        eve.post(&format!("tasks/{id}/take"), &json!({})).refused(404, "not_found");
        eve.try_send(&json!({"reply_to": id, "state": "done", "message": "x"})).refused(404, "not_found");
    }
    for query in ["state=lost", "wants=money", "mine=perhaps", "limit=many", "before=yesterday", "limit=-1"] {
        bob.get(&format!("tasks?{query}")).refused(400, "invalid");
    }
    for body in [json!({"wait": "long"}), json!({"lease_seconds": "x"}), json!({"thread": 7}), json!([])] {
        bob.post("tasks/take", &body).refused(400, "invalid");
    }
    bob.post(&format!("tasks/{private}/take"), &json!({"fence": u64::from(u32::MAX) + 1})).refused(400, "invalid");
    bob.post(&format!("tasks/{private}/take"), &json!({"fence": 0})).refused(409, "fence_stale");
    for body in [json!({"timeout": "x", "to": "bob", "message": "x"}), json!({"ask_id": "x"}), json!({"to": "bob"})] {
        ann.post("ask", &body).refused(400, "invalid");
    }
    ann.post("ask", &json!({"to": "bob", "message": "x", "wants": "work"})).refused(400, "invalid");
    ann.post("ask", &json!({"to": "nobody", "message": "x"})).refused(400, "unknown_recipient");
    let rows = board(&ann);
    assert!(rows.as_array().unwrap().iter().all(|row| row["state"] == "open" && row["attempts"] == 0), "{rows}");
}

#[test]
fn a09_a_closed_task_is_not_changed_and_a_late_reply_is_a_message() {
    let hub = Hub::unlimited();
    let (_, ann, bob) = pair(&hub);
    let id = posted(&ann, &json!({"wants": "work", "message": "fix it"}));
    bob.post(&format!("tasks/{id}/take"), &json!({})).ok();
    ann.try_send(&json!({"reply_to": id, "state": "cancelled", "message": "not needed"})).ok();
    let closed = board(&ann);
    for state in ["done", "failed", "rejected", "working", "input", "open", "cancelled"] {
        let refused = bob.try_send(&json!({"reply_to": id, "state": state, "fence": 1, "message": "x"}));
        assert_eq!(refused.refused(409, "task_closed")["state"], "cancelled", "{state}");
    }
    bob.post(&format!("tasks/{id}/take"), &json!({"fence": 1})).refused(409, "task_closed");
    bob.post(&format!("tasks/{id}/take"), &json!({})).refused(409, "task_closed");
    assert_eq!(board(&ann), closed);
    let late = bob.try_send(&json!({"reply_to": id, "message": "here it is"})).ok();
    assert_eq!((&late["to"], &late["task"]["state"]), (&json!("ann"), &json!("cancelled")));
    assert_eq!((ann.listen(), board(&ann)), (vec!["here it is".to_owned()], closed));
}

#[test]
fn a09_open_tasks_are_bounded_for_a_member_and_for_a_channel() {
    let hub = Hub::unlimited();
    let (channel, ann, _) = pair(&hub);
    let post = |by: &Agent| by.try_send(&json!({"wants": "work", "quiet": true, "message": "x"}));
    let mut senders = vec![ann];
    senders.extend((1..10).map(|n| channel.join(&format!("sender-{n}"))));
    for sender in &senders {
        (0..50).for_each(|_| drop(post(sender).ok()));
    }
    let one_more = post(&senders[0]).refused(409, "limit_reached");
    assert!(one_more["error"].as_str().unwrap().contains("500"), "{one_more}");
    let newest = board(&senders[0])[0]["id"].clone();
    senders[9].try_send(&json!({"reply_to": newest, "state": "cancelled"})).ok();
    let of_one = post(&senders[0]).refused(409, "limit_reached");
    assert!(of_one["error"].as_str().unwrap().contains("50"), "{of_one}");
    senders[0].post("ask", &json!({"to": "bob", "message": "x", "timeout": 0})).refused(409, "limit_reached");
    post(&senders[9]).ok();
    let mut seen = Vec::new();
    let mut page = senders[0].get("tasks?limit=200&state=open").ok();
    loop {
        seen.extend(page["tasks"].as_array().unwrap().iter().map(|row| row["id"].as_u64().unwrap()));
        let Some(before) = page["before"].as_u64() else { break };
        page = senders[0].get(&format!("tasks?limit=200&state=open&before={before}")).ok();
    }
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 500, "pages leave no task out");
}
