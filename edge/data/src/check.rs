//! Examining a source from end to end: what is in it, and everything that is wrong with it.
//!
//! A run stops at the first bad row; a check writes it down and goes on, so that one pass names all
//! problems (the first twenty in full). Books are rebuilt on the way: an order-by-order book must
//! add up, and the spreads of what is quoted tell whether the columns were understood.

use crate::codes;
use crate::fault::{Faulty, fault};
use crate::l3::{BookFlaw, OrderBook};
use crate::outlet::{Counts, FINDINGS_MAX};
use crate::source::DataSource;
use crate::spec::SourceSpec;
use std::collections::BTreeMap;
use tse_model::{
    Catalog, DepthChange, InstrumentId, Ladder, MarketData, MarketEvent, Price, Side, Source,
    SourceFault, Span, Timestamp,
};

/// What a source holds, and what is wrong with it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Report {
    /// What was read and what was left out.
    pub counts: Counts,
    /// When the first event happened.
    pub first: Option<Timestamp>,
    /// When the last one did.
    pub last: Option<Timestamp>,
    /// The shortest and the longest time from event to receipt.
    pub latency: Option<(Span, Span)>,
    /// By instrument, in the order of the catalogue; only those that appear.
    pub instruments: Vec<InstrumentReport>,
    /// The first twenty problems.
    pub problems: Vec<SourceFault>,
    /// How many there are in all.
    pub problems_total: u64,
}

/// What a source holds of one instrument.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct InstrumentReport {
    /// Which.
    pub instrument: InstrumentId,
    /// How many events.
    pub events: u64,
    /// When the first happened.
    pub first: Timestamp,
    /// When the last did.
    pub last: Timestamp,
    /// Lowest and highest price of a trade, bar or quote.
    pub prices: Option<(Price, Price)>,
    /// How far apart best bids and asks were.
    pub spread: Option<SpreadReport>,
    /// Messages after which a book had its best bid above its best ask.
    pub crossed_books: u64,
    /// Gaps in the depth stream.
    pub gaps: u64,
}

/// How far apart best bids and asks were, in ticks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SpreadReport {
    /// How many were measured.
    pub count: u64,
    /// The least.
    pub min: i64,
    /// As many were wider as narrower.
    pub median: i64,
    /// One in a hundred was wider.
    pub p99: i64,
    /// The most.
    pub max: i64,
}

/// How often each spread was seen. Beyond so many different ones the nearest known one counts.
#[derive(Default)]
struct Histogram(BTreeMap<i64, u64>);

const BINS_MAX: usize = 65_536;

impl Histogram {
    fn add(&mut self, value: i64) {
        let full = self.0.len() >= BINS_MAX && !self.0.contains_key(&value);
        let inside = || {
            let above = self.0.range(value..).next().map(|(bin, _)| *bin);
            let below = self.0.range(..value).next_back().map(|(bin, _)| *bin);
            above.zip(below).map(
                |(above, below)| {
                    if above - value < value - below { above } else { below }
                },
            )
        };
        let bin = match full {
            false => value,
            true => match inside() {
                Some(bin) => bin,
                // A new extreme takes the place of the old one, so that the ends stay exact.
                None => return self.extend(value),
            },
        };
        *self.0.entry(bin).or_default() += 1;
    }

    fn extend(&mut self, value: i64) {
        let below = self.0.keys().next().is_some_and(|least| value < *least);
        let old = if below { self.0.pop_first() } else { self.0.pop_last() };
        self.0.insert(value, 1);
        if let Some((bin, times)) = old {
            let mut next = if below { self.0.range_mut(bin..).next() } else { None };
            if !below {
                next = self.0.range_mut(..bin).next_back();
            }
            if let Some((_, count)) = next {
                *count += times;
            }
        }
    }

    fn report(&self) -> Option<SpreadReport> {
        let count: u64 = self.0.values().sum();
        let at = |share: u64| {
            // The smallest value that at least this many hundredths are not above.
            let rank = (count * share).div_ceil(100).max(1);
            let mut seen = 0;
            let found = self.0.iter().find(|(_, times)| {
                seen += **times;
                seen >= rank
            });
            found.map(|(value, _)| *value)
        };
        Some(SpreadReport {
            count,
            min: *self.0.keys().next()?,
            median: at(50)?,
            p99: at(99)?,
            max: *self.0.keys().next_back()?,
        })
    }
}

#[derive(Default)]
struct Seen {
    report: InstrumentReport,
    quotes: Histogram,
    depth: Histogram,
    ladder: Ladder,
    book: Option<OrderBook>,
}

/// Reads a source to its end and tells what is in it and what is wrong with it.
pub fn check(spec: &SourceSpec, catalog: &Catalog) -> Report {
    let mut report = Report::default();
    let mut source = match DataSource::open(spec, catalog) {
        Ok(source) => source,
        Err(found) => return unopened(spec, found),
    };
    source.outlet().collect_findings();
    let mut seen: Vec<Option<Box<Seen>>> = (0..catalog.instruments().len()).map(|_| None).collect();
    let mut flaws = Vec::new();
    let mut flaws_total = 0;
    let mut batch = Vec::new();
    let ended = loop {
        batch.clear();
        let result = source.read(&mut batch);
        for event in &batch {
            report.first.get_or_insert(event.ts_event);
            report.last = Some(event.ts_event);
            let latency = event.ts_recv - event.ts_event;
            let (least, most) = report.latency.get_or_insert((latency, latency));
            (*least, *most) = ((*least).min(latency), (*most).max(latency));
            let seen = seen[event.instrument.index()].get_or_insert_default();
            if let Err(flaw) = look(event, seen) {
                flaws_total += 1;
                if flaws.len() < FINDINGS_MAX {
                    let file = source.name();
                    flaws.push(flaw_fault(flaw, event).at(format!("{file}: {}", event.ts_event)));
                }
            }
        }
        match result {
            Ok(()) if batch.is_empty() => break None,
            Ok(()) => {}
            Err(found) => break Some(found),
        }
    };
    report.counts = source.counts();
    let (findings, total) = source.outlet().take_findings();
    report.problems = findings;
    report.problems_total = total + flaws_total + u64::from(ended.is_some());
    report.problems.extend(flaws);
    // What ended the reading is the worst of all: nothing is known of what comes after.
    if let Some(found) = ended {
        report.problems.insert(0, found);
    }
    report.problems.truncate(FINDINGS_MAX);
    for (at, seen) in seen.into_iter().enumerate() {
        if let Some(seen) = seen {
            let spread = seen.quotes.report().or_else(|| seen.depth.report());
            let instrument = InstrumentId(at as u32);
            report.instruments.push(InstrumentReport { instrument, spread, ..seen.report });
        }
    }
    report
}

/// A source that cannot be opened may still have files that are not there: all are named.
fn unopened(spec: &SourceSpec, found: SourceFault) -> Report {
    let mut problems = vec![found];
    for path in &spec.paths {
        if let Err(missing) = crate::input::open_file(path)
            && !problems.contains(&missing)
        {
            problems.push(missing);
        }
    }
    let problems_total = problems.len() as u64;
    problems.truncate(FINDINGS_MAX);
    Report { problems, problems_total, ..Report::default() }
}

fn look(event: &MarketEvent, seen: &mut Seen) -> Result<(), BookFlaw> {
    let report = &mut seen.report;
    if report.events == 0 {
        report.first = event.ts_event;
    }
    report.events += 1;
    report.last = event.ts_event;
    let mut priced = |low: Price, high: Price| {
        let (min, max) = report.prices.get_or_insert((low, high));
        (*min, *max) = ((*min).min(low), (*max).max(high));
    };
    match event.data {
        MarketData::Quote(quote) => {
            for side in Side::BOTH {
                if let Some((price, _)) = quote.side(side) {
                    priced(price, price);
                }
            }
            if quote.bid_qty.is_positive() && quote.ask_qty.is_positive() {
                seen.quotes.add((quote.ask - quote.bid).get());
            }
        }
        MarketData::Trade(trade) => priced(trade.price, trade.price),
        MarketData::Bar(bar) => priced(bar.low, bar.high),
        MarketData::Depth(depth) => {
            report.gaps += u64::from(depth.change == DepthChange::Gap);
            seen.ladder.apply(depth);
            if depth.last {
                report.crossed_books += u64::from(seen.ladder.is_crossed());
                let (bid, ask) = (seen.ladder.best(Side::Buy), seen.ladder.best(Side::Sell));
                if let (Some(bid), Some(ask)) = (bid, ask)
                    && seen.ladder.is_valid()
                {
                    seen.depth.add((ask.price - bid.price).get());
                }
            }
        }
        MarketData::Order(record) => {
            let book = seen.book.get_or_insert_with(OrderBook::new);
            let applied = book.apply(&record);
            if record.last
                && let (Some((bid, _)), Some((ask, _))) =
                    (book.best(Side::Buy), book.best(Side::Sell))
            {
                seen.depth.add((ask - bid).get());
            }
            match applied {
                // Before an auction orders may stand crossed; that is counted and no flaw.
                Err(BookFlaw::Crossed) => report.crossed_books += 1,
                other => return other,
            }
        }
        MarketData::Funding(_) | MarketData::Mark(_) | MarketData::Status(_) => {}
    }
    Ok(())
}

fn flaw_fault(flaw: BookFlaw, event: &MarketEvent) -> SourceFault {
    let order = match event.data {
        MarketData::Order(record) => record.order,
        _ => 0,
    };
    let (code, what) = match flaw {
        BookFlaw::UnknownOrder => (codes::UNKNOWN_ORDER, "was never added"),
        BookFlaw::Duplicate => (codes::UNKNOWN_ORDER, "is added a second time"),
        BookFlaw::TooMuch => (codes::L3_TRADES, "loses more than it has"),
        BookFlaw::WrongFill => {
            (codes::L3_TRADES, "is filled at another price or side than its own")
        }
        BookFlaw::Unbalanced => (codes::L3_TRADES, "ends an event whose fills are not its trades"),
        BookFlaw::NotTaken => (codes::L3_TRADES, "ends an event that leaves a filled order whole"),
        BookFlaw::Crossed => (codes::CROSSED, "leaves the book crossed"),
    };
    let fix = "fetch the whole session, from its snapshot on";
    fault(code, format!("order {order} {what}"), fix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_knows_its_middle_and_stays_small() {
        let mut few = Histogram::default();
        for value in [5, 1, 1, 1, 9] {
            few.add(value);
        }
        let report = few.report().unwrap();
        assert_eq!((report.min, report.median, report.p99, report.max), (1, 1, 9, 9));
        let mut many = Histogram::default();
        for value in 0..200_000 {
            many.add(value * 7 % 200_003);
        }
        assert!(many.0.len() <= BINS_MAX);
        let report = many.report().unwrap();
        assert_eq!((report.count, report.min), (200_000, 0));
        assert!(Histogram::default().report().is_none());
    }
}
