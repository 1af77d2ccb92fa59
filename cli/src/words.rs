//! Flags whose values are words of the hub's API, or numbers.

use std::ops::RangeInclusive;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde::de::DeserializeOwned;
use serde::de::value::{Error, StrDeserializer};

/// A parser of a flag that takes one of `words`, which are the JSON strings of a `T`.
pub(crate) fn word<T>(words: impl Into<PossibleValuesParser>) -> impl TypedValueParser<Value = T>
where
    T: Clone + DeserializeOwned + Send + Sync + 'static,
{
    words.into().try_map(|word| T::deserialize(StrDeserializer::<Error>::new(&word)))
}

/// A parser of a flag that takes a whole number in a range.
pub(crate) fn number(range: RangeInclusive<u32>) -> impl Fn(&str) -> Result<u32, String> + Clone {
    move |text| {
        let (min, max) = (range.start(), range.end());
        text.parse().ok().filter(|number| range.contains(number)).ok_or_else(|| match *max {
            u32::MAX => format!("expected a whole number of at least {min}"),
            max => format!("expected a whole number from {min} to {max}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_is_none_or_out_of_range_is_refused_with_the_range() {
        assert_eq!(number(1..=100)("100"), Ok(100));
        for wrong in ["", "x", "1.5", "0", "101", "-1", "99999999999"] {
            assert_eq!(number(1..=100)(wrong).unwrap_err(), "expected a whole number from 1 to 100", "{wrong}");
        }
        assert_eq!(number(1..=u32::MAX)("x").unwrap_err(), "expected a whole number of at least 1");
    }
}
