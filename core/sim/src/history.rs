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
//! then us. What it took of history is remembered until the level's next data, which is expected to be
//! lower by as much. Orders of ours at better prices than the print trade first, each at its own
//! price: the print went through them. One unit of a print fills at most one unit of ours.
//!
//! **A crossing counts once.** A historical order that reaches ours trades with it, and what it traded
//! becomes its level's debt.

use crate::models::QueueModel;
use crate::scenario::MarketSetup;
use tse_matching::{Book, Handle, NewOrder, Owner, Report};
use tse_model::{BookAction, BookOrder, DepthChange, IdMap, Price, Qty, Quote, Side, Trade};

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

/// What a level's data does not know yet.
#[derive(Clone, Copy, Debug)]
struct Debt {
    side: Side,
    price: Price,
    /// We took this.
    ours: i64,
    /// Prints took this; the next data is expected to say so.
    prints: i64,
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
    own: [Vec<Own>; 2],
    debts: Vec<Debt>,
    /// Best price of history on each side, for quotes.
    best: [Option<Price>; 2],
    /// History's orders by their venue names: handle and size by the data.
    orders: IdMap<(Handle, i64)>,
    volumes: Volumes,
    last: Option<Price>,
    segments: Vec<(Handle, i64, bool)>,
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
            own: [Vec::new(), Vec::new()],
            debts: Vec::new(),
            best: [None; 2],
            orders: IdMap::default(),
            volumes: Volumes::default(),
            last: None,
            segments: Vec::new(),
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

    /// Best price and open quantity of a side, history and ours.
    pub fn best(&self, side: Side) -> Option<(Price, Qty)> {
        self.book.best(side).map(|level| (level.price, level.visible))
    }

    // ---- our own orders ----

    /// Notes one of our orders that came to rest.
    pub(crate) fn joined(&mut self, side: Side, price: Price, handle: Handle) {
        let seen = match self.shows {
            Shows::Depth | Shows::Orders => true,
            // Better than or at the best price: what stands there is known. Behind it, it is not.
            _ => self.best[side.index()].is_some_and(|best| !side.better(best, price)),
        };
        self.own[side.index()].push(Own { handle, price, seen });
    }

    /// The optimist's order stands in front of its queue: puts it there instead of at the back.
    pub(crate) fn front_of_queue(&self, side: Side, price: Price) -> Option<Handle> {
        if self.setup.queue != QueueModel::Front || self.shows == Shows::Orders {
            return None;
        }
        let mut queue = self.book.queue(side, price);
        queue.find(|order| order.owner == HISTORY).map(|order| order.handle)
    }

    /// Forgets one of our orders.
    pub(crate) fn left(&mut self, side: Side, handle: Handle) {
        self.own[side.index()].retain(|own| own.handle != handle);
    }

    /// Books what our order took from history.
    pub(crate) fn took(&mut self, side: Side, price: Price, qty: Qty) {
        self.last = Some(price);
        if matches!(self.shows, Shows::Quotes | Shows::Depth) {
            self.debt(side, price).ours += lots(qty);
        }
    }

    fn debt_at(&self, side: Side, price: Price) -> Option<usize> {
        self.debts.iter().position(|debt| debt.side == side && debt.price == price)
    }

    fn debt(&mut self, side: Side, price: Price) -> &mut Debt {
        let at = self.debt_at(side, price).unwrap_or_else(|| {
            self.debts.push(Debt { side, price, ours: 0, prints: 0 });
            self.debts.len() - 1
        });
        &mut self.debts[at]
    }

    // ---- history ----

    fn historical(&self, side: Side, price: Price, qty: i64, tag: u64) -> NewOrder {
        NewOrder::limit(HISTORY, tag, side, price, Qty::new(qty))
    }

    /// History's quantity at a level.
    fn history_at(&self, side: Side, price: Price) -> i64 {
        let queue = self.book.queue(side, price);
        queue.filter(|order| order.owner == HISTORY).map(|order| lots(order.leaves)).sum()
    }

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

    /// Takes all of history out of the book.
    fn clear(&mut self) {
        for side in Side::BOTH {
            let prices: Vec<_> = self.book.levels(side).map(|level| level.price).collect();
            for price in prices {
                self.clear_level(side, price);
            }
        }
        self.orders.clear();
        self.debts.clear();
        self.best = [None; 2];
    }

    fn clear_level(&mut self, side: Side, price: Price) {
        let mut segments = std::mem::take(&mut self.segments);
        segments.clear();
        let queue = self.book.queue(side, price).filter(|order| order.owner == HISTORY);
        segments.extend(queue.map(|order| (order.handle, 0, true)));
        for (handle, ..) in &segments {
            self.resize(*handle, 0);
        }
        self.segments = segments;
        self.debts.retain(|debt| debt.side != side || debt.price != price);
    }

    fn resize(&mut self, handle: Handle, qty: i64) {
        self.book.set_qty(handle, Qty::new(qty)).expect("history's own order, within an i64");
    }

    /// Sets what the data shows at a level; returns what of it is available.
    #[inline]
    fn set_level(&mut self, side: Side, price: Price, shown: i64, out: &mut Vec<Report>) -> i64 {
        if self.own[0].is_empty() && self.own[1].is_empty() && self.debts.is_empty() {
            // Nothing of ours is near: the level is one order of history.
            match self.book.level(side, price) {
                Some(level) => self.resize(level.head, shown),
                None if shown > 0 => self.join(side, price, shown),
                None => {}
            }
            return shown;
        }
        self.set_level_among_ours(side, price, shown, out)
    }

    fn set_level_among_ours(
        &mut self,
        side: Side,
        price: Price,
        shown: i64,
        out: &mut Vec<Report>,
    ) -> i64 {
        let available = self.history_at(side, price);
        let at = self.debt_at(side, price);
        let ours = at.map_or(0, |at| self.debts[at].ours);
        let expected = available + ours;
        let mut debt = (ours - (expected - shown).max(0)).max(0).min(shown);
        let mut target = shown - debt;
        if target > 0 {
            let taken = self.cross(side, price, target, out);
            target -= taken;
            debt += taken;
        }
        match at {
            Some(at) if debt == 0 => drop(self.debts.swap_remove(at)),
            Some(at) => {
                self.debts[at].ours = debt;
                self.debts[at].prints = 0;
            }
            None if debt > 0 => self.debt(side, price).ours = debt,
            None => {}
        }
        if target > available {
            self.grow(side, price, target - available);
        } else if target < available {
            self.shrink(side, price, available - target);
        }
        target
    }

    fn join(&mut self, side: Side, price: Price, qty: i64) {
        let order = self.historical(side, price, qty, 0);
        self.book.rest(order).expect("a level's quantity fits");
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
            let until =
                segments[from..].iter().position(|it| !it.2).map_or(segments.len(), |at| from + at);
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
            let Some(own) =
                self.best_own(side.opposite()).filter(|own| side.reaches(price, own.price))
            else {
                break;
            };
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
    fn best_own(&self, side: Side) -> Option<Own> {
        let mut best: Option<Own> = None;
        for own in &self.own[side.index()] {
            if best.is_none_or(|best| side.better(own.price, best.price)) {
                best = Some(*own);
            }
        }
        best
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
    pub fn quote(&mut self, quote: &Quote, out: &mut Vec<Report>) -> Quote {
        self.shows = Shows::Quotes;
        let mut shown = *quote;
        for side in Side::BOTH {
            let new = quote.side(side);
            let old = self.best[side.index()];
            let price = new.map(|(price, _)| price);
            if old != price {
                self.move_best(side, old, price);
                self.best[side.index()] = price;
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
        if let Some(old) = old {
            let waiting = self.own[side.index()].iter().any(|own| own.price == old);
            if gone(old) || !waiting {
                self.clear_level(side, old);
            }
        }
        for at in 0..self.own[side.index()].len() {
            let price = self.own[side.index()][at].price;
            if gone(price) {
                self.clear_level(side, price);
            }
        }
    }

    /// A trade between others.
    pub fn trade(&mut self, trade: &Trade, out: &mut Vec<Report>) {
        let quantity = lots(trade.qty);
        let aggressor = trade.aggressor.or_else(|| self.infer_aggressor(trade.price));
        self.last = Some(trade.price);
        if quantity > 0 {
            self.volumes.printed += quantity;
            if let Some(aggressor) = aggressor {
                let side = aggressor.opposite();
                let left = self.print_through(side, trade.price, quantity, out);
                if left > 0 {
                    self.print_at(side, trade.price, left, out);
                }
            }
        }
        self.book.trigger_stops(trade.price, out);
    }

    /// Who took, where the data does not say: whoever reached the other side's best price.
    fn infer_aggressor(&self, price: Price) -> Option<Side> {
        let reached = |side: Side| {
            let best = self.best[side.index()].or_else(|| self.book.best_price(side));
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
        while left > 0 {
            let Some(own) = self.best_own(side).filter(|own| side.better(own.price, price)) else {
                break;
            };
            let traded = self.execute(side, own.handle, left, out);
            self.volumes.filled_by_prints += traded;
            left -= traded;
        }
        left
    }

    /// A print at a level takes from its queue in order.
    fn print_at(&mut self, side: Side, price: Price, qty: i64, out: &mut Vec<Report>) {
        let ours_here = self.own[side.index()].iter().find(|own| own.price == price).copied();
        if self.shows == Shows::Prints {
            // Without any sign of a queue, only a print through the price is proof of a fill.
            return;
        }
        if ours_here.is_some_and(|own| !own.seen) && self.setup.queue != QueueModel::Front {
            return;
        }
        if ours_here.is_none() && self.book.level(side, price).is_none() {
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
                    self.resize(*handle, *leaves - take);
                    of_history += take;
                }
                (false, _) => {
                    self.volumes.filled_by_prints += self.execute(side, *handle, take, out);
                }
            }
        }
        self.segments = segments;
        if of_history > 0 {
            self.debt(side, price).prints += of_history;
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
        Qty::new(self.history_at(side, price))
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
