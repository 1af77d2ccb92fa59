//! Tests of joining: collisions, sessions chosen by the caller, returning members, claimed callsigns.

use std::collections::BTreeSet;

use crate::op::harness::{START_MS, TestChannel, rules};
use crate::op::{Join, JoinReply, Keepalive, Leave};
use crate::{Callsign, Code, Entry, Rules, Settings, TokenHash, limits, names};

const HOUR_MS: u64 = limits::TOMBSTONE_MS;

fn claimed() -> TestChannel {
    TestChannel::with(Settings { claim_callsigns: true, ..Settings::plain(TokenHash::of("t"), START_MS) })
}

fn leave(test: &mut TestChannel, who: &str) {
    let session = test.session(who);
    test.ask(Leave { session }).unwrap();
}

fn again(test: &mut TestChannel, callsign: &str, session: &str) -> Result<JoinReply, Code> {
    test.join_as(Some(callsign), Some(session)).map_err(|r| r.code)
}

fn expire(test: &mut TestChannel) {
    test.at(test.now.uptime_ms + limits::SESSION_TTL_MS);
    assert_eq!(test.channel.live_members(), 0);
}

#[test]
fn d16_the_reply_has_the_normalised_callsign() {
    assert_eq!(TestChannel::new().join(" Bob_1 ").callsign.as_str(), "bob_1");
}

#[test]
fn d16_without_a_callsign_the_hub_picks_a_free_one() {
    let mut test = TestChannel::new();
    for seed in 2..6 {
        test.join(names::callsign(seed).as_str());
    }
    let names: BTreeSet<_> = (0..50).map(|_| test.join_as(None, None).unwrap().callsign).collect();
    assert_eq!((names.len(), test.channel.live_members()), (50, 54));
}

#[test]
fn d16_without_a_callsign_a_live_session_keeps_its_own() {
    let mut test = TestChannel::new();
    let session = test.join("ann").session_id;
    let reply = test.join_as(None, Some(&session)).unwrap();
    assert_eq!((reply.callsign.as_str(), reply.idempotent), ("ann", true));
}

#[test]
fn a_free_callsign_can_be_joined() {
    let mut test = TestChannel::new();
    let minted = test.join("ann");
    assert_eq!((minted.idempotent, minted.session_id.len(), minted.idx), (false, 43, 1));
    let own = again(&mut test, "bob", "my-own-session").unwrap();
    assert_eq!((own.idempotent, own.session_id.as_str(), own.idx), (false, "my-own-session", 2));
    assert_eq!(own.roster, ["ann", "bob"]);
    let short = test.join_as(Some("cat"), Some("short")).unwrap();
    assert_eq!(short.session_id.len(), 43, "a short session id counts as absent");
}

#[test]
fn d18_a_join_without_a_session_under_a_live_callsign_gets_its_session_and_a_warning() {
    let mut test = TestChannel::new();
    let first = test.join("ann");
    let second = test.join("ann");
    assert_eq!((second.idempotent, &second.session_id), (true, &first.session_id));
    assert!(first.collision_warning.is_none() && second.collision_warning.is_some());
    let same = again(&mut test, "ann", &first.session_id).unwrap();
    assert!(same.idempotent && same.collision_warning.is_none());
}

#[test]
fn d18_a_session_id_chosen_by_the_caller_is_never_returned_to_others() {
    let mut test = TestChannel::new();
    again(&mut test, "ann", "my-own-session").unwrap();
    let refusal = test.join_as(Some("ann"), None).unwrap_err();
    assert_eq!(refusal.code, Code::CallsignTaken);
    assert!(!format!("{refusal:?}").contains("my-own-session"));
    assert!(again(&mut test, "ann", "my-own-session").unwrap().idempotent);
    expire(&mut test);
    assert_ne!(test.join("ann").session_id, "my-own-session", "not even after it expired");
}

#[test]
fn d18_a_live_callsign_is_taken_for_another_session() {
    let mut test = TestChannel::new();
    test.join("ann");
    assert_eq!(again(&mut test, "ann", "my-own-session").unwrap_err(), Code::CallsignTaken);
    again(&mut test, "bob", "my-own-session").unwrap();
    assert_eq!(again(&mut test, "ann", "my-own-session").unwrap_err(), Code::CallsignTaken);
}

#[test]
fn d18_a_claimed_callsign_is_refused_with_a_free_one_as_hint() {
    for settings in [claimed().channel.settings().clone(), Settings::band(START_MS)] {
        let mut test = TestChannel::with(settings);
        let first = test.join("ann").session_id;
        let refusal = test.join_as(Some("ann"), None).unwrap_err();
        assert_eq!(refusal.code, Code::CallsignTaken);
        let hint = refusal.hint.unwrap().text().unwrap().to_owned();
        let free = hint.split('`').nth(1).unwrap();
        assert!(!test.join(free).idempotent);
        assert!(again(&mut test, "ann", &first).unwrap().idempotent);
    }
}

#[test]
fn a_session_that_joins_under_another_callsign_is_renamed() {
    let mut test = TestChannel::new();
    test.join("cat");
    again(&mut test, "ann", "my-own-session").unwrap();
    test.send("cat", "ann", "for ann");
    let renamed = again(&mut test, "bob", "my-own-session").unwrap();
    assert_eq!((renamed.session_id.as_str(), renamed.idx), ("my-own-session", 3));
    assert_eq!(renamed.roster, ["bob", "cat"]);
    assert!(test.listen("bob").is_none(), "held DMs stay with the callsign");
    let back = again(&mut test, "ann", "my-own-session").unwrap();
    assert_eq!((back.idx, back.idempotent), (2, false));
    assert_eq!(test.listen("ann").unwrap().texts, ["for ann"]);
}

#[test]
fn a_minted_session_can_be_renamed_and_the_old_callsign_gets_a_new_session() {
    let mut test = TestChannel::new();
    let session = test.join("ann").session_id;
    assert_eq!(again(&mut test, "bob", &session).unwrap().session_id, session);
    let other = test.join("ann");
    assert_ne!(other.session_id, session);
    assert_eq!(test.channel.live_members(), 2);
}

#[test]
fn d17_an_expired_session_resumes_with_the_same_id() {
    let mut test = TestChannel::new();
    let first = test.join("ann").session_id;
    expire(&mut test);
    let id = crate::SessionId::present(Some(&first)).unwrap().unwrap();
    assert_eq!(test.ask(Keepalive { session: id.clone() }).unwrap_err().code, Code::SessionExpired);
    let second = test.join("ann");
    assert_eq!((second.session_id, second.idempotent, second.idx), (first, false, 1));
    assert!(test.ask(Keepalive { session: id }).unwrap().ok);
}

#[test]
fn d17_a_session_that_left_does_not_resume() {
    let mut test = TestChannel::new();
    let first = test.join("ann").session_id;
    leave(&mut test, "ann");
    let second = test.join("ann").session_id;
    assert_ne!(first, second);
    leave(&mut test, "ann");
    assert_eq!(again(&mut test, "ann", &first).unwrap().session_id, first, "unless it is presented");
}

#[test]
fn d17_only_its_session_can_resume_a_claimed_callsign() {
    let mut test = claimed();
    let first = test.join("ann").session_id;
    expire(&mut test);
    let expired_at = test.now.uptime_ms;
    assert_eq!(test.join_as(Some("ann"), None).unwrap_err().code, Code::CallsignTaken);
    assert_eq!(again(&mut test, "ann", "another-session").unwrap_err(), Code::CallsignTaken);
    assert_eq!(again(&mut test, "ann", &first).unwrap().session_id, first);
    expire(&mut test);
    assert!(test.now.uptime_ms > expired_at);
    let since = test.now.uptime_ms;
    test.at(since + HOUR_MS - 1);
    assert_eq!(test.join_as(Some("ann"), None).unwrap_err().code, Code::CallsignTaken);
    test.at(since + HOUR_MS);
    assert_ne!(test.join("ann").session_id, first);
}

#[test]
fn d17_after_an_hour_a_claimed_callsign_is_free_and_has_no_held_dms() {
    let mut test = claimed();
    test.join("ann");
    test.join("bob");
    test.send("bob", "ann", "secret");
    expire(&mut test);
    test.at(test.now.uptime_ms + HOUR_MS);
    let heir = test.join("ann");
    assert_eq!((heir.idx, heir.unread, test.channel.delivery_counters.held_lost), (3, 0, 1));
    assert!(test.listen("ann").is_none());
}

#[test]
fn d06_held_dms_of_a_claimed_callsign_wait_for_its_session() {
    let mut test = claimed();
    let first = test.join("ann").session_id;
    test.join("bob");
    test.send("bob", "ann", "secret");
    leave(&mut test, "ann");
    assert_eq!(test.join_as(Some("ann"), None).unwrap_err().code, Code::CallsignTaken);
    let back = again(&mut test, "ann", &first).unwrap();
    assert_eq!((back.idx, back.unread, test.channel.delivery_counters.held_lost), (1, 1, 0));
}

#[test]
fn d17_a_known_session_resumes_without_a_callsign() {
    let mut test = TestChannel::new();
    let first = test.join("ann").session_id;
    expire(&mut test);
    let back = test.join_as(None, Some(&first)).unwrap();
    assert_eq!((back.callsign.as_str(), back.session_id), ("ann", first));
}

#[test]
fn d21_private_dms_are_visible_to_sender_and_recipient_only() {
    let mut test = TestChannel::with(Settings::band(START_MS));
    test.join("ann");
    test.join("bob");
    test.send("ann", "all", "hello");
    test.send("ann", "bob", "secret");
    assert_eq!(test.join("cat").history.len(), 1);
    let session = test.session("bob");
    assert_eq!(again(&mut test, "bob", session.text().unwrap()).unwrap().history.len(), 2);
    let mut open = TestChannel::new();
    open.join("ann");
    open.send("ann", "all", "hello");
    open.send("ann", "ann", "note");
    assert_eq!(open.join("cat").history.len(), 2, "on a channel with public DMs all members see them");
}

#[test]
fn a_join_returns_the_last_20_messages() {
    let mut test = TestChannel::new();
    test.join("ann");
    test.send_many("ann", "all", 30);
    let reply = test.join("bob");
    assert_eq!((reply.history.len(), reply.unread), (20, 30));
    assert!(String::from_utf8_lossy(&reply.history[19].json()).contains("\"x30\""));
}

#[test]
fn a_shown_history_is_not_delivered_again() {
    let mut test = TestChannel::new();
    test.join("ann");
    test.send_many("ann", "all", 5);
    test.send("ann", "ann", "a note");
    let joined = |test: &mut TestChannel, callsign, shown_bytes| {
        let request = Join { shown_bytes, ..test.join_request(Some(callsign), None) };
        let reply = test.joins(request).unwrap();
        (reply.history.len(), reply.unread)
    };
    assert_eq!(joined(&mut test, "bob", Some(6_000)), (6, 0), "it was shown");
    assert!(test.listen("bob").is_none());
    assert_eq!(joined(&mut test, "cat", Some(100)), (6, 5), "it is too long to be shown completely");
    assert_eq!(joined(&mut test, "dan", None), (6, 5), "the caller may ignore it");
    test.send("ann", "all", "new");
    assert_eq!(test.listen("bob").unwrap().texts, ["new"], "what follows is delivered");
    test.send_many("ann", "all", 20);
    assert_eq!(
        joined(&mut test, "eve", Some(60_000)),
        (20, 26),
        "a part of it is not shown, so nothing counts as read"
    );
    assert_eq!(joined(&mut test, "bob", Some(60_000)).1, 20, "only a new member has read it");
}

#[test]
fn d20_numbers_are_not_reused() {
    let mut test = TestChannel::new();
    test.join("ann");
    test.join("bob");
    leave(&mut test, "ann");
    assert_eq!((test.join("cat").idx, test.join("ann").idx), (3, 1));
    test.at(limits::SESSION_TTL_MS);
    test.at(limits::SESSION_TTL_MS + limits::MEMBER_TTL_MS);
    assert_eq!(test.join("ann").idx, 4, "it was removed");
}

/// The maximum number of members, all live, `m1` first.
fn crowd(test: &mut TestChannel) {
    for no in 1..=u32::try_from(limits::MEMBERS).unwrap() {
        let callsign = Callsign::parse(&format!("m{no}")).unwrap();
        let entry = Entry::Joined {
            no,
            callsign,
            generation: 1,
            own_session: None,
            identity: None,
            cursor: 0,
            shown_upto: 0,
            about: None,
            at_ms: START_MS,
        };
        test.channel.apply(&entry, test.now, &mut crate::Effects::default());
    }
}

#[test]
fn d30_a_channel_has_10_000_members() {
    let mut test = TestChannel::new();
    crowd(&mut test);
    assert_eq!(test.join_as(Some("late"), None).unwrap_err().code, Code::LimitReached);
    assert_eq!(test.join_as(None, None).unwrap_err().code, Code::LimitReached);
    assert!(test.join("m1").idempotent);
}

#[test]
fn d30_a_member_is_removed_after_its_ttl_with_its_held_dms() {
    let settings = Settings { member_ttl_ms: 10 * HOUR_MS, ..Settings::plain(TokenHash::of("t"), START_MS) };
    let mut test = TestChannel::with(settings);
    test.join("ann");
    test.join("bob");
    leave(&mut test, "bob");
    test.send("ann", "bob", "unread");
    test.at(10 * HOUR_MS - 1);
    assert_eq!(test.channel.held().0, 1);
    test.at(10 * HOUR_MS);
    assert_eq!((test.channel.held(), test.channel.delivery_counters.held_lost), ((0, 0), 1));
    let heir = test.join("bob");
    assert_eq!((heir.idx, heir.unread), (3, 0));
}

#[test]
fn d30_tombstones_last_an_hour() {
    let mut test = TestChannel::new();
    test.join("ann");
    leave(&mut test, "ann");
    let session = test.session("ann");
    test.at(HOUR_MS - 1);
    assert_eq!(test.ask(Keepalive { session: session.clone() }).unwrap_err().code, Code::SessionExpired);
    test.at(HOUR_MS);
    assert_eq!(test.ask(Keepalive { session: session.clone() }).unwrap_err().code, Code::NotJoined);
    assert!(test.ask(Leave { session }).unwrap().ok, "leaving always succeeds");
}

#[test]
fn d30_an_idle_channel_is_unloaded_unless_it_holds_a_dm() {
    let rules = Rules { idle_ms: Some(HOUR_MS), ..rules() };
    let mut test = TestChannel::opened(Settings::plain(TokenHash::of("t"), START_MS), rules, 0, None);
    test.join("ann");
    test.join("bob");
    leave(&mut test, "bob");
    test.at(60_000);
    leave(&mut test, "ann");
    test.at(HOUR_MS + 59_999);
    assert!(!test.unloaded);
    test.at(HOUR_MS + 60_000);
    assert!(test.unloaded);
    test.join("ann");
    test.send("ann", "bob", "held");
    leave(&mut test, "ann");
    test.unloaded = false;
    test.at(10 * HOUR_MS);
    assert!(!test.unloaded);
}

#[test]
fn d30_a_full_band_drops_the_member_that_is_away_longest() {
    let mut test = TestChannel::with(Settings::band(START_MS));
    crowd(&mut test);
    assert_eq!(test.join_as(Some("early"), None).unwrap_err().code, Code::LimitReached, "all members are live");
    for no in [2, 1] {
        test.at(test.now.uptime_ms + 1);
        test.channel.apply(&Entry::Left { no, evicted: false }, test.now, &mut crate::Effects::default());
    }
    for (newcomer, gone) in [("first", "m2"), ("second", "m1")] {
        assert!(test.channel.member_named(gone).is_some());
        test.join(newcomer);
        assert!(test.channel.member_named(gone).is_none());
    }
    assert_eq!(test.join_as(Some("third"), None).unwrap_err().code, Code::LimitReached);
}
