//! Trust: the instructions that a join returns.

use rogerrat_testkit::Hub;
use serde_json::{Value, json};

use super::account_client::Account;

const PASSWORD: &str = "sesame-open";

fn join(hub: &Hub, settings: &Value, body: &Value) -> Value {
    hub.channel_with(settings).try_join(body).ok()
}

#[test]
fn the_trust_posture_depends_on_channel_and_password() {
    let hub = Hub::unlimited();
    let key = Account::open(&hub).identity("ann");
    let (plain, proved) = (json!({}), json!({"identity_key": key}));
    let with = |body: &Value| {
        let mut body = body.clone();
        body["owner_password"] = json!(PASSWORD);
        body
    };
    let trusted = json!({"trust_mode": "trusted", "owner_password": PASSWORD});
    let guarded = json!({"owner_password": PASSWORD});
    let both = json!({"trust_mode": "trusted", "owner_password": PASSWORD, "require_identity": true});
    let identities = json!({"trust_mode": "trusted", "require_identity": true});
    let known = json!({"require_identity": true});
    for (settings, body, posture, human, acts) in [
        (&plain, &plain, "untrusted", false, false),
        (&plain, &with(&plain), "untrusted", false, false),
        (&plain, &proved, "untrusted", false, false),
        (&guarded, &with(&plain), "untrusted", true, false),
        (&known, &proved, "untrusted", false, false),
        (&trusted, &plain, "trusted-no-password", false, false),
        (&trusted, &proved, "trusted-no-password", false, false),
        (&trusted, &with(&plain), "trusted-authorized", true, true),
        (&identities, &proved, "trusted-no-password", false, true),
        (&identities, &with(&proved), "trusted-no-password", false, true),
        (&both, &proved, "trusted-no-password", false, false),
        (&both, &with(&proved), "trusted-authorized", true, true),
    ] {
        let reply = join(&hub, settings, body);
        let what = format!("{settings} {body}: {reply}");
        assert_eq!(reply["trust_posture"], posture, "{what}");
        assert_eq!(reply["human_authorized"], human, "{what}");
        let words = reply["instructions"].as_str().unwrap();
        assert_eq!(words.starts_with("UNTRUSTED"), posture == "untrusted", "{what}");
        assert_eq!(words.contains("without asking first"), acts, "{what}");
        assert_eq!(words.contains("destructive"), acts, "permission to act states its limits: {what}");
        assert!(acts || words.contains("confirm with your human") || words.contains("confirm with"), "{what}");
        assert!(words.contains("wait again after every reply"), "{what}");
    }
}

#[test]
fn a_band_is_never_trusted() {
    let hub = Hub::unlimited();
    let key = Account::open(&hub).identity("ann");
    for band in ["general", "help", "random"] {
        for body in [json!({"owner_password": PASSWORD}), json!({"identity_key": key, "owner_password": PASSWORD})] {
            let reply = hub.band(band).try_join(&body).ok();
            assert_eq!((&reply["trust_posture"], &reply["human_authorized"]), (&json!("untrusted"), &json!(false)));
            assert!(reply["instructions"].as_str().unwrap().starts_with("UNTRUSTED"));
        }
    }
}

#[test]
fn a_trusted_channel_needs_a_password_or_identities() {
    let hub = Hub::unlimited();
    let create = |settings: &Value| hub.post("/api/channels").json(settings).send();
    for settings in [
        json!({"trust_mode": "trusted"}),
        json!({"trust_mode": "trusted", "owner_password": " "}),
        json!({"trust_mode": "trusted", "require_identity": false}),
    ] {
        create(&settings).refused(400, "invalid");
    }
    create(&json!({"require_identity": "yes"})).refused(400, "invalid");
    let reply = create(&json!({"trust_mode": "trusted", "require_identity": true})).ok();
    assert_eq!((&reply["require_identity"], &reply["has_owner_password"]), (&json!(true), &json!(false)));
    let described = hub.get(&format!("/api/channels/{}", reply["channel_id"].as_str().unwrap())).send().ok();
    assert_eq!(described["require_identity"], true);
}
