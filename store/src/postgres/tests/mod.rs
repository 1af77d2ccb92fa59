//! Tests of the store on a PostgreSQL server that they start. Without PostgreSQL on this machine they are skipped.

mod contracts;
mod erasing;
mod failures;
mod fixtures;
mod hanging;
mod instances;
mod open;
mod proxy;
mod row_contracts;
mod rows;
mod standby;
