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

/// The report of a run, which must be a success.
fn report(flags: &[&str]) -> Value {
    report_of(&[&["--json"], flags].concat())
}

fn report_of(flags: &[&str]) -> Value {
    let output = torture(flags);
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_str(&stdout).unwrap_or_else(|e| panic!("{e}: {stdout}{stderr}"));
    assert_eq!(output.status.code(), Some(0), "{report:#}");
    report
}

#[test]
fn a03_acknowledged_data_survives_ten_kills() {
    let report = report(&["--cycles", "10", "--seconds", "1.5"]);
    assert!(report["kills"].as_u64().unwrap() >= 10, "{report:#}");
    assert_eq!(report["violations"], serde_json::json!({}), "{report:#}");
    for kind in ["disk", "memory"] {
        for figure in ["acknowledged", "deliveries", "acks"] {
            assert!(report[kind][figure].as_u64().unwrap() > 0, "nothing was tested: {report:#}");
        }
    }
    assert!(report["disk"]["cut"].as_u64().unwrap() > 0, "no read was cut off: {report:#}");
}

#[test]
fn a_run_without_kills_finds_no_violation() {
    let report = report(&["--cycles", "0", "--seconds", "1", "--seed", "7"]);
    assert_eq!((&report["kills"], &report["seed"]), (&Value::from(0), &Value::from(7)));
}

#[test]
fn a_given_data_directory_is_kept_and_not_used_twice() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("torture-{}", std::process::id()));
    let path = folder.to_str().unwrap();
    report(&["--cycles", "1", "--seconds", "0.2", "--channels", "1", "--data-dir", path]);
    assert!(folder.join("hub.log").exists() && folder.join("data").exists());
    let again = torture(&["--data-dir", path]);
    assert_eq!(again.status.code(), Some(2), "a hub's real data is never tortured");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a11_work_is_finished_once_while_workers_and_the_hub_are_killed() {
    let report = report_of(&["work", "--json", "--rounds", "10", "--seconds", "0.3", "--tasks", "10"]);
    assert_eq!(report["violations"], serde_json::json!({}), "{report:#}");
    assert!(report["finished"].as_u64().unwrap() > 0, "nothing was tested: {report:#}");
}
