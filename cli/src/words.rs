//! Flags whose values are words of the hub's API.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde::de::DeserializeOwned;
use serde::de::value::{Error, StrDeserializer};

/// The priorities, from the least to the most urgent.
pub(crate) const PRIORITIES: [&str; 5] = ["min", "low", "default", "high", "urgent"];

/// A parser of a flag that takes one of `words`, which are the JSON strings of a `T`.
pub(crate) fn word<T>(words: impl Into<PossibleValuesParser>) -> impl TypedValueParser<Value = T>
where
    T: Clone + DeserializeOwned + Send + Sync + 'static,
{
    words.into().try_map(|word| T::deserialize(StrDeserializer::<Error>::new(&word)))
}
