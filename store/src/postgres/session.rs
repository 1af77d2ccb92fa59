//! Connections to the database.

use std::collections::HashMap;
use std::future::poll_fn;
use std::io;
use std::path::Path;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::TryStreamExt as _;
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tokio_postgres::config::{SslMode, TargetSessionAttrs};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{AsyncMessage, Client, Config, Row, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::error::{Failure, PostgresError};

/// A machine that has confirmed nothing of what it was sent for this long, or no keepalive, counts as lost.
const LOST_AFTER: Duration = Duration::from_secs(5);
/// How long a connection may take until it can be used.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a statement may take. The server ends one after 10 s; one that does not is treated as lost.
const ANSWER: Duration = Duration::from_secs(12);
/// How long statements may take that the server does not end, such as migrations.
const SLOW_ANSWER: Duration = Duration::from_secs(600);

pub(super) type SqlResult<T> = Result<T, Failure>;
/// The values of the parameters of a statement.
pub(super) type Parameters<'p> = [&'p (dyn ToSql + Sync)];

/// Makes connections to one database.
#[derive(Clone)]
pub(super) struct Connector {
    config: Config,
    tls: MakeRustlsConnect,
    notified: Arc<Notify>,
    is_reachable: Arc<AtomicBool>,
}

/// A connection, with the statements it has prepared. Its statements are performed in the order of the calls.
pub(super) struct Session {
    client: Client,
    statements: Mutex<HashMap<&'static str, Statement>>,
    /// The process of the server that performs the statements.
    backend: i32,
    closed: Arc<Notify>,
    is_abandoned: AtomicBool,
    driver: AbortHandle,
}

impl Connector {
    /// # Errors
    /// If the URL or the certificates cannot be used.
    pub(super) fn new(url: &str, ca_file: Option<&Path>) -> Result<Self, PostgresError> {
        // The certificate is verified in any mode with TLS.
        let url = url.replace("sslmode=verify-full", "sslmode=require").replace("sslmode=verify-ca", "sslmode=require");
        let mut config: Config = url.parse().map_err(|error: tokio_postgres::Error| {
            // The message quotes no more than the name of a parameter.
            PostgresError::InvalidUrl(super::error::describe(&error))
        })?;
        config
            .application_name("rogerrat")
            // A server that was the primary may be a standby when it is reached again.
            .target_session_attrs(TargetSessionAttrs::ReadWrite)
            .connect_timeout(CONNECT)
            .tcp_user_timeout(LOST_AFTER)
            .keepalives_idle(LOST_AFTER)
            .keepalives_interval(Duration::from_secs(1))
            .keepalives_retries(4);
        let roots = if config.get_ssl_mode() == SslMode::Disable { RootCertStore::empty() } else { roots(ca_file)? };
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| PostgresError::Tls(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            config,
            tls: MakeRustlsConnect::new(tls),
            notified: Arc::default(),
            is_reachable: Arc::new(true.into()),
        })
    }

    /// The same database; the server shows the connections under another name.
    pub(super) fn named(&self, name: &str) -> Self {
        let mut config = self.config.clone();
        config.application_name(name);
        Self { config, ..self.clone() }
    }

    /// Notified when the server notifies a connection that listens, and by who may have missed that.
    pub(super) fn notified(&self) -> Arc<Notify> {
        self.notified.clone()
    }

    /// Whether a connection could be made, or why not. A change is logged, once for all connections.
    pub(super) fn note_reached(&self, reached: Result<(), &str>) {
        let was_reachable = self.is_reachable.swap(reached.is_ok(), Ordering::Relaxed);
        match reached {
            Ok(()) if !was_reachable => log::info!("connected to PostgreSQL again"),
            Err(error) if was_reachable => {
                log::warn!(error:display; "PostgreSQL cannot be used; connecting until it can be");
            }
            _ => {}
        }
    }

    /// Makes a connection. It is driven by a task of the current runtime.
    pub(super) async fn connect(&self) -> SqlResult<Session> {
        timeout(CONNECT, self.connect_unbounded()).await.map_err(|_| Failure::Silent)?
    }

    async fn connect_unbounded(&self) -> SqlResult<Session> {
        let (client, mut connection) = self.config.connect(self.tls.clone()).await?;
        let closed = Arc::new(Notify::new());
        let (at_end, notified) = (closed.clone(), self.notified());
        let driver = tokio::spawn(async move {
            while let Some(message) = poll_fn(|cx| connection.poll_message(cx)).await {
                match message {
                    Ok(AsyncMessage::Notification(_)) => notified.notify_one(),
                    Ok(_) => {}
                    Err(error) => {
                        let error = super::error::describe(&error);
                        log::warn!(error:display; "a connection to PostgreSQL was lost");
                        break;
                    }
                }
            }
            at_end.notify_one();
        });
        let driver = driver.abort_handle();
        let is_abandoned = true.into();
        let mut session = Session { client, statements: Mutex::default(), backend: 0, closed, is_abandoned, driver };
        // An old transaction must not keep its locks for long, and everything here is for people who wait. What the server,
        // the database or the user has as defaults must not change what transactions see, or end idle connections.
        session
            .client
            .batch_execute(
                "SET lock_timeout = '5s'; SET idle_in_transaction_session_timeout = '60s'; SET statement_timeout = '10s';
                 SET default_transaction_isolation = 'read committed'; SET default_transaction_deferrable = off;
                 SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 1; SET tcp_keepalives_count = 4; SET jit = off;
                 SELECT set_config(name, CASE WHEN name LIKE 'tcp%' OR name LIKE 'client%' THEN '5s' ELSE '0' END, false)
                 FROM pg_settings WHERE name IN ('tcp_user_timeout', 'client_connection_check_interval',
                 'idle_session_timeout', 'transaction_timeout')",
            )
            .await?;
        session.backend = session.client.query_one("SELECT pg_backend_pid()", &[]).await?.try_get(0)?;
        session.is_abandoned = false.into();
        Ok(session)
    }
}

fn roots(ca_file: Option<&Path>) -> Result<RootCertStore, PostgresError> {
    let mut roots = RootCertStore::empty();
    let Some(file) = ca_file else {
        // A server without TLS is reached without any.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        return Ok(roots);
    };
    let failed = |why: &dyn std::fmt::Display| PostgresError::Tls(format!("{}: {why}", file.display()));
    for certificate in CertificateDer::pem_file_iter(file).map_err(|error| failed(&error))? {
        let certificate = certificate.map_err(|error| failed(&error))?;
        roots.add(certificate).map_err(|error| failed(&error))?;
    }
    if roots.is_empty() {
        return Err(failed(&io::Error::new(io::ErrorKind::InvalidData, "no certificate found")));
    }
    Ok(roots)
}

impl Session {
    /// The process id of the server that performs the statements.
    pub(super) fn backend(&self) -> i32 {
        self.backend
    }

    /// Shows this connection under another name.
    pub(super) async fn rename(&self, name: &str) -> SqlResult<()> {
        self.execute("SELECT set_config('application_name', $1, false)", &[&name]).await.map(drop)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.is_abandoned.load(Ordering::Relaxed) || self.client.is_closed()
    }

    /// Treats the connection as closed.
    pub(super) fn abandon(&self) {
        self.is_abandoned.store(true, Ordering::Relaxed);
    }

    /// Waits until the connection is closed.
    pub(super) async fn closed(&self) {
        if !self.is_closed() {
            self.closed.notified().await;
        }
    }

    /// Waits for an answer of the server. The connection is abandoned if there is none in time, and if the server takes no
    /// writes any more: the next connection finds the primary.
    async fn answer<T>(
        &self,
        within: Duration,
        answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> SqlResult<T> {
        match timeout(within, answer).await {
            Ok(answer) => answer.map_err(|error| {
                if error.code() == Some(&SqlState::READ_ONLY_SQL_TRANSACTION) {
                    self.abandon();
                }
                error.into()
            }),
            Err(_) => {
                self.abandon();
                Err(Failure::Silent)
            }
        }
    }

    /// Performs statements without parameters.
    pub(super) async fn batch(&self, sql: &str) -> SqlResult<()> {
        self.batch_within(ANSWER, sql).await
    }

    /// Performs statements that take long, in a transaction for which the server has no time limit.
    pub(super) async fn slow_batch(&self, sql: &str) -> SqlResult<()> {
        self.batch_within(SLOW_ANSWER, sql).await
    }

    /// Performs statements without parameters, and waits this long for the server.
    pub(super) async fn batch_within(&self, within: Duration, sql: &str) -> SqlResult<()> {
        self.answer(within, self.client.batch_execute(sql)).await
    }

    /// Performs a statement and returns its rows.
    pub(super) async fn query(&self, sql: &'static str, parameters: &Parameters<'_>) -> SqlResult<Vec<Row>> {
        self.answer(ANSWER, async { self.client.query(&self.statement(sql).await?, parameters).await }).await
    }

    /// Performs a statement that returns at most one row.
    pub(super) async fn query_opt(&self, sql: &'static str, parameters: &Parameters<'_>) -> SqlResult<Option<Row>> {
        self.answer(ANSWER, async { self.client.query_opt(&self.statement(sql).await?, parameters).await }).await
    }

    /// Performs a statement that returns one row.
    pub(super) async fn query_one(&self, sql: &'static str, parameters: &Parameters<'_>) -> SqlResult<Row> {
        self.answer(ANSWER, async { self.client.query_one(&self.statement(sql).await?, parameters).await }).await
    }

    /// Performs a statement and returns the number of rows it changed.
    pub(super) async fn execute(&self, sql: &'static str, parameters: &Parameters<'_>) -> SqlResult<u64> {
        self.answer(ANSWER, async { self.client.execute(&self.statement(sql).await?, parameters).await }).await
    }

    /// Runs a statement that is not prepared for further runs. Returns the number of rows that it has changed.
    pub(super) async fn execute_once(&self, sql: &str, parameters: &Parameters<'_>) -> SqlResult<u64> {
        self.answer(ANSWER, self.client.execute(sql, parameters)).await
    }

    /// Performs a query that takes long, in a transaction for which the server has no time limit, and passes each row on.
    /// Returns their number.
    pub(super) async fn for_each_row(
        &self,
        sql: &'static str,
        mut each: impl FnMut(&Row) -> Result<(), PostgresError>,
    ) -> Result<u64, PostgresError> {
        let none: [&(dyn ToSql + Sync); 0] = [];
        let query = async { self.client.query_raw(&self.statement(sql).await?, none).await };
        let mut rows = pin!(self.answer(SLOW_ANSWER, query).await?);
        let mut count = 0;
        while let Some(row) = self.answer(SLOW_ANSWER, rows.try_next()).await? {
            each(&row)?;
            count += 1;
        }
        Ok(count)
    }

    /// A statement, prepared once for each connection.
    async fn statement(&self, sql: &'static str) -> Result<Statement, tokio_postgres::Error> {
        let known = self.statements.lock().unwrap_or_else(PoisonError::into_inner).get(sql).cloned();
        if let Some(statement) = known {
            return Ok(statement);
        }
        let statement = self.client.prepare(sql).await?;
        self.statements.lock().unwrap_or_else(PoisonError::into_inner).insert(sql, statement.clone());
        Ok(statement)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // The server may never answer what is under way.
        if self.is_abandoned.load(Ordering::Relaxed) {
            self.driver.abort();
        }
    }
}
