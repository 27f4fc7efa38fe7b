//! Raw Binance captures against values computed by independent scripts.

use crate::common::{DataFolder, dec, drain, events, one};
use serde_json::Value;
use std::collections::BTreeMap;
use tse_data::binance::{Body, Capture, DepthSync, Verdict};
use tse_data::{BinanceSpec, ClockOffset, DataSource, Format, Kinds, SourceSpec};
use tse_model::{
    Catalog, Decimal, Depth, DepthChange, InstrumentId, Kind, Ladder, MarketData, MarketEvent,
    Quote, Rounding, Side, Source, Span, divide,
};

const MARKETS: [(&str, &str, &str, &str); 5] = [
    ("spot_btcusdt_20240808", "BTC-USDT.BINANCE", "0.01", "0.00000001"),
    ("spot_ethusdt_20240808", "ETH-USDT.BINANCE", "0.01", "0.00000001"),
    ("usdm_btcusdt_20240808", "BTC-USDT-PERP.BINANCE", "0.1", "0.001"),
    ("usdm_ethusdt_20240808", "ETH-USDT-PERP.BINANCE", "0.01", "0.001"),
    ("cm_btcusd_perp_20240808", "BTC-USD-PERP:BTC.BINANCE", "0.1", "1"),
];

struct Market {
    name: &'static str,
    catalog: Catalog,
    id: InstrumentId,
    spec: SourceSpec,
    expected: Value,
}

impl Market {
    fn load(data: &DataFolder, which: usize) -> Self {
        let (name, symbol, tick, lot) = MARKETS[which];
        let kind = match name.split('_').next() {
            Some("spot") => Kind::Spot,
            Some("usdm") => Kind::Perpetual { inverse: false },
            _ => Kind::Perpetual { inverse: true },
        };
        let (catalog, id) = one(symbol, kind, tick, lot);
        let file = data.join(&format!("crypto-ticks/binance-raw/{name}.gz"));
        let format = Format::BinanceRaw(BinanceSpec { clock: ClockOffset::Measured });
        let text = std::fs::read_to_string(data.join(&format!("expected/{name}.json"))).unwrap();
        Self {
            name,
            catalog,
            id,
            spec: SourceSpec::new(format, [file]).of(id),
            expected: serde_json::from_str(&text).unwrap(),
        }
    }

    fn price(&self, ticks: i64) -> Decimal {
        self.catalog.instrument(self.id).price_decimal(tse_model::Price::new(ticks))
    }

    fn qty(&self, lots: i64) -> Decimal {
        self.catalog.instrument(self.id).qty_decimal(tse_model::Qty::new(lots))
    }

    fn agrees(&self, what: &str, found: Decimal, expected: &Value) {
        assert_eq!(found, dec(expected.as_str().unwrap()), "{}: {what}", self.name);
    }

    fn counts(&self, what: &str, found: u64, expected: &Value) {
        assert_eq!(Some(found), expected.as_u64(), "{}: {what}", self.name);
    }
}

fn each_market(test: impl Fn(&Market)) {
    let Some(data) = DataFolder::find("binance captures") else {
        return;
    };
    for which in 0..MARKETS.len() {
        test(&Market::load(&data, which));
    }
}

#[test]
fn trades_have_the_sums_prices_and_minutes_that_were_computed_elsewhere() {
    each_market(|market| {
        let mut spec = market.spec.clone();
        spec.kinds = Kinds::TRADES;
        let trades: Vec<_> = events(&spec, &market.catalog)
            .iter()
            .map(|event| match event.data {
                MarketData::Trade(trade) => (event.ts_event, trade),
                _ => panic!("only trades were asked for"),
            })
            .collect();
        let expected = &market.expected["trades"];
        market.counts("rows", trades.len() as u64, &expected["rows_market"]);
        let qty = |filter: &dyn Fn(Side) -> bool| -> i64 {
            let wanted = trades.iter().filter(|(_, trade)| filter(trade.aggressor.unwrap()));
            wanted.map(|(_, trade)| trade.qty.get()).sum()
        };
        let all = qty(&|_| true);
        market.agrees("sum_qty", market.qty(all), &expected["sum_qty"]);
        let bought = qty(&|side| side == Side::Buy);
        market.agrees("sum_qty_buy", market.qty(bought), &expected["sum_qty_buy"]);
        let value: i128 =
            trades.iter().map(|(_, t)| i128::from(t.price.get()) * i128::from(t.qty.get())).sum();
        let step = market.price(1).checked_mul(market.qty(1)).unwrap();
        let value = Decimal::new(value, 0).unwrap().checked_mul(step).unwrap();
        market.agrees("sum_price_x_qty", value, &expected["sum_price_x_qty"]);
        let scale = 24;
        let vwap = divide(
            value.at_scale(scale).unwrap(),
            market.qty(all).at_scale(scale - 8).unwrap(),
            Rounding::HalfEven,
        );
        market.agrees("vwap", Decimal::new(vwap.unwrap(), 8).unwrap(), &expected["vwap"]);
        let prices = || trades.iter().map(|(_, trade)| trade.price.get());
        market.agrees("min", market.price(prices().min().unwrap()), &expected["min_price"]);
        market.agrees("max", market.price(prices().max().unwrap()), &expected["max_price"]);
        let gaps = trades.windows(2).filter(|pair| pair[1].1.id != pair[0].1.id + 1).count();
        market.counts("id_gaps", gaps as u64, &expected["id_gaps"]);

        let mut minutes: Vec<(i64, [i64; 4], i64, u64)> = Vec::new();
        for (at, trade) in &trades {
            let minute = at.floor(Span::from_secs(60)).nanos() / 1_000_000_000;
            let (price, qty) = (trade.price.get(), trade.qty.get());
            match minutes.last_mut() {
                Some((last, [_, high, low, close], volume, count)) if *last == minute => {
                    (*high, *low, *close) = ((*high).max(price), (*low).min(price), price);
                    *volume += qty;
                    *count += 1;
                }
                _ => minutes.push((minute, [price; 4], qty, 1)),
            }
        }
        let rows = market.expected["ohlcv_1m_by_event_time"].as_array().unwrap();
        assert_eq!(rows.len(), minutes.len(), "{}: minutes", market.name);
        for ((start, prices, volume, count), row) in minutes.iter().zip(rows) {
            assert_eq!(Some(*start), row[0].as_i64());
            for (at, price) in prices.iter().enumerate() {
                market.agrees("ohlc", market.price(*price), &row[at + 1]);
            }
            market.agrees("volume", market.qty(*volume), &row[5]);
            market.counts("trades of a minute", *count, &row[6]);
        }
    });
}

#[test]
fn best_quotes_have_the_counts_and_spreads_that_were_computed_elsewhere() {
    each_market(|market| {
        let mut spec = market.spec.clone();
        spec.kinds = Kinds::QUOTES;
        let quotes: Vec<Quote> = events(&spec, &market.catalog)
            .iter()
            .map(|event| match event.data {
                MarketData::Quote(quote) => quote,
                _ => panic!("only quotes were asked for"),
            })
            .collect();
        let expected = &market.expected["bbo"];
        market.counts("rows", quotes.len() as u64, &expected["rows"]);
        let moved = quotes.windows(2).filter(|q| (q[0].bid, q[0].ask) != (q[1].bid, q[1].ask));
        market.counts("price_changes", moved.count() as u64, &expected["price_changes"]);
        let locked = quotes.iter().filter(|quote| quote.bid >= quote.ask).count();
        market.counts("crossed_or_locked", locked as u64, &expected["crossed_or_locked"]);
        let mut spreads: BTreeMap<i64, u64> = BTreeMap::new();
        for quote in &quotes {
            *spreads.entry((quote.ask - quote.bid).get()).or_default() += 1;
        }
        for (spread, count) in expected["spread_counts_top"].as_object().unwrap() {
            let ticks = dec(spread).steps_of(market.price(1)).unwrap();
            market.counts(spread, spreads[&ticks], count);
        }
        let last = quotes.last().unwrap();
        let found = [
            market.price(last.bid.get()),
            market.qty(last.bid_qty.get()),
            market.price(last.ask.get()),
            market.qty(last.ask_qty.get()),
        ];
        for (at, value) in found.into_iter().enumerate() {
            market.agrees("last", value, &expected["last"][at]);
        }
    });
}

/// The end of a market's book against what was computed elsewhere.
fn agrees_at_the_end(market: &Market, book: &Ladder) {
    let expected = &market.expected["book_replay"];
    let sides = [
        (Side::Buy, "bid_levels", "bid_qty_total", "bids_top10"),
        (Side::Sell, "ask_levels", "ask_qty_total", "asks_top10"),
    ];
    for (side, levels, total, top) in sides {
        market.counts(levels, book.levels(side).len() as u64, &expected[levels]);
        let sum: i64 = book.levels(side).map(|level| level.qty.get()).sum();
        market.agrees(total, market.qty(sum), &expected[total]);
        for (level, row) in book.levels(side).zip(expected[top].as_array().unwrap()) {
            market.agrees(top, market.price(level.price.get()), &row[0]);
            market.agrees(top, market.qty(level.qty.get()), &row[1]);
        }
    }
}

#[test]
fn the_replayed_book_equals_every_best_quote_of_the_same_update() {
    each_market(|market| {
        let expected = &market.expected["book_replay"];
        let mut capture = Capture::open(&market.spec, &market.catalog).unwrap();
        let mut messages: BTreeMap<&str, u64> = BTreeMap::new();
        let (mut recv_first, mut recv_last) = (None, 0);
        let (mut sync, mut book) = (DepthSync::default(), Ladder::new());
        let mut kept = Vec::new();
        let (mut applied, mut first_applied, mut gaps, mut crossed) = (0, None, 0, 0);
        // Quotes and diffs come through each other: compare whichever comes second.
        let mut tops: BTreeMap<u64, Quote> = BTreeMap::new();
        let mut quotes = BTreeMap::new();
        while let Some(message) = capture.next().unwrap() {
            recv_first.get_or_insert(message.recv);
            recv_last = message.recv;
            let name = match message.body {
                Body::Trade { market: true, .. } => "trade",
                Body::Quote { update_id, quote } => {
                    quotes.insert(update_id, quote);
                    "bookTicker"
                }
                Body::Diff(ids) => {
                    kept.push((ids, capture.levels().to_vec()));
                    "depth"
                }
                Body::Snapshot { last_id } => {
                    market.counts("snapshot", last_id, &expected["snapshot_last_update_id"]);
                    assert!(sync.snapshot(last_id));
                    book.clear();
                    for (side, price, qty) in capture.levels() {
                        book.set(*side, *price, *qty);
                    }
                    "rest_snapshot"
                }
                other => panic!("{other:?}"),
            };
            *messages.entry(name).or_default() += 1;
            if sync == DepthSync::Waiting {
                continue;
            }
            for (ids, levels) in kept.drain(..) {
                match sync.diff(&ids) {
                    Verdict::Apply => {}
                    Verdict::Stale => continue,
                    Verdict::Gap | Verdict::Keep => {
                        gaps += 1;
                        continue;
                    }
                }
                for (side, price, qty) in levels {
                    book.set(side, price, qty);
                }
                applied += 1;
                first_applied.get_or_insert((ids.first, ids.last));
                crossed += u64::from(book.is_crossed());
                tops.insert(ids.last, book.quote());
            }
        }
        for (name, count) in market.expected["messages"].as_object().unwrap() {
            market.counts(name, messages[name.as_str()], count);
        }
        assert_eq!(recv_first, market.expected["first_recv_ns"].as_i64());
        assert_eq!(Some(recv_last), market.expected["last_recv_ns"].as_i64());
        market.counts("deltas_total", messages["depth"], &expected["deltas_total"]);
        market.counts("deltas_applied", applied, &expected["deltas_applied"]);
        let first = &expected["first_applied"];
        assert_eq!(first_applied.map(|(first, _)| first), first[0].as_u64());
        assert_eq!(first_applied.map(|(_, last)| last), first[1].as_u64());
        market.counts("sequence_gaps", gaps, &expected["sequence_gaps"]);
        market.counts("crossed_after_delta", crossed, &expected["crossed_after_delta"]);
        let DepthSync::Live(last) = sync else { panic!("{sync:?}") };
        market.counts("last_update_id", last, &expected["last_update_id"]);
        let same: Vec<_> =
            tops.iter().filter_map(|(id, top)| Some((top, quotes.get(id)?))).collect();
        let (equal, unequal): (Vec<_>, Vec<_>) =
            same.into_iter().partition(|(top, quote)| top == quote);
        let expected = &expected["bbo_same_update_id"];
        market.counts("match", equal.len() as u64, &expected["match"]);
        market.counts("differ", unequal.len() as u64, &expected["differ"]);
        agrees_at_the_end(market, &book);
    });
}

#[test]
fn the_source_gives_the_same_book_in_order_of_time() {
    each_market(|market| {
        let mut spec = market.spec.clone();
        spec.kinds = Kinds::DEPTH;
        let all = events(&spec, &market.catalog);
        let mut book = Ladder::new();
        let mut crossed = 0;
        for event in &all {
            let MarketData::Depth(depth) = event.data else { panic!("only depth") };
            book.apply(depth);
            if depth.last {
                crossed += u64::from(book.is_crossed());
                assert!(book.is_valid());
            }
        }
        assert_eq!(crossed, 0);
        assert!(matches!(
            all[0].data,
            MarketData::Depth(Depth { change: DepthChange::Clear, last: false })
        ));
        agrees_at_the_end(market, &book);
    });
}

#[test]
fn nothing_is_lost_and_nothing_is_late_when_streams_are_put_in_order() {
    each_market(|market| {
        let mut source = DataSource::open(&market.spec, &market.catalog).unwrap();
        let all = drain(&mut source);
        assert!(all.is_sorted_by_key(|event| event.ts_event));
        let counts = source.counts();
        let expected = &market.expected;
        market.counts("trades", counts.trades, &expected["trades"]["rows"]);
        market.counts("quotes", counts.quotes, &expected["bbo"]["rows"]);
        let messages: u64 =
            expected["messages"].as_object().unwrap().values().filter_map(Value::as_u64).sum();
        assert_eq!(counts.rows, messages);
        let stale = expected["book_replay"]["deltas_total"].as_u64().unwrap()
            - expected["book_replay"]["deltas_applied"].as_u64().unwrap();
        assert_eq!(counts.before_snapshot, stale);
        assert_eq!((counts.gaps, counts.not_market, counts.other_messages), (0, 0, 0));
        assert_eq!((counts.crossed, counts.off_grid, counts.rounded), (0, 0, 0));
        // The measured clock lets nothing arrive before it happened, for the messages measured.
        let given = counts.trades + counts.quotes + counts.depth;
        assert!(counts.early_receipts * 50 < given, "{}: {counts:#?}", market.name);
        assert_eq!(source.progress(), Some(1_000_000));
        messages_stay_whole(&all);
    });
}

/// The steps of a message stand together, whatever arrives at the same time.
fn messages_stay_whole(all: &[MarketEvent]) {
    for pair in all.windows(2) {
        if let MarketData::Depth(Depth { last: false, .. }) = pair[0].data {
            assert!(matches!(pair[1].data, MarketData::Depth(_)));
            assert_eq!(pair[0].ts_event, pair[1].ts_event);
        }
    }
}
