//! Going on without a damaged end: for a person who knows what was lost.
//!
//! A journal that is written with less than [`Power`](crate::Durability::Power) may have holes in its last
//! file after a loss of power. Nothing can tell them from a failing disk, so reading refuses; cutting is a
//! decision. Damage in front of the last file is never explained by that, and is not cut.

use crate::disk::Disk;
use crate::error::JournalError;
use crate::read::read;
use crate::segment::first_of;
use crate::snapshot::{self, snapshots};

/// What was cut off.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cut {
    /// The last record that is left.
    pub last: u64,
    /// In which file.
    pub segment: String,
    /// From which byte on.
    pub at: u64,
}

/// Cuts a journal off at its first damaged record: that and everything behind it is lost for good.
/// `None`, and nothing changed, if no record is damaged; a torn end is no damage.
///
/// # Errors
/// The damage itself, if a later file follows, or a whole snapshot of a later record: then the journal was
/// not left like this by a loss of power. What the disk says.
pub fn cut<D: Disk>(disk: &mut D) -> Result<Option<Cut>, JournalError> {
    let (segment, at, sequence, damage) = match read(disk, |_| ()) {
        Ok(_) => return Ok(None),
        Err(JournalError::Corrupt { segment, at, sequence, what }) => {
            let damage = JournalError::Corrupt { segment: segment.clone(), at, sequence, what };
            (segment, at, sequence, damage)
        }
        Err(error) => return Err(error),
    };
    let mut names = disk.list()?;
    names.retain(|name| first_of(name).is_some());
    if names.last() != Some(&segment) || at == 0 {
        return Err(damage);
    }
    // A snapshot was made when all before it was safe from a loss of power.
    let later = snapshots(disk)?.into_iter().filter(|later| *later >= sequence);
    let later: Vec<u64> = later.collect();
    for record in &later {
        if snapshot::read_snapshot(disk, *record)?.is_some() {
            return Err(damage);
        }
    }
    // What is left of one that was not finished is of no journal any more.
    for record in later {
        disk.remove(&snapshot::name(record))?;
    }
    let rest = vec![0; (disk.size(&segment)? - at) as usize];
    disk.write(&segment, at, &rest)?;
    disk.sync(&segment)?;
    Ok(Some(Cut { last: sequence - 1, segment, at }))
}
