//! Snapshots: what an engine was after a record, so that recovering need not read all before it.
//!
//! A snapshot is a file beside the segments, named for the record it was made after, and ties itself to the
//! journal by the running hash there. It is written when everything up to that record survives a loss of
//! power, and counts only if it is whole: one that was interrupted is as good as none, and never in the
//! way. What is in it, this crate does not know. `docs/journal-format.md` has its bytes in a table.

use crate::crc::crc32c;
use crate::disk::{Disk, Trouble};
use crate::error::JournalError;
use crate::frame::{HEAD, front};
use crate::segment::{FORMAT, GUARD, HEADER, first_of, number_in};
use tse_model::Timestamp;

const MAGIC: [u8; 8] = *b"TSESNAP\x01";
const SUFFIX: &str = ".tses";
/// Bytes before the payload.
const FRONT: usize = 64;

/// A record and the running hash after it: a place in one journal and in no other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mark {
    /// The record.
    pub sequence: u64,
    /// The running hash after it.
    pub chain: u64,
}

/// A snapshot as it is read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Snapshot {
    /// The record that it was made after.
    pub after: Mark,
    /// What was saved.
    pub payload: Vec<u8>,
}

/// What the snapshot made after a record is called.
pub fn name(sequence: u64) -> String {
    format!("{sequence:020}{SUFFIX}")
}

fn sequence_of(name: &str) -> Option<u64> {
    number_in(name, SUFFIX)
}

/// The records that there are snapshots of, in ascending order, whole or not.
///
/// # Errors
/// What the disk says.
pub fn snapshots<D: Disk>(disk: &D) -> Result<Vec<u64>, JournalError> {
    Ok(disk.list()?.iter().filter_map(|name| sequence_of(name)).collect())
}

/// The snapshot made after a record; `None` if it is not whole.
///
/// # Errors
/// What the disk says, `Missing` if there is none; `Newer` if it has another format.
pub fn read_snapshot<D: Disk>(disk: &D, sequence: u64) -> Result<Option<Snapshot>, JournalError> {
    let name = name(sequence);
    let mut bytes = vec![0; disk.size(&name)? as usize];
    disk.read(&name, 0, &mut bytes)?;
    let Some((front, payload)) = bytes.split_at_checked(FRONT) else { return Ok(None) };
    let u32_at = |at: usize| u32::from_le_bytes(front[at..at + 4].try_into().expect("four bytes"));
    let u64_at = |at: usize| u64::from_le_bytes(front[at..at + 8].try_into().expect("eight bytes"));
    let sound = front[..8] == MAGIC
        && u32_at(FRONT - 8) == crc32c(&[&front[..FRONT - 8]])
        && u32_at(FRONT - 4) == GUARD;
    if !sound {
        return Ok(None);
    }
    if u32_at(8) != FORMAT {
        return Err(JournalError::Newer { segment: name, format: u32_at(8) });
    }
    let whole = u64_at(16) == sequence
        && u64_at(32) == payload.len() as u64
        && u32_at(40) == crc32c(&[payload]);
    let after = Mark { sequence, chain: u64_at(24) };
    Ok(whole.then(|| Snapshot { after, payload: payload.to_vec() }))
}

/// Writes the snapshot made after a record, which must survive a loss of power by then. One of that record
/// that is there already is replaced: it may not be whole.
///
/// # Errors
/// What the disk says. The journal is as it was, and what is left of the snapshot counts for nothing.
pub(crate) fn write<D: Disk>(
    disk: &mut D,
    after: Mark,
    payload: &[u8],
) -> Result<(), JournalError> {
    let name = name(after.sequence);
    let mut bytes = vec![0; FRONT];
    bytes[..8].copy_from_slice(&MAGIC);
    bytes[8..12].copy_from_slice(&FORMAT.to_le_bytes());
    bytes[16..24].copy_from_slice(&after.sequence.to_le_bytes());
    bytes[24..32].copy_from_slice(&after.chain.to_le_bytes());
    bytes[32..40].copy_from_slice(&(payload.len() as u64).to_le_bytes());
    bytes[40..44].copy_from_slice(&crc32c(&[payload]).to_le_bytes());
    let crc = crc32c(&[&bytes[..FRONT - 8]]);
    bytes[FRONT - 8..FRONT - 4].copy_from_slice(&crc.to_le_bytes());
    bytes[FRONT - 4..].copy_from_slice(&GUARD.to_le_bytes());
    bytes.extend_from_slice(payload);
    let size = bytes.len() as u64;
    match disk.create(&name, size) {
        Err(error) if error.trouble == Trouble::Exists => {
            let there = read_snapshot(disk, after.sequence);
            if matches!(there, Ok(Some(it)) if it.after == after && it.payload == payload) {
                return Ok(()); // the same again: it is not put at risk
            }
            disk.remove(&name)?;
            disk.create(&name, size)?;
        }
        made => made?,
    }
    disk.write(&name, 0, &bytes)?;
    disk.sync(&name)?;
    Ok(())
}

/// What recovering does not need, oldest first.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Spare {
    /// Files of snapshots.
    pub snapshots: Vec<String>,
    /// Segments.
    pub segments: Vec<String>,
    /// The first record of what is left; zero if there are no segments.
    pub first: u64,
}

/// What recovering does not need: everything older than the `kept` newest snapshots that are whole and
/// `usable` by this program, and, if `until` is given, the segments whose records were all made before that
/// moment and before the oldest snapshot that is kept. Of those none, as long as there are fewer than `kept`
/// such snapshots, or one: then a single damaged file would be the end.
///
/// # Errors
/// What the disk says.
pub fn spare<D: Disk>(
    disk: &D,
    kept: usize,
    until: Option<Timestamp>,
    usable: &dyn Fn(&Snapshot) -> bool,
) -> Result<Spare, JournalError> {
    let all = snapshots(disk)?;
    let mut names = disk.list()?;
    names.retain(|name| first_of(name).is_some());
    let first = |name: &String| first_of(name).unwrap_or(0);
    let begins = names.first().map_or(0, first);
    let mut missing = kept.max(if until.is_some() || begins > 1 { 2 } else { 1 });
    let mut oldest = None;
    for sequence in all.iter().rev() {
        if missing == 0 {
            break;
        }
        if matches!(read_snapshot(disk, *sequence), Ok(Some(it)) if usable(&it)) {
            oldest = Some(*sequence);
            missing -= 1;
        }
    }
    let mut spare = Spare { first: begins, ..Spare::default() };
    let Some(oldest) = oldest else { return Ok(spare) };
    let older = all.iter().filter(|sequence| **sequence < oldest);
    spare.snapshots = older.map(|sequence| name(*sequence)).collect();
    let Some(until) = until.filter(|_| missing == 0) else { return Ok(spare) };
    for pair in names.windows(2) {
        let (segment, next) = (&pair[0], &pair[1]);
        // The record that the snapshot was made after stays: its running hash is looked for there.
        let needed = first(next) > oldest;
        if needed || first_time(disk, next)?.is_none_or(|time| time > until) {
            break;
        }
        spare.segments.push(segment.clone());
        spare.first = first(next);
    }
    Ok(spare)
}

/// Takes away what is [`spare`]. What stays goes on without a hole, wherever this is interrupted.
///
/// # Errors
/// What the disk says.
pub fn trim<D: Disk>(
    disk: &mut D,
    kept: usize,
    until: Option<Timestamp>,
    usable: &dyn Fn(&Snapshot) -> bool,
) -> Result<Spare, JournalError> {
    let spare = spare(disk, kept, until, usable)?;
    for name in spare.snapshots.iter().chain(&spare.segments) {
        disk.remove(name)?;
    }
    Ok(spare)
}

/// When the first record of a segment was made, if it has one.
fn first_time<D: Disk>(disk: &D, segment: &str) -> Result<Option<Timestamp>, JournalError> {
    let mut bytes = vec![0; (HEADER + HEAD).min(disk.size(segment)? as usize)];
    disk.read(segment, 0, &mut bytes)?;
    Ok(bytes.get(HEADER..).and_then(front).map(|front| front.time))
}
