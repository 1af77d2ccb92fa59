//! Backups, restores and verifications.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};

use futures_util::future::join;
use rogerrat_actors::{AccountChange, Accounts as _, Log as _, PutHook, WebhookStore};
use rogerrat_domain::webhook::HookOwner;
use rogerrat_domain::{AccountId, Callsign, Identity, TokenHash};
use rusqlite::Connection;

use super::fixtures::{TempDir, channel, due, fill, hook, snapshot};
use crate::{Store, StoreError, VerifyReport, back_up, restore, verify};

#[actix_rt::test]
async fn a_restored_backup_of_a_running_hub_has_its_data() {
    let (dir, copy, again) = (TempDir::new(), TempDir::new(), TempDir::new());
    let store = dir.open();
    fill(&store, "c", 50, "hi").await;
    fill(&store, "d", 5, "hi").await;
    store.compact(&channel("d"), 0, 4, snapshot(2, &[1])).await.unwrap();
    store.reserve_ids(77).await.unwrap();
    let report = back_up(dir.path(), copy.path()).unwrap();
    assert_eq!(
        (report.channels, report.messages, report.records, report.snapshots, report.transcript_lines),
        (2, 54, 53, 1, 55)
    );
    let names = copy.files().into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    assert_eq!(names, ["hub.db", "hub.key"]);
    assert_eq!(fs::metadata(copy.path()).unwrap().mode() & 0o777, 0o700);
    assert_eq!(fs::metadata(copy.file("hub.db")).unwrap().mode() & 0o777, 0o600);
    // Later writes are not in the backup.
    fill(&store, "e", 5, "later").await;
    // A killed hub was moved away from there, but for its lock file.
    DirBuilder::new().mode(0o700).create(again.path()).unwrap();
    fs::write(again.file("lock"), "wal\n").unwrap();
    let report = restore(copy.path(), again.path()).unwrap();
    assert_eq!(report.channels, 2);
    let restored = again.open();
    assert_eq!(restored.take(&channel("c")).await.unwrap().seq, 51);
    assert!(restored.find(&channel("e")).await.unwrap().is_none());
    assert_eq!(restored.id_high_water_mark(), 77);
    assert_eq!(fs::read(dir.file("hub.key")).unwrap(), fs::read(again.file("hub.key")).unwrap());
}

#[actix_rt::test]
async fn nothing_is_overwritten() {
    let (dir, copy) = (TempDir::new(), TempDir::new());
    let store = dir.open();
    fill(&store, "c", 5, "hi").await;
    back_up(dir.path(), copy.path()).unwrap();
    let before = copy.files();
    assert!(matches!(back_up(dir.path(), copy.path()), Err(StoreError::AlreadyExists { .. })));
    assert!(matches!(restore(copy.path(), dir.path()), Err(StoreError::InUse { .. })));
    store.close();
    assert!(matches!(restore(copy.path(), dir.path()), Err(StoreError::AlreadyExists { .. })));
    fs::remove_file(dir.file("hub.db")).unwrap();
    fs::write(dir.file("hub.key"), [1; 32]).unwrap();
    assert!(matches!(restore(copy.path(), dir.path()), Err(StoreError::AlreadyExists { .. })));
    assert!(copy.files() == before);
}

#[actix_rt::test]
async fn an_empty_directory_cannot_be_backed_up_or_verified() {
    let (dir, to) = (TempDir::new(), TempDir::new());
    assert!(matches!(verify(dir.path()), Err(StoreError::NotFound { .. })));
    assert!(matches!(back_up(dir.path(), to.path()), Err(StoreError::NotFound { .. })));
    assert!(matches!(restore(dir.path(), to.path()), Err(StoreError::NotFound { .. })));
    assert!(!to.path().exists() && !dir.path().exists());
}

#[actix_rt::test]
async fn a_damaged_backup_is_not_restored() {
    let (dir, copy, to) = (TempDir::new(), TempDir::new(), TempDir::new());
    let store = dir.open();
    fill(&store, "c", 200, &"hi".repeat(100)).await;
    back_up(dir.path(), copy.path()).unwrap();
    let mut bytes = fs::read(copy.file("hub.db")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 5000].fill(0x55);
    fs::write(copy.file("hub.db"), bytes).unwrap();
    let refusal = restore(copy.path(), to.path()).unwrap_err();
    assert!(matches!(refusal, StoreError::Corrupt { .. }), "{refusal}");
    assert!(!to.path().exists());
}

#[actix_rt::test]
async fn verify_detects_damage_that_a_page_check_misses() {
    let dir = TempDir::new();
    let store = dir.open();
    fill(&store, "c", 20, "hi").await;
    let report = verify(dir.path()).unwrap();
    assert!(report.is_in_use && report.channels == 1 && report.messages == 20 && report.records == 21);
    store.close();
    let whole = fs::read(dir.file("hub.db")).unwrap();
    for (damage, problem) in [
        ("UPDATE messages SET record = CAST('rubbish' AS BLOB) WHERE seq = 3", "record 3 of channel c"),
        ("DELETE FROM messages WHERE seq = 4", "record 4 of channel c is missing"),
        ("UPDATE messages SET body = CAST('rubbish' AS BLOB) WHERE id = 5", "message 5"),
        ("UPDATE transcript SET json = CAST('{' AS BLOB) WHERE n = 5", "the transcript of channel c"),
        ("UPDATE channels SET settings = CAST('{}' AS BLOB)", "the settings of channel c"),
        ("DELETE FROM channels", "there is no channel 1"),
        ("UPDATE hub SET value = 7 WHERE name = 'channels'", "it has 1 channels, but the stored count is"),
    ] {
        fs::write(dir.file("hub.db"), &whole).unwrap();
        Connection::open(dir.file("hub.db")).unwrap().execute_batch(damage).unwrap();
        let before = fs::read(dir.file("hub.db")).unwrap();
        let error = verify(dir.path()).unwrap_err().to_string();
        assert!(error.contains(problem), "{damage}: {error}");
        assert!(fs::read(dir.file("hub.db")).unwrap() == before);
    }
}

#[actix_rt::test]
async fn a_backup_runs_beside_writes() {
    let (dir, copy) = (TempDir::new(), TempDir::new());
    let store = dir.open();
    fill(&store, "c", 1000, &"hi".repeat(100)).await;
    let (from, to) = (dir.path().to_owned(), copy.path().to_owned());
    let backup = tokio::task::spawn_blocking(move || back_up(&from, &to));
    let (report, ()) = join(backup, fill(&store, "d", 1000, "hi")).await;
    assert!(report.unwrap().unwrap().messages >= 1000);
    assert_eq!(store.take(&channel("d")).await.unwrap().seq, 1001);
}

/// A store with an account, an identity and a channel, and a hook of the account and of the channel with a due delivery.
async fn with_accounts(dir: &TempDir) -> Store {
    let store = dir.open();
    let (account, hash) = (AccountId::from_random(1), TokenHash::of);
    let open = AccountChange::Open {
        account: account.clone(),
        recovery: hash("recovery"),
        session: hash("session"),
        label: None,
        at_ms: 5,
    };
    store.change(open).await.unwrap();
    let (callsign, identity) = (Callsign::parse("ann").unwrap(), Identity { account: account.clone(), key_no: 7 });
    let add = AccountChange::AddIdentity { callsign, identity, key: hash("key"), limit: None, at_ms: 5 };
    store.change(add).await.unwrap();
    fill(&store, "c", 2, "hi").await;
    let owners = [HookOwner::Account(account.clone()), HookOwner::Channel(channel("c"))];
    for (n, owner) in (1..).zip(owners) {
        let hook = hook(&store.key(), n, owner);
        assert_eq!(store.put_hook(&hook, None).await.unwrap(), PutHook::Done);
        WebhookStore::enqueue(&store, due(&store.key(), &hook, Some(channel("c")))).await.unwrap();
    }
    store
}

#[actix_rt::test]
async fn a_backup_contains_accounts_and_webhooks() {
    let (dir, copy, again) = (TempDir::new(), TempDir::new(), TempDir::new());
    let store = with_accounts(&dir).await;
    let counts = |report: VerifyReport| (report.accounts, report.identities, report.webhooks, report.deliveries);
    assert_eq!(counts(verify(dir.path()).unwrap()), (1, 1, 2, 2));
    assert_eq!(counts(back_up(dir.path(), copy.path()).unwrap()), (1, 1, 2, 2));
    store.close();
    assert_eq!(counts(restore(copy.path(), again.path()).unwrap()), (1, 1, 2, 2));
    let restored = again.open();
    let account = restored.session(TokenHash::of("session")).await.unwrap().unwrap().0;
    assert_eq!(restored.recovery(TokenHash::of("recovery")).await.unwrap(), Some(account.clone()));
    assert_eq!(restored.identities(account).await.unwrap().len(), 1);
    let hooks = restored.hooks().await.unwrap();
    assert!(hooks.len() == 2 && hooks.iter().all(|stored| stored.due == 1), "{hooks:?}");
    assert!(restored.due(&hooks[0].hook.id, 0, 10).await.unwrap()[0].delivery.message == Some(7));
}

#[actix_rt::test]
async fn verify_detects_damage_of_accounts_and_webhooks() {
    let dir = TempDir::new();
    with_accounts(&dir).await.close();
    let whole = fs::read(dir.file("hub.db")).unwrap();
    for (damage, problem) in [
        ("UPDATE accounts SET id = 'rubbish'", "an account is corrupt"),
        ("UPDATE accounts SET recovery = x'00'", "an account is corrupt"),
        ("UPDATE identities SET callsign = 'a b'", "an identity is corrupt"),
        ("UPDATE identities SET account = 'acct_0'", "the identity ann belongs to an account that does not exist"),
        ("UPDATE account_sessions SET account = 'x'", "an account session belongs to an account that does not exist"),
        ("UPDATE channels SET owner = 'x'", "a channel belongs to an account that does not exist"),
        (
            "DELETE FROM accounts; DELETE FROM identities; DELETE FROM account_sessions",
            "belongs to an account that does not exist",
        ),
        ("UPDATE webhooks SET json = CAST('{}' AS BLOB)", "webhook wh_"),
        ("UPDATE webhooks SET owner = 'channel d'", "is corrupt"),
        (
            "UPDATE webhooks SET json = CAST(replace(CAST(json AS TEXT), '\"c\"', '\"d\"') AS BLOB), \
          owner = replace(owner, 'channel c', 'channel d')",
            "belongs to channel d, which does not exist",
        ),
        (
            "UPDATE webhooks SET json = CAST(replace(CAST(json AS TEXT), '\"secret\":\"', '\"secret\":\"A') AS BLOB)",
            "the secret of webhook wh_",
        ),
        ("DELETE FROM webhooks WHERE owner = 'channel c'", "which does not exist"),
        ("UPDATE deliveries SET json = CAST('{' AS BLOB)", "delivery whd_"),
        ("UPDATE deliveries SET payload = NULL WHERE no = 1", "is corrupt"),
        ("UPDATE payloads SET body = x'0011'", "the payload of delivery whd_"),
        ("DELETE FROM payloads WHERE no = 2", "the payload of delivery whd_"),
        ("INSERT INTO payloads (no, body) VALUES (9, x'00')", "payload 9 belongs to no delivery"),
    ] {
        fs::write(dir.file("hub.db"), &whole).unwrap();
        Connection::open(dir.file("hub.db")).unwrap().execute_batch(damage).unwrap();
        let error = verify(dir.path()).unwrap_err().to_string();
        assert!(error.contains(problem), "{damage}: {error}");
    }
    fs::write(dir.file("hub.db"), &whole).unwrap();
    fs::write(dir.file("hub.key"), [1; 32]).unwrap();
    let error = verify(dir.path()).unwrap_err().to_string();
    assert!(error.contains("does not decrypt with the hub's key"), "{error}");
}
