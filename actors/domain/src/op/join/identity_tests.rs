//! Tests of joining with the key of an identity: which member, session and held DMs it gets.

use crate::op::harness::{START_MS, TestChannel, draft};
use crate::op::{JoinReply, Keepalive, Leave, Revoke, RotateToken};
use crate::{AccountId, Code, Entry, Identity, Refusal, SessionId, Settings, TokenHash, limits};

fn key(account: u64, key_no: u64) -> Identity {
    Identity { account: AccountId::from_random(account), key_no }
}

fn prove(test: &mut TestChannel, callsign: &str, identity: Identity, session: Option<&str>) -> JoinReply {
    let mut join = test.join_request(Some(callsign), session);
    join.identity = Some(identity);
    test.joins(join).unwrap()
}

fn without_key(test: &mut TestChannel, callsign: &str, session: Option<&str>) -> Result<JoinReply, Refusal> {
    let mut join = test.join_request(Some(callsign), session);
    join.is_reserved = true;
    test.joins(join)
}

fn alive(test: &mut TestChannel, session: &str) -> Result<(), Code> {
    let session = SessionId::present(Some(session)).unwrap().unwrap();
    test.ask(Keepalive { session }).map(|_| ()).map_err(|refusal| refusal.code)
}

fn revoke(test: &mut TestChannel, identity: Identity) -> bool {
    let callsign = crate::Callsign::parse("ann").unwrap();
    test.ask(Revoke { callsign, identity }).unwrap()
}

fn claimed() -> TestChannel {
    TestChannel::with(Settings { claim_callsigns: true, ..Settings::plain(TokenHash::of("t"), START_MS) })
}

#[test]
fn a05_messages_of_an_identity_are_verified() {
    let mut test = TestChannel::new();
    test.join("bob");
    prove(&mut test, "ann", key(1, 1), None);
    let last_message = |test: &mut TestChannel| {
        let waiter = test.poll("bob", Default::default()).unwrap();
        let json = String::from_utf8(waiter.messages[0].message.json().to_vec()).unwrap();
        test.take(waiter);
        json
    };
    test.send("ann", "bob", "it is me");
    assert!(last_message(&mut test).ends_with(r#""text":"it is me","at":1800000000000,"verified":"identity"}"#));
    test.join("cat");
    test.send("cat", "bob", r#"","verified":"identity"#);
    let forged: serde_json::Value = serde_json::from_str(&last_message(&mut test)).unwrap();
    assert_eq!(forged.get("verified"), None, "{forged}");
    let session = test.session("ann");
    let mut renamed = test.join_request(Some("dan"), None);
    renamed.presented_session = Some(session);
    test.joins(renamed).unwrap();
    test.send("dan", "bob", "and now?");
    assert!(!last_message(&mut test).contains("verified"), "another callsign is not the identity's");
}

#[test]
fn d17_a_key_resumes_a_claimed_callsign() {
    let mut test = claimed();
    let first = prove(&mut test, "ann", key(1, 1), None);
    let again = prove(&mut test, "ann", key(1, 1), None);
    assert!(again.idempotent && again.session_id == first.session_id && again.collision_warning.is_none());
    test.at(limits::SESSION_TTL_MS);
    test.join("bob");
    test.send("bob", "ann", "while you were away");
    let back = prove(&mut test, "ann", key(1, 1), None);
    assert_eq!((&back.session_id, back.idx, back.unread), (&first.session_id, first.idx, 1));
}

#[test]
fn d18_the_callsign_of_an_identity_requires_its_key() {
    for mut test in [TestChannel::new(), claimed(), TestChannel::with(Settings::band(START_MS))] {
        let refusal = without_key(&mut test, "ann", None).unwrap_err();
        assert_eq!(refusal.code, Code::CallsignTaken);
        assert!(refusal.hint.unwrap().text().unwrap().contains("identity_key"));
        let session = prove(&mut test, "ann", key(1, 1), None).session_id;
        for presented_session in [None, Some(session.as_str())] {
            assert_eq!(without_key(&mut test, "ann", presented_session).unwrap_err().code, Code::CallsignTaken);
            let unknown = test.join_as(Some("ann"), presented_session).unwrap_err();
            assert_eq!(unknown.code, Code::CallsignTaken, "while its session is live");
        }
        assert_eq!(test.join_as(None, Some(&session)).unwrap_err().code, Code::CallsignTaken);
        let gone = test.session("ann");
        test.ask(Leave { session: gone }).unwrap();
        assert_eq!(test.join_as(None, Some(&session)).unwrap_err().code, Code::CallsignTaken);
    }
}

#[test]
fn only_identities_can_join_if_they_are_required() {
    let mut test =
        TestChannel::with(Settings { require_identity: true, ..Settings::plain(TokenHash::of("t"), START_MS) });
    assert_eq!(test.join_as(Some("bob"), None).unwrap_err().code, Code::Forbidden);
    assert_eq!(test.join_as(None, None).unwrap_err().code, Code::Forbidden);
    prove(&mut test, "ann", key(1, 1), None);
}

#[test]
fn an_identity_evicts_the_previous_holder_and_inherits_nothing() {
    let mut test = TestChannel::new();
    test.join("bob");
    let squatter = test.join("ann").session_id;
    test.send("bob", "ann", "for the one who was here");
    let owner = prove(&mut test, "ann", key(1, 1), None);
    assert_eq!((owner.idempotent, owner.idx, owner.unread), (false, 3, 0));
    assert_eq!(alive(&mut test, &squatter), Err(Code::SessionExpired));
    // Conversely: the identity is deleted, and another agent joins under its callsign.
    test.send("bob", "ann", "for the owner");
    assert!(revoke(&mut test, key(1, 1)));
    let heir = test.join("ann");
    assert_eq!((heir.idx, heir.unread), (4, 0));
    let other_owner = prove(&mut test, "ann", key(2, 9), None);
    assert_eq!(other_owner.idx, 5);
}

#[test]
fn the_session_of_an_old_key_ends_and_cannot_resume() {
    let mut test = TestChannel::new();
    test.join("bob");
    let old = prove(&mut test, "ann", key(1, 1), None);
    assert!(!revoke(&mut test, key(2, 1)) && !revoke(&mut test, key(1, 2)), "sessions of other keys stay");
    let (poll, stream) = (test.park("ann", Default::default()), test.open("ann", Default::default()));
    test.events(stream);
    assert!(revoke(&mut test, key(1, 1)));
    assert_eq!(test.answered(poll).reason, crate::AnswerReason::TimedOut);
    assert_eq!(test.ended(stream).unwrap(), "bye revoked");
    assert_eq!(alive(&mut test, &old.session_id), Err(Code::SessionExpired));
    test.send("bob", "ann", "still yours");
    let new = prove(&mut test, "ann", key(1, 2), Some(&old.session_id));
    assert!(new.session_id != old.session_id, "the holder of the old key may know the old session");
    assert_eq!((new.idx, new.unread), (old.idx, 1));
    assert_eq!(alive(&mut test, &old.session_id), Err(Code::SessionExpired));
}

#[test]
fn a_join_with_a_new_key_ends_the_session_of_the_old_key() {
    let mut test = TestChannel::new();
    let old = prove(&mut test, "ann", key(1, 1), None);
    let new = prove(&mut test, "ann", key(1, 2), None);
    assert_eq!((new.idempotent, new.idx), (false, old.idx));
    assert_eq!(alive(&mut test, &old.session_id), Err(Code::SessionExpired));
    test.at(limits::SESSION_TTL_MS);
    let newest = prove(&mut test, "ann", key(1, 3), None);
    assert_ne!(newest.session_id, new.session_id);
}

#[test]
fn a_key_takes_over_from_a_session_chosen_by_its_caller() {
    let mut test = TestChannel::new();
    prove(&mut test, "ann", key(1, 1), Some("my-own-session"));
    assert!(prove(&mut test, "ann", key(1, 1), Some("my-own-session")).idempotent);
    let minted = prove(&mut test, "ann", key(1, 1), None);
    assert_ne!(minted.session_id, "my-own-session", "it is returned only to the caller that presents it");
    assert_eq!(alive(&mut test, "my-own-session"), Err(Code::SessionExpired));
    assert_eq!(prove(&mut test, "ann", key(1, 1), Some("another-of-mine")).session_id, "another-of-mine");
    assert_eq!(alive(&mut test, &minted.session_id), Err(Code::SessionExpired));
}

#[test]
fn a_revocation_applies_after_the_channel_is_recovered() {
    let mut test = TestChannel::new();
    let ann = prove(&mut test, "ann", key(1, 1), None);
    test.join("bob");
    let snapshot = serde_json::to_string(&test.channel.snapshot(None, test.now)).unwrap();
    let mut asleep = TestChannel::new();
    asleep.channel.restore(serde_json::from_str(&snapshot).unwrap(), &[], 1, asleep.now).unwrap();
    assert_eq!(asleep.channel.live_identities().count(), 1);
    let (callsign, identity) = asleep.channel.live_identities().map(|(c, i)| (c.clone(), i.clone())).next().unwrap();
    assert!(asleep.ask(Revoke { callsign, identity }).unwrap());
    assert_eq!(alive(&mut asleep, &ann.session_id), Err(Code::SessionExpired));
    assert_eq!(asleep.channel.live_members(), 1);
}

#[test]
fn entries_from_before_identities_existed_are_read() {
    let before = r#"{"op":"joined","no":1,"callsign":"ann","generation":7,"cursor":0,"at_ms":5}"#;
    let entry: Entry = serde_json::from_str(before).unwrap();
    assert!(matches!(entry, Entry::Joined { identity: None, .. }));
    assert_eq!(serde_json::to_string(&entry).unwrap(), before, "absent fields are not written");
}

#[test]
fn rotating_the_token_keeps_sessions() {
    let mut test = TestChannel::new();
    let ann = test.join("ann").session_id;
    test.ask(RotateToken { token: TokenHash::of("new") }).unwrap();
    assert!(test.channel.settings().admits(Some("new")) && !test.channel.settings().admits(Some("t")));
    assert_eq!(alive(&mut test, &ann), Ok(()));
    test.try_send("ann", draft("all", "hi")).unwrap();
    let mut band = TestChannel::with(Settings::band(START_MS));
    assert_eq!(band.ask(RotateToken { token: TokenHash::of("new") }).unwrap_err().code, Code::Forbidden);
}
