//! What else stands between a wish and the wire: the clock (C19), markets that jump (C20), strategies that begin small
//! (C24), and whose orders they are (C28).

use crate::kernel::Kernel;
use crate::message::{Alert, Output};
use tse_model::{Environment, InstrumentId, Span, StrategyId, Text, Timestamp, VenueId};
use tse_risk::{Cause, ClockLimits, ClockSource, Level, Ramp, Reach, Swing, Who};

/// How the guards of an engine are set up. The default is none of them, as a simulation may have it.
#[derive(Clone, Debug, Default)]
pub struct Guards {
    /// How far the clock may be off; `None` where there is no clock that could be.
    pub clock: Option<ClockLimits>,
    /// By strategy: how small it begins.
    pub ramps: Vec<Option<Ramp>>,
    /// By strategy: what it is. Where money or its likeness is at stake an order of an unnamed one is refused.
    pub algorithms: Vec<Algorithm>,
    /// Who answers for it until somebody arms it; blank for nobody.
    pub operator: Who,
    /// A hash of everything the engine is set up with; zero for unknown.
    pub config: u64,
}

/// What a strategy is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Algorithm {
    /// Its name.
    pub name: Text<32>,
    /// Its version.
    pub version: Text<16>,
}

/// Whose an order is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Attribution {
    /// Which algorithm asked for it, and in which version.
    pub algorithm: Algorithm,
    /// Who armed the engine that sent it, or set it up.
    pub operator: Who,
    /// The hash of what it was set up with.
    pub config: u64,
}

impl Kernel {
    /// Whose orders a strategy's are; `None` if that is not known in every part.
    pub fn attribution(&self, strategy: StrategyId) -> Option<Attribution> {
        let algorithm = *self.guards.algorithms.get(strategy.index())?;
        let (operator, config) = (self.operator, self.guards.config);
        let blank = algorithm.name.is_blank() || algorithm.version.is_blank();
        let known = !blank && !operator.is_blank() && config != 0;
        known.then_some(Attribution { algorithm, operator, config })
    }

    /// Whether an order of a strategy may be sent as far as that goes: in a simulation nobody asks. What the kill
    /// switch closes is its own.
    pub(crate) fn is_attributed(&self, strategy: StrategyId, closing: bool) -> bool {
        let simulated = self.state.orders.environment() == Environment::Simulated;
        simulated || closing || self.attribution(strategy).is_some()
    }

    /// The clock was compared with another.
    pub(crate) fn on_clock(
        &mut self,
        now: Timestamp,
        source: ClockSource,
        offset: Span,
        out: &mut Vec<Output>,
    ) {
        let stepped = self.clock.observe(now, source, offset);
        if stepped {
            let reach = match source {
                ClockSource::Reference => Reach::Firm,
                ClockSource::Venue(venue) => Reach::Account(venue),
            };
            out.push(Output::Alert(Alert::ClockStepped { source, offset }));
            self.trip(now, reach, Level::Pause, Cause::Clock, out);
        }
        self.look_at_clock(now, out);
    }

    /// Tells of a clock that cannot be believed any more, of each venue once, also if it became so by time alone.
    pub(crate) fn look_at_clock(&mut self, now: Timestamp, out: &mut Vec<Output>) {
        for at in 0..self.clock_bad.len() {
            let trouble = self.clock.trouble(now, VenueId(at as u16));
            if trouble.is_some() != std::mem::replace(&mut self.clock_bad[at], trouble.is_some())
                && let Some(trouble) = trouble
            {
                out.push(Output::Alert(Alert::ClockWrong { venue: VenueId(at as u16), trouble }));
            }
        }
        let next = self.clock_due(now);
        self.wake = self.wake.into_iter().chain(next).min();
    }

    /// When the clock is to be looked at again, if it is believed by now.
    pub(crate) fn clock_due(&self, now: Timestamp) -> Option<Timestamp> {
        self.clock.stale_at().filter(|at| *at > now)
    }

    /// The middle of a market is another.
    #[inline]
    pub(crate) fn note_swing(&mut self, now: Timestamp, instrument: InstrumentId) {
        if let Some(Some(swing)) = self.swings.get_mut(instrument.index())
            && let Some(twice) = self.state.markets[instrument.index()].quote.twice_mid()
        {
            swing.observe(now, twice);
        }
    }

    /// The range of a market, where it is wider than it may be.
    pub(crate) fn swung(&self, now: Timestamp, instrument: InstrumentId) -> Option<(i64, i64)> {
        let swing = self.swings.get(instrument.index())?.as_ref()?;
        let limit = self.state.limits.account(instrument).swing?;
        swing.is_beyond(now, limit.max)
    }

    /// Who watches the range of each market.
    pub(crate) fn swings_of(limits: &crate::LimitTable, markets: usize) -> Vec<Option<Swing>> {
        let of = |at: usize| limits.account(InstrumentId(at as u32)).swing;
        (0..markets).map(|at| of(at).map(|limit| Swing::new(limit.window))).collect()
    }
}
