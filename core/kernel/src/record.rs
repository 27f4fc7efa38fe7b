//! Inputs and requests as bytes: what a journal keeps of an engine.
//!
//! Little-endian, fields in the order of their types, a tag before what may be one thing or another.
//! Every value of an [`Input`] comes back as it was; bytes that are no input are refused and never
//! guessed at. A change to these bytes is a new [`VERSION`]. `docs/journal-format.md` lists them.

use crate::message::{Command, Input};
use tse_model::{
    AccountEvent, AccountEventKind, Bar, BookAction, BookOrder, CancelOrder, CancelReason,
    ClientOrderId, CurrencyId, Depth, DepthChange, ExecId, ExecutionRow, Fill, GroupId,
    InstrumentId, Line, Liquidity, MarketData, MarketEvent, ModifyOrder, Money, OrderEvent,
    OrderEventKind, OrderRow, OrderType, PlaceOrder, Price, Qty, Quote, Rate, RejectReason,
    Request, Side, Span, Standing, Statement, StrategyId, TimeInForce, Timestamp, Trade,
    TradingStatus, VenueId, VenueOrderId,
};

/// The version of these bytes.
pub const VERSION: u16 = 1;

/// Something that goes into bytes and comes back.
trait Recorded: Sized {
    fn write(&self, out: &mut Vec<u8>);
    /// Takes itself from the beginning of `bytes`; `None` if it is not there.
    fn read(bytes: &mut &[u8]) -> Option<Self>;
}

macro_rules! whole_numbers {
    ($($type:ty),*) => {$(
        impl Recorded for $type {
            fn write(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }
            fn read(bytes: &mut &[u8]) -> Option<Self> {
                let (number, rest) = bytes.split_first_chunk()?;
                *bytes = rest;
                Some(Self::from_le_bytes(*number))
            }
        }
    )*};
}
whole_numbers!(u8, u16, u32, u64, i64, i128);

/// What is one number in another coat.
macro_rules! coats {
    ($($type:ident: $number:ty, $into:expr, $from:expr;)*) => {$(
        impl Recorded for $type {
            fn write(&self, out: &mut Vec<u8>) {
                let into: fn(&$type) -> $number = $into;
                into(self).write(out);
            }
            fn read(bytes: &mut &[u8]) -> Option<Self> {
                let from: fn($number) -> $type = $from;
                <$number>::read(bytes).map(from)
            }
        }
    )*};
}
coats! {
    Price: i64, |it| it.get(), Price::new;
    Qty: i64, |it| it.get(), Qty::new;
    Span: i64, |it| it.nanos(), Span::from_nanos;
    Timestamp: i64, |it| it.nanos(), Timestamp::from_nanos;
    Rate: i64, |it| it.billionths(), Rate::from_billionths;
    Money: i128, |it| it.units(), Money::from_units;
    CurrencyId: u16, |it| it.0, CurrencyId;
    VenueId: u16, |it| it.0, VenueId;
    StrategyId: u16, |it| it.0, StrategyId;
    InstrumentId: u32, |it| it.0, InstrumentId;
    GroupId: u32, |it| it.0, GroupId;
    ClientOrderId: u64, |it| it.0, ClientOrderId;
    VenueOrderId: u64, |it| it.0, VenueOrderId;
    ExecId: u64, |it| it.0, ExecId;
}

impl Recorded for bool {
    fn write(&self, out: &mut Vec<u8>) {
        u8::from(*self).write(out);
    }
    fn read(bytes: &mut &[u8]) -> Option<Self> {
        match u8::read(bytes)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

impl<T: Recorded> Recorded for Option<T> {
    fn write(&self, out: &mut Vec<u8>) {
        self.is_some().write(out);
        if let Some(value) = self {
            value.write(out);
        }
    }
    fn read(bytes: &mut &[u8]) -> Option<Self> {
        if bool::read(bytes)? { T::read(bytes).map(Some) } else { Some(None) }
    }
}

/// What is one of several words: each has its number for ever.
macro_rules! words {
    ($($type:ident { $($number:literal => $word:ident),* $(,)? })*) => {$(
        impl Recorded for $type {
            fn write(&self, out: &mut Vec<u8>) {
                let number: u8 = match self { $(Self::$word => $number),* };
                number.write(out);
            }
            fn read(bytes: &mut &[u8]) -> Option<Self> {
                match u8::read(bytes)? {
                    $($number => Some(Self::$word),)*
                    _ => None,
                }
            }
        }
    )*};
}
words! {
    Side { 1 => Buy, 2 => Sell }
    Liquidity { 1 => Maker, 2 => Taker }
    TradingStatus { 1 => Open, 2 => Halted, 3 => Closed }
    BookAction { 1 => Add, 2 => Cancel, 3 => Modify, 4 => Clear, 5 => Trade, 6 => Fill }
    CancelReason { 1 => Requested, 2 => Unfilled, 3 => SelfTrade, 4 => Liquidation, 5 => ReduceOnly }
    RejectReason {
        1 => UnknownInstrument,
        2 => UnknownOrder,
        3 => DuplicateId,
        4 => QuantityOutOfRange,
        5 => PriceOutOfRange,
        6 => NotionalTooSmall,
        7 => UnsupportedType,
        8 => InsufficientBalance,
        9 => InsufficientMargin,
        10 => PostOnlyWouldTake,
        11 => FokCannotFill,
        12 => NoLiquidity,
        13 => ReduceOnlyWouldIncrease,
        14 => StopWouldTrigger,
        15 => SelfTrade,
        16 => MarketClosed,
        17 => AlreadyClosed,
    }
}

/// What has fields: they stand one after the other.
macro_rules! fields {
    ($($type:ident { $($field:ident),* })*) => {$(
        impl Recorded for $type {
            fn write(&self, out: &mut Vec<u8>) {
                $(self.$field.write(out);)*
            }
            fn read(bytes: &mut &[u8]) -> Option<Self> {
                Some(Self { $($field: Recorded::read(bytes)?),* })
            }
        }
    )*};
}
fields! {
    Quote { bid, bid_qty, ask, ask_qty }
    Trade { price, qty, aggressor, id }
    Depth { change, last }
    BookOrder { action, side, order, price, qty, last }
    Bar { open, high, low, close, volume, span }
    MarketEvent { ts_event, ts_recv, instrument, data }
    Fill { exec, price, qty, liquidity, fee, fee_currency }
    OrderEvent { id, instrument, ts_event, kind }
    AccountEvent { ts_event, kind }
    PlaceOrder {
        id, instrument, strategy, group, side, order_type, time_in_force, qty, display, post_only,
        reduce_only
    }
    ModifyOrder { id, instrument, qty, price }
    CancelOrder { id, instrument }
    OrderRow {
        id, venue_id, instrument, side, order_type, time_in_force, qty, filled, standing, updated
    }
    ExecutionRow { id, instrument, side, at, fill, forced }
    Statement { number, line }
}

/// What may be one thing or another: a tag, and what belongs to it.
macro_rules! choices {
    ($($type:ident {
        $($tag:literal => $name:ident $(($($value:ident),*))? $({ $($field:ident),* })?,)*
    })*) => {$(
        impl Recorded for $type {
            fn write(&self, out: &mut Vec<u8>) {
                match self {
                    $(Self::$name $(($($value),*))? $({ $($field),* })? => {
                        let tag: u8 = $tag;
                        tag.write(out);
                        $($($value.write(out);)*)?
                        $($($field.write(out);)*)?
                    })*
                }
            }
            fn read(bytes: &mut &[u8]) -> Option<Self> {
                Some(match u8::read(bytes)? {
                    $($tag => {
                        $($(let $value = Recorded::read(bytes)?;)*)?
                        $($(let $field = Recorded::read(bytes)?;)*)?
                        Self::$name $(($($value),*))? $({ $($field),* })?
                    })*
                    _ => return None,
                })
            }
        }
    )*};
}
choices! {
    DepthChange {
        1 => Set { side, price, qty },
        2 => Clear,
        3 => Gap,
    }
    MarketData {
        1 => Quote(quote),
        2 => Trade(trade),
        3 => Depth(depth),
        4 => Order(order),
        5 => Bar(bar),
        6 => Funding(rate),
        7 => Mark(price),
        8 => Status(status),
    }
    OrderEventKind {
        1 => Accepted(id),
        2 => Rejected(reason),
        3 => Triggered,
        4 => Filled(fill),
        5 => Modified { qty, price },
        6 => ModifyRejected(reason),
        7 => Cancelled(reason),
        8 => CancelRejected(reason),
        9 => Expired,
    }
    AccountEventKind {
        1 => Funding { instrument, amount },
        2 => Liquidated { instrument, side, fill },
        3 => Transfer { currency, amount },
    }
    OrderType {
        1 => Market,
        2 => Limit(price),
        3 => Stop(price),
        4 => StopLimit { trigger, limit },
        5 => TrailingStop(offset),
    }
    TimeInForce {
        1 => Gtc,
        2 => Ioc,
        3 => Fok,
        4 => Day,
        5 => Gtd(until),
    }
    Request {
        1 => Place(place),
        2 => Modify(modify),
        3 => Cancel(cancel),
    }
    Command {
        1 => Start,
        2 => Stop,
        3 => Acknowledge(venue),
    }
    Standing {
        1 => Open,
        2 => Rejected(reason),
        3 => Cancelled(reason),
        4 => Expired,
        5 => Filled,
    }
    Line {
        1 => Begin { as_of },
        2 => Order(row),
        3 => Execution(row),
        4 => Position { instrument, qty, cost },
        5 => Balance { currency, amount },
        6 => End,
        7 => Failed,
    }
    Input {
        1 => Market(event),
        2 => Order(event),
        3 => Account(venue, event),
        4 => Link { venue, up },
        5 => Wake,
        6 => Command(command),
        7 => Statement(venue, statement),
        8 => Boot { epoch },
        9 => Gap(venue),
        10 => Recalled { id, place },
    }
}

/// Appends an input.
pub fn write_input(input: &Input, out: &mut Vec<u8>) {
    input.write(out);
}

/// Appends [`Input::Market`] of an event.
pub fn write_market(event: &MarketEvent, out: &mut Vec<u8>) {
    1_u8.write(out);
    event.write(out);
}

/// Appends [`Input::Order`] of an event.
pub fn write_order(event: &OrderEvent, out: &mut Vec<u8>) {
    2_u8.write(out);
    event.write(out);
}

/// Reads an input that is all of `bytes`; `None` if they are not one.
pub fn read_input(mut bytes: &[u8]) -> Option<Input> {
    let input = Input::read(&mut bytes)?;
    bytes.is_empty().then_some(input)
}

/// Appends what is asked of a venue.
pub fn write_request(venue: VenueId, request: &Request, out: &mut Vec<u8>) {
    venue.write(out);
    request.write(out);
}

/// Reads a request that is all of `bytes`; `None` if they are not one.
pub fn read_request(mut bytes: &[u8]) -> Option<(VenueId, Request)> {
    let request = (VenueId::read(&mut bytes)?, Request::read(&mut bytes)?);
    bytes.is_empty().then_some(request)
}
