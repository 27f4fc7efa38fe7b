//! Bytes and lines of files: plain, gzip, zstd or a member of a zip, told apart by their first bytes.
//!
//! [`Lines`] reads any number of files one after another with one buffer, so memory does not grow
//! with the data, and knows file and line for every finding. It does not know what a line means.

use crate::codes;
use crate::fault::{Faulty, fault, grouped, shown};
use flate2::read::{DeflateDecoder, MultiGzDecoder};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tse_model::SourceFault;

/// How much is read at once.
const CHUNK: usize = 128 * 1024;
/// The longest line that is believed to be one.
const LINE_MAX: usize = 16 * 1024 * 1024;

/// How many bytes of the files, as they lie on disk, have been read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress {
    read: Arc<AtomicU64>,
    total: u64,
}

impl Progress {
    /// For these files; those that do not exist count nothing.
    pub(crate) fn of(paths: &[PathBuf]) -> Self {
        let sizes = paths.iter().filter_map(|path| std::fs::metadata(path).ok());
        Self { read: Arc::default(), total: sizes.map(|data| data.len()).sum() }
    }

    /// In millionths.
    pub(crate) fn millionths(&self) -> Option<u32> {
        let read = self.read.load(Ordering::Relaxed).min(self.total);
        let share = u128::from(read) * 1_000_000 / u128::from(self.total.max(1));
        u32::try_from(share).ok().filter(|_| self.total > 0)
    }

    pub(crate) fn add(&self, bytes: u64) {
        self.read.fetch_add(bytes, Ordering::Relaxed);
    }
}

struct Counting<R> {
    inner: R,
    progress: Progress,
}

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.progress.add(count as u64);
        Ok(count)
    }
}

/// Checks what comes out of an archive against the size and sum that the archive promises.
struct Verified<R> {
    inner: R,
    sum: flate2::Crc,
    left: u64,
    expected: u32,
}

impl<R: Read> Read for Verified<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.sum.update(&buffer[..count]);
        if count == 0 && !buffer.is_empty() {
            if self.left > 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if self.sum.sum() != self.expected {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "the checksum differs"));
            }
        }
        self.left = self.left.saturating_sub(count as u64);
        Ok(count)
    }
}

/// What the first bytes of a file say it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wrapping {
    Plain,
    Gzip,
    Zstd,
    Zip,
}

/// The first bytes of formats that are no text.
const MAGIC: [(&[u8], &str); 2] = [(b"PAR1", "Apache Parquet"), (b"DBN", "Databento DBN")];

fn io_fault(error: &io::Error, path: &Path) -> SourceFault {
    let place = path.display();
    match error.kind() {
        io::ErrorKind::NotFound => fault(
            codes::NO_SUCH_FILE,
            format!("no such file: {place}"),
            "correct the path; in a config it is relative to the config's folder",
        ),
        _ => fault(
            codes::UNREADABLE,
            format!("{place} cannot be read"),
            "check that it is a file and that you may read it",
        )
        .why(error.to_string()),
    }
    .at(place)
}

/// Opens a file without looking at it.
pub(crate) fn open_file(path: &Path) -> Result<File, SourceFault> {
    let file = File::open(path).map_err(|error| io_fault(&error, path))?;
    let is_folder = file.metadata().map_err(|error| io_fault(&error, path))?.is_dir();
    if is_folder {
        return Err(io_fault(&io::ErrorKind::IsADirectory.into(), path));
    }
    Ok(file)
}

/// How a file is wrapped, and its first bytes.
pub(crate) fn sniff(file: &mut File, path: &Path) -> Result<(Wrapping, [u8; 4]), SourceFault> {
    let mut head = [0; 4];
    let mut filled = 0;
    while filled < head.len() {
        match file.read(&mut head[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) => return Err(io_fault(&error, path)),
        }
    }
    file.seek(SeekFrom::Start(0)).map_err(|error| io_fault(&error, path))?;
    let wrapping = match head {
        [0x1f, 0x8b, ..] => Wrapping::Gzip,
        [0x28, 0xb5, 0x2f, 0xfd] => Wrapping::Zstd,
        [b'P', b'K', 3, 4] | [b'P', b'K', 5, 6] => Wrapping::Zip,
        _ => Wrapping::Plain,
    };
    Ok((wrapping, head))
}

/// The unpacked bytes of a file. `member` chooses inside a zip archive.
pub(crate) fn open_bytes(
    path: &Path,
    member: Option<&str>,
    progress: &Progress,
) -> Result<(Box<dyn Read + Send>, Wrapping), SourceFault> {
    let mut file = open_file(path)?;
    let (wrapping, _) = sniff(&mut file, path)?;
    let raw = |file| Counting { inner: file, progress: progress.clone() };
    let bytes: Box<dyn Read + Send> = match wrapping {
        Wrapping::Plain => Box::new(raw(file)),
        Wrapping::Gzip => {
            Box::new(MultiGzDecoder::new(io::BufReader::with_capacity(CHUNK, raw(file))))
        }
        Wrapping::Zstd => Box::new(
            zstd::stream::read::Decoder::new(raw(file)).map_err(|error| io_fault(&error, path))?,
        ),
        Wrapping::Zip => open_member(file, path, member, progress)?,
    };
    Ok((bytes, wrapping))
}

fn open_member(
    mut file: File,
    path: &Path,
    member: Option<&str>,
    progress: &Progress,
) -> Result<Box<dyn Read + Send>, SourceFault> {
    let damaged = |error: &dyn std::fmt::Display| {
        // The directory stands at the end, so a cut archive has none.
        fault(
            codes::CUT_OFF,
            "the archive has no readable directory, which stands at its end",
            "fetch the file again",
        )
        .why(error.to_string())
        .at(path.display())
    };
    let mut archive = zip::ZipArchive::new(&mut file).map_err(|error| damaged(&error))?;
    let names: Vec<String> =
        archive.file_names().filter_map(|name| Some(name.ok()?.into_owned())).collect();
    let chosen = match member {
        Some(wanted) => names.iter().find(|name| *name == wanted),
        None if names.len() == 1 => names.first(),
        None => None,
    };
    let Some(name) = chosen else {
        let list: Vec<_> = names.iter().take(12).map(String::as_str).collect();
        let what = match member {
            Some(wanted) => format!("the archive has no member `{wanted}`"),
            None => format!("the archive has {} members, and none is chosen", names.len()),
        };
        let fix = match list.first() {
            Some(first) => format!("set `member` to one of its files, such as \"{first}\""),
            None => "fetch the file again: it is empty".to_owned(),
        };
        let found = fault(codes::MEMBER, what, fix).at(path.display());
        return Err(found.why(format!("it has {}", list.join(", "))));
    };
    let entry = archive.by_name(name).map_err(|error| damaged(&error))?;
    let start = entry.data_start().ok_or_else(|| damaged(&"no place for the member"))?;
    let (packed, size, expected) = (entry.compressed_size(), entry.size(), entry.crc32());
    let method = entry.compression();
    drop(entry);
    drop(archive);
    file.seek(SeekFrom::Start(start)).map_err(|error| io_fault(&error, path))?;
    let raw = Counting { inner: file, progress: progress.clone() }.take(packed);
    let sum = flate2::Crc::new();
    match method {
        zip::CompressionMethod::Stored => {
            Ok(Box::new(Verified { inner: raw, sum, left: size, expected }))
        }
        zip::CompressionMethod::Deflated => {
            let inner = DeflateDecoder::new(io::BufReader::with_capacity(CHUNK, raw));
            Ok(Box::new(Verified { inner, sum, left: size, expected }))
        }
        other => Err(fault(
            codes::WRONG_FORMAT,
            format!("the archive is packed with {other}"),
            "pack it with deflate, as zip does unless told otherwise",
        )
        .at(path.display())),
    }
}

/// What is wrong when unpacking stops.
pub(crate) fn unpack_fault(error: &io::Error, wrapping: Wrapping) -> SourceFault {
    match (error.kind(), wrapping) {
        (io::ErrorKind::UnexpectedEof, _) => fault(
            codes::CUT_OFF,
            "the file is cut off: its compressed data has no end",
            "fetch or write the file again",
        ),
        (_, Wrapping::Plain) => {
            fault(codes::UNREADABLE, "the file cannot be read any further", "check the disk")
                .why(error.to_string())
        }
        _ => fault(codes::DAMAGED, "the compressed data is damaged", "fetch the file again")
            .why(error.to_string()),
    }
}

/// Where a finding is: a file and a line, row, message or record of it.
#[derive(Clone, Debug)]
pub(crate) struct Spot {
    pub(crate) file: Arc<str>,
    pub(crate) number: u64,
    /// `row`, `line`, `record`.
    pub(crate) unit: &'static str,
}

impl Default for Spot {
    fn default() -> Self {
        Self { file: "".into(), number: 0, unit: "row" }
    }
}

impl std::fmt::Display for Spot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.number {
            0 => f.write_str(&self.file),
            number => write!(f, "{}: {} {}", self.file, self.unit, grouped(number)),
        }
    }
}

/// What [`Lines::next`] found.
#[derive(Debug)]
pub(crate) enum Line<'a> {
    /// The next file begins.
    File(&'a Path),
    /// A line without its end, and its number in the file.
    Text(&'a [u8], u64),
    /// That was the last file.
    End,
}

/// The lines of files, one file after another.
pub(crate) struct Lines {
    paths: std::vec::IntoIter<PathBuf>,
    member: Option<String>,
    file: Option<(Box<dyn Read + Send>, Wrapping)>,
    path: PathBuf,
    buffer: Vec<u8>,
    /// What of the buffer is still to be read.
    from: usize,
    to: usize,
    at_end: bool,
    /// File and line of what was given last.
    pub(crate) spot: Spot,
    pub(crate) progress: Progress,
}

impl Lines {
    /// The lines of these files; findings count them as `unit`.
    pub(crate) fn new(paths: Vec<PathBuf>, member: Option<String>, unit: &'static str) -> Self {
        Self {
            progress: Progress::of(&paths),
            paths: paths.into_iter(),
            member,
            file: None,
            path: PathBuf::new(),
            buffer: Vec::new(),
            from: 0,
            to: 0,
            at_end: false,
            spot: Spot { unit, ..Spot::default() },
        }
    }

    /// The next line, or the next file.
    pub(crate) fn next(&mut self) -> Result<Line<'_>, SourceFault> {
        if self.file.is_none() {
            return self.next_file();
        }
        let mut searched = self.from;
        loop {
            if let Some(length) = memchr::memchr(b'\n', &self.buffer[searched..self.to]) {
                let (start, end) = (self.from, searched + length);
                self.from = end + 1;
                self.spot.number += 1;
                return Ok(Line::Text(trim_return(&self.buffer[start..end]), self.spot.number));
            }
            let pending = self.to - self.from;
            if self.at_end {
                if pending == 0 {
                    self.file = None;
                    return self.next_file();
                }
                let (start, end) = (self.from, self.to);
                self.from = end;
                self.spot.number += 1;
                return Ok(Line::Text(trim_return(&self.buffer[start..end]), self.spot.number));
            }
            self.refill()?;
            searched = self.from + pending;
        }
    }

    fn next_file(&mut self) -> Result<Line<'_>, SourceFault> {
        let Some(path) = self.paths.next() else {
            return Ok(Line::End);
        };
        self.spot.file = path.display().to_string().into();
        self.spot.number = 0;
        self.path = path;
        let opened = open_bytes(&self.path, self.member.as_deref(), &self.progress)?;
        (self.from, self.to, self.at_end) = (0, 0, false);
        self.buffer.resize(CHUNK, 0);
        self.file = Some(opened);
        self.refill()?;
        let head = &self.buffer[..self.to];
        if let Some((_, name)) = MAGIC.iter().find(|(magic, _)| head.starts_with(magic)) {
            self.abandon();
            return Err(fault(
                codes::WRONG_FORMAT,
                format!("this is {name}, not text"),
                "set the source's `format` to what the file is",
            )
            .at(&self.spot));
        }
        Ok(Line::File(&self.path))
    }

    /// After a failure nothing more comes: not from this file, and not from those after it.
    fn abandon(&mut self) {
        self.file = None;
        self.paths = Vec::new().into_iter();
    }

    /// Reads more behind what is still to be given.
    fn refill(&mut self) -> Result<(), SourceFault> {
        let pending = self.to - self.from;
        if self.from > 0 {
            self.buffer.copy_within(self.from..self.to, 0);
            (self.from, self.to) = (0, pending);
        }
        if pending >= LINE_MAX {
            self.spot.number += 1;
            self.abandon();
            return Err(fault(
                codes::LONG_LINE,
                format!("the line is longer than 16 MiB; it begins {}", shown(&self.buffer[..20])),
                "set the source's `format` to what the file is",
            )
            .at(&self.spot));
        }
        if self.buffer.len() - pending < CHUNK / 2 {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        let Some((bytes, wrapping)) = &mut self.file else {
            return Ok(());
        };
        loop {
            match bytes.read(&mut self.buffer[self.to..]) {
                Ok(count) => {
                    self.to += count;
                    self.at_end = count == 0;
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    // What did arrive of the broken line is lost with it.
                    self.spot.number += 1;
                    let found = unpack_fault(&error, *wrapping).at(&self.spot);
                    self.abandon();
                    return Err(found);
                }
            }
        }
    }
}

/// Text files of other systems end their lines with two characters.
fn trim_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn lines_of(paths: Vec<PathBuf>) -> Result<Vec<String>, SourceFault> {
        let mut lines = Lines::new(paths, None, "line");
        let mut all = Vec::new();
        loop {
            match lines.next()? {
                Line::File(_) => all.push("file".to_owned()),
                Line::Text(text, _) => all.push(String::from_utf8_lossy(text).into_owned()),
                Line::End => return Ok(all),
            }
        }
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(bytes).unwrap();
        packer.finish().unwrap()
    }

    #[test]
    fn wrapping_changes_nothing_about_the_lines() {
        let folder = tempfile::tempdir().unwrap();
        let text = b"one\r\ntwo\n\nfour";
        let zipped = {
            let mut archive = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
            archive.start_file("a.csv", zip::write::SimpleFileOptions::default()).unwrap();
            archive.write_all(text).unwrap();
            archive.finish().unwrap().into_inner()
        };
        let twice = [gzip(b"one\r\ntw"), gzip(b"o\n\nfour")].concat();
        let zstd = zstd::encode_all(&text[..], 1).unwrap();
        for (name, bytes) in [
            ("plain", text.to_vec()),
            ("gz", gzip(text)),
            ("gz2", twice),
            ("zst", zstd),
            ("zip", zipped),
        ] {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            assert_eq!(lines_of(vec![path]).unwrap(), ["file", "one", "two", "", "four"], "{name}");
        }
    }

    #[test]
    fn lines_longer_than_the_buffer_come_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("long");
        let long = "x".repeat(5 * CHUNK);
        std::fs::write(&path, format!("a\n{long}\nb\n")).unwrap();
        assert_eq!(lines_of(vec![path]).unwrap(), ["file", "a", long.as_str(), "b"]);
    }
}
