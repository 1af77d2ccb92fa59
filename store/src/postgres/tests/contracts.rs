//! The store keeps the contracts of a log and of a log that hubs share.

use rogerrat_testkit::Postgres;

use super::fixtures::{kill, open};
use crate::PostgresStore;
use crate::tests::log_contract::a_log;
use crate::tests::shared_log_contract::a_shared_log;

#[actix_rt::test]
async fn the_store_keeps_the_contract() {
    let Some(server) = Postgres::shared() else { return };
    a_log(|| open(&server.database())).await;
}

#[actix_rt::test]
async fn instances_keep_the_contract_of_a_shared_log() {
    let Some(server) = Postgres::shared() else { return };
    let two = async || {
        let url = server.database();
        (open(&url), open(&url))
    };
    a_shared_log(two, async |instance: &PostgresStore| kill(instance).await).await;
}
