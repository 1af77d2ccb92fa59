//! Deleting what deleted channels have left, beside other queries.

use rogerrat_actors::Log as _;
use rogerrat_testkit::{Postgres, wait_until};

use super::fixtures::{channel, fill, open, session};

#[actix_rt::test]
async fn erasing_takes_one_connection_and_goes_on_after_a_failure() {
    let Some(server) = Postgres::shared() else { return };
    let url = server.database();
    let store = open(&url);
    for n in 0..6 {
        fill(&store, &format!("c{n}"), 1, "hi").await;
    }
    let other = session(&url).await;
    other.batch("BEGIN; LOCK TABLE messages IN SHARE MODE").await.unwrap();
    for n in 0..6 {
        assert!(store.delete_channel(&channel(&format!("c{n}"))).await.unwrap());
    }
    let waiting = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE 'DELETE FROM messages%'";
    wait_until("the eraser waits", || server.sql(&url, waiting) != "0");
    for _ in 0..20 {
        assert_eq!(store.count().await.unwrap(), 0);
    }
    assert!(["0", "1"].contains(&&*server.sql(&url, waiting)), "one at a time");
    let end = "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity
        WHERE datname = current_database() AND query LIKE 'DELETE FROM messages%' AND pid <> pg_backend_pid()";
    server.sql(&url, end);
    other.batch("COMMIT").await.unwrap();
    wait_until("the rows are deleted", || server.sql(&url, "SELECT count(*) FROM messages") == "0");
    wait_until("the rows are deleted", || server.sql(&url, "SELECT count(*) FROM erasing") == "0");
}
