//! The quick book and the naive one side by side, and commands to drive both.
//!
//! A [`Command`] names orders by tag, so that a list of them means something after any of them has
//! been left out: that is what [`shrink`] does to a list that fails. [`Pair::step`] says where the
//! two books differ, in reports, answers or what stands in them.

pub mod naive;
mod refusals;
pub mod said;

use naive::{Fault, Naive};
use said::{Said, Traded};
use tse_matching::{Book, Handle, NewOrder, Outcome, Owner, Report, SelfTrade};
use tse_model::{Chance, OrderType, Price, Qty, RejectReason, Side, TimeInForce};

#[derive(Clone, Copy, Debug)]
pub enum Command {
    Place(NewOrder),
    Cancel(u64),
    Modify { tag: u64, leaves: i64, price: Option<i64> },
    Rest(NewOrder),
    InsertBefore { other: u64, order: NewOrder },
    Execute { tag: u64, qty: i64 },
    SetQty { tag: u64, qty: i64 },
    TriggerStops(i64),
}

/// What a command returned, as far as both books can say it.
type Answer = Result<Option<i64>, RejectReason>;

/// The quick book, with the handles its orders are known by, closed ones included.
pub struct Quick {
    pub book: Book,
    handles: Vec<Option<Handle>>,
}

impl Quick {
    pub fn new(book: Book) -> Self {
        Self { book, handles: Vec::new() }
    }

    /// Carries a command out; also returns where the order it is about stands, if it said so.
    pub fn give(
        &mut self,
        command: &Command,
        out: &mut Vec<Report>,
    ) -> (Answer, Option<(u64, Outcome)>) {
        let Self { book, handles } = self;
        let handle = |tag: u64| {
            handles.get(tag as usize).copied().flatten().ok_or(RejectReason::UnknownOrder)
        };
        let said = |tag, answer: Result<Outcome, RejectReason>| {
            (answer.map(|_| None), answer.ok().map(|outcome| (tag, outcome)))
        };
        let (created, answer) = match *command {
            Command::Place(order) => return said(order.tag, book.place(order, out)),
            Command::Modify { tag, leaves, price } => {
                let price = price.map(Price::new);
                let answer = match handle(tag) {
                    Ok(handle) => book.modify(handle, Qty::new(leaves), price, out),
                    Err(unknown) => Err(unknown),
                };
                return said(tag, answer);
            }
            Command::Rest(order) => (Some(order.tag), book.rest(order)),
            Command::InsertBefore { other, order } => match handle(other) {
                Ok(other) => (Some(order.tag), book.insert_before(other, order)),
                Err(unknown) => (None, Err(unknown)),
            },
            Command::Cancel(tag) => {
                let leaves = handle(tag).and_then(|handle| book.cancel(handle, out));
                return (leaves.map(|leaves| Some(leaves.get())), None);
            }
            Command::Execute { tag, qty } => {
                let leaves = handle(tag).and_then(|h| book.execute(h, Qty::new(qty), out));
                return (leaves.map(|leaves| Some(leaves.get())), None);
            }
            Command::SetQty { tag, qty } => {
                let done = handle(tag).and_then(|h| book.set_qty(h, Qty::new(qty)));
                return (done.map(|()| None), None);
            }
            Command::TriggerStops(price) => {
                book.trigger_stops(Price::new(price), out);
                return (Ok(None), None);
            }
        };
        if let (Some(tag), Ok(handle)) = (created, answer) {
            self.learn(tag, handle);
        }
        (answer.map(|_| None), None)
    }

    fn known(&self, tag: u64) -> Option<Handle> {
        self.handles.get(tag as usize).copied().flatten()
    }

    /// Notes the handles that reports tell.
    pub fn learn_from(&mut self, reports: &[Report]) {
        for report in reports {
            match *report {
                Report::Rested { handle, tag, .. } | Report::Armed { handle, tag, .. } => {
                    self.learn(tag, handle);
                }
                _ => {}
            }
        }
    }

    fn learn(&mut self, tag: u64, handle: Handle) {
        let at = tag as usize;
        if self.handles.len() <= at {
            self.handles.resize(at + 1, None);
        }
        let same = self.handles[at].is_none_or(|known| known == handle);
        assert!(same, "an order keeps its handle for life");
        self.handles[at] = Some(handle);
    }
}

/// Both books.
pub struct Pair {
    pub quick: Quick,
    pub naive: Naive,
    out: Vec<Report>,
    obeyed: bool,
    steps: usize,
}

impl Pair {
    pub fn new(fault: Fault) -> Self {
        Self {
            quick: Quick::new(Book::new()),
            naive: Naive::new(fault),
            out: Vec::new(),
            obeyed: false,
            steps: 0,
        }
    }

    /// Gives one command to both books and compares everything that can be seen of them.
    pub fn step(&mut self, command: &Command) -> Result<(), String> {
        self.out.clear();
        let (answer, outcome) = self.quick.give(command, &mut self.out);
        same("answers", &answer, &self.plain(command))?;
        self.obeyed = answer.is_ok();
        self.quick.learn_from(&self.out);
        let said: Vec<Said> =
            self.out.iter().map(|r| self.translate(*r)).collect::<Result<_, _>>()?;
        same("reports", &said, &self.naive.take_said())?;
        if let Some((tag, outcome)) = outcome {
            self.check_outcome(tag, outcome)?;
        }
        self.steps += 1;
        if self.steps.is_multiple_of(8) {
            self.quick.book.audit();
        }
        self.compare_books()
    }

    /// What the quick book reported of the last command.
    pub fn reports(&self) -> &[Report] {
        &self.out
    }

    /// Whether it did as the last command said.
    pub fn obeyed(&self) -> bool {
        self.obeyed
    }

    fn plain(&mut self, command: &Command) -> Answer {
        let naive = &mut self.naive;
        match *command {
            Command::Place(order) => naive.place(order).map(|()| None),
            Command::Cancel(tag) => naive.cancel(tag).map(Some),
            Command::Modify { tag, leaves, price } => {
                naive.modify(tag, leaves, price).map(|()| None)
            }
            Command::Rest(order) => naive.rest(order).map(|()| None),
            Command::InsertBefore { other, order } => {
                naive.insert_before(other, order).map(|()| None)
            }
            Command::Execute { tag, qty } => naive.execute(tag, qty).map(Some),
            Command::SetQty { tag, qty } => naive.set_qty(tag, qty).map(|()| None),
            Command::TriggerStops(price) => {
                naive.trigger_stops(price);
                Ok(None)
            }
        }
    }

    fn check_outcome(&self, tag: u64, outcome: Outcome) -> Result<(), String> {
        let (rests, open) = (self.naive.place_of(tag).is_some(), self.naive.leaves(tag).is_some());
        let book = &self.quick.book;
        let fits = match outcome {
            Outcome::Resting(handle) => rests && book.order(handle).is_some_and(|o| o.tag == tag),
            Outcome::Armed(handle) => {
                open && !rests && book.stop(handle).is_some_and(|stop| stop.tag == tag)
            }
            Outcome::Done => !open,
        };
        if fits { Ok(()) } else { Err(format!("{outcome:?} is not where order {tag} stands")) }
    }

    /// A report without its handles, each of which must be the one its order is known by.
    fn translate(&self, report: Report) -> Result<Said, String> {
        let known =
            |tag: u64, handle: Handle| same("handles", &Some(handle), &self.quick.known(tag));
        Ok(match report {
            Report::Accepted { tag } => Said::Accepted(tag),
            Report::Rejected { tag, reason } => Said::Rejected(tag, reason),
            Report::Rested { handle, tag, price, leaves, displayed } => {
                known(tag, handle)?;
                let (price, leaves, displayed) = (price.get(), leaves.get(), displayed.get());
                Said::Rested { tag, price, leaves, displayed }
            }
            Report::Armed { handle, tag, trigger } => {
                known(tag, handle)?;
                Said::Armed { tag, trigger: trigger.map(Price::get) }
            }
            Report::Triggered { handle, tag } => {
                handle.map_or(Ok(()), |handle| known(tag, handle))?;
                Said::Triggered { tag }
            }
            Report::Fill(fill) => {
                known(fill.maker_tag, fill.maker)?;
                Said::Fill(Traded {
                    maker: fill.maker_tag,
                    maker_owner: fill.maker_owner,
                    taker: fill.taker_tag,
                    taker_owner: fill.taker_owner,
                    taker_side: fill.taker_side,
                    price: fill.price.get(),
                    qty: fill.qty.get(),
                    maker_leaves: fill.maker_leaves.get(),
                    taker_leaves: fill.taker_leaves.get(),
                })
            }
            Report::Executed { handle, tag, owner, side, price, qty, leaves } => {
                known(tag, handle)?;
                let (price, qty, leaves) = (price.get(), qty.get(), leaves.get());
                Said::Executed { tag, owner, side, price, qty, leaves }
            }
            Report::Decremented {
                maker,
                maker_tag,
                taker_tag,
                qty,
                maker_leaves,
                taker_leaves,
            } => {
                known(maker_tag, maker)?;
                Said::Decremented {
                    maker: maker_tag,
                    taker: taker_tag,
                    qty: qty.get(),
                    maker_leaves: maker_leaves.get(),
                    taker_leaves: taker_leaves.get(),
                }
            }
            Report::Replenished { handle, tag, displayed } => {
                known(tag, handle)?;
                Said::Replenished { tag, displayed: displayed.get() }
            }
            Report::Modified { handle, tag, price, leaves, kept_place } => {
                known(tag, handle)?;
                let (price, leaves) = (price.map(Price::get), leaves.get());
                Said::Modified { tag, price, leaves, kept_place }
            }
            Report::Cancelled { handle, tag, reason, leaves } => {
                handle.map_or(Ok(()), |handle| known(tag, handle))?;
                Said::Cancelled { tag, reason, leaves: leaves.get() }
            }
        })
    }

    fn compare_books(&self) -> Result<(), String> {
        same("last prices", &self.quick.book.last_price().map(Price::get), &self.naive.last)?;
        let open = self.naive.resting.len() + self.naive.sleeping.len();
        same("open orders", &self.quick.book.open_orders(), &open)?;
        for side in Side::BOTH {
            self.compare_side(side)?;
        }
        Ok(())
    }

    fn compare_side(&self, side: Side) -> Result<(), String> {
        let open = i128::from(self.quick.book.open_qty(side).get());
        same("open quantity", &open, &self.naive.open_qty(side))?;
        let mut places = self.naive.in_priority(side).into_iter().peekable();
        for level in self.quick.book.levels(side) {
            let (mut visible, mut hidden, mut orders) = (0, 0, 0);
            for order in self.quick.book.queue(side, level.price) {
                let Some(at) = places.next() else {
                    return Err(format!("only the quick book has {order:?}"));
                };
                let plain = &self.naive.resting[at];
                same("orders", &order.tag, &plain.order.tag)?;
                same("owners", &order.owner, &plain.order.owner)?;
                same("sides", &order.side, &plain.order.side)?;
                same("prices", &order.price.get(), &plain.price)?;
                same("displays", &order.displayed.get(), &plain.shown)?;
                same("leaves", &order.leaves.get(), &(plain.shown + plain.hidden))?;
                same("handles", &Some(order.handle), &self.quick.known(order.tag))?;
                visible += plain.shown;
                hidden += plain.hidden;
                orders += 1;
            }
            same("visible", &level.visible.get(), &visible)?;
            same("hidden", &level.hidden.get(), &hidden)?;
            same("number of orders", &level.orders, &orders)?;
        }
        if let Some(at) = places.next() {
            return Err(format!("only the naive book has {:?}", self.naive.resting[at]));
        }
        let asleep: Vec<u64> = self.quick.book.stops(side).map(|stop| stop.tag).collect();
        same("stops", &asleep, &self.naive.waking_order(side))?;
        for stop in self.quick.book.stops(side) {
            let plain = self.naive.sleeping.iter().find(|s| s.order.tag == stop.tag);
            let plain = plain.expect("both have the same tags");
            same("triggers", &stop.trigger.map(Price::get), &plain.trigger)?;
            same("limits", &stop.limit.map(Price::get), &plain.limit)?;
            same("sleeping quantities", &stop.leaves.get(), &plain.leaves)?;
        }
        Ok(())
    }
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, quick: &T, plain: &T) -> Result<(), String> {
    if quick == plain {
        return Ok(());
    }
    Err(format!("{what} differ\n   quick: {quick:?}\n   naive: {plain:?}"))
}

/// A kind of market to draw commands from.
#[derive(Clone, Copy, Debug)]
pub struct Market {
    pub name: &'static str,
    /// Prices are drawn from around this one.
    middle: i64,
    /// This far to each side, most of them nearer.
    spread: i64,
    /// Quantities up to this.
    qty: i64,
    /// Stops in a hundred new orders.
    stops: u64,
    /// Icebergs in a hundred new orders.
    icebergs: u64,
    owners: u64,
    /// Orders the book is kept near.
    crowd: usize,
}

pub const MARKETS: [Market; 7] = {
    let base = Market {
        name: "dense",
        middle: 100,
        spread: 6,
        qty: 12,
        stops: 8,
        icebergs: 10,
        owners: 3,
        crowd: 24,
    };
    [
        base,
        Market { name: "wide", middle: -40, spread: 900, crowd: 60, ..base },
        Market { name: "stops", stops: 55, spread: 12, crowd: 40, ..base },
        Market { name: "icebergs", icebergs: 60, qty: 60, owners: 2, ..base },
        Market { name: "huge", qty: i64::MAX / 3, spread: 4, crowd: 10, ..base },
        Market { name: "lowest", middle: i64::MIN + 3, spread: 5, stops: 30, ..base },
        Market { name: "highest", middle: i64::MAX - 3, spread: 5, stops: 30, ..base },
    ]
};

impl Market {
    fn price(&self, chance: &mut Chance) -> i64 {
        let reach = chance.between(0, self.spread);
        let off = chance.between(-reach, reach);
        match chance.below(400) {
            0 => chance.bits() as i64,
            1 => i64::MIN,
            2 => i64::MAX,
            _ => self.middle.saturating_add(off),
        }
    }

    fn qty(&self, chance: &mut Chance) -> i64 {
        match chance.below(100) {
            0 => 0,
            1 => -1,
            2 => i64::MAX,
            3..=12 => chance.between(1, self.qty),
            _ => chance.between(1, (self.qty / 3).max(1)),
        }
    }

    fn order(&self, tag: u64, chance: &mut Chance) -> NewOrder {
        let owner = Owner(chance.below(self.owners));
        let side = if chance.one_in(1, 2) { Side::Buy } else { Side::Sell };
        let price = Price::new(self.price(chance));
        let order_type = match chance.below(100) {
            roll if roll < self.stops => match chance.below(3) {
                0 => OrderType::Stop(price),
                1 => {
                    let limit = Price::new(self.price(chance));
                    OrderType::StopLimit { trigger: price, limit }
                }
                _ => OrderType::TrailingStop(Price::new(chance.between(0, self.spread))),
            },
            roll if roll < self.stops + (100 - self.stops) / 8 => OrderType::Market,
            _ => OrderType::Limit(price),
        };
        let mut order = NewOrder::new(owner, tag, side, order_type, Qty::new(self.qty(chance)));
        order.time_in_force = match chance.below(12) {
            0 | 1 => TimeInForce::Ioc,
            2 | 3 => TimeInForce::Fok,
            4 => TimeInForce::Day,
            _ => TimeInForce::Gtc,
        };
        order.self_trade = match chance.below(8) {
            0 => SelfTrade::CancelNew,
            1 => SelfTrade::CancelOld,
            2 => SelfTrade::CancelBoth,
            3 | 4 => SelfTrade::Decrement,
            _ => SelfTrade::Allow,
        };
        if chance.one_in(self.icebergs, 100) {
            let most = order.qty.get().max(2);
            let least = most / 100;
            order.display = Some(Qty::new(chance.between(least, (most / 2).max(least))));
        }
        order.post_only = chance.one_in(1, 12);
        if chance.one_in(1, 4) && order.order_type.limit().is_none() || chance.one_in(1, 100) {
            order.protection = Some(Price::new(self.price(chance)));
        }
        order
    }

    /// Draws the next command for a pair of books whose orders so far have tags below `tags`.
    pub fn command(&self, pair: &Pair, tags: &mut u64, chance: &mut Chance) -> Command {
        let some_tag = |chance: &mut Chance| {
            let (resting, sleeping) = (&pair.naive.resting, &pair.naive.sleeping);
            let open = resting.len() + sleeping.len();
            if open == 0 || chance.one_in(1, 50) {
                return chance.below(*tags + 1);
            }
            let at = chance.below(open as u64) as usize;
            match resting.get(at) {
                Some(order) => order.order.tag,
                None => sleeping[at - resting.len()].order.tag,
            }
        };
        let crowded = pair.naive.resting.len() + pair.naive.sleeping.len() > self.crowd;
        let roll = if crowded { chance.between(30, 100) } else { chance.between(0, 100) };
        if roll > 62 && roll < 97 {
            let tag = some_tag(chance);
            let leaves = pair.naive.leaves(tag).unwrap_or(1);
            let near = |chance: &mut Chance| match chance.below(4) {
                0 => leaves,
                1 => self.qty(chance),
                2 => leaves.saturating_add(chance.between(0, 5)),
                _ => chance.between(1, leaves),
            };
            return match roll {
                63..=76 => Command::Cancel(tag),
                77..=86 => {
                    let leaves = near(chance);
                    let price = chance.one_in(1, 2).then(|| self.price(chance));
                    Command::Modify { tag, leaves, price }
                }
                87..=91 => Command::Execute { tag, qty: near(chance) },
                _ => {
                    let qty = near(chance);
                    Command::SetQty { tag, qty: if chance.one_in(1, 5) { 0 } else { qty } }
                }
            };
        }
        if roll > 96 && roll < 99 {
            return Command::TriggerStops(self.price(chance));
        }
        let other = some_tag(chance);
        let mut order = self.order(*tags, chance);
        *tags += 1;
        let limit = |order: &mut NewOrder, price| {
            order.order_type = OrderType::Limit(Price::new(price));
            order.time_in_force = TimeInForce::Gtc;
            order.protection = None;
        };
        match roll {
            ..=8 => {
                if chance.one_in(9, 10) {
                    limit(&mut order, self.price(chance));
                }
                Command::Rest(order)
            }
            9..=14 => {
                if let Some(at) = pair.naive.place_of(other) {
                    let resting = &pair.naive.resting[at];
                    order.side = resting.order.side;
                    let here = chance.one_in(9, 10);
                    limit(&mut order, if here { resting.price } else { self.price(chance) });
                }
                Command::InsertBefore { other, order }
            }
            _ => Command::Place(order),
        }
    }
}

/// Where a list of commands makes the two books differ, and how; panics count as differences.
pub fn failure(commands: &[Command], fault: Fault) -> Option<(usize, String)> {
    let mut pair = Pair::new(fault);
    for (at, command) in commands.iter().enumerate() {
        let step = std::panic::AssertUnwindSafe(|| pair.step(command));
        match std::panic::catch_unwind(step) {
            Ok(Ok(())) => {}
            Ok(Err(how)) => return Some((at, how)),
            Err(panic) => {
                let text = panic.downcast_ref::<String>().cloned();
                let text = text.or(panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
                return Some((at, format!("panic: {}", text.unwrap_or_default())));
            }
        }
    }
    None
}

/// The shortest list that still fails, as far as leaving out commands can find it.
pub fn shrink(mut commands: Vec<Command>, fault: Fault) -> Vec<Command> {
    if let Some((at, _)) = failure(&commands, fault) {
        commands.truncate(at + 1);
    }
    let mut chunk = commands.len() / 2;
    while chunk > 0 {
        let mut at = 0;
        while at < commands.len() {
            let mut fewer = commands.clone();
            fewer.drain(at..commands.len().min(at + chunk));
            match failure(&fewer, fault) {
                Some((end, _)) => {
                    fewer.truncate(end + 1);
                    commands = fewer;
                }
                None => at += chunk,
            }
        }
        chunk /= 2;
    }
    commands
}

/// Draws `length` commands from one seed and gives them to both books. A failure comes back as the
/// shortest list that shows it.
pub fn episode(
    market: &Market,
    seed: u64,
    length: usize,
    fault: Fault,
) -> Result<Pair, (Vec<Command>, String)> {
    let mut chance = Chance::stream(seed, market.name);
    let (mut pair, mut tags) = (Pair::new(fault), 0);
    let mut commands = Vec::with_capacity(length);
    for _ in 0..length {
        let command = market.command(&pair, &mut tags, &mut chance);
        commands.push(command);
        let step = std::panic::AssertUnwindSafe(|| pair.step(&command));
        if !matches!(std::panic::catch_unwind(step), Ok(Ok(()))) {
            let commands = shrink(commands, fault);
            let how = failure(&commands, fault).map_or_else(String::new, |(_, how)| how);
            return Err((commands, how));
        }
    }
    Ok(pair)
}
