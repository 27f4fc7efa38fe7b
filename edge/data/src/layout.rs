//! Our own schema `tse.market/1`: which fields a row of each kind has, and what an event puts in
//! them. Text and Parquet are two ways of writing the same.

use crate::outlet::kind_of;
use crate::spec::{Field, Kinds, Record};
use crate::words::{order_action_word, status_word};
use tse_model::{DepthChange, MarketData, MarketEvent, Price, Qty, Rate, Side};

/// What stands in a field.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Value {
    Nothing,
    Nanos(i64),
    Symbol,
    Word(&'static str),
    Price(Price),
    Size(Qty),
    Number(u64),
    Flag(bool),
    Rate(Rate),
}

const WHEN: [Field; 3] = [Field::TsEvent, Field::TsRecv, Field::Symbol];

/// The fields of a row, in their order.
pub(crate) fn fields(record: Record) -> Vec<Field> {
    use Field::{
        Action, Ask, AskSize, Bid, BidSize, Close, High, Id, Kind, Last, Low, Open, Price as Px,
        Rate as Share, Side as Way, Size, Span, Status, Volume,
    };
    let rest: &[Field] = match record {
        Record::Quotes => &[Bid, BidSize, Ask, AskSize],
        Record::Trades => &[Way, Px, Size, Id],
        Record::Depth => &[Way, Px, Size, Action, Last],
        Record::Orders => &[Way, Px, Size, Action, Id, Last],
        Record::Bars => &[Open, High, Low, Close, Volume, Span],
        Record::Funding => &[Share],
        Record::Marks => &[Px],
        Record::Status => &[Status],
        Record::Events => &[
            Kind, Way, Px, Size, Action, Id, Last, Bid, BidSize, Ask, AskSize, Open, High, Low,
            Close, Volume, Span, Share, Status,
        ],
    };
    WHEN.iter().chain(rest).copied().collect()
}

/// The record that a file needs to hold all events of these kinds.
pub(crate) fn record_for(kinds: Kinds) -> Option<Record> {
    let single = [
        (Kinds::QUOTES, Record::Quotes),
        (Kinds::TRADES, Record::Trades),
        (Kinds::DEPTH, Record::Depth),
        (Kinds::ORDERS, Record::Orders),
        (Kinds::BARS, Record::Bars),
        (Kinds::FUNDING, Record::Funding),
        (Kinds::MARKS, Record::Marks),
        (Kinds::STATUS, Record::Status),
    ];
    single.into_iter().find(|(kind, _)| *kind == kinds).map(|(_, record)| record)
}

/// Whether a file of this record can hold an event.
pub(crate) fn holds(record: Record, event: &MarketEvent) -> bool {
    record == Record::Events || record_for(kind_of(&event.data)) == Some(record)
}

/// The word for what an event is.
pub(crate) fn kind_word(data: &MarketData) -> &'static str {
    match data {
        MarketData::Quote(_) => "quote",
        MarketData::Trade(_) => "trade",
        MarketData::Depth(_) => "depth",
        MarketData::Order(_) => "order",
        MarketData::Bar(_) => "bar",
        MarketData::Funding(_) => "funding",
        MarketData::Mark(_) => "mark",
        MarketData::Status(_) => "status",
    }
}

fn side_word(side: Side) -> &'static str {
    match side {
        Side::Buy => "bid",
        Side::Sell => "ask",
    }
}

/// What an event puts in a field.
pub(crate) fn value(event: &MarketEvent, field: Field) -> Value {
    match field {
        Field::TsEvent => return Value::Nanos(event.ts_event.nanos()),
        Field::TsRecv => return Value::Nanos(event.ts_recv.nanos()),
        Field::Symbol => return Value::Symbol,
        Field::Kind => return Value::Word(kind_word(&event.data)),
        _ => {}
    }
    match (&event.data, field) {
        (MarketData::Quote(quote), Field::Bid | Field::BidSize) => {
            one_side(quote.side(Side::Buy), field == Field::Bid)
        }
        (MarketData::Quote(quote), Field::Ask | Field::AskSize) => {
            one_side(quote.side(Side::Sell), field == Field::Ask)
        }
        (MarketData::Trade(trade), _) => match field {
            Field::Side => trade.aggressor.map_or(Value::Nothing, |side| Value::Word(side.name())),
            Field::Price => Value::Price(trade.price),
            Field::Size => Value::Size(trade.qty),
            Field::Id if trade.id > 0 => Value::Number(trade.id),
            _ => Value::Nothing,
        },
        (MarketData::Depth(depth), Field::Last) => Value::Flag(depth.last),
        (MarketData::Depth(depth), _) => match (depth.change, field) {
            (DepthChange::Set { .. }, Field::Action) => Value::Word("set"),
            (DepthChange::Clear, Field::Action) => Value::Word("clear"),
            (DepthChange::Gap, Field::Action) => Value::Word("gap"),
            (DepthChange::Set { side, .. }, Field::Side) => Value::Word(side_word(side)),
            (DepthChange::Set { price, .. }, Field::Price) => Value::Price(price),
            (DepthChange::Set { qty, .. }, Field::Size) => Value::Size(qty),
            _ => Value::Nothing,
        },
        (MarketData::Order(record), _) => {
            let clear = record.action == tse_model::BookAction::Clear;
            match field {
                Field::Side => record.side.map_or(Value::Nothing, |it| Value::Word(side_word(it))),
                Field::Price if !clear => Value::Price(record.price),
                Field::Size if !clear => Value::Size(record.qty),
                Field::Action => Value::Word(order_action_word(record.action)),
                Field::Id => Value::Number(record.order),
                Field::Last => Value::Flag(record.last),
                _ => Value::Nothing,
            }
        }
        (MarketData::Bar(bar), _) => match field {
            Field::Open => Value::Price(bar.open),
            Field::High => Value::Price(bar.high),
            Field::Low => Value::Price(bar.low),
            Field::Close => Value::Price(bar.close),
            Field::Volume => Value::Size(bar.volume),
            Field::Span => Value::Number(bar.span.nanos().unsigned_abs()),
            _ => Value::Nothing,
        },
        (MarketData::Funding(rate), Field::Rate) => Value::Rate(*rate),
        (MarketData::Mark(price), Field::Price) => Value::Price(*price),
        (MarketData::Status(status), Field::Status) => Value::Word(status_word(*status)),
        _ => Value::Nothing,
    }
}

/// Price or size of one side of a quote, if it has one.
fn one_side(side: Option<(Price, Qty)>, price: bool) -> Value {
    match side {
        None => Value::Nothing,
        Some((ticks, _)) if price => Value::Price(ticks),
        Some((_, qty)) => Value::Size(qty),
    }
}
