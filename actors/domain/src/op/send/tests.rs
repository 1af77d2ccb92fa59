//! Tests of sending: recipients, quota, held DMs, idempotency, statuses.

use serde_json::json;

use crate::op::harness::{START_MS, TestChannel, draft, parse_draft, rules};
use crate::op::{Leave, Send};
use crate::{Code, Rules, Settings, TokenHash, limits};

fn trio() -> TestChannel {
    let mut test = TestChannel::new();
    for name in ["ann", "bob", "cat"] {
        test.join(name);
    }
    test
}

fn big() -> serde_json::Value {
    let file = json!({"mime": "image/png", "data_base64": "A".repeat(500_000)});
    json!({"to": "bob", "attachments": [file]})
}

#[test]
fn d06_100_dms_are_held_for_a_recipient_and_the_next_is_refused() {
    let mut test = trio();
    test.send_many("ann", "bob", limits::HELD_MESSAGES);
    let refusal = test.try_send("cat", draft("bob", "one more")).unwrap_err();
    assert_eq!(refusal.code, Code::MailboxFull);
    assert_eq!(test.channel.held().0, 100);
    assert!(test.send("cat", "all", "others are free to talk").ok && test.send("cat", "ann", "to others too").ok);
    assert_eq!(test.listen("bob").unwrap().texts.len(), 100);
    assert!(test.send("cat", "bob", "now there is room").ok);
}

#[test]
fn d06_4_mib_of_dms_are_held_for_a_recipient() {
    let mut test = trio();
    for _ in 0..8 {
        test.try_send("ann", parse_draft(&big()).unwrap()).unwrap();
    }
    assert_eq!(test.try_send("ann", parse_draft(&big()).unwrap()).unwrap_err().code, Code::MailboxFull);
    let (_, bytes) = test.channel.held();
    assert!(bytes <= limits::HELD_BYTES && bytes > limits::HELD_BYTES - 600_000);
}

#[test]
fn d06_16_mib_of_dms_are_held_per_channel() {
    let mut test = trio();
    let mut sent = 0;
    for n in 0..5 {
        let name = format!("m{n}");
        test.join(&name);
        let mut body = big();
        body["to"] = json!(name);
        while test.try_send("ann", parse_draft(&body).unwrap()).is_ok() {
            sent += 1;
        }
    }
    assert_eq!(sent, 33);
    assert!(test.channel.held().1 <= limits::HELD_CHANNEL_BYTES);
    assert_eq!(test.try_send("ann", parse_draft(&big()).unwrap()).unwrap_err().code, Code::MailboxFull);
}

#[test]
fn d06_a_held_dm_outlives_the_ring_and_a_dm_to_oneself_is_not_held() {
    let mut test = trio();
    test.send("ann", "bob", "for you");
    test.send("ann", "ann", "for me");
    test.send_many("cat", "all", 150);
    assert_eq!(test.channel.held().0, 1);
    assert_eq!(test.listen("bob").unwrap().texts[0], "for you");
    assert_eq!(test.channel.held(), (0, 0));
    assert!(test.listen("ann").unwrap().texts.iter().all(|t| t != "for me"));
}

#[test]
fn d10_ids_increase_even_if_the_clock_stops_or_goes_back() {
    let mut test = trio();
    let mut ids = vec![test.send("ann", "all", "a").id, test.send("ann", "all", "b").id];
    test.now.at_ms -= 3_600_000;
    let back = test.send("ann", "all", "c");
    assert_eq!(back.at, test.now.at_ms);
    ids.push(back.id);
    assert_eq!(ids, [START_MS, START_MS + 1, START_MS + 2]);
    test.now.at_ms += 7_200_000;
    assert_eq!(test.send("ann", "all", "d").id, test.now.at_ms);
}

#[test]
fn d10_a_reopened_channel_assigns_higher_ids() {
    let rules = rules();
    let settings = Settings::plain(TokenHash::of("t"), START_MS);
    let mut test = TestChannel::opened(settings, rules, START_MS + 500, None);
    test.join("ann");
    assert_eq!(test.send("ann", "all", "a").id, START_MS + 501);
}

#[test]
fn d15_an_unknown_recipient_is_refused_with_the_members_as_hint() {
    let mut test = trio();
    let refusal = test.try_send("ann", draft("zoe", "hi")).unwrap_err();
    assert_eq!(refusal.code, Code::UnknownRecipient);
    assert_eq!(refusal.hint.unwrap().text(), Some("members: #1 ann, #2 bob, #3 cat"));
    let long = test.try_send("ann", draft(&"z".repeat(200), "hi")).unwrap_err();
    assert!(long.text.len() < 140);
}

#[test]
fn d20_a_member_number_addresses_the_same_member() {
    let mut test = trio();
    test.join("7");
    for _ in 0..3 {
        let name = test.join_as(None, None).unwrap().callsign;
        assert!(!name.as_str().is_empty());
    }
    let session = test.session("ann");
    test.ask(Leave { session }).unwrap();
    assert_eq!(test.send("bob", "2", "the second that joined").to, "bob");
    assert_eq!(test.send("bob", "#3", "the third").to, "cat");
    assert_eq!(test.send("bob", "7", "the one called so").to, "7");
    assert_ne!(test.send("bob", "#7", "the seventh").to, "7");
    for unknown in ["#8", "99", "+2", "#+2", "#"] {
        assert_eq!(test.try_send("bob", draft(unknown, "hi")).unwrap_err().code, Code::UnknownRecipient, "{unknown}");
    }
}

#[test]
fn d26_the_sends_of_a_session_are_limited_per_sliding_minute() {
    let rules = Rules { sends_per_minute: Some(3), ..rules() };
    let mut test = TestChannel::opened(Settings::plain(TokenHash::of("t"), START_MS), rules, 0, None);
    test.join("ann");
    test.join("bob");
    for n in 0..3 {
        test.at(10_000 * n);
        assert_eq!(test.send("ann", "all", "hi").quota.unwrap().remaining, 2 - u32::try_from(n).unwrap());
    }
    let refusal = test.try_send("ann", draft("all", "too many")).unwrap_err();
    assert_eq!((refusal.code, refusal.retry_after_ms), (Code::RateLimited, Some(40_000)));
    assert_eq!(refusal.quota.unwrap().reset_at_ms, START_MS + 60_000);
    assert!(test.send("bob", "all", "another session").ok);
    test.at(60_000);
    assert!(test.send("ann", "all", "it slid").ok);
    let unknown = test.try_send("bob", draft("zoe", "hi")).unwrap_err();
    assert_eq!(unknown.quota.unwrap().remaining, 2, "a refused send does not count, and returns the quota");
}

#[test]
fn d26_a_rename_does_not_reset_the_rate_window() {
    let rules = Rules { sends_per_minute: Some(2), ..rules() };
    let mut test = TestChannel::opened(Settings::plain(TokenHash::of("t"), START_MS), rules, 0, None);
    test.join_as(Some("ann"), Some("my-own-session")).unwrap();
    test.send("ann", "all", "1");
    test.send("ann", "all", "2");
    test.join_as(Some("eve"), Some("my-own-session")).unwrap();
    assert_eq!(test.try_send("eve", draft("all", "3")).unwrap_err().code, Code::RateLimited);
}

#[test]
fn a02_the_same_key_and_body_return_the_first_reply() {
    let mut test = trio();
    let keyed = |text: &str| parse_draft(&json!({"to": "bob", "text": text, "client_msg_id": "k1"})).unwrap();
    let first = test.try_send("ann", keyed("hi")).unwrap();
    test.at(1_000);
    let again = test.try_send("ann", keyed("hi")).unwrap();
    assert_eq!((again.id, again.at, again.duplicate, first.duplicate), (first.id, first.at, true, false));
    assert_eq!(again.to, "bob");
    assert_eq!(test.try_send("ann", keyed("ho")).unwrap_err().code, Code::IdempotencyConflict);
    assert!(!test.try_send("cat", keyed("ho")).unwrap().duplicate, "a key is a member's own");
    assert_eq!(test.listen("bob").unwrap().texts, ["hi", "ho"]);
}

#[test]
fn a02_a_duplicate_does_not_count_in_the_rate_window() {
    let rules = Rules { sends_per_minute: Some(1), ..rules() };
    let mut test = TestChannel::opened(Settings::plain(TokenHash::of("t"), START_MS), rules, 0, None);
    test.join("ann");
    let keyed = || parse_draft(&json!({"text": "hi", "client_msg_id": "k1"})).unwrap();
    test.try_send("ann", keyed()).unwrap();
    assert!(test.try_send("ann", keyed()).unwrap().duplicate);
}

#[test]
fn a02_a_thousand_keys_are_remembered_for_a_day() {
    let mut test = trio();
    let keyed = |n: usize| parse_draft(&json!({"text": "hi", "client_msg_id": format!("k{n}")})).unwrap();
    let day = limits::IDEMPOTENCY_MS;
    let session = test.session("ann");
    test.try_send("ann", keyed(0)).unwrap();
    for n in 1..=limits::IDEMPOTENCY_KEYS {
        test.try_send("ann", keyed(n)).unwrap();
    }
    assert!(!test.try_send("ann", keyed(0)).unwrap().duplicate, "the oldest was forgotten");
    assert!(test.try_send("ann", keyed(2)).unwrap().duplicate);
    for step in 1..60 {
        test.at(step * day / 60);
        assert!(test.ask(crate::op::Keepalive { session: session.clone() }).is_ok());
    }
    assert!(test.try_send("ann", keyed(2)).unwrap().duplicate);
    test.at(day);
    assert!(!test.try_send("ann", keyed(2)).unwrap().duplicate);
}

#[test]
fn a02_a_key_belongs_to_a_callsign_not_to_a_renamed_session() {
    let mut test = TestChannel::new();
    test.join_as(Some("ann"), Some("my-own-session")).unwrap();
    let keyed = || parse_draft(&json!({"text": "hi", "client_msg_id": "k1"})).unwrap();
    test.try_send("ann", keyed()).unwrap();
    test.join_as(Some("eve"), Some("my-own-session")).unwrap();
    assert!(!test.try_send("eve", keyed()).unwrap().duplicate);
    test.join_as(Some("ann"), Some("my-own-session")).unwrap();
    assert!(test.try_send("ann", keyed()).unwrap().duplicate);
}

#[test]
fn a05_thread_and_reply_to_are_delivered() {
    let mut test = trio();
    let first = test.send("ann", "all", "question");
    let reply = test
        .try_send("bob", parse_draft(&json!({"text": "answer", "reply_to": first.id, "thread": " build "})).unwrap())
        .unwrap();
    assert_eq!((reply.reply_to, reply.thread.as_deref()), (Some(first.id), Some("build")));
    let response = test.poll("cat", crate::op::ReadInput::default()).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&response.messages[1].message.json()).unwrap();
    assert_eq!((&json["reply_to"], &json["thread"]), (&json!(first.id), &json!("build")));
}

#[test]
fn a06_a_send_returns_the_unread_count() {
    let mut test = trio();
    test.send("bob", "all", "1");
    test.send("cat", "ann", "2");
    assert_eq!(test.send("ann", "all", "hello?").unread, 2);
    test.listen("ann");
    assert_eq!(test.send("ann", "all", "hello!").unread, 0);
}

#[test]
fn a_dm_to_an_absent_member_is_queued() {
    let mut test = trio();
    let session = test.session("bob");
    test.ask(Leave { session }).unwrap();
    assert!(test.send("ann", "bob", "later").queued && !test.send("ann", "cat", "now").queued);
    assert!(!test.send("ann", "all", "everybody").queued);
    let status = parse_draft(&json!({"to": "bob", "text": "working", "kind": "status"})).unwrap();
    assert!(!test.try_send("ann", status).unwrap().queued);
    test.join("bob");
    assert_eq!(test.listen("bob").unwrap().texts, ["later", "everybody"]);
}

#[test]
fn a_status_reaches_waiting_members_and_is_not_stored() {
    let mut test = trio();
    let status =
        |to: &str| parse_draft(&json!({"to": to, "text": "working", "kind": "status", "priority": "low"})).unwrap();
    let (bob, cat) = (test.park("bob", Default::default()), test.open("cat", Default::default()));
    test.events(cat);
    let sent = test.try_send("ann", status("all")).unwrap();
    assert_eq!((test.answered(bob).ids, test.events(cat)), (vec![sent.id], vec!["working".to_owned()]));
    let bob = test.park("bob", Default::default());
    test.try_send("ann", status("cat")).unwrap();
    assert!(test.answer(bob).is_none());
    assert_eq!(test.events(cat), ["working"]);
    let history = test.query(&crate::op::History { session: None, n: 100, thread: None, before: None }).unwrap();
    assert!(history.history.is_empty());
    assert_eq!(test.channel.last_id(), START_MS + 1, "a status uses up an id");
}

#[test]
fn a_send_needs_a_session() {
    let mut test = trio();
    let stranger = crate::SessionId::present(Some("a-stranger-here")).unwrap().unwrap();
    let refusal = test.ask(Send { session: stranger, draft: draft("all", "hi") }).unwrap_err();
    assert_eq!(refusal.code, Code::NotJoined);
    let session = test.session("ann");
    test.ask(Leave { session }).unwrap();
    assert_eq!(test.try_send("ann", draft("all", "hi")).unwrap_err().code, Code::SessionExpired);
}
