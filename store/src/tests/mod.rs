//! What the tests of both stores share.

#[path = "../../../actors/src/tests/log_contract.rs"]
pub(crate) mod log_contract;
pub(crate) mod records;
