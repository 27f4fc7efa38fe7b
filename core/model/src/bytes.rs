//! Values as bytes, and back: what journals and snapshots are made of.
//!
//! Fields in the order of their types, a tag before what may be one thing or another, a count before what
//! there may be any number of. Numbers take as many bytes as they need, and moments are written as their
//! distance from one that both sides know. Every value comes back as it was and has one form only; bytes
//! that are no value are refused and never guessed at. [`Recorded`] makes a value from bytes alone. [`Kept`]
//! puts the part of a thing that changes back into one that was built anew from its settings.
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

mod ends;

pub use ends::{Reader, Writer, distance};

/// Something that goes into bytes and comes back.
pub trait Recorded: Sized {
    /// Appends itself.
    fn write(&self, out: &mut Writer);
    /// Takes itself from the beginning of `bytes`; `None` if it is not there.
    fn read(bytes: &mut Reader<'_>) -> Option<Self>;
}

/// What changes of something that is built from settings: it is saved from one and loaded into another that
/// was built from the same.
pub trait Kept {
    /// Appends what changes.
    fn save(&self, out: &mut Writer);
    /// Becomes what was saved, from the beginning of `bytes`; `None` if it is not there. Then it is neither
    /// one thing nor the other, and must not be used.
    fn load(&mut self, bytes: &mut Reader<'_>) -> Option<()>;
}

impl<T: Recorded> Kept for T {
    fn save(&self, out: &mut Writer) {
        self.write(out);
    }
    fn load(&mut self, bytes: &mut Reader<'_>) -> Option<()> {
        *self = T::read(bytes)?;
        Some(())
    }
}

/// Saves one after the other of which there are as many as the settings say.
pub fn save_each<T: Kept>(each: &[T], out: &mut Writer) {
    each.iter().for_each(|one| one.save(out));
}

/// Loads what [`save_each`] saved.
pub fn load_each<T: Kept>(each: &mut [T], bytes: &mut Reader<'_>) -> Option<()> {
    each.iter_mut().try_for_each(|one| one.load(bytes))
}

/// Something that is written as one number. Those below zero are folded in between the others, so that small
/// ones of both kinds are short.
trait Number: Copy {
    fn number(self) -> u64;
    fn from_number(number: u64) -> Option<Self>;
}

macro_rules! numbers {
    ($($type:ty: $into:expr, $from:expr;)*) => {$(
        impl Number for $type {
            #[inline(always)]
            fn number(self) -> u64 {
                let into: fn($type) -> u64 = $into;
                into(self)
            }
            #[inline(always)]
            fn from_number(number: u64) -> Option<Self> {
                let from: fn(u64) -> Option<$type> = $from;
                from(number)
            }
        }
        impl Recorded for $type {
            #[inline]
            fn write(&self, out: &mut Writer) {
                out.number(self.number());
            }
            #[inline]
            fn read(bytes: &mut Reader<'_>) -> Option<Self> {
                Self::from_number(bytes.number()?)
            }
        }
    )*};
}
numbers! {
    u16: u64::from, |it| it.try_into().ok();
    u32: u64::from, |it| it.try_into().ok();
    u64: |it| it, Some;
    i32: |it| ends::fold(it.into()), |it| ends::unfold(it).try_into().ok();
    i64: ends::fold, |it| Some(ends::unfold(it));
    usize: |it| it as u64, |it| it.try_into().ok();
    Price: |it| it.get().number(), |it| i64::from_number(it).map(Price::new);
    Qty: |it| it.get().number(), |it| i64::from_number(it).map(Qty::new);
    Span: |it| it.nanos().number(), |it| i64::from_number(it).map(Span::from_nanos);
    Rate: |it| it.billionths().number(), |it| i64::from_number(it).map(Rate::from_billionths);
    CurrencyId: |it| it.0.into(), |it| u16::from_number(it).map(CurrencyId);
    VenueId: |it| it.0.into(), |it| u16::from_number(it).map(VenueId);
    StrategyId: |it| it.0.into(), |it| u16::from_number(it).map(StrategyId);
    InstrumentId: |it| it.0.into(), |it| u32::from_number(it).map(InstrumentId);
    GroupId: |it| it.0.into(), |it| u32::from_number(it).map(GroupId);
    VenueOrderId: |it| it.0, |it| Some(VenueOrderId(it));
    ExecId: |it| it.0, |it| Some(ExecId(it));
}

impl Recorded for Money {
    #[inline]
    fn write(&self, out: &mut Writer) {
        self.units().write(out);
    }
    #[inline]
    fn read(bytes: &mut Reader<'_>) -> Option<Self> {
        i128::read(bytes).map(Self::from_units)
    }
}

/// Its highest bits say something, so it would never be short.
impl Recorded for ClientOrderId {
    #[inline]
    fn write(&self, out: &mut Writer) {
        out.word(self.0, 8);
    }
    #[inline]
    fn read(bytes: &mut Reader<'_>) -> Option<Self> {
        bytes.chunk().map(|it| Self(u64::from_le_bytes(*it)))
    }
}

impl Recorded for u8 {
    #[inline]
    fn write(&self, out: &mut Writer) {
        out.byte(*self);
    }
    #[inline]
    fn read(bytes: &mut Reader<'_>) -> Option<Self> {
        bytes.byte()
    }
}

/// One that fits is written as an `i64`; any other is the number that no `i64` is folded to, and all of it.
impl Recorded for i128 {
    #[inline]
    fn write(&self, out: &mut Writer) {
        match i64::try_from(*self).map(ends::fold) {
            Ok(short) if short != u64::MAX => out.number(short),
            _ => {
                out.number(u64::MAX);
                out.bytes(&self.to_le_bytes());
            }
        }
    }
    #[inline]
    fn read(bytes: &mut Reader<'_>) -> Option<Self> {
        match bytes.number()? {
            u64::MAX => {
                let long = Self::from_le_bytes(*bytes.chunk()?);
                // What fits has its short form.
                let fits = i64::try_from(long).is_ok_and(|it| ends::fold(it) != u64::MAX);
                (!fits).then_some(long)
            }
            short => Some(ends::unfold(short).into()),
        }
    }
}

impl Recorded for Timestamp {
    #[inline]
    fn write(&self, out: &mut Writer) {
        out.number(out.moment(*self));
    }
    #[inline]
    fn read(bytes: &mut Reader<'_>) -> Option<Self> {
        bytes.moment()
    }
}

impl Recorded for bool {
    #[inline]
    fn write(&self, out: &mut Writer) {
        u8::from(*self).write(out);
    }
    #[inline]
    fn read(bytes: &mut Reader<'_>) -> Option<Self> {
        match u8::read(bytes)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

impl<T: Recorded> Recorded for Option<T> {
    #[inline]
    fn write(&self, out: &mut Writer) {
        self.is_some().write(out);
        if let Some(value) = self {
            value.write(out);
        }
    }
    #[inline]
    fn read(bytes: &mut Reader<'_>) -> Option<Self> {
        if bool::read(bytes)? { T::read(bytes).map(Some) } else { Some(None) }
    }
}

impl Recorded for f64 {
    #[inline]
    fn write(&self, out: &mut Writer) {
        out.bytes(&self.to_bits().to_le_bytes());
    }
    #[inline]
    fn read(bytes: &mut Reader<'_>) -> Option<Self> {
        bytes.chunk().map(|it| Self::from_bits(u64::from_le_bytes(*it)))
    }
}

impl Recorded for () {
    #[inline]
    fn write(&self, _: &mut Writer) {}
    #[inline]
    fn read(_: &mut Reader<'_>) -> Option<Self> {
        Some(())
    }
}

macro_rules! tuples {
    ($(($($part:ident: $type:ident),*))*) => {$(
        impl<$($type: Recorded),*> Recorded for ($($type,)*) {
            #[inline]
            fn write(&self, out: &mut Writer) {
                let ($($part,)*) = self;
                $($part.write(out);)*
            }
            #[inline]
            fn read(bytes: &mut Reader<'_>) -> Option<Self> {
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
    #[inline]
    fn write(&self, out: &mut Writer) {
        self.iter().for_each(|value| value.write(out));
    }
    #[inline]
    fn read(bytes: &mut Reader<'_>) -> Option<Self> {
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
            #[inline]
            fn write(&self, out: &mut Writer) {
                self.len().write(out);
                self.iter().for_each(|value| value.write(out));
            }
            #[inline]
            fn read(bytes: &mut Reader<'_>) -> Option<Self> {
                let count = usize::read(bytes)?;
                let mut list = Self::with_capacity(count.min(bytes.rest().len()).min(4_096));
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
    #[inline]
    fn write(&self, out: &mut Writer) {
        self.len().write(out);
        for (key, value) in self {
            key.write(out);
            value.write(out);
        }
    }
    #[inline]
    fn read(bytes: &mut Reader<'_>) -> Option<Self> {
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
            fn save(&self, out: &mut $crate::bytes::Writer) {
                let Self { $($saved,)* $($built: _,)* } = self;
                $($crate::bytes::Kept::save($saved, out);)*
            }
            fn load(&mut self, bytes: &mut $crate::bytes::Reader<'_>) -> Option<()> {
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
            #[inline]
            fn write(&self, out: &mut $crate::bytes::Writer) {
                let number: u8 = match self { $(Self::$word => $number),* };
                out.byte(number);
            }
            #[inline]
            fn read(bytes: &mut $crate::bytes::Reader<'_>) -> Option<Self> {
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
            #[inline]
            fn write(&self, out: &mut $crate::bytes::Writer) {
                $($crate::bytes::Recorded::write(&self.$field, out);)*
            }
            #[inline]
            fn read(bytes: &mut $crate::bytes::Reader<'_>) -> Option<Self> {
                Some(Self { $($field: $crate::bytes::Recorded::read(bytes)?),* })
            }
        }
    )*};
}
recorded_fields! {
    Trade { price, qty, aggressor, id }
    Depth { change, last }
    BookOrder { action, side, order, price, qty, last }
    Bar { open, high, low, close, volume, span }
    Fill { exec, price, qty, liquidity, fee, fee_currency }
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

/// The ask is written as its distance from the bid, and the moment of receipt from that of the event: most of
/// what is ever recorded are these, and so they are short.
impl Recorded for Quote {
    #[inline]
    fn write(&self, out: &mut Writer) {
        let Self { bid, bid_qty, ask, ask_qty } = self;
        let spread = ask.get().wrapping_sub(bid.get());
        out.numbers([bid.number(), bid_qty.number(), spread.number(), ask_qty.number()]);
    }
    #[inline]
    fn read(bytes: &mut Reader<'_>) -> Option<Self> {
        let (bid, bid_qty) = (Price::read(bytes)?, Qty::read(bytes)?);
        let ask = Price::new(bid.get().wrapping_add(i64::read(bytes)?));
        Some(Self { bid, bid_qty, ask, ask_qty: Qty::read(bytes)? })
    }
}

impl Recorded for MarketEvent {
    #[inline]
    fn write(&self, out: &mut Writer) {
        let Self { ts_event, ts_recv, instrument, data } = self;
        let receipt = distance(*ts_event, *ts_recv);
        out.numbers([out.moment(*ts_event), receipt, instrument.number()]);
        data.write(out);
    }
    #[inline]
    fn read(bytes: &mut Reader<'_>) -> Option<Self> {
        let ts_event = bytes.moment()?;
        let ts_recv = bytes.moment_from(ts_event)?;
        let (instrument, data) = (InstrumentId::read(bytes)?, MarketData::read(bytes)?);
        Some(Self { ts_event, ts_recv, instrument, data })
    }
}

impl Recorded for OrderEvent {
    #[inline]
    fn write(&self, out: &mut Writer) {
        let Self { id, instrument, ts_event, kind } = self;
        id.write(out);
        out.numbers([instrument.number(), out.moment(*ts_event)]);
        kind.write(out);
    }
    #[inline]
    fn read(bytes: &mut Reader<'_>) -> Option<Self> {
        let (id, instrument) = (ClientOrderId::read(bytes)?, InstrumentId::read(bytes)?);
        let (ts_event, kind) = (bytes.moment()?, OrderEventKind::read(bytes)?);
        Some(Self { id, instrument, ts_event, kind })
    }
}

/// Makes enums [`Recorded`](crate::bytes::Recorded): a tag, and what belongs to it.
#[macro_export]
macro_rules! recorded_choices {
    ($($type:ident {
        $($tag:literal => $name:ident $(($($value:ident),*))? $({ $($field:ident),* })?,)*
    })*) => {$(
        impl $crate::bytes::Recorded for $type {
            #[inline]
            fn write(&self, out: &mut $crate::bytes::Writer) {
                match self {
                    $(Self::$name $(($($value),*))? $({ $($field),* })? => {
                        let tag: u8 = $tag;
                        out.byte(tag);
                        $($($crate::bytes::Recorded::write($value, out);)*)?
                        $($($crate::bytes::Recorded::write($field, out);)*)?
                    })*
                }
            }
            #[inline]
            fn read(bytes: &mut $crate::bytes::Reader<'_>) -> Option<Self> {
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

    fn written(value: &impl Recorded) -> Vec<u8> {
        let mut out = Writer::default();
        value.write(&mut out);
        out.into_bytes()
    }

    fn reader(bytes: &[u8]) -> Reader<'_> {
        Reader::new(bytes, Timestamp::EPOCH)
    }

    #[test]
    fn lists_maps_and_floats_come_back_and_a_cut_off_end_is_refused() {
        type All = (Vec<(u16, Option<f64>)>, VecDeque<[i64; 2]>, BTreeMap<u32, i128>);
        let value: All = (
            vec![(1, Some(-0.0)), (2, None), (3, Some(f64::NAN))],
            [[1, -1], [i64::MAX, i64::MIN]].into(),
            [(7, 1), (9, -1)].into(),
        );
        let bytes = written(&value);
        let again = All::read(&mut reader(&bytes)).unwrap();
        assert_eq!((&again.1, &again.2), (&value.1, &value.2));
        let bits = |it: &All| it.0.iter().map(|it| it.1.map(f64::to_bits)).collect::<Vec<_>>();
        assert_eq!(bits(&again), bits(&value), "to the last bit");
        for end in 0..bytes.len() {
            assert!(All::read(&mut reader(&bytes[..end])).is_none(), "cut off at {end}");
        }
    }

    #[test]
    fn wide_numbers_have_one_form_each() {
        let edge = i128::from(i64::MIN);
        for number in [0, 1, -1, edge + 1, edge, edge - 1, -edge, i128::MIN, i128::MAX] {
            let bytes = written(&number);
            let mut reader = reader(&bytes);
            assert_eq!(i128::read(&mut reader), Some(number));
            assert!(reader.is_empty());
        }
        assert_eq!(written(&-3_i128), written(&-3_i64));
        let mut long = written(&u64::MAX);
        long.extend_from_slice(&5_i128.to_le_bytes());
        assert_eq!(i128::read(&mut reader(&long)), None, "a short one in the long form");
    }

    #[test]
    fn a_number_too_large_for_its_type_is_none() {
        let bytes = written(&70_000_u64);
        assert_eq!(u16::read(&mut reader(&bytes)), None);
        assert_eq!(u32::read(&mut reader(&bytes)), Some(70_000));
        assert_eq!(i32::read(&mut reader(&written(&i64::from(i32::MIN)))), Some(i32::MIN));
        assert_eq!(i32::read(&mut reader(&written(&(i64::from(i32::MIN) - 1)))), None);
    }

    #[test]
    fn a_count_without_values_reserves_nothing() {
        assert_eq!(Vec::<u8>::read(&mut reader(&written(&u64::MAX))), None);
    }
}
