//! Values as bytes, and back: what journals and snapshots are made of.
//!
//! Little-endian, fields in the order of their types, a tag before what may be one thing or another, a count
//! before what there may be any number of. Every value comes back as it was; bytes that are no value are
//! refused and never guessed at. [`Recorded`] makes a value from bytes alone. [`Kept`] puts the part of a
//! thing that changes back into one that was built anew from its settings.
//!
//! The macros list every field: one that is added and not thought of does not compile.

use crate::{
    AccountEvent, AccountEventKind, Bar, BookAction, BookOrder, CancelOrder, CancelReason,
    ClientOrderId, CurrencyId, Depth, DepthChange, ExecId, ExecutionRow, Fill, GroupId,
    InstrumentId, Line, Liquidity, MarketData, MarketEvent, ModifyOrder, Money, OrderEvent,
    OrderEventKind, OrderRow, OrderType, PlaceOrder, Price, Qty, Quote, Rate, RejectReason,
    Request, Side, Span, Standing, Statement, StrategyId, TimeInForce, Timestamp, Trade,
    TradingStatus, VenueId, VenueOrderId,
};
use std::collections::{BTreeMap, VecDeque};

/// Something that goes into bytes and comes back.
pub trait Recorded: Sized {
    /// Appends itself.
    fn write(&self, out: &mut Vec<u8>);
    /// Takes itself from the beginning of `bytes`; `None` if it is not there.
    fn read(bytes: &mut &[u8]) -> Option<Self>;
}

/// What changes of something that is built from settings: it is saved from one and loaded into another that
/// was built from the same.
pub trait Kept {
    /// Appends what changes.
    fn save(&self, out: &mut Vec<u8>);
    /// Becomes what was saved, from the beginning of `bytes`; `None` if it is not there. Then it is neither
    /// one thing nor the other, and must not be used.
    fn load(&mut self, bytes: &mut &[u8]) -> Option<()>;
}

impl<T: Recorded> Kept for T {
    fn save(&self, out: &mut Vec<u8>) {
        self.write(out);
    }
    fn load(&mut self, bytes: &mut &[u8]) -> Option<()> {
        *self = T::read(bytes)?;
        Some(())
    }
}

/// Saves one after the other of which there are as many as the settings say.
pub fn save_each<T: Kept>(each: &[T], out: &mut Vec<u8>) {
    each.iter().for_each(|one| one.save(out));
}

/// Loads what [`save_each`] saved.
pub fn load_each<T: Kept>(each: &mut [T], bytes: &mut &[u8]) -> Option<()> {
    each.iter_mut().try_for_each(|one| one.load(bytes))
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
whole_numbers!(u8, u16, u32, u64, i32, i64, i128);

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

impl Recorded for f64 {
    fn write(&self, out: &mut Vec<u8>) {
        self.to_bits().write(out);
    }
    fn read(bytes: &mut &[u8]) -> Option<Self> {
        u64::read(bytes).map(Self::from_bits)
    }
}

impl Recorded for usize {
    fn write(&self, out: &mut Vec<u8>) {
        (*self as u64).write(out);
    }
    fn read(bytes: &mut &[u8]) -> Option<Self> {
        Self::try_from(u64::read(bytes)?).ok()
    }
}

impl Recorded for () {
    fn write(&self, _: &mut Vec<u8>) {}
    fn read(_: &mut &[u8]) -> Option<Self> {
        Some(())
    }
}

macro_rules! tuples {
    ($(($($part:ident: $type:ident),*))*) => {$(
        impl<$($type: Recorded),*> Recorded for ($($type,)*) {
            fn write(&self, out: &mut Vec<u8>) {
                let ($($part,)*) = self;
                $($part.write(out);)*
            }
            fn read(bytes: &mut &[u8]) -> Option<Self> {
                Some(($($type::read(bytes)?,)*))
            }
        }
    )*};
}
tuples! {
    (a: A, b: B)
    (a: A, b: B, c: C)
}

impl<T: Recorded, const N: usize> Recorded for [T; N] {
    fn write(&self, out: &mut Vec<u8>) {
        self.iter().for_each(|value| value.write(out));
    }
    fn read(bytes: &mut &[u8]) -> Option<Self> {
        let mut values = Vec::with_capacity(N);
        for _ in 0..N {
            values.push(T::read(bytes)?);
        }
        values.try_into().ok()
    }
}

/// A count, and that many values. The count is not believed before the values are there.
macro_rules! lists {
    ($($list:ident: $push:ident),*) => {$(
        impl<T: Recorded> Recorded for $list<T> {
            fn write(&self, out: &mut Vec<u8>) {
                self.len().write(out);
                self.iter().for_each(|value| value.write(out));
            }
            fn read(bytes: &mut &[u8]) -> Option<Self> {
                let count = usize::read(bytes)?;
                let mut list = Self::with_capacity(count.min(bytes.len()));
                for _ in 0..count {
                    list.$push(T::read(bytes)?);
                }
                Some(list)
            }
        }
    )*};
}
lists!(Vec: push, VecDeque: push_back);

impl<K: Recorded + Ord, V: Recorded> Recorded for BTreeMap<K, V> {
    fn write(&self, out: &mut Vec<u8>) {
        self.len().write(out);
        for (key, value) in self {
            key.write(out);
            value.write(out);
        }
    }
    fn read(bytes: &mut &[u8]) -> Option<Self> {
        let count = usize::read(bytes)?;
        (0..count).map(|_| <(K, V)>::read(bytes)).collect()
    }
}

/// Makes structs [`Kept`](crate::bytes::Kept): which fields change and are saved, and which are built from
/// settings or empty between steps. All must be named.
#[macro_export]
macro_rules! kept_fields {
    ($($type:ident {
        saved: $($saved:ident),*;
        built: $($built:ident),* $(;)?
    })*) => {$(
        impl $crate::bytes::Kept for $type {
            fn save(&self, out: &mut Vec<u8>) {
                let Self { $($saved,)* $($built: _,)* } = self;
                $($crate::bytes::Kept::save($saved, out);)*
            }
            fn load(&mut self, bytes: &mut &[u8]) -> Option<()> {
                let Self { $($saved,)* $($built: _,)* } = self;
                $($crate::bytes::Kept::load($saved, bytes)?;)*
                Some(())
            }
        }
    )*};
}

/// Makes enums without values [`Recorded`](crate::bytes::Recorded): each word has its number for ever.
#[macro_export]
macro_rules! recorded_words {
    ($($type:ident { $($number:literal => $word:ident),* $(,)? })*) => {$(
        impl $crate::bytes::Recorded for $type {
            fn write(&self, out: &mut Vec<u8>) {
                let number: u8 = match self { $(Self::$word => $number),* };
                out.push(number);
            }
            fn read(bytes: &mut &[u8]) -> Option<Self> {
                match <u8 as $crate::bytes::Recorded>::read(bytes)? {
                    $($number => Some(Self::$word),)*
                    _ => None,
                }
            }
        }
    )*};
}
recorded_words! {
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

/// Makes structs [`Recorded`](crate::bytes::Recorded): their fields stand one after the other.
#[macro_export]
macro_rules! recorded_fields {
    ($($type:ident { $($field:ident),* $(,)? })*) => {$(
        impl $crate::bytes::Recorded for $type {
            fn write(&self, out: &mut Vec<u8>) {
                $($crate::bytes::Recorded::write(&self.$field, out);)*
            }
            fn read(bytes: &mut &[u8]) -> Option<Self> {
                Some(Self { $($field: $crate::bytes::Recorded::read(bytes)?),* })
            }
        }
    )*};
}
recorded_fields! {
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

/// Makes enums [`Recorded`](crate::bytes::Recorded): a tag, and what belongs to it.
#[macro_export]
macro_rules! recorded_choices {
    ($($type:ident {
        $($tag:literal => $name:ident $(($($value:ident),*))? $({ $($field:ident),* })?,)*
    })*) => {$(
        impl $crate::bytes::Recorded for $type {
            fn write(&self, out: &mut Vec<u8>) {
                match self {
                    $(Self::$name $(($($value),*))? $({ $($field),* })? => {
                        let tag: u8 = $tag;
                        out.push(tag);
                        $($($crate::bytes::Recorded::write($value, out);)*)?
                        $($($crate::bytes::Recorded::write($field, out);)*)?
                    })*
                }
            }
            fn read(bytes: &mut &[u8]) -> Option<Self> {
                Some(match <u8 as $crate::bytes::Recorded>::read(bytes)? {
                    $($tag => {
                        $($(let $value = $crate::bytes::Recorded::read(bytes)?;)*)?
                        $($(let $field = $crate::bytes::Recorded::read(bytes)?;)*)?
                        Self::$name $(($($value),*))? $({ $($field),* })?
                    })*
                    _ => return None,
                })
            }
        }
    )*};
}
recorded_choices! {
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
        7 => Cancelled { reason, filled },
        8 => CancelRejected(reason),
        9 => Expired { filled },
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_maps_and_floats_come_back_and_a_cut_off_end_is_refused() {
        type All = (Vec<(u16, Option<f64>)>, VecDeque<[i64; 2]>, BTreeMap<u32, i128>);
        let value: All = (
            vec![(1, Some(-0.0)), (2, None), (3, Some(f64::NAN))],
            [[1, -1], [i64::MAX, i64::MIN]].into(),
            [(7, 1), (9, -1)].into(),
        );
        let mut bytes = Vec::new();
        value.write(&mut bytes);
        let again = All::read(&mut &bytes[..]).unwrap();
        assert_eq!((&again.1, &again.2), (&value.1, &value.2));
        let bits = |it: &All| it.0.iter().map(|it| it.1.map(f64::to_bits)).collect::<Vec<_>>();
        assert_eq!(bits(&again), bits(&value), "to the last bit");
        for end in 0..bytes.len() {
            assert!(All::read(&mut &bytes[..end]).is_none(), "cut off at {end}");
        }
    }

    #[test]
    fn a_count_without_values_reserves_nothing() {
        let mut bytes = Vec::new();
        u64::MAX.write(&mut bytes);
        assert_eq!(Vec::<u8>::read(&mut &bytes[..]), None);
    }
}
