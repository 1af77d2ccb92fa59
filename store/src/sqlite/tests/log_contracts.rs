//! The store keeps the contract of a log.

use std::cell::RefCell;

use super::fixtures::TempDir;
use crate::tests::log_contract::a_log;

#[actix_rt::test]
async fn the_store_keeps_the_contract() {
    let dirs = RefCell::new(Vec::new());
    a_log(|| {
        let dir = TempDir::new();
        let store = dir.open();
        dirs.borrow_mut().push(dir);
        store
    })
    .await;
}
