//! Joining: the collision matrix, own sessions, returns and claims.

use std::collections::BTreeSet;

use crate::op::harness::{DAWN_MS, Rig, rules};
use crate::op::{JoinReply, Keepalive, Leave};
use crate::{Callsign, Code, Entry, Rules, Settings, TokenHash, limits, names};

const HOUR_MS: u64 = limits::TOMBSTONE_MS;

fn claimed() -> Rig {
    Rig::with(Settings { claim_callsigns: true, ..Settings::plain(TokenHash::of("t"), DAWN_MS) })
}

fn leave(rig: &mut Rig, who: &str) {
    let session = rig.session(who);
    rig.ask(Leave { session }).unwrap();
}

fn again(rig: &mut Rig, callsign: &str, session: &str) -> Result<JoinReply, Code> {
    rig.join_as(Some(callsign), Some(session)).map_err(|r| r.code)
}

fn expire(rig: &mut Rig) {
    rig.at(rig.now.uptime_ms + limits::SESSION_TTL_MS);
    assert_eq!(rig.channel.live_members(), 0);
}

#[test]
fn d16_the_reply_has_the_normalised_callsign() {
    assert_eq!(Rig::new().join(" Bob_1 ").callsign.as_str(), "bob_1");
}

#[test]
fn d16_without_a_wish_the_hub_picks_a_free_callsign() {
    let mut rig = Rig::new();
    for dice in 2..6 {
        rig.join(names::callsign(dice).as_str());
    }
    let names: BTreeSet<_> = (0..50).map(|_| rig.join_as(None, None).unwrap().callsign).collect();
    assert_eq!((names.len(), rig.channel.live_members()), (50, 54));
}

#[test]
fn d16_without_a_wish_who_is_here_stays_who_it_is() {
    let mut rig = Rig::new();
    let session = rig.join("ann").session_id;
    let reply = rig.join_as(None, Some(&session)).unwrap();
    assert_eq!((reply.callsign.as_str(), reply.idempotent), ("ann", true));
}

#[test]
fn a_free_callsign_goes_to_who_asks() {
    let mut rig = Rig::new();
    let minted = rig.join("ann");
    assert_eq!((minted.idempotent, minted.session_id.len(), minted.idx), (false, 43, 1));
    let own = again(&mut rig, "bob", "my-own-session").unwrap();
    assert_eq!((own.idempotent, own.session_id.as_str(), own.idx), (false, "my-own-session", 2));
    assert_eq!(own.roster, ["ann", "bob"]);
    let short = rig.join_as(Some("cat"), Some("short")).unwrap();
    assert_eq!(short.session_id.len(), 43, "a short session id counts as absent");
}

#[test]
fn d18_a_held_callsign_without_a_session_gives_the_holders_and_a_warning() {
    let mut rig = Rig::new();
    let first = rig.join("ann");
    let second = rig.join("ann");
    assert_eq!((second.idempotent, &second.session_id), (true, &first.session_id));
    assert!(first.collision_warning.is_none() && second.collision_warning.is_some());
    let same = again(&mut rig, "ann", &first.session_id).unwrap();
    assert!(same.idempotent && same.collision_warning.is_none());
}

#[test]
fn d18_an_own_session_is_never_shown() {
    let mut rig = Rig::new();
    again(&mut rig, "ann", "my-own-session").unwrap();
    let refusal = rig.join_as(Some("ann"), None).unwrap_err();
    assert_eq!(refusal.code, Code::CallsignTaken);
    assert!(!format!("{refusal:?}").contains("my-own-session"));
    assert!(again(&mut rig, "ann", "my-own-session").unwrap().idempotent);
    expire(&mut rig);
    assert_ne!(rig.join("ann").session_id, "my-own-session", "not even when it has expired");
}

#[test]
fn d18_a_held_callsign_is_taken_for_another_session() {
    let mut rig = Rig::new();
    rig.join("ann");
    assert_eq!(again(&mut rig, "ann", "my-own-session").unwrap_err(), Code::CallsignTaken);
    again(&mut rig, "bob", "my-own-session").unwrap();
    assert_eq!(again(&mut rig, "ann", "my-own-session").unwrap_err(), Code::CallsignTaken);
}

#[test]
fn d18_a_claimed_callsign_and_one_on_a_band_are_409_with_a_free_name() {
    for settings in [claimed().channel.settings().clone(), Settings::band(DAWN_MS)] {
        let mut rig = Rig::with(settings);
        let first = rig.join("ann").session_id;
        let refusal = rig.join_as(Some("ann"), None).unwrap_err();
        assert_eq!(refusal.code, Code::CallsignTaken);
        let hint = refusal.hint.unwrap().text().unwrap().to_owned();
        let free = hint.split('`').nth(1).unwrap();
        assert!(!rig.join(free).idempotent);
        assert!(again(&mut rig, "ann", &first).unwrap().idempotent);
    }
}

#[test]
fn a_session_that_joins_as_another_is_renamed() {
    let mut rig = Rig::new();
    rig.join("cat");
    again(&mut rig, "ann", "my-own-session").unwrap();
    rig.send("cat", "ann", "for ann");
    let renamed = again(&mut rig, "bob", "my-own-session").unwrap();
    assert_eq!((renamed.session_id.as_str(), renamed.idx), ("my-own-session", 3));
    assert_eq!(renamed.roster, ["bob", "cat"]);
    assert!(rig.listen("bob").is_none(), "the mail stays with the callsign");
    let back = again(&mut rig, "ann", "my-own-session").unwrap();
    assert_eq!((back.idx, back.idempotent), (2, false));
    assert_eq!(rig.listen("ann").unwrap().texts, ["for ann"]);
}

#[test]
fn a_minted_session_can_be_renamed_too_and_the_old_name_gets_a_new_one() {
    let mut rig = Rig::new();
    let session = rig.join("ann").session_id;
    assert_eq!(again(&mut rig, "bob", &session).unwrap().session_id, session);
    let other = rig.join("ann");
    assert_ne!(other.session_id, session);
    assert_eq!(rig.channel.live_members(), 2);
}

#[test]
fn d17_an_expired_session_comes_back_the_same() {
    let mut rig = Rig::new();
    let first = rig.join("ann").session_id;
    expire(&mut rig);
    let id = crate::SessionId::present(Some(&first)).unwrap().unwrap();
    assert_eq!(rig.ask(Keepalive { session: id.clone() }).unwrap_err().code, Code::SessionExpired);
    let second = rig.join("ann");
    assert_eq!((second.session_id, second.idempotent, second.idx), (first, false, 1));
    assert!(rig.ask(Keepalive { session: id }).unwrap().ok);
}

#[test]
fn d17_a_session_that_left_does_not_come_back() {
    let mut rig = Rig::new();
    let first = rig.join("ann").session_id;
    leave(&mut rig, "ann");
    let second = rig.join("ann").session_id;
    assert_ne!(first, second);
    leave(&mut rig, "ann");
    assert_eq!(again(&mut rig, "ann", &first).unwrap().session_id, first, "unless it is brought");
}

#[test]
fn d17_a_claimed_callsign_comes_back_only_to_who_proves_it() {
    let mut rig = claimed();
    let first = rig.join("ann").session_id;
    expire(&mut rig);
    let expired_at = rig.now.uptime_ms;
    assert_eq!(rig.join_as(Some("ann"), None).unwrap_err().code, Code::CallsignTaken);
    assert_eq!(again(&mut rig, "ann", "somebody-else").unwrap_err(), Code::CallsignTaken);
    assert_eq!(again(&mut rig, "ann", &first).unwrap().session_id, first);
    expire(&mut rig);
    assert!(rig.now.uptime_ms > expired_at);
    let since = rig.now.uptime_ms;
    rig.at(since + HOUR_MS - 1);
    assert_eq!(rig.join_as(Some("ann"), None).unwrap_err().code, Code::CallsignTaken);
    rig.at(since + HOUR_MS);
    assert_ne!(rig.join("ann").session_id, first);
}

#[test]
fn d17_after_the_hour_a_claimed_callsign_comes_with_an_empty_mailbox() {
    let mut rig = claimed();
    rig.join("ann");
    rig.join("bob");
    rig.send("bob", "ann", "secret");
    expire(&mut rig);
    rig.at(rig.now.uptime_ms + HOUR_MS);
    let heir = rig.join("ann");
    assert_eq!((heir.idx, heir.unread, rig.channel.handed.held_lost), (3, 0, 1));
    assert!(rig.listen("ann").is_none());
}

#[test]
fn d06_leaving_a_claimed_callsign_keeps_its_mail_for_its_owner() {
    let mut rig = claimed();
    let first = rig.join("ann").session_id;
    rig.join("bob");
    rig.send("bob", "ann", "secret");
    leave(&mut rig, "ann");
    assert_eq!(rig.join_as(Some("ann"), None).unwrap_err().code, Code::CallsignTaken);
    let back = again(&mut rig, "ann", &first).unwrap();
    assert_eq!((back.idx, back.unread, rig.channel.handed.held_lost), (1, 1, 0));
}

#[test]
fn d17_a_session_that_is_brought_back_needs_no_callsign() {
    let mut rig = Rig::new();
    let first = rig.join("ann").session_id;
    expire(&mut rig);
    let back = rig.join_as(None, Some(&first)).unwrap();
    assert_eq!((back.callsign.as_str(), back.session_id), ("ann", first));
}

#[test]
fn d21_private_dms_are_shown_to_their_two_ends() {
    let mut rig = Rig::with(Settings::band(DAWN_MS));
    rig.join("ann");
    rig.join("bob");
    rig.send("ann", "all", "hello");
    rig.send("ann", "bob", "secret");
    assert_eq!(rig.join("cat").history.len(), 1);
    let session = rig.session("bob");
    assert_eq!(again(&mut rig, "bob", session.text().unwrap()).unwrap().history.len(), 2);
    let mut open = Rig::new();
    open.join("ann");
    open.send("ann", "all", "hello");
    open.send("ann", "ann", "note");
    assert_eq!(open.join("cat").history.len(), 2, "on a token channel everybody sees everything");
}

#[test]
fn a_joiner_is_shown_the_last_20_messages() {
    let mut rig = Rig::new();
    rig.join("ann");
    rig.send_many("ann", "all", 30);
    let reply = rig.join("bob");
    assert_eq!((reply.history.len(), reply.unread), (20, 30));
    assert!(reply.history[19].get().contains("\"x30\""));
}

#[test]
fn d20_numbers_are_not_reused() {
    let mut rig = Rig::new();
    rig.join("ann");
    rig.join("bob");
    leave(&mut rig, "ann");
    assert_eq!((rig.join("cat").idx, rig.join("ann").idx), (3, 1));
    rig.at(limits::SESSION_TTL_MS);
    rig.at(limits::SESSION_TTL_MS + limits::MEMBER_TTL_MS);
    assert_eq!(rig.join("ann").idx, 4, "it was forgotten");
}

/// As many members as there may be, `m1` first, all here.
fn crowd(rig: &mut Rig) {
    for no in 1..=u32::try_from(limits::MEMBERS).unwrap() {
        let callsign = Callsign::parse(&format!("m{no}")).unwrap();
        let entry =
            Entry::Joined { no, callsign, generation: 1, own_session: None, identity: None, cursor: 0, at_ms: DAWN_MS };
        rig.channel.apply(&entry, rig.now, &mut crate::Effects::default());
    }
}

#[test]
fn d30_a_channel_has_10_000_members() {
    let mut rig = Rig::new();
    crowd(&mut rig);
    assert_eq!(rig.join_as(Some("late"), None).unwrap_err().code, Code::LimitReached);
    assert_eq!(rig.join_as(None, None).unwrap_err().code, Code::LimitReached);
    assert!(rig.join("m1").idempotent);
}

#[test]
fn d30_a_member_is_forgotten_after_its_ttl_with_its_held_dms() {
    let settings = Settings { member_ttl_ms: 10 * HOUR_MS, ..Settings::plain(TokenHash::of("t"), DAWN_MS) };
    let mut rig = Rig::with(settings);
    rig.join("ann");
    rig.join("bob");
    leave(&mut rig, "bob");
    rig.send("ann", "bob", "unread");
    rig.at(10 * HOUR_MS - 1);
    assert_eq!(rig.channel.held().0, 1);
    rig.at(10 * HOUR_MS);
    assert_eq!((rig.channel.held(), rig.channel.handed.held_lost), ((0, 0), 1));
    let heir = rig.join("bob");
    assert_eq!((heir.idx, heir.unread), (3, 0));
}

#[test]
fn d30_tombstones_last_an_hour() {
    let mut rig = Rig::new();
    rig.join("ann");
    leave(&mut rig, "ann");
    let session = rig.session("ann");
    rig.at(HOUR_MS - 1);
    assert_eq!(rig.ask(Keepalive { session: session.clone() }).unwrap_err().code, Code::SessionExpired);
    rig.at(HOUR_MS);
    assert_eq!(rig.ask(Keepalive { session: session.clone() }).unwrap_err().code, Code::NotJoined);
    assert!(rig.ask(Leave { session }).unwrap().ok, "leaving is never an error");
}

#[test]
fn d30_an_idle_channel_retires_unless_it_holds_a_dm() {
    let rules = Rules { idle_ms: Some(HOUR_MS), ..rules() };
    let mut rig = Rig::opened(Settings::plain(TokenHash::of("t"), DAWN_MS), rules, 0, None);
    rig.join("ann");
    rig.join("bob");
    leave(&mut rig, "bob");
    rig.at(60_000);
    leave(&mut rig, "ann");
    rig.at(HOUR_MS + 59_999);
    assert!(!rig.retired);
    rig.at(HOUR_MS + 60_000);
    assert!(rig.retired);
    rig.join("ann");
    rig.send("ann", "bob", "held");
    leave(&mut rig, "ann");
    rig.retired = false;
    rig.at(10 * HOUR_MS);
    assert!(!rig.retired);
}

#[test]
fn d30_a_full_band_forgets_who_has_been_away_for_longest() {
    let mut rig = Rig::with(Settings::band(DAWN_MS));
    crowd(&mut rig);
    assert_eq!(rig.join_as(Some("early"), None).unwrap_err().code, Code::LimitReached, "everybody is here");
    for no in [2, 1] {
        rig.at(rig.now.uptime_ms + 1);
        rig.channel.apply(&Entry::Left { no }, rig.now, &mut crate::Effects::default());
    }
    for (newcomer, gone) in [("first", "m2"), ("second", "m1")] {
        assert!(rig.channel.member_named(gone).is_some());
        rig.join(newcomer);
        assert!(rig.channel.member_named(gone).is_none());
    }
    assert_eq!(rig.join_as(Some("third"), None).unwrap_err().code, Code::LimitReached);
}
