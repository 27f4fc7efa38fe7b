//! Where readers put events: order, ranges, crossed quotes and findings are settled here, once for
//! all formats.
//!
//! A reader calls [`Outlet::push`] with what its file says; what comes out of the other side is in
//! order of `ts_event`, inside the range, and counted. A bad row goes to [`Outlet::refuse`], which
//! stops the source or, in a check, writes the finding down and lets it go on.

use crate::codes;
use crate::cut::Cut;
use crate::fault::{Faulty, fault};
use crate::grid::{Fit, Stop};
use crate::input::Spot;
use crate::spec::{Crossed, Kinds, OnBad, Order, SourceSpec};
use tse_model::{
    Catalog, Decimal, DepthChange, MarketData, MarketEvent, Price, Quote, SourceFault, Timestamp,
};

/// What was read, and what was left out on the way. Nothing is left out without being counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Rows, messages or records that were looked at.
    pub rows: u64,
    /// Best quotes given out.
    pub quotes: u64,
    /// Trades given out.
    pub trades: u64,
    /// Steps of aggregated books given out.
    pub depth: u64,
    /// Records of single orders given out.
    pub orders: u64,
    /// Bars given out.
    pub bars: u64,
    /// Funding rates given out.
    pub funding: u64,
    /// Mark prices given out.
    pub marks: u64,
    /// Market states given out.
    pub status: u64,
    /// Gaps in depth streams given out.
    pub gaps: u64,
    /// Quotes whose bid was above their ask: left out, unless the source keeps them.
    pub crossed: u64,
    /// Rows left out because a number was off its grid.
    pub off_grid: u64,
    /// Numbers moved to the nearest step of their grid.
    pub rounded: u64,
    /// Trades left out because their size is zero.
    pub zero_size: u64,
    /// Rows left out because their instrument is not one of ours.
    pub other_symbols: u64,
    /// Rows left out because of their exchange.
    pub other_exchanges: u64,
    /// Rows left out because the vendor doubts them.
    pub suspicious: u64,
    /// Trades left out because they did not happen in the market (liquidation insurance and such).
    pub not_market: u64,
    /// Messages of other kinds than those read: control messages, other channels.
    pub other_messages: u64,
    /// Depth messages left out because they are older than the snapshot.
    pub before_snapshot: u64,
    /// Bars left out because they have no partner.
    pub unmatched: u64,
    /// Events moved up in time because they came too late.
    pub late: u64,
    /// Events whose time of receipt was moved up to the time they happened.
    pub early_receipts: u64,
    /// Events left out because they lie before or after the range.
    pub out_of_range: u64,
    /// Books that had the venue's checksum.
    pub checksums_right: u64,
    /// Books that did not.
    pub checksums_wrong: u64,
}

/// How many events are collected before they are put in order.
const SORT_AT: usize = 8 * 1024;

/// The far side of a reader.
pub(crate) struct Outlet {
    /// Events ready to be taken.
    pub(crate) ready: Vec<MarketEvent>,
    /// Events waiting to be put in order.
    held: Vec<MarketEvent>,
    sort_at: usize,
    order: Order,
    crossed: Crossed,
    zero_size: OnBad,
    unknown_symbols: OnBad,
    pub(crate) kinds: Kinds,
    cut: Option<Box<Cut>>,
    to: Timestamp,
    /// The latest time pushed, and the latest given out.
    newest: Timestamp,
    last: Timestamp,
    rows_left: u64,
    past_range: bool,
    pub(crate) counts: Counts,
    pub(crate) fit: Fit,
    /// Where the reader is.
    pub(crate) spot: Spot,
    /// In a check: what was found. Otherwise the first finding ends the source.
    findings: Option<Vec<SourceFault>>,
    findings_total: u64,
    ticks: Vec<Decimal>,
}

/// The most findings that a check writes down.
pub(crate) const FINDINGS_MAX: usize = 20;

/// What a format does when the spec says nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Habits {
    pub(crate) order: Order,
    pub(crate) crossed: Crossed,
    pub(crate) zero_size: OnBad,
    pub(crate) unknown_symbols: OnBad,
}

impl Outlet {
    pub(crate) fn new(spec: &SourceSpec, habits: Habits, catalog: &Catalog) -> Self {
        Self {
            ready: Vec::new(),
            held: Vec::new(),
            sort_at: SORT_AT,
            order: spec.order.unwrap_or(habits.order),
            crossed: spec.crossed.unwrap_or(habits.crossed),
            zero_size: spec.zero_size.unwrap_or(habits.zero_size),
            unknown_symbols: spec.unknown_symbols.unwrap_or(habits.unknown_symbols),
            kinds: spec.kinds,
            cut: spec.from.map(|from| Box::new(Cut::new(from, catalog.instruments().len()))),
            to: spec.to.unwrap_or(Timestamp::MAX),
            newest: Timestamp::MIN,
            last: Timestamp::MIN,
            rows_left: spec.rows_max.unwrap_or(u64::MAX),
            past_range: false,
            counts: Counts::default(),
            fit: Fit::new(spec.off_grid),
            spot: Spot::default(),
            findings: None,
            findings_total: 0,
            ticks: catalog.instruments().iter().map(|it| it.tick).collect(),
        }
    }

    /// Writes findings down from now on instead of ending the source.
    pub(crate) fn collect_findings(&mut self) {
        self.findings = Some(Vec::new());
    }

    /// What was found, and how much there was in all.
    pub(crate) fn take_findings(&mut self) -> (Vec<SourceFault>, u64) {
        (self.findings.take().unwrap_or_default(), self.findings_total)
    }

    /// Whether anything was found.
    pub(crate) fn has_found(&self) -> bool {
        self.findings_total > 0
    }

    /// Whether one more row may be read; it is counted.
    #[inline]
    pub(crate) fn take_row(&mut self) -> bool {
        if self.rows_left == 0 || self.past_range {
            return false;
        }
        self.rows_left -= 1;
        self.counts.rows += 1;
        true
    }

    /// Whether nothing more is wanted.
    pub(crate) fn is_satisfied(&self) -> bool {
        self.rows_left == 0 || self.past_range
    }

    /// What there is to say about everything so far.
    pub(crate) fn counts(&self) -> Counts {
        Counts { off_grid: self.fit.skipped, rounded: self.fit.rounded, ..self.counts }
    }

    /// Takes a finding about the current row.
    pub(crate) fn refuse(&mut self, found: SourceFault) -> Result<(), SourceFault> {
        let found = found.at(&self.spot);
        self.findings_total += 1;
        match &mut self.findings {
            None => Err(found),
            Some(findings) => {
                if findings.len() < FINDINGS_MAX {
                    findings.push(found);
                }
                Ok(())
            }
        }
    }

    /// Takes a finding that events tell too, such as a gap: a check writes it down, a run goes on.
    pub(crate) fn note(&mut self, found: SourceFault) {
        if self.findings.is_some() {
            let noted = self.refuse(found);
            debug_assert!(noted.is_ok(), "findings are being collected");
        }
    }

    /// Settles how a row ended: a finding is refused, a row left out is fine.
    #[inline]
    pub(crate) fn settle(&mut self, row: Result<(), Stop>) -> Result<(), SourceFault> {
        match row {
            Ok(()) | Err(Stop::Skip) => Ok(()),
            Err(Stop::Fault(found)) => self.refuse(found),
        }
    }

    /// Decides about a trade of size zero.
    pub(crate) fn zero_size(&mut self) -> Stop {
        match self.zero_size {
            OnBad::Skip => {
                self.counts.zero_size += 1;
                Stop::Skip
            }
            OnBad::Error => fault(
                codes::BAD_SIZE,
                "the size of a trade is zero",
                "remove the row, or set `zero_size` to \"skip\" in the source",
            )
            .into(),
        }
    }

    /// Decides about a row of an instrument that is not ours.
    pub(crate) fn unknown_symbol(&mut self, found: impl FnOnce() -> SourceFault) -> Stop {
        match self.unknown_symbols {
            OnBad::Skip => {
                self.counts.other_symbols += 1;
                Stop::Skip
            }
            OnBad::Error => found().into(),
        }
    }

    /// Gives out an event.
    #[inline]
    pub(crate) fn push(&mut self, mut event: MarketEvent) -> Result<(), SourceFault> {
        if !self.kinds.has(kind_of(&event.data)) {
            return Ok(());
        }
        if let MarketData::Quote(quote) = &mut event.data {
            if quote.is_crossed() {
                self.counts.crossed += 1;
                match self.crossed {
                    Crossed::Keep => {}
                    Crossed::Skip => return Ok(()),
                    Crossed::Error => {
                        let quote = *quote;
                        return self.crossed_quote(&event, quote);
                    }
                }
            }
            // Where there is no quote there is no price either, whatever the file has there.
            if quote.bid_qty.is_zero() {
                quote.bid = Price::ZERO;
            }
            if quote.ask_qty.is_zero() {
                quote.ask = Price::ZERO;
            }
        }
        if event.ts_recv < event.ts_event {
            event.ts_recv = event.ts_event;
            self.counts.early_receipts += 1;
        }
        match self.order {
            Order::Reorder(_) => {
                self.newest = self.newest.max(event.ts_event);
                self.held.push(event);
            }
            _ => {
                if event.ts_event < self.last {
                    if self.order == Order::Error {
                        return self.refuse(backwards(event.ts_event, self.last));
                    }
                    move_up(&mut event, self.last, &mut self.counts);
                }
                self.last = event.ts_event;
                self.give(event);
            }
        }
        Ok(())
    }

    /// Puts in order what waits, if there is enough of it. Call it between messages.
    #[inline]
    pub(crate) fn sort(&mut self) {
        if self.held.len() >= self.sort_at
            && let Order::Reorder(window) = self.order
        {
            self.sort_up_to(self.newest - window);
            self.sort_at = SORT_AT.max(2 * self.held.len());
        }
    }

    /// No more events will come.
    pub(crate) fn finish(&mut self) {
        self.sort_up_to(Timestamp::MAX);
        if let Some(cut) = &mut self.cut {
            // Everything was before the range: there is nothing that a book could be for.
            cut.forget();
        }
    }

    fn sort_up_to(&mut self, limit: Timestamp) {
        // The sort is stable: what happened at the same time stays in the order of the file, so a
        // message is never torn apart. Nearly sorted input costs little more than a walk.
        let mut held = std::mem::take(&mut self.held);
        held.sort_by_key(|event| event.ts_event);
        let cut = held.partition_point(|event| event.ts_event <= limit);
        for event in &mut held[..cut] {
            if event.ts_event < self.last {
                move_up(event, self.last, &mut self.counts);
            }
            self.last = event.ts_event;
            self.give(*event);
        }
        held.drain(..cut);
        self.held = held;
    }

    /// The last step: the range.
    #[inline]
    fn give(&mut self, event: MarketEvent) {
        if event.ts_event >= self.to {
            self.past_range = true;
            self.counts.out_of_range += 1;
            return;
        }
        if let Some(cut) = &mut self.cut {
            if event.ts_event < cut.from {
                cut.absorb(&event);
                self.counts.out_of_range += 1;
                return;
            }
            let mut state = Vec::new();
            cut.snapshot(&mut state);
            self.cut = None;
            for event in state {
                self.count(&event);
                self.ready.push(event);
            }
        }
        self.count(&event);
        self.ready.push(event);
    }

    #[inline]
    fn count(&mut self, event: &MarketEvent) {
        let counts = &mut self.counts;
        match event.data {
            MarketData::Quote(_) => counts.quotes += 1,
            MarketData::Trade(_) => counts.trades += 1,
            MarketData::Depth(depth) => {
                counts.depth += 1;
                counts.gaps += u64::from(depth.change == DepthChange::Gap);
            }
            MarketData::Order(_) => counts.orders += 1,
            MarketData::Bar(_) => counts.bars += 1,
            MarketData::Funding(_) => counts.funding += 1,
            MarketData::Mark(_) => counts.marks += 1,
            MarketData::Status(_) => counts.status += 1,
        }
    }

    #[cold]
    fn crossed_quote(&mut self, event: &MarketEvent, quote: Quote) -> Result<(), SourceFault> {
        let tick = self.ticks.get(event.instrument.index()).copied().unwrap_or(Decimal::ONE);
        let show = |ticks: i64| {
            Decimal::whole(ticks).checked_mul(tick).map_or(String::new(), |value| {
                let value =
                    value.at_scale(tick.scale()).and_then(|n| Decimal::new(n, tick.scale()));
                value.map_or(String::new(), |value| value.to_string())
            })
        };
        self.refuse(fault(
            codes::CROSSED,
            format!(
                "bid {} > ask {} (crossed quote)",
                show(quote.bid.get()),
                show(quote.ask.get())
            ),
            "check which column is which; or set `crossed` to \"skip\" or \"keep\" in the source",
        ))
    }
}

fn move_up(event: &mut MarketEvent, to: Timestamp, counts: &mut Counts) {
    event.ts_event = to;
    event.ts_recv = event.ts_recv.max(to);
    counts.late += 1;
}

#[cold]
fn backwards(this: Timestamp, last: Timestamp) -> SourceFault {
    fault(
        codes::TIME_BACKWARDS,
        format!("{this} is earlier than {last}, the time of a row before it"),
        "sort the rows by time; or set `order` to \"clamp\", or to a time such as \"250ms\", in the source",
    )
}

/// The kind of an event.
pub(crate) fn kind_of(data: &MarketData) -> Kinds {
    match data {
        MarketData::Quote(_) => Kinds::QUOTES,
        MarketData::Trade(_) => Kinds::TRADES,
        MarketData::Depth(_) => Kinds::DEPTH,
        MarketData::Order(_) => Kinds::ORDERS,
        MarketData::Bar(_) => Kinds::BARS,
        MarketData::Funding(_) => Kinds::FUNDING,
        MarketData::Mark(_) => Kinds::MARKS,
        MarketData::Status(_) => Kinds::STATUS,
    }
}
