//! The logs of this crate keep the contract of a log.

use super::log_contract::a_log;
use super::shared_log_contract::a_shared_log;
use crate::{MemoryInstance, MemoryLog, SharedMemoryLog};

#[actix_rt::test]
async fn the_log_in_memory_keeps_the_contract() {
    a_log(MemoryLog::default).await;
}

#[actix_rt::test]
async fn a_shared_log_in_memory_keeps_the_contract() {
    a_log(|| SharedMemoryLog::new().start_instance("http://a")).await;
    let two = async || {
        let log = SharedMemoryLog::new();
        (log.start_instance("http://a"), log.start_instance("http://b"))
    };
    a_shared_log(two, async |instance: &MemoryInstance| instance.disconnect()).await;
}
