//! Data directories that a hub refuses to start on. The error names the file and the remedy, and nothing is changed.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use rogerrat_testkit::{Hub, executable};

use super::{data, files, run_on, stopped};

const SERVE: &[&str] = &["serve", "--port", "0"];

/// Starts a hub on a folder that it must refuse, and returns its output.
fn start_refused(folder: &Path) -> String {
    let before = files(folder);
    let (code, output) = run_on(SERVE, folder);
    assert_eq!(code, 1, "{output}");
    assert!(output.lines().last().unwrap().starts_with("rogerrat: "), "{output}");
    assert!(output.contains(folder.to_str().unwrap()), "no file named: {output}");
    assert!(files(folder) == before, "the folder changed: {output}");
    output
}

#[test]
fn d31_a_hub_refuses_to_start_on_a_damaged_store_and_does_not_overwrite_it() {
    let hub = stopped();
    let database = data(&hub).join("hub.db");
    let whole = fs::read(&database).unwrap();
    let mut damaged = whole.clone();
    damaged[8192..9000].fill(0xaa);
    for bytes in [damaged, whole[..whole.len() - 5000].to_vec(), b"rubbish".to_vec()] {
        fs::write(&database, bytes).unwrap();
        let output = start_refused(&data(&hub));
        assert!(output.contains("hub.db is damaged") && output.contains("rogerrat restore"), "{output}");
        let (code, output) = run_on(&["verify"], &data(&hub));
        assert!(code == 1 && output.contains("hub.db is damaged"), "{output}");
    }
}

#[test]
fn a_foreign_file_and_a_newer_schema_are_refused() {
    let hub = stopped();
    let database = data(&hub).join("hub.db");
    let whole = fs::read(&database).unwrap();
    let with = |at: usize, byte: u8| {
        let mut bytes = whole.clone();
        bytes[at] = byte;
        fs::write(&database, bytes).unwrap();
        start_refused(&data(&hub))
    };
    assert!(with(68, 0).contains("is not the database of a rogerrat hub"));
    let output = with(63, 200);
    assert!(output.contains("has schema 200, but this version only knows"), "{output}");
}

#[test]
fn a_second_hub_on_a_folder_is_refused() {
    let hub = Hub::start();
    let (code, output) = run_on(SERVE, &data(&hub));
    assert!(code == 1 && output.contains("is used by another hub"), "{output}");
    assert_eq!(hub.get("/readyz").send().status, 200);
}

#[test]
fn a_store_without_its_key_is_refused() {
    let hub = stopped();
    fs::remove_file(data(&hub).join("hub.key")).unwrap();
    let output = start_refused(&data(&hub));
    assert!(output.contains("hub.key is missing") && output.contains("rogerrat restore"), "{output}");
}

#[test]
fn a_folder_that_is_unwritable_or_owned_by_another_user_is_refused() {
    let hub = stopped();
    let in_the_way = hub.folder().join("in-the-way");
    fs::write(&in_the_way, "").unwrap();
    let (code, output) = run_on(SERVE, &in_the_way);
    assert!(code == 1 && output.contains("is not a directory"), "{output}");
    if fs::metadata(hub.folder()).unwrap().uid() != 0 {
        eprintln!(
            "\n!!! SKIPPED: the test needs root to run as two users; folders of other users were not tested !!!\n"
        );
        return;
    }
    // Other users must be able to reach the folder.
    fs::set_permissions(hub.folder(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(data(&hub), fs::Permissions::from_mode(0o755)).unwrap();
    let as_other_user = |folder: &Path| {
        let mut command = Command::new(executable());
        command.args(SERVE).arg("--data-dir").arg(folder).env_clear().env("HOME", "/").uid(65_534).gid(65_534);
        command.output()
    };
    let Ok(finished) = as_other_user(&data(&hub)) else {
        eprintln!("\n!!! SKIPPED: another user cannot execute the file at this path !!!\n");
        return;
    };
    let output = String::from_utf8(finished.stderr).unwrap();
    assert!(finished.status.code() == Some(1) && output.contains("belongs to user 0"), "{output}");
    let output = String::from_utf8(as_other_user(&hub.folder().join("new")).unwrap().stderr).unwrap();
    assert!(output.contains("new cannot be created") && output.contains("Permission denied"), "{output}");
}
