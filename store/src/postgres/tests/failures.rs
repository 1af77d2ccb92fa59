//! What goes wrong between a store and its server, and between instances.

use futures_util::future::join_all;
use rogerrat_actors::{AppendResult, Log as _, LogError, PreviousOwner};
use rogerrat_testkit::Postgres;

use super::fixtures::{CUT, channel, created, fill, open, owned, record, sent, snapshot};
use super::proxy::{Cut, CuttingProxy};
use crate::PostgresStore;

/// The numbers of the stored records of channel `c`, taken again.
async fn records(store: &PostgresStore) -> (u64, Vec<u64>) {
    let stored = store.take(&channel("c")).await.unwrap();
    (stored.fence, stored.records.iter().map(|record| record.seq).collect())
}

#[actix_rt::test]
async fn a_commit_whose_answer_is_lost_is_found_and_one_that_is_cut_is_repeated() {
    let Some(server) = Postgres::shared() else { return };
    let proxy = CuttingProxy::start(server.address());
    let store = open(&proxy.url(&server.database(), server.address()));
    let fence = fill(&store, "c", 1, "hi").await;
    for (seq, cut) in [(3, Cut::AfterCommit), (5, Cut::BeforeCommit)] {
        proxy.cut_next(cut);
        let appends = [seq, seq + 1].map(|seq| store.append(owned("c", fence, seq, vec![sent(seq - 1, "hi")])));
        assert_eq!(join_all(appends).await, [AppendResult::Done; 2], "{cut:?}");
        assert!(proxy.has_cut());
    }
    assert_eq!(records(&store).await.1, [1, 2, 3, 4, 5, 6]);
    assert!(store.is_healthy() && store.probe().await.is_ok());
}

#[actix_rt::test]
async fn of_instances_that_race_for_a_channel_one_gets_it() {
    let Some(server) = Postgres::shared() else { return };
    let url = server.database();
    let stores = [open(&url), open(&url), open(&url)];
    for n in 0..10 {
        let name = format!("c{n}");
        let made = join_all(stores.iter().enumerate().map(|(rid, store)| {
            store.append(rogerrat_domain::Record { rid: rid as u128, ..record(&name, 1, vec![created()]) })
        }));
        assert_eq!(made.await.iter().filter(|made| **made == AppendResult::Done).count(), 1, "{name}");
        let taken = join_all(stores.iter().map(|store| store.take(&channel(&name)))).await;
        let owners: Vec<_> =
            taken.iter().enumerate().filter_map(|(n, taken)| Some((n, taken.as_ref().ok()?))).collect();
        assert_eq!(owners.len(), 1, "{name}");
        assert!(taken.iter().all(|taken| matches!(taken, Ok(_) | Err(LogError::NotOwner))));
        let (owner, fence) = (owners[0].0, owners[0].1.fence);
        let appends =
            join_all(stores.iter().map(|store| store.append(owned(&name, fence, 2, vec![sent(1, "hi")])))).await;
        // The same record twice is one record, so what others get does not matter here; only the owner stores it.
        assert_eq!(appends[owner], AppendResult::Done);
        for (_, other) in stores.iter().enumerate().filter(|(n, _)| *n != owner) {
            assert_eq!(other.append(owned(&name, fence, 3, vec![sent(2, "hi")])).await, AppendResult::Conflict);
        }
    }
}

#[actix_rt::test]
async fn connections_that_the_server_ends_are_replaced() {
    let Some(server) = Postgres::shared() else { return };
    let url = server.database();
    let (store, other) = (open(&url), open(&url));
    let fence = fill(&store, "c", 1, "hi").await;
    for seq in 3..6 {
        server.sql(&url, CUT);
        let append = store.append(owned("c", fence, seq, vec![sent(seq - 1, "hi")]));
        assert_eq!(append.await, AppendResult::Done);
        store.instances().unwrap().beat().await.unwrap();
        assert_eq!(store.messages(&channel("c"), vec![seq - 1]).await.unwrap().len(), 1);
    }
    let this = store.instances().unwrap().this();
    assert!(!other.instances().unwrap().end_if_dead(this).await.unwrap(), "it has its lock again");
    assert_eq!(records(&store).await.1, [1, 2, 3, 4, 5]);
}

#[actix_rt::test]
async fn a_store_outlives_crashes_and_restarts_of_its_server() {
    let Some(mut server) = Postgres::start() else { return };
    let url = server.database();
    let (store, other) = (open(&url), open(&url));
    let fence = fill(&store, "c", 1, "hi").await;
    for (seq, end) in (3..).zip([Postgres::kill, Postgres::stop]) {
        end(&mut server);
        let append = store.append(owned("c", fence, seq, vec![sent(seq - 1, "hi")]));
        server.start_again();
        let appended = append.await;
        // A slow machine may need longer than a write waits. It is then repeated, as a repeated append is harmless.
        assert!(matches!(appended, AppendResult::Done | AppendResult::Busy), "{appended:?}");
        while store.append(owned("c", fence, seq, vec![sent(seq - 1, "hi")])).await == AppendResult::Busy {}
        store.instances().unwrap().beat().await.unwrap();
    }
    let this = store.instances().unwrap().this();
    assert!(!other.instances().unwrap().end_if_dead(this).await.unwrap(), "it has its lock again");
    assert_eq!(records(&store).await.1, [1, 2, 3, 4]);
}

#[actix_rt::test]
async fn an_instance_that_is_silent_for_too_long_is_ended_and_writes_nothing_more() {
    let Some(server) = Postgres::shared() else { return };
    let url = server.database();
    let (frozen, other) = (open(&url), open(&url));
    let fence = fill(&frozen, "c", 2, "hi").await;
    frozen.reserve_ids(700).await.unwrap();
    let this = frozen.instances().unwrap().this();
    let instances = other.instances().unwrap();
    assert!(!instances.end_if_dead(this).await.unwrap(), "it holds its lock");
    server.sql(&url, format_args!("UPDATE instances SET beat_at = now() - interval '11 seconds' WHERE id = {this}"));
    assert!(instances.end_if_dead(this).await.unwrap());
    assert_eq!(instances.owner(&channel("c")).await.unwrap(), None);
    let stored = other.take(&channel("c")).await.unwrap();
    assert_eq!(stored.previous_owner, PreviousOwner::Lost { id_ceiling: 700 });
    assert!(stored.fence > fence && stored.seq == 3);
    for seq in [4, 5] {
        let append = frozen.append(owned("c", fence, seq, vec![sent(9, "late")]));
        assert_eq!(append.await, AppendResult::Conflict);
    }
    let given_up = frozen.give_up(&channel("c"), fence, 3, snapshot(1, &[])).await;
    assert!(matches!(given_up, Err(LogError::NotOwner)), "{given_up:?}");
    assert!(matches!(frozen.reserve_ids(900).await, Err(LogError::Ended)));
    assert!(matches!(frozen.probe().await, Err(LogError::Ended)));
    assert!(matches!(frozen.instances().unwrap().beat().await, Err(LogError::Ended)));
    assert_eq!(other.append(owned("c", stored.fence, 4, vec![sent(701, "hi")])).await, AppendResult::Done);
    // Nobody who took it later may assign what the frozen one may still assign.
    other.lose_lock().await;
    let third = open(&url);
    assert!(third.instances().unwrap().end_if_dead(instances.this()).await.unwrap());
    let stored = third.take(&channel("c")).await.unwrap();
    assert_eq!(stored.previous_owner, PreviousOwner::Lost { id_ceiling: 700 });
}
