//! Runs of `rogerrat load` as processes, short enough for a test.

use rogerrat_testkit::{ClientCommand, Exit, Hub};
use serde_json::Value;

/// Flags of a short run.
const SHORT: [(&str, &str); 3] = [("--seconds", "0.4"), ("--warmup", "0.1"), ("--slice", "0.2")];

/// The process of `rogerrat load <words>`.
pub(crate) fn start(words: &[&str]) -> ClientCommand {
    with_env(words, &[])
}

/// Like [`start`], with environment variables.
pub(crate) fn with_env(words: &[&str], env: &[(&str, &str)]) -> ClientCommand {
    let path = std::env::var("PATH").unwrap_or_default();
    let mut all = [&["load"], words, &["--quiet"]].concat();
    // A flag that the test gives takes precedence.
    for (flag, value) in SHORT.iter().filter(|(flag, _)| !words.contains(flag)) {
        all.extend([flag, value]);
    }
    ClientCommand::start(&all, &[&[("PATH", &*path)], env].concat())
}

pub(crate) fn load(words: &[&str]) -> Exit {
    start(words).wait_for_exit()
}

/// Runs against a hub and returns the figures, which must be clean.
#[track_caller]
pub(crate) fn clean(hub: &Hub, words: &[&str]) -> Value {
    let (origin, pid) = (hub.origin(), hub.pid.to_string());
    let ended = load(&[words, &["--url", &origin, "--pid", &pid, "--json"]].concat());
    assert_eq!(ended.code, Some(0), "{words:?}: {ended:?}");
    let figures: Value = serde_json::from_str(&ended.out).unwrap();
    assert!(figures["sides"][0]["count"].as_u64().unwrap() > 0, "{words:?}: {figures}");
    figures
}

pub(crate) fn fact(side: &Value, key: &str) -> f64 {
    let facts = side["facts"].as_array().unwrap();
    facts.iter().find(|fact| fact["key"] == key).unwrap_or_else(|| panic!("no {key}: {side}"))["value"]
        .as_f64()
        .unwrap()
}
