//! How the script is served, and that it runs with every shell of this machine.

use rogerrat_testkit::{Hub, argument_lists_with};

use super::kit::{ScriptUser, interpreters};

#[test]
fn d29_the_script_is_served_for_the_address_of_the_caller() {
    let hub = Hub::start();
    let reply = hub.get("/rr").send();
    assert_eq!(reply.header("content-type"), Some("text/x-shellscript; charset=utf-8"));
    assert_eq!(reply.header("cache-control"), Some("no-cache"));
    let text = reply.text();
    assert!(text.starts_with("#!/bin/sh\n") && text.contains(&format!("\nHUB = \"{}\"", hub.origin())));
    let head = hub.request("HEAD", "/rr").send();
    assert_eq!((head.status, head.body.len()), (200, 0));
    hub.post("/rr").send().refused(405, "method_not_allowed");
    let odd = "a\"'''b$(id)`id`;\\c.localhost";
    let text = hub.get("/rr").header("Host", odd).send().text();
    assert!(text.contains("\nHUB = \"http://a\\\"'''b$(id)`id`;\\\\c.localhost\"  #"), "{text}");
    assert_eq!(hub.get("/api/v1/info").send().ok()["discovery"]["client_script"], format!("{}/rr", hub.origin()));
}

#[test]
fn d29_the_script_runs_with_every_shell() {
    let hub = Hub::start();
    let shells = interpreters();
    assert!(!shells.is_empty());
    for shell in shells {
        let user = ScriptUser::with(*hub, &shell, |text| text);
        let created = user.ok(&["create"]);
        assert!(created.starts_with("created "), "{shell:?}: {created}");
        user.ok(&["join", "--callsign", "ann"]);
        assert!(user.ok(&["send", "all", "it's \"odd\" $HOME"]).starts_with("sent #"));
        assert!(user.ok(&["history"]).ends_with(": it's \"odd\" $HOME\n"), "{shell:?}");
        assert_eq!(user.run(&["wait", "--timeout", "1"]).code, Some(3), "{shell:?}");
    }
}

#[test]
fn d29_the_script_names_what_is_missing() {
    let hub = Hub::start();
    let user = ScriptUser::at(*hub);
    // The shell is started by its path, because nothing is found by name.
    let shell = ["/bin/sh", "/usr/bin/sh"].into_iter().find(|path| std::path::Path::new(path).exists()).unwrap();
    let mut command = std::process::Command::new(shell);
    let output = command.arg(user.script()).arg("roster").env_clear().env("PATH", "/nowhere").output().unwrap();
    assert_eq!((output.status.code(), &*output.stderr), (Some(2), &b"rr: python3 is missing\n"[..]));
}

#[test]
fn d29_no_process_of_the_script_has_the_token_among_its_arguments() {
    let hub = Hub::start();
    let channel = hub.channel();
    let user = ScriptUser::joined(*hub, &channel, "bob");
    let waiting = user.start(&["wait"]);
    super::kit::session_of(&user, &channel, "bob").until_waiting(true);
    let lists = argument_lists_with(&channel.token);
    assert!(lists.is_empty(), "{lists:?}");
    drop(waiting);
}
