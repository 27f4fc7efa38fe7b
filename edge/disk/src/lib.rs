//! A folder of files as the journal's [`Disk`].
//!
//! A [`Folder`] is held by one process at a time: a lock beside the files says so, and goes with the
//! process. Room is reserved when a file is made; it is made under another name and renamed when it is
//! whole, so half of one is never taken for a file. It knows nothing of what is written.

mod lease;
mod timed;

pub use lease::LeaseFile;
pub use timed::{Slowest, Timed};

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use tse_journal::{Disk, DiskError, Trouble};

/// The name of the lock in a folder.
const LOCK: &str = "lock";
/// What a file is called until it is whole.
const UNFINISHED: &str = ".new";
/// How many zeros are written at a time.
const ZEROS: usize = 1 << 20;

/// A folder of files.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// Held as long as the folder may be written.
    lock: Option<File>,
    open: RefCell<BTreeMap<String, File>>,
}

fn failed(doing: &str, path: &Path, error: &io::Error) -> DiskError {
    let trouble = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            Trouble::Full
        }
        ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied => Trouble::ReadOnly,
        ErrorKind::NotFound | ErrorKind::UnexpectedEof => Trouble::Missing,
        ErrorKind::AlreadyExists => Trouble::Exists,
        _ => Trouble::Broken,
    };
    DiskError { trouble, what: format!("cannot {doing} {}: {error}", path.display()) }
}

impl Folder {
    /// Opens a folder to write in it, and makes it where it is not there.
    ///
    /// # Errors
    /// `Exists` if another process holds it; what the system says.
    pub fn open(path: &Path) -> Result<Self, DiskError> {
        std::fs::create_dir_all(path).map_err(|error| failed("make", path, &error))?;
        let name = path.join(LOCK);
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&name);
        let lock = lock.map_err(|error| failed("open", &name, &error))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let what = format!("{} is being written by another process", path.display());
                return Err(DiskError { trouble: Trouble::Exists, what });
            }
            Err(TryLockError::Error(error)) => return Err(failed("lock", &name, &error)),
        }
        Ok(Self { path: path.to_owned(), lock: Some(lock), open: RefCell::default() })
    }

    /// Whether a process holds a folder to write in it. One that cannot be looked at is not held.
    pub fn is_held(path: &Path) -> bool {
        let lock = OpenOptions::new().write(true).open(path.join(LOCK));
        lock.is_ok_and(|lock| matches!(lock.try_lock(), Err(TryLockError::WouldBlock)))
    }

    /// Opens a folder to read it, whoever writes there.
    ///
    /// # Errors
    /// `Missing` if it is not there.
    pub fn look_at(path: &Path) -> Result<Self, DiskError> {
        std::fs::read_dir(path).map_err(|error| failed("read", path, &error))?;
        Ok(Self { path: path.to_owned(), lock: None, open: RefCell::default() })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Does something with an open file.
    fn with<T>(
        &self,
        name: &str,
        doing: &str,
        work: impl FnOnce(&mut File) -> io::Result<T>,
    ) -> Result<T, DiskError> {
        let mut open = self.open.borrow_mut();
        let file = match open.get_mut(name) {
            Some(file) => file,
            None => {
                let path = self.path.join(name);
                let file = OpenOptions::new().read(true).write(self.lock.is_some()).open(&path);
                let file = file.map_err(|error| failed("open", &path, &error))?;
                open.entry(name.to_owned()).or_insert(file)
            }
        };
        work(file).map_err(|error| failed(doing, &self.path.join(name), &error))
    }

    /// What files there are must survive a loss of power as well.
    fn sync_names(&self) -> Result<(), DiskError> {
        let folder = File::open(&self.path).and_then(|folder| folder.sync_all());
        folder.map_err(|error| failed("sync", &self.path, &error))
    }

    /// Makes a file of zeros with its room reserved: by the system where it can, else by writing them.
    fn fill(path: &Path, size: u64) -> io::Result<()> {
        let mut file = File::create(path)?;
        if reserve(&file, size)? {
            return file.sync_all();
        }
        let zeros = vec![0; ZEROS.min(size as usize)];
        let mut left = size;
        while left > 0 {
            let now = left.min(zeros.len() as u64);
            file.write_all(&zeros[..now as usize])?;
            left -= now;
        }
        file.sync_all()
    }
}

/// Writes at a place of a file: with one call to the system where it has one.
#[cfg(unix)]
fn write_at(file: &mut File, at: u64, bytes: &[u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, at)
}

#[cfg(not(unix))]
fn write_at(file: &mut File, at: u64, bytes: &[u8]) -> io::Result<()> {
    file.seek(SeekFrom::Start(at))?;
    file.write_all(bytes)
}

/// Whether the system reserved the room. A file system that does not know how is no failure.
#[cfg(target_os = "linux")]
fn reserve(file: &File, size: u64) -> io::Result<bool> {
    use rustix::fs::{FallocateFlags, fallocate};
    match fallocate(file, FallocateFlags::empty(), 0, size) {
        Ok(()) => Ok(true),
        Err(error) => match io::Error::from(error) {
            error if error.kind() == ErrorKind::Unsupported => Ok(false),
            error => Err(error),
        },
    }
}

#[cfg(not(target_os = "linux"))]
fn reserve(_: &File, _: u64) -> io::Result<bool> {
    Ok(false)
}

impl Disk for Folder {
    fn list(&self) -> Result<Vec<String>, DiskError> {
        let wrong = |error: io::Error| failed("read", &self.path, &error);
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&self.path).map_err(wrong)? {
            names.extend(entry.map_err(wrong)?.file_name().into_string().ok());
        }
        names.retain(|name| name != LOCK && !name.ends_with(UNFINISHED));
        names.sort_unstable();
        Ok(names)
    }

    fn size(&self, name: &str) -> Result<u64, DiskError> {
        self.with(name, "look at", |file| Ok(file.metadata()?.len()))
    }

    fn read(&self, name: &str, at: u64, into: &mut [u8]) -> Result<(), DiskError> {
        self.with(name, "read", |file| {
            file.seek(SeekFrom::Start(at))?;
            file.read_exact(into)
        })
    }

    fn create(&mut self, name: &str, size: u64) -> Result<(), DiskError> {
        let path = self.path.join(name);
        if path.exists() {
            let what = format!("{} is there already", path.display());
            return Err(DiskError { trouble: Trouble::Exists, what });
        }
        let unfinished = self.path.join(format!("{name}{UNFINISHED}"));
        if let Err(error) = Self::fill(&unfinished, size) {
            // The room may be needed; that it cannot be given back would not be news.
            let _ = std::fs::remove_file(&unfinished);
            return Err(failed("make", &path, &error));
        }
        let renamed = std::fs::rename(&unfinished, &path);
        renamed.map_err(|error| failed("make", &path, &error))?;
        self.sync_names()
    }

    fn write(&mut self, name: &str, at: u64, bytes: &[u8]) -> Result<(), DiskError> {
        self.with(name, "write", |file| write_at(file, at, bytes))
    }

    fn remove(&mut self, name: &str) -> Result<(), DiskError> {
        self.open.borrow_mut().remove(name);
        let path = self.path.join(name);
        std::fs::remove_file(&path).map_err(|error| failed("remove", &path, &error))?;
        self.sync_names()
    }

    fn sync(&mut self, name: &str) -> Result<(), DiskError> {
        self.with(name, "sync", |file| file.sync_data())
    }
}
