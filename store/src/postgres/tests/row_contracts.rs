//! Accounts, e-mail addresses and webhooks keep the contracts of their ports, also while two hubs write at the same time.

use std::sync::Arc;

use futures_util::future::{join, join_all};
use rogerrat_actors::{
    AccountChange, AccountChangeResult, Accounts as _, AppendResult, EmailChangeResult, EmailStore as _, Log as _,
    Opened, Ports, WebhookStore,
};
use rogerrat_domain::webhook::{DeliveryId, DeliveryState, HookOwner};
use rogerrat_domain::{Callsign, Identity};
use rogerrat_testkit::{Postgres, wait_until};

use super::fixtures::open;
use crate::PostgresStore;
use crate::tests::account_contract::{accounts, add_identity, created_by, hash, id, open_account};
use crate::tests::email_contract::{attach, code, emails, verify};
use crate::tests::webhook_contract::{due, hook, hooks_with_owners, webhooks};

/// How often two hubs race.
const RACES: u64 = 15;

#[actix_rt::test]
async fn accounts_keep_the_contract() {
    let Some(server) = Postgres::shared() else { return };
    let new = async || Ports::of(Arc::new(open(&server.database())));
    accounts(new).await;
    emails(new).await;
}

#[actix_rt::test]
async fn webhooks_keep_the_contract() {
    let Some(server) = Postgres::shared() else { return };
    let new = async || Ports::of(Arc::new(open(&server.database())));
    webhooks(new).await;
    hooks_with_owners(new).await;
}

/// Two hubs on a new database, with accounts 1 to `n`.
async fn two_hubs(server: &Postgres, n: u64) -> (PostgresStore, PostgresStore) {
    let url = server.database();
    let (one, other) = (open(&url), open(&url));
    for n in 1..=n {
        one.change(open_account(n, 10)).await.unwrap();
    }
    (one, other)
}

/// How many of the results are these.
fn count<T: PartialEq>(results: &[T], wanted: &T) -> usize {
    results.iter().filter(|result| *result == wanted).count()
}

const DONE: AccountChangeResult = AccountChangeResult::Done(Vec::new());

#[actix_rt::test]
async fn one_of_two_hubs_gets_an_identity_and_no_quota_is_exceeded() {
    let Some(server) = Postgres::shared() else { return };
    let (one, other) = two_hubs(server, 2).await;
    for race in 0..RACES {
        let name = format!("name-{race}");
        let (a, b) = join(one.change(add_identity(1, &name, None)), other.change(add_identity(2, &name, None))).await;
        let results = [a.unwrap(), b.unwrap()];
        assert_eq!((count(&results, &DONE), count(&results, &AccountChangeResult::Taken)), (1, 1), "{results:?}");
    }
    let (one, other) = two_hubs(server, 1).await;
    let limit = Some(u32::try_from(RACES).unwrap());
    let adds = (0..RACES).flat_map(|n| {
        let add = |store: &PostgresStore, hub| store.change(add_identity(1, &format!("{hub}-{n}"), limit));
        [add(&one, "one"), add(&other, "other")]
    });
    let results: Vec<_> = join_all(adds).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(count(&results, &DONE), RACES as usize);
    assert_eq!(count(&results, &AccountChangeResult::Full), RACES as usize);
    assert_eq!(one.identities(id(1)).await.unwrap().len(), RACES as usize);
    let opens = (0..RACES).flat_map(|n| {
        let open = |store: &PostgresStore, hub| {
            store.open_channel(created_by(&format!("{hub}-{n}"), Some(1)), id(1), limit, Vec::new())
        };
        [open(&one, "one"), open(&other, "other")]
    });
    let results = join_all(opens).await;
    assert_eq!(count(&results, &Opened::Tried(AppendResult::Done)), RACES as usize, "{results:?}");
    assert_eq!(count(&results, &Opened::Full), RACES as usize);
    assert_eq!(other.channels(id(1)).await.unwrap().len(), RACES as usize);
}

#[actix_rt::test]
async fn of_two_hubs_that_rotate_a_key_the_last_one_replaces_the_other() {
    let Some(server) = Postgres::shared() else { return };
    let (one, other) = two_hubs(server, 1).await;
    one.change(add_identity(1, "ann", None)).await.unwrap();
    let ann = Callsign::parse("ann").unwrap();
    let mut current = 8;
    for race in 0..RACES {
        let rekey = |store: &PostgresStore, key_no: u64| {
            let identity = Identity { account: id(1), key_no };
            store.change(AccountChange::Rekey { callsign: ann.clone(), identity, key: hash(&format!("key {key_no}")) })
        };
        let (first, second) = (100 + 2 * race, 101 + 2 * race);
        let (a, b) = join(rekey(&one, first), rekey(&other, second)).await;
        let revoked = |result: AccountChangeResult| match result {
            AccountChangeResult::Done(revoked) if revoked.len() == 1 => revoked[0].1.key_no,
            result => panic!("{result:?}"),
        };
        let mut revoked = [revoked(a.unwrap()), revoked(b.unwrap())];
        let winner = if revoked.contains(&first) { second } else { first };
        let mut expected = [current, first + second - winner];
        revoked.sort_unstable();
        expected.sort_unstable();
        assert_eq!(revoked, expected, "each key but the last is revoked once");
        for key_no in [first, second] {
            let proof = one.proof(hash(&format!("key {key_no}"))).await.unwrap();
            assert_eq!(proof.map(|(_, identity)| identity.key_no), (key_no == winner).then_some(winner));
        }
        current = winner;
    }
}

#[actix_rt::test]
async fn an_account_is_closed_completely_while_another_hub_adds_to_it() {
    let Some(server) = Postgres::shared() else { return };
    let (one, other) = two_hubs(server, RACES).await;
    for n in 1..=RACES {
        let hook = hook(n.into(), HookOwner::Account(id(n)));
        let added = other.change(add_identity(n, &format!("name-{n}"), None));
        let opened = other.open_channel(created_by(&format!("channel-{n}"), Some(n)), id(n), None, Vec::new());
        let stored = other.put_hook(&hook, None);
        let enqueued = WebhookStore::enqueue(&other, due(n.into(), &[&hook]));
        let closed = one.change(AccountChange::Close { account: id(n) });
        let (closed, (added, (opened, (stored, enqueued)))) =
            join(closed, join(added, join(opened, join(stored, enqueued)))).await;
        let (AccountChangeResult::Done(revoked), added) = (closed.unwrap(), added.unwrap()) else { panic!() };
        let (opened, _) = (opened, (stored.unwrap(), enqueued.unwrap()));
        assert!(matches!(opened, Opened::Missing | Opened::Tried(AppendResult::Done)), "{opened:?}");
        assert_eq!(revoked.len(), usize::from(added == DONE), "the key of each identity is revoked: {added:?}");
        assert_eq!(one.proof(hash(&format!("key of name-{n}"))).await.unwrap(), None);
        assert!(one.channels(id(n)).await.unwrap().is_empty());
        assert!(one.session(hash(&format!("session {n}"))).await.unwrap().is_none());
    }
    assert!(one.hooks().await.unwrap().is_empty());
}

#[actix_rt::test]
async fn an_address_recovers_no_more_accounts_than_it_may() {
    let Some(server) = Postgres::shared() else { return };
    let (one, other) = two_hubs(server, 6).await;
    for n in 1..=6 {
        one.change_email(attach(n, "ann@example.org")).await.unwrap();
    }
    let verified = (1..=6).map(|n| {
        let store = if n % 2 == 0 { &one } else { &other };
        store.change_email(verify(code(n, &format!("code {n}"))))
    });
    let results: Vec<_> = join_all(verified).await.into_iter().map(Result::unwrap).collect();
    let is_verified = |result: &&EmailChangeResult| matches!(result, EmailChangeResult::Verified { .. });
    assert_eq!(results.iter().filter(is_verified).count(), 2, "{results:?}");
    assert_eq!(count(&results, &EmailChangeResult::Full), 4);
    // A code that two hubs try at once counts each try.
    let (one, other) = two_hubs(server, 1).await;
    one.change_email(attach(1, "ann@example.org")).await.unwrap();
    let wrong = (0..10).map(|n| if n % 2 == 0 { &one } else { &other }.change_email(verify(code(1, "wrong"))));
    let results: Vec<_> = join_all(wrong).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(count(&results, &EmailChangeResult::Wrong), 3, "{results:?}");
}

#[actix_rt::test]
async fn deliveries_of_two_hubs_become_visible_in_the_order_of_their_numbers() {
    let Some(server) = Postgres::shared() else { return };
    let (one, other) = two_hubs(server, 1).await;
    let hook = hook(1, HookOwner::Account(id(1)));
    assert_eq!(one.put_hook(&hook, None).await.unwrap(), rogerrat_actors::PutHook::Done);
    let enqueued = join_all((0..RACES * 4).map(|n| {
        let store = if n % 2 == 0 { &one } else { &other };
        WebhookStore::enqueue(store, due(n.into(), &[&hook]))
    }));
    let read = async {
        let (mut seen, mut after) = (0, 0);
        while seen < RACES * 4 {
            for row in WebhookStore::due(&one, &hook.id, after, 3).await.unwrap() {
                assert!(row.no > after);
                (seen, after) = (seen + 1, row.no);
            }
        }
    };
    // A delivery that became visible late, below `after`, would be missing at the end.
    let (enqueued, ()) = join(enqueued, read).await;
    assert!(enqueued.iter().all(Result::is_ok));
    let finished = one.deliveries(&hook.id, 1).await.unwrap().remove(0);
    let mut done = finished.clone();
    done.delivery.state = rogerrat_domain::webhook::DeliveryState::Delivered;
    let (a, b) = join(one.keep(&hook.id, &done), other.keep(&hook.id, &done)).await;
    assert!(a.is_ok() && b.is_ok());
    assert_eq!(one.webhooks().hidden(done.no).await.unwrap(), None);
}

#[actix_rt::test]
async fn deliveries_of_a_message_are_written_by_one_statement() {
    let Some(server) = Postgres::with(&["log_statement=all"]) else { return };
    let (one, _) = two_hubs(&server, 1).await;
    let hooks: Vec<_> = (1..=20).map(|n| hook(n, HookOwner::Account(id(1)))).collect();
    for hook in &hooks {
        assert_eq!(one.put_hook(hook, None).await.unwrap(), rogerrat_actors::PutHook::Done);
    }
    let gone = hook(21, HookOwner::Account(id(1)));
    let to: Vec<_> = hooks.iter().chain([&gone]).collect();
    // One that is finished at once is replaced by the next attempt of the same id.
    let mut first = due(7, &to);
    first.deliveries.iter_mut().for_each(|(_, delivery)| delivery.state = DeliveryState::Failed);
    for due in [first, due(7, &to), due(8, &to)] {
        WebhookStore::enqueue(&one, due).await.unwrap();
    }
    let statements = || server.log().matches("INSERT INTO deliveries").count();
    wait_until("the statements are logged", || statements() >= 3);
    assert_eq!(statements(), 3);
    for hook in &hooks {
        let rows = one.deliveries(&hook.id, 9).await.unwrap();
        let found: Vec<_> = rows.iter().map(|row| (row.delivery.id.clone(), row.delivery.state)).collect();
        let wanted = [8, 7].map(|n| (DeliveryId::from_random(n), DeliveryState::Due));
        assert_eq!(found, wanted);
        assert!(one.webhooks().hidden(rows[0].no).await.unwrap().unwrap().starts_with(b"hidden 8"));
    }
}
