//! Opening a data directory: a valid one is opened, anything else is refused and left unchanged.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use rogerrat_actors::{
    AccountChange, AccountChangeResult, Accounts as _, EmailChange, EmailStore as _, Log as _, PendingEmail, PutHook,
    SealedEmail, StoredEmails, StoredSession, WebhookStore,
};
use rogerrat_domain::account_session::SessionLabel;
use rogerrat_domain::email::{EmailAddress, EmailKeys};
use rogerrat_domain::webhook::{Hook, HookOwner};
use rogerrat_domain::{AccountId, Language, TokenHash};
use rusqlite::Connection;

use super::fixtures::{TempDir, channel, fill, hook};
use crate::{Store, StoreError, StoreOptions, verify};

/// A directory with the closed store of some channels.
async fn stopped() -> TempDir {
    let dir = TempDir::new();
    let store = dir.open();
    for name in ["a", "b", "c"] {
        fill(&store, name, 20, &"hi".repeat(200)).await;
    }
    store.close();
    dir
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o777
}

/// Opens a directory that must be refused and left unchanged.
fn refused(dir: &TempDir) -> StoreError {
    let before = dir.files();
    let refusal = Store::open(dir.path(), StoreOptions::default()).err().expect("it should not open");
    assert!(dir.files() == before, "the directory changed: {refusal}");
    let error = refusal.to_string();
    assert!(error.contains(dir.path().to_str().unwrap()), "no file named: {error}");
    refusal
}

fn sql(path: &Path, sql: &str) {
    Connection::open(path).unwrap().execute_batch(sql).unwrap();
}

#[actix_rt::test]
async fn a_new_store_is_private_to_its_owner() {
    let dir = TempDir::new();
    let store = dir.open();
    fill(&store, "c", 1, "hi").await;
    assert_eq!(mode(dir.path()), 0o700);
    for file in ["hub.db", "hub.db-wal", "hub.db-shm", "hub.key", "lock"] {
        assert_eq!(mode(&dir.file(file)), 0o600, "{file}");
    }
    assert_eq!(fs::metadata(dir.file("hub.key")).unwrap().len(), 32);
    drop(store);
    fs::set_permissions(dir.file("hub.key"), Permissions::from_mode(0o644)).unwrap();
    drop(dir.open());
    assert_eq!(mode(&dir.file("hub.key")), 0o600);
}

#[actix_rt::test]
async fn an_interrupted_first_start_is_repeated() {
    let dir = TempDir::new();
    fs::create_dir(dir.path()).unwrap();
    fs::set_permissions(dir.path(), Permissions::from_mode(0o700)).unwrap();
    fs::write(dir.file("hub.key"), [7; 32]).unwrap();
    fs::write(dir.file("hub.db.new"), "half").unwrap();
    let store = dir.open();
    fill(&store, "c", 1, "hi").await;
    assert_eq!(fs::read(dir.file("hub.key")).unwrap(), [7; 32]);
}

#[actix_rt::test]
async fn a_crash_loses_no_committed_append() {
    let (dir, copy) = (TempDir::new(), TempDir::new());
    let store = dir.open();
    // The writer moves the WAL into the database once after its start: between these two.
    store.sync().await.unwrap();
    store.sync().await.unwrap();
    fill(&store, "c", 50, "hi").await;
    // The files as a crash would leave them: the WAL is not in the database yet.
    fs::create_dir(copy.path()).unwrap();
    fs::set_permissions(copy.path(), Permissions::from_mode(0o700)).unwrap();
    for file in ["hub.db", "hub.db-wal", "hub.key"] {
        fs::copy(dir.file(file), copy.file(file)).unwrap();
    }
    assert_eq!(copy.open().take(&channel("c")).await.unwrap().seq, 51);
}

#[actix_rt::test]
async fn a_second_hub_is_refused() {
    let dir = TempDir::new();
    let store = dir.open();
    let refusal = Store::open(dir.path(), StoreOptions::default()).err().unwrap();
    assert!(matches!(refusal, StoreError::InUse { .. }), "{refusal}");
    store.close();
    drop(dir.open());
}

#[actix_rt::test]
async fn d31_a_damaged_file_is_named_and_not_changed() {
    let dir = stopped().await;
    let database = dir.file("hub.db");
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
    damages.push((headless, "without its schema table"));
    for (bytes, what) in damages {
        fs::write(&database, bytes).unwrap();
        let refusal = refused(&dir);
        assert!(matches!(refusal, StoreError::Corrupt { .. }), "{what}: {refusal}");
        assert!(refusal.to_string().contains("rogerrat restore"), "{refusal}");
    }
    fs::write(&database, whole).unwrap();
    assert_eq!(dir.open().take(&channel("a")).await.unwrap().seq, 21);
}

#[actix_rt::test]
async fn a_wal_without_its_database_is_corruption() {
    let dir = stopped().await;
    fs::rename(dir.file("hub.db"), dir.file("hub.db-wal")).unwrap();
    assert!(matches!(refused(&dir), StoreError::Corrupt { .. }));
}

#[actix_rt::test]
async fn d31_a_wal_that_was_removed_after_a_crash_is_missed() {
    let (dir, copy) = (TempDir::new(), TempDir::new());
    let store = dir.open();
    fill(&store, "c", 50, "hi").await;
    fs::create_dir(copy.path()).unwrap();
    fs::set_permissions(copy.path(), Permissions::from_mode(0o700)).unwrap();
    for file in ["hub.db", "hub.key", "lock"] {
        fs::copy(dir.file(file), copy.file(file)).unwrap();
    }
    let refusal = refused(&copy);
    assert!(matches!(refusal, StoreError::MissingWal { .. }), "{refusal}");
    assert!(refusal.to_string().contains("hub.db-wal is missing"), "{refusal}");
    fs::copy(dir.file("hub.db-wal"), copy.file("hub.db-wal")).unwrap();
    assert_eq!(copy.open().take(&channel("c")).await.unwrap().seq, 51);
    store.close();
    assert_eq!(fs::read(dir.file("lock")).unwrap(), b"", "a closed store needs no WAL");
    assert_eq!(dir.open().take(&channel("c")).await.unwrap().seq, 51);
}

/// Takes a database back to the version before e-mails.
const WITHOUT_EMAILS: &str = "DROP TRIGGER emails_go_with_their_account; DROP TABLE account_emails;
    DROP TABLE pending_emails; DROP TABLE recovery_links; PRAGMA user_version = 6";

#[actix_rt::test]
async fn a_database_of_a_version_without_labels_of_sessions_is_migrated() {
    let dir = TempDir::new();
    let (account, hash) = (AccountId::from_random(1), TokenHash::of);
    let store = dir.open();
    let open = AccountChange::Open {
        account: account.clone(),
        recovery: hash("recovery"),
        session: hash("old"),
        label: None,
        at_ms: 5,
    };
    store.change(open).await.unwrap();
    store.close();
    sql(&dir.file("hub.db"), WITHOUT_EMAILS);
    let downgrade = "ALTER TABLE account_sessions DROP COLUMN label;
                     ALTER TABLE account_sessions DROP COLUMN created_ms;
                     PRAGMA user_version = 4";
    sql(&dir.file("hub.db"), downgrade);
    assert_eq!(verify(dir.path()).unwrap().accounts, 1, "an old backup can be verified");
    let store = dir.open();
    let enter = AccountChange::Enter {
        account: account.clone(),
        recovery: hash("recovery"),
        session: hash("new"),
        label: Some(SessionLabel::parse("phone").unwrap()),
        sessions: 100,
        at_ms: 7,
    };
    assert_eq!(store.change(enter).await.unwrap(), AccountChangeResult::Done(Vec::new()));
    let session = |token: &str, label: Option<&str>, created_at_ms, used_ms| StoredSession {
        token: hash(token),
        label: label.map(|label| SessionLabel::parse(label).unwrap()),
        created_at_ms,
        used_ms,
    };
    let sessions = [session("new", Some("phone"), Some(7), 7), session("old", None, None, 5)];
    assert_eq!(store.sessions(account.clone()).await.unwrap(), sessions);
    drop(store);
    assert_eq!(dir.open().sessions(account).await.unwrap(), sessions);
}

#[actix_rt::test]
async fn a_database_of_a_version_without_formats_of_webhooks_is_migrated() {
    let dir = stopped().await;
    let store = dir.open();
    let old = hook(&store.key(), 1, HookOwner::Channel(channel("c")));
    assert_eq!(WebhookStore::put_hook(&store, &old, None).await.unwrap(), PutHook::Done);
    store.close();
    sql(&dir.file("hub.db"), WITHOUT_EMAILS);
    sql(&dir.file("hub.db"), "PRAGMA user_version = 5");
    assert_eq!(verify(dir.path()).unwrap().webhooks, 1, "an old backup can be verified");
    let store = dir.open();
    let formatted = Hook { format: Some("f".into()), ..hook(&store.key(), 2, HookOwner::Channel(channel("c"))) };
    assert_eq!(WebhookStore::put_hook(&store, &formatted, None).await.unwrap(), PutHook::Done);
    let formats: Vec<_> = store.hooks().await.unwrap().into_iter().map(|stored| stored.hook.format).collect();
    assert_eq!(formats, [None, Some("f".into())]);
    store.close();
    let refusal = verify(dir.path()).unwrap_err().to_string();
    assert!(refusal.contains("does not decrypt with the hub's key"), "{refusal}");
}

#[actix_rt::test]
async fn a_database_of_a_version_without_emails_is_migrated() {
    let dir = TempDir::new();
    let account = AccountId::from_random(1);
    let store = dir.open();
    let open = AccountChange::Open {
        account: account.clone(),
        recovery: TokenHash::of("recovery"),
        session: TokenHash::of("session"),
        label: None,
        at_ms: 5,
    };
    store.change(open).await.unwrap();
    store.close();
    sql(&dir.file("hub.db"), WITHOUT_EMAILS);
    let report = verify(dir.path()).unwrap();
    assert_eq!((report.accounts, report.email_addresses), (1, 0), "an old backup can be verified");
    let store = dir.open();
    assert_eq!(store.emails(account.clone()).await.unwrap(), StoredEmails::default());
    let (keys, address) = (EmailKeys::of(&store.key()), EmailAddress::parse("ann@example.org").unwrap());
    let sealed = keys.seal(&address, &account, [1; 24]);
    let pending = PendingEmail {
        email: SealedEmail { account: account.clone(), sealed, language: Language::Es },
        lookup: keys.lookup(&address),
        code: TokenHash::of("code"),
        link: TokenHash::of("link"),
        expires_ms: 100,
    };
    store.change_email(EmailChange::Attach(pending)).await.unwrap();
    store.close();
    assert_eq!(verify(dir.path()).unwrap().email_addresses, 1);
    sql(&dir.file("hub.db"), "UPDATE pending_emails SET sealed = x'00'");
    let refusal = verify(dir.path()).unwrap_err().to_string();
    assert!(refusal.contains("does not decrypt with the hub's key"), "{refusal}");
    sql(&dir.file("hub.db"), "DELETE FROM account_sessions; DELETE FROM accounts");
    assert_eq!(verify(dir.path()).unwrap().email_addresses, 0, "it goes with its account");
}

#[actix_rt::test]
async fn a_foreign_database_and_a_newer_one_are_refused() {
    let dir = stopped().await;
    sql(&dir.file("hub.db"), "PRAGMA user_version = 200");
    let refusal = refused(&dir);
    assert!(matches!(refusal, StoreError::NewerSchema { found: 200, .. }), "{refusal}");
    fs::remove_file(dir.file("hub.db")).unwrap();
    sql(&dir.file("hub.db"), "CREATE TABLE recipes (name TEXT); INSERT INTO recipes VALUES ('soup')");
    let refusal = refused(&dir);
    assert!(matches!(refusal, StoreError::Foreign { .. }), "{refusal}");
}

#[actix_rt::test]
async fn a_key_that_is_missing_or_cut_is_refused() {
    let dir = stopped().await;
    fs::write(dir.file("hub.key"), [7; 31]).unwrap();
    assert!(matches!(refused(&dir), StoreError::InvalidKey { bytes: 31, .. }));
    fs::remove_file(dir.file("hub.key")).unwrap();
    assert!(matches!(refused(&dir), StoreError::MissingKey { .. }));
}

#[actix_rt::test]
async fn paths_of_the_wrong_type_are_refused() {
    let dir = stopped().await;
    fs::remove_file(dir.file("hub.key")).unwrap();
    fs::create_dir(dir.file("hub.key")).unwrap();
    let refusal = Store::open(dir.path(), StoreOptions::default()).err().unwrap();
    assert!(matches!(refusal, StoreError::WrongFileType { expected: "file", .. }), "{refusal}");
    let refusal = Store::open(&dir.file("hub.db"), StoreOptions::default()).err().unwrap();
    assert!(matches!(refusal, StoreError::WrongFileType { expected: "directory", .. }), "{refusal}");
    fs::set_permissions(dir.path(), Permissions::from_mode(0o777)).unwrap();
    let refusal = Store::open(dir.path(), StoreOptions::default()).err().unwrap();
    assert!(matches!(refusal, StoreError::WritableByOthers { .. }), "{refusal}");
}

#[actix_rt::test]
async fn a_record_of_another_version_fails_only_its_channel() {
    let dir = stopped().await;
    let database = dir.file("hub.db");
    let of = |name| format!("channel = (SELECT no FROM channels WHERE id = '{name}')");
    let body = r#"CAST(replace(CAST(record AS TEXT), '"v":1', '"v":2') AS BLOB)"#;
    sql(&database, &format!("UPDATE messages SET record = {body} WHERE seq = 3 AND {}", of("a")));
    let body = r#"CAST(replace(CAST(record AS TEXT), '"op":"message"', '"op":"danced"') AS BLOB)"#;
    sql(&database, &format!("UPDATE messages SET record = {body} WHERE seq = 4 AND {}", of("b")));
    let store = dir.open();
    let newer = store.take(&channel("a")).await.unwrap_err().to_string();
    assert!(newer.contains("record 3 of channel a") && newer.contains("version 2"), "{newer}");
    let unknown = store.take(&channel("b")).await.unwrap_err().to_string();
    assert!(unknown.contains("record 4 of channel b") && unknown.contains("danced"), "{unknown}");
    assert_eq!(store.take(&channel("c")).await.unwrap().seq, 21);
    drop(store);
    sql(&database, &format!("DELETE FROM messages WHERE seq = 5 AND {}", of("c")));
    let missing = dir.open().take(&channel("c")).await.unwrap_err().to_string();
    assert!(missing.contains("record 5 of channel c is missing"), "{missing}");
}
