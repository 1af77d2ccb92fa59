//! Sending: recipients, quota, held DMs, idempotency, statuses.

use serde_json::json;

use crate::op::harness::{DAWN_MS, Rig, draft, rules, said};
use crate::op::{Leave, Send};
use crate::{Code, Rules, Settings, TokenHash, limits};

fn trio() -> Rig {
    let mut rig = Rig::new();
    for name in ["ann", "bob", "cat"] {
        rig.join(name);
    }
    rig
}

fn big() -> serde_json::Value {
    let file = json!({"mime": "image/png", "data_base64": "A".repeat(500_000)});
    json!({"to": "bob", "attachments": [file]})
}

#[test]
fn d06_a_mailbox_holds_100_messages_and_refuses_the_next() {
    let mut rig = trio();
    rig.send_many("ann", "bob", limits::HELD_MESSAGES);
    let refusal = rig.try_send("cat", draft("bob", "one more")).unwrap_err();
    assert_eq!(refusal.code, Code::MailboxFull);
    assert_eq!(rig.channel.held().0, 100);
    assert!(rig.send("cat", "all", "others are free to talk").ok && rig.send("cat", "ann", "to others too").ok);
    assert_eq!(rig.listen("bob").unwrap().texts.len(), 100);
    assert!(rig.send("cat", "bob", "now there is room").ok);
}

#[test]
fn d06_a_mailbox_holds_4_mib() {
    let mut rig = trio();
    for _ in 0..8 {
        rig.try_send("ann", said(&big()).unwrap()).unwrap();
    }
    assert_eq!(rig.try_send("ann", said(&big()).unwrap()).unwrap_err().code, Code::MailboxFull);
    let (_, bytes) = rig.channel.held();
    assert!(bytes <= limits::HELD_BYTES && bytes > limits::HELD_BYTES - 600_000);
}

#[test]
fn d06_the_mailboxes_of_a_channel_hold_16_mib() {
    let mut rig = trio();
    let mut sent = 0;
    for n in 0..5 {
        let name = format!("m{n}");
        rig.join(&name);
        let mut body = big();
        body["to"] = json!(name);
        while rig.try_send("ann", said(&body).unwrap()).is_ok() {
            sent += 1;
        }
    }
    assert_eq!(sent, 33);
    assert!(rig.channel.held().1 <= limits::HELD_CHANNEL_BYTES);
    assert_eq!(rig.try_send("ann", said(&big()).unwrap()).unwrap_err().code, Code::MailboxFull);
}

#[test]
fn d06_a_dm_outlives_the_ring_and_one_to_oneself_is_not_held() {
    let mut rig = trio();
    rig.send("ann", "bob", "for you");
    rig.send("ann", "ann", "for me");
    rig.send_many("cat", "all", 150);
    assert_eq!(rig.channel.held().0, 1);
    assert_eq!(rig.listen("bob").unwrap().texts[0], "for you");
    assert_eq!(rig.channel.held(), (0, 0));
    assert!(rig.listen("ann").unwrap().texts.iter().all(|t| t != "for me"));
}

#[test]
fn d10_ids_increase_when_the_clock_stands_still_and_when_it_steps_back() {
    let mut rig = trio();
    let mut ids = vec![rig.send("ann", "all", "a").id, rig.send("ann", "all", "b").id];
    rig.now.at_ms -= 3_600_000;
    let back = rig.send("ann", "all", "c");
    assert_eq!(back.at, rig.now.at_ms);
    ids.push(back.id);
    assert_eq!(ids, [DAWN_MS, DAWN_MS + 1, DAWN_MS + 2]);
    rig.now.at_ms += 7_200_000;
    assert_eq!(rig.send("ann", "all", "d").id, rig.now.at_ms);
}

#[test]
fn d10_a_channel_opens_above_every_id_there_was() {
    let rules = rules();
    let settings = Settings::plain(TokenHash::of("t"), DAWN_MS);
    let mut rig = Rig::opened(settings, rules, DAWN_MS + 500, None);
    rig.join("ann");
    assert_eq!(rig.send("ann", "all", "a").id, DAWN_MS + 501);
}

#[test]
fn d15_nobody_by_that_name_is_told_who_is_here() {
    let mut rig = trio();
    let refusal = rig.try_send("ann", draft("zoe", "hi")).unwrap_err();
    assert_eq!(refusal.code, Code::UnknownRecipient);
    assert_eq!(refusal.hint.unwrap().text(), Some("here are: #1 ann, #2 bob, #3 cat"));
    let long = rig.try_send("ann", draft(&"z".repeat(200), "hi")).unwrap_err();
    assert!(long.text.len() < 140);
}

#[test]
fn d20_a_number_is_a_member_and_stays_its_own() {
    let mut rig = trio();
    rig.join("7");
    for _ in 0..3 {
        let name = rig.join_as(None, None).unwrap().callsign;
        assert!(!name.as_str().is_empty());
    }
    let session = rig.session("ann");
    rig.ask(Leave { session }).unwrap();
    assert_eq!(rig.send("bob", "2", "the second that joined").to, "bob");
    assert_eq!(rig.send("bob", "#3", "the third").to, "cat");
    assert_eq!(rig.send("bob", "7", "the one called so").to, "7");
    assert_ne!(rig.send("bob", "#7", "the seventh").to, "7");
    for nobody in ["#8", "99", "+2", "#+2", "#"] {
        assert_eq!(rig.try_send("bob", draft(nobody, "hi")).unwrap_err().code, Code::UnknownRecipient, "{nobody}");
    }
}

#[test]
fn d26_a_session_sends_so_many_times_in_a_sliding_minute() {
    let rules = Rules { sends_per_minute: Some(3), ..rules() };
    let mut rig = Rig::opened(Settings::plain(TokenHash::of("t"), DAWN_MS), rules, 0, None);
    rig.join("ann");
    rig.join("bob");
    for n in 0..3 {
        rig.at(10_000 * n);
        assert_eq!(rig.send("ann", "all", "hi").quota.unwrap().remaining, 2 - u32::try_from(n).unwrap());
    }
    let refusal = rig.try_send("ann", draft("all", "too many")).unwrap_err();
    assert_eq!((refusal.code, refusal.retry_after_ms), (Code::RateLimited, Some(40_000)));
    assert_eq!(refusal.quota.unwrap().reset_at_ms, DAWN_MS + 60_000);
    assert!(rig.send("bob", "all", "another session").ok);
    rig.at(60_000);
    assert!(rig.send("ann", "all", "it slid").ok);
    let unknown = rig.try_send("bob", draft("zoe", "hi")).unwrap_err();
    assert_eq!(unknown.quota.unwrap().remaining, 2, "what is refused is not counted, and tells the window");
}

#[test]
fn d26_a_new_callsign_does_not_refill_the_window() {
    let rules = Rules { sends_per_minute: Some(2), ..rules() };
    let mut rig = Rig::opened(Settings::plain(TokenHash::of("t"), DAWN_MS), rules, 0, None);
    rig.join_as(Some("ann"), Some("my-own-session")).unwrap();
    rig.send("ann", "all", "1");
    rig.send("ann", "all", "2");
    rig.join_as(Some("eve"), Some("my-own-session")).unwrap();
    assert_eq!(rig.try_send("eve", draft("all", "3")).unwrap_err().code, Code::RateLimited);
}

#[test]
fn a02_the_same_key_and_body_give_the_first_reply() {
    let mut rig = trio();
    let keyed = |text: &str| said(&json!({"to": "bob", "text": text, "client_msg_id": "k1"})).unwrap();
    let first = rig.try_send("ann", keyed("hi")).unwrap();
    rig.at(1_000);
    let again = rig.try_send("ann", keyed("hi")).unwrap();
    assert_eq!((again.id, again.at, again.duplicate, first.duplicate), (first.id, first.at, true, false));
    assert_eq!(again.to, "bob");
    assert_eq!(rig.try_send("ann", keyed("ho")).unwrap_err().code, Code::IdempotencyConflict);
    assert!(!rig.try_send("cat", keyed("ho")).unwrap().duplicate, "a key is a member's own");
    assert_eq!(rig.listen("bob").unwrap().texts, ["hi", "ho"]);
}

#[test]
fn a02_a_duplicate_does_not_use_up_the_window() {
    let rules = Rules { sends_per_minute: Some(1), ..rules() };
    let mut rig = Rig::opened(Settings::plain(TokenHash::of("t"), DAWN_MS), rules, 0, None);
    rig.join("ann");
    let keyed = || said(&json!({"text": "hi", "client_msg_id": "k1"})).unwrap();
    rig.try_send("ann", keyed()).unwrap();
    assert!(rig.try_send("ann", keyed()).unwrap().duplicate);
}

#[test]
fn a02_a_key_is_remembered_for_a_day_and_a_thousand_of_them() {
    let mut rig = trio();
    let keyed = |n: usize| said(&json!({"text": "hi", "client_msg_id": format!("k{n}")})).unwrap();
    let day = limits::IDEMPOTENCY_MS;
    let session = rig.session("ann");
    rig.try_send("ann", keyed(0)).unwrap();
    for n in 1..=limits::IDEMPOTENCY_KEYS {
        rig.try_send("ann", keyed(n)).unwrap();
    }
    assert!(!rig.try_send("ann", keyed(0)).unwrap().duplicate, "the oldest was forgotten");
    assert!(rig.try_send("ann", keyed(2)).unwrap().duplicate);
    for step in 1..60 {
        rig.at(step * day / 60);
        assert!(rig.ask(crate::op::Keepalive { session: session.clone() }).is_ok());
    }
    assert!(rig.try_send("ann", keyed(2)).unwrap().duplicate);
    rig.at(day);
    assert!(!rig.try_send("ann", keyed(2)).unwrap().duplicate);
}

#[test]
fn a02_a_key_belongs_to_a_callsign_not_to_a_renamed_session() {
    let mut rig = Rig::new();
    rig.join_as(Some("ann"), Some("my-own-session")).unwrap();
    let keyed = || said(&json!({"text": "hi", "client_msg_id": "k1"})).unwrap();
    rig.try_send("ann", keyed()).unwrap();
    rig.join_as(Some("eve"), Some("my-own-session")).unwrap();
    assert!(!rig.try_send("eve", keyed()).unwrap().duplicate);
    rig.join_as(Some("ann"), Some("my-own-session")).unwrap();
    assert!(rig.try_send("ann", keyed()).unwrap().duplicate);
}

#[test]
fn a05_threads_and_answers_come_back() {
    let mut rig = trio();
    let first = rig.send("ann", "all", "question");
    let reply = rig
        .try_send("bob", said(&json!({"text": "answer", "reply_to": first.id, "thread": " build "})).unwrap())
        .unwrap();
    assert_eq!((reply.reply_to, reply.thread.as_deref()), (Some(first.id), Some("build")));
    let delivery = rig.poll("cat", crate::op::ReadInput::default()).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&delivery.messages[1].message.json()).unwrap();
    assert_eq!((&json["reply_to"], &json["thread"]), (&json!(first.id), &json!("build")));
}

#[test]
fn a06_a_sender_learns_what_waits_for_it() {
    let mut rig = trio();
    rig.send("bob", "all", "1");
    rig.send("cat", "ann", "2");
    assert_eq!(rig.send("ann", "all", "hello?").unread, 2);
    rig.listen("ann");
    assert_eq!(rig.send("ann", "all", "hello!").unread, 0);
}

#[test]
fn a_dm_to_who_is_away_is_queued() {
    let mut rig = trio();
    let session = rig.session("bob");
    rig.ask(Leave { session }).unwrap();
    assert!(rig.send("ann", "bob", "later").queued && !rig.send("ann", "cat", "now").queued);
    assert!(!rig.send("ann", "all", "everybody").queued);
    let status = said(&json!({"to": "bob", "text": "working", "kind": "status"})).unwrap();
    assert!(!rig.try_send("ann", status).unwrap().queued);
    rig.join("bob");
    assert_eq!(rig.listen("bob").unwrap().texts, ["later", "everybody"]);
}

#[test]
fn a_status_reaches_who_waits_and_is_not_kept() {
    let mut rig = trio();
    let status = |to: &str| said(&json!({"to": to, "text": "working", "kind": "status", "priority": "low"})).unwrap();
    let (bob, cat) = (rig.park("bob", Default::default()), rig.open("cat", Default::default()));
    rig.events(cat);
    let sent = rig.try_send("ann", status("all")).unwrap();
    assert_eq!((rig.answered(bob).ids, rig.events(cat)), (vec![sent.id], vec!["working".to_owned()]));
    let bob = rig.park("bob", Default::default());
    rig.try_send("ann", status("cat")).unwrap();
    assert!(rig.answer(bob).is_none());
    assert_eq!(rig.events(cat), ["working"]);
    let history = rig.query(crate::op::History { session: None, n: 100, thread: None }).unwrap();
    assert!(history.history.is_empty());
    assert_eq!(rig.channel.last_id(), DAWN_MS + 1, "a status uses up an id");
}

#[test]
fn a_send_needs_a_session() {
    let mut rig = trio();
    let stranger = crate::SessionId::present(Some("a-stranger-here")).unwrap().unwrap();
    let refusal = rig.ask(Send { session: stranger, draft: draft("all", "hi") }).unwrap_err();
    assert_eq!(refusal.code, Code::NotJoined);
    let session = rig.session("ann");
    rig.ask(Leave { session }).unwrap();
    assert_eq!(rig.try_send("ann", draft("all", "hi")).unwrap_err().code, Code::SessionExpired);
}
