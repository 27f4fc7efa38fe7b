//! Stops: orders asleep until a trade reaches their trigger.
//!
//! Trade prices come in through [`Book::print`]; it moves the triggers of trailing stops and lists
//! the stops that were reached. They act in [`Book::cascade`], once the order that traded is done.
//! Quotes never trigger anything.

use tse_model::{OrderType, Price, Side, TimeInForce};

use crate::book::Book;
use crate::level::Half;
use crate::slab::{NIL, Node};
use crate::take::{Seat, Taker, Then};
use crate::{NewOrder, Outcome, Report};

/// What a stop does when it wakes, apart from what any order has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Awake {
    pub limit: Option<Price>,
    pub protection: Option<Price>,
    pub time_in_force: TimeInForce,
}

/// A sleeping stop, beside its order.
#[derive(Clone, Debug)]
pub(crate) struct Stop {
    pub awake: Awake,
    /// Where it wakes; for a trailing stop `None` until the first trade.
    pub trigger: Option<Price>,
    /// How far a trailing stop stays behind; zero for one that stands still.
    trail: i64,
    /// The best price a trailing stop has seen.
    extreme: Option<Price>,
    /// The order.
    slot: u32,
    /// Its neighbours among the trailing stops of its side, in order of acceptance; for a free place
    /// `next` is the next free one.
    prev: u32,
    next: u32,
}

/// All sleeping stops.
#[derive(Clone, Debug)]
pub(crate) struct Sleepers {
    stops: Vec<Stop>,
    free: u32,
    live: usize,
    /// Oldest and youngest trailing stop of each side.
    trailing: [(u32, u32); 2],
    /// What has been reached and has not acted yet.
    reached: Vec<(u32, Awake)>,
}

impl Sleepers {
    pub fn new() -> Self {
        Self {
            stops: Vec::new(),
            free: NIL,
            live: 0,
            trailing: [(NIL, NIL); 2],
            reached: Vec::new(),
        }
    }

    pub fn len(&self) -> usize {
        self.live
    }

    pub fn capacity(&self) -> usize {
        self.stops.capacity() + self.reached.capacity()
    }

    #[inline]
    pub fn anything_reached(&self) -> bool {
        !self.reached.is_empty()
    }

    pub fn get(&self, at: u32) -> &Stop {
        &self.stops[at as usize]
    }

    pub fn get_mut(&mut self, at: u32) -> &mut Stop {
        &mut self.stops[at as usize]
    }

    /// The trailing stop of a side that was accepted first, or `NIL`.
    pub fn oldest_trailing(&self, side: Side) -> u32 {
        self.trailing[side.index()].0
    }

    /// From this trailing stop on, the first that no trade has given a trigger yet: its order, and
    /// where to go on from.
    pub fn unanchored(&self, mut at: u32) -> Option<(u32, u32)> {
        while at != NIL {
            let stop = self.get(at);
            if stop.trigger.is_none() {
                return Some((stop.slot, stop.next));
            }
            at = stop.next;
        }
        None
    }

    fn insert(&mut self, stop: Stop, side: Side) -> u32 {
        let trails = stop.trail > 0;
        self.live += 1;
        let at = if self.free == NIL {
            self.stops.push(stop);
            u32::try_from(self.stops.len() - 1).expect("no more stops than orders")
        } else {
            let at = self.free;
            self.free = self.stops[at as usize].next;
            self.stops[at as usize] = stop;
            at
        };
        if trails {
            let (oldest, youngest) = &mut self.trailing[side.index()];
            let before = std::mem::replace(youngest, at);
            self.stops[at as usize].prev = before;
            match before {
                NIL => *oldest = at,
                _ => self.stops[before as usize].next = at,
            }
        }
        at
    }

    fn remove(&mut self, at: u32, side: Side) -> Awake {
        let Stop { awake, trail, prev, next, .. } = self.stops[at as usize];
        if trail > 0 {
            let (oldest, youngest) = &mut self.trailing[side.index()];
            match prev {
                NIL => *oldest = next,
                _ => self.stops[prev as usize].next = next,
            }
            match next {
                NIL => *youngest = prev,
                _ => self.stops[next as usize].prev = prev,
            }
        }
        self.stops[at as usize].next = self.free;
        self.free = at;
        self.live -= 1;
        awake
    }
}

/// Whether a trade at `price` reaches the trigger of a stop of `side`.
pub(crate) fn reached(side: Side, trigger: Price, price: Price) -> bool {
    // A buy stop wakes where a sell order at its trigger would be hit, and the other way round.
    side.reaches(price, trigger)
}

/// Where a trailing stop stands whose best price is `extreme`: below it for a sell, above for a buy.
/// It stops at the ends of the range of prices.
fn behind(side: Side, extreme: Price, trail: i64) -> Price {
    side.opposite().away(extreme, trail)
}

impl Book {
    /// Whether a stop of this type would wake at once, because the last trade has already reached
    /// its trigger. The book lets it; an owner whose market refuses such orders asks here first.
    pub fn would_trigger(&self, side: Side, order_type: OrderType) -> bool {
        let trigger = match order_type {
            OrderType::Stop(trigger) | OrderType::StopLimit { trigger, .. } => Some(trigger),
            OrderType::TrailingStop(trail) => self.last.map(|last| behind(side, last, trail.get())),
            OrderType::Market | OrderType::Limit(_) => None,
        };
        self.last.zip(trigger).is_some_and(|(last, trigger)| reached(side, trigger, last))
    }

    /// Says that a trade happened outside the book, at this price: trailing stops follow it, and what
    /// it triggers acts, with all that comes of it.
    pub fn trigger_stops(&mut self, price: Price, out: &mut Vec<Report>) {
        self.print(price);
        self.cascade(out);
    }

    /// The price of the last trade the book knows of.
    pub fn last_price(&self) -> Option<Price> {
        self.last
    }

    /// Takes a stop on: it sleeps, or acts at once if its trigger has been reached already.
    pub(crate) fn arm(&mut self, order: &NewOrder, out: &mut Vec<Report>) -> Outcome {
        let (side, tag) = (order.side, order.tag);
        let (limit, trigger, trail) = match order.order_type {
            OrderType::Stop(trigger) => (None, Some(trigger), 0),
            OrderType::StopLimit { trigger, limit } => (Some(limit), Some(trigger), 0),
            OrderType::TrailingStop(trail) => {
                let trail = trail.get();
                (None, self.last.map(|last| behind(side, last, trail)), trail)
            }
            OrderType::Market | OrderType::Limit(_) => unreachable!("`place` arms stops only"),
        };
        let awake =
            Awake { limit, protection: order.protection, time_in_force: order.time_in_force };
        if self.would_trigger(side, order.order_type) {
            out.push(Report::Triggered { handle: None, tag });
            let taker = Taker::new(order, awake.limit.or(awake.protection));
            return self.run(taker, Then::of(&awake), Seat::New(order), out);
        }
        let slot = self.queues.orders.insert(Node::new(order, order.qty.get()));
        let extreme = (trail > 0).then_some(self.last).flatten();
        let stop = Stop { awake, trigger, trail, extreme, slot, prev: NIL, next: NIL };
        let at = self.sleepers.insert(stop, side);
        self.queues.orders[slot].stop = at;
        if let Some(trigger) = trigger {
            let half = Half::stops(side);
            self.queues.join(half, half.rank(trigger), slot);
        }
        self.open[side.index()] += order.qty.get();
        let handle = self.queues.orders.handle(slot);
        out.push(Report::Armed { handle, tag, trigger });
        Outcome::Armed(handle)
    }

    /// Takes a sleeping stop out of its sleep; its order stays, standing nowhere.
    pub(crate) fn disarm(&mut self, slot: u32) -> Awake {
        let node = &mut self.queues.orders[slot];
        let at = std::mem::replace(&mut node.stop, NIL);
        let (side, level) = (node.side, node.level);
        if level != NIL {
            self.queues.leave(slot);
        }
        self.sleepers.remove(at, side)
    }

    /// A trade happened at this price.
    ///
    /// Afterwards no stop sleeps whose trigger it has reached; so a second trade at the same price
    /// has nothing to say, and most trades end at the first comparison.
    #[inline]
    pub(crate) fn print(&mut self, price: Price) {
        if self.last != Some(price) {
            self.last = Some(price);
            if self.sleepers.live > 0 {
                self.find_reached(price);
            }
        }
    }

    fn find_reached(&mut self, price: Price) {
        for side in Side::BOTH {
            self.trail(side, price);
        }
        for side in Side::BOTH {
            let half = Half::stops(side);
            while self.queues.half(half).reaches(half.rank(price)) {
                let level = self.queues.half(half).best();
                let slot = self.queues.level(level).head;
                // From here on it is asleep no more: no later trade moves or reaches it again.
                let awake = self.disarm(slot);
                self.sleepers.reached.push((slot, awake));
            }
        }
    }

    /// Moves the trailing stops of a side after a new best price.
    ///
    /// An older stop has seen whatever a younger one has, so its best price is at least as good:
    /// those that move are the youngest ones, and the walk ends at the first that does not.
    fn trail(&mut self, side: Side, price: Price) {
        let stops = &self.sleepers.stops;
        let moves = |at: u32| match stops[at as usize].extreme {
            None => true,
            // The best price for a sell stop to follow is the highest.
            Some(extreme) => side.opposite().better(price, extreme),
        };
        let (mut first, mut at) = (NIL, self.sleepers.trailing[side.index()].1);
        while at != NIL && moves(at) {
            first = at;
            at = stops[at as usize].prev;
        }
        let half = Half::stops(side);
        let mut at = first;
        while at != NIL {
            let stop = &mut self.sleepers.stops[at as usize];
            let trigger = behind(side, price, stop.trail);
            let moved = stop.trigger != Some(trigger);
            (stop.extreme, stop.trigger) = (Some(price), Some(trigger));
            let slot = stop.slot;
            at = stop.next;
            if moved {
                if self.queues.orders[slot].level != NIL {
                    self.queues.leave(slot);
                }
                self.queues.join(half, half.rank(trigger), slot);
            }
        }
    }

    /// Lets everything that was reached act, in turn, with what that triggers behind it.
    ///
    /// Nothing new is armed meanwhile and each stop wakes once, so this ends.
    pub(crate) fn cascade(&mut self, out: &mut Vec<Report>) {
        let mut next = 0;
        while let Some((slot, awake)) = self.sleepers.reached.get(next).copied() {
            next += 1;
            let handle = self.queues.orders.handle(slot);
            let node = &self.queues.orders[slot];
            out.push(Report::Triggered { handle: Some(handle), tag: node.tag });
            let taker = Taker::woken(node, awake.limit.or(awake.protection));
            self.open[taker.side.index()] -= taker.leaves;
            self.run(taker, Then::of(&awake), Seat::Taken(slot), out);
        }
        self.sleepers.reached.clear();
    }
}
