//! The commands in the pages for agents, run as published.

use std::process::{Command, Stdio};

use rogerrat_testkit::{Hub, argument_lists_with, executable, wait_for_exit, wait_until};

use super::kit::Shell;

/// The block of `/llms.txt` for agents that have the command installed.
fn block(hub: &Hub) -> String {
    let page = hub.get("/llms.txt").send().text();
    let blocks: Vec<_> = page.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert_eq!(blocks.len(), 1, "{blocks:?}");
    blocks[0].to_owned()
}

/// A bash with the command on its path and with these variables.
fn bash(shell: &Shell, variables: &[(&str, &str)], script: &str) -> Command {
    let folder = shell.home().join("bin of ours");
    if !folder.exists() {
        std::fs::create_dir(&folder).unwrap();
        std::os::unix::fs::symlink(executable(), folder.join("rogerrat")).unwrap();
    }
    let mut bash = Command::new("bash");
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    bash.env_clear().env("HOME", shell.home()).env("PATH", path).envs(variables.iter().copied());
    bash.args(["-c", script]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    bash
}

#[test]
fn d29_the_commands_of_the_page_lead_to_a_conversation() {
    let hub = Hub::start();
    let channel = hub.channel();
    let bob = channel.join("bob");
    let shell = Shell::with(&[]);
    let variables = [("CHANNEL", &*channel.id), ("TOKEN", &*channel.token), ("ME", "ann")];
    let talk = bash(&shell, &variables, &block(&hub)).spawn().unwrap();
    wait_until("hello is sent", || channel.history() == ["hello"]);
    assert!(argument_lists_with(&channel.token).is_empty(), "a secret is in an argument list");
    bob.say("hello yourself");
    let talk = wait_for_exit(talk);
    assert!(talk.code == Some(0) && talk.out.ends_with(": hello yourself\n"), "{talk:?}");
    let mut again = bash(&shell, &[], "export ROGERRAT_PROFILE=ann; rogerrat create; echo $?; rogerrat roster");
    let again = wait_for_exit(again.spawn().unwrap());
    assert!(again.out.starts_with("2\n") && again.out.contains(" bob\n"), "a place is not lost to a name: {again:?}");
}

#[test]
fn d29_the_command_in_the_agent_prompt_works() {
    let hub = Hub::start();
    let created = hub.post("/api/channels").send().ok();
    let prompt = created["connect"]["agent_prompt"].as_str().unwrap();
    let export = prompt.split('`').find(|words| words.starts_with("export ROGERRAT_ORIGIN=")).unwrap();
    let token = format!("export ROGERRAT_TOKEN='{}'", created["join_token"].as_str().unwrap());
    assert!(prompt.contains(&token), "{prompt}");
    let shell = Shell::with(&[]);
    let script = format!("{token}\n{export}\nrogerrat join && rogerrat send all hello && rogerrat history");
    let done = wait_for_exit(bash(&shell, &[], &script).spawn().unwrap());
    assert!(done.code == Some(0) && done.out.ends_with(": hello\n"), "{done:?}");
}
