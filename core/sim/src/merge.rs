//! Many sources as one stream, in a total order.
//!
//! Events come by `ts_event`; at equal times the source that stands earlier in the configuration goes
//! first, and within a source its own order holds. Sources are read in batches, so that a call into a
//! file reader happens once for a thousand events.

use tse_model::{MarketEvent, Source, SourceFault, Timestamp};

/// A source and what was read of it.
struct Stream {
    source: Box<dyn Source>,
    batch: Vec<MarketEvent>,
    at: usize,
}

impl Stream {
    #[inline]
    fn head(&self) -> Option<&MarketEvent> {
        self.batch.get(self.at)
    }

    /// Moves on; reads more when the batch is used up.
    #[inline]
    fn advance(&mut self) -> Result<(), SourceFault> {
        self.at += 1;
        if self.at < self.batch.len() { Ok(()) } else { self.refill() }
    }

    fn refill(&mut self) -> Result<(), SourceFault> {
        self.batch.clear();
        self.at = 0;
        self.source.read(&mut self.batch)
    }
}

/// Sources merged by time.
pub struct Merge {
    streams: Vec<Stream>,
    /// The stream whose head is next, and until when it stays next without looking at the others.
    current: Option<(usize, Timestamp)>,
}

impl Merge {
    /// Merges sources; earlier ones go first at equal times.
    ///
    /// # Errors
    /// The first source that cannot be read.
    pub fn new(sources: Vec<Box<dyn Source>>) -> Result<Self, SourceFault> {
        let mut streams = Vec::with_capacity(sources.len());
        for source in sources {
            let mut stream = Stream { source, batch: Vec::with_capacity(2_048), at: 0 };
            stream.refill()?;
            streams.push(stream);
        }
        let mut merge = Self { streams, current: None };
        merge.choose();
        Ok(merge)
    }

    /// Finds the stream that is next, and how long it certainly stays so.
    fn choose(&mut self) {
        let mut best: Option<(Timestamp, usize)> = None;
        let mut until = Timestamp::MAX;
        for (number, stream) in self.streams.iter().enumerate() {
            let Some(head) = stream.head() else { continue };
            match best {
                Some((at, _)) if head.ts_event >= at => until = until.min(head.ts_event),
                Some((at, _)) => {
                    until = until.min(at);
                    best = Some((head.ts_event, number));
                }
                None => best = Some((head.ts_event, number)),
            }
        }
        self.current = best.map(|(_, number)| (number, until));
    }

    /// The next event.
    #[inline]
    pub fn peek(&self) -> Option<&MarketEvent> {
        self.streams[self.current?.0].head()
    }

    /// Moves on to the event after.
    ///
    /// # Errors
    /// What the source says when the rest of it cannot be read.
    #[inline]
    pub fn advance(&mut self) -> Result<(), SourceFault> {
        let Some((number, until)) = self.current else { return Ok(()) };
        let stream = &mut self.streams[number];
        stream.advance()?;
        // Strictly before any other stream: no tie to settle.
        if stream.head().is_none_or(|head| head.ts_event >= until) {
            self.choose();
        }
        Ok(())
    }

    /// How much has been read, in millionths, if every source can tell.
    pub fn progress(&self) -> Option<u32> {
        let parts: Option<Vec<u32>> =
            self.streams.iter().map(|stream| stream.source.progress()).collect();
        let parts = parts?;
        let sum: u64 = parts.iter().map(|part| u64::from(*part)).sum();
        (!parts.is_empty()).then(|| (sum / parts.len() as u64) as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tse_model::{Events, InstrumentId, MarketData, Price};

    fn event(at: i64, instrument: u32) -> MarketEvent {
        let ts = Timestamp::from_nanos(at);
        MarketEvent {
            ts_event: ts,
            ts_recv: ts,
            instrument: InstrumentId(instrument),
            data: MarketData::Mark(Price::new(at)),
        }
    }

    fn merged(sources: &[&[i64]]) -> Vec<(i64, u32)> {
        let sources = sources.iter().enumerate().map(|(number, times)| {
            let events = times.iter().map(|at| event(*at, number as u32)).collect();
            Box::new(Events::new(events)) as Box<dyn Source>
        });
        let mut merge = Merge::new(sources.collect()).unwrap();
        let mut all = Vec::new();
        while let Some(event) = merge.peek() {
            all.push((event.ts_event.nanos(), event.instrument.0));
            merge.advance().unwrap();
        }
        all
    }

    #[test]
    fn events_come_in_order_and_ties_go_to_the_earlier_source() {
        let all = merged(&[&[1, 5, 5, 9], &[1, 2, 5, 10], &[0, 5]]);
        let expected =
            [(0, 2), (1, 0), (1, 1), (2, 1), (5, 0), (5, 0), (5, 1), (5, 2), (9, 0), (10, 1)];
        assert_eq!(all, expected);
    }

    #[test]
    fn empty_sources_and_none_at_all_are_fine() {
        assert_eq!(merged(&[&[], &[3], &[]]), [(3, 1)]);
        assert_eq!(merged(&[]), []);
    }
}
