//! Profit and loss beside what may be lost (C15, C16): looked at after every execution and at fixed times, and
//! cut back when a limit is reached.
//!
//! What cannot be valued trips nothing: a price that cannot be read must not sell a healthy book. But while it
//! is so nothing that adds risk is sent in the scopes that have such limits.

use crate::kernel::Kernel;
use crate::message::Output;
use tse_model::bytes::{Kept, Reader, Writer};
use tse_model::{CurrencyId, Money, Span, StrategyId, Timestamp};
use tse_portfolio::Prices;
use tse_risk::{Cause, Level, LossLimits, Losses, Reach, Scope};

/// What may be lost, in which currency it is counted, and how that is known.
#[derive(Clone, Debug)]
pub struct LossTable {
    /// What everything is counted in.
    pub currency: CurrencyId,
    /// How it is converted; what is told of markets is added as it comes.
    pub prices: Prices,
    /// How often it is looked at, beside after every execution.
    pub every: Span,
    /// How long a scope stays cut back after a loss, whoever wants it otherwise.
    pub cool_down: Span,
    /// Of everything.
    pub firm: Option<LossLimits>,
    /// By strategy.
    pub strategy: Vec<Option<LossLimits>>,
}

/// One scope, and whether its profit could be told the last time.
#[derive(Clone, Debug)]
struct Watched {
    losses: Losses,
    unvalued: bool,
}

tse_model::kept_fields! {
    Watched { saved: losses, unvalued; built: }
}

/// What is watched.
#[derive(Clone, Debug)]
pub(crate) struct LossWatch {
    currency: CurrencyId,
    prices: Prices,
    every: Span,
    /// The firm's, if it has limits; then those of strategies that have.
    scopes: Vec<(Reach, Watched)>,
    /// When it is looked at again.
    pub(crate) next: Option<Timestamp>,
}

impl Kept for LossWatch {
    fn save(&self, out: &mut Writer) {
        let Self { currency: _, prices: _, every: _, scopes, next } = self;
        scopes.iter().for_each(|(_, watched)| watched.save(out));
        next.save(out);
    }
    fn load(&mut self, bytes: &mut Reader<'_>) -> Option<()> {
        self.scopes.iter_mut().try_for_each(|(_, watched)| watched.load(bytes))?;
        self.next.load(bytes)
    }
}

impl LossWatch {
    pub(crate) fn new(table: LossTable) -> Self {
        assert!(table.every > Span::ZERO, "losses are looked at now and then");
        let watched = |limits| Watched { losses: Losses::new(limits), unvalued: false };
        let firm = table.firm.map(|limits| (Reach::Firm, watched(limits)));
        let own = table.strategy.iter().enumerate().filter_map(|(at, limits)| {
            Some((Reach::Strategy(StrategyId(at as u16)), watched((*limits)?)))
        });
        Self {
            currency: table.currency,
            scopes: firm.into_iter().chain(own).collect(),
            prices: table.prices,
            every: table.every,
            next: None,
        }
    }

    /// Whose profit cannot be told, of those that a strategy's orders belong to.
    pub(crate) fn unvalued(&self, strategy: StrategyId) -> Option<Scope> {
        let scope = |reach: Reach| match reach {
            Reach::Firm => Some(Scope::Account),
            own if own == Reach::Strategy(strategy) => Some(Scope::Strategy),
            _ => None,
        };
        let unvalued = self.scopes.iter().filter(|(_, watched)| watched.unvalued);
        unvalued.filter_map(|(reach, _)| scope(*reach)).next()
    }

    /// What a scope may lose, to change it; `None` if that is not watched.
    pub(crate) fn limits(&mut self, reach: Reach) -> Option<&mut LossLimits> {
        let found = self.scopes.iter_mut().find(|(own, _)| *own == reach);
        found.map(|(_, watched)| watched.losses.limits_mut())
    }

    /// A person lets a scope go on with what a day of it may cost.
    pub(crate) fn accept_risk(&mut self, reach: Reach) {
        let all = self.scopes.iter_mut();
        all.filter(|(own, _)| *own == reach).for_each(|(_, watched)| watched.losses.accept_risk());
    }

    /// A person has looked at a scope.
    pub(crate) fn review(&mut self, reach: Reach) {
        let all = self.scopes.iter_mut();
        all.filter(|(own, _)| *own == reach).for_each(|(_, watched)| watched.losses.review());
    }
}

impl Kernel {
    /// How a scope stands beside what it may lose, if it has such limits.
    pub fn losses(&self, reach: Reach) -> Option<&Losses> {
        let scopes = &self.loss_watch.as_ref()?.scopes;
        scopes.iter().find(|(own, _)| *own == reach).map(|(_, watched)| &watched.losses)
    }

    /// Looks at everything that is looked at now and then.
    pub(crate) fn watch_risk(&mut self, now: Timestamp, out: &mut Vec<Output>) {
        self.watch_losses(now, out);
        self.watch_exposure(now, out);
        self.look_at_clock(now, out);
    }

    /// Looks at profit and loss, and cuts back where a limit was reached.
    pub(crate) fn watch_losses(&mut self, now: Timestamp, out: &mut Vec<Output>) {
        let Some(mut watch) = self.loss_watch.take() else { return };
        self.mark_all(&mut watch.prices);
        let state = &self.state;
        let mut trips: Vec<(Reach, Level, Cause)> = Vec::new();
        for (reach, watched) in &mut watch.scopes {
            let strategy = match reach {
                Reach::Strategy(strategy) => Some(*strategy),
                _ => None,
            };
            let profit = state.portfolio.profit(
                &state.catalog,
                &watch.prices,
                strategy,
                watch.currency,
                now,
            );
            let profit: Option<Money> = profit.ok().and_then(|profit| profit.net());
            watched.unvalued = profit.is_none();
            let reached = profit.and_then(|profit| watched.losses.observe(now, profit));
            trips.extend(reached.map(|(level, cause)| (*reach, level, cause)));
        }
        // At the next multiple of the interval, so that it does not depend on when it began.
        watch.next = Some(now.floor(watch.every) + watch.every);
        self.wake = self.wake.into_iter().chain(watch.next).min();
        for (reach, watched) in watch.scopes.iter().filter(|(_, watched)| !watched.unvalued) {
            for (metric, value, limit) in watched.losses.measures().into_iter().flatten() {
                self.gauge(*reach, metric, value, limit, out);
            }
        }
        self.loss_watch = Some(watch);
        for (reach, level, cause) in trips {
            self.trip(now, reach, level, cause, out);
        }
    }
}
