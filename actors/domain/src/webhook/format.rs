//! What the owner of a webhook adds to its requests: headers, and a template of the body.

use std::fmt;

use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::BodyTemplate;
use crate::limits;
use crate::refusal::Refusal;

/// The headers and the body template of a webhook. Both may contain credentials: they are stored encrypted, and neither
/// replies nor logs show them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestFormat {
    /// Headers to add to every request.
    #[serde(default)]
    pub headers: HookHeaders,
    /// The template of the body. Without one the body is the event.
    #[serde(default)]
    pub body: Option<BodyTemplate>,
}

impl RequestFormat {
    /// Whether requests are as the hub makes them.
    #[must_use]
    pub fn is_default(&self) -> bool {
        self.headers.0.is_empty() && self.body.is_none()
    }

    /// What replies show of it.
    #[must_use]
    pub fn summary(&self) -> FormatSummary {
        let header_names = self.headers.iter().map(|(name, _)| name.to_owned()).collect();
        FormatSummary { header_names, has_body: self.body.is_some() }
    }
}

/// What is shown of the format of a webhook's requests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FormatSummary {
    /// The names of the added headers, in lower case.
    pub header_names: Vec<String>,
    /// Whether the body is made from a template.
    pub has_body: bool,
}

/// Names and values of headers, in the order in which they were given. `Debug` does not print them.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HookHeaders(Vec<(String, String)>);

impl HookHeaders {
    /// Headers with names in lower case, within the bounds. Whoever sends the requests decides which names and values
    /// are valid.
    ///
    /// # Errors
    /// `invalid` for headers beyond a bound, and for a name that is given twice.
    pub fn from_input(input: &HeaderInput) -> Result<Self, Refusal> {
        let HeaderInput(pairs) = input;
        if pairs.len() > limits::HOOK_HEADERS {
            let bound = limits::HOOK_HEADERS;
            return Err(Refusal::invalid(format!("`headers` must have at most {bound} headers")));
        }
        let mut headers = Vec::<(String, String)>::with_capacity(pairs.len());
        for (name, value) in pairs {
            let bound = limits::HOOK_HEADER_NAME_BYTES;
            if name.is_empty() || name.len() > bound {
                return Err(Refusal::invalid(format!("a name in `headers` must have 1 to {bound} characters")));
            }
            let bound = limits::HOOK_HEADER_VALUE_BYTES;
            if value.is_empty() || value.len() > bound {
                return Err(Refusal::invalid(format!("a value in `headers` must have 1 to {bound} characters")));
            }
            let name = name.to_ascii_lowercase();
            if headers.iter().any(|(earlier, _)| *earlier == name) {
                let hint = "names are the same in upper and lower case";
                return Err(Refusal::invalid("`headers` has the same name twice").hint(hint));
            }
            headers.push((name, value.clone()));
        }
        let bound = limits::HOOK_HEADERS_BYTES;
        if headers.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() > bound {
            return Err(Refusal::invalid(format!("`headers` must have at most {bound} characters together")));
        }
        Ok(Self(headers))
    }

    /// The names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl fmt::Debug for HookHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HookHeaders({})", self.0.len())
    }
}

/// The headers of a request to subscribe: an object with text values, read without losing a repeated name. `Debug` does
/// not print them.
#[derive(Clone, Default)]
pub struct HeaderInput(Vec<(String, String)>);

impl fmt::Debug for HeaderInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HeaderInput({})", self.0.len())
    }
}

impl<'de> Deserialize<'de> for HeaderInput {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = HeaderInput;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with texts as values")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<HeaderInput, A::Error> {
                let mut pairs = Vec::new();
                while let Some(name) = map.next_key()? {
                    // The error of serde would be under the name of the header.
                    let value = map.next_value::<serde_json::Value>()?;
                    let serde_json::Value::String(value) = value else {
                        return Err(de::Error::invalid_type(de::Unexpected::Other("another value"), &self));
                    };
                    pairs.push((name, value));
                }
                Ok(HeaderInput(pairs))
            }
        }
        d.deserialize_map(Pairs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(json: &str) -> Result<HookHeaders, Refusal> {
        HookHeaders::from_input(&serde_json::from_str(json).unwrap())
    }

    #[test]
    fn headers_are_bounded_and_named_once() {
        let kept = headers(r#"{"Authorization":"Bearer x","X-B":"y"}"#).unwrap();
        assert_eq!(kept.iter().collect::<Vec<_>>(), [("authorization", "Bearer x"), ("x-b", "y")]);
        let many = |n: usize, bytes: usize| {
            let pairs = (0..n).map(|n| format!(r#""x-{n}":"{}""#, "v".repeat(bytes)));
            headers(&format!("{{{}}}", pairs.collect::<Vec<_>>().join(",")))
        };
        assert!(many(16, 1).is_ok() && many(17, 1).is_err(), "the number of headers");
        assert!(many(1, 4096).is_ok() && many(1, 4097).is_err(), "the size of a value");
        assert!(many(2, 4093).is_ok() && many(3, 4096).is_err(), "the size of all");
        for bad in [r#"{"":"x"}"#.to_owned(), r#"{"x":""}"#.to_owned(), format!(r#"{{"{}":"x"}}"#, "n".repeat(65))] {
            assert!(headers(&bad).is_err(), "{bad}");
        }
        for twice in [r#"{"X-A":"1","x-a":"2"}"#, r#"{"x-a":"1","x-a":"2"}"#] {
            assert!(headers(twice).unwrap_err().text.contains("twice"), "{twice}");
        }
        for typed in [r#"{"x":5}"#, r#"{"x":null}"#, r#"{"x":["a"]}"#, r#"["x"]"#] {
            assert!(serde_json::from_str::<HeaderInput>(typed).is_err(), "{typed}");
        }
    }

    #[test]
    fn a_format_is_restored_and_never_printed() {
        let headers = headers(r#"{"x-key":"hunter2"}"#).unwrap();
        let body = Some(BodyTemplate::parse(r#"{"key":"hunter3","text":"{{text}}"}"#).unwrap());
        let format = RequestFormat { headers, body };
        let stored = serde_json::to_string(&format).unwrap();
        assert_eq!(serde_json::from_str::<RequestFormat>(&stored).unwrap(), format);
        let printed = format!("{format:?} {:?}", format.summary());
        assert!(!printed.contains("hunter") && printed.contains("x-key"), "{printed}");
        assert!(!format.is_default() && RequestFormat::default().is_default());
    }
}
