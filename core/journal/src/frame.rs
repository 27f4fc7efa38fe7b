//! One record as bytes. `docs/journal-format.md` has the same in a table.
//!
//! A frame begins at a multiple of eight. Its first word is never zero and neither is its last byte, so
//! that in a file made of zeros both a beginning and an end can be seen. The header has a checksum of its
//! own: how long a frame is can be believed before the rest of it is. The running hash is made of the
//! checksums, so that every byte is walked over once.

use crate::crc::{crc32c, go_on};
use crate::segment::GUARD;
use tse_model::{StateHash, Timestamp};

/// Bytes before the payload.
pub(crate) const HEAD: usize = 40;
/// Bytes after the payload and its padding.
pub(crate) const TAIL: usize = 16;
/// The longest payload: longer things are no single input of an engine.
pub const PAYLOAD_MAX: usize = 1 << 20;

/// What the size of a frame is mixed with, so that no byte of its first word is zero by chance alone.
const MARK: u32 = 0xA5D3_C7B9;

/// What is written beside a payload.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head {
    /// The record's place in the journal, from 1, without holes.
    pub sequence: u64,
    /// The engine's clock.
    pub time: Timestamp,
    /// The first record of its batch: all before it were safe when it was written.
    pub batch: u64,
    /// What the payload is.
    pub kind: u16,
    /// In which version of its form.
    pub version: u16,
}

/// How long the frame of so long a payload is.
pub(crate) const fn size_of(payload: usize) -> usize {
    HEAD + payload.next_multiple_of(8) + TAIL
}

/// The running hash after a frame with these checksums of its header and of its payload with padding.
fn link(chain: u64, head: u32, payload: u32) -> u64 {
    let mut hash = StateHash::new();
    hash.word(chain);
    hash.word(u64::from(head) << 32 | u64::from(payload));
    hash.finish()
}

/// Appends a frame to `out`; returns the running hash after it.
pub(crate) fn encode(head: &Head, payload: &[u8], chain: u64, out: &mut Vec<u8>) -> u64 {
    let size = size_of(payload.len()) as u32;
    let mut bytes = [0; HEAD];
    bytes[..4].copy_from_slice(&(size ^ MARK).to_le_bytes());
    bytes[8..16].copy_from_slice(&head.sequence.to_le_bytes());
    bytes[16..24].copy_from_slice(&head.time.nanos().to_le_bytes());
    bytes[24..32].copy_from_slice(&head.batch.to_le_bytes());
    bytes[32..34].copy_from_slice(&head.kind.to_le_bytes());
    bytes[34..36].copy_from_slice(&head.version.to_le_bytes());
    bytes[36..].copy_from_slice(&(payload.len() as u32).to_le_bytes());
    let head_crc = crc32c(&[&bytes[..4], &bytes[8..]]);
    bytes[4..8].copy_from_slice(&head_crc.to_le_bytes());
    out.reserve(size as usize);
    out.extend_from_slice(&bytes);
    let begin = out.len();
    out.extend_from_slice(payload);
    out.resize(begin + size as usize - HEAD - TAIL, 0);
    let payload_crc = crc32c(&[&out[begin..]]);
    let chain = link(chain, head_crc, payload_crc);
    out.extend_from_slice(&chain.to_le_bytes());
    let tail_crc = go_on(payload_crc, &chain.to_le_bytes());
    out.extend_from_slice(&tail_crc.to_le_bytes());
    out.extend_from_slice(&GUARD.to_le_bytes());
    chain
}

/// What stands at the beginning of some bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Found<'a> {
    /// A whole frame.
    Frame { head: Head, payload: &'a [u8], chain: u64, size: usize },
    /// Nothing: its first word is zero.
    Nothing,
    /// A frame that is not as it was meant to be; its size, if its header can be believed.
    Bad { size: Option<usize> },
}

fn word<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes[at..at + N].try_into().expect("the caller knows they are there")
}

/// Looks at the beginning of `bytes`, which reach to the end of the segment. The chain is not followed.
pub(crate) fn decode(bytes: &[u8]) -> Found<'_> {
    if bytes.len() < 4 || bytes[..4] == [0; 4] {
        return Found::Nothing;
    }
    if bytes.len() < HEAD + TAIL {
        return Found::Bad { size: None };
    }
    let size = (u32::from_le_bytes(word(bytes, 0)) ^ MARK) as usize;
    let length = u32::from_le_bytes(word(bytes, 36)) as usize;
    let crc = crc32c(&[&bytes[..4], &bytes[8..HEAD]]);
    if crc != u32::from_le_bytes(word(bytes, 4))
        || length > PAYLOAD_MAX
        || size != size_of(length)
        || size > bytes.len()
    {
        return Found::Bad { size: None };
    }
    let tail = size - TAIL;
    let padding = &bytes[HEAD + length..tail];
    if crc32c(&[&bytes[HEAD..tail + 8]]) != u32::from_le_bytes(word(bytes, tail + 8))
        || u32::from_le_bytes(word(bytes, tail + 12)) != GUARD
        || padding.iter().any(|byte| *byte != 0)
    {
        return Found::Bad { size: Some(size) };
    }
    let head = Head {
        sequence: u64::from_le_bytes(word(bytes, 8)),
        time: Timestamp::from_nanos(i64::from_le_bytes(word(bytes, 16))),
        batch: u64::from_le_bytes(word(bytes, 24)),
        kind: u16::from_le_bytes(word(bytes, 32)),
        version: u16::from_le_bytes(word(bytes, 34)),
    };
    let chain = u64::from_le_bytes(word(bytes, tail));
    Found::Frame { head, payload: &bytes[HEAD..HEAD + length], chain, size }
}

/// Whether a sound frame of these bytes follows from the running hash before it.
pub(crate) fn follows(before: u64, frame: &[u8], chain: u64) -> bool {
    let head = u32::from_le_bytes(word(frame, 4));
    link(before, head, crc32c(&[&frame[HEAD..frame.len() - TAIL]])) == chain
}
