//! Rows that an interface stores in the log for its own use.

use futures_util::future::BoxFuture;

use super::Hub;
use crate::ports::error::LogError;

impl Hub {
    /// Rows that an interface has stored for its own use, all of one kind.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn rows(&self, kind: &'static str) -> Result<Vec<(String, String)>, LogError> {
        self.shared.log.rows(kind).await
    }

    /// One of these rows, by its name.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn row(&self, kind: &'static str, name: &str) -> Result<Option<String>, LogError> {
        self.shared.log.row(kind, name).await
    }

    /// Replaces the text of a row, if it is still `before`. Returns whether it was. Only where hubs share a log.
    ///
    /// # Errors
    /// When the log cannot be written, or no other hub shares it.
    pub async fn swap_row(
        &self,
        kind: &'static str,
        name: String,
        before: Option<String>,
        after: Option<String>,
    ) -> Result<bool, LogError> {
        match self.shared.log.instances() {
            Some(instances) => instances.swap_row(kind, name, before, after).await,
            None => Err(LogError::Failed("no other hub shares the log".into())),
        }
    }

    /// Stores a row that an interface needs after a restart, or deletes it if there is no text. The write starts at
    /// once and is complete when the future is; an error is logged.
    pub fn put_row(&self, kind: &'static str, name: String, text: Option<String>) -> BoxFuture<'static, ()> {
        let kept = self.shared.log.put_row(kind, name, text);
        Box::pin(async move {
            if let Err(error) = kept.await {
                log::warn!(kind, error:display; "could not store a row of an interface");
            }
        })
    }
}
