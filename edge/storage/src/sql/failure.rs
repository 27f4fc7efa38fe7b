//! What an error of a database means for who asked.

use crate::StorageError;
use sqlx::Error;
use sqlx::error::{DatabaseError, ErrorKind};

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Store {
    Sqlite,
    Postgres,
}

impl Store {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }

    /// What an error means, for a row of a table.
    pub(crate) fn failed(self, table: &'static str, id: &str, error: &Error) -> StorageError {
        let store = self.name();
        match error {
            Error::Database(said) => self.said(table, id, said.as_ref()),
            Error::Io(error) => {
                StorageError::Unavailable { store, why: format!("the line broke: {error}") }
            }
            Error::Tls(_) => {
                StorageError::Unavailable { store, why: "no TLS could be agreed on".to_owned() }
            }
            Error::PoolTimedOut => StorageError::Unavailable {
                store,
                why: "no connection came free in time".to_owned(),
            },
            Error::PoolClosed | Error::WorkerCrashed | Error::BeginFailed => {
                StorageError::Unavailable { store, why: "the connection is closed".to_owned() }
            }
            Error::Protocol(_) => {
                StorageError::Unavailable { store, why: "it speaks out of turn".to_owned() }
            }
            // What stands in a configuration may be a password: it is not repeated.
            Error::Configuration(_) => {
                StorageError::invalid(format!("the URL of {store}"), "cannot be used")
            }
            other => StorageError::Unreadable { store, why: other.to_string() },
        }
    }

    fn said(self, table: &'static str, id: &str, said: &dyn DatabaseError) -> StorageError {
        let store = self.name();
        // The message names constraints and states, never a value: values are in the detail.
        let why = said.message().to_owned();
        match said.kind() {
            ErrorKind::UniqueViolation => return StorageError::conflict(table, id, why),
            ErrorKind::ForeignKeyViolation => {
                return StorageError::NoParent { table, id: id.to_owned() };
            }
            ErrorKind::NotNullViolation | ErrorKind::CheckViolation => {
                return StorageError::invalid(format!("{table} `{id}`"), why);
            }
            _ => {}
        }
        let code = said.code().unwrap_or_default();
        match self {
            Self::Postgres => postgres(&code, why),
            Self::Sqlite => match code.parse::<u32>().map(|code| code & 0xff) {
                // Busy, locked, no memory, interrupted, broken, full, cannot be opened, not a database.
                Ok(5 | 6 | 7 | 9 | 10 | 11 | 13 | 14 | 26) => {
                    StorageError::Unavailable { store, why }
                }
                Ok(3 | 8) => StorageError::Refused { store, why },
                _ => StorageError::Unreadable { store, why },
            },
        }
    }
}

/// By the class of an SQLSTATE.
fn postgres(code: &str, why: String) -> StorageError {
    let store = Store::Postgres.name();
    match code {
        // Read-only, without the right, without a password that fits.
        "25006" | "42501" => StorageError::Refused { store, why },
        _ if code.starts_with("28") => StorageError::Refused { store, why },
        // No such table, schema, column, type or function.
        "42P01" | "3F000" | "42703" | "42704" | "42883" => {
            StorageError::SchemaMissing { schema: String::new(), found: 0, wanted: 0 }
        }
        _ if code.starts_with("22") => StorageError::invalid("a value", why),
        // Lines that broke, resources, operators who intervened, others who were faster; and a database
        // that is not there may be made.
        "40001" | "40P01" | "55P03" | "3D000" => StorageError::Unavailable { store, why },
        _ if ["08", "53", "57", "58", "XX"].iter().any(|class| code.starts_with(class)) => {
            StorageError::Unavailable { store, why }
        }
        _ => StorageError::Unreadable { store, why },
    }
}
