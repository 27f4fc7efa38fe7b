//! The folder of an engine: where its journal is, how it is reached, and the flag that stops it.

use std::io;
use std::path::{Path, PathBuf};

/// The socket's name.
const SOCKET: &str = "control.sock";
/// The longest path that a socket may have, on every system.
const SOCKET_PATH_MAX: usize = 100;

/// Why a folder cannot be an engine's.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// The system refuses.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// What was attempted.
        doing: &'static str,
        /// With what.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// A socket's path must be short.
    #[error(
        "the path of {} is too long for a socket: {} bytes, and {SOCKET_PATH_MAX} is the most",
        path.display(),
        path.as_os_str().len()
    )]
    TooLong {
        /// The path.
        path: PathBuf,
    },
}

/// An engine's folder.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Home {
    folder: PathBuf,
}

impl Home {
    /// The one at a path, which need not be there yet.
    pub fn at(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// All engines that have a folder under `parent`, by name.
    pub fn all_in(parent: &Path) -> Vec<Self> {
        let entries = std::fs::read_dir(parent).into_iter().flatten().flatten();
        let mut all: Vec<_> = entries.map(|entry| Self { folder: entry.path() }).collect();
        all.retain(|home| home.journal().is_dir());
        all.sort();
        all
    }

    /// Makes it, for nobody else to read.
    ///
    /// # Errors
    /// What the system says, or that its socket would have too long a path.
    pub fn make(&self) -> Result<(), HomeError> {
        let path = self.socket();
        if path.as_os_str().len() > SOCKET_PATH_MAX {
            return Err(HomeError::TooLong { path });
        }
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&self.folder).map_err(|source| HomeError::Io {
            doing: "make",
            path: self.folder.clone(),
            source,
        })
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What it is called: the folder's name.
    pub fn name(&self) -> String {
        self.folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// What tells this engine from any other that has had its name: made with it, and kept.
    ///
    /// # Errors
    /// What the system says.
    pub fn identity(&self) -> Result<String, HomeError> {
        let path = self.folder.join("id");
        let failed = |doing| {
            let path = path.clone();
            move |source| HomeError::Io { doing, path, source }
        };
        match std::fs::read_to_string(&path) {
            Ok(text) if !text.trim().is_empty() => return Ok(text.trim().to_owned()),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed("read")(error)),
        }
        let mut bytes = [0; 8];
        getrandom::fill(&mut bytes).map_err(|error| failed("name")(io::Error::other(error)))?;
        let id: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        std::fs::write(&path, format!("{id}\n")).map_err(failed("write"))?;
        Ok(id)
    }

    /// The rows of its journal, where they are kept beside it.
    pub fn store(&self) -> PathBuf {
        self.folder.join("store.sqlite")
    }

    /// The engine's journal.
    pub fn journal(&self) -> PathBuf {
        self.folder.join("journal")
    }

    /// What its venues were asked.
    pub fn venues(&self) -> PathBuf {
        self.folder.join("venues")
    }

    /// How it is reached.
    pub fn socket(&self) -> PathBuf {
        self.folder.join(SOCKET)
    }

    /// The flag that stops everything but cancels: a file.
    pub fn flag(&self) -> PathBuf {
        self.folder.join("kill")
    }
}
