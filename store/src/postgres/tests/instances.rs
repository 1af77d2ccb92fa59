//! When an instance is declared ended, and when it is left alone.

use std::time::Duration;

use rogerrat_actors::{Fact, Lanes, Log as _, LogError};
use rogerrat_testkit::{Postgres, wait_until};
use tokio::time::timeout;

use super::super::instance::{connection_name, lock_key};
use super::fixtures::{CUT, kill, open, session};

#[actix_rt::test]
async fn who_looks_for_lanes_ends_no_instance_that_is_connecting_again() {
    let Some(server) = Postgres::shared() else { return };
    let url = server.database();
    let (a, b) = (open(&url), open(&url));
    let (of_a, of_b) = (a.instances().unwrap(), b.instances().unwrap());
    let lanes = of_a.take_lanes(8).await.unwrap();
    a.lose_lock().await;
    // However slow this machine is.
    server
        .sql(&url, format_args!("UPDATE instances SET beat_at = now() + interval '1 hour' WHERE id = {}", of_a.this()));
    assert_eq!(of_b.take_lanes(16).await.unwrap(), Lanes::ALL.without(lanes));
    assert_eq!(of_b.living().await.unwrap().len(), 2);
    of_a.beat().await.unwrap();
    // It has been silent for as long as nobody could record anything.
    kill(&a).await;
    let c = open(&url);
    c.state.age_lock(-3_600_000);
    let of_c = c.instances().unwrap();
    of_b.end().await.unwrap();
    assert_eq!(of_c.take_lanes(16).await.unwrap(), Lanes::ALL.without(lanes));
    of_a.beat().await.unwrap();
    kill(&a).await;
    c.state.age_lock(7_200_000);
    assert_eq!(of_c.take_lanes(16).await.unwrap(), Lanes::ALL);
    assert!(matches!(of_a.beat().await, Err(LogError::Ended)));
}

#[actix_rt::test]
async fn an_instance_is_notified_of_facts_and_does_not_look_for_them() {
    const PATIENCE: Duration = Duration::from_secs(60);
    let Some(server) = Postgres::shared() else { return };
    let url = server.database();
    let (a, b) = (open(&url), open(&url));
    let (of_a, of_b) = (a.instances().unwrap(), b.instances().unwrap());
    let looks = timeout(Duration::from_millis(600), of_b.facts_written()).await;
    assert!(looks.is_err(), "nothing was written");
    a.put_row("other", "x".into(), Some("{}".into())).await.unwrap();
    of_a.write_fact(Fact::Bans).await.unwrap();
    timeout(PATIENCE, of_b.facts_written()).await.expect("it should be notified");
    // What is written while the connection is lost is notified to nobody.
    server.sql(&url, CUT);
    timeout(PATIENCE, of_b.facts_written()).await.expect("it should look when it is connected again");
    of_a.write_fact(Fact::Bans).await.unwrap();
    timeout(PATIENCE, of_b.facts_written()).await.expect("it should be notified again");
}

#[actix_rt::test]
async fn when_all_locks_were_lost_a_free_one_is_no_proof_at_first() {
    let Some(server) = Postgres::shared() else { return };
    let url = server.database();
    let (a, b) = (open(&url), open(&url));
    let (of_a, of_b) = (a.instances().unwrap(), b.instances().unwrap());
    a.close();
    server.sql(&url, CUT);
    wait_until("it has its lock again", || b.state.own_lock().is_retaken && b.state.own_lock().age_ms > 0);
    b.state.age_lock(-3_600_000);
    server
        .sql(&url, format_args!("UPDATE instances SET beat_at = now() - interval '1 hour' WHERE id = {}", of_a.this()));
    assert!(!of_b.end_if_dead(of_a.this()).await.unwrap());
    b.state.age_lock(7_200_000);
    assert!(of_b.end_if_dead(of_a.this()).await.unwrap());
}

#[actix_rt::test]
async fn a_lock_that_was_lost_is_taken_again_at_once_and_recorded() {
    let Some(server) = Postgres::shared() else { return };
    let url = server.database();
    let store = open(&url);
    let this = store.instances().unwrap().this();
    let set = format!("UPDATE instances SET beat_at = now() - interval '1 hour' WHERE id = {this}");
    server.sql(&url, set);
    server.sql(&url, CUT);
    let beat = format!("SELECT beat_at > now() - interval '1 minute' FROM instances WHERE id = {this}");
    // Nothing has called the store meanwhile.
    wait_until("it is alive", || server.sql(&url, &beat) == "t");
}

#[actix_rt::test]
async fn an_instance_that_connects_again_does_not_stop_who_declares_it_ended() {
    let Some(server) = Postgres::shared() else { return };
    let url = server.database();
    let store = open(&url);
    let me = store.channel_writer.instance;
    store.lose_lock().await;
    let ending = session(&url).await;
    ending.batch("BEGIN").await.unwrap();
    ending.query("SELECT pg_advisory_xact_lock($1)", &[&lock_key(me)]).await.unwrap();
    let name = connection_name(me);
    let end = "SELECT count(pg_terminate_backend(pid, 60000)) FROM pg_stat_activity WHERE application_name";
    server.sql(&url, format_args!("{end} = '{name}' AND datname = current_database()"));
    let waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted \
                   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    wait_until("it waits for its lock", || server.sql(&url, waiting) == "1");
    ending.execute("UPDATE instances SET ended_at = now() WHERE id = $1", &[&me]).await.unwrap();
    ending.batch("COMMIT").await.unwrap();
    assert!(matches!(store.instances().unwrap().beat().await, Err(LogError::Ended)));
}

#[actix_rt::test]
async fn an_instance_can_record_that_it_is_alive_while_its_ids_are_raised() {
    let Some(server) = Postgres::shared() else { return };
    let url = server.database();
    let store = open(&url);
    let me = store.channel_writer.instance;
    store.reserve_ids(500).await.unwrap();
    // What the writer's transaction locks until a standby has it.
    let writer = session(&url).await;
    writer.batch("BEGIN").await.unwrap();
    let alive = "SELECT 1 FROM instances WHERE id = $1 AND ended_at IS NULL FOR KEY SHARE";
    assert_eq!(writer.query(alive, &[&me]).await.unwrap().len(), 1);
    writer.execute("UPDATE id_ceilings SET id_ceiling = 900 WHERE instance = $1", &[&me]).await.unwrap();
    store.instances().unwrap().beat().await.unwrap();
    // Whoever ends the instance waits for it.
    let ending = session(&url).await;
    ending.batch("BEGIN; SET LOCAL lock_timeout = '100ms'").await.unwrap();
    assert!(ending.query("SELECT 1 FROM instances WHERE id = $1 FOR UPDATE", &[&me]).await.is_err());
}

#[actix_rt::test]
async fn defaults_of_the_server_do_not_change_what_a_session_sees() {
    let Some(server) = Postgres::shared() else { return };
    let url = server.database();
    let name = url.rsplit('/').next().unwrap();
    for setting in ["default_transaction_isolation = 'serializable'", "idle_session_timeout = '1s'"] {
        server.sql(&url, format_args!("ALTER DATABASE {name} SET {setting}"));
    }
    let session = session(&url).await;
    let sql = "SELECT current_setting('transaction_isolation'), current_setting('idle_session_timeout')";
    let row = session.query_one(sql, &[]).await.unwrap();
    assert_eq!((row.get::<_, &str>(0), row.get::<_, &str>(1)), ("read committed", "0"));
}
