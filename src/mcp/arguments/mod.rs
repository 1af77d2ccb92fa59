//! The arguments of a call, as clients send them: read by name, as the types of the tool's schema.
//!
//! Frameworks add fields of their own, and models write numbers, booleans and lists as text, or leave optional fields
//! blank. What can be read in one way only is accepted (ADR 25). Nothing is copied unless it must be converted.

mod near_miss;
mod shape;

use std::borrow::Cow;
use std::fmt;

use rogerrat_domain::Refusal;
use serde::de::value::MapDeserializer;
use serde::de::{DeserializeOwned, Deserializer as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::rpc::string;
use super::text;
use crate::web::json;
use shape::Shape;

/// How many unknown names are compared with the known ones.
const COMPARED_NAMES: usize = 64;

/// An argument that a tool or a prompt has.
#[derive(Debug)]
pub(super) struct Parameter {
    name: String,
    shape: Shape,
    is_required: bool,
}

impl Parameter {
    /// The parameters of an input schema, in which types may still have alternatives.
    pub(super) fn all(schema: &serde_json::Value) -> Vec<Self> {
        let required = |name: &str| schema["required"].as_array().is_some_and(|all| all.iter().any(|one| one == name));
        let fields = schema["properties"].as_object().into_iter().flatten();
        fields
            .map(|(name, field)| Self { name: name.clone(), shape: Shape::of(field), is_required: required(name) })
            .collect()
    }

    /// An optional text.
    pub(super) fn text(name: &str) -> Self {
        Self { name: name.to_owned(), shape: Shape::text(), is_required: false }
    }
}

/// The arguments of a call that the tool or prompt has, and that are not blank.
#[derive(Debug)]
pub(super) struct Arguments<'a> {
    given: Vec<(&'a str, Cow<'a, RawValue>)>,
}

impl<'a> Arguments<'a> {
    /// Reads the arguments from a JSON object. Unknown names are ignored unless they are near misses of known ones.
    ///
    /// # Errors
    /// `invalid`: a near miss of a name, a name given twice, or a required argument that is missing or blank.
    pub(super) fn read(object: &'a str, parameters: &'a [Parameter]) -> Result<Self, Refusal> {
        let (mut all, mut refusal, mut unknown) = (Vec::new(), None, 0);
        let is_object = for_each_field(object, |name, value| {
            if let Some(known) = parameters.iter().find(|parameter| parameter.name == name) {
                if all.iter().any(|(name, _)| *name == &*known.name) {
                    refusal.get_or_insert_with(|| Refusal::invalid(format!("`{}` is given twice", known.name)));
                }
                all.push((&*known.name, known.shape.read(value)));
                return;
            }
            unknown += 1;
            if refusal.is_none() && unknown <= COMPARED_NAMES {
                let names = parameters.iter().map(|parameter| &*parameter.name);
                refusal = near_miss::find(&name, names).map(|near| text::misspelled_argument(&name, near));
            }
        });
        if !is_object {
            return Err(not_an_object());
        }
        let given: Vec<_> = all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        let is_missing = |name: &str| given.iter().all(|(given, _)| *given != name);
        let missing = parameters.iter().find(|parameter| parameter.is_required && is_missing(&parameter.name));
        match refusal.or_else(|| missing.map(|parameter| text::missing_argument(&parameter.name))) {
            Some(refusal) => Err(refusal),
            None => Ok(Self { given }),
        }
    }

    /// Parses the arguments as the fields of a type. Others are ignored.
    ///
    /// # Errors
    /// `invalid`, naming the argument that is wrong.
    pub(super) fn parse<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        let fields = || MapDeserializer::new(self.given.iter().map(|(name, value)| (*name, &**value)));
        // Only a failure needs the path, so the path is tracked in a second attempt.
        T::deserialize(fields()).or_else(|_: serde_json::Error| {
            serde_path_to_error::deserialize(fields()).map_err(|error| json::wrong_field(error.path(), error.inner()))
        })
    }

    /// The arguments as they were read.
    #[cfg(test)]
    pub(super) fn to_json(&self) -> String {
        let fields: Vec<_> = self.given.iter().map(|(name, value)| format!("\"{name}\":{}", value.get())).collect();
        format!("{{{}}}", fields.join(","))
    }

    /// A text among the arguments.
    ///
    /// # Errors
    /// `invalid` if the argument is no text.
    pub(super) fn text(&self, name: &str) -> Result<Option<String>, Refusal> {
        let Some((_, value)) = self.given.iter().find(|(given, _)| *given == name) else { return Ok(None) };
        let text = string(value).ok_or_else(|| Refusal::invalid(format!("`{name}` must be a string")))?;
        Ok(Some(text.trim().to_owned()))
    }
}

/// The JSON object with the arguments. Clients also send `null`, an empty list, or the object as text.
///
/// # Errors
/// `invalid` if there is no object in it.
pub(super) fn object_of(arguments: Option<&RawValue>) -> Result<Cow<'_, str>, Refusal> {
    let Some(raw) = arguments else { return Ok("{}".into()) };
    let text = string(raw);
    let json = text.as_deref().map_or_else(|| raw.get(), str::trim);
    if is_nothing(json) {
        return Ok("{}".into());
    }
    if !json.starts_with('{') {
        return Err(not_an_object());
    }
    Ok(match text {
        None => raw.get().into(),
        Some(text) => text.trim().to_owned().into(),
    })
}

fn not_an_object() -> Refusal {
    Refusal::invalid("`arguments` must be an object")
}

/// Whether a JSON text has the meaning of an absent value.
pub(super) fn is_nothing(json: &str) -> bool {
    matches!(json, "" | "null")
        || json.strip_prefix('[').is_some_and(|rest| rest.trim_ascii_start() == "]")
        || json.strip_prefix('{').is_some_and(|rest| rest.trim_ascii_start() == "}")
}

/// Calls `visit` with each field of a JSON object. Returns whether it is one.
fn for_each_field<'a>(json: &'a str, visit: impl FnMut(Cow<'a, str>, &'a RawValue)) -> bool {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    deserializer.deserialize_map(FieldVisitor(visit)).is_ok() && deserializer.end().is_ok()
}

struct FieldVisitor<F>(F);

#[derive(serde::Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de, F: FnMut(Cow<'de, str>, &'de RawValue)> Visitor<'de> for FieldVisitor<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some((Name(name), value)) = map.next_entry()? {
            (self.0)(name, value);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
