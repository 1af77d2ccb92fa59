//! Backups, restores and verifications.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use futures_util::future::join;
use rogerrat_actors::{AccountChange, Accounts as _, Log as _, WebhookStore};
use rogerrat_domain::webhook::Owner;
use rogerrat_domain::{AccountId, Callsign, Identity, TokenHash};
use rusqlite::Connection;

use super::rig::{Folder, channel, due, fill, hook, snapshot};
use crate::{Store, StoreError, VerifyReport, back_up, restore, verify};

#[actix_rt::test]
async fn a_backup_of_a_running_hub_is_the_hub_when_it_is_brought_back() {
    let (folder, copy, again) = (Folder::new(), Folder::new(), Folder::new());
    let store = folder.open();
    fill(&store, "c", 50, "hi").await;
    fill(&store, "d", 5, "hi").await;
    store.compact(&channel("d"), 4, snapshot(2, &[1])).await.unwrap();
    store.reserve_ids(77).await.unwrap();
    let census = back_up(folder.path(), copy.path()).unwrap();
    assert_eq!((census.channels, census.messages, census.records, census.snapshots, census.lines), (2, 54, 53, 1, 55));
    let names = copy.files().into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    assert_eq!(names, ["hub.db", "hub.key"]);
    assert_eq!(fs::metadata(copy.path()).unwrap().mode() & 0o777, 0o700);
    assert_eq!(fs::metadata(copy.file("hub.db")).unwrap().mode() & 0o777, 0o600);
    // What comes later is not in it.
    fill(&store, "e", 5, "later").await;
    let census = restore(copy.path(), again.path()).unwrap();
    assert_eq!(census.channels, 2);
    let restored = again.open();
    assert_eq!(restored.load(&channel("c")).await.unwrap().seq, 51);
    assert!(restored.find(&channel("e")).await.unwrap().is_none());
    assert_eq!(restored.id_high_water_mark(), 77);
    assert_eq!(fs::read(folder.file("hub.key")).unwrap(), fs::read(again.file("hub.key")).unwrap());
}

#[actix_rt::test]
async fn nothing_is_written_over() {
    let (folder, copy) = (Folder::new(), Folder::new());
    let store = folder.open();
    fill(&store, "c", 5, "hi").await;
    back_up(folder.path(), copy.path()).unwrap();
    let before = copy.files();
    assert!(matches!(back_up(folder.path(), copy.path()), Err(StoreError::Occupied { .. })));
    assert!(matches!(restore(copy.path(), folder.path()), Err(StoreError::Taken { .. })));
    store.close();
    assert!(matches!(restore(copy.path(), folder.path()), Err(StoreError::Occupied { .. })));
    fs::remove_file(folder.file("hub.db")).unwrap();
    fs::write(folder.file("hub.key"), [1; 32]).unwrap();
    assert!(matches!(restore(copy.path(), folder.path()), Err(StoreError::Occupied { .. })));
    assert!(copy.files() == before);
}

#[actix_rt::test]
async fn where_there_is_no_hub_there_is_nothing_to_copy_or_verify() {
    let (folder, to) = (Folder::new(), Folder::new());
    assert!(matches!(verify(folder.path()), Err(StoreError::Nothing { .. })));
    assert!(matches!(back_up(folder.path(), to.path()), Err(StoreError::Nothing { .. })));
    assert!(matches!(restore(folder.path(), to.path()), Err(StoreError::Nothing { .. })));
    assert!(!to.path().exists() && !folder.path().exists());
}

#[actix_rt::test]
async fn a_damaged_copy_is_not_brought_back() {
    let (folder, copy, to) = (Folder::new(), Folder::new(), Folder::new());
    let store = folder.open();
    fill(&store, "c", 200, &"hi".repeat(100)).await;
    back_up(folder.path(), copy.path()).unwrap();
    let mut bytes = fs::read(copy.file("hub.db")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 5000].fill(0x55);
    fs::write(copy.file("hub.db"), bytes).unwrap();
    let refusal = restore(copy.path(), to.path()).unwrap_err();
    assert!(matches!(refusal, StoreError::Damaged { .. }), "{refusal}");
    assert!(!to.path().exists());
}

#[actix_rt::test]
async fn a_verification_sees_what_pages_do_not_show() {
    let folder = Folder::new();
    let store = folder.open();
    fill(&store, "c", 20, "hi").await;
    let census = verify(folder.path()).unwrap();
    assert!(census.is_in_use && census.channels == 1 && census.messages == 20 && census.records == 21);
    store.close();
    let whole = fs::read(folder.file("hub.db")).unwrap();
    for (damage, what) in [
        ("UPDATE messages SET record = CAST('rubbish' AS BLOB) WHERE seq = 3", "record 3 of channel c"),
        ("DELETE FROM messages WHERE seq = 4", "record 4 of channel c is missing"),
        ("UPDATE messages SET body = CAST('rubbish' AS BLOB) WHERE id = 5", "message 5"),
        ("UPDATE transcript SET json = CAST('{' AS BLOB) WHERE n = 5", "the transcript of channel c"),
        ("UPDATE channels SET settings = CAST('{}' AS BLOB)", "the settings of channel c"),
        ("DELETE FROM channels", "there is no channel 1"),
        ("UPDATE hub SET value = 7 WHERE name = 'channels'", "it has 1 channels and counted"),
    ] {
        fs::write(folder.file("hub.db"), &whole).unwrap();
        Connection::open(folder.file("hub.db")).unwrap().execute_batch(damage).unwrap();
        let before = fs::read(folder.file("hub.db")).unwrap();
        let said = verify(folder.path()).unwrap_err().to_string();
        assert!(said.contains(what), "{damage}: {said}");
        assert!(fs::read(folder.file("hub.db")).unwrap() == before);
    }
}

#[actix_rt::test]
async fn a_backup_is_taken_while_others_write() {
    let (folder, copy) = (Folder::new(), Folder::new());
    let store = folder.open();
    fill(&store, "c", 1000, &"hi".repeat(100)).await;
    let (from, to) = (folder.path().to_owned(), copy.path().to_owned());
    let backup = tokio::task::spawn_blocking(move || back_up(&from, &to));
    let (census, ()) = join(backup, fill(&store, "d", 1000, "hi")).await;
    assert!(census.unwrap().unwrap().messages >= 1000);
    assert_eq!(store.load(&channel("d")).await.unwrap().seq, 1001);
}

/// A store with an account, its identity and channel, and a hook of each with something due.
async fn with_accounts(folder: &Folder) -> Store {
    let store = folder.open();
    let (account, hash) = (AccountId::from_random(1), TokenHash::of);
    let open = AccountChange::Open {
        account: account.clone(),
        recovery: hash("recovery"),
        session: hash("session"),
        at_ms: 5,
    };
    store.change(open).await.unwrap();
    let (callsign, identity) = (Callsign::parse("ann").unwrap(), Identity { account: account.clone(), key_no: 7 });
    let add = AccountChange::AddIdentity { callsign, identity, key: hash("key"), limit: None, at_ms: 5 };
    store.change(add).await.unwrap();
    fill(&store, "c", 2, "hi").await;
    let owners = [Owner::Account(account.clone()), Owner::Channel(channel("c"))];
    for (n, owner) in (1..).zip(owners) {
        let hook = hook(&store.key(), n, owner);
        assert!(store.put_hook(&hook).await.unwrap());
        WebhookStore::enqueue(&store, due(&store.key(), &hook, Some(channel("c")))).await.unwrap();
    }
    store
}

#[actix_rt::test]
async fn accounts_and_webhooks_are_in_a_backup() {
    let (folder, copy, again) = (Folder::new(), Folder::new(), Folder::new());
    let store = with_accounts(&folder).await;
    let counts = |census: VerifyReport| (census.accounts, census.identities, census.webhooks, census.deliveries);
    assert_eq!(counts(verify(folder.path()).unwrap()), (1, 1, 2, 2));
    assert_eq!(counts(back_up(folder.path(), copy.path()).unwrap()), (1, 1, 2, 2));
    store.close();
    assert_eq!(counts(restore(copy.path(), again.path()).unwrap()), (1, 1, 2, 2));
    let restored = again.open();
    let account = restored.session(TokenHash::of("session")).await.unwrap().unwrap().0;
    assert_eq!(restored.recovery(TokenHash::of("recovery")).await.unwrap(), Some(account.clone()));
    assert_eq!(restored.identities(account).await.unwrap().len(), 1);
    let hooks = restored.hooks().await.unwrap();
    assert!(hooks.len() == 2 && hooks.iter().all(|kept| kept.due == 1), "{hooks:?}");
    assert!(restored.due(&hooks[0].hook.id, 0, 10).await.unwrap()[0].delivery.message == Some(7));
}

#[actix_rt::test]
async fn a_verification_sees_what_is_wrong_with_accounts_and_webhooks() {
    let folder = Folder::new();
    with_accounts(&folder).await.close();
    let whole = fs::read(folder.file("hub.db")).unwrap();
    for (damage, what) in [
        ("UPDATE accounts SET id = 'rubbish'", "an account is not as it was written"),
        ("UPDATE accounts SET recovery = x'00'", "an account is not as it was written"),
        ("UPDATE identities SET callsign = 'a b'", "an identity is not as it was written"),
        ("UPDATE identities SET account = 'acct_0'", "the identity ann belongs to an account that is not there"),
        (
            "UPDATE account_sessions SET account = 'x'",
            "the session of an account belongs to an account that is not there",
        ),
        ("UPDATE channels SET owner = 'x'", "a channel belongs to an account that is not there"),
        (
            "DELETE FROM accounts; DELETE FROM identities; DELETE FROM account_sessions",
            "belongs to an account that is not",
        ),
        ("UPDATE webhooks SET json = CAST('{}' AS BLOB)", "webhook wh_"),
        ("UPDATE webhooks SET owner = 'channel d'", "is not as it was written"),
        (
            "UPDATE webhooks SET json = CAST(replace(CAST(json AS TEXT), '\"c\"', '\"d\"') AS BLOB), \
          owner = replace(owner, 'channel c', 'channel d')",
            "is of the channel d, and there is none",
        ),
        (
            "UPDATE webhooks SET json = CAST(replace(CAST(json AS TEXT), '\"secret\":\"', '\"secret\":\"A') AS BLOB)",
            "the secret of webhook wh_",
        ),
        ("DELETE FROM webhooks WHERE owner = 'channel c'", "and there is none"),
        ("UPDATE deliveries SET json = CAST('{' AS BLOB)", "delivery whd_"),
        ("UPDATE deliveries SET payload = NULL WHERE no = 1", "is not as it was written"),
        ("UPDATE payloads SET body = x'0011'", "the message of delivery whd_"),
        ("DELETE FROM payloads WHERE no = 2", "the message of delivery whd_"),
        ("INSERT INTO payloads (no, body) VALUES (9, x'00')", "message 9 waits for no delivery"),
    ] {
        fs::write(folder.file("hub.db"), &whole).unwrap();
        Connection::open(folder.file("hub.db")).unwrap().execute_batch(damage).unwrap();
        let said = verify(folder.path()).unwrap_err().to_string();
        assert!(said.contains(what), "{damage}: {said}");
    }
    fs::write(folder.file("hub.db"), &whole).unwrap();
    fs::write(folder.file("hub.key"), [1; 32]).unwrap();
    let said = verify(folder.path()).unwrap_err().to_string();
    assert!(said.contains("does not open with the hub's key"), "{said}");
}
