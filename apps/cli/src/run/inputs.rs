//! What went into a run, by hash: the config and every file it read.
//!
//! Files are hashed on a thread of their own while the run goes on. The id of a run is a hash of all
//! of it, and of nothing else: not of when, where or under which name it ran.

use super::fault::{Failure, READ};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

/// A file that went in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(crate) struct Input {
    /// As the config names it.
    pub(crate) path: String,
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
}

/// Everything that went in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Inputs {
    pub(crate) run_id: String,
    pub(crate) config_sha256: String,
    pub(crate) files: Vec<Input>,
}

/// Inputs that are being hashed.
#[derive(Debug)]
pub(crate) struct Hashing {
    config: String,
    thread: JoinHandle<Result<Vec<Input>, Failure>>,
}

impl Hashing {
    /// Begins to hash a resolved config and the files it names: how they are called, and where they
    /// are.
    pub(crate) fn begin(config: &str, files: Vec<(String, PathBuf)>) -> Self {
        let thread = std::thread::spawn(move || {
            files.into_iter().map(|(name, path)| hash_file(name, &path)).collect()
        });
        Self { config: hex(&Sha256::digest(config)), thread }
    }

    /// Waits for the last file.
    ///
    /// # Errors
    /// The first file that could not be read.
    pub(crate) fn finish(self) -> Result<Inputs, Failure> {
        let files = self.thread.join().expect("hashing a file does not panic")?;
        let mut all = Sha256::new();
        all.update(concat!("tse ", env!("CARGO_PKG_VERSION"), "\n"));
        all.update(&self.config);
        for file in &files {
            all.update(&file.sha256);
        }
        // Half of the hash tells any number of runs apart that will ever be made.
        let run_id = hex(&all.finalize()[..16]);
        Ok(Inputs { run_id, config_sha256: self.config, files })
    }
}

fn hash_file(name: String, path: &Path) -> Result<Input, Failure> {
    let failed = |source| Failure::io(READ, path, source);
    let mut file = File::open(path).map_err(failed)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 18];
    let mut bytes = 0;
    loop {
        let read = file.read(&mut buffer).map_err(failed)?;
        if read == 0 {
            return Ok(Input { path: name, bytes, sha256: hex(&hash.finalize()) });
        }
        bytes += read as u64;
        hash.update(&buffer[..read]);
    }
}

/// The hash of a file's bytes.
pub(crate) fn hash_of(path: &Path) -> Result<String, Failure> {
    hash_file(String::new(), path).map(|input| input.sha256)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_follows_from_contents_alone() {
        let home = tempfile::tempdir().unwrap();
        let [a, b] = ["a", "b"].map(|name| home.path().join(name));
        std::fs::write(&a, "abc").unwrap();
        std::fs::write(&b, "abc").unwrap();
        let id = |config: &str, files: &[&PathBuf]| {
            let named = files.iter().map(|path| (path.display().to_string(), path.to_path_buf()));
            Hashing::begin(config, named.collect()).finish().unwrap()
        };
        let first = id("x", &[&a]);
        assert_eq!(first.run_id, id("x", &[&b]).run_id, "a file's name does not matter");
        assert_ne!(first.run_id, id("y", &[&a]).run_id);
        assert_ne!(first.run_id, id("x", &[&a, &b]).run_id);
        // sha256sum of "abc".
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!((&*first.files[0].sha256, first.files[0].bytes), (known, 3));
        assert!(
            Hashing::begin("x", vec![(String::new(), home.path().join("c"))]).finish().is_err()
        );
    }
}
