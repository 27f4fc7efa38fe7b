//! The same workloads through hftbacktest 0.9.4.
//!
//! In go the same markets, converted into its rows beforehand and held in memory, which is its fastest
//! way in; out come its counts and the CPU time of its run alone. It is set as we are: tick 0.1, lot
//! 0.001, linear contract, the same fees, latencies and queue model, and its fastest book (an array
//! over a range of prices). Where it cannot do the same, the README says so.
//!
//! Begin at [`cross`], [`quoting`] and [`grid`].

use crate::bare::{GRID_EVERY_NS, GRID_LATENCY_NS, GRID_LEVELS, GRID_QUEUE_POWER, grid_prices};
use crate::generate::FIRST_BID;
use crate::measure::{Run, Tally, run};
use hftbacktest::backtest::assettype::LinearAsset;
use hftbacktest::backtest::data::Data;
use hftbacktest::backtest::models::{
    CommonFees, ConstantLatency, PowerProbQueueFunc, ProbQueueModel, TradingValueFeeModel,
};
use hftbacktest::backtest::{Backtest, DataSource, ExchangeKind, L2AssetBuilder};
use hftbacktest::depth::{INVALID_MAX, INVALID_MIN, MarketDepth, ROIVectorMarketDepth};
use hftbacktest::types::{
    BUY_EVENT, Bot, DEPTH_CLEAR_EVENT, DEPTH_EVENT, EXCH_EVENT, ElapseResult, Event, LOCAL_EVENT,
    OrdType, SELL_EVENT, TRADE_EVENT, TimeInForce,
};
use tse_model::{DepthChange, MarketData, MarketEvent, Quote, Side, Source};

const TICK: f64 = 0.1;
const LOT: f64 = 0.001;
const FEE: f64 = 0.000_1;
/// Longer than any market here, and far from overflow when added to a time.
const FOREVER_NS: i64 = 1 << 60;

type Hft = Backtest<ROIVectorMarketDepth>;

const CONTROLS: [&str; 3] = ["positions and fees in floats", "order states", "no gate, no ledger"];

/// (a)
pub fn cross(source: &mut dyn Source) -> Run {
    let (rows, events) = rows(source, 0);
    let mut hft = backtest(rows, 0);
    run(&CONTROLS, move |_| {
        let (mut fast, mut slow, mut seen) = (0.0, 0.0, 0u64);
        let mut tally = Tally { events, ..Tally::default() };
        while hft.wait_next_feed(false, FOREVER_NS).expect("it runs") == ElapseResult::MarketFeed {
            let depth = hft.depth(0);
            let mid = (depth.best_bid_tick() + depth.best_ask_tick()) as f64 / 2.0;
            seen += 1;
            if seen == 1 {
                (fast, slow) = (mid, mid);
            } else {
                fast = 2.0 / 11.0 * mid + (1.0 - 2.0 / 11.0) * fast;
                slow = 2.0 / 21.0 * mid + (1.0 - 2.0 / 21.0) * slow;
            }
            if seen < 20 {
                continue;
            }
            let want = if fast >= slow { LOT } else { -LOT };
            let difference = want - hft.position(0);
            if difference.abs() > LOT / 2.0 {
                tally.orders += 1;
                hft.clear_inactive_orders(Some(0));
                let (id, market) = (tally.orders, OrdType::Market);
                let tif = TimeInForce::IOC;
                if difference > 0.0 {
                    hft.submit_buy_order(0, id, 0.0, difference, tif, market, false)
                } else {
                    hft.submit_sell_order(0, id, 0.0, -difference, tif, market, false)
                }
                .expect("the order is sent");
            }
        }
        finish(&hft, tally)
    })
}

/// (b)
pub fn quoting(source: &mut dyn Source) -> Run {
    let (rows, events) = rows(source, 0);
    let mut hft = backtest(rows, 0);
    run(&CONTROLS, move |_| {
        let mut anchor = None;
        let mut live = [0; 2];
        let mut tally = Tally { events, ..Tally::default() };
        while hft.wait_next_feed(false, FOREVER_NS).expect("it runs") == ElapseResult::MarketFeed {
            let depth = hft.depth(0);
            let mid = depth.best_bid_tick() + depth.best_ask_tick();
            if anchor.is_some_and(|anchor: i64| (mid - anchor).abs() < 2) {
                continue;
            }
            anchor = Some(mid);
            hft.clear_inactive_orders(Some(0));
            for id in live {
                if hft.orders(0).get(&id).is_some_and(|order| order.cancellable()) {
                    hft.cancel(0, id, false).expect("the cancel is sent");
                    tally.cancels += 1;
                }
            }
            live = [tally.orders + 1, tally.orders + 2];
            tally.orders += 2;
            place(&mut hft, live[0], Side::Buy, mid.div_euclid(2) - 2);
            place(&mut hft, live[1], Side::Sell, (mid + 1).div_euclid(2) + 2);
        }
        finish(&hft, tally)
    })
}

/// (c)
pub fn grid(source: &mut dyn Source) -> Run {
    let (rows, events) = rows(source, GRID_LATENCY_NS);
    let mut hft = backtest(rows, GRID_LATENCY_NS);
    run(&CONTROLS, move |_| {
        let mut tally = Tally { events, ..Tally::default() };
        let mut live: Vec<(u64, Side, i64)> = Vec::with_capacity(4 * GRID_LEVELS as usize);
        let mut off = live.clone();
        while hft.elapse(GRID_EVERY_NS).expect("it runs") == ElapseResult::Ok {
            let depth = hft.depth(0);
            let (bid, ask) = (depth.best_bid_tick(), depth.best_ask_tick());
            if bid == INVALID_MIN || ask == INVALID_MAX {
                continue;
            }
            hft.clear_inactive_orders(Some(0));
            live.retain(|(id, ..)| hft.orders(0).contains_key(id));
            for side in Side::BOTH {
                let wanted = || grid_prices(side, bid + ask);
                off.clear();
                off.extend(
                    live.iter()
                        .filter(|(_, s, at)| *s == side && wanted().all(|price| price != *at)),
                );
                for &(id, ..) in &off {
                    hft.cancel(0, id, false).expect("the cancel is sent");
                    tally.cancels += 1;
                }
                for price in wanted() {
                    if !live.iter().any(|(_, s, at)| (*s, *at) == (side, price)) {
                        tally.orders += 1;
                        place(&mut hft, tally.orders, side, price);
                        live.push((tally.orders, side, price));
                    }
                }
            }
        }
        finish(&hft, tally)
    })
}

fn place(hft: &mut Hft, id: u64, side: Side, tick: i64) {
    let price = tick as f64 * TICK;
    let (tif, limit) = (TimeInForce::GTX, OrdType::Limit);
    match side {
        Side::Buy => hft.submit_buy_order(0, id, price, LOT, tif, limit, false),
        Side::Sell => hft.submit_sell_order(0, id, price, LOT, tif, limit, false),
    }
    .expect("the order is sent");
}

fn finish(hft: &Hft, mut tally: Tally) -> Tally {
    let values = hft.state_values(0);
    tally.fills = u64::try_from(values.num_trades).expect("trades are counted upwards");
    tally.check = (values.balance * 1_000.0) as i64 ^ (values.fee * 1e6) as i64;
    tally
}

fn backtest(rows: Vec<Event>, latency: i64) -> Hft {
    let (low, high) = rows
        .iter()
        .filter(|row| row.px > 0.0)
        .fold((f64::MAX, 0.0f64), |(l, h), row| (l.min(row.px), h.max(row.px)));
    let (low, high) = (low - 100.0 * TICK, high + 100.0 * TICK);
    let asset = L2AssetBuilder::new()
        .data(vec![DataSource::Data(Data::from_data(&rows))])
        .latency_model(ConstantLatency::new(latency, latency))
        .asset_type(LinearAsset::new(1.0))
        .fee_model(TradingValueFeeModel::new(CommonFees::new(FEE, FEE)))
        .queue_model(ProbQueueModel::new(PowerProbQueueFunc::new(f64::from(GRID_QUEUE_POWER))))
        .exchange(ExchangeKind::NoPartialFillExchange)
        .depth(move || ROIVectorMarketDepth::new(TICK, LOT, low, high))
        .build()
        .expect("nothing is missing");
    Hft::builder().add_asset(asset).build().expect("nothing is missing")
}

/// The market as rows, and how many events it had.
///
/// A quote becomes the changes that make it so of a book with one level a side: one row for a quantity,
/// up to four for a move, in an order in which the book never crosses.
fn rows(source: &mut dyn Source, latency: i64) -> (Vec<Event>, u64) {
    let (mut batch, mut rows, mut events) = (Vec::new(), Vec::new(), 0);
    let mut shown = None;
    loop {
        batch.clear();
        source.read(&mut batch).expect("a generator does not fail");
        if batch.is_empty() {
            return (rows, events);
        }
        events += batch.len() as u64;
        for event in &batch {
            convert(event, &mut shown, &mut |kind, tick, qty| {
                let at = event.ts_event.nanos();
                rows.push(Event {
                    ev: kind | EXCH_EVENT | LOCAL_EVENT,
                    exch_ts: at,
                    local_ts: at + latency,
                    px: tick as f64 * TICK,
                    qty: qty as f64 * LOT,
                    order_id: 0,
                    ival: 0,
                    fval: 0.0,
                });
            });
        }
    }
}

fn convert(event: &MarketEvent, shown: &mut Option<Quote>, row: &mut dyn FnMut(u64, i64, i64)) {
    let of = |side| if side == Side::Buy { BUY_EVENT } else { SELL_EVENT };
    match event.data {
        MarketData::Quote(quote) => {
            let before = shown.replace(quote);
            // What moves away goes first, so that the other side finds room.
            let up = before.is_some_and(|before| quote.bid > before.bid);
            for side in if up { [Side::Sell, Side::Buy] } else { Side::BOTH } {
                let new = quote.side(side).expect("both sides are quoted");
                let old = before.and_then(|before| before.side(side));
                if old != Some(new) {
                    row(DEPTH_EVENT | of(side), new.0.get(), new.1.get());
                }
                if let Some((price, _)) = old.filter(|old| old.0 != new.0) {
                    row(DEPTH_EVENT | of(side), price.get(), 0);
                }
            }
        }
        MarketData::Trade(trade) => {
            let aggressor = trade.aggressor.expect("the generators say who took");
            row(TRADE_EVENT | of(aggressor), trade.price.get(), trade.qty.get());
        }
        MarketData::Depth(depth) => match depth.change {
            DepthChange::Set { side, price, qty } => {
                row(DEPTH_EVENT | of(side), price.get(), qty.get());
            }
            DepthChange::Clear => row(DEPTH_CLEAR_EVENT, FIRST_BID, 0),
            DepthChange::Gap => {}
        },
        _ => {}
    }
}
