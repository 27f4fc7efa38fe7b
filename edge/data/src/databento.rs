//! Databento binary encoding (DBN), versions 1 to 3, plain or compressed.
//!
//! In go records of any schema; out come order-by-order records (`mbo`), quotes (`mbp-1`, `tbbo`,
//! `bbo-*`), depth (`mbp-10`: a book of ten levels, changed by what differs), trades, bars
//! (`ohlcv-*`, news at their end) and market states. Definitions, statistics and other records that
//! trade nothing are counted and left out.
//!
//! Prices come in billionths and go to ticks exactly. A record of a snapshot carries the time when
//! its order was placed, which may be days ago; it is news when the snapshot was taken, so that is
//! its time here. A record without a time has that of its receipt.

use crate::codes;
use crate::fault::{Faulty, fault};
use crate::grid::{Measure, Number, Stop};
use crate::input::{Progress, Spot, Wrapping, open_bytes, unpack_fault};
use crate::outlet::Outlet;
use crate::source::Reader;
use crate::spec::{DatabentoSpec, SourceSpec};
use crate::translate::{FLAG_LAST, FLAG_SNAPSHOT, NO_PRICE};
use crate::who::Who;
use dbn::decode::{DbnDecoder, DbnMetadata};
use dbn::enums::rtype;
use dbn::{HasRType, Record, RecordRef, TsSymbolMap, VersionUpgradePolicy};
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use tse_model::{
    Bar, BookAction, BookOrder, Catalog, Depth, DepthChange, InstrumentId, MarketData, MarketEvent,
    Price, Qty, Quote, Side, SourceFault, Span, Timestamp, Trade, TradingStatus,
};

/// What the decoder does not tell: it takes a cut file for one that ends.
#[derive(Default)]
struct Watch {
    bytes: u64,
    head: Vec<u8>,
    error: Option<io::Error>,
}

/// A reader that remembers how much it gave and how it ended.
struct Watched {
    inner: Box<dyn Read + Send>,
    watch: Arc<Mutex<Watch>>,
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let result = self.inner.read(buffer);
        let mut watch = self.watch.lock().expect("nobody panics while holding it");
        match result {
            Ok(count) => {
                let missing = 8usize.saturating_sub(watch.head.len()).min(count);
                watch.head.extend_from_slice(&buffer[..missing]);
                watch.bytes += count as u64;
                Ok(count)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => {
                watch.error = Some(error);
                Err(io::Error::other("the bytes end badly"))
            }
        }
    }
}

/// A file being read.
struct File {
    decoder: DbnDecoder<Watched>,
    watch: Arc<Mutex<Watch>>,
    wrapping: Wrapping,
    symbols: TsSymbolMap,
    /// Bytes of metadata and of the records seen.
    consumed: u64,
}

/// Ten bids and asks as they stood, to tell what changed.
type Levels = [Vec<(Price, Qty)>; 2];

/// Reads DBN files.
pub(crate) struct DatabentoReader {
    paths: std::vec::IntoIter<PathBuf>,
    progress: Progress,
    file: Option<File>,
    who: Who,
    measures: Vec<Measure>,
    only: Option<u32>,
    /// The number of the one instrument, where the source is of one.
    number: Option<u32>,
    /// The instrument that was asked for last.
    last: Option<(u32, InstrumentId)>,
    levels: Vec<Option<Levels>>,
}

impl DatabentoReader {
    pub(crate) fn new(spec: &SourceSpec, databento: &DatabentoSpec, catalog: &Catalog) -> Self {
        Self {
            paths: spec.paths.clone().into_iter(),
            progress: Progress::of(&spec.paths),
            file: None,
            who: Who::new(spec, catalog),
            measures: Measure::all(catalog),
            only: databento.instrument_id,
            number: databento.instrument_id,
            last: None,
            levels: vec![None; catalog.instruments().len()],
        }
    }

    fn next_file(&mut self, out: &mut Outlet) -> Result<bool, SourceFault> {
        let Some(path) = self.paths.next() else {
            return Ok(false);
        };
        let name: Arc<str> = path.display().to_string().into();
        out.spot = Spot { file: name, number: 0, unit: "record" };
        self.last = None;
        let (inner, wrapping) = open_bytes(&path, None, &self.progress)?;
        let watch = Arc::<Mutex<Watch>>::default();
        let watched = Watched { inner, watch: watch.clone() };
        let decoder =
            guarded(|| DbnDecoder::with_upgrade_policy(watched, VersionUpgradePolicy::AsIs));
        let mut seen = watch.lock().expect("nobody panics while holding it");
        let decoder = match (decoder, seen.error.take()) {
            (Ok(decoder), _) => decoder,
            (Err(_), Some(error)) => return Err(unpack_fault(&error, wrapping)),
            (Err(_), None) if seen.bytes == 0 => return Err(crate::csv::empty()),
            (Err(error), None) if seen.head.starts_with(b"DBN") => {
                return Err(fault(
                    codes::BAD_RECORD,
                    "the metadata of the file cannot be read",
                    "fetch the file again; versions 1 to 3 of DBN can be read",
                )
                .why(error));
            }
            (Err(_), None) => {
                return Err(fault(
                    codes::WRONG_FORMAT,
                    "this is not Databento DBN: it does not begin with `DBN`",
                    "set the source's `format` to what the file is",
                ));
            }
        };
        let length: [u8; 4] = seen.head[4..8].try_into().expect("eight bytes of prefix were read");
        let consumed = 8 + u64::from(u32::from_le_bytes(length));
        drop(seen);
        // Files of a single day of raw ids need no symbols, so a map that fails is an empty one.
        let symbols = decoder.metadata().symbol_map().unwrap_or_default();
        self.file = Some(File { decoder, watch, wrapping, symbols, consumed });
        Ok(true)
    }

    /// Reads a record. False at the end of the last file.
    fn record(&mut self, out: &mut Outlet) -> Result<bool, SourceFault> {
        let Some(file) = &mut self.file else {
            return self.next_file(out);
        };
        out.spot.number += 1;
        let record = match guarded(|| file.decoder.decode_ref()) {
            Ok(Some(record)) => record,
            end => {
                let failed = end.err();
                let mut watch = file.watch.lock().expect("nobody panics while holding it");
                if let Some(error) = watch.error.take() {
                    return Err(unpack_fault(&error, file.wrapping));
                }
                if let Some(error) = failed {
                    let fix = "fetch the file again";
                    return Err(
                        fault(codes::BAD_RECORD, "the record cannot be read", fix).why(error)
                    );
                }
                if watch.bytes != file.consumed {
                    return Err(fault(
                        codes::CUT_OFF,
                        "the file is cut off: its last record has no end",
                        "fetch or write the file again",
                    ));
                }
                drop(watch);
                self.file = None;
                out.spot.number = 0;
                return Ok(true);
            }
        };
        file.consumed += record.record_size() as u64;
        out.take_row();
        let id = record.header().instrument_id;
        let instrument = match self.last {
            Some((last, instrument)) if last == id => Ok(instrument),
            _ => identify(&mut self.who, self.only, &mut self.number, &file.symbols, &record, out),
        };
        let done = instrument.and_then(|instrument| {
            // Symbols change meaning at midnight only; looking again once a file is enough for
            // files of a day, and a file of more days names its days in its symbol map.
            self.last = file.symbols.is_empty().then_some((id, instrument));
            let measure = &self.measures[instrument.index()];
            translate(&record, instrument, measure, &mut self.levels[instrument.index()], out)
        });
        out.settle(done)?;
        Ok(true)
    }
}

impl Reader for DatabentoReader {
    fn read(&mut self, out: &mut Outlet) -> Result<bool, SourceFault> {
        for _ in 0..1_024 {
            if out.is_satisfied() || !self.record(out)? {
                return Ok(false);
            }
        }
        out.sort();
        Ok(true)
    }

    fn progress(&self) -> Option<u32> {
        self.progress.millionths()
    }
}

/// The result of a step of decoding, or why there is none. The library asserts where it could
/// answer: on damaged files it may panic, which here is one more way of saying that they are.
fn guarded<T>(step: impl FnOnce() -> dbn::Result<T>) -> Result<T, String> {
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(step)) {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(_) => Err("the bytes make no sense".to_owned()),
    }
}

/// Whose record it is.
fn identify(
    who: &mut Who,
    only: Option<u32>,
    number: &mut Option<u32>,
    symbols: &TsSymbolMap,
    record: &RecordRef<'_>,
    out: &mut Outlet,
) -> Result<InstrumentId, Stop> {
    let id = record.header().instrument_id;
    if only.is_some_and(|only| only != id) {
        out.counts.other_symbols += 1;
        return Err(Stop::Skip);
    }
    if let Some(instrument) = who.only {
        // The source is of one instrument, so the file must be too.
        let first = *number.get_or_insert(id);
        if first == id {
            return Ok(instrument);
        }
        return Err(out.unknown_symbol(|| {
            fault(
                codes::UNKNOWN_SYMBOL,
                format!("the record is of number {id}, and those before it of {first}"),
                format!("choose one: instrument_id = {first}; or map both in `symbols`"),
            )
        }));
    }
    let text = id.to_string();
    if who.knows(text.as_bytes()) {
        return who.named(text.as_bytes(), out);
    }
    match symbols.get_for_ts(record.header().ts_event, id) {
        Some(symbol) => who.named(symbol.as_bytes(), out),
        None => who.named(text.as_bytes(), out),
    }
}

/// A moment, if there is one.
fn moment(nanos: u64) -> Option<Timestamp> {
    i64::try_from(nanos).ok().filter(|nanos| *nanos > 0).map(Timestamp::from_nanos)
}

fn side_of(letter: std::ffi::c_char) -> Option<Side> {
    match letter as u8 {
        b'B' => Some(Side::Buy),
        b'A' => Some(Side::Sell),
        _ => None,
    }
}

/// Billionths as a number.
fn number(price: i64) -> Result<Number, Stop> {
    if price == NO_PRICE {
        return Err(fault(codes::BAD_RECORD, "the record has no price", "remove it").into());
    }
    Number::whole(price).shifted(9).ok_or(Stop::Skip)
}

/// The record as one of its kind, if it is one. The decoder believes what a record says of its kind
/// and of its length; here both must fit.
fn of<'a, T>(record: &RecordRef<'a>) -> Result<Option<&'a T>, Stop>
where
    T: HasRType<Header = dbn::RecordHeader>,
{
    if !record.has::<T>() {
        return Ok(None);
    }
    if record.record_size() < size_of::<T>() {
        let what = "the record is shorter than its kind";
        return Err(fault(codes::BAD_RECORD, what, "fetch the file again").into());
    }
    Ok(record.get::<T>())
}

fn translate(
    record: &RecordRef<'_>,
    instrument: InstrumentId,
    measure: &Measure,
    levels: &mut Option<Levels>,
    out: &mut Outlet,
) -> Result<(), Stop> {
    let happened = moment(record.header().ts_event);
    let event = |recv: u64, data| -> Result<MarketEvent, Stop> {
        let recv = moment(recv);
        let ts_event = happened.or(recv).ok_or_else(|| {
            fault(codes::BAD_TIME, "the record has no time", "remove it, or fetch the file again")
        })?;
        Ok(MarketEvent { ts_event, ts_recv: recv.unwrap_or(ts_event), instrument, data })
    };
    if let Some(mbo) = of::<dbn::MboMsg>(record)? {
        let Some(order) = book_order(mbo, measure, out)? else {
            return Ok(());
        };
        let mut event = event(mbo.ts_recv, MarketData::Order(order))?;
        if mbo.flags.raw() & FLAG_SNAPSHOT != 0 {
            event.ts_event = event.ts_recv;
        }
        return Ok(out.push(event)?);
    }
    if let Some(trade) = of::<dbn::TradeMsg>(record)? {
        let data = trade_of(trade.price, trade.size, trade.side, trade.sequence, measure, out)?;
        return Ok(out.push(event(trade.ts_recv, data)?)?);
    }
    if let Some(mbp) = of::<dbn::Mbp1Msg>(record)? {
        // The levels of a trade are those that it met: the quote stood first.
        let quote = quote_of(&mbp.levels[0], measure, out)?;
        out.push(event(mbp.ts_recv, MarketData::Quote(quote))?)?;
        if mbp.action as u8 == b'T' {
            let data = trade_of(mbp.price, mbp.size, mbp.side, mbp.sequence, measure, out)?;
            out.push(event(mbp.ts_recv, data)?)?;
        }
        return Ok(());
    }
    if let Some(bbo) = of::<dbn::BboMsg>(record)? {
        // Its time of event is that of the last trade; the quote is of the end of the interval.
        let quote = quote_of(&bbo.levels[0], measure, out)?;
        let at = moment(bbo.ts_recv).or(happened).ok_or(Stop::Skip)?;
        let data = MarketData::Quote(quote);
        return Ok(out.push(MarketEvent { ts_event: at, ts_recv: at, instrument, data })?);
    }
    if let Some(mbp) = of::<dbn::Mbp10Msg>(record)? {
        if mbp.action as u8 == b'T' {
            let data = trade_of(mbp.price, mbp.size, mbp.side, mbp.sequence, measure, out)?;
            out.push(event(mbp.ts_recv, data)?)?;
        }
        let now = ten_levels(mbp, measure, out)?;
        let changes = changes(levels.as_ref(), &now);
        *levels = Some(now);
        let end = changes.len().saturating_sub(1);
        for (at, change) in changes.into_iter().enumerate() {
            let data = MarketData::Depth(Depth { change, last: at == end });
            out.push(event(mbp.ts_recv, data)?)?;
        }
        return Ok(());
    }
    if let Some(bar) = of::<dbn::OhlcvMsg>(record)? {
        return ohlcv(record, bar, instrument, measure, out);
    }
    if let Some(status) = of::<dbn::StatusMsg>(record)? {
        let data = match (status.is_trading as u8, status.action) {
            (b'Y', _) => MarketData::Status(TradingStatus::Open),
            // 12, 13 and 15: close, post-close, not available.
            (b'N', 12 | 13 | 15) => MarketData::Status(TradingStatus::Closed),
            (b'N', _) => MarketData::Status(TradingStatus::Halted),
            _ => return Ok(()),
        };
        return Ok(out.push(event(status.ts_recv, data)?)?);
    }
    out.counts.other_messages += 1;
    Ok(())
}

fn book_order(
    mbo: &dbn::MboMsg,
    measure: &Measure,
    out: &mut Outlet,
) -> Result<Option<BookOrder>, Stop> {
    let action = match mbo.action as u8 {
        b'A' => BookAction::Add,
        b'C' => BookAction::Cancel,
        b'M' => BookAction::Modify,
        b'R' => BookAction::Clear,
        b'T' => BookAction::Trade,
        b'F' => BookAction::Fill,
        _ => return Ok(None),
    };
    let (mut price, mut qty) = (Price::ZERO, Qty::ZERO);
    if action != BookAction::Clear {
        price = out.fit.price(measure, "price", number(mbo.price)?)?;
        qty = out.fit.size(measure, "size", Number::whole(mbo.size.into()))?;
    }
    Ok(Some(BookOrder {
        action,
        side: side_of(mbo.side),
        order: mbo.order_id,
        price,
        qty,
        last: mbo.flags.raw() & FLAG_LAST != 0,
    }))
}

fn trade_of(
    price: i64,
    size: u32,
    side: std::ffi::c_char,
    sequence: u32,
    measure: &Measure,
    out: &mut Outlet,
) -> Result<MarketData, Stop> {
    let price = out.fit.price(measure, "price", number(price)?)?;
    let qty = out.fit.size(measure, "size", Number::whole(size.into()))?;
    if qty.is_zero() {
        return Err(out.zero_size());
    }
    let id = u64::from(sequence);
    Ok(MarketData::Trade(Trade { price, qty, aggressor: side_of(side), id }))
}

/// One side of a level, or nothing.
fn level(
    price: i64,
    size: u32,
    measure: &Measure,
    out: &mut Outlet,
) -> Result<Option<(Price, Qty)>, Stop> {
    if price == NO_PRICE || size == 0 {
        return Ok(None);
    }
    let price = out.fit.price(measure, "price", number(price)?)?;
    let qty = out.fit.size(measure, "size", Number::whole(size.into()))?;
    Ok(Some((price, qty)))
}

fn quote_of(pair: &dbn::BidAskPair, measure: &Measure, out: &mut Outlet) -> Result<Quote, Stop> {
    let none = (Price::ZERO, Qty::ZERO);
    let (bid, bid_qty) = level(pair.bid_px, pair.bid_sz, measure, out)?.unwrap_or(none);
    let (ask, ask_qty) = level(pair.ask_px, pair.ask_sz, measure, out)?.unwrap_or(none);
    Ok(Quote { bid, bid_qty, ask, ask_qty })
}

fn ten_levels(mbp: &dbn::Mbp10Msg, measure: &Measure, out: &mut Outlet) -> Result<Levels, Stop> {
    let mut levels = Levels::default();
    for pair in &mbp.levels {
        levels[0].extend(level(pair.bid_px, pair.bid_sz, measure, out)?);
        levels[1].extend(level(pair.ask_px, pair.ask_sz, measure, out)?);
    }
    Ok(levels)
}

/// The steps from one book of ten levels to the next.
fn changes(before: Option<&Levels>, now: &Levels) -> Vec<DepthChange> {
    let mut changes = Vec::new();
    if before.is_none() {
        changes.push(DepthChange::Clear);
    }
    for side in Side::BOTH {
        let new = &now[side.index()];
        let old = before.map_or(&[][..], |before| &before[side.index()]);
        for (price, _) in old {
            if !new.iter().any(|(still, _)| still == price) {
                changes.push(DepthChange::Set { side, price: *price, qty: Qty::ZERO });
            }
        }
        for level @ (price, qty) in new {
            if !old.contains(level) {
                changes.push(DepthChange::Set { side, price: *price, qty: *qty });
            }
        }
    }
    changes
}

fn ohlcv(
    record: &RecordRef<'_>,
    bar: &dbn::OhlcvMsg,
    instrument: InstrumentId,
    measure: &Measure,
    out: &mut Outlet,
) -> Result<(), Stop> {
    let seconds = match record.header().rtype {
        rtype::OHLCV_1S => 1,
        rtype::OHLCV_1M => 60,
        rtype::OHLCV_1H => 3_600,
        rtype::OHLCV_1D => 86_400,
        _ => {
            out.counts.other_messages += 1;
            return Err(Stop::Skip);
        }
    };
    let span = Span::from_secs(seconds);
    let mut price = |name, price| out.fit.price(measure, name, number(price)?);
    let (open, high) = (price("open", bar.open)?, price("high", bar.high)?);
    let (low, close) = (price("low", bar.low)?, price("close", bar.close)?);
    if high < open.max(close) || low > open.min(close) {
        let what = "open or close of the bar lie outside of its low and high";
        return Err(fault(codes::BAD_BAR, what, "fetch the file again").into());
    }
    let volume = i64::try_from(bar.volume).map_or(Number::whole(i64::MAX), Number::whole);
    let volume = out.fit.size(measure, "volume", volume)?;
    let begun = moment(record.header().ts_event).ok_or_else(|| {
        fault(codes::BAD_TIME, "the record has no time", "remove it, or fetch the file again")
    })?;
    let at = begun + span;
    let data = MarketData::Bar(Bar { open, high, low, close, volume, span });
    Ok(out.push(MarketEvent { ts_event: at, ts_recv: at, instrument, data })?)
}
