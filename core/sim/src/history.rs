//! One market, with recorded history standing in a real book beside our own orders.
//!
//! History enters the matching engine as resting orders of one owner, ours as those of another, so
//! price-time priority, partial fills and queue position are the engine's and not an estimate. What is
//! an estimate is said here.
//!
//! **What we take stays taken.** The data does not know that we traded. A level carries a *debt*: what
//! we took and the data still shows. New data for a level of `q` where `available + debt` was expected
//! means: a rise is new liquidity and joins the back of the queue; the debt stays. A fall pays the debt
//! first: somebody else took or withdrew what we had taken already. So `available = q − debt` never
//! exceeds what is shown, and a level that goes to zero and comes back is refilled. A level that is
//! merely out of sight (behind the best quote, or while messages are lost) keeps its debt, and a
//! snapshot is no more than the new quantity of every level.
//!
//! **A print counts once.** A trade takes from the queue at its price at once: history ahead of us,
//! then us. What it took of history is subtracted from what the level's next data is expected to show.
//! Orders of ours at better prices than the print trade first, each at its own price: the print went
//! through them. One unit of a print fills at most one unit of ours.
//!
//! **A crossing counts once.** A historical order that reaches ours trades with it, and what it traded
//! becomes its level's debt.
//!
//! **The richest view counts.** Where a source shows single orders, nothing else makes liquidity; else
//! the aggregated book, with a best quote laid over it; else quotes; else trades; else bars. What a
//! poorer view was taken to mean is dropped when a richer one begins.
//!
//! **History is lent to the book.** Thousands of levels change and few of them ever meet us. Aggregated
//! history therefore waits in a [`Ladder`] and stands in the matching engine only where it matters: at
//! the prices where our orders rest, and, while an order of ours comes in, at those it can reach. An
//! order-by-order history stands in the book always.
//!
//! Begin at [`Market`]; aggregated books and quotes are in `levels`, single orders in `orders`, trades
//! and bars in `prints`.

mod audit;
mod levels;
mod orders;
mod prints;

use crate::scenario::MarketSetup;
use tse_matching::{Book, Handle, NewOrder, Outcome, Owner, Report};
use tse_model::{IdMap, Ladder, Level, Price, Qty, RejectReason, Side, TimeInForce, Timestamp};

/// Who history is in the book.
pub(crate) const HISTORY: Owner = Owner(0);
/// Who we are in the book.
pub(crate) const OURS: Owner = Owner(1);

/// What a source shows of a market, the poorest view first: decides how its data become liquidity.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Shows {
    /// Nothing yet.
    Nothing,
    /// Bars only: the other side is assumed around their closes.
    Bars,
    /// Trades only: the other side is assumed around each.
    Prints,
    /// Best bid and ask.
    Quotes,
    /// The aggregated book.
    Depth,
    /// Every order.
    Orders,
}

/// One of our resting orders.
#[derive(Clone, Copy, Debug)]
struct Own {
    handle: Handle,
    price: Price,
    /// When it came to rest at this price.
    since: Timestamp,
    /// Whether its queue is known: the data has shown this price since we joined, or that nothing was
    /// there when we did.
    seen: bool,
}

/// Sums that the law "filled ≤ traded + displayed" is checked with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Volumes {
    /// Traded between others.
    pub printed: i64,
    /// Filled to us by prints.
    pub filled_by_prints: i64,
    /// Shown by history on the other side of our resting orders' prices.
    pub crossed: i64,
    /// Filled to us by such crossings.
    pub filled_by_crossing: i64,
    /// Filled to us by any one print or crossing beyond its own size: zero, or a bug.
    pub excess: i64,
}

/// A market with history in it.
pub struct Market {
    pub(crate) book: Book,
    setup: MarketSetup,
    shows: Shows,
    /// What the data shows, less what prints took since: what the next data is expected to show.
    expected: Ladder,
    /// What we took and the data still shows, by level.
    debts: Ladder,
    /// Levels out of sight where we owe something: what they showed when last seen.
    hidden: Ladder,
    own: [Vec<Own>; 2],
    /// The best of our own prices on each side.
    own_best: [Option<Price>; 2],
    /// Levels that stand in the book for one incoming order.
    lent: Vec<(Side, Price)>,
    /// History that stepped aside for one incoming order: where it stood, before which order of ours.
    aside: Vec<(Side, Price, Option<Handle>, i64)>,
    /// Best price of history on each side, for quotes.
    best: [Option<Price>; 2],
    /// Messages were lost, and no snapshot has come since.
    blind: bool,
    /// A snapshot is coming in, and these are the levels it has named.
    replacing: bool,
    named: Vec<(Side, Price)>,
    /// History's orders by their venue names: handle and size by the data.
    orders: IdMap<(Handle, i64)>,
    /// What we took of single orders and the data still shows, by their names.
    taken: IdMap<i64>,
    /// What prints of the present event took of single orders that have not been told to change yet.
    printed: Vec<(Side, Price, i64)>,
    /// Stops that arrived while only bars are shown, until the bar they arrived in is over.
    waiting: Vec<(Timestamp, NewOrder)>,
    volumes: Volumes,
    last: Option<Price>,
    // Buffers, empty between events.
    segments: Vec<(Handle, i64, bool)>,
    levels: Vec<Price>,
}

fn lots(qty: Qty) -> i64 {
    qty.get()
}

impl Market {
    /// An empty market.
    pub fn new(setup: MarketSetup) -> Self {
        Self {
            book: Book::new(),
            setup,
            shows: Shows::Nothing,
            expected: Ladder::new(),
            debts: Ladder::new(),
            hidden: Ladder::new(),
            own: [Vec::new(), Vec::new()],
            own_best: [None; 2],
            lent: Vec::new(),
            aside: Vec::new(),
            best: [None; 2],
            blind: false,
            replacing: false,
            named: Vec::new(),
            orders: IdMap::default(),
            taken: IdMap::default(),
            printed: Vec::new(),
            waiting: Vec::new(),
            volumes: Volumes::default(),
            last: None,
            segments: Vec::new(),
            levels: Vec::new(),
        }
    }

    /// How it is simulated.
    pub fn setup(&self) -> &MarketSetup {
        &self.setup
    }

    /// The sums of the conservation law.
    pub fn volumes(&self) -> Volumes {
        self.volumes
    }

    /// What the data have shown so far.
    pub fn shows(&self) -> Shows {
        self.shows
    }

    /// The price of the last print, or of our last trade.
    pub fn last(&self) -> Option<Price> {
        self.last
    }

    /// Best price and quantity of a side, history and ours.
    pub fn best(&self, side: Side) -> Option<(Price, Qty)> {
        let book = self.book.best(side).map(|level| (level.price, level.visible));
        let history = self.expected.levels(side).find_map(|level| {
            let available = Qty::new(lots(level.qty) - self.debt_at(side, level.price));
            available.is_positive().then_some((level.price, available))
        });
        match (book, history) {
            (Some(book), Some(history)) if side.better(history.0, book.0) => Some(history),
            (book, history) => book.or(history),
        }
    }

    /// The best price of a side by the data alone, whatever we took of it or have there.
    pub fn best_shown(&self, side: Side) -> Option<Price> {
        if self.shows != Shows::Orders {
            return self.expected.best(side).map(|level| level.price);
        }
        let historical = |price| self.book.queue(side, price).any(|order| order.owner == HISTORY);
        self.book.levels(side).map(|level| level.price).find(|price| historical(*price))
    }

    /// The price at which the last lot of an incoming order of this size would trade now; the last
    /// price there is, if there is not enough.
    pub(crate) fn reach(&self, side: Side, qty: Qty) -> Option<Price> {
        let makers = side.opposite();
        if self.shows == Shows::Orders {
            let mut left = lots(qty);
            let mut at = None;
            for level in self.book.levels(makers) {
                at = Some(level.price);
                left = left.saturating_sub(lots(level.visible));
                if left <= 0 {
                    break;
                }
            }
            return at;
        }
        let mut left = lots(qty);
        let mut at = None;
        for level in self.expected.levels(makers) {
            let available = lots(level.qty) - self.debt_at(makers, level.price);
            if available > 0 {
                at = Some(level.price);
                left -= available;
            }
            if left <= 0 {
                break;
            }
        }
        at
    }

    // ---- our own orders ----

    /// Brings an order of ours to the book, with all of history there that it can meet.
    pub(crate) fn place(
        &mut self,
        now: Timestamp,
        order: NewOrder,
        out: &mut Vec<Report>,
    ) -> Result<(), RejectReason> {
        let (side, order_type) = (order.side, order.order_type);
        if order_type.is_stop()
            && self.shows <= Shows::Bars
            && !self.book.would_trigger(side, order_type)
        {
            return self.wait(now, order, out);
        }
        self.lend(side.opposite(), order_type.limit(), lots(order.qty));
        let rests = !matches!(order.time_in_force, TimeInForce::Ioc | TimeInForce::Fok);
        if let Some(price) = order_type.limit().filter(|_| rests) {
            self.lend_queue(side, price);
        }
        let placed = self.book.place(order, out);
        self.take_back(out);
        placed.map(|_| ())
    }

    /// Changes an order of ours, with all of history in the book that it can meet then.
    pub(crate) fn modify(
        &mut self,
        side: Side,
        handle: Handle,
        leaves: Qty,
        price: Option<Price>,
        out: &mut Vec<Report>,
    ) -> Result<Outcome, RejectReason> {
        if let Some(price) = price {
            self.lend(side.opposite(), Some(price), lots(leaves));
            self.lend_queue(side, price);
        }
        let changed = self.book.modify(handle, leaves, price, out);
        self.take_back(out);
        changed
    }

    /// Notes one of our orders that came to rest, for the first time or anew.
    pub(crate) fn joined(&mut self, now: Timestamp, side: Side, price: Price, handle: Handle) {
        let own = &mut self.own[side.index()];
        match own.iter().position(|own| own.handle == handle) {
            // At the back of the queue it stood in: history stays there.
            Some(at) if own[at].price == price => drop(own.remove(at)),
            Some(_) => self.left(side, handle),
            None => {}
        }
        let seen = match self.shows {
            Shows::Depth | Shows::Orders => !self.blind,
            // Better than or at the best price: what stands there is known. Behind it, it is not.
            _ => self.best[side.index()].is_some_and(|best| !side.better(best, price)),
        };
        self.own[side.index()].push(Own { handle, price, since: now, seen });
        let best = &mut self.own_best[side.index()];
        if best.is_none_or(|best| side.better(price, best)) {
            *best = Some(price);
        }
    }

    /// Forgets one of our orders. History behind it leaves the book with the last of them.
    pub(crate) fn left(&mut self, side: Side, handle: Handle) {
        let own = &mut self.own[side.index()];
        let Some(at) = own.iter().position(|own| own.handle == handle) else { return };
        let price = own[at].price;
        if at + 1 == own.len() {
            own.pop();
        } else {
            own.remove(at);
        }
        let others = own.iter().any(|own| own.price == price);
        if self.own_best[side.index()] == Some(price) && !others {
            self.own_best[side.index()] = own
                .iter()
                .map(|own| own.price)
                .reduce(|a, b| if side.better(b, a) { b } else { a });
        }
        // What is not shown does not stand in the book either.
        let shown = self.shows != Shows::Orders && self.expected.qty_at(side, price).is_positive();
        if !others && shown {
            self.recall_level(side, price);
            // A price behind the best quote was known only while we waited there.
            if self.shows == Shows::Quotes && self.best[side.index()] != Some(price) {
                self.hide_level(side, price);
            }
        }
    }

    /// Books what our order took from history: `tag` names the order, where orders are shown.
    pub(crate) fn took(&mut self, side: Side, price: Price, qty: Qty, tag: u64) {
        self.last = Some(price);
        match self.shows {
            Shows::Orders => self.owe_order(tag, lots(qty)),
            // What was assumed is there once.
            Shows::Nothing | Shows::Bars | Shows::Prints => {
                let left = lots(self.expected.qty_at(side, price)) - lots(qty);
                self.expected.set(side, price, Qty::new(left.max(0)));
            }
            Shows::Quotes | Shows::Depth => {
                let debt = self.debt_at(side, price) + lots(qty);
                self.debts.set(side, price, Qty::new(debt));
            }
        }
    }

    #[inline]
    fn ours_at(&self, side: Side, price: Price) -> bool {
        self.own[side.index()].iter().any(|own| own.price == price)
    }

    /// Our order that trades first on a side, of those that rest there since `since_max` or longer.
    fn first_own(&self, side: Side, since_max: Timestamp) -> Option<Own> {
        let own = &self.own[side.index()];
        let best = if since_max == Timestamp::MAX {
            self.own_best[side.index()]?
        } else {
            let old = own.iter().filter(|own| own.since <= since_max);
            old.map(|own| own.price).reduce(|a, b| if side.better(b, a) { b } else { a })?
        };
        // Of several at one price the first in the queue, which is not always the first that joined.
        let queue = self.book.queue(side, best).filter(|order| order.owner == OURS);
        let mut ours = queue.filter_map(|order| own.iter().find(|own| own.handle == order.handle));
        ours.find(|own| own.since <= since_max).copied()
    }

    /// Trades up to `qty` of one of our orders, and no more than it shows; returns how much.
    fn execute(&mut self, side: Side, handle: Handle, qty: i64, out: &mut Vec<Report>) -> i64 {
        let order = self.book.order(handle).expect("our list names what rests");
        let traded = qty.min(lots(order.displayed));
        let left =
            self.book.execute(handle, Qty::new(traded), out).expect("it rests, with this much");
        if left.is_zero() {
            self.left(side, handle);
        }
        traded
    }

    // ---- history in the book ----

    fn historical(&self, side: Side, price: Price, qty: i64, tag: u64) -> NewOrder {
        NewOrder::limit(HISTORY, tag, side, price, Qty::new(qty))
    }

    /// Lets a level of history stand in the book.
    fn lend_level(&mut self, side: Side, price: Price) {
        if self.ours_at(side, price) || self.lent.contains(&(side, price)) {
            return;
        }
        let available = lots(self.expected.qty_at(side, price)) - self.debt_at(side, price);
        if available > 0 {
            self.join(side, price, available);
            self.lent.push((side, price));
        }
    }

    /// Whether levels are shown in which ours may stand. Of trades and bars nothing follows for queues.
    fn shows_queues(&self) -> bool {
        matches!(self.shows, Shows::Quotes | Shows::Depth)
    }

    /// Lets the queue stand in the book that an order of ours is about to join.
    fn lend_queue(&mut self, side: Side, price: Price) {
        if self.shows_queues() {
            self.lend_level(side, price);
        }
    }

    /// Lets the levels of a side stand in the book that an order up to `limit` for `qty` can meet; all
    /// of both sides where sleeping stops may wake and take as well.
    fn lend(&mut self, side: Side, limit: Option<Price>, qty: i64) {
        if self.shows == Shows::Orders {
            return;
        }
        let reached = |best: Level| limit.is_none_or(|it| side.opposite().reaches(it, best.price));
        if self.book.armed_stops() == 0 && !self.expected.best(side).is_some_and(reached) {
            return; // not even the best: as most orders that are to rest
        }
        if self.book.armed_stops() > 0 {
            for side in Side::BOTH {
                self.step_aside(side, None);
                self.lend_side(side, None, i64::MAX);
            }
        } else {
            self.step_aside(side, limit);
            self.lend_side(side, limit, qty);
        }
    }

    /// What waits with us behind the best quote is there for our queue's sake and not to be taken: it
    /// steps aside where an order up to `limit` could meet it.
    fn step_aside(&mut self, side: Side, limit: Option<Price>) {
        if self.shows != Shows::Quotes {
            return;
        }
        for at in 0..self.own[side.index()].len() {
            let price = self.own[side.index()][at].price;
            let reached = limit.is_none_or(|limit| side.opposite().reaches(limit, price));
            if !reached || self.best[side.index()] == Some(price) {
                continue;
            }
            while let Some(first) = self.first_of_history(side, price) {
                let qty = self.book.order(first).map_or(0, |order| lots(order.leaves));
                let mut before = self.book.next_in_level(first);
                while let Some(next) = before
                    && self.book.order(next).is_some_and(|next| next.owner == HISTORY)
                {
                    before = self.book.next_in_level(next);
                }
                self.resize(first, 0);
                self.aside.push((side, price, before, qty));
            }
        }
    }

    fn lend_side(&mut self, side: Side, limit: Option<Price>, qty: i64) {
        let mut left = qty;
        let mut levels = std::mem::take(&mut self.levels);
        levels.clear();
        for level in self.expected.levels(side) {
            let reached = limit.is_none_or(|limit| side.opposite().reaches(limit, level.price));
            // Behind the best quote nothing is shown: what is kept there is for our queue's sake.
            let behind =
                self.shows == Shows::Quotes && self.best[side.index()] != Some(level.price);
            if !reached || left <= 0 || behind {
                break;
            }
            left -= lots(level.qty) - self.debt_at(side, level.price);
            levels.push(level.price);
        }
        for price in &levels {
            self.lend_level(side, *price);
        }
        self.levels = levels;
    }

    /// Takes out of the book what was lent to it, but for the levels where our orders now rest, and lets
    /// back what stepped aside.
    fn take_back(&mut self, reports: &[Report]) {
        for at in 0..self.aside.len() {
            let (side, price, before, qty) = self.aside[at];
            let stands =
                |order: &tse_matching::OrderView| (order.side, order.price) == (side, price);
            let before = before.filter(|it| self.book.order(*it).as_ref().is_some_and(stands));
            if let Some(before) = before {
                let order = self.historical(side, price, qty, 0);
                self.book.insert_before(before, order).expect("it stood there before");
            } else if self.book.queue(side, price).any(|order| order.owner == OURS) {
                self.join(side, price, qty);
            }
        }
        self.aside.clear();
        while let Some((side, price)) = self.lent.pop() {
            let rested = |report: &Report| matches!(report, Report::Rested { price: at, .. } if *at == price);
            let stays = self.shows_queues()
                && reports.iter().any(rested)
                && self.book.queue(side, price).any(|order| order.owner == OURS);
            if !stays {
                self.recall_level(side, price);
            }
        }
    }

    /// Takes history out of the book at one level.
    fn recall_level(&mut self, side: Side, price: Price) {
        while let Some(handle) = self.first_of_history(side, price) {
            self.resize(handle, 0);
        }
    }

    fn first_of_history(&self, side: Side, price: Price) -> Option<Handle> {
        let mut queue = self.book.queue(side, price);
        queue.find(|order| order.owner == HISTORY).map(|order| order.handle)
    }

    fn resize(&mut self, handle: Handle, qty: i64) {
        self.book.set_qty(handle, Qty::new(qty)).expect("history's own order, within an i64");
    }

    fn join(&mut self, side: Side, price: Price, qty: i64) {
        let order = self.historical(side, price, qty, 0);
        self.book.rest(order).expect("a level's quantity fits");
    }

    // ---- what is seen ----

    /// Notes what the data shows now. Says whether it is the richest view so far, and counts.
    #[inline]
    fn sees(&mut self, shows: Shows) -> bool {
        self.shows == shows || self.sees_otherwise(shows)
    }

    #[cold]
    fn sees_otherwise(&mut self, shows: Shows) -> bool {
        if shows < self.shows {
            return false;
        }
        self.lose_sight();
        self.shows = shows;
        if shows == Shows::Orders {
            self.debts.clear();
            self.hidden.clear();
        }
        true
    }

    /// Nothing is known of the market until it is shown again. What we took is remembered, and what it
    /// was taken from.
    fn lose_sight(&mut self) {
        for side in Side::BOTH {
            let mut levels = std::mem::take(&mut self.levels);
            levels.clear();
            levels.extend(self.debts.levels(side).map(|level| level.price));
            for price in &levels {
                self.hide_level(side, *price);
            }
            levels.clear();
            levels.extend(self.own[side.index()].iter().map(|own| own.price));
            for price in &levels {
                self.recall_level(side, *price);
            }
            self.levels = levels;
            self.own[side.index()].iter_mut().for_each(|own| own.seen = false);
        }
        self.expected.clear();
        self.best = [None; 2];
    }

    /// A level is out of sight: it is no liquidity, but what stood there counts for what we owe.
    fn hide_level(&mut self, side: Side, price: Price) {
        let shown = self.expected.qty_at(side, price);
        if shown.is_positive() {
            if self.debt_at(side, price) > 0 {
                self.hidden.set(side, price, shown);
            }
            self.expected.set(side, price, Qty::ZERO);
        }
    }

    /// A level is empty.
    fn forget_level(&mut self, side: Side, price: Price) {
        self.expected.set(side, price, Qty::ZERO);
        self.debts.set(side, price, Qty::ZERO);
        self.hidden.set(side, price, Qty::ZERO);
        if self.ours_at(side, price) {
            self.recall_level(side, price);
        }
    }

    #[inline]
    fn debt_at(&self, side: Side, price: Price) -> i64 {
        if self.debts.best(side).is_none() { 0 } else { lots(self.debts.qty_at(side, price)) }
    }
}
