//! `[database]`: the PostgreSQL database of a hub that does not keep its data in its own directory.
//!
//! The URL may contain a password. Then it comes from the environment, or from a file that only its owner can read, and no
//! output contains the password.

use std::fmt;
use std::path::PathBuf;

use super::email::is_private;
use super::environment::Environment;
use super::origin::Origin;
use super::parse;
use super::raw::Value;
use super::reader::Reader;
use super::storage::path;

const EXPECTED: &str = "expected postgres://USER:PASSWORD@HOST:PORT/DATABASE, or \"\" for the data directory";
const URL_BYTES: usize = 4096;

/// The database.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Database {
    /// Its URL, with a password; none keeps everything in the data directory.
    pub url: Option<String>,
    /// A PEM file with the certificate authorities that the database's certificate is verified with; none trusts those of
    /// the machine.
    pub ca_file: Option<PathBuf>,
}

/// Omits the password.
impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, ca_file } = self;
        f.debug_struct("Database").field("url", &url.as_deref().map(masked)).field("ca_file", ca_file).finish()
    }
}

impl Database {
    pub(super) fn read(reader: &mut Reader, environment: &Environment) -> Option<Self> {
        let origin = reader.origin("database.url");
        let show = |url: &Option<String>| format!("\"{}\"", url.as_deref().map(masked).unwrap_or_default());
        let url = reader.read_shown("database.url", |value| parse_url(value, &origin), show);
        let ca_file = reader.read("database.ca_file", |value| match parse::as_text(value) {
            Some("") => Ok(None),
            _ => path(value, environment.home(), "a file").map(Some),
        });
        Some(Self { url: url?, ca_file: ca_file? })
    }
}

/// No message repeats the value.
fn parse_url(value: &Value, origin: &Origin) -> Result<Option<String>, String> {
    let Some(text) = parse::as_text(value).map(str::trim) else { return Err(EXPECTED.to_owned()) };
    if text.is_empty() {
        return Ok(None);
    }
    let is_url = text.starts_with("postgres://") || text.starts_with("postgresql://");
    if !is_url || text.len() > URL_BYTES || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(EXPECTED.to_owned());
    }
    if text.split_once('?').map_or(text, |(address, _)| address).matches('@').count()
        != text.matches('@').count().min(1)
    {
        return Err("write `@` in a name or password as %40, and `?` as %3F".to_owned());
    }
    if cfg!(not(feature = "postgres")) {
        return Err("this rogerrat was built without PostgreSQL; build it with the feature `postgres`".to_owned());
    }
    if matches!(origin, Origin::File(file) if masked(text) != text && !is_private(file)) {
        let fix = "run `chmod 600` on it, or set ROGERRAT_DATABASE__URL";
        return Err(format!("other users can read this file, so it must not contain the password; {fix}"));
    }
    Ok(Some(text.to_owned()))
}

/// A URL without its password. It has at most one `@`, before its query.
pub(crate) fn masked(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let (address, query) = rest.split_once('?').map_or((rest, None), |(address, query)| (address, Some(query)));
    let (user, host) = address.split_once('@').map_or((None, address), |(user, host)| (Some(user), host));
    let mut shown = match user.map(|user| user.split_once(':').map_or((user, false), |(name, _)| (name, true))) {
        Some((name, has_password)) => {
            format!("{scheme}://{name}{}@{host}", if has_password { ":(hidden)" } else { "" })
        }
        None => format!("{scheme}://{host}"),
    };
    for (n, pair) in query.into_iter().flat_map(|query| query.split('&')).enumerate() {
        shown.push(if n == 0 { '?' } else { '&' });
        let (name, value) = pair.split_once('=').map_or((pair, None), |(name, value)| (name, Some(value)));
        let is_plain = ["sslmode", "target_session_attrs", "connect_timeout", "application_name", "host", "port"];
        shown.push_str(name);
        if let Some(value) = value {
            shown.push('=');
            shown.push_str(if is_plain.contains(&name) { value } else { "(hidden)" });
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_shown_without_its_password() {
        for (url, shown) in [
            ("postgres://hub@db.example.org/hub", "postgres://hub@db.example.org/hub"),
            ("postgres://hub:s3cret@db:5432/hub", "postgres://hub:(hidden)@db:5432/hub"),
            ("postgres://hub:s3c:r/e%40t@db/hub?sslmode=require", "postgres://hub:(hidden)@db/hub?sslmode=require"),
            ("postgres://db/hub?user=hub&password=s3cret", "postgres://db/hub?user=(hidden)&password=(hidden)"),
            ("postgres://hub:s3cret@one:5432,two:5432/hub", "postgres://hub:(hidden)@one:5432,two:5432/hub"),
        ] {
            assert_eq!(masked(url), shown);
        }
        let database = Database { url: Some("postgres://hub:s3cret@db/hub".into()), ca_file: None };
        assert!(!format!("{database:?}").contains("s3cret"), "{database:?}");
    }

    #[test]
    fn errors_do_not_repeat_the_value() {
        for text in [
            "mysql://hub:s3cret@db/hub",
            "s3cret",
            "postgres://hub:s3 cret@db/hub",
            "postgres://hub:s3@cret@db/hub",
            "postgres://hub:s3?cret@db/hub",
            "postgres://db/hub?user=hub&password=s3@cret",
        ] {
            let error = parse_url(&Value::Text(text.into()), &Origin::Default).unwrap_err();
            assert!(!error.contains("cret"), "{error}");
        }
        assert_eq!(parse_url(&Value::Text(" ".into()), &Origin::Default), Ok(None));
    }
}
