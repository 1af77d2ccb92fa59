//! What a hub does not start on. It names the file and the way out, and leaves everything as it was.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use rogerrat_testkit::{Hub, executable};

use super::{ask, data, files, stopped};

const SERVE: &[&str] = &["serve", "--port", "0"];

/// What it says when it does not start on a folder.
fn refused(folder: &Path) -> String {
    let before = files(folder);
    let (code, said) = ask(SERVE, folder);
    assert_eq!(code, 1, "{said}");
    assert!(said.lines().last().unwrap().starts_with("rogerrat: "), "{said}");
    assert!(said.contains(folder.to_str().unwrap()), "{said} names no file");
    assert!(files(folder) == before, "{said} came with a change");
    said
}

#[test]
fn d31_a_damaged_store_stops_the_start_and_is_never_overwritten() {
    let hub = stopped();
    let database = data(&hub).join("hub.db");
    let whole = fs::read(&database).unwrap();
    let mut damaged = whole.clone();
    damaged[8192..9000].fill(0xaa);
    for bytes in [damaged, whole[..whole.len() - 5000].to_vec(), b"rubbish".to_vec()] {
        fs::write(&database, bytes).unwrap();
        let said = refused(&data(&hub));
        assert!(said.contains("hub.db is damaged") && said.contains("rogerrat restore"), "{said}");
        let (code, said) = ask(&["verify"], &data(&hub));
        assert!(code == 1 && said.contains("hub.db is damaged"), "{said}");
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
        refused(&data(&hub))
    };
    assert!(with(68, 0).contains("is not the database of a rogerrat hub"));
    let said = with(63, 200);
    assert!(said.contains("has schema 200, and this version knows"), "{said}");
}

#[test]
fn a_second_hub_on_a_folder_is_refused() {
    let hub = Hub::start();
    let (code, said) = ask(SERVE, &data(&hub));
    assert!(code == 1 && said.contains("is used by another hub"), "{said}");
    assert_eq!(hub.get("/readyz").send().status, 200);
}

#[test]
fn a_store_without_its_key_is_refused() {
    let hub = stopped();
    fs::remove_file(data(&hub).join("hub.key")).unwrap();
    let said = refused(&data(&hub));
    assert!(said.contains("hub.key is missing") && said.contains("rogerrat restore"), "{said}");
}

#[test]
fn a_folder_that_cannot_be_written_or_is_another_users_is_refused() {
    let hub = stopped();
    let in_the_way = hub.folder().join("in-the-way");
    fs::write(&in_the_way, "").unwrap();
    let (code, said) = ask(SERVE, &in_the_way);
    assert!(code == 1 && said.contains("is not a folder"), "{said}");
    if fs::metadata(hub.folder()).unwrap().uid() != 0 {
        eprintln!("\n!!! SKIPPED: only root can be two users; other users' folders were not tested !!!\n");
        return;
    }
    // For the others to get there.
    fs::set_permissions(hub.folder(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(data(&hub), fs::Permissions::from_mode(0o755)).unwrap();
    let as_nobody = |folder: &Path| {
        let mut command = Command::new(executable());
        command.args(SERVE).arg("--data-dir").arg(folder).env_clear().env("HOME", "/").uid(65_534).gid(65_534);
        command.output()
    };
    let Ok(output) = as_nobody(&data(&hub)) else {
        eprintln!("\n!!! SKIPPED: another user cannot run the executable where it lies !!!\n");
        return;
    };
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(1) && said.contains("belongs to user 0"), "{said}");
    let said = String::from_utf8(as_nobody(&hub.folder().join("new")).unwrap().stderr).unwrap();
    assert!(said.contains("new cannot be made") && said.contains("Permission denied"), "{said}");
}
