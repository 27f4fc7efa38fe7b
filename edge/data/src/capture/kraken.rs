//! Kraken, API v1: channels `book-N` and `trade`.
//!
//! A message is an array: number, one or two objects (asks and bids apart), channel, pair. Every
//! level carries its own time; the message happened at the latest of them.

use super::{Desk, Update, broken, levels, seconds};
use crate::grid::Stop;
use crate::json::{Broken, Json};
use crate::outlet::Outlet;
use tse_model::{MarketData, Side, Timestamp, Trade};

/// The parts of a message.
#[derive(Default)]
struct Parts<'a> {
    bodies: Vec<Json<'a>>,
    channel: &'a [u8],
    pair: &'a [u8],
}

/// `None` for messages about the connection, which are objects.
fn parts(text: &[u8]) -> Result<Option<Parts<'_>>, Broken> {
    let mut json = Json::new(text);
    if json.peek() != Some(b'[') {
        return json.skip().map(|()| None);
    }
    let mut parts = Parts::default();
    json.array(|json| {
        match json.peek() {
            Some(b'{' | b'[') => {
                parts.bodies.push(*json);
                json.skip()?;
            }
            Some(b'"') => {
                parts.channel = parts.pair;
                parts.pair = json.string()?;
            }
            _ => json.skip()?,
        }
        Ok(())
    })?;
    json.end()?;
    Ok(Some(parts))
}

fn update<'a>(parts: &Parts<'a>) -> Result<Update<'a>, Broken> {
    let digits = parts.channel.strip_prefix(b"book-").unwrap_or_default();
    let mut update = Update {
        levels: Vec::new(),
        snapshot: false,
        time: None,
        checksum: None,
        depth: std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()),
    };
    let mut time: Option<i64> = None;
    let mut latest = |text: &[u8]| {
        // The fourth part of a level, if there is one, is the letter `r` for "sent again".
        if let Some(at) = seconds(text) {
            time = Some(time.map_or(at, |time| time.max(at)));
        }
    };
    for mut body in parts.bodies.iter().copied() {
        body.object(|key, json| match key {
            b"a" => levels(Side::Sell, json, &mut update.levels, &mut latest),
            b"b" => levels(Side::Buy, json, &mut update.levels, &mut latest),
            b"as" | b"bs" => {
                update.snapshot = true;
                let side = if key == b"as" { Side::Sell } else { Side::Buy };
                levels(side, json, &mut update.levels, &mut latest)
            }
            b"c" => json.natural().map(|sum| update.checksum = i64::try_from(sum).ok()),
            _ => json.skip(),
        })?;
    }
    update.time = time;
    Ok(update)
}

/// The time of a depth message.
pub(super) fn time_in(text: &[u8]) -> Option<i64> {
    let parts = parts(text).ok()??;
    let update = parts.channel.starts_with(b"book-").then(|| update(&parts))?.ok()?;
    // A snapshot tells when its levels were placed, which says nothing about the clock.
    if update.snapshot { None } else { update.time }
}

pub(super) fn message(
    desk: &mut Desk,
    recv: Timestamp,
    text: &[u8],
    out: &mut Outlet,
) -> Result<(), Stop> {
    let Some(parts) = parts(text).map_err(|found| broken(found, text))? else {
        out.counts.other_messages += 1;
        return Ok(());
    };
    if parts.channel.starts_with(b"book-") {
        let mut update = update(&parts).map_err(|found| broken(found, text))?;
        if update.snapshot {
            update.time = None;
        }
        let id = desk.who.named(parts.pair, out)?;
        return desk.update(id, recv, &update, |book| i64::from(book.kraken_checksum()), out);
    }
    if parts.channel == b"trade" {
        return trades(desk, recv, &parts, out).map_err(|found| broken(found, text))?;
    }
    out.counts.other_messages += 1;
    Ok(())
}

fn trades(
    desk: &mut Desk,
    recv: Timestamp,
    parts: &Parts<'_>,
    out: &mut Outlet,
) -> Result<Result<(), Stop>, Broken> {
    let instrument = match desk.who.named(parts.pair, out) {
        Ok(instrument) => instrument,
        Err(stop) => return Ok(Err(stop)),
    };
    let mut done = Ok(());
    for mut body in parts.bodies.iter().copied() {
        body.array(|json| {
            // Price, volume, time, side, order type, miscellaneous.
            let mut fields = [&b""[..]; 6];
            let mut count = 0;
            json.array(|json| {
                let field = json.text()?;
                if let Some(place) = fields.get_mut(count) {
                    *place = field;
                }
                count += 1;
                Ok(())
            })?;
            let one = (|| {
                let price = desk.price(instrument, fields[0], out)?;
                let qty = desk.qty(instrument, fields[1], out)?;
                if qty.is_zero() {
                    return Err(out.zero_size());
                }
                let aggressor = match fields[3] {
                    b"b" => Some(Side::Buy),
                    b"s" => Some(Side::Sell),
                    _ => None,
                };
                let trade = Trade { price, qty, aggressor, id: 0 };
                let time = seconds(fields[2]);
                desk.push(instrument, time, recv, MarketData::Trade(trade), out)
            })();
            if done.is_ok() {
                done = one;
            }
            Ok(())
        })?;
    }
    Ok(done)
}
