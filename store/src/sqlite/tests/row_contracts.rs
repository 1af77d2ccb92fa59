//! The store keeps the contracts of accounts, e-mail addresses and webhooks.

use std::cell::RefCell;
use std::sync::Arc;

use rogerrat_actors::Ports;

use super::fixtures::TempDir;
use crate::tests::account_contract::accounts;
use crate::tests::email_contract::emails;
use crate::tests::webhook_contract::{hooks_with_owners, webhooks};

/// Runs contracts, each on a new store.
async fn keep(contracts: impl AsyncFn(&dyn Fn() -> Ports)) {
    let dirs = RefCell::new(Vec::new());
    contracts(&|| {
        let dir = TempDir::new();
        let store = dir.open();
        dirs.borrow_mut().push(dir);
        Ports::of(Arc::new(store))
    })
    .await;
}

#[actix_rt::test]
async fn accounts_keep_the_contract() {
    keep(async |new| {
        accounts(async || new()).await;
        emails(async || new()).await;
    })
    .await;
}

#[actix_rt::test]
async fn webhooks_keep_the_contract() {
    keep(async |new| {
        webhooks(async || new()).await;
        hooks_with_owners(async || new()).await;
    })
    .await;
}
