//! `[cluster]`: the port for other hubs that share the log.

use std::net::SocketAddr;

use super::parse;
use super::raw::Value;
use super::reader::Reader;

/// Where other instances of the hub reach this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cluster {
    /// The address of the port for other instances; none opens none.
    pub listen: Option<SocketAddr>,
}

impl Cluster {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        Some(Self { listen: reader.read("cluster.listen", address)? })
    }
}

fn address(value: &Value) -> Result<Option<SocketAddr>, String> {
    let expected = "an IP address with a port, such as \"10.0.0.5:7425\", or \"\"";
    match parse::as_text(value).map(str::trim) {
        Some("") => Ok(None),
        Some(text) => text.parse().map(Some).map_err(|_| parse::expected(expected, value)),
        None => Err(parse::expected(expected, value)),
    }
}
