//! How many changes a second go into SQLite and PostgreSQL, in batches, as a projector writes them.
//!
//! `cargo run --release -p tse-storage --features testing --example rows -- [CHANGES] [BATCH]`
//!
//! The source is made beforehand: one strategy, then an order, its fill and its trade again and again, as an
//! engine that trades would give them. Within a batch the order and its fill are one row, so of three
//! changes two rows are written. Each batch is one transaction and as durable as the store is by
//! itself. PostgreSQL is a throw-away server of its own, reached by a socket; without one it is left out.
#![allow(clippy::print_stdout, reason = "it is run at a terminal")]

use std::error::Error;
use std::sync::Arc;
use std::time::Instant;
use tse_storage::{
    Batch, Change, Clock, Decimal, Memory, Moment, Order, OrderStatus, Projection, Side, Sqlite,
    Strategy, StrategyType, SystemClock, Trade,
};

fn main() -> Result<(), Box<dyn Error>> {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse::<usize>());
    let count = numbers.next().transpose()?.unwrap_or(100_000);
    let size = numbers.next().transpose()?.unwrap_or(1_000).max(1);
    let batches = batches(count, size)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(measure(&batches, count))
}

/// So many changes, in batches of this size.
fn batches(rows: usize, size: usize) -> Result<Vec<Batch>, Box<dyn Error>> {
    let start = SystemClock.now();
    let mut changes = vec![Change::Strategy(Strategy::new("s", StrategyType::Momentum, start))];
    for n in 0.. {
        if changes.len() >= rows {
            break;
        }
        let at = Moment::from_micros(start.micros() + n);
        let id = format!("S0-1-{n}");
        let placed = Order::new(&id, "s", "BTC-USDT", Side::Buy, Decimal::new(15, 1), at);
        let filled = Order {
            status: OrderStatus::Filled,
            filled_quantity: placed.quantity,
            remaining_quantity: Decimal::ZERO,
            average_fill_price: Some(Decimal::new(5_000_012_345, 5)),
            filled_at: Some(at),
            ..placed.clone()
        };
        let trade = Trade {
            trade_id: format!("T{n}"),
            order_id: id.clone(),
            strategy_id: "s".to_owned(),
            instrument_id: "BTC-USDT".to_owned(),
            side: Side::Buy,
            quantity: filled.quantity,
            price: Decimal::new(5_000_012_345, 5),
            gross_value: Decimal::ZERO,
            commission: Decimal::new(75, 1),
            net_value: Decimal::ZERO,
            exchange_trade_id: Some(format!("x{n}")),
            execution_venue: "sim".to_owned(),
            liquidity_flag: None,
            realized_pnl: None,
            executed_at: at,
            created_at: at,
            notes: None,
        };
        let trade = trade.with_values()?;
        changes.extend([Change::Order(placed), Change::Order(filled), Change::Trade(trade)]);
    }
    changes.truncate(rows);
    let mut batches = Vec::new();
    let mut next = 1;
    for changes in changes.chunks(size) {
        let to = next + changes.len() as u64 - 1;
        batches.push(Batch { from: next, to, changes: changes.to_vec() });
        next = to + 1;
    }
    Ok(batches)
}

async fn measure(batches: &[Batch], rows: usize) -> Result<(), Box<dyn Error>> {
    let memory = Memory::new(Arc::new(SystemClock));
    time("memory", &memory, batches, rows).await?;
    let folder = std::env::temp_dir().join(format!("tse-rows-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let sqlite = Sqlite::open(&folder.join("store.db"), Arc::new(SystemClock)).await?;
    let timed = time("sqlite", &sqlite, batches, rows).await;
    sqlite.close().await;
    std::fs::remove_dir_all(&folder)?;
    timed?;
    postgres(batches, rows).await
}

#[cfg(unix)]
async fn postgres(batches: &[Batch], rows: usize) -> Result<(), Box<dyn Error>> {
    use tse_storage::testing::PostgresServer;
    use tse_storage::{Postgres, PostgresOptions, Schema, StoreUrl, migrate};
    let Some(server) = PostgresServer::start_careful(&[]) else { return Ok(()) };
    let (url, schema) = (StoreUrl::parse(&server.url("postgres"))?, Schema::new("trading")?);
    migrate(&url, &schema, None).await?;
    let store = Postgres::new(&PostgresOptions::new(url, schema), Arc::new(SystemClock))?;
    time("postgres", &store, batches, rows).await
}

#[cfg(not(unix))]
async fn postgres(_: &[Batch], _: usize) -> Result<(), Box<dyn Error>> {
    Ok(())
}

async fn time(
    name: &str,
    store: &impl Projection,
    batches: &[Batch],
    rows: usize,
) -> Result<(), Box<dyn Error>> {
    let mut slowest = 0.0_f64;
    let began = Instant::now();
    for batch in batches {
        let before = Instant::now();
        store.apply("rows", batch).await?;
        slowest = slowest.max(before.elapsed().as_secs_f64());
    }
    let took = began.elapsed().as_secs_f64();
    println!(
        "{name:<9} {rows} changes in {} batches: {:.0} changes/s, slowest batch {:.1} ms",
        batches.len(),
        rows as f64 / took,
        slowest * 1_000.0
    );
    Ok(())
}
