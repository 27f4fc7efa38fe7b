//! Stylised facts of the real data: what independent scripts computed from the files must follow
//! from our events too. Statistics are floats; they are compared as rounded as they were printed.

use crate::common::{DataFolder, dec, events, one};
use serde_json::Value;
use std::collections::BTreeMap;
use tse_data::{
    Column, Crossed, CsvSpec, Field, Format, LeanData, LeanMarket, LeanResolution, LeanSpec,
    Record, SourceSpec, Table, TimeFormat,
};
use tse_model::{Kind, MarketData, MarketEvent, Quote, Side, Span, Trade};

fn facts(data: &DataFolder) -> Value {
    let text = std::fs::read_to_string(data.join("expected/stylised-facts.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn agrees(what: &str, found: f64, expected: &Value) {
    let expected = expected.as_f64().unwrap();
    // Printed with two to four digits: half a unit of the last one, whichever that was.
    let text = format!("{expected}");
    let digits = text.split_once('.').map_or(0, |(_, behind)| behind.len());
    let half = 0.5 * 10f64.powi(-(digits as i32)) + 1e-9;
    assert!((found - expected).abs() <= half, "{what}: {found}, expected {expected}");
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn moment(values: &[f64], power: i32) -> f64 {
    let mean = mean(values);
    values.iter().map(|value| (value - mean).powi(power)).sum::<f64>() / values.len() as f64
}

fn kurtosis(values: &[f64]) -> f64 {
    moment(values, 4) / moment(values, 2).powi(2)
}

/// Autocorrelation, with the mean and variance of the whole.
fn acf(values: &[f64], lag: usize) -> f64 {
    let mean = mean(values);
    let pairs = values.iter().zip(&values[lag..]);
    let sum: f64 = pairs.map(|(a, b)| (a - mean) * (b - mean)).sum();
    sum / (moment(values, 2) * values.len() as f64)
}

fn agrees_by_lag(what: &str, values: &[f64], expected: &Value) {
    for (lag, value) in expected.as_object().unwrap() {
        agrees(&format!("{what} at lag {lag}"), acf(values, lag.parse().unwrap()), value);
    }
}

fn returns(prices: &[f64]) -> Vec<f64> {
    prices.windows(2).map(|pair| (pair[1] / pair[0]).ln()).collect()
}

fn sizes(values: &[f64]) -> Vec<f64> {
    values.iter().map(|value| value.abs()).collect()
}

const MARKETS: [(&str, &str, &str); 3] = [
    ("spot_btcusdt", "0.01", "0.00000001"),
    ("usdm_btcusdt", "0.1", "0.001"),
    ("cm_btcusd_perp", "0.1", "1"),
];

/// Something with the nanosecond of its time.
type At<T> = (i64, T);

/// Quotes and trades of a market in order of their receipt.
fn market(data: &DataFolder, which: usize) -> (Vec<At<Quote>>, Vec<At<Trade>>) {
    let (name, tick, lot) = MARKETS[which];
    let (catalog, id) = one("BTC-USDT.BINANCE", Kind::Spot, tick, lot);
    let read = |kind: &str, record, time: &str, columns: &[(Field, &str)]| {
        let named = |(field, name): &(Field, &str)| (*field, Column::Name((*name).to_owned()));
        let mut columns: Vec<_> = columns.iter().map(named).collect();
        columns.push(named(&(Field::TsEvent, time)));
        let table =
            Table { record: Some(record), columns, time: TimeFormat::Nanos, ..Table::default() };
        let format = Format::Csv(CsvSpec { table, ..CsvSpec::default() });
        let file = data.join(&format!("crypto-ticks/binance-norm/{name}_20240808.{kind}.csv.gz"));
        events(&SourceSpec::new(format, [file]).of(id), &catalog)
    };
    let sides = [
        (Field::Bid, "bid_px"),
        (Field::BidSize, "bid_qty"),
        (Field::Ask, "ask_px"),
        (Field::AskSize, "ask_qty"),
    ];
    let quotes = read("bbo", Record::Quotes, "ts_recv_ns", &sides);
    let columns = [(Field::Size, "qty"), (Field::Side, "aggressor"), (Field::Id, "trade_id")];
    let trades = read("trades", Record::Trades, "ts_event_ns", &columns);
    let quote = |event: &MarketEvent| match event.data {
        MarketData::Quote(quote) => (event.ts_event.nanos(), quote),
        _ => panic!(),
    };
    let trade = |event: &MarketEvent| match event.data {
        MarketData::Trade(trade) => (event.ts_event.nanos(), trade),
        _ => panic!(),
    };
    (quotes.iter().map(quote).collect(), trades.iter().map(trade).collect())
}

fn mid(quote: &Quote) -> f64 {
    quote.twice_mid().unwrap() as f64
}

/// The last mid of every second, carried on where there was none.
fn mids_by_second(quotes: &[(i64, Quote)]) -> BTreeMap<i64, f64> {
    let mut last: BTreeMap<i64, f64> = BTreeMap::new();
    for (at, quote) in quotes {
        last.insert(at / 1_000_000_000, mid(quote));
    }
    let (first, end) = (*last.keys().next().unwrap(), *last.keys().next_back().unwrap());
    let mut held = 0.0;
    (first..=end)
        .map(|second| {
            held = last.get(&second).copied().unwrap_or(held);
            (second, held)
        })
        .collect()
}

/// How often the next mid moves to the side with more on it, when one has three times the other.
fn imbalance_predicts(quotes: &[(i64, Quote)]) -> f64 {
    let (mut right, mut all) = (0u32, 0u32);
    let mut next: Option<(f64, f64)> = None;
    for (_, quote) in quotes.iter().rev() {
        let now = mid(quote);
        // The mid that follows, and the one that will once this one is left.
        next = match next {
            Some((here, beyond)) if here == now => Some((here, beyond)),
            Some((here, _)) => Some((now, here)),
            None => Some((now, now)),
        };
        let beyond = next.map_or(now, |(_, beyond)| beyond);
        let (bid, ask) = (quote.bid_qty.get() as f64, quote.ask_qty.get() as f64);
        if ((bid - ask) / (bid + ask)).abs() > 0.5 && beyond != now {
            all += 1;
            right += u32::from((beyond > now) == (bid > ask));
        }
    }
    f64::from(right) / f64::from(all)
}

#[test]
fn ticks_of_three_books_have_the_facts_of_the_independent_scripts() {
    let Some(data) = DataFolder::find("facts of ticks") else { return };
    let facts = facts(&data);
    for (which, (name, ..)) in MARKETS.iter().enumerate() {
        let expected = &facts[*name];
        let (quotes, trades) = market(&data, which);
        agrees("trades", trades.len() as f64, &expected["trades"]);
        agrees("quotes", quotes.len() as f64, &expected["quotes"]);
        let signs: Vec<f64> = trades
            .iter()
            .map(|(_, trade)| if trade.aggressor == Some(Side::Buy) { 1.0 } else { -1.0 })
            .collect();
        agrees("share of buyers", (mean(&signs) + 1.0) / 2.0, &expected["share_buy_aggr"]);
        agrees_by_lag("signs", &signs, &expected["sign_acf"]);
        let same = trades.windows(2).filter(|it| it[0].0 / 1_000_000 == it[1].0 / 1_000_000);
        let same = same.count() as f64 / trades.len() as f64;
        agrees("same millisecond", same, &expected["trades_same_ms"]);

        let mut spreads: Vec<i64> = quotes.iter().map(|(_, q)| (q.ask - q.bid).get()).collect();
        spreads.sort_unstable();
        let at = |hundredth: usize| spreads[spreads.len() * hundredth / 100] as f64;
        let spread = &expected["spread_ticks"];
        agrees("median spread", at(50), &spread["median"]);
        agrees("spread p90", at(90), &spread["p90"]);
        agrees("spread p99", at(99), &spread["p99"]);
        let narrow = spreads.iter().filter(|spread| **spread == 1).count();
        agrees("one tick", narrow as f64 / spreads.len() as f64, &spread["share_one_tick"]);
        let predicts = &expected["imbalance_gt_0_5_predicts_next_mid"];
        agrees("imbalance", imbalance_predicts(&quotes), predicts);

        let seconds: Vec<f64> = mids_by_second(&quotes).into_values().collect();
        let returns = returns(&seconds);
        agrees("returns", acf(&returns, 1), &expected["ret1s_acf1"]);
        agrees_by_lag("sizes of returns", &sizes(&returns), &expected["absret_acf"]);
        agrees("kurtosis", kurtosis(&returns), &expected["ret1s_kurtosis"]);
        agrees("volatility", moment(&returns, 2).sqrt() * 1e4, &expected["vol1s_bp"]);
    }
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let (mean_a, mean_b) = (mean(a), mean(b));
    let sum: f64 = a.iter().zip(b).map(|(a, b)| (a - mean_a) * (b - mean_b)).sum();
    sum / a.len() as f64 / (moment(a, 2) * moment(b, 2)).sqrt()
}

#[test]
fn the_perpetual_stands_below_spot_as_the_independent_scripts_found() {
    let Some(data) = DataFolder::find("facts of the basis") else { return };
    let expected = &facts(&data)["basis_usdm_over_spot_bp"];
    let [spot, perpetual] = [0, 1].map(|which| mids_by_second(&market(&data, which).0));
    // Ticks of a cent and of ten cents.
    let pairs: Vec<(f64, f64)> = spot
        .iter()
        .filter_map(|(second, mid)| Some((*mid, perpetual.get(second)? * 10.0)))
        .collect();
    let basis: Vec<f64> =
        pairs.iter().map(|(spot, perpetual)| (perpetual / spot - 1.0) * 1e4).collect();
    agrees("mean", mean(&basis), &expected["mean"]);
    agrees("sd", moment(&basis, 2).sqrt(), &expected["sd"]);
    agrees("min", basis.iter().copied().fold(f64::INFINITY, f64::min), &expected["min"]);
    agrees("max", basis.iter().copied().fold(f64::NEG_INFINITY, f64::max), &expected["max"]);
    agrees_by_lag("basis", &basis, &expected["acf"]);
    let (spot, perpetual): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
    let (spot, perpetual) = (returns(&spot), returns(&perpetual));
    for (lag, value) in expected["ret_corr_1s"].as_object().unwrap() {
        let lag: i32 = lag.parse().unwrap();
        let by = lag.unsigned_abs() as usize;
        let end = spot.len() - by;
        let found = match lag {
            0.. => correlation(&spot[..end], &perpetual[by..]),
            _ => correlation(&spot[by..], &perpetual[..end]),
        };
        agrees(&format!("correlation at lag {lag}"), found, value);
    }
}

#[test]
fn two_dealers_cross_as_often_as_the_independent_scripts_found() {
    let Some(data) = DataFolder::find("facts of fx") else { return };
    let facts = facts(&data);
    let (catalog, id) = one("EUR-USD.FXCM", Kind::Fx, "0.00001", "1");
    for day in ["20140506", "20140508"] {
        let expected = &facts[format!("fx_eurusd_{day}")];
        let mut rows: Vec<(i64, usize, i64, i64)> = Vec::new();
        for (dealer, name) in ["fxcm", "oanda"].into_iter().enumerate() {
            let table = Table {
                record: Some(Record::Quotes),
                columns: vec![(Field::TsEvent, Column::Name("ts_ms_utc".into()))],
                time: TimeFormat::Millis,
                size: Some(dec("1")),
                ..Table::default()
            };
            let file = data.join(&format!("fx-ticks/norm-utc/{name}_eurusd_{day}.csv.gz"));
            let format = Format::Csv(CsvSpec { table, ..CsvSpec::default() });
            let mut spec = SourceSpec::new(format, [file]).of(id);
            // FXCM's own bid is above its own ask in one quote of ten.
            spec.crossed = Some(Crossed::Keep);
            let quotes = events(&spec, &catalog);
            agrees("rows", quotes.len() as f64, &expected[format!("{name}_rows")]);
            let first = rows.len();
            rows.extend(quotes.iter().map(|event| match event.data {
                MarketData::Quote(it) => {
                    (event.ts_event.nanos(), dealer, it.bid.get(), it.ask.get())
                }
                _ => panic!(),
            }));
            let mut spreads: Vec<i64> = rows[first..].iter().map(|it| it.3 - it.2).collect();
            spreads.sort_unstable();
            let median = spreads[spreads.len() / 2] as f64 / 10.0;
            agrees("spread", median, &expected[format!("{name}_median_spread_pip")]);
        }
        // The scripts put quotes of one millisecond in order of dealer and price.
        rows.sort_unstable();
        let mut now = [None; 2];
        let (mut states, mut crossed, mut episodes, mut most, mut was) = (0, 0, 0, 0, false);
        for (_, dealer, bid, ask) in rows {
            now[dealer] = Some((bid, ask));
            let [Some(a), Some(b)] = now else { continue };
            let by = (a.0 - b.1).max(b.0 - a.1);
            states += 1;
            crossed += i32::from(by > 0);
            episodes += i32::from(by > 0 && !was);
            was = by > 0;
            most = most.max(by);
        }
        agrees("states", f64::from(states), &expected["states"]);
        agrees("crossed", f64::from(crossed), &expected["crossed_states"]);
        agrees("episodes", f64::from(episodes), &expected["crossed_episodes"]);
        agrees("most", most as f64 / 10.0, &expected["max_cross_pip"]);
    }
}

/// Closing prices of an archive of trade bars, with the day or minute each began.
fn closes(data: &DataFolder, lean: LeanSpec, path: &str) -> Vec<(String, f64)> {
    let span = if lean.resolution == LeanResolution::Daily { 86_400 } else { 60 };
    let (catalog, id) = one("BTC-USDT.X", Kind::Spot, "0.0001", "0.00000001");
    let mut spec = SourceSpec::new(Format::Lean(lean), [data.join(path)]).of(id);
    spec.off_grid = tse_data::OffGrid::Round;
    let close = |event: &MarketEvent| match event.data {
        MarketData::Bar(bar) => {
            ((event.ts_event - Span::from_secs(span)).to_string(), bar.close.get() as f64)
        }
        _ => panic!(),
    };
    events(&spec, &catalog).iter().map(close).collect()
}

#[test]
fn daily_bars_have_the_facts_of_the_independent_scripts() {
    let Some(data) = DataFolder::find("facts of days") else { return };
    let facts = facts(&data);
    let cases = [
        ("daily_spy", LeanMarket::UsEquity, "bars/equity/usa/daily/spy.zip", 252.0),
        ("daily_ibm", LeanMarket::UsEquity, "bars/equity/usa/daily/ibm.zip", 252.0),
        (
            "daily_btcusd_coinbase",
            LeanMarket::Crypto,
            "bars/crypto/coinbase/daily/btcusd_trade.zip",
            365.0,
        ),
    ];
    for (name, market, path, days) in cases {
        let expected = &facts[name];
        let lean = LeanSpec::new(market, LeanData::Trades, LeanResolution::Daily);
        let closes = closes(&data, lean, path);
        agrees("rows", closes.len() as f64, &expected["rows"]);
        let day = |at: &str| format!("{} 00:00", at[..10].replace('-', ""));
        assert_eq!(Some(&*day(&closes[0].0)), expected["first"].as_str());
        assert_eq!(Some(&*day(&closes[closes.len() - 1].0)), expected["last"].as_str());
        let prices: Vec<f64> = closes.iter().map(|(_, close)| *close).collect();
        let returns = returns(&prices);
        agrees("volatility", (moment(&returns, 2) * days).sqrt(), &expected["ann_vol"]);
        agrees("kurtosis", kurtosis(&returns), &expected["kurtosis"]);
        agrees("returns", acf(&returns, 1), &expected["acf1"]);
        agrees_by_lag("sizes of returns", &sizes(&returns), &expected["abs_acf"]);
    }
}

#[test]
fn minutes_of_two_exchanges_differ_as_the_independent_scripts_found() {
    let Some(data) = DataFolder::find("facts of minutes") else { return };
    let facts = facts(&data);
    let cases = [
        (
            "spot_min_binance_btcbusd_vs_bybit_btcusdt_bp",
            ["crypto/binance/minute/btcbusd", "crypto/bybit/minute/btcusdt"],
        ),
        (
            "inverse_perp_min_binance_vs_bybit_bp",
            ["cryptofuture/binance/minute/btcusd", "cryptofuture/bybit/minute/btcusd"],
        ),
    ];
    for (name, folders) in cases {
        let expected = &facts[name];
        let [ours, theirs] = folders.map(|folder| {
            let lean = LeanSpec::new(LeanMarket::Crypto, LeanData::Trades, LeanResolution::Minute);
            let path = format!("bars/{folder}/20221213_trade.zip");
            closes(&data, lean, &path).into_iter().collect::<BTreeMap<_, _>>()
        });
        let apart: Vec<f64> = ours
            .iter()
            .filter_map(|(minute, close)| Some((theirs.get(minute)? / close - 1.0) * 1e4))
            .collect();
        agrees("n", apart.len() as f64, &expected["n"]);
        agrees("mean", mean(&apart), &expected["mean"]);
        agrees("sd", moment(&apart, 2).sqrt(), &expected["sd"]);
        agrees("min", apart.iter().copied().fold(f64::INFINITY, f64::min), &expected["min"]);
        agrees("max", apart.iter().copied().fold(f64::NEG_INFINITY, f64::max), &expected["max"]);
    }
}
