//! The language that a client prefers, of those that the hub's e-mails have.

use actix_web::http::header::{ACCEPT_LANGUAGE, HeaderMap};
use rogerrat_domain::Language;

/// Entries of the header that are read.
const ENTRIES: usize = 32;

/// The language of a request's `Accept-Language`: the preferred one of those there are, else English.
pub(crate) fn mail_language(headers: &HeaderMap) -> Language {
    headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).map_or(Language::En, preferred)
}

fn preferred(header: &str) -> Language {
    let weighted = header.split(',').take(ENTRIES).filter_map(|entry| {
        let mut parts = entry.split(';').map(str::trim);
        let language = match parts.next()?.split('-').next()?.to_ascii_lowercase().as_str() {
            "es" => Language::Es,
            "en" | "*" => Language::En,
            _ => return None,
        };
        let quality = parts.find_map(|part| part.strip_prefix("q=")?.trim().parse::<f32>().ok()).unwrap_or(1.0);
        (quality > 0.0).then_some((language, quality))
    });
    // Of equal ones the first is preferred.
    weighted.reduce(|best, next| if next.1 > best.1 { next } else { best }).map_or(Language::En, |(found, _)| found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_is_the_preferred_one_there_is() {
        for (header, expected) in [
            ("", Language::En),
            ("es", Language::Es),
            ("es-MX,es;q=0.9,en;q=0.8", Language::Es),
            ("en-GB,es;q=0.9", Language::En),
            ("de, es;q=0.5, en;q=0.4", Language::Es),
            ("es;q=0, en;q=0.1", Language::En),
            ("fr;q=x, ES;q=0.7", Language::Es),
            ("*", Language::En),
            (";;,,q=", Language::En),
        ] {
            assert_eq!(preferred(header), expected, "{header}");
        }
    }
}
