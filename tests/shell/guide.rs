//! The commands in the pages for agents, run as published.

use std::process::{Command, Stdio};

use rogerrat_testkit::{Channel, Hub, argument_lists_with, executable, wait_for_exit, wait_until};

use super::kit::Shell;

/// The blocks of `/llms.txt` after the download of the script, for agents that have the command installed.
fn blocks(hub: &Hub) -> Vec<String> {
    let page = hub.get("/llms.txt").send().text();
    let export = page.split('`').find(|words| words.starts_with("export ROGERRAT_ORIGIN=")).unwrap();
    let blocks = page.split("```sh\n").skip(2).map(|rest| rest.split("```").next().unwrap());
    blocks.map(|block| format!("{export}\n{}", block.replace("sh rr", "rogerrat"))).collect()
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
fn d29_the_guide_works_with_the_command_in_place_of_the_script() {
    let hub = Hub::start();
    let shell = Shell::with(&[]);
    let [open, join, talk] = <[String; 3]>::try_from(blocks(&hub)).unwrap();
    let ended = |script: &str, variables: &[(&str, &str)]| {
        let ended = wait_for_exit(bash(&shell, variables, script).spawn().unwrap());
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended.out
    };
    let invite = ended(&open, &[("ROGERRAT_PROFILE", "ann")]);
    let words: Vec<_> = invite.lines().last().unwrap().split('`').skip(1).step_by(2).collect();
    let variables = [("CHANNEL", words[0]), ("TOKEN", words[1]), ("CALLSIGN", words[2])];
    ended(&join, &[&variables[..], &[("ROGERRAT_PROFILE", "bob")]].concat());
    let channel = Channel::new(*hub, words[0], words[1]);
    let talking = bash(&shell, &[("ROGERRAT_PROFILE", "bob")], &talk).spawn().unwrap();
    wait_until("hello is sent", || channel.history() == ["hello"]);
    assert!(argument_lists_with(&channel.token).is_empty(), "a secret is in an argument list");
    ended("rogerrat send all 'hello yourself'", &[("ROGERRAT_PROFILE", "ann")]);
    let talking = wait_for_exit(talking);
    assert!(talking.code == Some(0) && talking.out.ends_with(": hello yourself\n"), "{talking:?}");
    let mut again = bash(&shell, &[], "export ROGERRAT_PROFILE=ann; rogerrat create; echo $?; rogerrat roster");
    let again = wait_for_exit(again.spawn().unwrap());
    assert!(again.out.starts_with("2\n") && again.out.contains("  #2 "), "a profile is not overwritten: {again:?}");
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
    let id = created["channel_id"].as_str().unwrap();
    let join = format!("rogerrat join --channel {id}");
    let script = format!("{token}\n{export}\n{join} && rogerrat send all hello && rogerrat history");
    let done = wait_for_exit(bash(&shell, &[], &script).spawn().unwrap());
    assert!(done.code == Some(0) && done.out.ends_with(": hello\n"), "{done:?}");
}
