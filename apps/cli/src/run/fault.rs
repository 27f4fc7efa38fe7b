//! How a run can fail, other than by losing money.

use crate::diagnose::{Diagnostic, Diagnostics, codes};
use std::io;
use std::path::{Path, PathBuf};
use tse_model::SourceFault;

/// What was tried, where it decides what to advise.
pub(crate) const READ: &str = "read";
/// See [`READ`].
pub(crate) const OPEN: &str = "open a browser for";

/// Why a verb of this module could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A file or folder could not be read or written.
    #[error("cannot {what} {}: {source}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// With which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A table could not be written.
    #[error("cannot write {}: {why}", path.display())]
    Table {
        /// Which file.
        path: PathBuf,
        /// What the writer says.
        why: String,
    },
    /// A table of a run folder could not be read.
    #[error("cannot read {}: {why}", path.display())]
    Unread {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Market data ended before its end.
    #[error("{}", .0.what)]
    Data(SourceFault),
    /// No run is called that.
    #[error("{what}")]
    NoRun {
        /// What was asked for and what there is.
        what: String,
        /// What to do about it.
        fix: String,
    },
}

impl Failure {
    /// A file or folder could not be read or written.
    pub(crate) fn io(what: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io { what, path: path.to_owned(), source }
    }

    /// A table could not be written.
    pub(crate) fn table(path: &Path, why: &dyn std::error::Error) -> Self {
        Self::Table { path: path.to_owned(), why: why.to_string() }
    }
}

impl From<Failure> for Diagnostic {
    fn from(failure: Failure) -> Self {
        let title = failure.to_string();
        match failure {
            Failure::Unread { .. } => {
                Self::error(tse_data::codes::UNREADABLE, title).fix("run the backtest again")
            }
            Failure::Data(fault) => fault.into(),
            Failure::NoRun { fix, .. } => Self::error(codes::NOTHING_CALLED, title).fix(fix),
            Failure::Io { what: OPEN, path, .. } => Self::error(codes::CANNOT_WRITE, title)
                .fix(format!("open {} by hand", path.display())),
            Failure::Io { what: READ, .. } => Self::error(tse_data::codes::UNREADABLE, title)
                .fix("check the path and its permissions"),
            Failure::Io { .. } | Failure::Table { .. } => Self::error(codes::CANNOT_WRITE, title)
                .fix("free some room, or choose another folder with --runs"),
        }
    }
}

impl From<Failure> for Diagnostics {
    fn from(failure: Failure) -> Self {
        Diagnostic::from(failure).into()
    }
}
