//! Which servers and databases a store is opened on.

use rogerrat_actors::Log as _;
use rogerrat_domain::HubKey;
use rogerrat_testkit::Postgres;

use super::fixtures::{fill, open, options};
use crate::{PostgresError, PostgresStore};

fn refused(url: &str) -> PostgresError {
    PostgresStore::open(&options(url), HubKey::new([7; 32])).err().unwrap()
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
