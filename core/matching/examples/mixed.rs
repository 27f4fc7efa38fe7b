//! Nanoseconds per command on a mixed stream: 55 % limit orders, 38 % cancels, 7 % market orders.
//!
//! `cargo run --release -p tse-matching --example mixed [seed] [name of one line]`
//!
//! The stream is drawn beforehand from one seed (42) by running it through a book, so that cancels
//! name orders that are open; the timed runs then only look up handles in a table, place, cancel and
//! read what is reported. New orders rest: they are priced `1 + d` ticks behind the best price of
//! the other side. Sides are even; limit quantities are uniform in 1..=10 and market quantities in
//! 1..=26, which eats on average what adds exceed cancels by, so the book stays as large as it was
//! prefilled. Cancels take any open order, all alike. Three books differ in `d`:
//!
//! * `near`: octave `k` with chance 2^-(k+1), uniform within it, up to 4,094 ticks: half of all orders
//!   at the best price or one beside it, with a long tail. 10,000 orders.
//! * `deep`: uniform over 5,000 ticks: 5,000 levels a side, touched all over. 20,000 orders.
//! * `sparse`: uniform over 500,000 ticks: nearly each order a level of its own. 20,000 orders.
//!
//! A run is 1,000,000 commands on a warm book; printed are the best and the median of nine.
//!
//! A last line, `feed`, is about an owner that keeps one order per price as recorded depth says: each
//! update draws a side, a distance as in `near` from a middle that wanders, and a quantity, zero one
//! time in five; the order there is looked up by price and rested, set or taken out.

#![allow(clippy::print_stdout, reason = "it is what a program prints with")]

use std::hint::black_box;
use std::time::Instant;

use tse_matching::{Book, Handle, NewOrder, Owner, Report};
use tse_model::{Chance, Price, Qty, Side};

const COMMANDS: usize = 1_000_000;
const RUNS: usize = 9;

#[derive(Clone, Copy)]
enum Command {
    Add { key: u32, side: Side, price: i64, qty: i64 },
    Cancel { key: u32 },
    Market { side: Side, qty: i64 },
}

#[derive(Clone, Copy)]
struct Shape {
    name: &'static str,
    orders: usize,
    distance: fn(&mut Chance) -> i64,
}

const SHAPES: [Shape; 3] = [
    Shape {
        name: "near",
        orders: 10_000,
        distance: |chance| {
            let octave = chance.bits().trailing_zeros().min(11);
            let low = (1 << octave) - 1;
            chance.between(low, 2 * low)
        },
    },
    Shape { name: "deep", orders: 20_000, distance: |chance| chance.between(0, 4_999) },
    Shape { name: "sparse", orders: 20_000, distance: |chance| chance.between(0, 499_999) },
];

/// The owner's table: which handle an order of the stream has. Keys of closed orders are reused.
type Handles = Vec<Option<Handle>>;

fn carry_out(book: &mut Book, handles: &mut Handles, command: Command, out: &mut Vec<Report>) {
    match command {
        Command::Add { key, side, price, qty } => {
            let order =
                NewOrder::limit(Owner(1), key.into(), side, Price::new(price), Qty::new(qty));
            handles[key as usize] = book.place(order, out).ok().and_then(|done| done.handle());
        }
        Command::Cancel { key } => {
            let handle = handles[key as usize].expect("the stream cancels what is open");
            book.cancel(handle, out).expect("the stream cancels what is open");
        }
        Command::Market { side, qty } => {
            let order = NewOrder::market(Owner(2), u64::MAX, side, Qty::new(qty));
            // A side may run empty: the refusal is part of the stream.
            let _ = book.place(order, out);
        }
    }
}

/// Draws streams that make sense in the book as it is by then.
struct Generator {
    chance: Chance,
    shape: Shape,
    book: Book,
    handles: Handles,
    open: Vec<u32>,
    /// Where in `open` a key is.
    at: Vec<usize>,
    unused: Vec<u32>,
    out: Vec<Report>,
}

impl Generator {
    fn new(seed: u64, shape: Shape) -> Self {
        let room = shape.orders * 4;
        Self {
            chance: Chance::stream(seed, shape.name),
            shape,
            book: Book::with_capacity(room, room),
            handles: vec![None; room],
            open: Vec::new(),
            at: vec![0; room],
            unused: (0..room as u32).rev().collect(),
            out: Vec::new(),
        }
    }

    fn add(&mut self) -> Command {
        let side = if self.chance.one_in(1, 2) { Side::Buy } else { Side::Sell };
        let other = self.book.best_price(side.opposite()).unwrap_or(Price::ZERO);
        let behind = 1 + (self.shape.distance)(&mut self.chance);
        let key = self.unused.pop().expect("the book keeps its size");
        self.at[key as usize] = self.open.len();
        self.open.push(key);
        let price = side.away(other, behind).get();
        Command::Add { key, side, price, qty: self.chance.between(1, 10) }
    }

    fn draw(&mut self) -> Command {
        match self.chance.below(100) {
            0..55 => self.add(),
            55..93 => {
                let pick = self.chance.below(self.open.len() as u64) as usize;
                Command::Cancel { key: self.open[pick] }
            }
            _ => {
                let side = if self.chance.one_in(1, 2) { Side::Buy } else { Side::Sell };
                Command::Market { side, qty: self.chance.between(1, 26) }
            }
        }
    }

    fn carry_out(&mut self, command: Command) {
        self.out.clear();
        carry_out(&mut self.book, &mut self.handles, command, &mut self.out);
        for report in &self.out {
            let closed = match report {
                Report::Fill(fill) if fill.maker_leaves.is_zero() => fill.maker_tag,
                Report::Cancelled { handle: Some(_), tag, .. } => *tag,
                _ => continue,
            };
            let at = self.at[closed as usize];
            self.open.swap_remove(at);
            if let Some(moved) = self.open.get(at) {
                self.at[*moved as usize] = at;
            }
            self.unused.push(closed as u32);
        }
    }
}

/// Times `run` on a fresh copy of something nine times; tells tenths of a nanosecond per command.
fn timed<T: Clone>(start_from: &T, mut run: impl FnMut(&mut T)) -> (u128, u128) {
    let mut times: Vec<u128> = (0..RUNS)
        .map(|_| {
            let mut copy = start_from.clone();
            let start = Instant::now();
            run(&mut copy);
            let time = start.elapsed().as_nanos();
            black_box(&copy);
            time * 10 / COMMANDS as u128
        })
        .collect();
    times.sort_unstable();
    (times[0], times[RUNS / 2])
}

fn print(name: &str, (best, median): (u128, u128), about: &str) {
    let (b, m) = ((best / 10, best % 10), (median / 10, median % 10));
    println!("{name:<7} {:>3}.{} ns, median {:>3}.{} ns   {about}", b.0, b.1, m.0, m.1);
}

fn mixed(seed: u64, shape: Shape) {
    let mut generator = Generator::new(seed, shape);
    while generator.open.len() < shape.orders {
        let add = generator.add();
        generator.carry_out(add);
    }
    // What the prefill looks like still shows in the shape of the book: let it settle.
    for _ in 0..COMMANDS / 2 {
        let command = generator.draw();
        generator.carry_out(command);
    }
    let book = generator.book.clone();
    let start_from = (book.clone(), generator.handles.clone());
    let stream: Vec<Command> = (0..COMMANDS)
        .map(|_| {
            let command = generator.draw();
            generator.carry_out(command);
            command
        })
        .collect();
    let (mut reports, mut fills) = (0, 0);
    let mut out = Vec::with_capacity(1_024);
    let times = timed(&start_from, |(book, handles)| {
        (reports, fills) = (0, 0);
        for command in &stream {
            out.clear();
            carry_out(book, handles, *command, &mut out);
            reports += out.len();
            fills += out.iter().filter(|report| matches!(report, Report::Fill(_))).count();
        }
    });
    let [bids, asks] = Side::BOTH.map(|side| book.levels(side).count());
    let orders = book.open_orders();
    let about =
        format!("{orders} orders on {bids}+{asks} levels, {reports} reports, {fills} fills");
    print(shape.name, times, &about);
}

fn feed(seed: u64) {
    let mut chance = Chance::stream(seed, "feed");
    let mut middle = 0;
    let updates: Vec<(Side, Price, Qty)> = (0..COMMANDS)
        .map(|_| {
            middle += i64::from(chance.one_in(1, 40)) - i64::from(chance.one_in(1, 40));
            let side = if chance.one_in(1, 2) { Side::Buy } else { Side::Sell };
            let behind = 1 + (SHAPES[0].distance)(&mut chance);
            let qty = if chance.one_in(1, 5) { 0 } else { chance.between(1, 100) };
            (side, side.away(Price::new(middle), behind), Qty::new(qty))
        })
        .collect();
    let apply = |book: &mut Book| {
        for (side, price, qty) in &updates {
            match book.level(*side, *price) {
                Some(level) => book.set_qty(level.head, *qty).expect("it stands there"),
                None if qty.is_zero() => {}
                None => {
                    let order = NewOrder::limit(Owner(0), 0, *side, *price, *qty);
                    black_box(book.rest(order).expect("it may rest"));
                }
            }
        }
    };
    let mut book = Book::new();
    apply(&mut book);
    let times = timed(&book, apply);
    print("feed", times, &format!("{} orders", book.open_orders()));
}

fn main() {
    let seed = std::env::args().nth(1).map_or(42, |text| text.parse().expect("a seed"));
    let only = std::env::args().nth(2);
    println!("{COMMANDS} commands a run, seed {seed}, best and median of {RUNS} runs");
    let wanted = |name: &str| only.as_deref().is_none_or(|only| only == name);
    for shape in SHAPES.into_iter().filter(|shape| wanted(shape.name)) {
        mixed(seed, shape);
    }
    if wanted("feed") {
        feed(seed);
    }
}
