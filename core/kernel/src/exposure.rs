//! What is held and asked for over all instruments beside what it may be (C12): before an order leaves, and every
//! now and then after.
//!
//! Before an order leaves everything that is open counts as if it were filled, whichever way is worse, and the
//! order with it. Afterwards only what is held counts: prices may carry it over a limit, and then the scope is cut
//! back to what shrinks it (K2).

use crate::answer::without;
use crate::kernel::Kernel;
use crate::message::{Alert, Output};
use crate::orders::Slot;
use crate::plant::Plant;
use tse_model::bytes::{Kept, Reader, Recorded, Writer};
use tse_model::{CurrencyId, Money, PlaceOrder, Qty, Side, Span, StrategyId, Timestamp};
use tse_portfolio::{Mark, Prices};
use tse_risk::{
    Cause, CorrelationLimit, Exposed, ExposureGroup, ExposureLimits, Level, Metric, NewLimit,
    Reach, Scope, Together, Worth, exposures, group_exposures,
};

/// What everything together may be worth, in which currency, and how that is known.
#[derive(Clone, Debug)]
pub struct ExposureTable {
    /// What everything is counted in.
    pub currency: CurrencyId,
    /// How it is converted; what is told of markets is added as it comes.
    pub prices: Prices,
    /// How often what is held is looked at.
    pub every: Span,
    /// Of everything.
    pub firm: ExposureLimits,
    /// Of instruments that move together.
    pub groups: Vec<ExposureGroup>,
    /// By strategy.
    pub strategy: Vec<ExposureLimits>,
    /// How much strategies may earn together; `None` where nobody asks.
    pub correlation: Option<CorrelationLimit>,
}

/// What is watched.
#[derive(Clone, Debug)]
pub(crate) struct ExposureWatch {
    table: ExposureTable,
    /// By instrument, of the scope that is looked at; `None` where it cannot be told. Empty between steps.
    worths: Vec<Option<Worth>>,
    /// When it is looked at again.
    pub(crate) next: Option<Timestamp>,
    /// What strategies earn, where that is looked at, and when the next step ends.
    together: Option<Together>,
    step_ends: Option<Timestamp>,
}

impl Kept for ExposureWatch {
    fn save(&self, out: &mut Writer) {
        let Self { table, worths: _, next, together, step_ends } = self;
        // Limits as they are by now: people change them.
        let all = [&table.firm].into_iter().chain(&table.strategy);
        let all = all.map(|limits| [limits.gross, limits.net]);
        let groups = table.groups.iter().map(|group| [group.gross, group.net]);
        all.chain(groups).flatten().for_each(|limit| limit.write(out));
        next.save(out);
        if let Some(together) = together {
            together.save(out);
        }
        step_ends.save(out);
    }
    fn load(&mut self, bytes: &mut Reader<'_>) -> Option<()> {
        for limits in [&mut self.table.firm].into_iter().chain(&mut self.table.strategy) {
            (limits.gross, limits.net) = (Recorded::read(bytes)?, Recorded::read(bytes)?);
        }
        for group in &mut self.table.groups {
            (group.gross, group.net) = (Recorded::read(bytes)?, Recorded::read(bytes)?);
        }
        self.next.load(bytes)?;
        if let Some(together) = &mut self.together {
            together.load(bytes)?;
        }
        self.step_ends.load(bytes)
    }
}

/// An order that would be added, in place of one that is open.
#[derive(Clone, Copy)]
struct Added<'a> {
    draft: &'a PlaceOrder,
    replaced: Option<Slot>,
}

impl ExposureWatch {
    pub(crate) fn new(table: ExposureTable) -> Self {
        assert!(table.every > Span::ZERO, "exposure is looked at now and then");
        let together = table.correlation.map(Together::new);
        Self { table, worths: Vec::new(), next: None, together, step_ends: None }
    }

    pub(crate) fn currency(&self) -> CurrencyId {
        self.table.currency
    }

    fn limits(&self, strategy: Option<StrategyId>) -> ExposureLimits {
        match strategy {
            None => self.table.firm,
            Some(id) => self.table.strategy.get(id.index()).copied().unwrap_or_default(),
        }
    }

    /// The place of a limit; `None` if there is none such.
    pub(crate) fn limit(
        &mut self,
        strategy: Option<StrategyId>,
        which: NewLimit,
    ) -> Option<&mut Option<Money>> {
        if let NewLimit::GroupGross(to) | NewLimit::GroupNet(to) = which {
            // Groups are of everything.
            let groups = strategy.is_none().then_some(&mut self.table.groups)?;
            let group = groups.get_mut(usize::from(to.group))?;
            return Some(match which {
                NewLimit::GroupGross(_) => &mut group.gross,
                _ => &mut group.net,
            });
        }
        let limits = match strategy {
            None => &mut self.table.firm,
            Some(id) => self.table.strategy.get_mut(id.index())?,
        };
        match which {
            NewLimit::Gross(_) => Some(&mut limits.gross),
            NewLimit::Net(_) => Some(&mut limits.net),
            _ => None,
        }
    }

    /// What those that `wanted` names are worth together; `None` if it cannot be told.
    fn sum(&self, wanted: impl Fn(usize) -> bool) -> Option<Worth> {
        let all = self.worths.iter().enumerate().filter(|(at, _)| wanted(*at));
        all.map(|(_, worth)| *worth).try_fold(Worth::default(), |sum, worth| sum.plus(worth?))
    }
}

impl Kernel {
    /// What an order, in place of `replaced`, would make of the exposures of its strategy and of everything:
    /// those that are limited go to `found`. Says whose cannot be told.
    pub(crate) fn exposures_after(
        &mut self,
        now: Timestamp,
        draft: &PlaceOrder,
        replaced: Option<Slot>,
        found: &mut Vec<Exposed>,
    ) -> Option<Scope> {
        let mut watch = self.exposure_watch.take()?;
        self.mark_all(&mut watch.table.prices);
        let added = Some(Added { draft, replaced });
        let own = Some(draft.strategy);
        let needed = watch.limits(own).needs_equity() || watch.limits(None).needs_equity();
        let equity = self.equity_of(now, &watch, needed);
        let mut unknown = None;
        for (strategy, scope) in [(own, Scope::Strategy), (None, Scope::Account)] {
            if self.expose(now, &mut watch, strategy, equity, added, found).is_none() {
                unknown = unknown.or(Some(scope));
            }
        }
        self.exposure_watch = Some(watch);
        unknown
    }

    /// Tells the prices of all markets that can be believed.
    pub(crate) fn mark_all(&self, prices: &mut Prices) {
        for instrument in self.state.catalog.instruments() {
            let market = &self.state.markets[instrument.id.index()];
            // The middle of the market, which has its time: of marks and trades nobody knows how old they are.
            match (market.quote.twice_mid(), market.updated) {
                (Some(twice), Some(at)) if market.valid => {
                    prices.set(instrument.id, Mark::mid(twice), at);
                }
                _ => prices.unset(instrument.id),
            }
        }
    }

    /// What everything is worth, where somebody asks; `None` if it cannot be told.
    fn equity_of(&self, now: Timestamp, watch: &ExposureWatch, needed: bool) -> Option<Money> {
        let (portfolio, table) = (&self.state.portfolio, &watch.table);
        let equity = || portfolio.equity(&self.state.catalog, &table.prices, table.currency, now);
        needed.then(equity)?.ok().map(|equity| equity.total)
    }

    /// Measures one scope: with everything open and what is added, or only what is held. `None` if it cannot be
    /// told.
    fn expose(
        &self,
        now: Timestamp,
        watch: &mut ExposureWatch,
        strategy: Option<StrategyId>,
        equity: Option<Money>,
        added: Option<Added<'_>>,
        found: &mut Vec<Exposed>,
    ) -> Option<()> {
        let limits = watch.limits(strategy);
        let grouped = strategy.is_none() && !watch.table.groups.is_empty();
        if !limits.is_set() && !grouped {
            return Some(());
        }
        self.value_all(now, watch, strategy, added);
        let catalog = &self.state.catalog;
        let scope = if strategy.is_some() { Scope::Strategy } else { Scope::Account };
        if limits.is_set() {
            let all = watch.sum(|_| true)?;
            let of_base = |base: CurrencyId| watch.sum(|at| catalog.instruments()[at].base == base);
            match added {
                Some(Added { draft, .. }) => {
                    let asset = of_base(catalog.instrument(draft.instrument).base)?;
                    exposures(scope, &limits, &all, &asset, equity, |it| found.push(it))?;
                }
                None => {
                    exposures(
                        scope,
                        &ExposureLimits { concentration: None, ..limits },
                        &all,
                        &all,
                        equity,
                        |it| found.push(it),
                    )?;
                    // Of the assets the one that most is held of.
                    let alone = ExposureLimits {
                        concentration: limits.concentration,
                        ..Default::default()
                    };
                    let mut worst: Option<Exposed> = None;
                    for currency in 0..catalog.currencies().len() {
                        let asset = of_base(CurrencyId(currency as u16))?;
                        exposures(scope, &alone, &all, &asset, equity, |it| {
                            worst = Some(
                                worst.map_or(it, |was| if it.value > was.value { it } else { was }),
                            );
                        })?;
                    }
                    found.extend(worst);
                }
            }
        }
        if strategy.is_none() {
            for (number, group) in watch.table.groups.iter().enumerate() {
                let inside = |at: usize| group.instruments.iter().any(|it| it.index() == at);
                if added.is_none_or(|added| inside(added.draft.instrument.index())) {
                    let worth = watch.sum(inside)?;
                    group_exposures(number as u16, group, &worth, |it| found.push(it))?;
                }
            }
        }
        Some(())
    }

    /// What a scope holds and asks for in each instrument, in the one currency.
    fn value_all(
        &self,
        now: Timestamp,
        watch: &mut ExposureWatch,
        strategy: Option<StrategyId>,
        added: Option<Added<'_>>,
    ) {
        let ExposureWatch { table, worths, .. } = watch;
        worths.clear();
        for it in self.state.catalog.instruments() {
            let mut book = self.state.book(it.id, strategy);
            let mut more = [Qty::ZERO; 2];
            if let Some(Added { draft, replaced }) =
                added.filter(|it_is| it_is.draft.instrument == it.id)
            {
                if let Some(slot) = replaced {
                    book = without(book, self.state.orders.get(slot));
                }
                more[draft.side.index()] = draft.qty;
            }
            // What is only looked at afterwards is what is held.
            let counts = added.is_some() && !self.has(Plant::OpenUnexposed);
            let open = if counts { book.open } else { [Qty::ZERO; 2] };
            let end = |side: Side| {
                let at = side.index();
                book.position.checked_add(open[at].checked_add(more[at])?.signed(side))
            };
            let value = |qty: Qty| -> Option<Money> {
                if qty.is_zero() {
                    return Some(Money::ZERO);
                }
                let (mark, _) = table.prices.mark(it.id, now).ok()?;
                let value = mark.value(it, qty)?;
                table.prices.convert(value, it.settle, table.currency, now).ok().map(|it| it.money)
            };
            let ends = end(Side::Buy).zip(end(Side::Sell));
            worths.push(ends.and_then(|(long, short)| {
                // Nearly always nothing is open, or all of it on one side.
                let longest = value(long)?;
                let shortest = if short == long { longest } else { value(short)? };
                Worth::of(longest, shortest)
            }));
        }
    }

    /// Looks at what is held, tells how near it is to its limits, and cuts back what is over.
    pub(crate) fn watch_exposure(&mut self, now: Timestamp, out: &mut Vec<Output>) {
        let Some(mut watch) = self.exposure_watch.take() else { return };
        self.mark_all(&mut watch.table.prices);
        let mut found = std::mem::take(&mut self.exposed);
        let strategies = (0..watch.table.strategy.len()).map(|at| Some(StrategyId(at as u16)));
        let all = [&watch.table.firm].into_iter().chain(&watch.table.strategy);
        let needed = all.into_iter().any(ExposureLimits::needs_equity);
        let equity = self.equity_of(now, &watch, needed);
        for strategy in [None].into_iter().chain(strategies) {
            found.clear();
            // What cannot be told trips nothing; orders that add risk are refused then.
            let _ = self.expose(now, &mut watch, strategy, equity, None, &mut found);
            let reach = strategy.map_or(Reach::Firm, Reach::Strategy);
            for exposed in &found {
                self.gauge(
                    reach,
                    Metric::Exposure(exposed.measure),
                    exposed.value,
                    exposed.limit,
                    out,
                );
            }
            if found.iter().any(Exposed::is_over) {
                self.trip(now, reach, Level::Reduce, Cause::Exposure, out);
            }
        }
        found.clear();
        self.exposed = found;
        self.watch_correlation(now, &mut watch, out);
        // At the next multiple of the interval, so that it does not depend on when it began.
        watch.next = Some(now.floor(watch.table.every) + watch.table.every);
        self.wake = self.wake.into_iter().chain(watch.next).min();
        self.exposure_watch = Some(watch);
    }

    /// At the end of each step looks at what strategies have earned, and cuts everything back where two of them earn
    /// together more than they may.
    fn watch_correlation(
        &mut self,
        now: Timestamp,
        watch: &mut ExposureWatch,
        out: &mut Vec<Output>,
    ) {
        let Some(together) = &mut watch.together else { return };
        if watch.step_ends.is_some_and(|at| now < at) {
            return;
        }
        let CorrelationLimit { max, every, .. } = *together.limit();
        watch.step_ends = Some(now.floor(every) + every);
        let (portfolio, catalog) = (&self.state.portfolio, &self.state.catalog);
        let (prices, currency) = (&watch.table.prices, watch.table.currency);
        let earned = (0..self.strategies.len()).map(|at| {
            let id = Some(StrategyId(at as u16));
            portfolio.profit(catalog, prices, id, currency, now).ok()?.net()
        });
        together.observe(&earned.collect::<Vec<_>>());
        let Some((.., closest)) = together.closest() else { return };
        let [value, limit] =
            [closest, max].map(|it| Money::from_units(i128::from(it.billionths())));
        self.gauge(Reach::Firm, Metric::Correlation, value, limit, out);
        if value > limit {
            self.trip(now, Reach::Firm, Level::Reduce, Cause::Exposure, out);
        }
    }

    /// Tells how near something is to its limit, if that is nearer than was told before.
    pub(crate) fn gauge(
        &mut self,
        reach: Reach,
        metric: Metric,
        value: Money,
        limit: Money,
        out: &mut Vec<Output>,
    ) {
        if let Some(severity) = self.gauges.observe(reach, metric, value, limit) {
            out.push(Output::Alert(Alert::Near { reach, metric, severity, value, limit }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_that_people_changed_are_in_a_snapshot() {
        let table = |value: i128| {
            let limit = Some(Money::from_units(value));
            let limits = ExposureLimits { gross: limit, net: limit, ..Default::default() };
            ExposureTable {
                currency: CurrencyId(3),
                prices: Prices::new(Span::from_secs(1)),
                every: Span::from_secs(1),
                firm: limits,
                groups: vec![ExposureGroup { instruments: Vec::new(), gross: limit, net: limit }],
                strategy: vec![limits],
                correlation: None,
            }
        };
        let mut saved = Writer::default();
        ExposureWatch::new(table(5)).save(&mut saved);
        let mut again = ExposureWatch::new(table(7));
        let mut bytes = Reader::new(saved.as_bytes(), Timestamp::EPOCH);
        again.load(&mut bytes).expect("it was saved by one like it");
        assert!(bytes.is_empty());
        assert_eq!(again.currency(), CurrencyId(3));
        let five = Some(Money::from_units(5));
        let all = [again.table.firm, again.table.strategy[0]].map(|it| [it.gross, it.net]);
        let group = &again.table.groups[0];
        assert_eq!((all, [group.gross, group.net]), ([[five; 2]; 2], [five; 2]));
    }
}
