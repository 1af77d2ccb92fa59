//! `rogerrat torture`: a hub that is killed ten times under load keeps everything it acknowledged.
//!
//! The oracle of the command knows what must not happen; these tests run it and read its report.

use std::path::PathBuf;
use std::process::{Command, Output};

use rogerrat_testkit::executable;
use serde_json::Value;

fn torture(flags: &[&str]) -> Output {
    Command::new(executable()).arg("torture").args(flags).output().unwrap()
}

/// What a run has shown; it must have ended well.
fn report(flags: &[&str]) -> Value {
    let output = torture(&[&["--json"], flags].concat());
    let (shown, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_str(&shown).unwrap_or_else(|e| panic!("{e}: {shown}{said}"));
    assert_eq!(output.status.code(), Some(0), "{report:#}");
    report
}

#[test]
fn a03_what_was_acknowledged_outlives_ten_kills() {
    let report = report(&["--cycles", "10", "--seconds", "1.5"]);
    assert!(report["kills"].as_u64().unwrap() >= 10, "{report:#}");
    assert_eq!(report["breaches"], serde_json::json!({}), "{report:#}");
    for kind in ["disk", "memory"] {
        for figure in ["acknowledged", "deliveries", "acks"] {
            assert!(report[kind][figure].as_u64().unwrap() > 0, "nothing was tried: {report:#}");
        }
    }
    assert!(report["disk"]["cut"].as_u64().unwrap() > 0, "no read was cut off: {report:#}");
}

#[test]
fn a_hub_that_is_not_killed_keeps_its_word() {
    let report = report(&["--cycles", "0", "--seconds", "1", "--seed", "7"]);
    assert_eq!((&report["kills"], &report["seed"]), (&Value::from(0), &Value::from(7)));
}

#[test]
fn a_folder_that_was_asked_for_stays_and_is_not_taken_twice() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("torture-{}", std::process::id()));
    let kept = folder.to_str().unwrap();
    report(&["--cycles", "1", "--seconds", "0.2", "--channels", "1", "--data-dir", kept]);
    assert!(folder.join("hub.log").exists() && folder.join("data").exists());
    let again = torture(&["--data-dir", kept]);
    assert_eq!(again.status.code(), Some(2), "a hub's real data is never tortured");
    std::fs::remove_dir_all(folder).unwrap();
}
