//! A batch of records as bytes: what is written at once. `docs/journal-format.md` has the same in tables.
//!
//! A frame begins at a multiple of eight. Its first word is never zero and neither is its last byte, so
//! that in a file made of zeros both a beginning and an end can be seen. The header has a checksum of its
//! own: how long a frame is can be believed before the rest of it is. The running hash is made of the
//! checksums, so that every byte is walked over once.

use crate::crc::{crc32c, go_on};
use crate::segment::GUARD;
use tse_model::bytes::{Reader, Recorded, Writer, distance};
use tse_model::{StateHash, Timestamp};

/// Bytes before the records.
pub(crate) const HEAD: usize = 40;
/// Bytes after the records and their padding.
pub(crate) const TAIL: usize = 16;
/// The longest payload: longer things are no single input of an engine.
pub const PAYLOAD_MAX: usize = 1 << 20;
/// When a batch has so many bytes it is written, whoever waits for what.
pub(crate) const GATHERED: usize = 64 << 10;
/// More than any record has beside its payload: time, kind and length.
const BESIDE: usize = 24;

/// What the size of a frame is mixed with, so that no byte of its first word is zero by chance alone.
const MARK: u32 = 0xA5D3_C7B9;

/// What is written beside a payload.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head {
    /// The record's place in the journal, from 1, without holes.
    pub sequence: u64,
    /// The engine's clock.
    pub time: Timestamp,
    /// What the payload is.
    pub kind: u16,
    /// In which version of its form.
    pub version: u16,
}

/// How long the frame of so many bytes of records is.
const fn size_of(records: usize) -> usize {
    HEAD + records.next_multiple_of(8) + TAIL
}

/// The running hash after a frame with these checksums of its header and of its records with padding.
fn link(chain: u64, head: u32, records: u32) -> u64 {
    let mut hash = StateHash::new();
    hash.word(chain);
    hash.word(u64::from(head) << 32 | u64::from(records));
    hash.finish()
}

/// A frame that is being filled.
#[derive(Debug, Default)]
pub(crate) struct Filling {
    out: Writer,
    count: u32,
    version: u16,
    first_time: Timestamp,
    last_time: Timestamp,
}

impl Filling {
    /// How many records are in it.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// How long it will be.
    #[inline]
    pub fn size(&self) -> usize {
        self.out.len().next_multiple_of(8) + TAIL
    }

    /// Whether a record of this version can be in it: all of a frame are of one.
    #[inline]
    pub fn takes(&self, version: u16) -> bool {
        self.count == 0 || self.version == version
    }

    /// Adds a record whose payload `write` appends. Returns what undoes that.
    #[inline]
    pub fn add(
        &mut self,
        time: Timestamp,
        kind: u16,
        version: u16,
        write: impl FnOnce(&mut Writer),
    ) -> Undo {
        let undo = Undo { time: self.last_time, length: self.out.len(), payload: 0 };
        if self.count == 0 {
            self.out.bytes(&[0; HEAD]);
            (self.first_time, self.last_time, self.version) = (time, time, version);
        }
        self.out.numbers([distance(self.last_time, time), kind.into()]);
        let at = self.out.len();
        self.out.byte(0);
        self.out.set_base(time);
        write(&mut self.out);
        let length = self.out.len() - at - 1;
        if length < 128 {
            self.out.written_mut()[at] = (length as u8) << 1 | 1;
        } else {
            self.lengthen(at, length);
        }
        self.last_time = time;
        self.count += 1;
        Undo { payload: length, ..undo }
    }

    /// Puts a length that needs more than one byte in front of the payload.
    #[cold]
    fn lengthen(&mut self, at: usize, length: usize) {
        let mut number = Writer::default();
        number.number(length as u64);
        let more = number.len() - 1;
        self.out.bytes(&[0; 8][..more]);
        self.out.written_mut().copy_within(at + 1..at + 1 + length, at + 1 + more);
        self.out.written_mut()[at..=at + more].copy_from_slice(number.as_bytes());
    }

    /// Takes the last record out again, and gives its payload back.
    pub fn undo(&mut self, undo: &Undo) -> Vec<u8> {
        let payload = self.out.as_bytes()[self.out.len() - undo.payload..].to_vec();
        self.out.truncate(undo.length);
        self.last_time = undo.time;
        self.count -= 1;
        payload
    }

    /// Ends the frame whose first record is `sequence`. Returns the running hash after it.
    pub fn seal(&mut self, sequence: u64, chain: u64) -> u64 {
        let records = self.out.len() - HEAD;
        let size = size_of(records);
        self.out.bytes(&[0; 8][..size - TAIL - HEAD - records]);
        let (head, body) = self.out.written_mut().split_at_mut(HEAD);
        head[..4].copy_from_slice(&(size as u32 ^ MARK).to_le_bytes());
        head[8..16].copy_from_slice(&sequence.to_le_bytes());
        head[16..24].copy_from_slice(&self.first_time.nanos().to_le_bytes());
        head[24..28].copy_from_slice(&self.count.to_le_bytes());
        head[28..32].copy_from_slice(&(records as u32).to_le_bytes());
        head[32..34].copy_from_slice(&self.version.to_le_bytes());
        let head_crc = crc32c(&[&head[..4], &head[8..]]);
        head[4..8].copy_from_slice(&head_crc.to_le_bytes());
        let crc = crc32c(&[body]);
        let chain = link(chain, head_crc, crc);
        self.out.bytes(&chain.to_le_bytes());
        self.out.bytes(&go_on(crc, &chain.to_le_bytes()).to_le_bytes());
        self.out.bytes(&GUARD.to_le_bytes());
        chain
    }

    /// The frame, after it was [sealed](Self::seal).
    pub fn as_bytes(&self) -> &[u8] {
        self.out.as_bytes()
    }

    /// Begins anew, with the room there is.
    pub fn clear(&mut self) {
        self.out.clear();
        self.count = 0;
    }
}

/// What takes a record out again that was added last.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Undo {
    time: Timestamp,
    /// How long all was before.
    length: usize,
    /// How long its payload is.
    pub payload: usize,
}

/// What a frame's header says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Front {
    /// The first record.
    pub first: u64,
    /// When it was made.
    pub time: Timestamp,
    pub count: u32,
    version: u16,
    /// How long the records are.
    records: usize,
    /// How long the frame is.
    pub size: usize,
}

/// A whole frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Frame<'a> {
    pub front: Front,
    /// All of it.
    bytes: &'a [u8],
    /// The running hash after it.
    pub chain: u64,
}

/// What stands at the beginning of some bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Found<'a> {
    /// A whole frame.
    Frame(Frame<'a>),
    /// Nothing: its first word is zero.
    Nothing,
    /// A frame that is not as it was meant to be; its size, if its header can be believed.
    Bad { size: Option<usize> },
}

fn word<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes[at..at + N].try_into().expect("the caller knows they are there")
}

/// The header at the beginning of `bytes`, if one stands there.
pub(crate) fn front(bytes: &[u8]) -> Option<Front> {
    let head = bytes.get(..HEAD)?;
    let records = u32::from_le_bytes(word(head, 28)) as usize;
    let front = Front {
        first: u64::from_le_bytes(word(head, 8)),
        time: Timestamp::from_nanos(i64::from_le_bytes(word(head, 16))),
        count: u32::from_le_bytes(word(head, 24)),
        version: u16::from_le_bytes(word(head, 32)),
        records,
        size: (u32::from_le_bytes(word(head, 0)) ^ MARK) as usize,
    };
    let sound = crc32c(&[&head[..4], &head[8..]]) == u32::from_le_bytes(word(head, 4))
        && records <= GATHERED + BESIDE + PAYLOAD_MAX
        && front.size == size_of(records);
    sound.then_some(front)
}

/// Looks at the beginning of `bytes`, which reach to the end of the segment. The chain is not followed.
pub(crate) fn decode(bytes: &[u8]) -> Found<'_> {
    if bytes.len() < 4 || bytes[..4] == [0; 4] {
        return Found::Nothing;
    }
    let Some((front, bytes)) = front(bytes).and_then(|it| Some((it, bytes.get(..it.size)?))) else {
        return Found::Bad { size: None };
    };
    let tail = front.size - TAIL;
    let padding = &bytes[HEAD + front.records..tail];
    if crc32c(&[&bytes[HEAD..tail + 8]]) != u32::from_le_bytes(word(bytes, tail + 8))
        || u32::from_le_bytes(word(bytes, tail + 12)) != GUARD
        || padding.iter().any(|byte| *byte != 0)
    {
        return Found::Bad { size: Some(front.size) };
    }
    Found::Frame(Frame { front, bytes, chain: u64::from_le_bytes(word(bytes, tail)) })
}

impl<'a> Frame<'a> {
    /// Whether it follows from the running hash before it.
    pub fn follows(&self, before: u64) -> bool {
        let records = &self.bytes[HEAD..self.front.size - TAIL];
        let head = u32::from_le_bytes(word(self.bytes, 4));
        link(before, head, crc32c(&[records])) == self.chain
    }

    /// The last record.
    pub fn last(&self) -> u64 {
        self.front.first.saturating_add(u64::from(self.front.count)).saturating_sub(1)
    }

    /// Its records, in order; `None` in place of one that cannot be read, and behind the last if something
    /// else stands there.
    pub fn records(&self) -> impl Iterator<Item = Option<(Head, &'a [u8])>> + use<'a> {
        let bytes = &self.bytes[HEAD..HEAD + self.front.records];
        let mut at = Reader::new(bytes, self.front.time);
        let (first, last, version) = (self.front.first, self.last(), self.front.version);
        let each = (first..=last).map(move |sequence| {
            let time = at.moment()?;
            let (kind, length) = (u16::read(&mut at)?, usize::read(&mut at)?);
            let payload = at.take(length)?;
            at = Reader::new(at.rest(), time);
            let end = sequence < last || at.is_empty();
            end.then_some((Head { sequence, time, kind, version }, payload))
        });
        // A frame without records was not written by this program.
        each.chain((first > last).then_some(None))
    }
}
