//! Captures recorded by cryptofeed: depth with checksums, trades and best quotes of OKX and Kraken.
//!
//! In go lines `<seconds of receipt>: <JSON>` between lines about connections and requests, which
//! are passed over. Every depth update is applied to a [`TextBook`] and its checksum compared with
//! the venue's. A book that differs is told as a gap: it is void until the next snapshot.
//!
//! Captures hold many instruments. Those that the source does not name are left out and counted.

mod kraken;
mod okx;

use crate::binance::clock_offset;
use crate::checksum::TextBook;
use crate::codes;
use crate::fault::{fault, shown};
use crate::grid::{Measure, Number, Stop, not_a_number};
use crate::input::{Line, Lines, Spot};
use crate::json::{Broken, Json};
use crate::outlet::Outlet;
use crate::source::Reader;
use crate::spec::{CaptureSpec, CaptureVenue, Kinds, SourceSpec};
use crate::who::Who;
use tse_model::{
    Catalog, Decimal, Depth, DepthChange, InstrumentId, MarketData, MarketEvent, Price, Qty, Side,
    SourceFault, Span, Timestamp,
};

/// A level as it was sent.
type Written<'a> = (Side, &'a [u8], &'a [u8]);

/// One depth message.
struct Update<'a> {
    levels: Vec<Written<'a>>,
    snapshot: bool,
    /// When it happened, if it says.
    time: Option<i64>,
    /// The venue's checksum, in the venue's own form.
    checksum: Option<i64>,
    /// How many levels of each side the venue keeps.
    depth: Option<usize>,
}

/// The book of one instrument.
#[derive(Default)]
struct Kept {
    book: TextBook,
    /// Whether it has had a snapshot, and no wrong checksum since.
    sound: bool,
    /// The latest time in the stream.
    time: i64,
}

/// Reads captures.
pub(crate) struct CaptureReader {
    lines: Lines,
    venue: CaptureVenue,
    desk: Desk,
}

/// What messages are applied to.
struct Desk {
    who: Who,
    measures: Vec<Measure>,
    kept: Vec<Kept>,
    offset: Span,
}

/// Splits `<seconds>: <JSON>`; `None` for lines about connections and requests.
fn split(line: &[u8]) -> Option<(i64, &[u8])> {
    if !line.first()?.is_ascii_digit() {
        return None;
    }
    let colon = memchr::memchr(b':', line)?;
    Some((seconds(&line[..colon])?, line.get(colon + 2..)?))
}

/// Seconds with a fraction as nanoseconds.
fn seconds(text: &[u8]) -> Option<i64> {
    let seconds = Decimal::parse(text).ok()?;
    // The recorder wrote floats: what is finer than a nanosecond is not time.
    let fine = seconds.at_scale(9).or_else(|| {
        let finer = seconds.at_scale(18)?;
        Some(finer / 1_000_000_000)
    });
    i64::try_from(fine?).ok()
}

fn millis(text: &[u8]) -> Option<i64> {
    match Number::parse(text).ok()? {
        Number::Small(millis, 0) => millis.checked_mul(1_000_000),
        _ => None,
    }
}

impl CaptureReader {
    pub(crate) fn new(
        spec: &SourceSpec,
        capture: &CaptureSpec,
        catalog: &Catalog,
    ) -> Result<Self, SourceFault> {
        let mut first = Lines::new(spec.paths.clone(), None, "line");
        let venue = capture.venue;
        let offset = clock_offset(capture.clock, || {
            loop {
                match first.next()? {
                    Line::End => return Ok(None),
                    Line::Text(line, _) if let Some((recv, text)) = split(line) => {
                        return Ok(Some((recv, time_in(venue, text))));
                    }
                    _ => {}
                }
            }
        })?;
        let count = catalog.instruments().len();
        Ok(Self {
            lines: Lines::new(spec.paths.clone(), None, "line"),
            venue,
            desk: Desk {
                who: Who::new(spec, catalog),
                measures: Measure::all(catalog),
                kept: (0..count).map(|_| Kept::default()).collect(),
                offset,
            },
        })
    }
}

/// The time that a message says it happened.
fn time_in(venue: CaptureVenue, text: &[u8]) -> Option<i64> {
    match venue {
        CaptureVenue::Okx => okx::time_in(text),
        CaptureVenue::Kraken => kraken::time_in(text),
    }
}

#[cold]
fn broken(broken: Broken, text: &[u8]) -> Stop {
    fault(
        codes::BAD_MESSAGE,
        format!("the message is broken at byte {}: {}", broken.at + 1, shown(text)),
        "fetch the file again; if only this line is broken, remove it",
    )
    .into()
}

impl Reader for CaptureReader {
    fn read(&mut self, out: &mut Outlet) -> Result<bool, SourceFault> {
        for _ in 0..256 {
            if out.is_satisfied() {
                return Ok(false);
            }
            let (line, number) = match self.lines.next()? {
                Line::End => return Ok(false),
                Line::File(path) => {
                    let file = path.display().to_string().into();
                    out.spot = Spot { file, number: 0, unit: "line" };
                    continue;
                }
                Line::Text([], _) => continue,
                Line::Text(line, number) => (line, number),
            };
            out.spot.number = number;
            out.take_row();
            let Some((recv, text)) = split(line) else {
                out.counts.other_messages += 1;
                continue;
            };
            let recv = Timestamp::from_nanos(recv) + self.desk.offset;
            let done = match self.venue {
                CaptureVenue::Okx => okx::message(&mut self.desk, recv, text, out),
                CaptureVenue::Kraken => kraken::message(&mut self.desk, recv, text, out),
            };
            out.settle(done)?;
        }
        out.sort();
        Ok(true)
    }

    fn progress(&self) -> Option<u32> {
        self.lines.progress.millionths()
    }
}

impl Desk {
    fn price(&self, id: InstrumentId, text: &[u8], out: &mut Outlet) -> Result<Price, Stop> {
        let number = Number::parse(text).map_err(|error| not_a_number("price", text, error))?;
        out.fit.price(&self.measures[id.index()], "price", number)
    }

    fn qty(&self, id: InstrumentId, text: &[u8], out: &mut Outlet) -> Result<Qty, Stop> {
        let number = Number::parse(text).map_err(|error| not_a_number("size", text, error))?;
        out.fit.size(&self.measures[id.index()], "size", number)
    }

    fn push(
        &self,
        id: InstrumentId,
        time: Option<i64>,
        recv: Timestamp,
        data: MarketData,
        out: &mut Outlet,
    ) -> Result<(), Stop> {
        let ts_event = time.map_or(recv, Timestamp::from_nanos);
        Ok(out.push(MarketEvent { ts_event, ts_recv: recv, instrument: id, data })?)
    }

    /// Applies a depth message; `sum` computes the checksum in the venue's form.
    fn update(
        &mut self,
        id: InstrumentId,
        recv: Timestamp,
        update: &Update<'_>,
        sum: fn(&TextBook) -> i64,
        out: &mut Outlet,
    ) -> Result<(), Stop> {
        if !out.kinds.has(Kinds::DEPTH) {
            return Ok(());
        }
        let kept = &mut self.kept[id.index()];
        if !update.snapshot && !kept.sound {
            out.counts.before_snapshot += 1;
            return Ok(());
        }
        let mut changes = Vec::with_capacity(update.levels.len() + 1);
        if update.snapshot {
            kept.book.clear();
            kept.sound = true;
            changes.push(DepthChange::Clear);
        }
        for (side, price, size) in &update.levels {
            let known = self.kept[id.index()].book.set(*side, price, size);
            let ticks = self.price(id, price, out)?;
            let qty = self.qty(id, size, out)?;
            debug_assert!(known.is_some(), "both were numbers");
            changes.push(DepthChange::Set { side: *side, price: ticks, qty });
        }
        if let Some(depth) = update.depth {
            for side in Side::BOTH {
                while let Some(price) = self.kept[id.index()].book.pop_beyond(side, depth) {
                    let price = self.price(id, &price, out)?;
                    changes.push(DepthChange::Set { side, price, qty: Qty::ZERO });
                }
            }
        }
        let kept = &mut self.kept[id.index()];
        let time = update.time.unwrap_or(recv.nanos()).max(kept.time);
        kept.time = time;
        if let Some(expected) = update.checksum {
            let found = sum(&kept.book);
            if found == expected {
                out.counts.checksums_right += 1;
            } else {
                out.counts.checksums_wrong += 1;
                kept.sound = false;
                changes.push(DepthChange::Gap);
                let name = &self.measures[id.index()].name;
                out.note(fault(
                    codes::CHECKSUM,
                    format!("the book of {name} has checksum {found}, the venue says {expected}"),
                    "fetch the capture again; the book is void until its next snapshot",
                ));
            }
        }
        let end = changes.len().saturating_sub(1);
        for (at, change) in changes.into_iter().enumerate() {
            let data = MarketData::Depth(Depth { change, last: at == end });
            self.push(id, Some(time), recv, data, out)?;
        }
        Ok(())
    }
}

/// Reads `[["price","size",...],...]`, where more than two parts go to `each`.
fn levels<'a>(
    side: Side,
    json: &mut Json<'a>,
    levels: &mut Vec<Written<'a>>,
    mut each: impl FnMut(&'a [u8]),
) -> Result<(), Broken> {
    json.array(|json| {
        let mut parts = [&b""[..]; 2];
        let mut count = 0;
        json.array(|json| {
            let part = json.text()?;
            match parts.get_mut(count) {
                Some(place) => *place = part,
                None => each(part),
            }
            count += 1;
            Ok(())
        })?;
        if count < 2 {
            return json.broken();
        }
        levels.push((side, parts[0], parts[1]));
        Ok(())
    })
}
