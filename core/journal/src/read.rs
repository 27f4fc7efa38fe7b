//! Reading a journal from its beginning, and judging its end.
//!
//! A journal that was being written when power went may end in a batch of which some sectors are there
//! and some are not. Nothing in that batch had been acknowledged, so it is *torn* and may be cut off. A
//! record that was safe and is not what was written is *corruption*: then nothing is skipped and nothing
//! cut, the place is named and the journal refused.
//!
//! Which of both it is follows from the bytes. A batch is one frame. It is torn only where a tear explains
//! it: it lacks its end, or a whole sector of it is zero, as the file was made; and only if no sound frame
//! stands behind it, which would mean that this one was safe. So a changed byte in the last batch is not
//! taken for a tear. (Records with a whole sector of zeros would be; see `docs/journal-format.md`.)

use crate::disk::Disk;
use crate::error::JournalError;
use crate::frame::{Found, HEAD, Head, decode, front};
use crate::memory::SECTOR;
use crate::segment::{HEADER, Header, first_of};
use crate::snapshot::Mark;

/// A record as it is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Record<'a> {
    /// What stands beside the payload.
    pub head: Head,
    /// The running hash after it, where a batch ended with it.
    pub chain: Option<u64>,
    /// What was recorded.
    pub payload: &'a [u8],
}

/// An end that was not written whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Torn {
    /// In which file.
    pub segment: String,
    /// From which byte on.
    pub at: u64,
    /// How many bytes up to the last that is not zero.
    pub bytes: u64,
    /// Which record would have been next.
    pub sequence: u64,
}

/// What a journal holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Contents {
    /// The first record; one more than `last` if there is none.
    pub first: u64,
    /// The last record; one less than `first` if there is none.
    pub last: u64,
    /// The running hash after the last record.
    pub chain: u64,
    /// How many files there are.
    pub segments: u64,
    /// An end that was not written whole, and that opening cuts off.
    pub torn: Option<Torn>,
    /// The file that is written next, and where.
    pub(crate) end: (String, u64),
    /// A file that was made and not begun.
    pub(crate) unbegun: Option<String>,
}

/// What is wrong where a record is sound and the snapshot is not of it.
const FOREIGN: &str = "the record is not the one that the snapshot was made after";
/// What is wrong where a frame is sound and what it holds is not.
const UNREADABLE: &str = "the record is not written as records are";

/// Reads every record in order.
///
/// # Errors
/// What makes the journal unreadable; records before that place have been shown by then.
pub fn read<D: Disk>(disk: &D, each: impl FnMut(&Record<'_>)) -> Result<Contents, JournalError> {
    read_after(disk, None, each)
}

/// Reads every record behind a mark in order: only the file that has it, and later ones.
///
/// # Errors
/// What makes the journal unreadable, and `Foreign` if it does not have that mark.
pub fn read_after<D: Disk>(
    disk: &D,
    after: Option<Mark>,
    mut each: impl FnMut(&Record<'_>),
) -> Result<Contents, JournalError> {
    let mut names = disk.list()?;
    names.retain(|name| first_of(name).is_some());
    if let Some(mark) = after {
        let has = |name: &String| first_of(name).is_some_and(|first| first <= mark.sequence);
        let before = names.iter().rposition(has);
        names.drain(..before.unwrap_or(0));
    }
    let Some(first) = names.first().and_then(|name| first_of(name)) else {
        return Err(JournalError::Empty);
    };
    let mut contents = Contents {
        first,
        last: first - 1,
        chain: 0,
        segments: 0,
        torn: None,
        end: (String::new(), 0),
        unbegun: None,
    };
    let mut bytes = Vec::new();
    for (number, name) in names.iter().enumerate() {
        bytes.clear();
        bytes.resize(disk.size(name)? as usize, 0);
        disk.read(name, 0, &mut bytes)?;
        let last = number + 1 == names.len();
        if last && !begun(&bytes) {
            contents.unbegun = Some(name.clone());
            break;
        }
        begin(name, &bytes, number == 0, &mut contents)?;
        contents.segments += 1;
        let stopped = frames(&bytes, after, &mut contents, &mut each);
        if let Err(damage) = stopped {
            if let (Some(FOREIGN), Some(mark)) = (damage.certain, after) {
                return Err(JournalError::Foreign { snapshot: mark.sequence });
            }
            contents.torn = Some(damage.judge(name, &bytes, last, &contents)?);
        }
    }
    if contents.segments == 0 {
        return Err(JournalError::Empty);
    }
    if let Some(mark) = after
        && !(contents.first..=contents.last).contains(&mark.sequence)
    {
        return Err(JournalError::Foreign { snapshot: mark.sequence });
    }
    Ok(contents)
}

/// Shows records from `from` on until `each` says that it has seen enough. Only the files that can hold
/// them are read, and the running hash is not followed: for looking something up in a journal that was
/// read as a whole before.
///
/// # Errors
/// What the disk says, and `Corrupt` at a record that is not sound.
pub fn look_up<D: Disk>(
    disk: &D,
    from: u64,
    mut each: impl FnMut(&Record<'_>) -> bool,
) -> Result<(), JournalError> {
    let mut names = disk.list()?;
    names.retain(|name| first_of(name).is_some());
    let first = names.iter().rposition(|name| first_of(name).is_some_and(|first| first <= from));
    let mut bytes = Vec::new();
    for name in &names[first.unwrap_or(0)..] {
        bytes.clear();
        bytes.resize(disk.size(name)? as usize, 0);
        disk.read(name, 0, &mut bytes)?;
        let mut at = HEADER;
        while at < bytes.len() {
            match decode(&bytes[at..]) {
                Found::Frame(frame) => {
                    let last = frame.last();
                    if last >= from {
                        for record in frame.records() {
                            let Some((head, payload)) = record else {
                                return Err(damaged(name, at, from, UNREADABLE));
                            };
                            let chain = (head.sequence == last).then_some(frame.chain);
                            if head.sequence >= from && each(&Record { head, chain, payload }) {
                                return Ok(());
                            }
                        }
                    }
                    at += frame.front.size;
                }
                Found::Nothing => break,
                Found::Bad { .. } => return Err(damaged(name, at, from, "the record is damaged")),
            }
        }
    }
    Ok(())
}

fn damaged(name: &str, at: usize, sequence: u64, what: &'static str) -> JournalError {
    JournalError::Corrupt { segment: name.to_owned(), at: at as u64, sequence, what }
}

/// Whether a file was begun: a header that lacks its end over nothing but zeros was not.
fn begun(bytes: &[u8]) -> bool {
    bytes.len() < HEADER || bytes[HEADER - 4..].iter().any(|byte| *byte != 0)
}

/// Checks a segment's header, and that it goes on where the one before it ended.
fn begin(
    name: &str,
    bytes: &[u8],
    first: bool,
    contents: &mut Contents,
) -> Result<(), JournalError> {
    let next = contents.last + 1;
    let corrupt =
        |what| JournalError::Corrupt { segment: name.to_owned(), at: 0, sequence: next, what };
    let head: &[u8; HEADER] = bytes.first_chunk().ok_or(corrupt("the file is cut off"))?;
    let header = Header::decode(head)
        .map_err(|format| JournalError::Newer { segment: name.to_owned(), format })?
        .ok_or(corrupt("the header of the file is damaged"))?;
    if first {
        contents.chain = header.chain;
    }
    if header.size != bytes.len() as u64 {
        return Err(corrupt("the file is not as long as its header says"));
    }
    if Some(header.first) != first_of(name) || header.first != next {
        return Err(corrupt("records are missing between this file and the one before it"));
    }
    if header.chain != contents.chain {
        return Err(corrupt("the file does not follow from the one before it"));
    }
    contents.end = (name.to_owned(), HEADER as u64);
    Ok(())
}

/// A place where a frame should be, or nothing, and neither is.
struct Damage {
    at: usize,
    /// Up to where the frame reaches, as far as that is known.
    until: usize,
    /// Whether its first word is zero.
    nothing: bool,
    /// Why it is no tear, if that is certain.
    certain: Option<&'static str>,
}

/// Reads the frames of a segment up to its end or to something that is not right.
fn frames(
    bytes: &[u8],
    after: Option<Mark>,
    contents: &mut Contents,
    each: &mut impl FnMut(&Record<'_>),
) -> Result<(), Damage> {
    let mut at = HEADER;
    while at < bytes.len() {
        match decode(&bytes[at..]) {
            Found::Frame(frame) => {
                let (first, last, size) = (frame.front.first, frame.last(), frame.front.size);
                let certain =
                    |what| Damage { at, until: at + size, nothing: false, certain: Some(what) };
                if first != contents.last + 1 {
                    return Err(certain("another record stands there"));
                }
                if !frame.follows(contents.chain) {
                    return Err(certain("the record does not follow from the one before it"));
                }
                // A snapshot is made after a batch, never in the middle of one.
                let is_of = |mark: Mark| mark.sequence == last && mark.chain == frame.chain;
                if after.is_some_and(|it| (first..=last).contains(&it.sequence) && !is_of(it)) {
                    return Err(certain(FOREIGN));
                }
                let unseen = after.is_none_or(|mark| first > mark.sequence);
                for record in frame.records() {
                    let (head, payload) = record.ok_or_else(|| certain(UNREADABLE))?;
                    contents.last = head.sequence;
                    if unseen {
                        let chain = (head.sequence == last).then_some(frame.chain);
                        each(&Record { head, chain, payload });
                    }
                }
                contents.chain = frame.chain;
                at += size;
                contents.end.1 = at as u64;
            }
            Found::Nothing if bytes[at..].iter().all(|byte| *byte == 0) => return Ok(()),
            Found::Nothing => {
                return Err(Damage { at, until: at + HEAD, nothing: true, certain: None });
            }
            Found::Bad { size } => {
                let until = (at + size.unwrap_or(HEAD)).min(bytes.len());
                return Err(Damage { at, until, nothing: false, certain: None });
            }
        }
    }
    Ok(())
}

impl Damage {
    /// A torn end, or corruption.
    fn judge(
        self,
        name: &str,
        bytes: &[u8],
        last: bool,
        contents: &Contents,
    ) -> Result<Torn, JournalError> {
        let sequence = contents.last + 1;
        let corrupt = |what| {
            Err(JournalError::Corrupt {
                segment: name.to_owned(),
                at: self.at as u64,
                sequence,
                what,
            })
        };
        if let Some(what) = self.certain {
            return corrupt(what);
        }
        if !last {
            return corrupt("the record is damaged, and a later file follows");
        }
        if !self.explained(bytes) {
            return corrupt("the record is damaged, and no torn write explains it");
        }
        // A later batch was begun only after all before it was safe. Its header is enough to know.
        let mut later = (self.at + 8..bytes.len()).step_by(8).filter_map(|at| front(&bytes[at..]));
        if later.any(|front| front.first > sequence) {
            return corrupt(
                "the record is damaged, and records follow that were written after it was safe",
            );
        }
        let end = bytes.iter().rposition(|byte| *byte != 0).map_or(self.at, |at| at + 1);
        Ok(Torn {
            segment: name.to_owned(),
            at: self.at as u64,
            bytes: (end.max(self.at) - self.at) as u64,
            sequence,
        })
    }

    /// Whether a write of which some sectors or the end are missing looks like this.
    fn explained(&self, bytes: &[u8]) -> bool {
        let zero = |from: usize, to: usize| bytes[from..to].iter().all(|byte| *byte == 0);
        if self.nothing {
            // Its first sector is missing: then all of it is, to that sector's end.
            return zero(self.at, bytes.len().min((self.at / SECTOR + 1) * SECTOR));
        }
        // The end is missing: nothing at all stands behind some place in the frame.
        if zero(self.until - 1, bytes.len()) {
            return true;
        }
        // A sector is missing.
        let mut from = (self.at / SECTOR + 1) * SECTOR;
        while from < self.until {
            if zero(from, bytes.len().min(from + SECTOR)) {
                return true;
            }
            from += SECTOR;
        }
        false
    }
}
