//! A9, A10, A11: tasks over HTTP: asking, taking work, the board.

use rogerrat_testkit::{Agent, Channel, Hub, wait_until};
use serde_json::{Value, json};

fn trio(hub: &Hub) -> (Channel, Agent, Agent, Agent) {
    let channel = hub.channel();
    let agents = ["ann", "bob", "eve"].map(|who| channel.join(who));
    let [ann, bob, eve] = agents;
    (channel, ann, bob, eve)
}

fn post_work(by: &Agent, to: &str) -> u64 {
    by.try_send(&json!({"to": to, "wants": "work", "message": "fix it"})).ok()["id"].as_u64().unwrap()
}

fn task(agent: &Agent, id: u64) -> Value {
    agent.get(&format!("tasks/{id}")).ok()
}

fn texts(answers: &Value) -> Vec<&str> {
    answers.as_array().unwrap().iter().map(|answer| answer["text"].as_str().unwrap()).collect()
}

/// The task that a member was given by its next read.
fn asked(agent: &Agent) -> Value {
    agent.get("listen?timeout=60").ok()["messages"][0].take()
}

/// Starts a request of an agent that waits.
fn parked(agent: &Agent, what: &str, body: &Value) -> rogerrat_testkit::Conn {
    agent.request("POST", what).json(body).start()
}

#[test]
fn a09_a_message_that_wants_something_says_so_and_is_answered_by_a_reply() {
    let hub = Hub::start();
    let (_, ann, bob, eve) = trio(&hub);
    let data = json!({"run": 4711, "files": ["a", "b"]});
    let sent = ann.try_send(&json!({"to": "bob", "wants": "answer", "message": "ready?", "data": data})).ok();
    assert_eq!((&sent["task"]["state"], &sent["task"]["id"]), (&json!("open"), &sent["id"]));
    let message = asked(&bob);
    assert_eq!((&message["wants"], &message["data"]), (&json!("answer"), &data));
    assert!(message["deadline"].as_u64().unwrap() > message["at"].as_u64().unwrap());
    let id = sent["id"].as_u64().unwrap();
    eve.get(&format!("tasks/{id}")).refused(404, "not_found");
    let reply = bob.try_send(&json!({"reply_to": id, "message": "yes"})).ok();
    assert_eq!((&reply["to"], &reply["task"]["state"]), (&json!("ann"), &json!("done")));
    let row = task(&ann, id);
    assert_eq!((&row["state"], texts(&row["answers"])), (&json!("done"), vec!["yes"]));
    assert!(ann.get("listen?timeout=1").ok()["messages"].as_array().unwrap().is_empty(), "it is read with the task");
    let late = bob.try_send(&json!({"reply_to": id, "message": "no", "state": "failed"}));
    assert!(late.refused(409, "task_closed")["hint"].is_string());
}

#[test]
fn a09_steps_that_are_not_in_the_table_are_refused_by_code_and_change_nothing() {
    let hub = Hub::start();
    let (_, ann, bob, eve) = trio(&hub);
    let id = post_work(&ann, "all");
    let before = task(&ann, id);
    let step = |who: &Agent, body: Value| {
        let mut whole = json!({"reply_to": id, "message": "x"});
        whole.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        who.try_send(&whole)
    };
    step(&bob, json!({"state": "done"})).refused(403, "forbidden");
    step(&ann, json!({"state": "done"})).refused(403, "forbidden");
    step(&bob, json!({"state": "cancelled"})).refused(403, "forbidden");
    step(&bob, json!({"state": "done", "fence": 1})).refused(409, "fence_stale");
    step(&bob, json!({"state": "finished"})).refused(400, "invalid");
    ann.post(&format!("tasks/{id}/take"), &json!({})).refused(403, "forbidden");
    bob.try_send(&json!({"reply_to": 5, "state": "done", "message": "x"})).refused(404, "not_found");
    assert_eq!(task(&ann, id), before);
    let taken = bob.post(&format!("tasks/{id}/take"), &json!({"lease_seconds": 60})).ok();
    assert_eq!((&taken["fence"], &taken["message"]["text"]), (&json!(1), &json!("fix it")));
    let held = task(&ann, id);
    step(&eve, json!({"state": "done"})).refused(409, "task_taken");
    eve.post(&format!("tasks/{id}/take"), &json!({})).refused(409, "task_taken");
    bob.post(&format!("tasks/{id}/take"), &json!({"fence": 7})).refused(409, "fence_stale");
    assert_eq!(task(&ann, id), held);
}

#[test]
fn a09_a_band_has_questions_and_no_work() {
    let hub = Hub::start();
    let band = hub.band("help");
    let (ann, bob) = (band.join("ann"), band.join("bob"));
    ann.try_send(&json!({"wants": "work", "message": "x"})).refused(403, "forbidden");
    let id = ann.try_send(&json!({"wants": "answer", "message": "x"})).ok()["id"].as_u64().unwrap();
    assert_eq!(bob.try_send(&json!({"reply_to": id, "message": "y"})).ok()["task"]["state"], "done");
}

#[test]
fn a09_tasks_and_their_answers_survive_a_kill() {
    let mut hub = Hub::start();
    let channel = hub.channel_with(&json!({"durability": "disk"}));
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let question = ann.try_send(&json!({"to": "bob", "wants": "answer", "message": "ready?"})).ok()["id"].as_u64();
    let question = question.unwrap();
    let work = post_work(&ann, "all");
    let quiet = json!({"wants": "work", "quiet": true, "message": "quiet"});
    let quiet = ann.try_send(&quiet).ok()["id"].as_u64().unwrap();
    assert_eq!(bob.post(&format!("tasks/{work}/take"), &json!({})).ok()["fence"], 1);
    bob.try_send(&json!({"reply_to": question, "message": "yes"})).ok();
    let rows = [question, work, quiet].map(|id| task(&bob, id));
    hub.kill();
    hub.start_again(&[], &[]);
    for (id, mut row) in [question, work, quiet].into_iter().zip(rows) {
        let mut again = task(&bob, id);
        // After a crash everything may have been delivered.
        row["delivered"].take();
        again["delivered"].take();
        assert_eq!(again, row);
    }
    assert_eq!(texts(&task(&ann, question)["answers"]), ["yes"]);
    bob.try_send(&json!({"reply_to": work, "state": "done", "fence": 1, "message": "fixed"})).ok();
    assert_eq!(bob.post("tasks/take", &json!({})).ok()["task"]["id"], quiet);
}

#[test]
fn a10_an_ask_returns_the_answer_when_it_comes() {
    let hub = Hub::start();
    let (_, ann, bob, eve) = trio(&hub);
    eve.say("before");
    let mut ask = parked(&ann, "ask", &json!({"to": "bob", "message": "ready?", "timeout": 60}));
    let id = asked_directly(&bob);
    bob.try_send(&json!({"reply_to": id, "message": "yes"})).ok();
    let answer = ask.reply().unwrap().ok();
    assert_eq!((&answer["ask_id"], &answer["state"]), (&json!(id), &json!("done")));
    assert_eq!((texts(&answer["answers"]), &answer["unread"]), (vec!["yes"], &json!(1)));
    wait_until("only the answer is read", || ann.get("listen?timeout=1&max=1").ok()["messages"][0]["text"] == "before");
    assert!(ann.get("listen?timeout=1").ok()["messages"].as_array().unwrap().is_empty());
}

/// The id of the question to an agent, which may have other messages.
fn asked_directly(agent: &Agent) -> u64 {
    let mut id = None;
    wait_until("the question arrives", || {
        let read = agent.get("listen?timeout=1").ok();
        id = read["messages"].as_array().unwrap().iter().find(|m| m["wants"] == "answer").map(|m| m["id"].clone());
        id.is_some()
    });
    id.unwrap().as_u64().unwrap()
}

#[test]
fn a10_an_ask_without_an_answer_is_no_error_and_goes_on_with_its_id() {
    let hub = Hub::start();
    let (_, ann, bob, _) = trio(&hub);
    let ask = json!({"to": "bob", "message": "ready?", "timeout": 0});
    let first = ann.post("ask", &ask).ok();
    assert_eq!((&first["state"], &first["timed_out"], &first["answers"]), (&json!("open"), &json!(true), &json!([])));
    assert_eq!(first["recipient"]["unread"], 1);
    let again = ann.post("ask", &ask).ok();
    assert_eq!((&again["ask_id"], &again["duplicate"]), (&first["ask_id"], &json!(true)), "the same words");
    let mut resumed = parked(&ann, "ask", &json!({"ask_id": first["ask_id"], "timeout": 60}));
    let id = asked_directly(&bob);
    bob.try_send(&json!({"reply_to": id, "message": "now"})).ok();
    assert_eq!(texts(&resumed.reply().unwrap().ok()["answers"]), ["now"]);
}

#[test]
fn a10_an_answer_that_was_not_taken_is_still_unread() {
    let hub = Hub::start();
    let (channel, ann, bob, _) = trio(&hub);
    let ask = parked(&ann, "ask", &json!({"to": "bob", "message": "ready?", "timeout": 60}));
    let id = asked_directly(&bob);
    drop(ask);
    bob.try_send(&json!({"reply_to": id, "message": "yes"})).ok();
    assert_eq!(ann.get("listen?timeout=60").ok()["messages"][0]["text"], "yes");
    drop(channel);
}

#[test]
fn a10_two_agents_that_ask_each_other_both_finish() {
    let hub = Hub::start();
    let (_, ann, bob, _) = trio(&hub);
    let mut first = parked(&ann, "ask", &json!({"to": "bob", "message": "a?", "timeout": 60}));
    let to_bob = asked_directly(&bob);
    let mut second = parked(&bob, "ask", &json!({"to": "ann", "message": "b?", "timeout": 60}));
    let interrupted = first.reply().unwrap().ok();
    assert_eq!((&interrupted["interrupted"], &interrupted["interrupted_by"]), (&json!(true), &json!("bob")));
    let to_ann = asked_directly(&ann);
    ann.try_send(&json!({"reply_to": to_ann, "message": "b!"})).ok();
    assert_eq!(texts(&second.reply().unwrap().ok()["answers"]), ["b!"]);
    bob.try_send(&json!({"reply_to": to_bob, "message": "a!"})).ok();
    let end = ann.post("ask", &json!({"ask_id": to_bob, "timeout": 60})).ok();
    assert_eq!(texts(&end["answers"]), ["a!"]);
}

#[test]
fn a10_an_ask_survives_a_kill_between_question_and_answer() {
    let mut hub = Hub::start();
    let channel = hub.channel_with(&json!({"durability": "disk"}));
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let ask = parked(&ann, "ask", &json!({"to": "bob", "message": "ready?", "timeout": 60}));
    let id = asked_directly(&bob);
    hub.kill();
    drop(ask);
    hub.start_again(&[], &[]);
    let again = ann.post("ask", &json!({"to": "bob", "message": "ready?", "timeout": 0})).ok();
    assert_eq!((&again["ask_id"], &again["duplicate"]), (&json!(id), &json!(true)));
    bob.try_send(&json!({"reply_to": id, "message": "yes"})).ok();
    assert_eq!(texts(&ann.post("ask", &json!({"ask_id": id})).ok()["answers"]), ["yes"]);
}

#[test]
fn a10_a_look_at_a_task_waits_until_it_changes() {
    let hub = Hub::start();
    let (_, ann, bob, _) = trio(&hub);
    let id = post_work(&ann, "bob");
    let seen = task(&ann, id)["updated_at"].as_u64().unwrap();
    let mut look = ann.request("GET", &format!("tasks/{id}?wait=60&seen={seen}")).start();
    let at_once = ann.get(&format!("tasks/{id}?wait=60&seen={}", seen - 1)).ok();
    assert_eq!(at_once["state"], "open");
    bob.post(&format!("tasks/{id}/take"), &json!({})).ok();
    let row = look.reply().unwrap().ok();
    assert_eq!((&row["state"], &row["holder"]), (&json!("held"), &json!("bob")));
}

#[test]
fn a11_parked_takers_get_each_task_once() {
    let hub = Hub::start();
    let (channel, ann, ..) = trio(&hub);
    let workers: Vec<_> = (0..6).map(|n| channel.join(&format!("worker-{n}"))).collect();
    let mut takes: Vec<_> = workers.iter().map(|who| parked(who, "tasks/take", &json!({"wait": 60}))).collect();
    let mut posted: Vec<_> = (0..6).map(|_| post_work(&ann, "all")).collect();
    let mut taken: Vec<_> =
        takes.iter_mut().map(|take| take.reply().unwrap().ok()["task"]["id"].as_u64().unwrap()).collect();
    posted.sort_unstable();
    taken.sort_unstable();
    assert_eq!(taken, posted);
}

#[test]
fn a11_a_taking_whose_answer_was_not_received_is_given_back() {
    let hub = Hub::start();
    let (_, ann, bob, eve) = trio(&hub);
    let gone = parked(&bob, "tasks/take", &json!({"wait": 60}));
    gone.close_write();
    drop(gone);
    let id = post_work(&ann, "all");
    wait_until("eve can take it", || eve.post("tasks/take", &json!({"wait": 1})).ok()["task"]["id"] == id);
    assert_eq!(task(&ann, id)["attempts"], 0);
}

#[test]
fn a11_quiet_work_is_on_the_board_and_wakes_no_member() {
    let hub = Hub::start();
    let (_, ann, bob, eve) = trio(&hub);
    let body = json!({"wants": "work", "quiet": true, "thread": "ci", "message": "fix the flaky test"});
    let id = ann.try_send(&body).ok()["id"].as_u64().unwrap();
    assert!(bob.get("listen?timeout=1").ok()["messages"].as_array().unwrap().is_empty());
    let board = bob.get("tasks?state=open&wants=work&thread=ci").ok();
    assert_eq!((&board["tasks"][0]["id"], &board["for_you"]), (&json!(id), &json!(1)));
    assert_eq!(board["tasks"][0]["text"], "fix the flaky test");
    assert_eq!(eve.get("tasks?mine=true").ok()["tasks"], json!([]));
    assert_eq!(bob.post("tasks/take", &json!({"thread": "other"})).ok(), json!({"task": null, "timed_out": true}));
    let fence = bob.post("tasks/take", &json!({"thread": "ci"})).ok()["fence"].clone();
    let renewed = bob.post(&format!("tasks/{id}/take"), &json!({"fence": fence, "lease_seconds": 60})).ok();
    assert_eq!(renewed["fence"], fence);
    let done = json!({"reply_to": id, "state": "done", "fence": fence, "message": "done"});
    assert_eq!(bob.try_send(&done).ok()["task"]["state"], "done");
    assert_eq!(texts(&task(&ann, id)["answers"]), ["done"]);
}

#[test]
fn a11_a_refused_step_says_in_fields_who_has_the_task_and_until_when() {
    let hub = Hub::start();
    let (_, ann, bob, eve) = trio(&hub);
    let id = post_work(&ann, "all");
    let taken = bob.post(&format!("tasks/{id}/take"), &json!({"lease_seconds": 60})).ok();
    let finish = |who: &Agent, fence: u64| {
        who.try_send(&json!({"reply_to": id, "state": "done", "fence": fence, "message": "x"}))
    };
    for (refused, code) in [
        (eve.post(&format!("tasks/{id}/take"), &json!({})), "task_taken"),
        (eve.try_send(&json!({"reply_to": id, "state": "done", "message": "x"})), "task_taken"),
        (finish(&bob, 7), "fence_stale"),
        (finish(&eve, 7), "fence_stale"),
        (finish(&eve, 1), "task_taken"),
    ] {
        let body = refused.refused(409, code);
        assert_eq!((&body["holder"], &body["fence"]), (&json!("bob"), &json!(1)), "{body}");
        assert_eq!((&body["state"], &body["lease_until"]), (&json!("held"), &taken["lease_until"]), "{body}");
    }
    finish(&bob, 1).ok();
    let body = finish(&bob, 1).refused(409, "task_closed");
    assert_eq!((&body["state"], &body["fence"]), (&json!("done"), &json!(1)), "{body}");
    assert!(body["holder"].is_null() && body["lease_until"].is_null(), "{body}");
}
