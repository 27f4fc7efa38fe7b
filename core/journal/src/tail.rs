//! Follows a journal that somebody else writes, record by record.
//!
//! Whoever writes it says how far it is safe; what lies behind is not looked at, since it may be written just now. A
//! record before that place must be whole, follow from the one before it, and be in the running hash: else the journal
//! is damaged, and is not followed further.
//!
//! Begin at [`Tail::read`].

use crate::disk::Disk;
use crate::error::JournalError;
use crate::frame::{Found, Frame, HEAD, decode, front};
use crate::read::Record;
use crate::segment::{HEADER, Header, first_of};
use crate::snapshot::Mark;

/// How much is read at once, unless a frame is larger.
const CHUNK: usize = 256 << 10;

/// A place in a journal, and what goes on from there.
#[derive(Clone, Debug, Default)]
pub struct Tail {
    /// Records up to here have been passed over: what a snapshot says already.
    after: Option<Mark>,
    /// The next record; zero before the first was found.
    next: u64,
    chain: u64,
    segment: Option<Segment>,
    buffer: Vec<u8>,
}

#[derive(Clone, Debug)]
struct Segment {
    name: String,
    at: u64,
    size: u64,
}

impl Tail {
    /// From the first record that is there.
    pub fn new() -> Self {
        Self::default()
    }

    /// From behind a mark: only the file that has it, and later ones.
    pub fn after(mark: Mark) -> Self {
        Self { after: Some(mark), ..Self::default() }
    }

    /// The next record that will be shown; zero before it is known.
    pub fn next(&self) -> u64 {
        self.next.max(self.after.map_or(0, |mark| mark.sequence + 1))
    }

    /// Shows what has come up to record `until`, which is safe, and stops after the frame in which `most` records were
    /// shown. Says how many were.
    ///
    /// # Errors
    /// What makes the journal unreadable, and `Foreign` if it does not have the mark. It is read from the same place
    /// again then.
    pub fn read<D: Disk>(
        &mut self,
        disk: &D,
        until: u64,
        most: usize,
        mut each: impl FnMut(&Record<'_>),
    ) -> Result<usize, JournalError> {
        let mut shown = 0;
        while shown < most && self.next() <= until {
            let segment = match self.segment.take() {
                Some(segment) if segment.at < segment.size => segment,
                _ => match self.find(disk)? {
                    Some(segment) => segment,
                    None => break,
                },
            };
            let kept = segment.clone();
            match self.frames(disk, segment, (until, most), &mut shown, &mut each) {
                Ok(segment) => self.segment = segment,
                Err(error) => {
                    self.segment = Some(kept);
                    return Err(error);
                }
            }
        }
        Ok(shown)
    }

    /// The file that goes on from here; `None` while there is none.
    fn find<D: Disk>(&mut self, disk: &D) -> Result<Option<Segment>, JournalError> {
        let all = disk.list()?;
        let mut named = all.iter().filter_map(|name| Some((first_of(name)?, name)));
        let found = match (self.next, self.after) {
            (0, None) => named.next(),
            (0, Some(mark)) => named.rfind(|(first, _)| *first <= mark.sequence),
            (next, _) => named.find(|(first, _)| *first == next),
        };
        let Some((first, name)) = found else {
            let later = all.iter().find(|name| first_of(name).is_some_and(|it| it > self.next));
            return match (self.next, self.after, later) {
                (0, Some(mark), Some(_)) => Err(JournalError::Foreign { snapshot: mark.sequence }),
                (1.., _, Some(later)) => Err(JournalError::Corrupt {
                    segment: later.clone(),
                    at: 0,
                    sequence: self.next,
                    what: "the records before it were taken away",
                }),
                _ => Ok(None),
            };
        };
        let mut head = [0; HEADER];
        let size = disk.size(name)?;
        if size < HEADER as u64 {
            return Ok(None);
        }
        disk.read(name, 0, &mut head)?;
        if head[HEADER - 4..] == [0; 4] {
            // It is being begun.
            return Ok(None);
        }
        let corrupt =
            |what| JournalError::Corrupt { segment: name.clone(), at: 0, sequence: first, what };
        let header = Header::decode(&head)
            .map_err(|format| JournalError::Newer { segment: name.clone(), format })?
            .ok_or(corrupt("the header of the file is damaged"))?;
        if header.first != first || header.size != size {
            return Err(corrupt("the header of the file does not fit it"));
        }
        if self.next == 0 {
            (self.next, self.chain) = (first, header.chain);
        } else if header.chain != self.chain {
            return Err(corrupt("the file does not follow from the one before it"));
        }
        Ok(Some(Segment { name: name.clone(), at: HEADER as u64, size }))
    }

    /// Shows frames of a file; the place behind them, or `None` at its end.
    fn frames<D: Disk>(
        &mut self,
        disk: &D,
        mut segment: Segment,
        (until, most): (u64, usize),
        shown: &mut usize,
        each: &mut impl FnMut(&Record<'_>),
    ) -> Result<Option<Segment>, JournalError> {
        let mut buffer = std::mem::take(&mut self.buffer);
        let mut wanted = CHUNK;
        loop {
            let left = segment.size - segment.at;
            let length = left.min(wanted as u64) as usize;
            buffer.resize(length, 0);
            disk.read(&segment.name, segment.at, &mut buffer)?;
            let mut at = 0;
            let done = loop {
                let rest = &buffer[at..];
                let is_all = segment.at + length as u64 == segment.size;
                if rest.len() < 4 || rest[..4] == [0; 4] {
                    break rest.len() >= 4 || is_all;
                }
                let size = front(rest).map(|it| it.size);
                if !is_all && size.map_or(rest.len() < HEAD, |size| size > rest.len()) {
                    // It goes on behind what was read.
                    wanted = size.unwrap_or(HEAD).max(CHUNK);
                    break false;
                }
                let Found::Frame(frame) = decode(rest) else {
                    return Err(self.corrupt(&segment, at, "the record is damaged"));
                };
                self.take(&segment, at, &frame, shown, each)?;
                at += frame.front.size;
                if self.next > until || *shown >= most {
                    segment.at += at as u64;
                    self.buffer = buffer;
                    return Ok(Some(segment));
                }
            };
            segment.at += at as u64;
            if done {
                self.buffer = buffer;
                // Nothing more stands here: it goes on in another file, or has not come yet.
                let goes_on = disk.list()?.iter().any(|name| first_of(name) == Some(self.next));
                return Ok((!goes_on).then_some(segment));
            }
        }
    }

    fn take(
        &mut self,
        segment: &Segment,
        at: usize,
        frame: &Frame<'_>,
        shown: &mut usize,
        each: &mut impl FnMut(&Record<'_>),
    ) -> Result<(), JournalError> {
        if frame.front.first != self.next {
            return Err(self.corrupt(segment, at, "records are missing before it"));
        }
        if !frame.follows(self.chain) {
            return Err(self.corrupt(segment, at, "it does not follow from the record before it"));
        }
        let last = frame.last();
        if let Some(mark) = self.after
            && mark.sequence <= last
        {
            // A snapshot is made behind a frame, and never within one.
            if mark.sequence == last && mark.chain != frame.chain
                || (frame.front.first..last).contains(&mark.sequence)
            {
                return Err(JournalError::Foreign { snapshot: mark.sequence });
            }
        }
        for record in frame.records() {
            let Some((head, payload)) = record else {
                return Err(self.corrupt(segment, at, "the record is not written as records are"));
            };
            if self.after.is_none_or(|mark| head.sequence > mark.sequence) {
                let chain = (head.sequence == last).then_some(frame.chain);
                each(&Record { head, chain, payload });
                *shown += 1;
            }
        }
        (self.next, self.chain) = (last + 1, frame.chain);
        Ok(())
    }

    fn corrupt(&self, segment: &Segment, at: usize, what: &'static str) -> JournalError {
        let (segment, at) = (segment.name.clone(), segment.at + at as u64);
        JournalError::Corrupt { segment, at, sequence: self.next, what }
    }
}
