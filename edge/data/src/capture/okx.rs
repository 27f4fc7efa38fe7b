//! OKX, API v5: channels `books`, `trades` and `tickers`.

use super::{Desk, Update, broken, levels, millis};
use crate::grid::Stop;
use crate::json::{Broken, Json};
use crate::outlet::Outlet;
use tse_model::{MarketData, Quote, Side, Timestamp, Trade};

/// What stands around the data of a message.
#[derive(Default)]
struct Head<'a> {
    channel: &'a [u8],
    symbol: &'a [u8],
    action: &'a [u8],
    data: Option<Json<'a>>,
}

fn head(text: &[u8]) -> Result<Head<'_>, Broken> {
    let mut head = Head::default();
    let mut json = Json::new(text);
    json.object(|key, json| {
        match key {
            b"arg" => json.object(|key, json| {
                match key {
                    b"channel" => head.channel = json.string()?,
                    b"instId" => head.symbol = json.string()?,
                    _ => json.skip()?,
                }
                Ok(())
            })?,
            b"action" => head.action = json.string()?,
            b"data" => {
                // Keys come in any order, so the data is read when all else is known.
                head.data = Some(*json);
                json.skip()?;
            }
            _ => json.skip()?,
        }
        Ok(())
    })?;
    json.end()?;
    Ok(head)
}

/// The time of a message's first entry.
pub(super) fn time_in(text: &[u8]) -> Option<i64> {
    let mut time = None;
    let mut data = head(text).ok()?.data?;
    data.array(|json| {
        json.object(|key, json| match key {
            b"ts" => json.text().map(|text| time = millis(text)),
            _ => json.skip(),
        })
    })
    .ok()?;
    time
}

pub(super) fn message(
    desk: &mut Desk,
    recv: Timestamp,
    text: &[u8],
    out: &mut Outlet,
) -> Result<(), Stop> {
    let head = head(text).map_err(|found| broken(found, text))?;
    let Some(mut data) = head.data else {
        out.counts.other_messages += 1;
        return Ok(());
    };
    let read = match head.channel {
        b"books" => book,
        b"trades" => trade,
        b"tickers" => ticker,
        _ => {
            out.counts.other_messages += 1;
            return Ok(());
        }
    };
    let mut done = Ok(());
    data.array(|json| {
        let one = read(desk, recv, &head, json, out)?;
        if done.is_ok() {
            done = one;
        }
        Ok(())
    })
    .map_err(|found| broken(found, text))?;
    done
}

fn book(
    desk: &mut Desk,
    recv: Timestamp,
    head: &Head<'_>,
    json: &mut Json<'_>,
    out: &mut Outlet,
) -> Result<Result<(), Stop>, Broken> {
    let mut update = Update {
        levels: Vec::new(),
        snapshot: head.action == b"snapshot",
        time: None,
        checksum: None,
        depth: None,
    };
    json.object(|key, json| match key {
        b"asks" => levels(Side::Sell, json, &mut update.levels, |_| {}),
        b"bids" => levels(Side::Buy, json, &mut update.levels, |_| {}),
        b"ts" => json.text().map(|text| update.time = millis(text)),
        b"checksum" => {
            let text = json.text()?;
            let number = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
            update.checksum = Some(match number {
                Some(number) => number,
                None => return json.broken(),
            });
            Ok(())
        }
        _ => json.skip(),
    })?;
    Ok(desk
        .who
        .named(head.symbol, out)
        .and_then(|id| desk.update(id, recv, &update, |book| i64::from(book.okx_checksum()), out)))
}

fn trade(
    desk: &mut Desk,
    recv: Timestamp,
    head: &Head<'_>,
    json: &mut Json<'_>,
    out: &mut Outlet,
) -> Result<Result<(), Stop>, Broken> {
    let (mut price, mut size, mut side, mut time, mut id) = (&b""[..], &b""[..], &b""[..], None, 0);
    json.object(|key, json| match key {
        b"px" => json.text().map(|text| price = text),
        b"sz" => json.text().map(|text| size = text),
        b"side" => json.text().map(|text| side = text),
        b"ts" => json.text().map(|text| time = millis(text)),
        b"tradeId" => {
            let text = json.text()?;
            id = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).unwrap_or(0);
            Ok(())
        }
        _ => json.skip(),
    })?;
    Ok((|| {
        let instrument = desk.who.named(head.symbol, out)?;
        let price = desk.price(instrument, price, out)?;
        let qty = desk.qty(instrument, size, out)?;
        if qty.is_zero() {
            return Err(out.zero_size());
        }
        let aggressor = match side {
            b"buy" => Some(Side::Buy),
            b"sell" => Some(Side::Sell),
            _ => None,
        };
        let trade = Trade { price, qty, aggressor, id };
        desk.push(instrument, time, recv, MarketData::Trade(trade), out)
    })())
}

fn ticker(
    desk: &mut Desk,
    recv: Timestamp,
    head: &Head<'_>,
    json: &mut Json<'_>,
    out: &mut Outlet,
) -> Result<Result<(), Stop>, Broken> {
    let mut parts = [&b""[..]; 4];
    let mut time = None;
    json.object(|key, json| match key {
        b"bidPx" => json.text().map(|text| parts[0] = text),
        b"bidSz" => json.text().map(|text| parts[1] = text),
        b"askPx" => json.text().map(|text| parts[2] = text),
        b"askSz" => json.text().map(|text| parts[3] = text),
        b"ts" => json.text().map(|text| time = millis(text)),
        _ => json.skip(),
    })?;
    Ok((|| {
        let instrument = desk.who.named(head.symbol, out)?;
        let mut quote = Quote::default();
        if !parts[0].is_empty() {
            quote.bid = desk.price(instrument, parts[0], out)?;
            quote.bid_qty = desk.qty(instrument, parts[1], out)?;
        }
        if !parts[2].is_empty() {
            quote.ask = desk.price(instrument, parts[2], out)?;
            quote.ask_qty = desk.qty(instrument, parts[3], out)?;
        }
        desk.push(instrument, time, recv, MarketData::Quote(quote), out)
    })())
}
