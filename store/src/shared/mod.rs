//! What both stores share: the rows that they write, already encoded, and their JSON.

pub(crate) mod checks;
pub(crate) mod encoding;
pub(crate) mod rows;
