//! Name resolution: the port, and the resolver of this machine.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use futures_util::future::BoxFuture;

/// Resolves names to addresses.
pub trait Resolve: Send + Sync + 'static {
    /// All addresses of a name, the preferred one first.
    fn resolve(&self, name: Arc<str>) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// The resolver of this machine. It runs on blocking threads, never on a worker thread.
#[derive(Debug)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, name: Arc<str>) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        Box::pin(async move {
            let found = tokio::net::lookup_host((&*name, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}
