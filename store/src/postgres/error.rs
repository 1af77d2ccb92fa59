//! Errors of the database. No text of them contains its URL, which may have a password, or a value of a row.

use std::io;

use rogerrat_actors::LogError;
use tokio_postgres::error::SqlState;

/// Why a PostgreSQL database cannot be used. No channel, message or account of it was changed; its tables may be newer, and the row
/// of an instance that did not start may be left.
#[derive(Debug, thiserror::Error)]
pub enum PostgresError {
    /// The URL of the database cannot be parsed.
    #[error(
        "the URL of the database is not valid ({0}); write it as postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=require"
    )]
    InvalidUrl(String),
    /// The certificate authorities for TLS cannot be loaded.
    #[error("the certificates for the connection to PostgreSQL cannot be used: {0}")]
    Tls(String),
    /// No connection was made.
    #[error(
        "PostgreSQL cannot be reached ({}); check that it runs, and host, user, password and sslmode of its URL",
        describe(source)
    )]
    Unreachable {
        /// The cause.
        source: tokio_postgres::Error,
    },
    /// The server accepts connections, but does not answer in time.
    #[error("PostgreSQL does not answer in time; check its load, its locks and its disk")]
    Silent,
    /// The server is too old.
    #[error("the PostgreSQL server has version {found}, but at least version 14 is needed; upgrade the server")]
    TooOld {
        /// The version of the server.
        found: String,
    },
    /// A setting of the server would lose acknowledged messages.
    #[error(
        "the PostgreSQL server has {name} = {found}, with which a crash loses acknowledged messages; set it to {needed}"
    )]
    UnsafeSetting {
        /// The name of the setting.
        name: &'static str,
        /// Its value.
        found: String,
        /// A value that is safe.
        needed: &'static str,
    },
    /// The server is a standby, or takes no writes.
    #[error("the PostgreSQL server is a standby or read-only; name the primary in the URL of the database")]
    ReadOnly,
    /// The connections are not sessions of their own.
    #[error(
        "there is a connection pooler between the hub and PostgreSQL that shares sessions; connect to the server itself, or set the pooler to session mode"
    )]
    SharedSessions,
    /// The database was created with another `hub.key`.
    #[error("the database belongs to a hub with another hub.key; copy that hub's hub.key, or use an empty database")]
    OtherKey,
    /// The user may not do what a hub does.
    #[error(
        "the user {user} of PostgreSQL may not {what}; make it the owner of the database and its tables, or connect as that user"
    )]
    MissingRights {
        /// The user.
        user: String,
        /// What it may not do.
        what: String,
    },
    /// Another hub runs on the database, and could not reach this one.
    #[error(
        "hub {other} uses the database, and this one has no address at which it could be reached; set cluster.listen on each hub, or \
         stop hub {other} first"
    )]
    NoAddress {
        /// The number of the other instance.
        other: u64,
    },
    /// Another hub runs on the database, which this one could not reach.
    #[error(
        "hub {other} uses the database and has no address at which it could be reached; set cluster.listen there as \
         well and start it again, or stop it first"
    )]
    OtherHasNoAddress {
        /// The number of the other instance.
        other: u64,
    },
    /// The database was written by a newer hub.
    #[error(
        "the database has schema {found}, but this version only knows schemas up to {known}; run the newer rogerrat"
    )]
    NewerSchema {
        /// Its schema.
        found: i32,
        /// The newest schema of this version.
        known: i32,
    },
    /// The database has no tables of this version.
    #[error("the database has no tables of this version of the hub; `rogerrat serve` creates them")]
    NoTables,
    /// What is stored is damaged.
    #[error("the database is damaged: {0}; restore a backup of it")]
    Damaged(String),
    /// A statement failed.
    #[error("PostgreSQL failed: {}", describe(source))]
    Sql {
        /// The cause.
        #[from]
        source: tokio_postgres::Error,
    },
    /// A thread cannot be started.
    #[error("the thread of the store cannot be started: {0}")]
    Thread(#[from] io::Error),
}

/// The text of an error of PostgreSQL, without its details, which may contain values of rows.
pub(super) fn describe(error: &tokio_postgres::Error) -> String {
    if let Some(error) = error.as_db_error() {
        return format!("{} ({})", error.message(), error.code().code());
    }
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

/// Why a query or a write failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// A statement failed.
    Sql(tokio_postgres::Error),
    /// A stored value cannot be decoded, or the caller may not do this. What was written is rolled back.
    Log(LogError),
    /// The server did not answer in time. The connection is abandoned.
    Silent,
    /// No connection was made: why.
    Unreachable(String),
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<LogError> for Failure {
    fn from(error: LogError) -> Self {
        Self::Log(error)
    }
}

impl From<Failure> for LogError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Log(error) => error,
            // The caller may try again later.
            failure if failure.is_disconnect() || failure.is_worth_repeating() => Self::Busy,
            failure => Self::Failed(failure.text()),
        }
    }
}

impl From<Failure> for PostgresError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Sql(source) => Self::Sql { source },
            Failure::Silent => Self::Silent,
            Failure::Log(_) | Failure::Unreachable(_) => Self::Thread(io::Error::other(failure.text())),
        }
    }
}

impl Failure {
    /// What failed.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Sql(error) => describe(error),
            Self::Log(error) => error.to_string(),
            Self::Silent => "PostgreSQL does not answer in time".into(),
            Self::Unreachable(why) => why.clone(),
        }
    }

    /// Why no connection could be made.
    pub(super) fn into_connect_error(self) -> PostgresError {
        match self {
            // What `target_session_attrs` refuses.
            Self::Sql(source) if has_source(&source, io::ErrorKind::PermissionDenied) => PostgresError::ReadOnly,
            Self::Sql(source) => PostgresError::Unreachable { source },
            failure => failure.into(),
        }
    }

    fn code(&self) -> Option<&SqlState> {
        match self {
            Self::Sql(error) => error.code(),
            Self::Log(_) | Self::Silent | Self::Unreachable(_) => None,
        }
    }

    /// Whether the data is to blame: the same write would fail again, and others would not.
    pub(super) fn is_caused_by_data(&self) -> bool {
        match self {
            // Data exceptions, constraints, limits of the program such as a value that is too long.
            Self::Sql(_) => {
                self.code().is_some_and(|code| ["22", "23", "54"].iter().any(|class| code.code().starts_with(class)))
            }
            Self::Log(_) => true,
            Self::Silent | Self::Unreachable(_) => false,
        }
    }

    /// Whether the transaction lost against another one, and would succeed if it was repeated.
    pub(super) fn is_worth_repeating(&self) -> bool {
        let repeatable = [
            &SqlState::T_R_SERIALIZATION_FAILURE,
            &SqlState::T_R_DEADLOCK_DETECTED,
            &SqlState::LOCK_NOT_AVAILABLE,
            &SqlState::QUERY_CANCELED,
        ];
        self.code().is_some_and(|code| repeatable.contains(&code))
    }

    /// Whether the connection is lost, or the server is shutting down, starting or read-only.
    pub(super) fn is_disconnect(&self) -> bool {
        match self {
            Self::Sql(error) => match error.code() {
                // Connection exceptions, interventions of an operator, a standby.
                Some(code) => {
                    (["08", "57P"].iter().any(|class| code.code().starts_with(class)))
                        || *code == SqlState::READ_ONLY_SQL_TRANSACTION
                        || *code == SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT
                }
                // A value that cannot be converted has another source.
                None => std::error::Error::source(error).is_none_or(|source| source.is::<io::Error>()),
            },
            Self::Log(_) => false,
            Self::Silent | Self::Unreachable(_) => true,
        }
    }
}

fn has_source(error: &tokio_postgres::Error, kind: io::ErrorKind) -> bool {
    let source = std::error::Error::source(error).and_then(|source| source.downcast_ref::<io::Error>());
    source.is_some_and(|source| source.kind() == kind)
}
