//! Joining with the key of an identity: who gets the place, whose session goes on, and whose mailbox it is.

use crate::op::harness::{DAWN_MS, Rig, draft};
use crate::op::{JoinReply, Keepalive, Leave, Revoke, RotateToken};
use crate::{AccountId, Code, Entry, Identity, Refusal, SessionId, Settings, TokenHash, limits};

fn key(account: u64, key_no: u64) -> Identity {
    Identity { account: AccountId::from_random(account), key_no }
}

fn prove(rig: &mut Rig, callsign: &str, identity: Identity, session: Option<&str>) -> JoinReply {
    let mut join = rig.wish(Some(callsign), session);
    join.identity = Some(identity);
    rig.joins(join).unwrap()
}

fn without_key(rig: &mut Rig, callsign: &str, session: Option<&str>) -> Result<JoinReply, Refusal> {
    let mut join = rig.wish(Some(callsign), session);
    join.is_reserved = true;
    rig.joins(join)
}

fn alive(rig: &mut Rig, session: &str) -> Result<(), Code> {
    let session = SessionId::present(Some(session)).unwrap().unwrap();
    rig.ask(Keepalive { session }).map(|_| ()).map_err(|refusal| refusal.code)
}

fn revoke(rig: &mut Rig, identity: Identity) -> bool {
    let callsign = crate::Callsign::parse("ann").unwrap();
    rig.ask(Revoke { callsign, identity }).unwrap()
}

fn claimed() -> Rig {
    Rig::with(Settings { claim_callsigns: true, ..Settings::plain(TokenHash::of("t"), DAWN_MS) })
}

#[test]
fn a05_what_an_identity_says_is_verified() {
    let mut rig = Rig::new();
    rig.join("bob");
    prove(&mut rig, "ann", key(1, 1), None);
    let told = |rig: &mut Rig| {
        let place = rig.poll("bob", Default::default()).unwrap();
        let json = String::from_utf8(place.messages[0].message.json().to_vec()).unwrap();
        rig.take(place);
        json
    };
    rig.send("ann", "bob", "it is me");
    assert!(told(&mut rig).ends_with(r#""text":"it is me","at":1800000000000,"verified":"identity"}"#));
    rig.join("cat");
    rig.send("cat", "bob", r#"","verified":"identity"#);
    let forged: serde_json::Value = serde_json::from_str(&told(&mut rig)).unwrap();
    assert_eq!(forged.get("verified"), None, "{forged}");
    let session = rig.session("ann");
    let mut renamed = rig.wish(Some("dan"), None);
    renamed.presented = Some(session);
    rig.joins(renamed).unwrap();
    rig.send("dan", "bob", "and now?");
    assert!(!told(&mut rig).contains("verified"), "another callsign is not the identity's");
}

#[test]
fn d17_a_key_brings_a_held_callsign_back_where_callsigns_are_claimed() {
    let mut rig = claimed();
    let first = prove(&mut rig, "ann", key(1, 1), None);
    let again = prove(&mut rig, "ann", key(1, 1), None);
    assert!(again.idempotent && again.session_id == first.session_id && again.collision_warning.is_none());
    rig.at(limits::SESSION_TTL_MS);
    rig.join("bob");
    rig.send("bob", "ann", "while you were away");
    let back = prove(&mut rig, "ann", key(1, 1), None);
    assert_eq!((&back.session_id, back.idx, back.unread), (&first.session_id, first.idx, 1));
}

#[test]
fn d18_an_identitys_callsign_wants_its_key() {
    for mut rig in [Rig::new(), claimed(), Rig::with(Settings::band(DAWN_MS))] {
        let refusal = without_key(&mut rig, "ann", None).unwrap_err();
        assert_eq!(refusal.code, Code::CallsignTaken);
        assert!(refusal.hint.unwrap().text().unwrap().contains("identity_key"));
        let session = prove(&mut rig, "ann", key(1, 1), None).session_id;
        for presented in [None, Some(session.as_str())] {
            assert_eq!(without_key(&mut rig, "ann", presented).unwrap_err().code, Code::CallsignTaken);
            let unknown = rig.join_as(Some("ann"), presented).unwrap_err();
            assert_eq!(unknown.code, Code::CallsignTaken, "while its session lives, whatever the hub knows");
        }
        assert_eq!(rig.join_as(None, Some(&session)).unwrap_err().code, Code::CallsignTaken);
        let gone = rig.session("ann");
        rig.ask(Leave { session: gone }).unwrap();
        assert_eq!(rig.join_as(None, Some(&session)).unwrap_err().code, Code::CallsignTaken);
    }
}

#[test]
fn only_identities_join_where_they_are_required() {
    let mut rig = Rig::with(Settings { require_identity: true, ..Settings::plain(TokenHash::of("t"), DAWN_MS) });
    assert_eq!(rig.join_as(Some("bob"), None).unwrap_err().code, Code::Forbidden);
    assert_eq!(rig.join_as(None, None).unwrap_err().code, Code::Forbidden);
    prove(&mut rig, "ann", key(1, 1), None);
}

#[test]
fn who_held_the_callsign_before_goes_and_leaves_nothing_behind() {
    let mut rig = Rig::new();
    rig.join("bob");
    let squatter = rig.join("ann").session_id;
    rig.send("bob", "ann", "for the one who was here");
    let owner = prove(&mut rig, "ann", key(1, 1), None);
    assert_eq!((owner.idempotent, owner.idx, owner.unread), (false, 3, 0));
    assert_eq!(alive(&mut rig, &squatter), Err(Code::SessionExpired));
    // And the other way round: the identity is gone, and somebody else takes the name.
    rig.send("bob", "ann", "for the owner");
    assert!(revoke(&mut rig, key(1, 1)));
    let heir = rig.join("ann");
    assert_eq!((heir.idx, heir.unread), (4, 0));
    let other_owner = prove(&mut rig, "ann", key(2, 9), None);
    assert_eq!(other_owner.idx, 5);
}

#[test]
fn the_session_of_an_old_key_ends_and_does_not_come_back() {
    let mut rig = Rig::new();
    rig.join("bob");
    let old = prove(&mut rig, "ann", key(1, 1), None);
    assert!(!revoke(&mut rig, key(2, 1)) && !revoke(&mut rig, key(1, 2)), "another key is none of its business");
    let (poll, stream) = (rig.park("ann", Default::default()), rig.open("ann", Default::default()));
    rig.events(stream);
    assert!(revoke(&mut rig, key(1, 1)));
    assert_eq!(rig.answered(poll).reason, crate::AnswerReason::TimedOut);
    assert_eq!(rig.ended(stream).unwrap(), "bye revoked");
    assert_eq!(alive(&mut rig, &old.session_id), Err(Code::SessionExpired));
    rig.send("bob", "ann", "still yours");
    let new = prove(&mut rig, "ann", key(1, 2), Some(&old.session_id));
    assert!(new.session_id != old.session_id, "who had the old key may know the old session");
    assert_eq!((new.idx, new.unread), (old.idx, 1));
    assert_eq!(alive(&mut rig, &old.session_id), Err(Code::SessionExpired));
}

#[test]
fn a_newer_key_ends_the_older_ones_session_even_if_nobody_revoked_it() {
    let mut rig = Rig::new();
    let old = prove(&mut rig, "ann", key(1, 1), None);
    let new = prove(&mut rig, "ann", key(1, 2), None);
    assert_eq!((new.idempotent, new.idx), (false, old.idx));
    assert_eq!(alive(&mut rig, &old.session_id), Err(Code::SessionExpired));
    rig.at(limits::SESSION_TTL_MS);
    let newest = prove(&mut rig, "ann", key(1, 3), None);
    assert_ne!(newest.session_id, new.session_id);
}

#[test]
fn a_key_takes_over_from_a_session_somebody_brought() {
    let mut rig = Rig::new();
    prove(&mut rig, "ann", key(1, 1), Some("my-own-session"));
    assert!(prove(&mut rig, "ann", key(1, 1), Some("my-own-session")).idempotent);
    let minted = prove(&mut rig, "ann", key(1, 1), None);
    assert_ne!(minted.session_id, "my-own-session", "it is shown to who brings it only");
    assert_eq!(alive(&mut rig, "my-own-session"), Err(Code::SessionExpired));
    assert_eq!(prove(&mut rig, "ann", key(1, 1), Some("another-of-mine")).session_id, "another-of-mine");
    assert_eq!(alive(&mut rig, &minted.session_id), Err(Code::SessionExpired));
}

#[test]
fn a_channel_that_was_asleep_learns_it_when_it_comes_back() {
    let mut rig = Rig::new();
    let ann = prove(&mut rig, "ann", key(1, 1), None);
    rig.join("bob");
    let snapshot = serde_json::to_string(&rig.channel.snapshot(None, rig.now)).unwrap();
    let mut asleep = Rig::new();
    asleep.channel.restore(serde_json::from_str(&snapshot).unwrap(), &[], 1, asleep.now).unwrap();
    assert_eq!(asleep.channel.proved().count(), 1);
    let (callsign, identity) = asleep.channel.proved().map(|(c, i)| (c.clone(), i.clone())).next().unwrap();
    assert!(asleep.ask(Revoke { callsign, identity }).unwrap());
    assert_eq!(alive(&mut asleep, &ann.session_id), Err(Code::SessionExpired));
    assert_eq!(asleep.channel.live_members(), 1);
}

#[test]
fn entries_written_before_there_were_identities_are_read() {
    let before = r#"{"op":"joined","no":1,"callsign":"ann","generation":7,"cursor":0,"at_ms":5}"#;
    let entry: Entry = serde_json::from_str(before).unwrap();
    assert!(matches!(entry, Entry::Joined { identity: None, .. }));
    assert_eq!(serde_json::to_string(&entry).unwrap(), before, "and nothing is written that says nothing");
}

#[test]
fn a_new_token_leaves_sessions_alone() {
    let mut rig = Rig::new();
    let ann = rig.join("ann").session_id;
    rig.ask(RotateToken { token: TokenHash::of("new") }).unwrap();
    assert!(rig.channel.settings().admits(Some("new")) && !rig.channel.settings().admits(Some("t")));
    assert_eq!(alive(&mut rig, &ann), Ok(()));
    rig.try_send("ann", draft("all", "hi")).unwrap();
    let mut band = Rig::with(Settings::band(DAWN_MS));
    assert_eq!(band.ask(RotateToken { token: TokenHash::of("new") }).unwrap_err().code, Code::Forbidden);
}
