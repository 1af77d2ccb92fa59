//! The Unix socket of `[server]`: its path and permissions, and whether the hub listens on TCP beside it.

use std::path::PathBuf;

use super::environment::Environment;
use super::parse;
use super::raw::Value;
use super::reader::Reader;
use super::storage::path;

/// Permission bits.
const MODES: u32 = 0o777;

/// A Unix socket to listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SocketSettings {
    /// Where it is created.
    pub path: PathBuf,
    /// Its permission bits.
    pub mode: u32,
}

/// Reads the socket, if any, and whether the hub listens on TCP.
pub(super) fn read(reader: &mut Reader, environment: &Environment) -> Option<(Option<SocketSettings>, bool)> {
    let path = reader.read("server.socket", |value| socket_path(value, environment.home()));
    let mode = reader.read_shown("server.socket_mode", mode, |mode| format!("\"{mode:04o}\""));
    let tcp = reader.read("server.tcp", parse::boolean);
    let (path, mode, tcp) = (path?, mode?, tcp?);
    if !tcp && path.is_none() {
        reader.error("server.tcp", "without TCP the hub needs a socket; set server.socket".to_owned());
        return None;
    }
    Some((path.map(|path| SocketSettings { path, mode }), tcp))
}

fn socket_path(value: &Value, home: Option<PathBuf>) -> Result<Option<PathBuf>, String> {
    match parse::as_text(value).map(str::trim) {
        Some("") => Ok(None),
        _ => path(value, home, "a path").map(Some),
    }
}

fn mode(value: &Value) -> Result<u32, String> {
    let expected = "octal permission bits as text, such as \"0600\"";
    let text = parse::text(value, expected)?;
    let mode = u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= MODES && text.len() >= 3);
    mode.ok_or_else(|| parse::expected(expected, value))
}
