//! The messages of Binance's market streams, as numbers on their grids.
//!
//! Keys stand in a different order in every market, so a message is walked once and its keys are
//! collected; what kind it is follows from which of them there were.

use crate::fault::shown;
use crate::grid::{Fit, Measure, Number, Stop, not_a_number};
use crate::json::{Broken, Json};
use tse_model::{Price, Qty, Quote, Side};

/// What a message says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Body {
    /// A trade.
    Trade {
        /// The venue's number.
        id: u64,
        /// At what price.
        price: Price,
        /// How much.
        qty: Qty,
        /// Who took.
        aggressor: Side,
        /// Whether it happened in the market, and not in the insurance fund or by deleveraging.
        market: bool,
    },
    /// The best bid and ask.
    Quote {
        /// The state of the book that this is the top of.
        update_id: u64,
        /// Bid and ask.
        quote: Quote,
    },
    /// A change of the book.
    Diff(DiffIds),
    /// The whole book, asked for by REST.
    Snapshot {
        /// The state of the book.
        last_id: u64,
    },
    /// Something else.
    Other,
}

/// The place of a change in its stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DiffIds {
    /// `U`: the first update in it.
    pub first: u64,
    /// `u`: the last.
    pub last: u64,
    /// `pu`: the last of the change before, which only futures tell.
    pub previous: Option<u64>,
}

/// One level of a change or of a snapshot.
pub type LevelChange = (Side, Price, Qty);

/// A message with everything but its levels.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Message {
    /// When it was received, by the recorder's clock, in nanoseconds.
    pub recv: i64,
    /// When it happened (`T`, else `E`), in milliseconds, if it says.
    pub time: Option<i64>,
    /// What it says.
    pub body: Body,
}

/// Why a line gives no message.
#[derive(Debug)]
pub(crate) enum Unread {
    NoTime,
    Json(Broken),
    Lacks(&'static str),
    Number(Stop),
}

impl From<Broken> for Unread {
    fn from(broken: Broken) -> Self {
        Self::Json(broken)
    }
}

impl Unread {
    pub(crate) fn words(&self, line: &[u8]) -> String {
        match self {
            Self::NoTime => "the line does not begin with a time of receipt in nanoseconds".into(),
            Self::Json(broken) => format!("the message is broken at byte {}", broken.at + 1),
            Self::Lacks(key) => format!("the message lacks `{key}`: {}", shown(line)),
            Self::Number(_) => "a number of the message is wrong".into(),
        }
    }
}

/// The keys of a message.
#[derive(Default)]
struct Keys<'a> {
    event: &'a [u8],
    sent: Option<u64>,
    matched: Option<u64>,
    symbol: &'a [u8],
    trade_id: Option<u64>,
    price: Option<&'a [u8]>,
    qty: Option<&'a [u8]>,
    kind: Option<&'a [u8]>,
    buyer_is_maker: Option<bool>,
    last: Option<u64>,
    first: Option<u64>,
    previous: Option<u64>,
    bid: Option<&'a [u8]>,
    bid_qty: Option<&'a [u8]>,
    ask: Option<&'a [u8]>,
    ask_qty: Option<&'a [u8]>,
    snapshot: Option<u64>,
    refused: Option<Stop>,
}

/// Reads messages.
pub(crate) struct Parser {
    /// Whether levels are wanted.
    pub(crate) depth: bool,
    /// The levels of the last message.
    pub(crate) levels: Vec<LevelChange>,
    /// The symbol of the last message that had one.
    pub(crate) symbol: Vec<u8>,
}

impl Parser {
    pub(crate) fn new(depth: bool) -> Self {
        Self { depth, levels: Vec::new(), symbol: Vec::new() }
    }

    /// Reads one line: time of receipt, space, message.
    pub(crate) fn line(
        &mut self,
        line: &[u8],
        measure: &Measure,
        fit: &mut Fit,
    ) -> Result<Message, Unread> {
        let space = memchr::memchr(b' ', line).ok_or(Unread::NoTime)?;
        let recv = match Number::parse(&line[..space]) {
            Ok(Number::Small(recv, 0)) => recv,
            Ok(other) => other
                .decimal()
                .at_scale(0)
                .and_then(|recv| i64::try_from(recv).ok())
                .ok_or(Unread::NoTime)?,
            Err(_) => return Err(Unread::NoTime),
        };
        let mut json = Json::new(&line[space + 1..]);
        self.levels.clear();
        let mut keys = Keys::default();
        json.object(|key, json| match key {
            b"data" => json.object(|key, json| self.key(key, json, &mut keys, measure, fit)),
            _ => self.key(key, json, &mut keys, measure, fit),
        })?;
        json.end()?;
        if let Some(refused) = keys.refused.take() {
            return Err(Unread::Number(refused));
        }
        if !keys.symbol.is_empty() && self.symbol != keys.symbol {
            self.symbol = keys.symbol.to_vec();
        }
        let time = keys.matched.or(keys.sent).and_then(|time| i64::try_from(time).ok());
        Ok(Message { recv, time, body: body(&keys, measure, fit)? })
    }

    #[inline]
    fn key<'a>(
        &mut self,
        key: &[u8],
        json: &mut Json<'a>,
        keys: &mut Keys<'a>,
        measure: &Measure,
        fit: &mut Fit,
    ) -> Result<(), Broken> {
        match key {
            b"e" => keys.event = json.string()?,
            b"E" => keys.sent = Some(json.natural()?),
            b"T" => keys.matched = Some(json.natural()?),
            b"s" => keys.symbol = json.string()?,
            b"t" => keys.trade_id = Some(json.natural()?),
            b"p" => keys.price = Some(json.text()?),
            b"q" => keys.qty = Some(json.text()?),
            b"X" => keys.kind = Some(json.string()?),
            b"m" => keys.buyer_is_maker = Some(json.boolean()?),
            b"u" => keys.last = Some(json.natural()?),
            b"U" => keys.first = Some(json.natural()?),
            b"pu" => keys.previous = Some(json.natural()?),
            b"B" => keys.bid_qty = Some(json.text()?),
            b"A" => keys.ask_qty = Some(json.text()?),
            b"lastUpdateId" => keys.snapshot = Some(json.natural()?),
            b"b" if json.peek() != Some(b'[') => keys.bid = Some(json.text()?),
            b"a" if json.peek() != Some(b'[') => keys.ask = Some(json.text()?),
            b"b" | b"bids" => self.read_levels(Side::Buy, json, keys, measure, fit)?,
            b"a" | b"asks" => self.read_levels(Side::Sell, json, keys, measure, fit)?,
            _ => json.skip()?,
        }
        Ok(())
    }

    fn read_levels(
        &mut self,
        side: Side,
        json: &mut Json<'_>,
        keys: &mut Keys<'_>,
        measure: &Measure,
        fit: &mut Fit,
    ) -> Result<(), Broken> {
        if !self.depth {
            return json.skip();
        }
        json.array(|json| {
            json.expect(b'[')?;
            let price = json.text()?;
            json.expect(b',')?;
            let qty = json.text()?;
            json.expect(b']')?;
            match level(price, qty, measure, fit) {
                Ok((price, qty)) => self.levels.push((side, price, qty)),
                // A level between two ticks, where the source says to leave such things out.
                Err(Stop::Skip) => {}
                Err(refused) => keys.refused = Some(refused),
            }
            Ok(())
        })
    }
}

#[inline]
fn level(price: &[u8], qty: &[u8], measure: &Measure, fit: &mut Fit) -> Result<(Price, Qty), Stop> {
    let number = |name, text| Number::parse(text).map_err(|error| not_a_number(name, text, error));
    let price = fit.price(measure, "price", number("price", price)?)?;
    let qty = fit.size(measure, "size", number("size", qty)?)?;
    Ok((price, qty))
}

#[inline]
fn body(keys: &Keys<'_>, measure: &Measure, fit: &mut Fit) -> Result<Body, Unread> {
    if let Some(last_id) = keys.snapshot {
        return Ok(Body::Snapshot { last_id });
    }
    if let Some(first) = keys.first {
        let last = keys.last.ok_or(Unread::Lacks("u"))?;
        return Ok(Body::Diff(DiffIds { first, last, previous: keys.previous }));
    }
    let pair = |price: Option<&[u8]>, qty: Option<&[u8]>, fit: &mut Fit| {
        let price = price.ok_or(Unread::Lacks("price"))?;
        let qty = qty.ok_or(Unread::Lacks("quantity"))?;
        level(price, qty, measure, fit).map_err(Unread::Number)
    };
    match keys.event {
        b"trade" => {
            let (price, qty) = pair(keys.price, keys.qty, fit)?;
            let maker = keys.buyer_is_maker.ok_or(Unread::Lacks("m"))?;
            Ok(Body::Trade {
                id: keys.trade_id.ok_or(Unread::Lacks("t"))?,
                price,
                qty,
                aggressor: if maker { Side::Sell } else { Side::Buy },
                market: keys.kind.is_none_or(|kind| kind == b"MARKET"),
            })
        }
        b"bookTicker" | b"" if keys.bid.is_some() => {
            let update_id = keys.last.ok_or(Unread::Lacks("u"))?;
            let (bid, bid_qty) = pair(keys.bid, keys.bid_qty, fit)?;
            let (ask, ask_qty) = pair(keys.ask, keys.ask_qty, fit)?;
            Ok(Body::Quote { update_id, quote: Quote { bid, bid_qty, ask, ask_qty } })
        }
        _ => Ok(Body::Other),
    }
}
