//! Hubs on a PostgreSQL database, alone and as several. Without PostgreSQL on this machine the tests are skipped.

mod faults;
mod import;
mod tools;

use std::{fs, thread};

use rogerrat_testkit::{Agent, Channel, Hub, Postgres, run, texts, wait_until};
use serde_json::json;

const NO_LIMITS: [&str; 2] = ["--rate-limit", "off"];

/// The environment of a hub on a database. Other hubs reach it on a free port.
fn environment(url: &str) -> [(&str, &str); 2] {
    [("ROGERRAT_DATABASE__URL", url), ("ROGERRAT_CLUSTER__LISTEN", "127.0.0.1:0")]
}

/// Whether the tests take the time and the numbers of production.
fn is_long() -> bool {
    std::env::var_os("ROGERRAT_LONG_FAULTS").is_some_and(|value| value == "1")
}

/// The same channel at another hub.
fn at(hub: &Hub, channel: &Channel) -> Channel {
    Channel::new(**hub, &channel.id, &channel.token)
}

/// The same member of a channel at another hub.
fn member_at(hub: &Hub, agent: &Agent) -> Agent {
    Agent::from_join(&at(hub, &agent.channel), &agent.joined)
}

#[test]
fn a_hub_alone_on_a_database_keeps_everything() {
    let Some(server) = Postgres::shared() else { return };
    let url = server.database();
    let environment = [("ROGERRAT_DATABASE__URL", &*url)];
    let mut hub = Hub::with(&NO_LIMITS, &environment);
    let channel = hub.channel_with(&json!({"durability": "disk"}));
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    ann.say("before the crash");
    assert_eq!(hub.get("/readyz").send().status, 200);
    hub.kill();
    hub.start_again(&NO_LIMITS, &environment);
    assert_eq!(bob.listen(), ["before the crash"]);
    ann.say("before the stop");
    hub.stop();
    hub.start_again(&NO_LIMITS, &environment);
    assert_eq!(bob.listen(), ["before the stop"]);
    let files = fs::read_dir(hub.data()).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(files.collect::<Vec<_>>(), ["hub.key"]);
    assert!(!hub.log().contains(server.password()) && !hub.banner.contains(server.password()));
}

#[test]
fn d32_a_stop_succeeds_while_an_idle_connection_is_open() {
    let Some(server) = Postgres::shared() else { return };
    let url = server.database();
    let mut hub = Hub::with(&NO_LIMITS, &environment(&url));
    let (live, _idle) = hub.get("/livez").on(hub.connect());
    assert_eq!(live.status, 200);
    hub.signal("TERM");
    assert!(hub.wait_for_exit().success(), "{}", hub.log());
    assert!(!hub.log().contains(" ERROR "), "{}", hub.log());
}

#[test]
fn a_hub_serves_the_channels_of_another_that_was_killed() {
    let Some(server) = Postgres::shared() else { return };
    let url = server.database();
    let mut owner = Hub::with(&NO_LIMITS, &environment(&url));
    let other = Hub::beside(&owner, &NO_LIMITS, &environment(&url));
    let channel = owner.channel_with(&json!({"durability": "disk"}));
    // Half of the clients use the hub that does not own the channel.
    let (ann, bob) = (channel.join("ann"), at(&other, &channel).join("bob"));
    ann.send("bob", "from the owner's client");
    bob.send("ann", "from the other's client");
    assert_eq!(bob.listen(), ["from the owner's client"]);
    assert_eq!(ann.listen(), ["from the other's client"]);
    let sender = thread::spawn(move || {
        let (mut acknowledged, mut refused) = (Vec::new(), 0);
        // Until messages were acknowledged before and after the takeover.
        for n in 0..400 {
            let (text, before) = (n.to_string(), acknowledged.len());
            let reply = bob.try_send(&json!({"to": "all", "message": text}));
            match reply.status {
                200 | 201 => acknowledged.push(text),
                503 => refused += 1,
                status => panic!("{status}: {}", String::from_utf8_lossy(&reply.body)),
            }
            if refused > 0 && acknowledged.len() >= 40 && acknowledged.len() > before {
                break;
            }
        }
        acknowledged
    });
    wait_until("some messages are sent", || ann.unread() > 10);
    owner.kill();
    let acknowledged = sender.join().unwrap();
    let ann = member_at(&other, &ann);
    let mut received = Vec::new();
    wait_until("everything acknowledged arrives", || {
        received.extend(ann.listen());
        acknowledged.iter().all(|text| received.contains(text))
    });
    // The hub that was killed comes back and forwards to the new owner.
    owner.start_again(&NO_LIMITS, &environment(&url));
    let again = member_at(&owner, &ann);
    again.say("back");
    assert_eq!(texts(&at(&other, &channel).get("history?n=1").ok()["history"]), ["back"]);
}

#[test]
fn c11_a_hub_without_an_address_starts_only_alone() {
    let Some(server) = Postgres::shared() else { return };
    let url = server.database();
    let alone = [("ROGERRAT_DATABASE__URL", &*url)];
    let mut first = Hub::with(&NO_LIMITS, &alone);
    let data = first.data();
    for environment in [&alone[..], &environment(&url)] {
        let refused = run(&["serve", "--port", "0", "--data-dir", data.to_str().unwrap()], environment);
        let printed = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(1), "{printed}");
        assert!(printed.contains("cluster.listen") && printed.contains("hub 1"), "{printed}");
    }
    let checked = run(&["check", "--data-dir", data.to_str().unwrap()], &alone);
    let printed = String::from_utf8(checked.stdout).unwrap();
    assert!(printed.contains("# warning: hub 1 runs without cluster.listen"), "{printed}");
    assert_eq!(first.get("/readyz").send().status, 200);
    first.kill();
    first.start_again(&NO_LIMITS, &alone);
}

#[test]
fn a_database_that_cannot_be_used_is_named_without_its_password() {
    let Some(server) = Postgres::shared() else { return };
    let url = server.database();
    let password = server.password();
    let wrong_password = url.replace(password, "some-other-password");
    let folder = std::env::temp_dir().join(format!("rogerrat-cluster-{}", std::process::id()));
    let data = folder.to_str().unwrap();
    for (url, reason) in [
        (url.replace(&server.address().to_string(), "127.0.0.1:1"), "PostgreSQL cannot be reached"),
        (wrong_password, "password authentication failed"),
    ] {
        for command in ["serve", "check"] {
            let output = run(&[command, "--port", "0", "--data-dir", data], &[("ROGERRAT_DATABASE__URL", &url)]);
            let printed = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap()).concat();
            assert_eq!(output.status.code(), Some(1), "{command}: {printed}");
            assert!(printed.contains(reason), "{command}: {printed}");
            assert!(!printed.contains(password) && !printed.contains("some-other-password"), "{printed}");
        }
    }
    let checked = run(&["check", "--data-dir", data], &[("ROGERRAT_DATABASE__URL", &url)]);
    let printed = String::from_utf8(checked.stdout).unwrap();
    assert_eq!(checked.status.code(), Some(0), "{printed}");
    assert!(printed.contains("# the database can be used") && !printed.contains(password), "{printed}");
    for found in
        ["# database: PostgreSQL ", "# the database has no tables yet", "# warning: PostgreSQL names no synchronous"]
    {
        assert!(printed.contains(found), "{found}: {printed}");
    }
    for (arguments, reasons) in
        [(&["verify"][..], ["has no tables", "rogerrat serve"]), (&["backup", "/nowhere"], ["pg_dump", "hub.key"])]
    {
        let arguments = [arguments, &["--data-dir", data]].concat();
        let refused = run(&arguments, &[("ROGERRAT_DATABASE__URL", &url)]);
        let printed = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(1), "{printed}");
        assert!(reasons.iter().all(|reason| printed.contains(reason)), "{printed}");
    }
    let _ = fs::remove_dir_all(folder);
}
