//! Bars built from what the market shows.
//!
//! A bar covers the stretch after its start up to and including its end: a price stamped exactly at
//! the end belongs to it. So the engine closes a bar by a timer at its end that runs after all data of
//! that moment, and never waits for the first price of the next.

use tse_model::{Bar, InstrumentId, Price, Qty, Quote, Span, Timestamp, Trade};

/// Which price a bar is made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PriceOf {
    /// Best bids.
    Bid,
    /// Best asks.
    Ask,
    /// Halfway between, rounded down to a tick.
    Mid,
    /// Trades.
    Trade,
}

/// What to do about a stretch without any price.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EmptyBars {
    /// No bar.
    Skip,
    /// A bar of the last close.
    Repeat,
}

/// Bars that a strategy asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BarSpec {
    /// Of which market.
    pub instrument: InstrumentId,
    /// How long each is; ends fall on multiples of it since the epoch.
    pub span: Span,
    /// Made of which price.
    pub price: PriceOf,
    /// What to do without one.
    pub empty: EmptyBars,
}

/// Builds the bars of one [`BarSpec`].
#[derive(Clone, Debug)]
pub struct BarBuilder {
    spec: BarSpec,
    bar: Option<Bar>,
    last: Option<Price>,
    end: Option<Timestamp>,
}

tse_model::kept_fields! {
    BarBuilder { saved: bar, last, end; built: spec }
}

impl BarBuilder {
    /// A builder that has seen nothing.
    pub fn new(spec: BarSpec) -> Self {
        Self { spec, bar: None, last: None, end: None }
    }

    /// What it builds.
    pub fn spec(&self) -> &BarSpec {
        &self.spec
    }

    /// When the current bar ends: the builder wants [`close`](Self::close) then.
    pub fn end(&self) -> Option<Timestamp> {
        self.end
    }

    /// Takes a quote at `now`.
    pub fn quote(&mut self, now: Timestamp, quote: &Quote) {
        let price = match self.spec.price {
            PriceOf::Bid => quote.bid_qty.is_positive().then_some(quote.bid),
            PriceOf::Ask => quote.ask_qty.is_positive().then_some(quote.ask),
            PriceOf::Mid => quote.twice_mid().map(|twice| Price::new(twice.div_euclid(2))),
            PriceOf::Trade => None,
        };
        if let Some(price) = price {
            self.take(now, price, Qty::ZERO);
        }
    }

    /// Takes a trade at `now`.
    pub fn trade(&mut self, now: Timestamp, trade: &Trade) {
        if self.spec.price == PriceOf::Trade {
            self.take(now, trade.price, trade.qty);
        }
    }

    fn take(&mut self, now: Timestamp, price: Price, qty: Qty) {
        self.last = Some(price);
        match &mut self.bar {
            Some(bar) => {
                bar.high = bar.high.max(price);
                bar.low = bar.low.min(price);
                bar.close = price;
                bar.volume = bar.volume.saturating_add(qty);
            }
            None => {
                let span = self.spec.span;
                self.bar = Some(Bar {
                    open: price,
                    high: price,
                    low: price,
                    close: price,
                    volume: qty,
                    span,
                });
                if self.end.is_none() {
                    let floor = now.floor(span);
                    self.end = Some(if floor == now { now } else { floor + span });
                }
            }
        }
    }

    /// Ends the current bar: to be called when the clock reaches [`end`](Self::end), after all data
    /// of that moment.
    pub fn close(&mut self) -> Option<Bar> {
        let end = self.end?;
        let bar = self.bar.take().or_else(|| {
            let price = self.last.filter(|_| self.spec.empty == EmptyBars::Repeat)?;
            let span = self.spec.span;
            Some(Bar {
                open: price,
                high: price,
                low: price,
                close: price,
                volume: Qty::ZERO,
                span,
            })
        });
        // Without repeats the clock rests until a price comes, however long the night.
        self.end = (bar.is_some()).then(|| end + self.spec.span);
        bar
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quote(bid: i64) -> Quote {
        Quote {
            bid: Price::new(bid),
            bid_qty: Qty::new(1),
            ask: Price::new(bid + 1),
            ask_qty: Qty::new(1),
        }
    }

    fn builder(empty: EmptyBars) -> BarBuilder {
        BarBuilder::new(BarSpec {
            instrument: InstrumentId(0),
            span: Span::from_secs(60),
            price: PriceOf::Bid,
            empty,
        })
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_nanos(millis * 1_000_000)
    }

    fn prices(bar: Bar) -> [i64; 4] {
        [bar.open, bar.high, bar.low, bar.close].map(Price::get)
    }

    #[test]
    fn a_quote_stamped_at_the_end_belongs_to_the_bar_that_ends() {
        let mut builder = builder(EmptyBars::Skip);
        for (ms, bid) in [(59_700, 5), (59_800, 9), (59_900, 3), (60_000, 7)] {
            builder.quote(at(ms), &quote(bid));
        }
        assert_eq!(builder.end(), Some(at(60_000)));
        assert_eq!(prices(builder.close().unwrap()), [5, 9, 3, 7]);
        assert_eq!(builder.end(), Some(at(120_000)));
    }

    #[test]
    fn a_quote_just_after_the_end_opens_the_next() {
        let mut builder = builder(EmptyBars::Skip);
        builder.quote(at(60_000), &quote(1));
        assert_eq!(builder.end(), Some(at(60_000)));
        builder.close();
        builder.quote(at(60_001), &quote(2));
        assert_eq!(builder.end(), Some(at(120_000)));
        assert_eq!(prices(builder.close().unwrap()), [2, 2, 2, 2]);
    }

    #[test]
    fn an_empty_stretch_gives_no_bar_or_the_last_close_as_asked() {
        let mut skip = builder(EmptyBars::Skip);
        skip.quote(at(1), &quote(4));
        skip.close();
        assert_eq!(skip.close(), None);
        assert_eq!(skip.end(), None, "no timer without prices");
        let mut repeat = builder(EmptyBars::Repeat);
        repeat.quote(at(1), &quote(4));
        repeat.close();
        assert_eq!(prices(repeat.close().unwrap()), [4; 4]);
    }
}
