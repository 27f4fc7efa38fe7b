//! What simulated venues were asked, written down before they do it: so that they are what they were after the
//! process that held them was gone.
//!
//! Everything else that happens to a venue follows from its data and its own timers. A record therefore says the
//! request and how often those had come before it; with the same data the venue comes to the same again. It is a
//! journal of its own beside the engine's: what a venue knows must not depend on what the engine remembers.
//!
//! Begin at [`VenueLog::note`] and [`VenueLog::open`].

use crate::paper::PaperError;
use tse_engine::kind;
use tse_journal::{Disk, Journal, JournalError, Options};
use tse_kernel::record;
use tse_model::bytes::{Reader, Recorded, Writer};
use tse_model::{Request, Timestamp, VenueId};

/// A request that has reached a venue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reached {
    /// When.
    pub at: Timestamp,
    /// How often events and timers had come to any venue before.
    pub happened: u64,
    /// Which.
    pub venue: VenueId,
    /// What it was asked.
    pub request: Request,
}

/// Everything that venues had been asked.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Asked {
    /// What they can be built from.
    pub setup: String,
    /// What has reached them, in order.
    pub all: Vec<Reached>,
}

/// The record of what venues were asked.
pub struct VenueLog<D> {
    journal: Journal<D>,
    failed: Option<JournalError>,
}

impl<D: Disk> VenueLog<D> {
    /// Begins one: `setup` is what the venues can be built from again.
    ///
    /// # Errors
    /// What the journal says.
    pub fn begin(disk: D, options: Options, setup: &str) -> Result<Self, JournalError> {
        let mut journal = Journal::create(disk, options)?;
        journal.append(Timestamp::EPOCH, kind::BEGIN, record::VERSION, setup.as_bytes())?;
        journal.commit()?;
        Ok(Self { journal, failed: None })
    }

    /// Goes on with one, and gives what it was begun with and holds. A torn end is cut off: what was in it was not done.
    ///
    /// # Errors
    /// `Empty` if there is none, or none that holds a record: [`begin`](Self::begin). What else the journal says,
    /// or the record that is something else.
    pub fn open(disk: D, options: Options) -> Result<(Self, Asked), PaperError> {
        let (mut asked, mut foreign) = (Asked::default(), None);
        let (journal, contents) = Journal::open(disk, options, |record| {
            let reached = match record.head.kind {
                kind::REACHED => read(record.payload, record.head.time),
                _ => None,
            };
            match reached {
                Some(reached) => asked.all.push(reached),
                None if record.head.kind == kind::BEGIN => {
                    asked.setup = String::from_utf8_lossy(record.payload).into_owned();
                }
                None => foreign = foreign.or(Some(record.head.sequence)),
            }
        })
        .map_err(PaperError::Venues)?;
        match foreign {
            _ if contents.last < contents.first => Err(PaperError::Venues(JournalError::Empty)),
            Some(record) => Err(PaperError::NotAsked { record }),
            None => Ok((Self { journal, failed: None }, asked)),
        }
    }

    /// Writes down what has reached a venue. `false` if that could not be done: then it must not be carried out.
    pub(crate) fn note(&mut self, reached: &Reached) -> bool {
        if self.failed.is_some() {
            return false;
        }
        let write = |out: &mut Writer| {
            reached.happened.write(out);
            record::write_request(reached.venue, &reached.request, out);
        };
        let written = self.journal.append_with(reached.at, kind::REACHED, record::VERSION, write);
        let written = match self.journal.is_strict() {
            true => written.and_then(|_| self.journal.commit()),
            false => written,
        };
        self.failed = written.err();
        self.failed.is_none()
    }

    /// Why it takes no more, if it does not.
    pub fn failed(&self) -> Option<&JournalError> {
        self.failed.as_ref()
    }

    /// Makes all of it safe.
    ///
    /// # Errors
    /// What the journal says.
    pub fn commit(&mut self) -> Result<u64, JournalError> {
        self.journal.commit()
    }

    /// Gives the disk back.
    pub fn into_disk(self) -> D {
        self.journal.into_disk()
    }
}

/// What a record of [`kind::REACHED`] says.
fn read(bytes: &[u8], at: Timestamp) -> Option<Reached> {
    let mut bytes = Reader::new(bytes, at);
    let happened = u64::read(&mut bytes)?;
    let (venue, request) = record::read_request(bytes.rest(), at)?;
    Some(Reached { at, happened, venue, request })
}
