//! D16 to D22: callsigns, sessions, visibility and owner passwords.

use rogerrat_testkit::{Hub, texts, wait_until};
use serde_json::json;

#[test]
fn d16_the_hub_picks_a_free_callsign() {
    let hub = Hub::start();
    let channel = hub.channel();
    let mut names: Vec<_> =
        (0..20).map(|_| channel.try_join(&json!({})).ok()["callsign"].as_str().unwrap().to_owned()).collect();
    names.sort_unstable();
    assert_eq!(channel.roster(), names, "all different, and all online");
    for blank in ["", "  ", "\t"] {
        channel.try_join(&json!({"callsign": blank})).refused(400, "invalid");
    }
    for bad in ["all", "ALL", "-a", "_a", "a b", "ä", "a/b", "a\nb", &"a".repeat(33)] {
        channel.try_join(&json!({"callsign": bad})).refused(400, "invalid");
    }
}

#[test]
fn d16_the_reply_has_the_normalized_callsign() {
    let hub = Hub::start();
    let channel = hub.channel();
    let joined = channel.try_join(&json!({"callsign": " Bob_1 "})).ok();
    assert_eq!((&joined["callsign"], &joined["roster"]), (&json!("bob_1"), &json!(["bob_1"])));
}

#[test]
fn d16_the_peer_invite_is_one_line_with_everything_needed() {
    let hub = Hub::start();
    let created = hub.post("/api/channels").send().ok();
    let again = hub.post("/api/channels").send().ok();
    let field = |name: &str| created[name].as_str().unwrap().to_owned();
    let invite = field("peer_invite");
    assert!(!invite.contains('\n') && invite.contains(&hub.origin()), "{invite}");
    assert!(invite.contains(&field("channel_id")) && invite.contains(&field("join_token")), "{invite}");
    let named = invite.split("callsign `").nth(1).and_then(|rest| rest.split('`').next()).unwrap();
    assert!(!again["peer_invite"].as_str().unwrap().contains(named), "every invite has another callsign");
    let channel = rogerrat_testkit::Channel::new(*hub, &field("channel_id"), &field("join_token"));
    assert_eq!(channel.join(named).callsign, named);
}

#[test]
fn d17_an_expired_session_can_be_resumed() {
    let hub = Hub::start();
    let channel = hub.channel_with(&json!({"session_ttl_seconds": 2}));
    let bob = channel.join("bob");
    wait_until("bob expires", || channel.roster().is_empty());
    for reply in
        [bob.get("listen?timeout=1"), bob.try_send(&json!({"message": "x"})), bob.post("keepalive", &json!({}))]
    {
        reply.refused(410, "session_expired");
    }
    assert_eq!(bob.get("stream").status, 410);
    assert_eq!(bob.rejoin().session, bob.session, "same callsign, same token, same session");
    bob.request("POST", "keepalive").send().ok();
}

#[test]
fn d17_messages_sent_while_expired_are_delivered() {
    let hub = Hub::start();
    let channel = hub.channel_with(&json!({"session_ttl_seconds": 2}));
    let bob = channel.join("bob");
    wait_until("bob expires", || channel.roster().is_empty());
    let ann = channel.join("ann");
    assert_eq!(ann.try_send(&json!({"to": "bob", "message": "for later"})).ok()["queued"], true);
    assert_eq!(bob.rejoin().listen(), ["for later"]);
}

#[test]
fn d17_a_session_that_left_cannot_be_resumed() {
    let hub = Hub::start();
    let channel = hub.channel();
    let bob = channel.join("bob");
    bob.leave();
    bob.get("listen?timeout=1").refused(410, "session_expired");
    let again = bob.rejoin();
    assert_ne!(again.session, bob.session);
    bob.get("listen?timeout=1").refused(410, "session_expired");
    bob.leave();
    assert_eq!(channel.roster(), ["bob"], "leaving again does not affect another session");
    channel.request("POST", "keepalive").session("never-was-here").send().refused(400, "not_joined");
}

#[test]
fn d17_a_claimed_callsign_needs_its_session() {
    let hub = Hub::start();
    let channel = hub.channel_with(&json!({"session_ttl_seconds": 0.2, "claim_callsigns": true}));
    let bob = channel.join("bob");
    wait_until("bob expires", || channel.roster().is_empty());
    channel.try_join(&json!({"callsign": "bob"})).refused(409, "callsign_taken");
    channel.try_join_as("bob", "not-the-one-of-bob").refused(409, "callsign_taken");
    assert_eq!(channel.join_as("bob", &bob.session).session, bob.session);
}

#[test]
fn d18_a_repeated_join_returns_the_session_with_a_warning() {
    let hub = Hub::start();
    let channel = hub.channel();
    let bob = channel.join("bob");
    assert_eq!((&bob.joined["idempotent"], bob.joined.get("collision_warning")), (&json!(false), None));
    let again = bob.rejoin();
    assert_eq!((again.session == bob.session, &again.joined["idempotent"]), (true, &json!(true)));
    assert!(again.joined["collision_warning"].as_str().is_some_and(|warning| warning.contains("bob")));
    let known = channel.join_as("bob", &bob.session);
    assert_eq!((&known.joined["idempotent"], known.joined.get("collision_warning")), (&json!(true), None));
}

#[test]
fn d18_a_client_chosen_session_is_never_returned() {
    let hub = Hub::start();
    let channel = hub.channel();
    let bob = channel.join_as("bob", "bobs-own-secret");
    assert_eq!(bob.session, "bobs-own-secret");
    for reply in [channel.try_join(&json!({"callsign": "bob"})), channel.try_join_as("bob", "guessed-it-wrong")] {
        let refusal = reply.refused(409, "callsign_taken");
        assert!(!refusal.to_string().contains("bobs-own-secret"));
        assert!(refusal["hint"].is_string());
    }
    assert_eq!(channel.join_as("bob", "bobs-own-secret").joined["idempotent"], true);
}

#[test]
fn d18_a_join_with_a_claimed_callsign_is_refused_with_a_free_name() {
    let hub = Hub::start();
    for channel in [hub.channel_with(&json!({"claim_callsigns": true})), hub.band("random")] {
        let bob = channel.join("bob");
        let refusal = channel.try_join(&json!({"callsign": "bob"})).refused(409, "callsign_taken");
        let free = refusal["hint"].as_str().unwrap().split('`').nth(1).unwrap().to_owned();
        assert_eq!(channel.join(&free).callsign, free, "the name in the hint is free");
        assert_eq!(channel.join_as("bob", &bob.session).joined["idempotent"], true);
    }
}

#[test]
fn d19_inspection_refreshes_the_session() {
    let hub = Hub::start();
    let channel = hub.channel_with(&json!({"session_ttl_seconds": 2}));
    let agents = ["roster", "history", "stats"].map(|what| (what, channel.join(what)));
    let carl = channel.join("carl");
    wait_until("carl, who joined last and is inactive, expires", || {
        for (what, agent) in &agents {
            assert_eq!(agent.get(what).status, 200);
        }
        !channel.roster().contains(&carl.callsign)
    });
    assert_eq!(channel.roster(), ["history", "roster", "stats"]);
}

#[test]
fn d19_inspection_without_a_session_refreshes_none() {
    let hub = Hub::start();
    let channel = hub.channel_with(&json!({"session_ttl_seconds": 0.2}));
    channel.join("bob");
    wait_until("bob expires although others inspect the channel", || {
        channel.get("history").ok();
        channel.get("stats").ok();
        channel.roster().is_empty()
    });
}

#[test]
fn d21_dms_are_visible_to_the_channel_unless_private() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, _) = (channel.join("ann"), channel.join("bob"));
    ann.send("bob", "psst");
    assert_eq!(channel.history(), ["psst"]);
    assert_eq!(texts(&channel.join("carl").joined["history"]), ["psst"]);
}

#[test]
fn d21_private_dms_are_visible_to_sender_and_recipient_only() {
    let hub = Hub::start();
    let created = hub.post("/api/channels").json(&json!({"dm_visibility": "private"})).send().ok();
    assert_eq!((&created["dm_visibility"], &created["claim_callsigns"]), (&json!("private"), &json!(true)));
    let refused = hub.post("/api/channels").json(&json!({"dm_visibility": "private", "claim_callsigns": false})).send();
    refused.refused(400, "invalid");
    for channel in [hub.channel_with(&json!({"dm_visibility": "private"})), hub.band("help")] {
        let (ann, bob) = (channel.join("ann"), channel.join("bob"));
        ann.say("open");
        ann.send("bob", "psst");
        let carl = channel.join("carl");
        let seen = |agent: &rogerrat_testkit::Agent| texts(&agent.get("history").ok()["history"]);
        assert_eq!((channel.history(), seen(&carl)), (vec!["open".to_owned()], vec!["open".to_owned()]));
        assert_eq!(texts(&carl.joined["history"]), ["open"]);
        assert_eq!((seen(&ann), seen(&bob)), (vec!["open".into(), "psst".into()], vec!["open".into(), "psst".into()]));
        assert_eq!(texts(&channel.join_as("bob", &bob.session).joined["history"]), ["open", "psst"]);
        assert_eq!((bob.listen(), carl.listen()), (vec!["open".into(), "psst".into()], vec!["open".into()]));
    }
}

#[test]
fn d22_five_wrong_passwords_per_minute() {
    let hub = Hub::start();
    let settings = json!({"trust_mode": "trusted", "owner_password": "open sesame"});
    let channel = hub.channel_with(&settings);
    let join = |name: &str, password: &str| channel.try_join(&json!({"callsign": name, "owner_password": password}));
    let right = join("ann", "open sesame").ok();
    assert_eq!((&right["human_authorized"], &right["trust_posture"]), (&json!(true), &json!("trusted-authorized")));
    for n in 0..5 {
        join("bob", &format!("wrong {n}")).refused(401, "unauthorized");
    }
    for password in ["wrong 6", "open sesame"] {
        let reply = join("bob", password);
        let refusal = reply.refused(429, "rate_limited");
        let seconds = reply.header("retry-after").unwrap().parse::<u64>().unwrap();
        assert!((1..=60).contains(&seconds) && refusal["retry_after_seconds"] == json!(seconds), "{refusal}");
    }
    assert_eq!(
        channel.join("bob").joined["trust_posture"],
        "trusted-no-password",
        "joining without a password still works"
    );
    let other = hub.channel_with(&settings);
    other.try_join(&json!({"callsign": "bob", "owner_password": "open sesame"})).ok();
}

#[test]
fn d22_no_secret_is_stored_or_logged_in_clear_text() {
    let hub = Hub::with(&[], &[("ROGERRAT_LOG__LEVEL", "trace")]);
    let channel = hub.channel_with(&json!({"trust_mode": "trusted", "owner_password": "open sesame"}));
    let (ann, bob) = (channel.join("ann"), channel.join_as("bob", "bobs-own-secret"));
    channel.try_join(&json!({"callsign": "carl", "owner_password": "open sesame"})).ok();
    ann.send("bob", "the text of a message");
    assert_eq!(bob.listen().len(), 1);
    hub.get(&channel.path("roster")).bearer("a-wrong-token").send().refused(401, "unauthorized");
    let secrets = [&channel.token, &ann.session, &bob.session, "open sesame", "the text of a message", "a-wrong-token"];
    let mut stored = vec![hub.log().into_bytes()];
    let data = std::fs::read_dir(hub.folder().join("data"));
    stored.extend(data.into_iter().flatten().filter_map(|file| std::fs::read(file.ok()?.path()).ok()));
    for secret in secrets {
        let in_it = |bytes: &Vec<u8>| bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!stored.iter().any(in_it), "{secret} is stored in clear text");
    }
}
