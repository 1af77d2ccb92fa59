//! The accounts and webhooks of this crate keep the contracts of their ports.

use std::sync::Arc;

use super::account_contract::accounts;
use super::email_contract::emails;
use super::webhook_contract::webhooks;
use crate::{MemoryLog, Ports, SharedMemoryLog};

async fn new() -> Ports {
    Ports::with_log(Arc::new(MemoryLog::default()))
}

#[actix_rt::test]
async fn accounts_in_memory_keep_the_contract() {
    accounts(new).await;
    emails(new).await;
}

#[actix_rt::test]
async fn accounts_beside_a_log_that_hubs_share_keep_the_contract() {
    accounts(async || Ports::with_log(Arc::new(SharedMemoryLog::new().start_instance("http://a")))).await;
}

#[actix_rt::test]
async fn webhooks_in_memory_keep_the_contract() {
    webhooks(new).await;
}
