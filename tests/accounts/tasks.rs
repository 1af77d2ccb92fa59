//! A9, A11: tasks of members that are removed, banned, whose key is replaced or whose channel is deleted.

use rogerrat_testkit::{Agent, Conn, Hub, Reply, wait_until};
use serde_json::{Value, json};

use super::account_client::{Account, prove};

const ADMIN: &str = "the-administrators-own";

fn hub() -> Hub {
    Hub::with(&["--admin-token", ADMIN, "--rate-limit", "off"], &[])
}

fn admin(hub: &Hub, method: &str, path: &str, body: &Value) -> Reply {
    hub.request(method, &format!("/api/admin/{path}")).bearer(ADMIN).json(body).send()
}

fn posted(by: &Agent, body: &Value) -> u64 {
    by.try_send(body).ok()["id"].as_u64().unwrap()
}

/// Work that a member has posted and another has taken.
fn taken(by: &Agent, holder: &Agent) -> u64 {
    let id = posted(by, &json!({"wants": "work", "message": "fix it"}));
    assert_eq!(holder.post(&format!("tasks/{id}/take"), &json!({})).ok()["fence"], 1);
    id
}

/// The state of a task, its holder and its fence.
fn state(agent: &Agent, id: u64) -> (String, Value, Value) {
    let mut row = agent.get(&format!("tasks/{id}")).ok();
    (row["state"].as_str().unwrap().to_owned(), row["holder"].take(), row["fence"].take())
}

fn is_open_again(agent: &Agent, id: u64) {
    assert_eq!(state(agent, id), ("open".to_owned(), json!(null), json!(1)));
}

fn parked(agent: &Agent, what: &str, body: &Value) -> Conn {
    agent.request("POST", what).json(body).start()
}

#[test]
fn a11_work_of_a_member_that_the_operator_removed_or_banned_is_open_again() {
    let hub = hub();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let first = taken(&ann, &bob);
    admin(&hub, "DELETE", &format!("channels/{}/sessions/bob", channel.id), &json!({})).ok();
    is_open_again(&ann, first);
    let late = json!({"reply_to": first, "state": "done", "fence": 1, "message": "done"});
    bob.try_send(&late).refused(410, "session_expired");
    let bob = channel.join("bob");
    bob.try_send(&late).refused(409, "fence_stale");
    let second = taken(&ann, &bob);
    admin(&hub, "POST", "bans", &json!({"callsign": "bob", "channel_id": channel.id})).ok();
    is_open_again(&ann, second);
    bob.try_send(&json!({"reply_to": second, "state": "done", "fence": 1, "message": "x"}))
        .refused(410, "session_expired");
    bob.post("tasks/take", &json!({})).refused(410, "session_expired");
    bob.post("ask", &json!({"to": "ann", "message": "x"})).refused(410, "session_expired");
    assert_eq!(ann.get(&format!("tasks/{second}")).ok()["attempts"], 1);
}

#[test]
fn a11_work_of_a_member_whose_session_the_owner_ended_is_open_again() {
    let hub = hub();
    let owner = Account::open(&hub);
    let channel = owner.channel(&json!({"durability": "disk"}));
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let id = taken(&ann, &bob);
    let question = posted(&bob, &json!({"to": "ann", "wants": "answer", "message": "which branch?"}));
    owner.delete(&format!("/channels/{}/sessions/bob", channel.id)).ok();
    is_open_again(&ann, id);
    assert_eq!(ann.try_send(&json!({"reply_to": question, "message": "main"})).ok()["task"]["state"], "done");
    assert_eq!(channel.join("eve").post("tasks/take", &json!({})).ok()["fence"], 2);
}

#[test]
fn a09_what_a_banned_member_posted_stays_open_and_can_be_done() {
    let hub = hub();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let work = posted(&ann, &json!({"wants": "work", "message": "fix it"}));
    let question = posted(&ann, &json!({"to": "bob", "wants": "answer", "message": "ready?"}));
    admin(&hub, "POST", "bans", &json!({"callsign": "ann", "channel_id": channel.id})).ok();
    assert_eq!(bob.post("tasks/take", &json!({})).ok()["task"]["id"], work);
    for body in [
        json!({"reply_to": work, "state": "done", "fence": 1, "message": "done"}),
        json!({"reply_to": question, "message": "yes"}),
    ] {
        assert_eq!(bob.try_send(&body).ok()["task"]["state"], "done");
    }
}

#[test]
fn a11_a_key_that_is_replaced_or_deleted_gives_back_what_its_session_had_taken() {
    let hub = hub();
    let account = Account::open(&hub);
    let mut key = account.identity("worker");
    for durability in ["memory", "disk"] {
        let channel = hub.channel_with(&json!({"durability": durability}));
        let ann = channel.join("ann");
        let worker = prove(&channel, &key);
        let id = taken(&ann, &worker);
        let mut take = parked(&worker, "tasks/take", &json!({"wait": 60}));
        if durability == "memory" {
            key = account.rotate("worker");
        } else {
            account.delete("/identities/worker").ok();
        }
        wait_until("it is open again", || state(&ann, id).0 == "open");
        is_open_again(&ann, id);
        let late = json!({"reply_to": id, "state": "done", "fence": 1, "message": "late"});
        worker.try_send(&late).refused(410, "session_expired");
        // The parked request ended without work, or with the work that was open again for a moment and is not any more.
        let reply = take.reply().unwrap();
        assert!(reply.status == 200 && reply.json()["task"].is_null() || reply.status == 410, "{}", reply.text());
        is_open_again(&ann, id);
    }
}

#[test]
fn a10_requests_that_wait_for_tasks_end_with_their_session_and_their_channel() {
    let hub = hub();
    let channel = hub.channel();
    let [ann, bob, eve] = ["ann", "bob", "eve"].map(|who| channel.join(who));
    let id = posted(&ann, &json!({"to": "bob", "wants": "work", "message": "x"}));
    let seen = ann.get(&format!("tasks/{id}")).ok()["updated_at"].clone();
    let mut takes = [&bob, &eve].map(|who| parked(who, "tasks/take", &json!({"wait": 60, "thread": "t"})));
    let mut ask = parked(&ann, "ask", &json!({"to": "eve", "message": "ready?", "timeout": 60}));
    let mut look = ann.request("GET", &format!("tasks/{id}?wait=60&seen={seen}")).start();
    wait_until("eve is asked", || eve.unread() > 0);
    bob.leave();
    let [of_bob, of_eve] = &mut takes;
    of_bob.reply().unwrap().refused(410, "session_expired");
    bob.post("tasks/take", &json!({})).refused(410, "session_expired");
    admin(&hub, "DELETE", &format!("channels/{}", channel.id), &json!({})).ok();
    for conn in [of_eve, &mut ask, &mut look] {
        let reply = conn.reply().unwrap();
        assert!([200, 404].contains(&reply.status), "{} {}", reply.status, reply.text());
    }
    ann.post("ask", &json!({"to": "eve", "message": "ready?"})).refused(404, "not_found");
    ann.get(&format!("tasks/{id}")).refused(404, "not_found");
}
