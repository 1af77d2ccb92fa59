//! Database servers that are killed, promoted, full and slow.

use rogerrat_testkit::{Postgres, timed};

use super::super::{environment, is_long};
use super::{Cluster, RECOVERY, SENDS};

/// Two hubs on a server of their own.
fn on(server: &Postgres, name: &'static str) -> (Cluster, String) {
    let url = server.database();
    (Cluster::start(name, &[&environment(&url), &environment(&url)]), url)
}

#[test]
fn the_primary_is_killed_and_started_again() {
    let Some(mut server) = Postgres::start() else { return };
    let (mut cluster, _) = on(&server, "kill -9 of the primary");
    cluster.during(|cluster| {
        server.kill();
        // Its recovery is no part of what the hubs add: it waits for the disk.
        let started = timed(|| server.start_again()).0;
        let served = timed(|| assert!(cluster.judge.wait_until_served(RECOVERY), "durable channels are not served")).0;
        eprintln!(
            "the primary accepts connections {started:?} after its start, all channels are served {served:?} later"
        );
    });
    cluster.expect_running();
    for hub in &cluster.hubs {
        // An outage is logged when it begins, and not with each try to connect.
        let reports = hub.log().matches("PostgreSQL cannot be used").count();
        assert!((1..=3).contains(&reports), "{reports} reports: {}", hub.log());
    }
    cluster.finish();
}

#[test]
fn the_primary_is_killed_and_its_standby_promoted() {
    let Some(mut primary) = Postgres::start() else { return };
    let standby = primary.standby();
    let url = primary.database();
    // Hubs find the server that can be written to.
    let [first, second] = [primary.address(), standby.address()].map(|address| address.to_string());
    let url = url.replace(&first, &format!("{first},{second}")) + "?target_session_attrs=read-write";
    let mut cluster = Cluster::start("promotion of the standby", &[&environment(&url), &environment(&url)]);
    cluster.during(|_| {
        primary.kill();
        standby.promote();
    });
    cluster.expect_running();
    cluster.finish();
}

/// Lets each insert of a record fail with a code.
fn fail_inserts(server: &Postgres, database: &str, code: &str) {
    server.sql(
        database,
        format_args!(
            "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'simulated' USING ERRCODE = '{code}'; END $$;
             CREATE TRIGGER fail BEFORE INSERT ON records EXECUTE FUNCTION fail()"
        ),
    );
}

#[test]
fn the_disk_of_the_database_is_full_and_statements_are_canceled() {
    let Some(server) = Postgres::shared() else { return };
    let (mut cluster, url) = on(server, "disk full, statements canceled");
    // Out of disk space, and canceled by a time-out.
    for code in ["53100", "57014"] {
        cluster.during(|cluster| {
            fail_inserts(server, &url, code);
            assert!(cluster.judge.wait_until_refused(20, RECOVERY), "no send is refused");
            server.sql(&url, "DROP TRIGGER fail ON records; DROP FUNCTION fail");
        });
    }
    cluster.finish();
}

#[test]
fn statements_wait_for_a_lock() {
    // A prepared transaction keeps its locks without a connection.
    let Some(server) = Postgres::with(&["max_prepared_transactions=1"]) else { return };
    let (mut cluster, url) = on(&server, "statements that wait");
    cluster.during(|cluster| {
        server.sql(&url, "BEGIN; LOCK TABLE records; PREPARE TRANSACTION 'lock'");
        // Memory channels do not need the table.
        let sends = if is_long() { 1_000 } else { SENDS };
        assert!(cluster.judge.wait_for_sends(sends, RECOVERY), "memory channels are not served");
        server.sql(&url, "COMMIT PREPARED 'lock'");
    });
    cluster.expect_running();
    cluster.finish();
}
