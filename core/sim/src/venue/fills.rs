//! What a book reported about our orders, in the venue's words.

use super::{Output, Venue};
use crate::history::{HISTORY, OURS};
use tse_matching::Report;
use tse_model::{
    ExecId, Fill, InstrumentId, Liquidity, Money, OrderEventKind, Price, Qty, Timestamp,
};
use tse_risk::reserve;

impl Venue {
    /// Turns what the book reported about our orders into the venue's words.
    pub(super) fn tell(&mut self, now: Timestamp, instrument: InstrumentId, out: &mut Vec<Output>) {
        let mut reports = std::mem::take(&mut self.reports);
        for report in reports.drain(..) {
            self.tell_one(now, instrument, &report, out);
        }
        self.reports = reports;
    }

    fn tell_one(
        &mut self,
        now: Timestamp,
        instrument: InstrumentId,
        report: &Report,
        out: &mut Vec<Output>,
    ) {
        let Some(market) = self.markets[instrument.index()].as_mut() else { return };
        match *report {
            Report::Fill(fill) => {
                let (price, qty) = (fill.price, fill.qty);
                if fill.maker_owner == HISTORY {
                    market.took(fill.taker_side.opposite(), price, qty, fill.maker_tag);
                } else {
                    self.filled(now, fill.maker_tag as u32, price, qty, Liquidity::Maker, out);
                }
                if fill.taker_owner == OURS {
                    self.filled(now, fill.taker_tag as u32, price, qty, Liquidity::Taker, out);
                }
            }
            Report::Executed { tag, owner: OURS, price, qty, .. } => {
                self.filled(now, tag as u32, price, qty, Liquidity::Maker, out);
            }
            Report::Rested { handle, tag, price, .. } => {
                if let Some(open) = &mut self.open[tag as usize] {
                    open.handle = Some(handle);
                    let side = open.request.side;
                    market.joined(now, side, price, handle);
                }
            }
            Report::Armed { handle, tag, .. } => {
                if let Some(open) = &mut self.open[tag as usize] {
                    open.handle = Some(handle);
                }
            }
            Report::Triggered { tag, .. } => {
                if let Some(open) = self.open[tag as usize] {
                    let id = open.request.id;
                    out.push(self.say(now, id, instrument, OrderEventKind::Triggered));
                }
            }
            Report::Cancelled { handle, tag, reason, .. } => {
                if let Some(open) = self.open[tag as usize] {
                    if let Some(handle) = handle {
                        market.left(open.request.side, handle);
                    }
                    self.close(tag as u32);
                    let kind = OrderEventKind::Cancelled { reason, filled: Some(open.filled) };
                    out.push(self.say(now, open.request.id, instrument, kind));
                }
            }
            _ => {}
        }
    }

    pub(super) fn filled(
        &mut self,
        now: Timestamp,
        slot: u32,
        price: Price,
        qty: Qty,
        liquidity: Liquidity,
        out: &mut Vec<Output>,
    ) {
        let Some(open) = self.open[slot as usize] else { return };
        let (request, instrument) = (open.request, open.request.instrument);
        let fill = self.execution(instrument, price, qty, liquidity);
        let it = self.catalog.instrument(instrument);
        self.account.fill(it, request.side, &fill, now);
        let leaves = open.leaves - qty;
        let rest = open.limit.and_then(|price| reserve(it, request.side, price, leaves));
        let reserved = rest.map_or(open.reserved, |rest| rest.amount.min(open.reserved));
        out.push(self.say(now, request.id, instrument, OrderEventKind::Filled(fill)));
        self.account.reserve(open.reserved_in, open.reserved, reserved);
        self.working[instrument.index()][request.side.index()] -= qty;
        if let Some(open) = &mut self.open[slot as usize] {
            open.leaves = leaves;
            open.filled += qty;
            open.reserved = reserved;
        }
        if leaves.is_zero() {
            if let (Some(handle), Some(market)) =
                (open.handle, self.markets[instrument.index()].as_mut())
            {
                market.left(request.side, handle);
            }
            self.close(slot);
        }
    }

    pub(super) fn execution(
        &mut self,
        instrument: InstrumentId,
        price: Price,
        qty: Qty,
        liquidity: Liquidity,
    ) -> Fill {
        let it = self.catalog.instrument(instrument);
        let exec = ExecId(self.next_exec);
        self.next_exec += 1;
        let fee = self.account.fee(it, liquidity, price, qty).unwrap_or(Money::ZERO);
        Fill { exec, price, qty, liquidity, fee, fee_currency: it.settle }
    }

    /// Checks what is kept of open orders against the orders themselves and the books they rest in.
    pub(super) fn audit_orders(&self) -> Result<(), String> {
        let mut reserved = vec![Money::ZERO; self.catalog.currencies().len()];
        let mut working = vec![[Qty::ZERO; 2]; self.catalog.instruments().len()];
        let mut reducing = 0;
        for open in self.open.iter().flatten() {
            let request = &open.request;
            if open.filled + open.leaves != request.qty || !open.leaves.is_positive() {
                return Err(format!("quantity of {open:?}"));
            }
            let book = self.market(request.instrument).map(|market| &market.book);
            if let (Some(handle), Some(book)) = (open.handle, book) {
                let resting = book.order(handle).map(|order| order.leaves);
                let sleeping = book.stop(handle).map(|stop| stop.leaves);
                if resting.or(sleeping) != Some(open.leaves) {
                    return Err(format!("{resting:?} or {sleeping:?} stands for {open:?}"));
                }
            }
            let sum = &mut reserved[open.reserved_in.index()];
            *sum = sum.checked_add(open.reserved).ok_or("reservations overflow")?;
            working[request.instrument.index()][request.side.index()] += open.leaves;
            reducing += usize::from(request.reduce_only);
        }
        for (at, sum) in reserved.iter().enumerate() {
            let currency = tse_model::CurrencyId(at as u16);
            let kept = self.account.reserved(currency);
            if kept != *sum {
                return Err(format!("currency {at}: {kept:?} set aside, {sum:?} by orders"));
            }
        }
        if working != self.working || reducing != self.reducing {
            return Err(format!("open: {working:?}, kept as {:?}", self.working));
        }
        for open in self.open.iter().flatten().filter(|open| open.request.reduce_only) {
            let (at, side) = (open.request.instrument, open.request.side);
            let held = -self.account.position(at).signed(side);
            if working[at.index()][side.index()] > held {
                return Err(format!("{open:?} could enlarge a position of {held:?}"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::latency::Latency;
    use crate::models::QueueModel;
    use crate::scenario::{MarketSetup, VenueSetup};
    use tse_model::{
        Catalog, ClientOrderId, Decimal, FeeBasis, FeeSchedule, GroupId, InstrumentSpec, Kind,
        OrderType, PlaceOrder, Rate, Rounding, Settlement, Side, StrategyId, TimeInForce, VenueId,
    };

    /// A venue where one order of ours rests.
    fn venue() -> Venue {
        let mut catalog = Catalog::new();
        let none = FeeBasis::Value { maker: Rate::ZERO, taker: Rate::ZERO };
        let spec = InstrumentSpec {
            symbol: "BTC-USD.X".parse().unwrap(),
            kind: Kind::Spot,
            settlement: Settlement::Delivery,
            tick: Decimal::ONE,
            lot: Decimal::ONE,
            multiplier: Decimal::ONE,
            qty_min: Decimal::ONE,
            qty_max: None,
            notional_min: Decimal::ZERO,
            price_max: None,
            margin_initial: Decimal::ONE,
            margin_maintenance: Decimal::ONE,
            fees: FeeSchedule::flat(none, Rounding::HalfEven),
        };
        let instrument = catalog.define_instrument(spec).unwrap();
        let usd = catalog.currency_id("USD").unwrap();
        let setup = VenueSetup {
            venue: VenueId(0),
            deposits: vec![(usd, Money::from_units(100_000_000_000))],
            feed: Latency::NONE,
            order: Latency::NONE,
            response: Latency::NONE,
            markets: vec![MarketSetup {
                instrument,
                queue: QueueModel::Back,
                half_spread: 1,
                funding: None,
            }],
        };
        let mut venue = Venue::new(&catalog, &setup);
        let place = PlaceOrder {
            id: ClientOrderId(1),
            instrument,
            strategy: StrategyId(0),
            group: GroupId(0),
            side: Side::Buy,
            order_type: OrderType::Limit(Price::new(99)),
            time_in_force: TimeInForce::Gtc,
            qty: Qty::new(5),
            display: None,
            post_only: false,
            reduce_only: false,
        };
        let mut out = Vec::new();
        venue.on_place(Timestamp::EPOCH, &place, &mut out);
        assert_eq!((venue.audit(), out.len()), (Ok(()), 1));
        venue
    }

    #[track_caller]
    fn notices(plant: impl FnOnce(&mut Venue), what: &str) {
        let mut venue = venue();
        plant(&mut venue);
        let said = venue.audit().expect_err("it is noticed");
        assert!(said.contains(what), "{said}");
    }

    fn the_order(venue: &mut Venue) -> &mut super::super::Open {
        venue.open[0].as_mut().expect("it rests")
    }

    #[test]
    fn an_order_overfilled_by_one_lot_is_noticed() {
        notices(|venue| the_order(venue).filled = Qty::new(1), "quantity of");
        notices(|venue| the_order(venue).leaves = Qty::new(4), "quantity of");
        notices(
            |venue| {
                let order = the_order(venue);
                (order.filled, order.leaves) = (Qty::new(1), Qty::new(4));
            },
            "stands for",
        );
    }

    #[test]
    fn a_unit_set_aside_by_nobody_is_noticed() {
        let unit = Money::from_units(1);
        let usd = tse_model::CurrencyId(1);
        notices(|venue| venue.account.reserve(usd, Money::ZERO, unit), "set aside");
        notices(|venue| the_order(venue).reserved = unit, "set aside");
        notices(|venue| venue.working[0][0] = Qty::new(6), "open:");
        notices(|venue| venue.reducing = 1, "open:");
    }

    #[test]
    fn an_order_that_could_enlarge_what_it_must_reduce_is_noticed() {
        notices(
            |venue| {
                the_order(venue).request.reduce_only = true;
                venue.reducing = 1;
            },
            "could enlarge",
        );
    }
}
