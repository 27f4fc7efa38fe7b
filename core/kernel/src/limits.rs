//! The limits of every scope: as they were set up, and as people change them while it trades (C25).

use crate::kernel::Kernel;
use crate::message::{Alert, Output};
use tse_model::bytes::{Kept, Reader, Recorded, Writer};
use tse_model::{
    ClientOrderId, Environment, InstrumentId, PlaceOrder, Qty, Rate, Span, StrategyId, Timestamp,
};
use tse_risk::{
    GroupLimit, LimitChange, Limits, NewLimit, NotChanged, Permit, Reach, Scoped, Waived, backed,
    is_looser,
};

/// The limits of every scope.
#[derive(Clone, Debug, Default)]
pub struct LimitTable {
    /// What was said of each strategy, by strategy and instrument; and of the account, by instrument.
    own: Vec<Vec<Limits>>,
    account: Vec<Limits>,
    /// The same, merged: a strategy's in place of the account's where it is tighter.
    strategy: Vec<Vec<Scoped>>,
    /// What holds where nothing is said of a strategy.
    others: Vec<Scoped>,
    nothing: Scoped,
}

impl Kept for LimitTable {
    fn save(&self, out: &mut Writer) {
        let Self { own, account, strategy: _, others: _, nothing: _ } = self;
        own.write(out);
        account.write(out);
    }
    fn load(&mut self, bytes: &mut Reader<'_>) -> Option<()> {
        let (own, account) = (Vec::read(bytes)?, Vec::read(bytes)?);
        *self = Self::new(account, own);
        Some(())
    }
}

impl LimitTable {
    /// From the account's limits by instrument and each strategy's own by instrument.
    pub fn new(account: Vec<Limits>, own: Vec<Vec<Limits>>) -> Self {
        let inside = |own: &[Limits]| {
            let places = own.len().max(account.len());
            let of = |limits: &[Limits], at: usize| limits.get(at).copied().unwrap_or_default();
            (0..places).map(|at| Scoped::new(of(own, at), of(&account, at))).collect()
        };
        let strategy = own.iter().map(|own| inside(own)).collect();
        Self { strategy, others: inside(&[]), own, account, nothing: Scoped::default() }
    }
    /// What holds for a strategy in an instrument; no limits at all where nothing is configured, which
    /// refuses.
    pub fn scoped(&self, strategy: StrategyId, instrument: InstrumentId) -> &Scoped {
        let row = self.strategy.get(strategy.index()).unwrap_or(&self.others);
        row.get(instrument.index()).unwrap_or(&self.nothing)
    }
    /// A strategy's limits, the account's where it has none of its own.
    pub fn strategy(&self, strategy: StrategyId, instrument: InstrumentId) -> &Limits {
        self.scoped(strategy, instrument).strategy()
    }
    /// The account's limits.
    pub fn account(&self, instrument: InstrumentId) -> &Limits {
        self.others.get(instrument.index()).unwrap_or(&self.nothing).account()
    }
    /// The longest window in which any of them counts repeated orders (C08).
    pub fn repeat_window(&self) -> Span {
        let all = self.strategy.iter().flatten().chain(&self.others);
        let windows = all.filter_map(|limits| Some(limits.strategy().repeats?.window));
        windows.max().unwrap_or(Span::ZERO)
    }

    /// The limits that were said of a scope in an instrument.
    fn said(&mut self, strategy: Option<StrategyId>, at: InstrumentId) -> Option<&mut Limits> {
        match strategy {
            None => self.account.get_mut(at.index()),
            Some(strategy) => {
                let places = self.account.len();
                let own = self.own.get_mut(strategy.index())?;
                if at.index() < places && own.len() < places {
                    own.resize(places, Limits::default());
                }
                own.get_mut(at.index())
            }
        }
    }

    /// Sets one, and says whether that is looser than what held before; `None` if there is no such place.
    fn set(
        &mut self,
        strategy: Option<StrategyId>,
        at: InstrumentId,
        to: NewLimit,
    ) -> Option<bool> {
        // What holds for the scope now, whoever said it, and what was said of it alone.
        let merged = |table: &Self| match strategy {
            None => *table.account(at),
            Some(strategy) => *table.strategy(strategy, at),
        };
        let before = merged(self);
        let said = self.said(strategy, at)?;
        let alone = *said;
        match to {
            NewLimit::OrderQty(to) => said.order_qty_max = Some(to),
            NewLimit::OrderValue(to) => said.order_value_max = Some(to),
            NewLimit::Collar(to) => said.collar = Some(to),
            NewLimit::OpenOrders(to) => said.open_orders_max = Some(to),
            NewLimit::Long(to) => said.long_max = Some(to),
            NewLimit::Short(to) => said.short_max = Some(to),
            NewLimit::DataAge(to) => said.data_age_max = Some(to),
            _ => return None,
        }
        let said = *said;
        *self = Self::new(std::mem::take(&mut self.account), std::mem::take(&mut self.own));
        // Looser is what lets more pass now, or would if the wider scope did: a strategy's own limit that rises.
        let own = strategy.is_some() && rises(&alone, &said, to, true);
        Some(own || rises(&before, &merged(self), to, false))
    }
}

/// Whether the limit that `which` names is higher in `after`. Where none was set, `unset_allows` says whether that
/// let everything pass, or nothing.
fn rises(before: &Limits, after: &Limits, which: NewLimit, unset_allows: bool) -> bool {
    fn rose<T: Ord>(before: Option<T>, after: Option<T>, unset_allows: bool) -> bool {
        after.is_some_and(|after| is_looser(before, after, unset_allows))
    }
    match which {
        NewLimit::OrderQty(_) => rose(before.order_qty_max, after.order_qty_max, unset_allows),
        NewLimit::OrderValue(_) => {
            rose(before.order_value_max, after.order_value_max, unset_allows)
        }
        NewLimit::Collar(_) => rose(before.collar, after.collar, unset_allows),
        NewLimit::OpenOrders(_) => {
            rose(before.open_orders_max, after.open_orders_max, unset_allows)
        }
        NewLimit::Long(_) => rose(before.long_max, after.long_max, unset_allows),
        NewLimit::Short(_) => rose(before.short_max, after.short_max, unset_allows),
        NewLimit::DataAge(_) => rose(before.data_age_max, after.data_age_max, unset_allows),
        _ => false,
    }
}

impl Kernel {
    /// Somebody wants a limit to be another.
    pub(crate) fn change_limit(&mut self, change: &LimitChange, out: &mut Vec<Output>) {
        match self.try_change(change) {
            Ok(()) => {
                self.state.orders.skip_name();
                self.hash.word(0xFFFA << 48 | u64::from(change.strategy.map_or(0, |it| it.0)));
                out.push(Output::Alert(Alert::LimitChanged(*change)));
            }
            Err(why) => out.push(Output::Alert(Alert::NotChanged(why))),
        }
    }

    fn try_change(&mut self, change: &LimitChange) -> Result<(), NotChanged> {
        let LimitChange { strategy, instrument, to, by, second, why } = change;
        backed(by, second.as_ref(), why, false)?;
        if !to.is_sound() {
            return Err(NotChanged::Unsound);
        }
        if to.is_of_all() != instrument.is_none() {
            return Err(NotChanged::Unknown);
        }
        if strategy.is_some_and(|strategy| strategy.index() >= self.strategies.len()) {
            return Err(NotChanged::Unknown);
        }
        let may_loosen = self.lacks("C25")
            || self.state.orders.environment() != Environment::Live
            || backed(by, second.as_ref(), why, true).is_ok();
        let refused = |looser: bool| looser && !may_loosen;
        match instrument {
            Some(at) => {
                // On a copy: what is refused has changed nothing.
                let mut table = self.state.limits.clone();
                let looser = table.set(*strategy, *at, *to).ok_or(NotChanged::Unknown)?;
                if refused(looser) {
                    return Err(NotChanged::NeedsTwo);
                }
                self.state.limits = table;
            }
            None => self.change_of_all(*strategy, *to, refused)?,
        }
        Ok(())
    }

    /// Changes a limit of all instruments together, unless that is looser and `refused`.
    fn change_of_all(
        &mut self,
        strategy: Option<StrategyId>,
        to: NewLimit,
        refused: impl Fn(bool) -> bool,
    ) -> Result<(), NotChanged> {
        fn put<T: Ord>(
            place: &mut Option<T>,
            value: T,
            refused: impl Fn(bool) -> bool,
        ) -> Result<(), NotChanged> {
            if refused(is_looser(place.as_ref(), &value, true)) {
                return Err(NotChanged::NeedsTwo);
            }
            *place = Some(value);
            Ok(())
        }
        match to {
            NewLimit::Gross(value)
            | NewLimit::Net(value)
            | NewLimit::GroupGross(GroupLimit { value, .. })
            | NewLimit::GroupNet(GroupLimit { value, .. }) => {
                let watch = self.exposure_watch.as_mut().ok_or(NotChanged::NotWatched)?;
                let place = watch.limit(strategy, to).ok_or(NotChanged::Unknown)?;
                put(place, value, refused)
            }
            _ => {
                let reach = strategy.map_or(Reach::Firm, Reach::Strategy);
                let watch = self.loss_watch.as_mut();
                let limits = watch.and_then(|watch| watch.limits(reach));
                let limits = limits.ok_or(NotChanged::NotWatched)?;
                match to {
                    NewLimit::DaySoft(value) => put(&mut limits.day_soft, value, refused),
                    NewLimit::DayMax(value) => put(&mut limits.day_max, value, refused),
                    NewLimit::VarMax(value) => put(&mut limits.var_max, value, refused),
                    NewLimit::Drawdown(share) => put(&mut limits.drawdown_max, share, refused),
                    _ => Err(NotChanged::Unknown),
                }
            }
        }
    }

    /// Two people let one order pass a control, once (C29).
    pub(crate) fn permit(&mut self, now: Timestamp, permit: &Permit, out: &mut Vec<Output>) {
        let Permit { strategy, instrument, qty, until, by, second, why, .. } = permit;
        let known = strategy.index() < self.strategies.len()
            && instrument.index() < self.state.markets.len();
        let backed = backed(by, second.as_ref(), why, !self.lacks("C29"));
        let refused = match backed {
            Err(why) => Some(why),
            Ok(()) if !known => Some(NotChanged::Unknown),
            Ok(()) if *qty <= Qty::ZERO || *until <= now => Some(NotChanged::Unsound),
            Ok(()) => None,
        };
        if let Some(why) = refused {
            out.push(Output::Alert(Alert::NotChanged(why)));
            return;
        }
        self.permits.retain(|known| known.until > now);
        self.permits.push(*permit);
        self.hash.word(0xFFF9 << 48 | u64::from(strategy.0));
        out.push(Output::Alert(Alert::Permitted(*permit)));
    }

    /// Which controls an order may pass by exception.
    pub(crate) fn waived_for(&self, now: Timestamp, draft: &PlaceOrder, found: &mut Vec<Waived>) {
        let fitting = self.permits.iter().filter(|permit| is_for(permit, now, draft));
        found.extend(fitting.map(|permit| permit.waived));
    }

    /// An order passed by an exception: nobody else may use it until it is known whether the order leaves.
    pub(crate) fn set_permit_aside(&mut self, now: Timestamp, draft: &PlaceOrder, waived: Waived) {
        let fits = |permit: &Permit| permit.waived == waived && is_for(permit, now, draft);
        if let Some(at) = self.permits.iter().position(fits) {
            self.aside.push((draft.id, self.permits.remove(at)));
        }
    }

    /// The order leaves, and with it the exception.
    pub(crate) fn use_permit(&mut self, id: ClientOrderId, out: &mut Vec<Output>) {
        if let Some(at) = self.aside.iter().position(|(order, _)| *order == id) {
            let (_, permit) = self.aside.swap_remove(at);
            out.push(Output::Alert(Alert::PermitUsed(permit)));
        }
    }

    /// The order does not leave: the exception is still there.
    pub(crate) fn give_permit_back(&mut self, id: ClientOrderId) {
        if let Some(at) = self.aside.iter().position(|(order, _)| *order == id) {
            let (_, permit) = self.aside.swap_remove(at);
            self.permits.push(permit);
        }
    }

    /// The share of its limits that a strategy may use by now (C24); `None` where that is all of them.
    pub(crate) fn ramp_share(&self, now: Timestamp, strategy: StrategyId) -> Option<Rate> {
        let ramp = self.guards.ramps.get(strategy.index())?.as_ref()?;
        if self.lacks("C24") {
            return None;
        }
        let since = self.first_order.get(strategy.index()).copied().flatten().unwrap_or(now);
        let share = ramp.share(now - since);
        (share < Rate::from_billionths(Rate::ONE)).then_some(share)
    }
}

/// Whether an exception is for this order.
fn is_for(permit: &Permit, now: Timestamp, draft: &PlaceOrder) -> bool {
    permit.until > now
        && permit.strategy == draft.strategy
        && permit.instrument == draft.instrument
        && permit.side == draft.side
        && draft.qty <= permit.qty
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c25_what_was_changed_comes_back_from_a_snapshot() {
        let account = Limits { order_qty_max: Some(Qty::new(9)), ..Limits::default() };
        let built = || LimitTable::new(vec![account; 2], vec![Vec::new(), vec![Limits::default()]]);
        let mut changed = built();
        let (own, at) = (StrategyId(0), InstrumentId(1));
        assert_eq!(changed.set(Some(own), at, NewLimit::OrderQty(Qty::new(4))), Some(false));
        assert_eq!(changed.set(None, at, NewLimit::OrderQty(Qty::new(10))), Some(true));
        let mut out = Writer::default();
        changed.save(&mut out);
        let bytes = out.into_bytes();
        let mut again = built();
        let mut reader = Reader::new(&bytes, Timestamp::EPOCH);
        assert_eq!((again.load(&mut reader), reader.is_empty()), (Some(()), true));
        for (strategy, limit) in [(0, 4), (1, 10), (7, 10)] {
            let limits = *again.strategy(StrategyId(strategy), at);
            assert_eq!(limits.order_qty_max, Some(Qty::new(limit)), "{strategy}");
            assert_eq!(limits, *changed.strategy(StrategyId(strategy), at));
        }
    }
}
