//! What the tests of both stores share.

#[path = "../../../actors/src/tests/account_contract.rs"]
pub(crate) mod account_contract;
#[path = "../../../actors/src/tests/email_contract.rs"]
pub(crate) mod email_contract;
#[path = "../../../actors/src/tests/log_contract.rs"]
pub(crate) mod log_contract;
pub(crate) mod records;
#[cfg(feature = "postgres")]
#[path = "../../../actors/src/tests/shared_log_contract.rs"]
pub(crate) mod shared_log_contract;
#[path = "../../../actors/src/tests/webhook_contract.rs"]
pub(crate) mod webhook_contract;
