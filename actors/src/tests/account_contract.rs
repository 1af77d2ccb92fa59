//! What every store of accounts must do, as functions that take a new store. Each store runs them in its own tests.

use std::sync::Arc;

use futures_util::future::join_all;
use rogerrat_actors::{AccountChange, AccountChangeResult, AppendResult, Fact, Opened, Ports};
use rogerrat_domain::{AccountId, Callsign, ChannelId, Durability, Entry, Identity, Record, Settings, TokenHash};

const DONE: AccountChangeResult = AccountChangeResult::Done(Vec::new());

pub(crate) fn id(n: u64) -> AccountId {
    AccountId::from_random(n)
}

pub(crate) fn hash(text: &str) -> TokenHash {
    TokenHash::of(text)
}

fn channel(name: &str) -> ChannelId {
    ChannelId::parse(name).unwrap()
}

/// Opens account `n`.
pub(crate) fn open_account(n: u64, at_ms: u64) -> AccountChange {
    let (recovery, session) = (hash(&format!("recovery {n}")), hash(&format!("session {n}")));
    AccountChange::Open { account: id(n), recovery, session, label: None, at_ms }
}

pub(crate) async fn open(ports: &Ports, n: u64, at_ms: u64) {
    assert_eq!(ports.accounts.change(open_account(n, at_ms)).await.unwrap(), DONE);
}

/// Adds an identity to account `n`.
pub(crate) fn add_identity(n: u64, name: &str, limit: Option<u32>) -> AccountChange {
    let (callsign, identity) = (Callsign::parse(name).unwrap(), Identity { account: id(n), key_no: 7 + n });
    AccountChange::AddIdentity { callsign, identity, key: hash(&format!("key of {name}")), limit, at_ms: 5 }
}

async fn add(ports: &Ports, n: u64, name: &str, limit: Option<u32>) -> AccountChangeResult {
    ports.accounts.change(add_identity(n, name, limit)).await.unwrap()
}

/// The first record of a channel, of account `n` if there is one.
pub(crate) fn created_by(name: &str, n: Option<u64>) -> Record {
    let creator_account_id = n.map(id);
    let plain = Settings::plain(TokenHash::of("token"), 5);
    let settings = Arc::new(Settings { durability: Durability::Disk, creator_account_id, ..plain });
    let rid = name.bytes().fold(u128::from(n.unwrap_or(99)), |rid, byte| rid * 257 + u128::from(byte));
    let entries = vec![Entry::Created { settings }];
    let (transcript, due) = (Vec::new(), Vec::new());
    Record { channel: channel(name), seq: 1, fence: 0, rid, at_ms: 6, entries, transcript, due }
}

/// Runs every contract, each on a new store.
pub(crate) async fn accounts(new: impl AsyncFn() -> Ports) {
    sessions_are_bounded_and_belong_to_their_account(&new().await).await;
    d30_an_account_that_owns_nothing_ends_with_its_last_session(&new().await).await;
    d30_an_owned_channel_is_never_unused(&new().await).await;
    limits_and_uniqueness_are_enforced_with_the_write(&new().await).await;
    d39_a_recovery_that_began_before_the_token_was_rotated_is_refused(&new().await).await;
    keys_and_callsigns_find_their_identity(&new().await).await;
    a_channel_and_its_account_are_stored_together_or_not_at_all(&new().await).await;
}

async fn sessions_are_bounded_and_belong_to_their_account(ports: &Ports) {
    let accounts = &ports.accounts;
    open(ports, 1, 10).await;
    open(ports, 2, 10).await;
    for (n, at_ms) in [(1, 30), (2, 20), (3, 40)] {
        let (recovery, session) = (hash("recovery 1"), hash(&format!("late {n}")));
        let enter = AccountChange::Enter { account: id(1), recovery, session, label: None, sessions: 3, at_ms };
        assert_eq!(accounts.change(enter).await.unwrap(), DONE);
    }
    let used = |at_ms| AccountChange::Used { session: hash("late 2"), at_ms };
    assert_eq!(accounts.change(used(50)).await.unwrap(), DONE);
    assert_eq!(accounts.change(used(45)).await.unwrap(), DONE, "it does not go back");
    let sessions = accounts.sessions(id(1)).await.unwrap();
    let sessions: Vec<_> = sessions.into_iter().map(|s| (s.token, s.created_at_ms, s.used_ms)).collect();
    let expected = [("late 2", 20, 50), ("late 3", 40, 40), ("late 1", 30, 30)];
    assert_eq!(sessions, expected.map(|(token, created_ms, used_ms)| (hash(token), Some(created_ms), used_ms)));
    assert_eq!(accounts.session(hash("session 1")).await.unwrap(), None, "it was unused for longest");
    assert_eq!(accounts.session(hash("session 2")).await.unwrap(), Some((id(2), 10)));
    let end = |n| AccountChange::EndSession { account: id(n), session: hash("late 1") };
    assert_eq!(accounts.change(end(2)).await.unwrap(), AccountChangeResult::Missing, "another account's");
    assert_eq!(accounts.change(end(1)).await.unwrap(), DONE);
    assert_eq!(accounts.session(hash("late 1")).await.unwrap(), None);
    assert_eq!(accounts.change(AccountChange::Close { account: id(1) }).await.unwrap(), DONE);
    assert!(accounts.sessions(id(1)).await.unwrap().is_empty() && accounts.facts(id(1)).await.unwrap().is_none());
    let again = accounts.change(AccountChange::Close { account: id(1) }).await.unwrap();
    assert_eq!(again, AccountChangeResult::Missing);
}

async fn d30_an_account_that_owns_nothing_ends_with_its_last_session(ports: &Ports) {
    for (n, at_ms) in [(1, 10), (2, 10), (3, 10), (4, 100)] {
        open(ports, n, at_ms).await;
    }
    assert_eq!(add(ports, 1, "ann", None).await, DONE);
    let opened = ports.accounts.open_channel(created_by("c", Some(2)), id(2), None, Vec::new()).await;
    assert_eq!(opened, Opened::Tried(AppendResult::Done));
    ports.accounts.change(AccountChange::Sweep { before_ms: 50 }).await.unwrap();
    for (n, exists) in [(1, true), (2, true), (3, false), (4, true)] {
        assert_eq!(ports.accounts.facts(id(n)).await.unwrap().is_some(), exists, "{n}");
        let session = ports.accounts.session(hash(&format!("session {n}"))).await.unwrap();
        assert_eq!(session.is_some(), n == 4, "{n}");
    }
    let facts = ports.accounts.facts(id(2)).await.unwrap().unwrap();
    assert_eq!((facts.created_at_ms, facts.channels), (10, 1));
    assert_eq!(ports.accounts.recovery(hash("recovery 1")).await.unwrap(), Some(id(1)), "it can be recovered");
}

async fn d30_an_owned_channel_is_never_unused(ports: &Ports) {
    open(ports, 1, 10).await;
    ports.accounts.open_channel(created_by("mine", Some(1)), id(1), None, Vec::new()).await;
    ports.log.append(created_by("unowned", None)).await;
    assert_eq!(ports.log.unused(0..u64::MAX >> 1, 10).await.unwrap(), [channel("unowned")]);
    assert_eq!(ports.accounts.change(AccountChange::Close { account: id(1) }).await.unwrap(), DONE);
    assert!(ports.log.find(&channel("mine")).await.unwrap().is_some(), "it remains, without an owner");
}

async fn limits_and_uniqueness_are_enforced_with_the_write(ports: &Ports) {
    open(ports, 1, 10).await;
    open(ports, 2, 10).await;
    assert_eq!(add(ports, 1, "ann", Some(1)).await, DONE);
    assert_eq!(add(ports, 1, "zoe", Some(1)).await, AccountChangeResult::Full);
    assert_eq!(add(ports, 2, "ann", None).await, AccountChangeResult::Taken);
    assert_eq!(add(ports, 3, "bob", None).await, AccountChangeResult::Missing);
    let requests = ["a", "b", "c"].map(|name| {
        let record = created_by(name, Some(1));
        ports.accounts.open_channel(record, id(1), Some(2), Vec::new())
    });
    let opened = join_all(requests).await;
    assert_eq!(opened, [Opened::Tried(AppendResult::Done), Opened::Tried(AppendResult::Done), Opened::Full]);
    assert!(ports.log.find(&channel("c")).await.unwrap().is_none());
    let owned = ports.accounts.channels(id(1)).await.unwrap();
    assert_eq!(owned.into_iter().map(|(id, _)| id).collect::<Vec<_>>(), [channel("a"), channel("b")]);
    let missing = ports.accounts.open_channel(created_by("d", Some(9)), id(9), None, Vec::new()).await;
    assert_eq!(missing, Opened::Missing);
}

async fn d39_a_recovery_that_began_before_the_token_was_rotated_is_refused(ports: &Ports) {
    let accounts = &ports.accounts;
    open(ports, 1, 10).await;
    assert_eq!(accounts.recovery(hash("recovery 1")).await.unwrap(), Some(id(1)));
    let rotate = |n| AccountChange::RotateRecovery { account: id(n), recovery: hash("rotated") };
    assert_eq!(accounts.change(rotate(1)).await.unwrap(), DONE);
    assert_eq!(accounts.change(rotate(2)).await.unwrap(), AccountChangeResult::Missing);
    let enter = |recovery: &str| {
        let (recovery, session) = (hash(recovery), hash("late"));
        AccountChange::Enter { account: id(1), recovery, session, label: None, sessions: 1, at_ms: 20 }
    };
    assert_eq!(accounts.change(enter("recovery 1")).await.unwrap(), AccountChangeResult::Missing);
    assert!(accounts.session(hash("session 1")).await.unwrap().is_some(), "a refused one ends no other session");
    assert_eq!(accounts.change(enter("rotated")).await.unwrap(), DONE);
    assert!(accounts.session(hash("session 1")).await.unwrap().is_none());
}

async fn keys_and_callsigns_find_their_identity(ports: &Ports) {
    let accounts = &ports.accounts;
    open(ports, 1, 10).await;
    open(ports, 2, 10).await;
    for name in ["zoe", "ann"] {
        assert_eq!(add(ports, 1, name, None).await, DONE);
    }
    let (ann, first) = (Callsign::parse("ann").unwrap(), Identity { account: id(1), key_no: 8 });
    assert_eq!(accounts.proof(hash("key of ann")).await.unwrap(), Some((ann.clone(), first.clone())));
    let rekey = |n, key_no| AccountChange::Rekey {
        callsign: ann.clone(),
        identity: Identity { account: id(n), key_no },
        key: hash("new key"),
    };
    assert_eq!(accounts.change(rekey(2, 70)).await.unwrap(), AccountChangeResult::Missing, "another account's");
    let revoked = accounts.change(rekey(1, 80)).await.unwrap();
    assert_eq!(revoked, AccountChangeResult::Done(vec![(ann.clone(), first)]));
    let now = (ann.clone(), Identity { account: id(1), key_no: 80 });
    assert_eq!(accounts.proof(hash("key of ann")).await.unwrap(), None);
    assert_eq!(accounts.proof(hash("new key")).await.unwrap(), Some(now.clone()));
    let named = accounts.named(vec![ann.clone(), Callsign::parse("bob").unwrap()]).await.unwrap();
    assert_eq!(named, std::slice::from_ref(&now));
    let rows = accounts.identities(id(1)).await.unwrap();
    let rows: Vec<_> = rows.iter().map(|row| (row.callsign.as_str(), row.created_at)).collect();
    assert_eq!(rows, [("ann", 5), ("zoe", 5)]);
    let remove = |n| AccountChange::RemoveIdentity { callsign: ann.clone(), account: id(n) };
    assert_eq!(accounts.change(remove(2)).await.unwrap(), AccountChangeResult::Missing);
    assert_eq!(accounts.change(remove(1)).await.unwrap(), AccountChangeResult::Done(vec![now]));
    let zoe = (Callsign::parse("zoe").unwrap(), Identity { account: id(1), key_no: 8 });
    let closed = accounts.change(AccountChange::Close { account: id(1) }).await.unwrap();
    assert_eq!(closed, AccountChangeResult::Done(vec![zoe]), "their keys are revoked");
    assert_eq!(add(ports, 2, "zoe", None).await, DONE);
}

async fn a_channel_and_its_account_are_stored_together_or_not_at_all(ports: &Ports) {
    let accounts = &ports.accounts;
    let identities = async || {
        let instances = ports.log.instances()?;
        let facts = instances.facts_after(0).await.unwrap().facts;
        Some(facts.into_iter().filter(|(_, fact)| *fact == Fact::Identities { account: id(2) }).count())
    };
    open(ports, 1, 10).await;
    assert_eq!(add(ports, 1, "ann", None).await, DONE);
    ports.log.append(created_by("taken", None)).await;
    let with = |names: [&str; 2]| {
        let [first, second] = names.map(|name| add_identity(2, name, Some(2)));
        vec![open_account(2, 5), first, second]
    };
    for (name, names, limit, refused) in [
        ("c", ["bob", "ann"], None, Opened::NotMade(AccountChangeResult::Taken)),
        ("c", ["bob", "bob"], None, Opened::NotMade(AccountChangeResult::Taken)),
        ("c", ["bob", "cat"], Some(0), Opened::Full),
        ("taken", ["bob", "cat"], None, Opened::Tried(AppendResult::Conflict)),
    ] {
        let opened = accounts.open_channel(created_by(name, Some(2)), id(2), limit, with(names)).await;
        assert_eq!(opened, refused, "{names:?}");
        assert!(accounts.facts(id(2)).await.unwrap().is_none(), "{refused:?}");
        assert!(accounts.session(hash("session 2")).await.unwrap().is_none());
        assert!(accounts.proof(hash("key of bob")).await.unwrap().is_none());
        assert!(ports.log.find(&channel("c")).await.unwrap().is_none());
        assert!(identities().await.is_none_or(|facts| facts == 0), "{refused:?}");
    }
    let opened = accounts.open_channel(created_by("c", Some(2)), id(2), Some(1), with(["bob", "cat"])).await;
    assert_eq!(opened, Opened::Tried(AppendResult::Done));
    assert_eq!(accounts.identities(id(2)).await.unwrap().len(), 2);
    assert_eq!(accounts.channels(id(2)).await.unwrap().len(), 1);
    assert!(identities().await.is_none_or(|facts| facts == 2), "other hubs learn of its identities");
}
