//! What an operator learns of a database before a hub runs on it. It changes nothing.

use rogerrat_domain::HubKey;

use super::error::{Failure, PostgresError};
use super::session::Connector;
use super::{PostgresOptions, PostgresStore, cluster_rows, gate, schema};

/// A database on which a hub can run.
#[derive(Clone, Debug)]
pub struct DatabaseReport {
    /// The version of the server.
    pub server: String,
    /// The user as whom the hub connects.
    pub user: String,
    /// What is wrong with the server, although a hub can run on it.
    pub warnings: Vec<String>,
    /// The schema of the tables; none if there are no tables yet.
    pub schema: Option<i32>,
    /// The schema of this version, to which the tables are migrated.
    pub known_schema: i32,
    /// The hubs that run on it.
    pub hubs: Vec<RunningHub>,
}

/// A hub that runs on a database.
#[derive(Clone, Debug)]
pub struct RunningHub {
    /// The number of its instance.
    pub id: u64,
    /// Where other hubs reach it; empty if they do not.
    pub url: String,
}

impl PostgresStore {
    /// Connects to a database and checks all that [`open`](Self::open) does. Changes nothing. Blocks until that is done. Without a
    /// key, a database that belongs to a hub already is refused.
    ///
    /// # Errors
    /// If a hub cannot run on it.
    pub fn check(options: &PostgresOptions, key: Option<&HubKey>) -> Result<DatabaseReport, PostgresError> {
        let connector = Connector::new(&options.url, options.ca_file.as_deref())?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(report(&connector, key))
    }
}

async fn report(connector: &Connector, key: Option<&HubKey>) -> Result<DatabaseReport, PostgresError> {
    let connect = async || connector.connect().await.map_err(Failure::into_connect_error);
    let (session, other) = (connect().await?, connect().await?);
    let warnings = gate::check_server(&session).await?;
    // A lock that no hub has: it ends with the session.
    let lock_key: i64 = rand::random();
    session.execute("SELECT pg_advisory_lock($1)", &[&lock_key]).await?;
    gate::check_sessions(&session, lock_key, &[&other]).await?;
    let schema = gate::check_tables(&session).await?;
    let mut hubs = Vec::new();
    if schema.is_some() {
        gate::check_stored_key(&session, key).await?;
        let instances = cluster_rows::living(&session).await?.into_iter();
        hubs = instances.map(|instance| RunningHub { id: instance.id.0, url: instance.url.to_string() }).collect();
    }
    let row = session.query_one("SELECT current_setting('server_version'), current_user::text", &[]).await?;
    let (server, user) = (row.try_get(0)?, row.try_get(1)?);
    Ok(DatabaseReport { server, user, warnings, schema, known_schema: schema::VERSION, hubs })
}
