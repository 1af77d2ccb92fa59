//! `rogerrat torture work`: workers share out work while they, their connections and the hub are killed.

mod agent;
mod args;
mod oracle;

mod report;
mod run;
mod task_sender;
mod worker;

pub use args::TortureWorkArgs;
pub(crate) use report::WorkReport;
pub(crate) use run::run;
