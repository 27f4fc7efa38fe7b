//! Raw Binance captures: trades, best quotes and depth as they were sent, spot and futures.
//!
//! In go lines `<nanosecond of receipt> <JSON>`; out come trades, quotes and depth steps of one
//! instrument. Depth is joined with its snapshot by the venue's own rule ([`DepthSync`]), and a hole in
//! it makes the book invalid until the next snapshot. Times are the venue's (`T`, when it matched;
//! `E`, when it was sent, where there is no `T`). A spot `bookTicker` and a spot snapshot carry no
//! time, so they have the time of their receipt by the recorder's clock plus the source's `clock`.
//!
//! Streams of one capture arrive through each other: a trade may come 190 ms after a depth change of
//! the same moment. Inside a stream times never run backwards. The source therefore puts all in
//! order in a window of 250 ms and counts what is later still.

mod message;
mod sync;

pub use message::{Body, DiffIds, LevelChange, Message};
pub use sync::{DepthSync, Verdict};

use crate::codes;
use crate::fault::{Faulty, fault, shown};
use crate::grid::{Fit, Measure, Stop};
use crate::input::{Line, Lines};
use crate::outlet::Outlet;
use crate::source::Reader;
use crate::spec::{ClockOffset, Kinds, OffGrid, SourceSpec};
use message::{Parser, Unread};
use std::collections::VecDeque;
use tse_model::{
    Catalog, Depth, DepthChange, InstrumentId, MarketData, MarketEvent, SourceFault, Span,
    Timestamp, Trade,
};

/// How many levels of early changes are kept for a snapshot that has not come.
const KEPT_LEVELS_MAX: usize = 500_000;
/// How many messages the clock is measured on.
const MEASURED: usize = 10_000;

/// A change that waits for a snapshot.
struct Kept {
    ids: DiffIds,
    time: Option<i64>,
    levels: Vec<LevelChange>,
}

/// Reads captures of one instrument.
pub(crate) struct BinanceReader {
    lines: Lines,
    parser: Parser,
    instrument: InstrumentId,
    measure: Measure,
    symbol: Option<Vec<u8>>,
    offset: Span,
    sync: DepthSync,
    kept: VecDeque<Kept>,
    kept_levels: usize,
    /// The latest time in the depth stream.
    depth_time: Timestamp,
    had_snapshot: bool,
}

fn instrument(spec: &SourceSpec) -> Result<InstrumentId, SourceFault> {
    spec.instrument.ok_or_else(|| {
        fault(
            codes::BAD_SPEC,
            "the source does not say which instrument the capture is of",
            "set `instrument` in the source",
        )
    })
}

/// The clock's offset, measured if need be: the least that makes no message arrive too early.
pub(crate) fn clock_offset(
    clock: ClockOffset,
    mut next: impl FnMut() -> Result<Option<(i64, Option<i64>)>, SourceFault>,
) -> Result<Span, SourceFault> {
    if let ClockOffset::Fixed(span) = clock {
        return Ok(span);
    }
    let mut offset: Option<i64> = None;
    for _ in 0..MEASURED {
        // A broken message is found again, and told, when it is its turn to be read.
        let Ok(Some((recv, time))) = next() else {
            break;
        };
        if let Some(time) = time {
            let ahead = time.saturating_sub(recv);
            offset = Some(offset.map_or(ahead, |offset| offset.max(ahead)));
        }
    }
    Ok(Span::from_nanos(offset.unwrap_or(0)))
}

/// Milliseconds as nanoseconds.
fn nanos(millis: i64) -> Option<i64> {
    millis.checked_mul(1_000_000)
}

impl BinanceReader {
    pub(crate) fn new(
        spec: &SourceSpec,
        clock: ClockOffset,
        catalog: &Catalog,
    ) -> Result<Self, SourceFault> {
        let instrument = instrument(spec)?;
        let measure = Measure::all(catalog).swap_remove(instrument.index());
        let mut first = Capture::open(spec, catalog)?;
        let offset = clock_offset(clock, || {
            let message = first.next()?;
            Ok(message.map(|message| (message.recv, message.time.and_then(nanos))))
        })?;
        let named = spec.symbols.iter().find(|(_, id)| *id == instrument);
        Ok(Self {
            lines: Lines::new(spec.paths.clone(), None, "line"),
            parser: Parser::new(spec.kinds.has(Kinds::DEPTH)),
            instrument,
            measure,
            symbol: named.map(|(name, _)| name.clone().into_bytes()),
            offset,
            sync: DepthSync::default(),
            kept: VecDeque::new(),
            kept_levels: 0,
            depth_time: Timestamp::MIN,
            had_snapshot: false,
        })
    }

    fn message(&mut self, message: Message, out: &mut Outlet) -> Result<(), Stop> {
        self.check_symbol(out)?;
        let recv = Timestamp::from_nanos(message.recv) + self.offset;
        let time = match message.time {
            None => None,
            Some(millis) => Some(Timestamp::from_nanos(nanos(millis).ok_or_else(|| {
                fault(codes::BAD_TIME, format!("{millis} ms is not a time"), "fetch the file again")
            })?)),
        };
        let event = |data| MarketEvent {
            ts_event: time.unwrap_or(recv),
            ts_recv: recv,
            instrument: self.instrument,
            data,
        };
        match message.body {
            Body::Trade { market: false, .. } => {
                out.counts.not_market += 1;
                Ok(())
            }
            Body::Trade { qty, .. } if qty.is_zero() => Err(out.zero_size()),
            Body::Trade { id, price, qty, aggressor, .. } => {
                let trade = Trade { price, qty, aggressor: Some(aggressor), id };
                Ok(out.push(event(MarketData::Trade(trade)))?)
            }
            Body::Quote { quote, .. } => Ok(out.push(event(MarketData::Quote(quote)))?),
            Body::Diff(ids) if self.parser.depth => {
                let levels = std::mem::take(&mut self.parser.levels);
                let done = self.diff(ids, time, recv, &levels, out);
                self.parser.levels = levels;
                Ok(done?)
            }
            Body::Snapshot { last_id } if self.parser.depth => {
                Ok(self.snapshot(last_id, time, recv, out)?)
            }
            Body::Diff(_) | Body::Snapshot { .. } => Ok(()),
            Body::Other => {
                out.counts.other_messages += 1;
                Ok(())
            }
        }
    }

    /// One capture, one instrument: a snapshot does not say whose it is.
    fn check_symbol(&mut self, out: &mut Outlet) -> Result<(), Stop> {
        if self.parser.symbol.is_empty() {
            return Ok(());
        }
        let symbol = self.symbol.get_or_insert_with(|| self.parser.symbol.clone());
        if *symbol == self.parser.symbol {
            return Ok(());
        }
        let (ours, theirs) = (shown(symbol), shown(&self.parser.symbol));
        let name = &self.measure.name;
        let stop = out.unknown_symbol(|| {
            fault(
                codes::UNKNOWN_SYMBOL,
                format!("the message is of {theirs}, and the source of {ours}"),
                format!(
                    "say which one {name} is: symbols.{ours} = \"{name}\"; \
                         or set `unknown_symbols` to \"skip\""
                ),
            )
        });
        self.parser.symbol.clear();
        Err(stop)
    }

    fn diff(
        &mut self,
        ids: DiffIds,
        time: Option<Timestamp>,
        recv: Timestamp,
        levels: &[LevelChange],
        out: &mut Outlet,
    ) -> Result<(), SourceFault> {
        let time = time.unwrap_or(recv);
        match self.sync.diff(&ids) {
            Verdict::Apply => self.give(time, recv, levels, out),
            Verdict::Stale => {
                out.counts.before_snapshot += 1;
                Ok(())
            }
            verdict @ (Verdict::Keep | Verdict::Gap) => {
                self.keep(ids, time, levels);
                match verdict {
                    Verdict::Gap => {
                        out.note(fault(
                            codes::GAP,
                            format!("update {} does not follow the one before it", ids.first),
                            "nothing: the book is invalid until the next snapshot",
                        ));
                        self.step(time, recv, DepthChange::Gap, true, out)
                    }
                    _ => Ok(()),
                }
            }
        }
    }

    fn keep(&mut self, ids: DiffIds, time: Timestamp, levels: &[LevelChange]) {
        self.kept_levels += levels.len();
        self.kept.push_back(Kept { ids, time: Some(time.nanos()), levels: levels.to_vec() });
        while self.kept_levels > KEPT_LEVELS_MAX
            && let Some(oldest) = self.kept.pop_front()
        {
            self.kept_levels -= oldest.levels.len();
        }
    }

    fn snapshot(
        &mut self,
        last_id: u64,
        time: Option<Timestamp>,
        recv: Timestamp,
        out: &mut Outlet,
    ) -> Result<(), SourceFault> {
        if !self.sync.snapshot(last_id) {
            out.counts.before_snapshot += 1;
            return Ok(());
        }
        self.had_snapshot = true;
        let time = time.unwrap_or(recv);
        let levels = std::mem::take(&mut self.parser.levels);
        self.step(time, recv, DepthChange::Clear, levels.is_empty(), out)?;
        self.give(time, recv, &levels, out)?;
        self.parser.levels = levels;
        // What came too early is news now, when there is a book that it can be applied to.
        self.kept_levels = 0;
        for kept in std::mem::take(&mut self.kept) {
            let own = kept.time.map_or(time, Timestamp::from_nanos);
            self.diff(kept.ids, Some(own.max(time)), recv, &kept.levels, out)?;
        }
        Ok(())
    }

    fn give(
        &mut self,
        time: Timestamp,
        recv: Timestamp,
        levels: &[LevelChange],
        out: &mut Outlet,
    ) -> Result<(), SourceFault> {
        let last = levels.len().saturating_sub(1);
        for (at, (side, price, qty)) in levels.iter().enumerate() {
            let change = DepthChange::Set { side: *side, price: *price, qty: *qty };
            self.step(time, recv, change, at == last, out)?;
        }
        Ok(())
    }

    fn step(
        &mut self,
        time: Timestamp,
        recv: Timestamp,
        change: DepthChange,
        last: bool,
        out: &mut Outlet,
    ) -> Result<(), SourceFault> {
        // A snapshot may carry a later time than changes that belong after it.
        if time < self.depth_time {
            out.counts.late += u64::from(last);
        }
        self.depth_time = self.depth_time.max(time);
        out.push(MarketEvent {
            ts_event: self.depth_time,
            ts_recv: recv.max(self.depth_time),
            instrument: self.instrument,
            data: MarketData::Depth(Depth { change, last }),
        })
    }
}

fn refused(unread: Unread, line: &[u8]) -> Stop {
    match unread {
        Unread::Number(stop) => stop,
        other => {
            let fix = "fetch the file again; if only this line is broken, remove it";
            fault(codes::BAD_MESSAGE, other.words(line), fix).into()
        }
    }
}

impl Reader for BinanceReader {
    fn read(&mut self, out: &mut Outlet) -> Result<bool, SourceFault> {
        for _ in 0..1_024 {
            if out.is_satisfied() {
                return Ok(false);
            }
            let message = match self.lines.next()? {
                Line::End => {
                    // Without its depth a capture would look sound and be something else.
                    if !self.kept.is_empty() && !self.had_snapshot {
                        out.refuse(fault(
                            codes::NO_SNAPSHOT,
                            format!("{} changes of the book, and no snapshot", self.kept.len()),
                            "leave depth out of the source's `kinds`, or add the file with the \
                             snapshot",
                        ))?;
                    }
                    return Ok(false);
                }
                Line::File(path) => {
                    out.spot = crate::input::Spot {
                        file: path.display().to_string().into(),
                        number: 0,
                        unit: "line",
                    };
                    continue;
                }
                Line::Text([], _) => continue,
                Line::Text(line, number) => {
                    out.spot.number = number;
                    out.take_row();
                    let read = self.parser.line(line, &self.measure, &mut out.fit);
                    read.map_err(|unread| refused(unread, line))
                }
            };
            let done = message.and_then(|message| self.message(message, out));
            out.settle(done)?;
        }
        out.sort();
        Ok(true)
    }

    fn progress(&self) -> Option<u32> {
        self.lines.progress.millionths()
    }
}

/// The messages of a capture one by one, as they stand in it: for examining captures themselves.
pub struct Capture {
    lines: Lines,
    parser: Parser,
    measure: Measure,
    fit: Fit,
}

impl Capture {
    /// Opens the captures of a source. Its format is not looked at.
    ///
    /// # Errors
    /// When the source has no instrument.
    pub fn open(spec: &SourceSpec, catalog: &Catalog) -> Result<Self, SourceFault> {
        let instrument = instrument(spec)?;
        Ok(Self {
            lines: Lines::new(spec.paths.clone(), None, "line"),
            parser: Parser::new(true),
            measure: Measure::all(catalog).swap_remove(instrument.index()),
            fit: Fit::new(OffGrid::Skip),
        })
    }

    /// The next message.
    ///
    /// # Errors
    /// When the file or a line of it cannot be read.
    #[allow(clippy::should_implement_trait, reason = "an iterator cannot lend its levels")]
    pub fn next(&mut self) -> Result<Option<Message>, SourceFault> {
        loop {
            match self.lines.next()? {
                Line::End => return Ok(None),
                Line::File(_) | Line::Text([], _) => {}
                Line::Text(line, _) => {
                    let read = self.parser.line(line, &self.measure, &mut self.fit);
                    match read.map_err(|unread| refused(unread, line)) {
                        Ok(message) => return Ok(Some(message)),
                        Err(Stop::Skip) => {}
                        Err(Stop::Fault(found)) => return Err(found.at(&self.lines.spot)),
                    }
                }
            }
        }
    }

    /// The levels of the message that [`next`](Self::next) gave last.
    pub fn levels(&self) -> &[LevelChange] {
        &self.parser.levels
    }
}
