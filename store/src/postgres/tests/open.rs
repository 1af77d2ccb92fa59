//! Which servers and databases a store is opened on.

use futures_util::future::join_all;
use rogerrat_actors::{Log as _, stored_push_key};
use rogerrat_domain::HubKey;
use rogerrat_testkit::Postgres;

use super::fixtures::{fill, open, options};
use crate::{DatabaseReport, PostgresError, PostgresOptions, PostgresStore, hub_key};

fn refused(url: &str) -> PostgresError {
    PostgresStore::open(&options(url), HubKey::new([7; 32])).err().unwrap()
}

/// Checks a database with a key, on a thread of its own, because it blocks.
fn checked(url: &str, key: Option<u8>) -> Result<DatabaseReport, PostgresError> {
    let (options, key) = (options(url), key.map(|key| HubKey::new([key; 32])));
    std::thread::spawn(move || PostgresStore::check(&options, key.as_ref())).join().unwrap()
}

#[actix_rt::test]
async fn a_database_that_could_lose_messages_is_refused() {
    let Some(server) = Postgres::shared() else { return };
    for value in ["off", "local"] {
        let url = server.database();
        let name = url.rsplit('/').next().unwrap();
        server.sql(&url, format_args!("ALTER DATABASE {name} SET synchronous_commit = {value}"));
        let refusal = refused(&url);
        assert!(matches!(refusal, PostgresError::UnsafeSetting { name: "synchronous_commit", .. }), "{refusal}");
        assert!(refusal.to_string().contains(&format!("synchronous_commit = {value}")), "{refusal}");
    }
    let url = server.database();
    let name = url.rsplit('/').next().unwrap();
    server.sql(&url, format_args!("ALTER DATABASE {name} SET default_transaction_read_only = on"));
    assert!(matches!(refused(&url), PostgresError::ReadOnly));
}

#[actix_rt::test]
async fn a_database_of_another_hub_or_a_newer_one_is_refused() {
    let Some(server) = Postgres::shared() else { return };
    let url = server.database();
    let store = open(&url);
    fill(&store, "c", 1, "hi").await;
    let other = PostgresStore::open(&options(&url), HubKey::new([8; 32])).err().unwrap();
    assert!(matches!(other, PostgresError::OtherKey), "{other}");
    server.sql(&url, "UPDATE schema_version SET version = 200");
    let newer = refused(&url);
    assert!(matches!(newer, PostgresError::NewerSchema { found: 200, .. }), "{newer}");
    assert!(store.probe().await.is_ok());
}

#[actix_rt::test]
async fn errors_do_not_contain_the_password() {
    let Some(server) = Postgres::shared() else { return };
    let wrong = server.url("no_such_database");
    let refusals = [
        refused(&wrong),
        refused(&wrong.replace(&server.address().to_string(), "127.0.0.1:1")),
        refused(&format!("{wrong}?sslmode=perhaps")),
        refused(&format!("{wrong}?sslmode=require")),
        refused(&format!("://{}", server.password())),
    ];
    for refusal in refusals {
        let texts = format!("{refusal} {refusal:?} {:?}", options(&wrong));
        assert!(!texts.contains(server.password()), "{texts}");
    }
}

#[actix_rt::test]
async fn hubs_that_start_at_the_same_time_create_the_tables_once() {
    let Some(server) = Postgres::shared() else { return };
    let url = server.database();
    let threads: Vec<_> = (0..3)
        .map(|_| {
            let url = url.clone();
            std::thread::spawn(move || open(&url))
        })
        .collect();
    let stores: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    let mut ids: Vec<_> = stores.iter().map(|store| store.instances().unwrap().this()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 3);
    for store in &stores {
        store.close();
        assert!(store.count().await.is_err() && !store.is_healthy());
    }
}

#[actix_rt::test]
async fn hubs_that_start_for_the_first_time_at_once_have_the_same_keys() {
    let Some(server) = Postgres::shared() else { return };
    let url = server.database();
    let folder = std::env::temp_dir().join(format!("rogerrat-first-start-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    let threads: Vec<_> = (0..3)
        .map(|_| {
            let (url, folder) = (url.clone(), folder.clone());
            std::thread::spawn(move || PostgresStore::open(&options(&url), hub_key(&folder).unwrap()).unwrap())
        })
        .collect();
    let stores: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    let keys = stores
        .iter()
        .zip(1..)
        .map(|(store, n)| async move { stored_push_key(store, &store.key(), || vec![n; 32]).await.unwrap() });
    let keys = join_all(keys).await;
    assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
    let _ = std::fs::remove_dir_all(&folder);
}

#[actix_rt::test]
async fn a_user_without_the_rights_is_refused_with_what_it_needs() {
    let Some(server) = Postgres::shared() else { return };
    let url = server.database();
    let name = url.rsplit('/').next().unwrap();
    let (store, user) = (open(&url), format!("guest_of_{name}"));
    store.close();
    server.sql(&url, format_args!("CREATE ROLE {user} LOGIN PASSWORD 'guest'"));
    let (_, host) = url.split_once('@').unwrap();
    let guest = format!("postgres://{user}:guest@{host}");
    server.sql(&url, "REVOKE CREATE ON SCHEMA public FROM public");
    for (grant, reason) in [
        (format!("GRANT USAGE ON SCHEMA public TO {user}"), "create tables in the schema public"),
        (format!("GRANT CREATE ON SCHEMA public TO {user}"), "use and change the table account"),
    ] {
        server.sql(&url, grant);
        for refusal in [refused(&guest), checked(&guest, None).unwrap_err()] {
            let text = refusal.to_string();
            assert!(text.contains(&user) && text.contains(reason), "{text}");
        }
    }
}

#[actix_rt::test]
async fn c11_a_hub_without_an_address_runs_only_alone() {
    let Some(server) = Postgres::shared() else { return };
    let url = server.database();
    let without = PostgresOptions { instance_url: String::new(), ..options(&url) };
    let start = |options: &PostgresOptions| PostgresStore::open(options, HubKey::new([7; 32]));
    let alone = start(&without).unwrap();
    // It records that it is alive, as a hub does.
    let beating = async |store: &PostgresStore, other: PostgresOptions| {
        let refused = std::thread::spawn(move || PostgresStore::open(&other, HubKey::new([7; 32])).err().unwrap());
        while !refused.is_finished() {
            store.instances().unwrap().beat().await.unwrap();
        }
        refused.join().unwrap()
    };
    for other in [options(&url), without.clone()] {
        let refusal = beating(&alone, other).await;
        let text = refusal.to_string();
        assert!(text.contains("hub 1") && text.contains("cluster.listen"), "{text}");
    }
    alone.close();
    let first = open(&url);
    let second = open(&url);
    let refusal = beating(&first, without.clone()).await;
    assert!(matches!(refusal, PostgresError::NoAddress { .. }), "{refusal}");
    first.close();
    second.close();
    assert!(start(&without).is_ok(), "the others have ended");
}

#[actix_rt::test]
async fn a_check_reports_the_database_and_changes_nothing() {
    let Some(server) = Postgres::shared() else { return };
    let url = server.database();
    let report = checked(&url, None).unwrap();
    assert_eq!((report.schema, report.hubs.len()), (None, 0));
    assert!(report.warnings.iter().all(|warning| warning.contains("synchronous_standby_names")), "{report:?}");
    let store = open(&url);
    let report = checked(&url, Some(7)).unwrap();
    assert_eq!((report.schema, report.hubs.len()), (Some(report.known_schema), 1));
    assert!(!report.server.is_empty() && !report.user.is_empty());
    for other in [None, Some(8)] {
        assert!(matches!(checked(&url, other), Err(PostgresError::OtherKey)));
    }
    store.close();
}
