//! Pages for people: shells of HTML that load their styles and modules from `/static/`, with their security headers.

use std::sync::OnceLock;

use actix_web::http::header::{self, EntityTag, HeaderName, HeaderValue};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use sha2::{Digest as _, Sha256};

use super::assets::{assets, short};
use super::etag::is_known;

const HEAD: &str = include_str!("../../web/pages/parts/head.html");
const HEADER: &str = include_str!("../../web/pages/parts/header.html");

/// What a page may do: load its own files, call the API, show pictures that it made. Values become HTML only through
/// the Trusted Types policies `lit-html` and `hub`.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; \
    connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types lit-html hub";

static HEADERS: [(HeaderName, HeaderValue); 4] = [
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
];
static ROBOTS: HeaderName = HeaderName::from_static("x-robots-tag");

/// A page: HTML with the places `{{head}}`, `{{header}}`, `{{assets}}`, `{{version}}`, `{{modules ENTRY}}`, and those
/// that are filled for each request.
#[derive(Debug)]
pub(crate) struct Page {
    shell: &'static str,
    is_indexed: bool,
    prepared: OnceLock<String>,
    /// The page without places to fill for a request, and its tag.
    unfilled: OnceLock<(Bytes, EntityTag)>,
}

impl Page {
    /// A page that search engines may list.
    pub(crate) const fn indexed(shell: &'static str) -> Self {
        Self { shell, is_indexed: true, prepared: OnceLock::new(), unfilled: OnceLock::new() }
    }

    /// A page that search engines are asked not to list.
    pub(crate) const fn unlisted(shell: &'static str) -> Self {
        Self { shell, is_indexed: false, prepared: OnceLock::new(), unfilled: OnceLock::new() }
    }

    /// The response to a GET, with `values` in the places of their names. They must be escaped.
    pub(crate) fn respond(&self, request: &HttpRequest, values: &[(&str, &str)]) -> HttpResponse {
        let prepared = self.prepared.get_or_init(|| prepare(self.shell));
        let (text, tag) = match values {
            [] => self.unfilled.get_or_init(|| tagged(prepared.clone())).clone(),
            values => tagged(fill(prepared, |name| {
                values.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
            })),
        };
        let known = is_known(request, &tag);
        let mut response = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
        secure(&mut response);
        response.insert_header(header::ETag(tag)).insert_header((header::CACHE_CONTROL, "no-cache"));
        if !self.is_indexed {
            response.insert_header((ROBOTS.clone(), "noindex"));
        }
        if known { response.finish() } else { response.content_type("text/html; charset=utf-8").body(text) }
    }
}

/// Adds the security headers of pages.
pub(crate) fn secure(response: &mut HttpResponseBuilder) {
    for (name, value) in &HEADERS {
        response.insert_header((name.clone(), value.clone()));
    }
}

/// A page and its tag. The tag is weak, because the compressed page has it too.
fn tagged(text: String) -> (Bytes, EntityTag) {
    let tag = EntityTag::new_weak(short(&Sha256::digest(&text)));
    (text.into(), tag)
}

/// Fills the places that are the same for each request.
fn prepare(shell: &str) -> String {
    let whole = fill(shell, |name| match name {
        "head" => Some(HEAD.trim_end().to_owned()),
        "header" => Some(HEADER.trim_end().to_owned()),
        _ => None,
    });
    fill(&whole, |name| match name {
        "assets" => Some(assets().prefix()),
        "version" => Some(env!("CARGO_PKG_VERSION").to_owned()),
        name => name.strip_prefix("modules ").map(|entry| assets().module_tags(entry)),
    })
}

/// Replaces the places that have a value. Values are not searched for places.
fn fill(page: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut filled = String::with_capacity(page.len() + 1024);
    let mut rest = page;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").unwrap_or((after, ""));
        filled += before;
        match value(name) {
            Some(value) => filled += &value,
            None => filled += &format!("{{{{{name}}}}}"),
        }
        rest = after;
    }
    filled + rest
}

/// Escapes text for HTML content and attributes.
pub(crate) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe += "&amp;",
            '<' => safe += "&lt;",
            '>' => safe += "&gt;",
            '"' => safe += "&quot;",
            '\'' => safe += "&#39;",
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_inserted_once_and_not_expanded() {
        let value = |name: &str| match name {
            "x" => Some("{{y}}".to_owned()),
            "y" => Some("2".to_owned()),
            _ => None,
        };
        assert_eq!(fill("a {{x}} b {{y}} {{z}}", value), "a {{y}} b 2 {{z}}");
    }

    #[test]
    fn text_is_escaped() {
        assert_eq!(escaped("a\"><script>'&"), "a&quot;&gt;&lt;script&gt;&#39;&amp;");
    }
}
