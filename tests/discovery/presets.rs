//! A8: presets and client editions, selected by the host name of a request.

use rogerrat_testkit::{Hub, Reply};
use serde_json::{Value, json};

use super::guide::two;
use super::shell::{Page, Shell};

const MODES: [&str; 3] = ["park", "live", "go"];
const CLIENTS: [&str; 6] = ["claude", "codex", "cursor", "cline", "aider", "kimi"];

fn host(hub: &Hub, label: &str) -> String {
    format!("{label}.localhost:{}", hub.0.port())
}

fn create(hub: &Hub, label: &str, body: &Value) -> Reply {
    hub.post("/api/channels").header("Host", &host(hub, label)).json(body).send()
}

fn settings(created: &Value) -> (&str, &str, u64, bool) {
    let text = |key: &str| created[key].as_str().unwrap();
    let ttl = created["session_ttl_seconds"].as_u64().unwrap();
    (text("retention"), text("trust_mode"), ttl, created["has_owner_password"].as_bool().unwrap())
}

#[test]
fn a08_a_mode_sets_the_defaults_of_a_create() {
    let hub = Hub::start();
    let table = [
        ("park", ("metadata", "untrusted", 86_400, false)),
        ("LIVE", ("none", "untrusted", 300, false)),
        ("go", ("none", "trusted", 3600, true)),
        ("codex", ("none", "untrusted", 1800, false)),
        ("other", ("none", "untrusted", 1800, false)),
        ("kimi-park", ("metadata", "untrusted", 86_400, false)),
        ("claude-go", ("none", "trusted", 3600, true)),
    ];
    for (label, expected) in table {
        assert_eq!(settings(&create(&hub, label, &json!({})).ok()), expected, "{label}");
    }
    let created = create(&hub, "park", &json!({"retention": "none"})).ok();
    assert_eq!(
        settings(&created),
        ("none", "untrusted", 86_400, false),
        "a field in the body overrides only that default"
    );
}

#[test]
fn a08_go_generates_a_password_and_park_does_not() {
    let hub = Hub::start();
    for body in [json!({}), json!({"trust_mode": "untrusted"}), json!({"owner_password": " "})] {
        let created = create(&hub, "go", &body).ok();
        let password = created["owner_password"].as_str().unwrap();
        assert!(password.len() == 16 && password.bytes().all(|b| b.is_ascii_hexdigit()), "{password}");
    }
    let created = create(&hub, "go", &json!({"owner_password": "open sesame"})).ok();
    assert_eq!(created["owner_password"], "open sesame");
    create(&hub, "park", &json!({"trust_mode": "trusted"})).refused(400, "invalid");
}

#[test]
fn a08_the_guide_of_every_edition_and_mode_works() {
    let hub = Hub::start();
    let both = ["claude-park", "kimi-live", "codex-go"];
    for label in MODES.into_iter().chain(CLIENTS).chain(both) {
        let page = Page::guide(*hub, Some(&host(&hub, label)));
        assert!(page.0.contains(&format!("http://{}", host(&hub, label))), "{label}");
        assert!(page.0.starts_with("> **"), "{label} has a banner");
        let (ann, bob, [opened, ..]) = two(&hub, &page, "");
        let is_go = label.ends_with("go");
        assert_eq!(opened.contains("TRUSTED, human-authorized"), is_go, "{label}: {opened}");
        ann.call("sh rr send all hello");
        assert!(bob.call("sh rr wait").ends_with(": hello\n"), "{label}");
    }
}

#[test]
fn a08_an_edition_keeps_the_settings_of_the_mode_and_its_own_texts() {
    let hub = Hub::start();
    for client in CLIENTS {
        let edition = Page::guide(*hub, Some(&host(&hub, client)));
        let wake = edition.0.lines().next().unwrap();
        for mode in MODES {
            let both = Page::guide(*hub, Some(&host(&hub, &format!("{client}-{mode}"))));
            assert!(both.0.starts_with(&format!("> **{mode} mode**")) && both.0.contains(wake), "{client}-{mode}");
            let created = create(&hub, &format!("{client}-{mode}"), &json!({})).ok();
            assert_eq!(settings(&created), settings(&create(&hub, mode, &json!({})).ok()), "{client}-{mode}");
        }
    }
}

#[test]
fn a08_d29_the_prompt_of_go_has_the_password_but_not_in_argument_lists() {
    let hub = Hub::start();
    let created = create(&hub, "codex-go", &json!({})).ok();
    let password = created["owner_password"].as_str().unwrap();
    let prompt = created["connect"]["agent_prompt"].as_str().unwrap();
    assert!(prompt.contains(password) && !created["peer_invite"].as_str().unwrap().contains(password));
    let begin = prompt.find("export ROGERRAT_TOKEN").unwrap();
    let end = begin + prompt[begin..].find("\n\n").unwrap();
    let mut shell = Shell::start(&hub, &format!("cd \"$HOME\"\n{}", &prompt[begin..end]), "");
    let printed = [shell.line(), shell.line(), shell.line()];
    assert!(printed[2].starts_with("TRUSTED, human-authorized"), "{printed:?}");
    let lists = rogerrat_testkit::argument_lists_with(password);
    assert!(lists.is_empty(), "{lists:?}");
}

#[test]
fn a08_the_preset_stays_in_the_public_origin() {
    let hub = Hub::with(&["--origin", "https://hub.example.org"], &[]);
    for (host, origin) in [
        ("park.hub.example.org", "https://park.hub.example.org"),
        ("Codex-Go.hub.example.org:443", "https://codex-go.hub.example.org"),
        ("hub.example.org", "https://hub.example.org"),
        ("park.localhost", "https://hub.example.org"),
    ] {
        assert!(Page::of(*hub, Some(host)).create().contains(&format!("HUB='{origin}'\n")), "{host}");
    }
}
