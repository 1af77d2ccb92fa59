//! The plugin for Claude Code in `plugins/claude-code/`: its files are valid, and the flags and variables they name exist.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use rogerrat_testkit::executable;
use serde_json::{Map, Value};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn read(name: &str) -> Map<String, Value> {
    let text = fs::read_to_string(file("plugins/claude-code").join(name)).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The only server of `.mcp.json`, under its name.
fn server() -> (String, Value) {
    let servers = read(".mcp.json")["mcpServers"].as_object().unwrap().clone();
    assert_eq!(servers.len(), 1);
    servers.into_iter().next().unwrap()
}

fn rogerrat(arguments: &[&str], env: &[(String, String)]) -> Output {
    let mut command = Command::new(executable());
    command.env_clear().envs(env.iter().cloned()).args(arguments).stdin(Stdio::null()).output().unwrap()
}

#[test]
fn the_manifest_has_the_keys_its_reader_knows() {
    let manifest = read(".claude-plugin/plugin.json");
    let known = ["name", "version", "description", "author", "license", "keywords", "channels"];
    assert!(manifest.keys().all(|key| known.contains(&key.as_str())), "{manifest:?}");
    assert_eq!(manifest["name"], "rogerrat");
    assert_eq!(manifest["version"], env!("CARGO_PKG_VERSION"));
    let channels = manifest["channels"].as_array().unwrap();
    let names: Vec<_> =
        channels.iter().map(|channel| channel.as_object().unwrap()["server"].as_str().unwrap()).collect();
    assert_eq!(names, [server().0], "a channel is one of the servers");
}

#[test]
fn the_server_is_started_with_flags_and_variables_that_are_there() {
    let (_, server) = server();
    assert_eq!(server["command"], "rogerrat");
    let arguments: Vec<_> = server["args"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
    let help = String::from_utf8(rogerrat(&[&arguments[..], &["--help"]].concat(), &[]).stdout).unwrap();
    let env = server["env"].as_object().unwrap();
    for (name, value) in env {
        assert!(help.contains(name.as_str()), "{name} is no variable of {arguments:?}");
        assert_eq!(*value, format!("${{{name}:-}}"), "a variable that is not set is empty, and empty is not said");
    }
    let unset: Vec<_> = env.keys().map(|name| (name.clone(), String::new())).collect();
    let output = rogerrat(&arguments, &unset);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
}

#[test]
fn the_skill_is_that_of_the_project() {
    let of = |name: &str| fs::read_to_string(file(name)).unwrap();
    assert_eq!(of("plugins/claude-code/skills/rogerrat/SKILL.md"), of("skills/rogerrat/SKILL.md"));
}
