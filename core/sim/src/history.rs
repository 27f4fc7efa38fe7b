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
//! exceeds what is shown, and a level that goes to zero and comes back is refilled.
//!
//! **A print counts once.** A trade takes from the queue at its price at once: history ahead of us,
//! then us. What it took of history is subtracted from what the level's next data is expected to show.
//! Orders of ours at better prices than the print trade first, each at its own price: the print went
//! through them. One unit of a print fills at most one unit of ours.
//!
//! **A crossing counts once.** A historical order that reaches ours trades with it, and what it traded
//! becomes its level's debt.
//!
//! **History is lent to the book.** Thousands of levels change and few of them ever meet us. Aggregated
//! history therefore waits in a [`Ladder`] and stands in the matching engine only where it matters: at
//! the prices where our orders rest, and, while an order of ours comes in, at those it can reach. An
//! order-by-order history stands in the book always.

use crate::models::QueueModel;
use crate::scenario::MarketSetup;
use tse_matching::{Book, Handle, NewOrder, Outcome, Owner, Report};
use tse_model::{
    BookAction, BookOrder, DepthChange, IdMap, Ladder, OrderType, Price, Qty, Quote, RejectReason,
    Side, TimeInForce, Trade,
};

/// Who history is in the book.
pub(crate) const HISTORY: Owner = Owner(0);
/// Who we are in the book.
pub(crate) const OURS: Owner = Owner(1);

/// What a source shows of a market: decides how its data become liquidity.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shows {
    /// Nothing yet.
    Nothing,
    /// Best bid and ask.
    Quotes,
    /// The aggregated book.
    Depth,
    /// Every order.
    Orders,
    /// Trades or bars only: the other side is assumed.
    Prints,
}

/// One of our resting orders.
#[derive(Clone, Copy, Debug)]
struct Own {
    handle: Handle,
    price: Price,
    /// Whether the data has ever shown this price since we joined: if not, its queue is unknown.
    seen: bool,
}

/// What we took of a level and its data still shows.
#[derive(Clone, Copy, Debug)]
struct Debt {
    side: Side,
    price: Price,
    qty: i64,
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
}

/// A market with history in it.
pub struct Market {
    pub(crate) book: Book,
    setup: MarketSetup,
    shows: Shows,
    /// What the data shows, less what prints took since: what the next data is expected to show.
    expected: Ladder,
    own: [Vec<Own>; 2],
    /// The best of our own prices on each side.
    own_best: [Option<Price>; 2],
    debts: Vec<Debt>,
    /// Levels that stand in the book for one incoming order.
    lent: Vec<(Side, Price)>,
    /// Best price of history on each side, for quotes.
    best: [Option<Price>; 2],
    /// History's orders by their venue names: handle and size by the data.
    orders: IdMap<(Handle, i64)>,
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
            own: [Vec::new(), Vec::new()],
            own_best: [None; 2],
            debts: Vec::new(),
            lent: Vec::new(),
            best: [None; 2],
            orders: IdMap::default(),
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

    // ---- our own orders ----

    /// Brings an order of ours to the book, with all of history there that it can meet.
    pub(crate) fn place(
        &mut self,
        order: NewOrder,
        out: &mut Vec<Report>,
    ) -> Result<(), RejectReason> {
        let side = order.side;
        self.lend(side.opposite(), order.order_type.limit(), lots(order.qty));
        let rests = match (order.order_type, order.time_in_force) {
            (OrderType::Limit(_), TimeInForce::Ioc | TimeInForce::Fok) => None,
            (OrderType::Limit(price), _) => Some(price),
            _ => None,
        };
        let mut first = None;
        if let Some(price) = rests {
            self.lend_level(side, price);
            first = self.front_of_queue(&order, price);
        }
        let placed = match (first, rests) {
            // Where the queue model is an optimist, the order stands before history.
            (Some(first), Some(price)) => self.book.insert_before(first, order).map(|handle| {
                let displayed = order.display.unwrap_or(order.qty);
                out.push(Report::Accepted { tag: order.tag });
                out.push(Report::Rested {
                    handle,
                    tag: order.tag,
                    price,
                    leaves: order.qty,
                    displayed,
                });
            }),
            _ => self.book.place(order, out).map(|_| ()),
        };
        self.take_back(out);
        placed
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
            self.lend_level(side, price);
        }
        let changed = self.book.modify(handle, leaves, price, out);
        self.take_back(out);
        changed
    }

    /// The optimist's order stands in front of its queue, if it comes to rest at all.
    fn front_of_queue(&self, order: &NewOrder, price: Price) -> Option<Handle> {
        if self.setup.queue != QueueModel::Front || self.shows == Shows::Orders {
            return None;
        }
        let best = self.book.best_price(order.side.opposite());
        if best.is_some_and(|best| order.side.reaches(price, best)) {
            return None;
        }
        let mut queue = self.book.queue(order.side, price);
        queue.find(|order| order.owner == HISTORY).map(|order| order.handle)
    }

    /// Notes one of our orders that came to rest.
    pub(crate) fn joined(&mut self, side: Side, price: Price, handle: Handle) {
        let seen = match self.shows {
            Shows::Depth | Shows::Orders => true,
            // Better than or at the best price: what stands there is known. Behind it, it is not.
            _ => self.best[side.index()].is_some_and(|best| !side.better(best, price)),
        };
        self.own[side.index()].push(Own { handle, price, seen });
        let best = &mut self.own_best[side.index()];
        if best.is_none_or(|best| side.better(price, best)) {
            *best = Some(price);
        }
    }

    /// Forgets one of our orders. History behind it leaves the book with the last of them.
    pub(crate) fn left(&mut self, side: Side, handle: Handle) {
        let own = &mut self.own[side.index()];
        let Some(at) = own.iter().position(|own| own.handle == handle) else { return };
        let price = own.remove(at).price;
        let others = own.iter().any(|own| own.price == price);
        if self.own_best[side.index()] == Some(price) && !others {
            self.own_best[side.index()] = own
                .iter()
                .map(|own| own.price)
                .reduce(|a, b| if side.better(b, a) { b } else { a });
        }
        if !others && self.shows != Shows::Orders {
            self.recall_level(side, price);
            // A price behind the best quote was known only while we waited there.
            if self.shows == Shows::Quotes && self.best[side.index()] != Some(price) {
                self.expected.set(side, price, Qty::ZERO);
                self.forgive(side, price);
            }
        }
    }

    /// Books what our order took from history.
    pub(crate) fn took(&mut self, side: Side, price: Price, qty: Qty) {
        self.last = Some(price);
        if !matches!(self.shows, Shows::Orders | Shows::Prints) {
            self.owe(side, price, lots(qty));
        }
    }

    // ---- debts ----

    #[inline]
    fn debt_at(&self, side: Side, price: Price) -> i64 {
        let debt = self.debts.iter().find(|debt| debt.side == side && debt.price == price);
        debt.map_or(0, |debt| debt.qty)
    }

    fn owe(&mut self, side: Side, price: Price, more: i64) {
        match self.debts.iter_mut().find(|debt| debt.side == side && debt.price == price) {
            Some(debt) => debt.qty += more,
            None => self.debts.push(Debt { side, price, qty: more }),
        }
    }

    fn forgive(&mut self, side: Side, price: Price) {
        self.debts.retain(|debt| debt.side != side || debt.price != price);
    }

    // ---- history in the book ----

    fn ours_at(&self, side: Side, price: Price) -> bool {
        self.own[side.index()].iter().any(|own| own.price == price)
    }

    fn historical(&self, side: Side, price: Price, qty: i64, tag: u64) -> NewOrder {
        NewOrder::limit(HISTORY, tag, side, price, Qty::new(qty))
    }

    /// History's quantity in the book at a level.
    fn history_in_book(&self, side: Side, price: Price) -> i64 {
        let queue = self.book.queue(side, price);
        queue.filter(|order| order.owner == HISTORY).map(|order| lots(order.leaves)).sum()
    }

    /// Lets a level of history stand in the book.
    fn lend_level(&mut self, side: Side, price: Price) {
        if self.shows == Shows::Orders
            || self.ours_at(side, price)
            || self.lent.contains(&(side, price))
        {
            return;
        }
        let available = lots(self.expected.qty_at(side, price)) - self.debt_at(side, price);
        if available > 0 {
            self.join(side, price, available);
            self.lent.push((side, price));
        }
    }

    /// Lets the levels of a side stand in the book that an order up to `limit` for `qty` can meet; all
    /// of both sides where sleeping stops may wake and take as well.
    fn lend(&mut self, side: Side, limit: Option<Price>, qty: i64) {
        if self.shows == Shows::Orders {
            return;
        }
        if self.book.armed_stops() > 0 {
            for side in Side::BOTH {
                self.lend_side(side, None, i64::MAX);
            }
        } else {
            self.lend_side(side, limit, qty);
        }
    }

    fn lend_side(&mut self, side: Side, limit: Option<Price>, qty: i64) {
        let mut left = qty;
        let mut levels = std::mem::take(&mut self.levels);
        levels.clear();
        for level in self.expected.levels(side) {
            let reached = limit.is_none_or(|limit| side.opposite().reaches(limit, level.price));
            if !reached || left <= 0 {
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

    /// Takes out of the book what was lent to it, but for the levels where our orders now rest.
    fn take_back(&mut self, reports: &[Report]) {
        while let Some((side, price)) = self.lent.pop() {
            let rested = |report: &Report| matches!(report, Report::Rested { price: at, .. } if *at == price);
            let stays = reports.iter().any(rested)
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

    // ---- history moves ----

    /// A step of an aggregated book. Returns the quantity left to others, for the feed.
    #[inline]
    pub fn depth(&mut self, change: DepthChange, out: &mut Vec<Report>) -> Option<Qty> {
        self.shows = Shows::Depth;
        match change {
            DepthChange::Set { side, price, qty } => {
                Some(Qty::new(self.set_level(side, price, lots(qty), out)))
            }
            DepthChange::Clear => {
                self.clear();
                None
            }
            DepthChange::Gap => None,
        }
    }

    /// Takes all of history away.
    fn clear(&mut self) {
        for side in Side::BOTH {
            let prices: Vec<_> = self.book.levels(side).map(|level| level.price).collect();
            for price in prices {
                self.recall_level(side, price);
            }
        }
        self.expected.clear();
        self.orders.clear();
        self.debts.clear();
        self.best = [None; 2];
    }

    /// Takes a level of history away.
    fn clear_level(&mut self, side: Side, price: Price) {
        self.expected.set(side, price, Qty::ZERO);
        if self.ours_at(side, price) {
            self.recall_level(side, price);
        }
        if !self.debts.is_empty() {
            self.forgive(side, price);
        }
    }

    /// Sets what the data shows at a level; returns what of it is available.
    #[inline]
    fn set_level(&mut self, side: Side, price: Price, shown: i64, out: &mut Vec<Report>) -> i64 {
        let crosses =
            self.own_best[side.opposite().index()].is_some_and(|own| side.reaches(price, own));
        if crosses || !self.debts.is_empty() || self.ours_at(side, price) {
            return self.set_level_near_us(side, price, shown, out);
        }
        self.expected.set(side, price, Qty::new(shown));
        shown
    }

    fn set_level_near_us(
        &mut self,
        side: Side,
        price: Price,
        shown: i64,
        out: &mut Vec<Report>,
    ) -> i64 {
        let before = lots(self.expected.qty_at(side, price));
        let owed = self.debt_at(side, price);
        let mut debt = (owed - (before - shown).max(0)).max(0).min(shown);
        let mut target = shown - debt;
        if target > 0 {
            let taken = self.cross(side, price, target, out);
            target -= taken;
            debt += taken;
        }
        self.expected.set(side, price, Qty::new(shown));
        if debt != owed {
            self.forgive(side, price);
            if debt > 0 {
                self.owe(side, price, debt);
            }
        }
        if self.ours_at(side, price) {
            let available = self.history_in_book(side, price);
            if target > available {
                self.grow(side, price, target - available);
            } else if target < available {
                self.shrink(side, price, available - target);
            }
        }
        target
    }

    /// New liquidity joins the back of the queue, unless the queue had never been seen: then all of it
    /// is taken to stand ahead of us.
    fn grow(&mut self, side: Side, price: Price, qty: i64) {
        let unseen = self.setup.queue != QueueModel::Front
            && self.own[side.index()].iter().any(|own| own.price == price && !own.seen);
        if unseen {
            for own in &mut self.own[side.index()] {
                own.seen |= own.price == price;
            }
            let first = self.book.queue(side, price).find(|order| order.owner == OURS);
            if let Some(first) = first {
                let order = self.historical(side, price, qty, 0);
                self.book.insert_before(first.handle, order).expect("a level's quantity fits");
                return;
            }
        }
        match self.book.level(side, price).and_then(|level| self.book.order(level.tail)) {
            Some(tail) if tail.owner == HISTORY => {
                self.resize(tail.handle, lots(tail.leaves) + qty)
            }
            _ => self.join(side, price, qty),
        }
    }

    /// A level shrank without a print: the queue model says where.
    fn shrink(&mut self, side: Side, price: Price, qty: i64) {
        let mut segments = std::mem::take(&mut self.segments);
        segments.clear();
        let queue = self.book.queue(side, price);
        segments
            .extend(queue.map(|order| (order.handle, lots(order.leaves), order.owner == HISTORY)));
        let mut behind: i64 = segments.iter().filter(|it| it.2).map(|it| it.1).sum();
        let mut left = qty;
        let mut from = 0;
        while left > 0 && from < segments.len() {
            // History up to our next order, and how much of the rest of the fall it bears.
            let next = segments[from..].iter().position(|it| !it.2);
            let until = next.map_or(segments.len(), |at| from + at);
            let ahead: i64 = segments[from..until].iter().map(|it| it.1).sum();
            behind -= ahead;
            let mut share = if until == segments.len() {
                left
            } else {
                self.setup.queue.ahead(ahead, behind, left)
            };
            left -= share;
            for (handle, qty, _) in segments[from..until].iter().rev() {
                let cut = share.min(*qty);
                if cut > 0 {
                    self.resize(*handle, *qty - cut);
                }
                share -= cut;
            }
            from = until + 1;
        }
        self.segments = segments;
    }

    /// Historical liquidity at `price` meets our orders on the other side: trades with those it
    /// reaches, best first. Returns how much.
    fn cross(&mut self, side: Side, price: Price, qty: i64, out: &mut Vec<Report>) -> i64 {
        let mut left = qty;
        let mut crossed = false;
        while left > 0 {
            let own = self.first_own(side.opposite()).filter(|own| side.reaches(price, own.price));
            let Some(own) = own else { break };
            crossed = true;
            left -= self.execute(side.opposite(), own.handle, left, out);
        }
        if crossed {
            self.volumes.crossed += qty;
            self.volumes.filled_by_crossing += qty - left;
        }
        qty - left
    }

    /// Our order that trades first on a side.
    fn first_own(&self, side: Side) -> Option<Own> {
        let best = self.own_best[side.index()]?;
        // Of several at one price the first in the queue, which is not always the first that joined.
        let mut queue = self.book.queue(side, best).filter(|order| order.owner == OURS);
        let first = queue.next()?.handle;
        self.own[side.index()].iter().find(|own| own.handle == first).copied()
    }

    /// Trades up to `qty` of one of our orders; returns how much.
    fn execute(&mut self, side: Side, handle: Handle, qty: i64, out: &mut Vec<Report>) -> i64 {
        let leaves = self.book.order(handle).map_or(0, |order| lots(order.leaves));
        let traded = qty.min(leaves);
        let left =
            self.book.execute(handle, Qty::new(traded), out).expect("it rests, with this much");
        if left.is_zero() {
            self.left(side, handle);
        }
        traded
    }

    /// A new best bid and ask. Returns what of it is available.
    #[inline]
    pub fn quote(&mut self, quote: &Quote, out: &mut Vec<Report>) -> Quote {
        self.shows = Shows::Quotes;
        if self.own[0].is_empty() && self.own[1].is_empty() && self.debts.is_empty() {
            // Nothing of ours is near.
            self.expected.set_quote(quote);
            self.best = Side::BOTH.map(|side| quote.side(side).map(|(price, _)| price));
            return *quote;
        }
        self.quote_near_us(quote, out)
    }

    fn quote_near_us(&mut self, quote: &Quote, out: &mut Vec<Report>) -> Quote {
        let mut shown = *quote;
        for side in Side::BOTH {
            let new = quote.side(side);
            let old = self.best[side.index()];
            let price = new.map(|(price, _)| price);
            if old != price {
                self.best[side.index()] = price;
                self.move_best(side, old, price);
            }
            if let Some((price, qty)) = new {
                let available = Qty::new(self.set_level(side, price, lots(qty), out));
                match side {
                    Side::Buy => shown.bid_qty = available,
                    Side::Sell => shown.ask_qty = available,
                }
            }
        }
        shown
    }

    /// The best price moved: nothing of history stands before the new one, and what stood at the old
    /// one is known only where an order of ours waits in its queue.
    fn move_best(&mut self, side: Side, old: Option<Price>, new: Option<Price>) {
        let gone = |price: Price| new.is_none_or(|new| side.better(price, new));
        if let Some(old) = old
            && (gone(old) || !self.ours_at(side, old))
        {
            self.clear_level(side, old);
        }
        for at in 0..self.own[side.index()].len() {
            let price = self.own[side.index()][at].price;
            if gone(price) {
                self.clear_level(side, price);
            }
        }
    }

    /// A trade between others.
    #[inline]
    pub fn trade(&mut self, trade: &Trade, out: &mut Vec<Report>) {
        let quantity = lots(trade.qty);
        let aggressor = trade.aggressor.or_else(|| self.infer_aggressor(trade.price));
        self.last = Some(trade.price);
        if quantity > 0 {
            self.volumes.printed = self.volumes.printed.saturating_add(quantity);
            if let Some(aggressor) = aggressor {
                let side = aggressor.opposite();
                let left = self.print_through(side, trade.price, quantity, out);
                if left > 0 {
                    self.print_at(side, trade.price, left, out);
                }
            }
        }
        if self.book.armed_stops() > 0 {
            self.lend(Side::Buy, None, i64::MAX);
            self.book.trigger_stops(trade.price, out);
            self.take_back(out);
        }
    }

    /// Who took, where the data does not say: whoever reached the other side's best price.
    fn infer_aggressor(&self, price: Price) -> Option<Side> {
        let reached = |side: Side| {
            let best = self.best[side.index()].or_else(|| self.best(side).map(|(price, _)| price));
            best.is_some_and(|best| side.opposite().reaches(price, best))
        };
        match (reached(Side::Sell), reached(Side::Buy)) {
            (true, false) => Some(Side::Buy),
            (false, true) => Some(Side::Sell),
            _ => None,
        }
    }

    /// A print went through our orders at better prices than its own. Returns what is left of it.
    fn print_through(&mut self, side: Side, price: Price, qty: i64, out: &mut Vec<Report>) -> i64 {
        let mut left = qty;
        while left > 0 && self.own_best[side.index()].is_some_and(|own| side.better(own, price)) {
            let Some(own) = self.first_own(side) else { break };
            let traded = self.execute(side, own.handle, left, out);
            self.volumes.filled_by_prints += traded;
            left -= traded;
        }
        left
    }

    /// A print at a level takes from its queue in order.
    fn print_at(&mut self, side: Side, price: Price, qty: i64, out: &mut Vec<Report>) {
        if self.shows == Shows::Prints {
            // Without any sign of a queue, only a print through the price is proof of a fill.
            return;
        }
        let ours = self.own[side.index()].iter().find(|own| own.price == price);
        let Some(ours) = ours else {
            if self.shows != Shows::Orders {
                let shown = lots(self.expected.qty_at(side, price));
                let available = shown - self.debt_at(side, price);
                self.expected.set(side, price, Qty::new(shown - qty.min(available)));
            }
            return;
        };
        if !ours.seen && self.setup.queue != QueueModel::Front {
            return;
        }
        let mut left = qty;
        let mut of_history = 0;
        let mut segments = std::mem::take(&mut self.segments);
        segments.clear();
        let queue = self.book.queue(side, price);
        segments
            .extend(queue.map(|order| (order.handle, lots(order.leaves), order.owner == HISTORY)));
        for (handle, leaves, historical) in &segments {
            let take = left.min(*leaves);
            if take == 0 {
                break;
            }
            left -= take;
            match (*historical, self.shows) {
                // Of single orders the data says itself what became of each.
                (true, Shows::Orders) => {}
                (true, _) => {
                    // The last fill of ours at this price may have taken history out of the book.
                    if self.book.is_open(*handle) {
                        self.resize(*handle, *leaves - take);
                    }
                    of_history += take;
                }
                (false, _) => {
                    self.volumes.filled_by_prints += self.execute(side, *handle, take, out);
                }
            }
        }
        self.segments = segments;
        if of_history > 0 {
            let shown = lots(self.expected.qty_at(side, price));
            self.expected.set(side, price, Qty::new((shown - of_history).max(0)));
        }
    }

    /// One record of an order-by-order book. Returns the level it touched.
    pub fn order(&mut self, record: &BookOrder, out: &mut Vec<Report>) -> Option<(Side, Price)> {
        self.shows = Shows::Orders;
        let qty = lots(record.qty);
        match record.action {
            BookAction::Clear => {
                self.clear();
                None
            }
            BookAction::Trade => {
                let trade = Trade {
                    price: record.price,
                    qty: record.qty,
                    aggressor: record.side,
                    id: record.order,
                };
                self.trade(&trade, out);
                None
            }
            // The book change follows as a record of its own.
            BookAction::Fill => None,
            BookAction::Add => {
                let side = record.side?;
                self.add_order(record.order, side, record.price, qty, qty, out);
                Some((side, record.price))
            }
            BookAction::Cancel => {
                let (handle, size) = *self.orders.get(record.order)?;
                self.change_order(record.order, handle, size, size - qty)
            }
            BookAction::Modify => {
                let side = record.side?;
                let (handle, size) = *self.orders.get(record.order)?;
                let here = self.book.order(handle).map(|order| order.price);
                if qty <= size && here.is_none_or(|here| here == record.price) {
                    return self.change_order(record.order, handle, size, qty);
                }
                // A new price or a larger size joins the back; what we had taken of it stays taken.
                let taken = size - self.book.order(handle).map_or(0, |order| lots(order.leaves));
                if self.book.order(handle).is_some() {
                    self.resize(handle, 0);
                }
                self.add_order(record.order, side, record.price, qty, (qty - taken).max(0), out);
                Some((side, record.price))
            }
        }
    }

    fn add_order(
        &mut self,
        id: u64,
        side: Side,
        price: Price,
        size: i64,
        available: i64,
        out: &mut Vec<Report>,
    ) {
        let taken = if available > 0 { self.cross(side, price, available, out) } else { 0 };
        // Even where we took all of it, it is known and may be named again.
        let order = self.historical(side, price, (available - taken).max(1), id);
        let handle = self.book.rest(order).expect("an order's quantity fits");
        if available - taken <= 0 {
            self.resize(handle, 0);
        }
        self.orders.insert(id, (handle, size));
    }

    /// An order of history shrank to `size` by the data: what we took of it pays first.
    fn change_order(
        &mut self,
        id: u64,
        handle: Handle,
        before: i64,
        size: i64,
    ) -> Option<(Side, Price)> {
        let size = size.clamp(0, before);
        let view = self.book.order(handle);
        if size == 0 {
            self.orders.remove(id);
        } else {
            self.orders.insert(id, (handle, size));
        }
        let view = view?;
        let target = lots(view.leaves).min(size);
        if target != lots(view.leaves) {
            self.resize(handle, target);
        }
        Some((view.side, view.price))
    }

    /// What others show at a level.
    pub fn available(&self, side: Side, price: Price) -> Qty {
        Qty::new(self.history_in_book(side, price))
    }

    /// A print where nothing else is shown: the other side is assumed to stand a half spread away, with
    /// as much as was traded. Returns that as a quote.
    pub fn assume_quote(&mut self, price: Price, qty: Qty, out: &mut Vec<Report>) -> Quote {
        let half = self.setup.half_spread;
        let quote = Quote {
            bid: Side::Buy.away(price, half),
            bid_qty: qty,
            ask: Side::Sell.away(price, half),
            ask_qty: qty,
        };
        let shown = self.quote(&quote, out);
        self.shows = Shows::Prints;
        shown
    }

    /// Whether the market shows nothing but prints so far.
    pub fn prints_only(&self) -> bool {
        matches!(self.shows, Shows::Nothing | Shows::Prints)
    }
}
