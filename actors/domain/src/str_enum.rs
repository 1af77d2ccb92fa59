//! Enums that are strings in JSON.

/// Implements `Deserialize` for an enum whose variants are strings, and lists them. The error lists the allowed values and does
/// not repeat the given one.
macro_rules! str_enum {
    ($type:ident: $($value:literal => $variant:ident),+) => {
        impl $type {
            /// All values, as they appear in JSON.
            pub const NAMES: &'static [&'static str] = &[$($value),+];
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                struct Values;
                impl serde::de::Visitor<'_> for Values {
                    type Value = $type;
                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(f, "one of {}", $type::NAMES.join(", "))
                    }
                    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<$type, E> {
                        match value {
                            $($value => Ok($type::$variant),)+
                            _ => Err(E::invalid_value(serde::de::Unexpected::Other("a value that is not allowed"), &self)),
                        }
                    }
                }
                d.deserialize_str(Values)
            }
        }
    };
}
pub(crate) use str_enum;
