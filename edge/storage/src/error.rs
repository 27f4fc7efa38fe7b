//! What goes wrong with a store, in one type.

use thiserror::Error;

/// What a store answers instead of what was asked for.
///
/// Each has a stable code. None carries a URL, a password or a row: those could end in a log.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StorageError {
    /// There is no row with that name.
    #[error("{table} has no `{id}`")]
    NotFound {
        /// The table.
        table: &'static str,
        /// The row that was named.
        id: String,
    },
    /// What was asked for contradicts what is there.
    #[error("{table} `{id}`: {why}")]
    Conflict {
        /// The table.
        table: &'static str,
        /// The row that was named.
        id: String,
        /// What stands against it.
        why: String,
    },
    /// What was asked for makes no sense, whatever is there.
    #[error("{what} {why}")]
    Invalid {
        /// The field, or the question.
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// Rows that belong to this one are still there.
    #[error("{table} `{id}` still has {children}")]
    HasChildren {
        /// The table.
        table: &'static str,
        /// The row that was named.
        id: String,
        /// The table of those that are there.
        children: &'static str,
    },
    /// The row that this one belongs to is not there.
    #[error("{table} `{id}` belongs to a row that is not there")]
    NoParent {
        /// The table.
        table: &'static str,
        /// The row that was to be written.
        id: String,
    },
    /// The store does not answer. Whether it did what it was asked is not known.
    #[error("{store} does not answer: {why}")]
    Unavailable {
        /// Which store.
        store: &'static str,
        /// What was seen.
        why: String,
    },
    /// The store answers, but has not the tables that this version needs.
    #[error(
        "schema `{schema}` is at version {found} and {wanted} is needed: run `tse migrate --schema {schema}`"
    )]
    SchemaMissing {
        /// The schema.
        schema: String,
        /// The version that is there; 0 is none.
        found: i64,
        /// The version that is needed.
        wanted: i64,
    },
    /// The store answers and will not: it is read-only, or we have not the right.
    #[error("{store} refuses: {why}")]
    Refused {
        /// Which store.
        store: &'static str,
        /// What it said.
        why: String,
    },
    /// A batch begins after records that have never been applied.
    #[error("a batch from {from} leaves a gap: `{stream}` is applied up to {}",
        applied.map_or_else(|| "nothing".to_owned(), |at| at.to_string()))]
    Gap {
        /// The stream.
        stream: String,
        /// Where the batch begins.
        from: u64,
        /// The last sequence that is applied, if any is.
        applied: Option<u64>,
    },
    /// What the store holds cannot be read, or it answered what nobody expects.
    #[error("{store} answers what cannot be used: {why}")]
    Unreadable {
        /// Which store.
        store: &'static str,
        /// What is wrong.
        why: String,
    },
}

impl StorageError {
    /// A stable code, for people to look up and programs to match.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "TSE-P001",
            Self::Conflict { .. } => "TSE-P002",
            Self::Invalid { .. } => "TSE-P003",
            Self::HasChildren { .. } => "TSE-P004",
            Self::NoParent { .. } => "TSE-P005",
            Self::Unavailable { .. } => "TSE-P006",
            Self::SchemaMissing { .. } => "TSE-P007",
            Self::Refused { .. } => "TSE-P008",
            Self::Gap { .. } => "TSE-P009",
            Self::Unreadable { .. } => "TSE-P010",
        }
    }

    /// Whether the store is at fault and not the question: the same may succeed later, or elsewhere.
    pub const fn is_outage(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::SchemaMissing { .. } | Self::Refused { .. })
    }

    pub(crate) fn invalid(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Invalid { what: what.into(), why: why.into() }
    }

    pub(crate) fn conflict(table: &'static str, id: &str, why: impl Into<String>) -> Self {
        Self::Conflict { table, id: id.to_owned(), why: why.into() }
    }

    pub(crate) fn not_found(table: &'static str, id: &str) -> Self {
        Self::NotFound { table, id: id.to_owned() }
    }
}

/// What a store answers.
pub type Result<T> = std::result::Result<T, StorageError>;
/// Every code, what it is, and what it means, for whoever explains them.
pub const CODES: &[(&str, &str, &str)] = &[
    (
        "TSE-P001",
        "A row is not there",
        "A row was to be changed or deleted, and none has that name.",
    ),
    (
        "TSE-P002",
        "A row contradicts another",
        "What was to be written contradicts what is there, such as a step that an order cannot take.",
    ),
    (
        "TSE-P003",
        "A row or a question makes no sense",
        "A figure, a name or a limit cannot be meant, whatever the store has. The message names the field.",
    ),
    (
        "TSE-P004",
        "A row has others that belong to it",
        "It is not deleted while they are there, since their history would go with it.",
    ),
    (
        "TSE-P005",
        "A row belongs to one that is not there",
        "An order or execution needs the row of its strategy first.",
    ),
    (
        "TSE-P006",
        "A store does not answer",
        "It is asked again every few seconds, and catches up from where it was. The journal has everything.",
    ),
    (
        "TSE-P007",
        "A schema lacks its tables",
        "`tse migrate --schema NAME` makes them, with the rights of somebody who may. Until then rows are kept in memory.",
    ),
    (
        "TSE-P008",
        "A store refuses",
        "It is read-only, or its user lacks a right. Rows catch up when it does not refuse any more.",
    ),
    (
        "TSE-P009",
        "Records are missing before these rows",
        "The store is behind what was to be written, as after it was restored: rows are made again from where it is.",
    ),
    (
        "TSE-P010",
        "A store holds something else",
        "A value there cannot be read by this version, or another version made its tables.",
    ),
    (
        "TSE-P011",
        "A variable of the stores cannot be meant",
        "A variable that begins with TRADING_ADAPTER_ says what cannot be; the message names it and the fix.",
    ),
];
