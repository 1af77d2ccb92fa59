//! The report of a run, and the hub that `--self` starts and stops.

use std::fs;
use std::path::PathBuf;

use super::run::{load, start};

fn scratch(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("load-test-{}-{name}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// The files that a run has left behind.
fn left_by(folder: &PathBuf) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with("rogerrat-load-")).collect()
}

/// The number of processes whose command line names this folder.
fn alive_in(folder: &str) -> usize {
    let lines = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path().join("cmdline"));
    lines.filter_map(|line| fs::read(line).ok()).filter(|line| String::from_utf8_lossy(line).contains(folder)).count()
}

#[test]
fn one_command_measures_and_leaves_nothing_behind() {
    let folder = scratch("self");
    let (page, json) = (folder.join("page.html"), folder.join("figures.json"));
    let (at, page_at, json_at) = (folder.to_str().unwrap(), page.to_str().unwrap(), json.to_str().unwrap());
    let words = ["pingpong", "--pairs", "2", "--self", "--baseline", "--report", page_at, "--json", json_at];
    let mut words = words.to_vec();
    words.extend(["--seconds", "2"]);
    let ended = super::run::with_env(&words, &[("TMPDIR", at)]).wait_for_exit();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.out.contains("CPU per hop, hub : baseline"), "{ended:?}");
    assert!(left_by(&folder).is_empty() && alive_in(&format!("{at}/rogerrat-load")) == 0);
    let figures: serde_json::Value = serde_json::from_slice(&fs::read(&json).unwrap()).unwrap();
    assert_eq!(figures["sides"].as_array().unwrap().len(), 2);
    let page = fs::read_to_string(&page).unwrap();
    assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n") && page.contains("<svg"), "{page}");
    for word in ["<script", "<link", " src=", "url(", "@import"] {
        assert!(!page.contains(word), "{word}");
    }
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn an_interrupted_run_stops_its_hub() {
    let folder = scratch("interrupted");
    let at = folder.to_str().unwrap();
    let run = super::run::with_env(&["pingpong", "--pairs", "2", "--self", "--seconds", "600"], &[("TMPDIR", at)]);
    rogerrat_testkit::wait_until("the hub runs", || alive_in(&format!("{at}/rogerrat-load")) > 0);
    run.signal("TERM");
    // Before the load begins the exit code is 2, after that the figures so far are clean.
    let ended = run.wait_for_exit();
    assert!(matches!(ended.code, Some(0 | 2)), "{ended:?}");
    assert!(left_by(&folder).is_empty() && alive_in(&format!("{at}/rogerrat-load")) == 0);
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_hub_that_does_not_start_is_reported() {
    load(&["pingpong", "--self", "--hub-flag=--lan", "--hub-flag=--config=/no/such/file"])
        .with_one_line(2, "did not start");
}

#[test]
fn quiet_prints_no_progress() {
    let ended = start(&["pingpong", "--pairs", "2", "--self", "--seconds", "0.2"]).wait_for_exit();
    assert!(ended.err.is_empty(), "--quiet was given: {ended:?}");
}
