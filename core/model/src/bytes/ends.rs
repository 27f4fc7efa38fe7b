//! The two ends of what is written: where bytes are appended, and where they are taken off again.
//!
//! A number takes one byte for every seven bits it has, nine at most. How many they are stands in the lowest
//! bits of the first: as many zeros as bytes follow, and then a one; after eight zeros come eight bytes of the
//! number itself. So most are written and read with one move of a word.

use crate::Timestamp;

/// The longest form that leaves room for its length in its first byte, in bits of the number.
const SHORT: u32 = 56;

/// How many bytes a number of up to [`SHORT`] bits takes, by how many zeros it begins with.
const SIZES: [u8; 64] = {
    let mut sizes = [8; 64];
    let mut zeros = 8;
    while zeros < 64 {
        sizes[zeros] = (64 - zeros).div_ceil(7) as u8;
        zeros += 1;
    }
    sizes
};

/// Room for four numbers as [`Writer::numbers`] moves them, and then some, so that no place needs to be checked.
const ROOM: usize = 72;

/// A number on the other side of zero, folded in between.
#[inline]
pub(super) const fn fold(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)) as u64
}

/// The other way.
#[inline]
pub(super) const fn unfold(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

/// Where values are appended.
#[derive(Clone, Debug, Default)]
pub struct Writer {
    /// What was written, and room behind it: so that a number is one store and no call.
    room: Vec<u8>,
    end: usize,
    /// What moments are written as the distance from.
    base: Timestamp,
}

impl Writer {
    /// Nothing yet. Moments are written as the distance from `base`, which the reader must know.
    pub const fn new(base: Timestamp) -> Self {
        Self { room: Vec::new(), end: 0, base }
    }

    /// From here on moments are written as the distance from this one.
    #[inline]
    pub fn set_base(&mut self, base: Timestamp) {
        self.base = base;
    }

    /// How many bytes were written.
    #[inline]
    pub fn len(&self) -> usize {
        self.end
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.end == 0
    }

    /// What was written.
    pub fn as_bytes(&self) -> &[u8] {
        &self.room[..self.end]
    }

    /// What was written, to be changed.
    #[inline]
    pub fn written_mut(&mut self) -> &mut [u8] {
        &mut self.room[..self.end]
    }

    /// What was written, for good.
    pub fn into_bytes(mut self) -> Vec<u8> {
        self.room.truncate(self.end);
        self.room
    }

    /// Takes all behind so many bytes back; the room stays.
    pub fn truncate(&mut self, length: usize) {
        self.end = self.end.min(length);
    }

    /// Begins anew, with the room there is.
    pub fn clear(&mut self) {
        self.end = 0;
    }

    #[cold]
    fn grow(&mut self, more: usize) {
        let room = (2 * self.room.len()).max(self.end + more).max(256);
        self.room.resize(room, 0);
    }

    /// Appends a byte.
    #[inline(always)]
    pub fn byte(&mut self, byte: u8) {
        self.word(byte.into(), 1);
    }

    /// Appends the first `size` bytes of a word of which the rest is zero: one move instead of a loop.
    // Always inlined, so that where the end is stays in a register from one field to the next.
    #[inline(always)]
    pub(super) fn word(&mut self, word: u64, size: usize) {
        let place = self.room.get_mut(self.end..).and_then(<[u8]>::first_chunk_mut);
        match place {
            Some(place) => *place = word.to_le_bytes(),
            None => self.make_room(word),
        }
        self.end = self.end.wrapping_add(size); // it never gets far from the room there is
    }

    #[cold]
    #[inline(never)]
    fn make_room(&mut self, word: u64) {
        self.grow(8);
        self.room[self.end..self.end + 8].copy_from_slice(&word.to_le_bytes());
    }

    /// Appends bytes as they are.
    #[inline]
    pub fn bytes(&mut self, bytes: &[u8]) {
        if self.room.len() - self.end < bytes.len() {
            self.grow(bytes.len());
        }
        self.room[self.end..self.end + bytes.len()].copy_from_slice(bytes);
        self.end += bytes.len();
    }

    /// Appends a number.
    #[inline(always)]
    pub fn number(&mut self, number: u64) {
        self.numbers([number]);
    }

    /// Appends up to four numbers, one after the other: with one look for room.
    #[inline(always)]
    pub fn numbers<const N: usize>(&mut self, numbers: [u64; N]) {
        const { assert!(N <= 4) };
        let all = numbers.iter().fold(0, |all, number| all | number);
        let place = self.room.get_mut(self.end..).and_then(<[u8]>::first_chunk_mut::<ROOM>);
        let Some(place) = place.filter(|_| all >> SHORT == 0) else {
            return self.one_by_one(&numbers);
        };
        let mut at = 0;
        for number in numbers {
            let (word, size) = form(number);
            // The whole word, of which the end is zeros: one move instead of a loop.
            place[at..at + 8].copy_from_slice(&word.to_le_bytes());
            at += size;
        }
        self.end = self.end.wrapping_add(at);
    }

    #[cold]
    #[inline(never)]
    fn one_by_one(&mut self, numbers: &[u64]) {
        for number in numbers {
            if number >> SHORT == 0 {
                let (word, size) = form(*number);
                self.word(word, size);
            } else {
                self.byte(0);
                self.bytes(&number.to_le_bytes());
            }
        }
        if self.room.len() - self.end < ROOM {
            self.grow(ROOM);
        }
    }

    /// The number that a moment is written as. Any two moments have a distance, since it may run around the
    /// end of time.
    #[inline]
    pub const fn moment(&self, moment: Timestamp) -> u64 {
        distance(self.base, moment)
    }
}

/// A number of up to [`SHORT`] bits as a word, and how many bytes of it count.
#[inline(always)]
const fn form(number: u64) -> (u64, usize) {
    let size = SIZES[(number | 1).leading_zeros() as usize & 63] & 15;
    let word = (number << 1 | 1).wrapping_shl((size as u32).wrapping_sub(1));
    (word, size as usize)
}

/// How far a moment is before another, as a number.
#[inline]
pub const fn distance(base: Timestamp, moment: Timestamp) -> u64 {
    fold(base.nanos().wrapping_sub(moment.nanos()))
}

/// Where values are taken off.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    base: Timestamp,
}

impl<'a> Reader<'a> {
    /// What a writer with this base has written.
    pub const fn new(bytes: &'a [u8], base: Timestamp) -> Self {
        Self { bytes, base }
    }

    /// What is left.
    pub const fn rest(&self) -> &'a [u8] {
        self.bytes
    }

    /// Whether nothing is left.
    pub const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Takes a byte off; `None` at the end.
    #[inline]
    pub fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*byte)
    }

    /// Takes so many bytes off as they are; `None` if there are fewer.
    #[inline]
    pub fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(count)?;
        self.bytes = rest;
        Some(taken)
    }

    /// The same, where their number is known beforehand.
    #[inline]
    pub fn chunk<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        let (chunk, rest) = self.bytes.split_first_chunk()?;
        self.bytes = rest;
        Some(chunk)
    }

    /// Takes a number off; `None` if there is none, or one that is longer than it need be.
    #[inline]
    pub fn number(&mut self) -> Option<u64> {
        let zeros = self.bytes.first()?.trailing_zeros();
        if zeros == 8 {
            self.bytes = &self.bytes[1..];
            let number = u64::from_le_bytes(*self.chunk()?);
            return (number >> SHORT != 0).then_some(number);
        }
        let size = zeros as usize + 1;
        let word = match self.bytes.first_chunk() {
            Some(word) => u64::from_le_bytes(*word),
            None => {
                let mut word = [0; 8];
                word[..self.bytes.len()].copy_from_slice(self.bytes);
                u64::from_le_bytes(word)
            }
        };
        self.bytes = self.bytes.get(size..)?;
        let number = word >> size & (u64::MAX >> (64 - 7 * size));
        (size == 1 || number >> (7 * (size - 1)) != 0).then_some(number)
    }

    /// Takes a moment off.
    #[inline]
    pub fn moment(&mut self) -> Option<Timestamp> {
        self.moment_from(self.base)
    }

    /// Takes a moment off that was written as the distance from this one.
    #[inline]
    pub fn moment_from(&mut self, base: Timestamp) -> Option<Timestamp> {
        let distance = unfold(self.number()?);
        Some(Timestamp::from_nanos(base.nanos().wrapping_sub(distance)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of `docs/journal-format.md`, and the places where a form gets longer.
    #[test]
    fn numbers_have_the_bytes_that_the_table_says() {
        for (number, bytes) in [
            (0, &[0x01][..]),
            (1, &[0x03]),
            (127, &[0xFF]),
            (128, &[0x02, 0x02]),
            (300, &[0xB2, 0x04]),
            ((1 << 14) - 1, &[0xFE, 0xFF]),
            (1 << 14, &[0x04, 0x00, 0x02]),
            ((1 << 56) - 1, &[0x80, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]),
            (1 << 56, &[0, 0, 0, 0, 0, 0, 0, 0, 1]),
            (u64::MAX, &[0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]),
        ] {
            let mut out = Writer::default();
            out.number(number);
            assert_eq!(out.as_bytes(), bytes, "{number}");
        }
    }

    #[test]
    fn every_number_comes_back_and_takes_no_more_than_is_its() {
        let mut edges = vec![0, u64::MAX];
        edges.extend((0..64).flat_map(|bit| [(1 << bit) - 1, 1 << bit, (1 << bit) + 1]));
        for number in edges {
            for more in [0, 1, 20] {
                let mut out = Writer::default();
                out.number(number);
                let size = out.as_bytes().len();
                out.bytes(&vec![0xA5; more]);
                let mut reader = Reader::new(out.as_bytes(), Timestamp::EPOCH);
                assert_eq!(reader.number(), Some(number), "{number} before {more}");
                assert_eq!(reader.rest().len(), more);
                for end in 0..size {
                    let cut = &out.as_bytes()[..end];
                    assert_eq!(
                        Reader::new(cut, Timestamp::EPOCH).number(),
                        None,
                        "{number} at {end}"
                    );
                }
            }
        }
    }

    #[test]
    fn numbers_together_are_as_one_by_one_wherever_the_room_ends() {
        let mut chance = crate::Chance::stream(7, "numbers");
        let (mut together, mut alone) = (Writer::default(), Writer::default());
        for _ in 0..20_000 {
            let four = [0; 4].map(|_| chance.below(u64::MAX) >> chance.below(64));
            together.numbers(four);
            four.iter().for_each(|number| alone.number(*number));
            if chance.one_in(1, 50) {
                assert_eq!(together.as_bytes(), alone.as_bytes());
                (together, alone) = (Writer::default(), Writer::default());
            }
        }
    }

    #[test]
    fn a_number_that_is_longer_than_it_need_be_is_none() {
        for bytes in [&[0x02, 0x00][..], &[0xFE, 0x01], &[0x04, 0, 0], &[0, 1, 0, 0, 0, 0, 0, 0, 0]]
        {
            assert_eq!(Reader::new(bytes, Timestamp::EPOCH).number(), None, "{bytes:?}");
        }
    }

    #[test]
    fn moments_come_back_whatever_they_are_told_from() {
        let all = [i64::MIN, i64::MIN + 1, -1, 0, 1, 1_700_000_000_000_000_000, i64::MAX];
        for base in all.map(Timestamp::from_nanos) {
            for moment in all.map(Timestamp::from_nanos) {
                let mut out = Writer::new(base);
                out.number(out.moment(moment));
                assert_eq!(Reader::new(out.as_bytes(), base).moment(), Some(moment));
                assert!(base != moment || out.as_bytes().len() == 1);
            }
        }
        assert!((-64..64).all(|number| unfold(fold(number)) == number && fold(number) < 128));
    }
}
