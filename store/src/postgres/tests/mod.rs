//! Tests of the store on a PostgreSQL server that they start. Without PostgreSQL on this machine they are skipped.

mod contracts;
mod failures;
mod fixtures;
mod open;
mod proxy;
mod row_contracts;
mod rows;
