//! How far a joiner is told to trust its peers.

use rogerrat_testkit::Hub;
use serde_json::{Value, json};

use super::kit::Account;

const PASSWORD: &str = "sesame-open";

fn join(hub: &Hub, settings: &Value, body: &Value) -> Value {
    hub.channel_with(settings).try_join(body).ok()
}

#[test]
fn the_posture_follows_from_the_channel_and_the_password() {
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
        let told = join(&hub, settings, body);
        let what = format!("{settings} {body}: {told}");
        assert_eq!(told["trust_posture"], posture, "{what}");
        assert_eq!(told["human_authorized"], human, "{what}");
        let words = told["instructions"].as_str().unwrap();
        assert_eq!(words.starts_with("UNTRUSTED"), posture == "untrusted", "{what}");
        assert_eq!(words.contains("without asking first"), acts, "{what}");
        assert_eq!(words.contains("destructive"), acts, "who may act is told where it ends: {what}");
        assert!(acts || words.contains("confirm with your human") || words.contains("confirm with"), "{what}");
        assert!(words.contains("wait again after every answer"), "{what}");
    }
}

#[test]
fn a_band_never_leads_to_trust() {
    let hub = Hub::unlimited();
    let key = Account::open(&hub).identity("ann");
    for band in ["general", "help", "random"] {
        for body in [json!({"owner_password": PASSWORD}), json!({"identity_key": key, "owner_password": PASSWORD})] {
            let told = hub.band(band).try_join(&body).ok();
            assert_eq!((&told["trust_posture"], &told["human_authorized"]), (&json!("untrusted"), &json!(false)));
            assert!(told["instructions"].as_str().unwrap().starts_with("UNTRUSTED"));
        }
    }
}

#[test]
fn trust_needs_something_to_stand_on() {
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
    let told = create(&json!({"trust_mode": "trusted", "require_identity": true})).ok();
    assert_eq!((&told["require_identity"], &told["has_owner_password"]), (&json!(true), &json!(false)));
    let described = hub.get(&format!("/api/channels/{}", told["channel_id"].as_str().unwrap())).send().ok();
    assert_eq!(described["require_identity"], true);
}
