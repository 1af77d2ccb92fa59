//! Stored profiles: which one is used, and who can read it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use rogerrat_testkit::Hub;

use super::kit::Shell;

fn mode(path: &std::path::Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn secrets_are_readable_by_their_owner_only_and_shown_on_request() {
    let hub = Hub::start();
    let ann = Shell::at(&hub);
    let channel = ann.channel(&hub, "ann");
    let file = ann.profiles();
    assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o600, 0o700));
    for arguments in [&["profile", "list"][..], &["profile", "show"], &["profile", "show", "--json"], &["roster"]] {
        assert!(!ann.ok(arguments).contains(&channel.token), "{arguments:?}");
    }
    assert!(ann.ok(&["profile", "show", "--secrets"]).contains(&format!("token: {}\n", channel.token)));
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    for arguments in [&["send", "all", "x"][..], &["profile", "list"], &["wait"], &["create"], &["join"]] {
        ann.run(arguments).with_one_line(2, "others can read the secrets in");
    }
}

#[test]
fn profiles_are_in_the_configuration_directory_of_the_user() {
    let hub = Hub::start();
    let mut ann = Shell::at(&hub);
    let folder = ann.home().join("my config");
    ann.variables.push(("XDG_CONFIG_HOME".into(), folder.to_str().unwrap().into()));
    ann.channel(&hub, "ann");
    assert!(folder.join("rogerrat/profiles.toml").exists() && !ann.profiles().exists());
    ann.ok(&["send", "all", "x"]);
}

#[test]
fn two_agents_on_one_machine_have_profiles_of_their_own() {
    let hub = Hub::start();
    let shell = Shell::at(&hub);
    let channel = shell.channel(&hub, "ann");
    let bob = shell.run(&["join", "--callsign", "bob"]);
    let name = format!("{}-bob", channel.id);
    assert!(bob.code == Some(0) && bob.err.contains(&format!("use --profile {name}")), "{bob:?}");
    shell.ok(&["send", "all", "I am ann"]);
    shell.ok(&["send", "all", "I am bob", "--profile", &name]);
    let history = shell.json(&["history"]);
    assert_eq!((&history["history"][0]["from"], &history["history"][1]["from"]), (&"ann".into(), &"bob".into()));
    shell.ok(&["profile", "default", &name]);
    assert!(shell.ok(&["profile", "list"]).contains(&format!("* {name}: bob on {}", channel.id)));
    shell.ok(&["profile", "remove", &name]);
    shell.run(&["profile", "show", &name]).with_one_line(2, "there is no profile");
    shell.run(&["send", "all", "x"]).with_one_line(2, "no channel given");
}

#[test]
fn a_named_profile_precedes_variables_and_they_precede_the_current_one() {
    let hub = Hub::start();
    let mut shell = Shell::at(&hub);
    shell.json(&["create", "--profile", "work"]);
    shell.ok(&["join", "--profile", "work", "--callsign", "ann"]);
    let other = hub.channel();
    let eve = other.join("eve");
    for (name, value) in [("CHANNEL", &other.id), ("TOKEN", &other.token), ("SESSION", &eve.session)] {
        shell.variables.push((format!("ROGERRAT_{name}"), value.clone()));
    }
    shell.ok(&["send", "all", "by variables"]);
    shell.ok(&["send", "all", "by profile", "--profile", "work"]);
    assert_eq!(other.history(), ["by variables"]);
    assert!(shell.ok(&["history", "--profile", "work"]).contains("ann → all"));
    let wrong = ["history", "--profile", "work", "--channel", &other.id];
    shell.run(&wrong).with_one_line(2, "the profile `work` belongs to the channel");
    shell.run(&["create", "--profile", "work"]).with_one_line(2, "the profile `work` already exists");
    shell.run(&["create", "--profile", "a b"]).with_one_line(2, "the name of a profile has");
    shell.run(&["history", "--profile", "nobody"]).with_one_line(2, "there is no profile `nobody`");
}

#[test]
fn a_profile_that_does_not_exist_yet_leaves_the_variables_in_effect() {
    let hub = Hub::start();
    let channel = hub.channel();
    let mut shell = Shell::at(&hub);
    shell.variables.push(("ROGERRAT_CHANNEL".into(), channel.id.clone()));
    shell.variables.push(("ROGERRAT_TOKEN".into(), channel.token.clone()));
    shell.ok(&["join", "--profile", "bob", "--callsign", "bob"]);
    shell.variables.clear();
    shell.ok(&["send", "all", "by profile", "--profile", "bob"]);
    assert_eq!((channel.history(), channel.roster()), (vec!["by profile".into()], vec!["bob".into()]));
    // An existing one precedes the variables.
    let other = hub.channel();
    shell.variables.push(("ROGERRAT_CHANNEL".into(), other.id));
    shell.variables.push(("ROGERRAT_TOKEN".into(), other.token));
    let joined = shell.ok(&["join", "--profile", "bob"]);
    assert!(joined.starts_with(&format!("you are bob (#1) on {}", channel.id)), "{joined}");
}

#[test]
fn a_token_may_begin_with_a_hyphen() {
    let hub = Hub::start();
    let shell = Shell::at(&hub);
    let token = ["history", "--channel", "general", "--token", "-a_b"];
    assert_eq!(shell.run(&token).code, Some(0), "a band asks for none");
    let session = ["leave", "--channel", "general", "--session", "-session-of-mine"];
    assert_eq!(shell.run(&session).code, Some(0));
}

#[test]
fn the_last_channel_is_the_current_one() {
    let hub = Hub::start();
    let shell = Shell::at(&hub);
    let first = shell.channel(&hub, "ann");
    let second = shell.channel(&hub, "ann");
    shell.ok(&["send", "all", "to the second"]);
    shell.ok(&["send", "all", "to the first", "--channel", &first.id]);
    assert_eq!((first.history(), second.history()), (vec!["to the first".into()], vec!["to the second".into()]));
}
