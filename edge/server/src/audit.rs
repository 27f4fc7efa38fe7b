//! A line for everything that somebody wanted to change, whether it was done or not: a file beside the journal.
//!
//! What the engine did is in its journal, with who and why. Here is also what never reached it.

use crate::app::App;
use crate::http::current;
use serde::Serialize;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// One of them.
#[derive(Debug, Serialize)]
pub struct Entry<'a> {
    /// When, by the clock.
    pub at: String,
    /// What the request belongs to.
    pub correlation_id: &'a str,
    /// Itself.
    pub request_id: &'a str,
    /// Whose token; empty where none was needed or it is not known.
    pub by: &'a str,
    /// Whose second token, where there was one.
    pub second: Option<&'a str>,
    /// From where.
    pub peer: &'a str,
    /// `POST` and the path, or the name of a call.
    pub what: &'a str,
    /// The body, where it was JSON.
    pub body: Option<serde_json::Value>,
    /// The status of the answer.
    pub status: u16,
    /// The code of the problem, if there was one.
    pub code: Option<&'a str>,
}

/// The file.
#[derive(Debug)]
pub struct Audit(Mutex<File>);

impl Audit {
    /// Goes on with the one at `path`.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        Ok(Self(Mutex::new(options.create(true).append(true).mode(0o600).open(path)?)))
    }

    /// Writes a line, and waits until it is safe.
    ///
    /// # Errors
    /// What the system says.
    pub fn write(&self, entry: &Entry<'_>) -> io::Result<()> {
        let mut line = serde_json::to_vec(entry)?;
        line.push(b'\n');
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(&line)?;
        file.sync_data()
    }
}

/// Whose tokens came with a wish.
#[derive(Clone, Default)]
pub(crate) struct Holders {
    /// Empty where none was needed or it is not known.
    pub(crate) by: String,
    /// Of a second token.
    pub(crate) second: Option<String>,
}

/// Something that somebody wanted to change.
pub(crate) struct Wish {
    /// Whose tokens came with it.
    pub(crate) holders: Holders,
    /// From where.
    pub(crate) peer: String,
    /// The method and the path, or the name of a call.
    pub(crate) what: String,
    /// What was said of it, where that could be read.
    pub(crate) body: Option<serde_json::Value>,
}

/// Writes down what came of a wish, before it is answered. One that cannot be recorded is answered all the same: what
/// was done is done.
pub(crate) async fn record(app: Arc<App>, wish: Wish, status: u16, code: Option<String>) {
    let ids = current().unwrap_or_default();
    let written = tokio::task::spawn_blocking(move || {
        let Wish { holders: Holders { by, second }, peer, what, body } = wish;
        let entry = Entry {
            at: jiff::Timestamp::now().to_string(),
            correlation_id: &ids.correlation,
            request_id: &ids.request,
            by: &by,
            second: second.as_deref(),
            peer: &peer,
            what: &what,
            body,
            status,
            code: code.as_deref(),
        };
        tracing::info!(by, second, what, status, code, "change");
        app.audit.write(&entry)
    });
    match written.await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::error!(%error, "a change could not be recorded"),
        Err(error) => tracing::error!(%error, "a change could not be recorded"),
    }
}
