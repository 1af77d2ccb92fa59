//! What a store does with what it finds: it takes what is its own and whole, and leaves everything else as it was.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use rogerrat_actors::Log as _;
use rusqlite::Connection;

use super::rig::{Folder, channel, fill};
use crate::{Store, StoreError, StoreOptions};

/// A folder with a hub that has some channels and was stopped.
async fn stopped() -> Folder {
    let folder = Folder::new();
    let store = folder.open();
    for name in ["a", "b", "c"] {
        fill(&store, name, 20, &"hi".repeat(200)).await;
    }
    store.close();
    folder
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o777
}

/// The refusal to open a folder, which is as it was after it.
fn refused(folder: &Folder) -> StoreError {
    let before = folder.files();
    let refusal = Store::open(folder.path(), StoreOptions::default()).err().expect("it should not open");
    assert!(folder.files() == before, "{refusal} came with a change");
    let said = refusal.to_string();
    assert!(said.contains(folder.path().to_str().unwrap()), "{said} names no file");
    refusal
}

fn sql(path: &Path, sql: &str) {
    Connection::open(path).unwrap().execute_batch(sql).unwrap();
}

#[actix_rt::test]
async fn a_new_store_is_for_its_owner_alone() {
    let folder = Folder::new();
    let store = folder.open();
    fill(&store, "c", 1, "hi").await;
    assert_eq!(mode(folder.path()), 0o700);
    for file in ["hub.db", "hub.db-wal", "hub.db-shm", "hub.key", "lock"] {
        assert_eq!(mode(&folder.file(file)), 0o600, "{file}");
    }
    assert_eq!(fs::metadata(folder.file("hub.key")).unwrap().len(), 32);
    drop(store);
    fs::set_permissions(folder.file("hub.key"), Permissions::from_mode(0o644)).unwrap();
    drop(folder.open());
    assert_eq!(mode(&folder.file("hub.key")), 0o600);
}

#[actix_rt::test]
async fn what_an_interrupted_first_start_left_is_made_anew() {
    let folder = Folder::new();
    fs::create_dir(folder.path()).unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o700)).unwrap();
    fs::write(folder.file("hub.key"), [7; 32]).unwrap();
    fs::write(folder.file("hub.db.new"), "half").unwrap();
    let store = folder.open();
    fill(&store, "c", 1, "hi").await;
    assert_eq!(fs::read(folder.file("hub.key")).unwrap(), [7; 32]);
}

#[actix_rt::test]
async fn a_crash_loses_nothing_that_was_done() {
    let (folder, copy) = (Folder::new(), Folder::new());
    let store = folder.open();
    fill(&store, "c", 50, "hi").await;
    // The files as a crash would leave them: the WAL is not in the database yet.
    fs::create_dir(copy.path()).unwrap();
    fs::set_permissions(copy.path(), Permissions::from_mode(0o700)).unwrap();
    for file in ["hub.db", "hub.db-wal", "hub.key"] {
        fs::copy(folder.file(file), copy.file(file)).unwrap();
    }
    assert_eq!(copy.open().load(&channel("c")).await.unwrap().seq, 51);
}

#[actix_rt::test]
async fn a_second_hub_is_refused() {
    let folder = Folder::new();
    let store = folder.open();
    let refusal = Store::open(folder.path(), StoreOptions::default()).err().unwrap();
    assert!(matches!(refusal, StoreError::Taken { .. }), "{refusal}");
    store.close();
    drop(folder.open());
}

#[actix_rt::test]
async fn d31_a_damaged_file_is_named_and_left_as_it_is() {
    let folder = stopped().await;
    let database = folder.file("hub.db");
    let whole = fs::read(&database).unwrap();
    let pages = whole.len() / 4096;
    let mut damages = vec![
        (b"not a database at all, but long enough to have a header".repeat(9), "no database"),
        (Vec::new(), "empty"),
        (whole[..50].to_vec(), "cut in its header"),
        (whole[..whole.len() - 4096].to_vec(), "cut by a page"),
        (whole[..whole.len() / 2 + 100].to_vec(), "cut in half"),
    ];
    for page in (1..pages).step_by(3) {
        let mut damaged = whole.clone();
        damaged[page * 4096..page * 4096 + 64].fill(0xaa);
        damages.push((damaged, "with a page overwritten"));
    }
    let mut headless = whole.clone();
    headless[100..4096].fill(0);
    damages.push((headless, "without its table of tables"));
    for (bytes, what) in damages {
        fs::write(&database, bytes).unwrap();
        let refusal = refused(&folder);
        assert!(matches!(refusal, StoreError::Damaged { .. }), "{what}: {refusal}");
        assert!(refusal.to_string().contains("rogerrat restore"), "{refusal}");
    }
    fs::write(&database, whole).unwrap();
    assert_eq!(folder.open().load(&channel("a")).await.unwrap().seq, 21);
}

#[actix_rt::test]
async fn a_wal_without_its_database_is_damage() {
    let folder = stopped().await;
    fs::rename(folder.file("hub.db"), folder.file("hub.db-wal")).unwrap();
    assert!(matches!(refused(&folder), StoreError::Damaged { .. }));
}

#[actix_rt::test]
async fn a_foreign_database_and_a_newer_one_are_refused() {
    let folder = stopped().await;
    sql(&folder.file("hub.db"), "PRAGMA user_version = 200");
    let refusal = refused(&folder);
    assert!(matches!(refusal, StoreError::Newer { found: 200, .. }), "{refusal}");
    fs::remove_file(folder.file("hub.db")).unwrap();
    sql(&folder.file("hub.db"), "CREATE TABLE recipes (name TEXT); INSERT INTO recipes VALUES ('soup')");
    let refusal = refused(&folder);
    assert!(matches!(refusal, StoreError::Foreign { .. }), "{refusal}");
}

#[actix_rt::test]
async fn a_key_that_is_missing_or_cut_is_refused() {
    let folder = stopped().await;
    fs::write(folder.file("hub.key"), [7; 31]).unwrap();
    assert!(matches!(refused(&folder), StoreError::BadKey { bytes: 31, .. }));
    fs::remove_file(folder.file("hub.key")).unwrap();
    assert!(matches!(refused(&folder), StoreError::NoKey { .. }));
}

#[actix_rt::test]
async fn what_is_in_the_way_is_refused() {
    let folder = stopped().await;
    fs::remove_file(folder.file("hub.key")).unwrap();
    fs::create_dir(folder.file("hub.key")).unwrap();
    let refusal = Store::open(folder.path(), StoreOptions::default()).err().unwrap();
    assert!(matches!(refusal, StoreError::Misplaced { expected: "file", .. }), "{refusal}");
    let refusal = Store::open(&folder.file("hub.db"), StoreOptions::default()).err().unwrap();
    assert!(matches!(refusal, StoreError::Misplaced { expected: "folder", .. }), "{refusal}");
    fs::set_permissions(folder.path(), Permissions::from_mode(0o777)).unwrap();
    let refusal = Store::open(folder.path(), StoreOptions::default()).err().unwrap();
    assert!(matches!(refusal, StoreError::OpenToOthers { .. }), "{refusal}");
}

#[actix_rt::test]
async fn a_record_of_another_version_stops_the_load_of_its_channel_alone() {
    let folder = stopped().await;
    let database = folder.file("hub.db");
    let of = |name| format!("channel = (SELECT no FROM channels WHERE id = '{name}')");
    let body = r#"CAST(replace(CAST(record AS TEXT), '"v":1', '"v":2') AS BLOB)"#;
    sql(&database, &format!("UPDATE messages SET record = {body} WHERE seq = 3 AND {}", of("a")));
    let body = r#"CAST(replace(CAST(record AS TEXT), '"op":"message"', '"op":"danced"') AS BLOB)"#;
    sql(&database, &format!("UPDATE messages SET record = {body} WHERE seq = 4 AND {}", of("b")));
    let store = folder.open();
    let newer = store.load(&channel("a")).await.unwrap_err().to_string();
    assert!(newer.contains("record 3 of channel a") && newer.contains("version 2"), "{newer}");
    let unknown = store.load(&channel("b")).await.unwrap_err().to_string();
    assert!(unknown.contains("record 4 of channel b") && unknown.contains("danced"), "{unknown}");
    assert_eq!(store.load(&channel("c")).await.unwrap().seq, 21);
    drop(store);
    sql(&database, &format!("DELETE FROM messages WHERE seq = 5 AND {}", of("c")));
    let missing = folder.open().load(&channel("c")).await.unwrap_err().to_string();
    assert!(missing.contains("record 5 of channel c is missing"), "{missing}");
}
