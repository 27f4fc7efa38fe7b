//! A segment: one file of the journal, a header and frames, the rest of it zeros.

use crate::crc::crc32c;

/// Bytes before the first frame.
pub(crate) const HEADER: usize = 64;
/// The version of everything that this crate writes.
pub const FORMAT: u32 = 2;

const MAGIC: [u8; 8] = *b"TSEJRNL\x01";
/// The last word of everything that this crate writes: none of its bytes is zero.
pub(crate) const GUARD: u32 = 0xE7D7_C7B7;
const SUFFIX: &str = ".tsej";

/// What a segment begins with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Header {
    pub format: u32,
    /// The sequence of its first record.
    pub first: u64,
    /// The running hash before it.
    pub chain: u64,
    /// How long the file is.
    pub size: u64,
}

/// The name of the segment that begins with this record: names sort as records do.
pub(crate) fn name(first: u64) -> String {
    format!("{first:020}{SUFFIX}")
}

/// The first record of the segment called `name`; `None` if it is no name of a segment.
pub(crate) fn first_of(name: &str) -> Option<u64> {
    // Records count from one.
    number_in(name, SUFFIX).filter(|first| *first > 0)
}

/// The twenty-digit number that a name has before its suffix.
pub(crate) fn number_in(name: &str, suffix: &str) -> Option<u64> {
    let digits = name.strip_suffix(suffix)?;
    (digits.len() == 20 && digits.bytes().all(|it| it.is_ascii_digit())).then_some(())?;
    digits.parse().ok()
}

impl Header {
    pub fn encode(&self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&self.format.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.first.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.chain.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.size.to_le_bytes());
        let crc = crc32c(&[&bytes[..HEADER - 8]]);
        bytes[HEADER - 8..HEADER - 4].copy_from_slice(&crc.to_le_bytes());
        bytes[HEADER - 4..].copy_from_slice(&GUARD.to_le_bytes());
        bytes
    }

    /// `Err` with the format where it is one of another version; `Ok(None)` where it is no header.
    pub fn decode(bytes: &[u8; HEADER]) -> Result<Option<Self>, u32> {
        let u64_at = |at: usize| {
            u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes are eight bytes"))
        };
        let u32_at = |at: usize| {
            u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes are four bytes"))
        };
        let sound = bytes[..8] == MAGIC
            && u32_at(HEADER - 8) == crc32c(&[&bytes[..HEADER - 8]])
            && u32_at(HEADER - 4) == GUARD;
        if !sound {
            return Ok(None);
        }
        match u32_at(8) {
            FORMAT => Ok(Some(Self {
                format: FORMAT,
                first: u64_at(16),
                chain: u64_at(24),
                size: u64_at(32),
            })),
            later => Err(later),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_comes_back_and_a_later_format_is_named() {
        let header = Header { format: FORMAT, first: 7, chain: 9, size: 4_096 };
        assert_eq!(Header::decode(&header.encode()), Ok(Some(header)));
        let later = Header { format: FORMAT + 1, ..header };
        assert_eq!(Header::decode(&later.encode()), Err(FORMAT + 1));
        for at in 0..HEADER {
            let mut bytes = header.encode();
            bytes[at] ^= 0x10;
            assert_eq!(Header::decode(&bytes), Ok(None), "byte {at}");
        }
    }

    #[test]
    fn names_of_other_files_are_no_segments() {
        assert_eq!(first_of(&name(42)), Some(42));
        assert!(name(9) < name(10), "names sort as records do");
        for other in ["42.tsej", "lock", "0000000000000000000x.tsej", "00000000000000000042.snap"] {
            assert_eq!(first_of(other), None, "{other}");
        }
    }
}
