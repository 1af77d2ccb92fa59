//! `rogerrat remote`: the link and its QR code, the agent's profile, the command to go on, and another phone.

use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;

use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use rogerrat_testkit::{Hub, executable};
use serde_json::{Value, json};

use super::kit::Shell;
use crate::remote::kit::{decode_blocks, join, parts, text};

/// The rest of the line that begins so.
#[track_caller]
fn after(out: &str, start: &str) -> String {
    let line = out.lines().find_map(|line| line.strip_prefix(start));
    line.unwrap_or_else(|| panic!("no line begins with {start}:\n{out}")).to_owned()
}

fn qr(out: &str) -> String {
    let rows: Vec<_> =
        out.lines().filter(|line| line.chars().all(|c| "█▀▄ ".contains(c)) && !line.is_empty()).collect();
    decode_blocks(&rows.join("\n"), false)
}

/// A remote control as the API returns it, from what the command printed and saved.
fn opened(shell: &Shell, out: &str) -> (Value, String) {
    let link = after(out, "open this link on the phone: ");
    let (_, channel, fragment) = parts(&json!(link));
    let phone = json!({"callsign": fragment["cs"], "identity_key": fragment["k"]});
    let profile = after(out, "to go on: rogerrat wait --profile ");
    let shown = shell.json(&["profile", "show", &profile, "--secrets"]);
    let agent = json!({"callsign": shown["callsign"], "identity_key": shown["identity_key"]});
    let remote = json!({
        "channel_id": channel, "channel_token": fragment["t"], "owner_password": fragment["p"], "phone": phone,
        "agent": agent, "session_token": shown["account_token"], "recovery_token": shown["recovery_token"],
    });
    (remote, profile)
}

#[test]
fn d40_the_command_prints_the_link_joins_and_says_how_to_go_on() {
    let hub = Hub::unlimited();
    let shell = Shell::at(&hub);
    let out = shell.ok(&["remote", "--name", "Ann", "--callsign", "build-bot"]);
    let (remote, profile) = opened(&shell, &out);
    let link = after(&out, "open this link on the phone: ");
    assert_eq!(qr(&out), link);
    assert!(!out.contains('\u{1b}') && out.contains("--lan"), "{out}");
    assert_eq!(after(&out, "PIN: "), text(&remote["owner_password"]));
    let protected = after(&out, "the same without the PIN: ");
    assert!(!protected.contains("&p=") && protected.contains("&n=Ann"), "{protected}");
    assert_eq!(remote["agent"]["callsign"], "build-bot");
    assert_eq!(shell.profiles().metadata().unwrap().permissions().mode() & 0o777, 0o600);

    let phone = join(*hub, &remote, "phone");
    phone.send("build-bot", "how far are you?");
    assert!(shell.ok(&["wait", "--profile", &profile]).contains("how far are you?"));
    shell.ok(&["send", "--profile", &profile, text(&remote["phone"]["callsign"]), "half way"]);
    assert_eq!(phone.listen(), ["half way"]);
    // The profile has what joins again.
    shell.ok(&["leave", "--profile", &profile]);
    assert!(shell.ok(&["join", "--profile", &profile]).contains("TRUSTED, human-authorized"));
    shell.ok(&["leave", "--profile", &profile]);
    phone.send("build-bot", "still there?");
    assert!(shell.ok(&["wait", "--profile", &profile]).contains("still there?"));
    let account = hub.get("/api/account").bearer(text(&remote["session_token"])).send().ok();
    assert_eq!(account["channels"], 1);
}

#[test]
fn d40_another_phone_gets_a_link_of_its_own() {
    let hub = Hub::unlimited();
    let shell = Shell::at(&hub);
    let (remote, profile) = opened(&shell, &shell.ok(&["remote", "--no-qr"]));
    let out = shell.ok(&["remote", "link", "--profile", &profile, "--phone-callsign", "tablet"]);
    let link = after(&out, "open this link on the phone: ");
    assert_eq!(qr(&out), link);
    assert!(out.contains("the page asks for the owner password") && !link.contains("&p="), "{out}");
    let (_, _, fragment) = parts(&json!(link));
    let tablet = json!({"tablet": {"identity_key": fragment["k"]}, "channel_id": remote["channel_id"],
                        "channel_token": fragment["t"], "owner_password": remote["owner_password"]});
    join(*hub, &tablet, "tablet");
    // A channel without an owner password gets one.
    let created = shell.json(&["create"]);
    let plain = text(&created["channel_id"]);
    shell.run(&["remote", "link", "--channel", plain]).with_one_line(1, "ROGERRAT_ACCOUNT_TOKEN");
    let mut with_account = Shell::at(&hub);
    let account = ("ROGERRAT_ACCOUNT_TOKEN".to_owned(), text(&remote["session_token"]).to_owned());
    with_account.variables.push(account);
    with_account.variables.push(("ROGERRAT_TOKEN".into(), text(&created["join_token"]).into()));
    let added = with_account.json(&["remote", "link", "--channel", plain, "--no-qr"]);
    assert_eq!((&added["owner_password_existing"], added.get("qr_ascii")), (&json!(false), None));
    let out = with_account.ok(&["remote", "link", "--channel", plain]);
    assert!(out.contains("the page asks"), "{out}");
}

#[test]
fn d40_json_is_the_reply_of_the_hub_and_the_agent_has_joined() {
    let hub = Hub::unlimited();
    let shell = Shell::at(&hub);
    let remote = shell.json(&["remote", "--profile", "bot"]);
    assert_eq!(decode_blocks(text(&remote["qr_ascii_clean"]), false), text(&remote["mobile_url"]));
    assert!(shell.ok(&["roster", "--profile", "bot"]).contains(text(&remote["agent"]["callsign"])));
    let taken = shell.run(&["remote", "--profile", "bot"]);
    taken.with_one_line(2, "already exists");
    assert!(shell.json(&["remote", "--no-qr"]).get("qr_ascii_clean").is_none());
    shell.run(&["remote", "--callsign", "no spaces"]).with_one_line(1, "callsign");
    let refused = Hub::with(&["--token", "the-hub-token"], &[]);
    Shell::at(&refused).run(&["remote"]).with_one_line(1, "token");
}

/// What the command writes to a terminal.
fn on_a_terminal(shell: &Shell, no_color: &str) -> String {
    let pair = native_pty_system().openpty(PtySize { rows: 60, cols: 200, pixel_width: 0, pixel_height: 0 }).unwrap();
    let mut command = CommandBuilder::new(executable());
    command.env_clear();
    command.env("HOME", shell.home());
    command.env("TERM", "xterm-256color");
    command.env("NO_COLOR", no_color);
    shell.variables.iter().for_each(|(name, value)| command.env(name, value));
    command.arg("remote");
    let mut child = pair.slave.spawn_command(command).unwrap();
    drop(pair.slave);
    let mut out = pair.master.try_clone_reader().unwrap();
    let mut bytes = Vec::new();
    // Linux reports the end of a terminal as an error.
    let _ = out.read_to_end(&mut bytes);
    assert!(child.wait().unwrap().success());
    String::from_utf8(bytes).unwrap()
}

#[test]
fn d40_the_qr_code_has_colours_of_its_own_at_a_terminal_unless_no_color_is_set() {
    let hub = Hub::unlimited();
    let shell = Shell::at(&hub);
    let coloured = on_a_terminal(&shell, "");
    let rows: Vec<_> =
        coloured.lines().filter_map(|line| line.strip_prefix("\u{1b}[97;40m")?.split('\u{1b}').next()).collect();
    let link = |out: &str| after(out, "open this link on the phone: ").trim_end().to_owned();
    assert_eq!(decode_blocks(&rows.join("\n"), false), link(&coloured));
    let plain = on_a_terminal(&shell, "1");
    assert!(!plain.contains('\u{1b}'));
    assert_eq!(qr(&plain), link(&plain));
}
