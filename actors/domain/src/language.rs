//! The language of what the hub writes to people: e-mails, and the words that it adds to notifications.

use serde::Serialize;
use utoipa::ToSchema;

use crate::str_enum::str_enum;

/// The language of e-mails and notifications.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Spanish.
    Es,
}

str_enum!(Language: "en" => En, "es" => Es);

impl Language {
    /// The language as it is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Es => "es",
        }
    }

    /// A language that was stored.
    #[must_use]
    pub fn of_stored(text: &str) -> Self {
        if text == Self::Es.as_str() { Self::Es } else { Self::En }
    }
}
