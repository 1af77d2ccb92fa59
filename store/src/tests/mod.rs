//! Tests of the store from inside: what it keeps, what it refuses, and what it does when the disk fails.

mod accounts;
mod copies;
mod keeping;
mod opening;
mod rig;
mod trouble;
