//! The quick book does what the naive book does: millions of random commands, all reports, all
//! answers, the whole book after each. And it allocates nothing once warm.
//!
//! `TSE_SEED=n cargo test -p tse-matching --test properties` runs one seed; `TSE_EPISODES=n` runs
//! more or fewer of 2,000 commands each than the 300 a market of every day.

mod twin;

use std::collections::BTreeMap;

use tse_matching::{Book, Capacity, NewOrder, Report};
use tse_model::{Chance, Qty, Side};
use twin::naive::Fault;
use twin::{Command, MARKETS, Pair, Quick, episode};

const LENGTH: usize = 2_000;

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a whole number"))
}

fn compare(market: usize) {
    let market = &MARKETS[market];
    let episodes = setting("TSE_EPISODES").unwrap_or(300);
    let seeds = setting("TSE_SEED").map_or(0..episodes, |seed| seed..seed + 1);
    for seed in seeds {
        if let Err((commands, how)) = episode(market, seed, LENGTH, Fault::None) {
            let list: String = commands.iter().map(|command| format!("   {command:?}\n")).collect();
            panic!(
                "the books differ in market `{}` with seed {seed}\n{how}\n\
                 after these commands, the last of which shows it:\n{list}\
                 replay: TSE_SEED={seed} cargo test -p tse-matching --test properties {}",
                market.name, market.name
            );
        }
    }
}

macro_rules! markets {
    ($($test:ident = $market:literal),*) => {
        $(#[test]
        fn $test() {
            compare($market);
        })*
    };
}

markets!(
    the_books_agree_in_a_dense_market = 0,
    the_books_agree_in_a_wide_market = 1,
    the_books_agree_in_a_market_full_of_stops = 2,
    the_books_agree_in_a_market_full_of_icebergs = 3,
    the_books_agree_on_huge_quantities = 4,
    the_books_agree_at_the_lowest_prices = 5,
    the_books_agree_at_the_highest_prices = 6
);

#[test]
fn every_planted_fault_is_found_and_shrunk_to_a_few_commands() {
    let faults = [
        Fault::Lifo,
        Fault::SliceKeepsPlace,
        Fault::FokCountsOwn,
        Fault::SameQuantityLosesPlace,
        Fault::StopsWakeByArrival,
        Fault::TrailFollowsBothWays,
        Fault::DecrementTakesShown,
    ];
    for fault in faults {
        let found = MARKETS
            .iter()
            .flat_map(|market| (0..20).map(move |seed| episode(market, seed, LENGTH, fault)))
            .find_map(Result::err);
        let (commands, how) = found.unwrap_or_else(|| panic!("nobody noticed {fault:?}"));
        assert!(commands.len() <= 8, "{fault:?}: {how}\n{commands:#?}");
    }
}

#[test]
fn the_commands_reach_every_kind_of_report() {
    let mut seen = [false; 11];
    for market in &MARKETS {
        let mut chance = Chance::stream(1, market.name);
        let (mut pair, mut tags) = (Pair::new(Fault::None), 0);
        for _ in 0..LENGTH {
            let command = market.command(&pair, &mut tags, &mut chance);
            pair.step(&command).expect("the books agree");
            for report in pair.reports() {
                seen[match report {
                    Report::Accepted { .. } => 0,
                    Report::Rejected { .. } => 1,
                    Report::Rested { .. } => 2,
                    Report::Armed { .. } => 3,
                    Report::Triggered { .. } => 4,
                    Report::Fill(_) => 5,
                    Report::Executed { .. } => 6,
                    Report::Decremented { .. } => 7,
                    Report::Replenished { .. } => 8,
                    Report::Modified { .. } => 9,
                    Report::Cancelled { .. } => 10,
                }] = true;
            }
        }
    }
    assert_eq!(seen, [true; 11]);
}

/// Gives a book commands, and says how much memory it and the reports then have.
fn run(book: Book, commands: &[Command]) -> (Book, Capacity, usize) {
    let (mut quick, mut out) = (Quick::new(book), Vec::with_capacity(256));
    for command in commands {
        out.clear();
        let _ = quick.give(command, &mut out);
        quick.learn_from(&out);
    }
    let capacity = quick.book.capacity();
    (quick.book, capacity, out.capacity())
}

#[test]
fn a_warm_book_allocates_nothing() {
    for market in &MARKETS {
        let mut chance = Chance::stream(5, market.name);
        let (mut pair, mut tags, mut commands) = (Pair::new(Fault::None), 0, Vec::new());
        for _ in 0..20_000 {
            let command = market.command(&pair, &mut tags, &mut chance);
            pair.step(&command).expect("the books agree");
            commands.push(command);
        }
        let (mut book, warm, out) = run(Book::new(), &commands);
        // Empty it, and let the same happen again and again: the book is as large as it was.
        for _ in 0..3 {
            for side in Side::BOTH {
                let open: Vec<_> = book
                    .levels(side)
                    .flat_map(|level| book.queue(side, level.price))
                    .map(|order| order.handle)
                    .chain(book.stops(side).map(|stop| stop.handle))
                    .collect();
                open.into_iter().for_each(|handle| book.set_qty(handle, Qty::ZERO).unwrap());
            }
            assert_eq!(book.open_orders(), 0);
            let (again, capacity, out_again) = run(book, &commands);
            assert_eq!((capacity, out_again), (warm, out), "in market {}", market.name);
            book = again;
        }
    }
}

/// How much of each order is open, as far as commands and reports tell.
#[derive(Default)]
struct Account {
    open: BTreeMap<u64, i64>,
}

impl Account {
    fn take(&mut self, tag: u64, qty: Qty, leaves: Qty) {
        let open = self.open.get_mut(&tag).expect("it is open");
        *open -= qty.get();
        assert_eq!(*open, leaves.get(), "order {tag} lost or gained quantity");
        assert!(qty.is_positive());
    }

    fn hear(&mut self, report: Report, placed: Option<NewOrder>) {
        match report {
            Report::Accepted { tag } => {
                let placed = placed.expect("only a placed order is accepted");
                assert!(self.open.insert(tag, placed.qty.get()).is_none());
            }
            Report::Fill(fill) => {
                self.take(fill.maker_tag, fill.qty, fill.maker_leaves);
                self.take(fill.taker_tag, fill.qty, fill.taker_leaves);
            }
            Report::Decremented {
                maker_tag, taker_tag, qty, maker_leaves, taker_leaves, ..
            } => {
                self.take(maker_tag, qty, maker_leaves);
                self.take(taker_tag, qty, taker_leaves);
            }
            Report::Executed { tag, qty, leaves, .. } => self.take(tag, qty, leaves),
            Report::Cancelled { tag, leaves, .. } => {
                assert_eq!(self.open.insert(tag, 0), Some(leaves.get()));
            }
            Report::Modified { tag, leaves, .. } => drop(self.open.insert(tag, leaves.get())),
            Report::Rested { tag, leaves, .. } => assert_eq!(self.open[&tag], leaves.get()),
            Report::Rejected { .. }
            | Report::Armed { .. }
            | Report::Triggered { .. }
            | Report::Replenished { .. } => {}
        }
    }
}

#[test]
fn commands_and_reports_alone_account_for_every_lot() {
    for market in &MARKETS {
        let mut chance = Chance::stream(9, market.name);
        let (mut pair, mut tags) = (Pair::new(Fault::None), 0);
        let mut account = Account::default();
        for _ in 0..20_000 {
            let command = market.command(&pair, &mut tags, &mut chance);
            pair.step(&command).expect("the books agree");
            let mut placed = None;
            match command {
                Command::Place(order) => placed = Some(order),
                Command::Rest(order) | Command::InsertBefore { order, .. } if pair.obeyed() => {
                    account.open.insert(order.tag, order.qty.get());
                }
                Command::SetQty { tag, qty } if pair.obeyed() => {
                    account.open.insert(tag, qty);
                }
                _ => {}
            }
            pair.reports().iter().for_each(|report| account.hear(*report, placed));
        }
        account.open.retain(|_, open| *open != 0);
        let book = &pair.quick.book;
        let mut left = BTreeMap::new();
        for side in Side::BOTH {
            let resting = book.levels(side).flat_map(|level| book.queue(side, level.price));
            left.extend(resting.map(|order| (order.tag, order.leaves.get())));
            left.extend(book.stops(side).map(|stop| (stop.tag, stop.leaves.get())));
        }
        assert_eq!(account.open, left, "in market {}", market.name);
    }
}
