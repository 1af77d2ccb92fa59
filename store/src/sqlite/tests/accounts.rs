//! Accounts in the store: deletion of unused ones, uniqueness and limits.

use std::sync::Arc;

use rogerrat_actors::{
    AccountChange, AccountChangeResult, Accounts as _, AppendResult, Log as _, Opened, WebhookStore,
};
use rogerrat_domain::webhook::HookOwner;
use rogerrat_domain::{AccountId, Callsign, Entry, Identity, Record, Settings, TokenHash};

use super::fixtures::{TempDir, channel, created, due, hook, record};
use crate::{Store, verify};

fn id(n: u64) -> AccountId {
    AccountId::from_random(n)
}

fn hash(text: &str) -> TokenHash {
    TokenHash::of(text)
}

async fn open(store: &Store, n: u64, at_ms: u64) {
    let (recovery, session) = (hash(&format!("recovery {n}")), hash(&format!("session {n}")));
    let open = AccountChange::Open { account: id(n), recovery, session, label: None, at_ms };
    assert_eq!(store.change(open).await.unwrap(), AccountChangeResult::Done(Vec::new()));
}

async fn add(store: &Store, n: u64, name: &str, limit: Option<u32>) -> AccountChangeResult {
    let (callsign, identity) = (Callsign::parse(name).unwrap(), Identity { account: id(n), key_no: 7 + n });
    let key = hash(&format!("key of {name}"));
    store.change(AccountChange::AddIdentity { callsign, identity, key, limit, at_ms: 5 }).await.unwrap()
}

/// The first entry of a channel that an account owns.
fn created_by(n: u64) -> Entry {
    let Entry::Created { settings } = created() else { unreachable!() };
    Entry::Created { settings: Arc::new(Settings { creator_account_id: Some(id(n)), ..(*settings).clone() }) }
}

#[actix_rt::test]
async fn d30_an_account_that_owns_nothing_ends_with_its_last_session() {
    let dir = TempDir::new();
    let store = dir.open();
    for (n, at_ms) in [(1, 10), (2, 10), (3, 10), (4, 100), (5, 10)] {
        open(&store, n, at_ms).await;
    }
    assert_eq!(add(&store, 1, "ann", None).await, AccountChangeResult::Done(Vec::new()));
    let opened = store.open_channel(record("c", 1, vec![created_by(2)]), id(2), None, Vec::new()).await;
    assert_eq!(opened, Opened::Tried(AppendResult::Done));
    assert!(store.put_hook(&hook(&store.key(), 7, HookOwner::Account(id(5)))).await.unwrap());
    store.change(AccountChange::Sweep { before_ms: 50 }).await.unwrap();
    for (n, exists) in [(1, true), (2, true), (3, false), (4, true), (5, true)] {
        assert_eq!(store.facts(id(n)).await.unwrap().is_some(), exists, "{n}");
        let session = store.session(hash(&format!("session {n}"))).await.unwrap();
        assert_eq!(session.is_some(), n == 4, "{n}");
    }
    assert_eq!(store.recovery(hash("recovery 1")).await.unwrap(), Some(id(1)), "the account can be recovered");
}

#[actix_rt::test]
async fn closing_an_account_deletes_its_webhooks() {
    let dir = TempDir::new();
    let store = dir.open();
    let mut hooks = Vec::new();
    for n in [1, 2] {
        open(&store, n, 10).await;
        hooks.push(hook(&store.key(), u128::from(n), HookOwner::Account(id(n))));
        assert!(store.put_hook(&hooks[hooks.len() - 1]).await.unwrap());
        WebhookStore::enqueue(&store, due(&store.key(), &hooks[hooks.len() - 1], None)).await.unwrap();
    }
    store.change(AccountChange::Close { account: id(1) }).await.unwrap();
    let left = store.hooks().await.unwrap();
    assert!(left.len() == 1 && left[0].hook.id == hooks[1].id && left[0].due == 1, "{left:?}");
    assert!(store.due(&hooks[0].id, 0, 10).await.unwrap().is_empty());
    let report = verify(dir.path()).unwrap();
    assert_eq!((report.accounts, report.webhooks, report.deliveries), (1, 1, 1));
}

#[actix_rt::test]
async fn d30_an_owned_channel_is_never_deleted_as_unused() {
    let dir = TempDir::new();
    let store = dir.open();
    open(&store, 1, 10).await;
    store.open_channel(record("mine", 1, vec![created_by(1)]), id(1), None, Vec::new()).await;
    store.append(record("unowned", 1, vec![created()])).await;
    assert_eq!(store.unused(0..u64::MAX >> 1, 10).await.unwrap(), [channel("unowned")]);
    let AccountChangeResult::Done(revoked) = store.change(AccountChange::Close { account: id(1) }).await.unwrap()
    else {
        panic!()
    };
    assert!(revoked.is_empty());
    assert_eq!(store.unused(0..u64::MAX >> 1, 10).await.unwrap().len(), 2, "it has no owner any more");
}

#[actix_rt::test]
async fn limits_and_uniqueness_are_enforced_with_the_write() {
    let dir = TempDir::new();
    let store = dir.open();
    open(&store, 1, 10).await;
    open(&store, 2, 10).await;
    assert_eq!(add(&store, 1, "ann", Some(1)).await, AccountChangeResult::Done(Vec::new()));
    assert_eq!(add(&store, 1, "zoe", Some(1)).await, AccountChangeResult::Full);
    assert_eq!(add(&store, 2, "ann", None).await, AccountChangeResult::Taken);
    assert_eq!(add(&store, 3, "bob", None).await, AccountChangeResult::Missing);
    let requests = ["a", "b", "c"]
        .map(|name| store.open_channel(record(name, 1, vec![created_by(1)]), id(1), Some(2), Vec::new()));
    let opened = futures_util::future::join_all(requests).await;
    assert_eq!(opened, [Opened::Tried(AppendResult::Done), Opened::Tried(AppendResult::Done), Opened::Full]);
    assert_eq!(store.find(&channel("c")).await.unwrap().map(|_| ()), None);
    let missing = store.open_channel(record("d", 1, vec![created_by(9)]), id(9), None, Vec::new()).await;
    assert_eq!(missing, Opened::Missing);
}

#[actix_rt::test]
async fn d39_a_recovery_that_began_before_the_token_was_rotated_is_refused() {
    let dir = TempDir::new();
    let store = dir.open();
    open(&store, 1, 10).await;
    assert_eq!(store.recovery(hash("recovery 1")).await.unwrap(), Some(id(1)));
    let rotate = AccountChange::RotateRecovery { account: id(1), recovery: hash("rotated") };
    assert_eq!(store.change(rotate).await.unwrap(), AccountChangeResult::Done(Vec::new()));
    let enter = |recovery: &str| AccountChange::Enter {
        account: id(1),
        recovery: hash(recovery),
        session: hash("late"),
        label: None,
        sessions: 1,
        at_ms: 20,
    };
    assert_eq!(store.change(enter("recovery 1")).await.unwrap(), AccountChangeResult::Missing);
    assert!(store.session(hash("session 1")).await.unwrap().is_some(), "a refused one ends no other session");
    assert_eq!(store.change(enter("rotated")).await.unwrap(), AccountChangeResult::Done(Vec::new()));
    assert!(store.session(hash("session 1")).await.unwrap().is_none());
    for (account, session) in [(id(2), "late"), (id(1), "session 1")] {
        let end = AccountChange::EndSession { account, session: hash(session) };
        assert_eq!(store.change(end).await.unwrap(), AccountChangeResult::Missing);
    }
    let rotate = AccountChange::RotateRecovery { account: id(2), recovery: hash("other") };
    assert_eq!(store.change(rotate).await.unwrap(), AccountChangeResult::Missing);
}

#[actix_rt::test]
async fn changed_settings_survive_reopening() {
    let dir = TempDir::new();
    let changed = {
        let store = dir.open();
        store.append(record("c", 1, vec![created()])).await;
        let mut settings = store.find(&channel("c")).await.unwrap().unwrap();
        settings.token = Some(hash("the new token"));
        let changed = record("c", 2, vec![Entry::Settings { settings: Arc::new(settings) }]);
        store.append(changed).await
    };
    assert_eq!(changed, AppendResult::Done);
    let store = dir.open();
    assert!(store.find(&channel("c")).await.unwrap().unwrap().admits(Some("the new token")));
}

#[actix_rt::test]
async fn a_channel_and_the_account_created_with_it_are_stored_together_or_not_at_all() {
    let dir = TempDir::new();
    let store = dir.open();
    open(&store, 1, 10).await;
    assert_eq!(add(&store, 1, "ann", None).await, AccountChangeResult::Done(Vec::new()));
    store.append(record("taken", 1, vec![created()])).await;
    let with = |names: [&str; 2]| {
        let (recovery, session) = (hash("recovery 2"), hash("session 2"));
        let add = |(key_no, name): (u64, &str)| AccountChange::AddIdentity {
            callsign: Callsign::parse(name).unwrap(),
            identity: Identity { account: id(2), key_no },
            key: hash(name),
            limit: Some(2),
            at_ms: 5,
        };
        let [first, second] = [(1, names[0]), (2, names[1])].map(add);
        vec![AccountChange::Open { account: id(2), recovery, session, label: None, at_ms: 5 }, first, second]
    };
    for (name, names, limit, refused) in [
        ("c", ["bob", "ann"], None, Opened::NotMade(AccountChangeResult::Taken)),
        ("c", ["bob", "bob"], None, Opened::NotMade(AccountChangeResult::Taken)),
        ("c", ["bob", "cat"], Some(0), Opened::Full),
        ("taken", ["bob", "cat"], None, Opened::Tried(AppendResult::Conflict)),
    ] {
        let record = Record { rid: 1, ..record(name, 1, vec![created_by(2)]) };
        let opened = store.open_channel(record, id(2), limit, with(names)).await;
        assert_eq!(opened, refused, "{names:?}");
        assert!(store.facts(id(2)).await.unwrap().is_none(), "{refused:?}");
        assert!(store.session(hash("session 2")).await.unwrap().is_none());
        assert!(
            store.proof(hash("bob")).await.unwrap().is_none() && store.find(&channel("c")).await.unwrap().is_none()
        );
    }
    let opened = store.open_channel(record("c", 1, vec![created_by(2)]), id(2), Some(1), with(["bob", "cat"])).await;
    assert_eq!(opened, Opened::Tried(AppendResult::Done));
    assert_eq!(store.identities(id(2)).await.unwrap().len(), 2);
    assert_eq!(store.channels(id(2)).await.unwrap().len(), 1);
    drop(store);
    assert_eq!(verify(dir.path()).unwrap().accounts, 2);
}
