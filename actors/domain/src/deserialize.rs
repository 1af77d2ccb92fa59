//! Reading numbers and optional fields of request bodies.

use std::fmt;

use serde::{Deserialize, Deserializer, de};

/// Reads a whole number that may be missing or `null`. `2.0` is one: some languages write it so.
///
/// # Errors
///
/// Anything else.
pub fn whole_number<'de, D: Deserializer<'de>>(d: D) -> Result<Option<u64>, D::Error> {
    struct Whole;
    impl de::Visitor<'_> for Whole {
        type Value = Option<u64>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a whole number")
        }
        fn visit_u64<E: de::Error>(self, number: u64) -> Result<Self::Value, E> {
            Ok(Some(number))
        }
        fn visit_f64<E: de::Error>(self, number: f64) -> Result<Self::Value, E> {
            exact_u64(number).map(Some).ok_or_else(|| E::invalid_value(de::Unexpected::Other("a fraction"), &self))
        }
        fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }
    }
    d.deserialize_any(Whole)
}

/// A number without a fraction, as an id or an index.
pub(crate) fn exact_u64(number: f64) -> Option<u64> {
    /// 2 to the 64th.
    const BEYOND: f64 = 18_446_744_073_709_551_616.0;
    (number.fract() == 0.0 && (0.0..BEYOND).contains(&number)).then(|| saturating_u64(number))
}

/// Reads a field that may be missing, but not `null`.
pub(crate) fn not_null<'de, D: Deserializer<'de>, T: Deserialize<'de>>(d: D) -> Result<Option<T>, D::Error> {
    T::deserialize(d).map(Some)
}

/// The whole part of a number; a negative one is 0.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates, and that is meant")]
pub fn saturating_u64(number: f64) -> u64 {
    number.max(0.0) as u64
}
