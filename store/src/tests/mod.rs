//! Tests of the store on real files.

mod accounts;
mod append;
mod backup;
mod failures;
mod fixtures;
#[path = "../../../actors/src/tests/log_contract.rs"]
mod log_contract;
mod log_contracts;
mod open;
