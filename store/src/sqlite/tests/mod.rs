//! Tests of the store on real files.

mod accounts;
mod append;
mod backup;
mod failures;
mod fixtures;
mod log_contracts;
mod open;
mod row_contracts;
