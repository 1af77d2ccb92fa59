//! Connections: HTTP/2 beside HTTP/1.1 on one port, TLS, compression, proxies, and the deployment files.

mod compression;
mod curl;
mod deployment;
mod disconnect;
pub(crate) mod http2;
mod http2_attacks;
mod limits;
mod proxy;
mod tls;
mod unix_socket;
mod versions;
