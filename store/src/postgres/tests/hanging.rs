//! A database that accepts connections and answers nothing, and one that has no space.

use std::net::TcpListener;
use std::time::Duration;

use rogerrat_actors::{AppendResult, Log as _, LogError};
use rogerrat_domain::HubKey;
use rogerrat_testkit::{Postgres, wait_until};
use tokio::time::timeout;

use super::fixtures::{CUT, channel, fill, open, options, owned, sent, session};
use crate::postgres::error::Failure;
use crate::postgres::session::Connector;
use crate::{PostgresError, PostgresStore};

#[test]
fn a_server_that_never_answers_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgres://user:secret@{}/db?sslmode=disable", silent.local_addr().unwrap());
    let error = PostgresStore::open(&options(&url), HubKey::new([7; 32])).err().unwrap();
    assert!(matches!(error, PostgresError::Silent), "{error}");
}

#[actix_rt::test]
async fn a_statement_has_a_time_limit_on_both_sides() {
    let Some(server) = Postgres::shared() else { return };
    let url = server.database();
    let session = session(&url).await;
    let limit = session.query_one("SELECT current_setting('statement_timeout')", &[]).await.unwrap();
    assert_eq!(limit.get::<_, &str>(0), "10s");
    let (other, wait) = (super::fixtures::session(&url).await, "SELECT pg_advisory_lock(1)");
    other.batch(wait).await.unwrap();
    session.batch("SET statement_timeout = '10ms'").await.unwrap();
    let failure = session.batch(wait).await.unwrap_err();
    assert!(matches!(LogError::from(failure), LogError::Busy), "the caller may try again");
    // The server does not keep its limit.
    session.batch("SET statement_timeout = 0").await.unwrap();
    let failure = session.batch_within(Duration::from_millis(10), wait).await.unwrap_err();
    assert!(matches!(failure, Failure::Silent) && session.is_closed(), "{failure:?}");
}

#[actix_rt::test]
async fn a_connection_that_takes_no_writes_is_not_used() {
    let Some(server) = Postgres::shared() else { return };
    let url = server.database();
    let name = url.rsplit('/').next().unwrap();
    let store = open(&url);
    let fence = fill(&store, "c", 1, "hi").await;
    server.sql(&url, format_args!("ALTER DATABASE {name} SET default_transaction_read_only = on"));
    let connect = Connector::new(&url, None).unwrap().connect().await;
    assert!(matches!(connect.err().unwrap().into_connect_error(), PostgresError::ReadOnly));
    server.sql(&url, CUT);
    let append = store.append(owned("c", fence, 3, vec![sent(2, "hi")]));
    server.sql("postgres", format_args!("ALTER DATABASE {name} RESET ALL"));
    assert_eq!(append.await, AppendResult::Done);
    // Nor one on which a crash would lose messages.
    server.sql("postgres", format_args!("ALTER DATABASE {name} SET synchronous_commit = off"));
    server.sql(&url, CUT);
    let append = store.append(owned("c", fence, 4, vec![sent(3, "hi")]));
    assert!(timeout(Duration::from_millis(300), append).await.is_err());
    server.sql("postgres", format_args!("ALTER DATABASE {name} RESET ALL"));
    assert_eq!(store.append(owned("c", fence, 4, vec![sent(3, "hi")])).await, AppendResult::Done);
    // One that was the primary's.
    let session = session(&url).await;
    session.batch("SET default_transaction_read_only = on").await.unwrap();
    assert!(session.execute("INSERT INTO hub (name, value) VALUES ('a', 'b')", &[]).await.is_err());
    assert!(session.is_closed());
}

#[actix_rt::test]
async fn after_a_full_disk_small_writes_do_not_prove_that_there_is_space() {
    let Some(server) = Postgres::shared() else { return };
    let url = server.database();
    let store = open(&url);
    let fence = fill(&store, "c", 1, "hi").await;
    // As a disk on which there is space for small rows only.
    server.sql(
        &url,
        "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = 'disk_full'; END $$;
         CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON hub FOR EACH ROW
         WHEN (length(NEW.value) > 1000) EXECUTE FUNCTION full_disk()",
    );
    assert!(store.put_meta("large", "x".repeat(2000)).await.is_err());
    assert!(!store.is_healthy());
    for seq in 3..20 {
        assert_eq!(store.append(owned("c", fence, seq, vec![sent(seq - 1, "hi")])).await, AppendResult::Done);
        assert!(!store.is_healthy(), "{seq}");
    }
    server.sql(&url, "DROP TRIGGER full_disk ON hub");
    wait_until("the store has tried it", || store.is_healthy());
    assert_eq!(store.take(&channel("c")).await.unwrap().seq, 19);
}
