//! How much to trade: four policies, each a pure function, and what they are told, gathered as prices pass.
//!
//! All of them answer with a share of the largest position that a strategy may hold, from zero to one; rounding down
//! to lots, and dropping what is below the venue's least, comes last ([`lots`]). They know no limits: whatever they
//! say, the gate has the last word.

use std::collections::VecDeque;
use tse_model::{Decimal, Instrument, Qty, Side};

/// What the risk-aware policy looks at.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Appetite {
    /// How strong the signal is; its sign does not matter, and more than one is one.
    pub strength: f64,
    /// How sure of it the strategy is, from zero to one.
    pub confidence: f64,
    /// How much of its largest position it holds and asks for already, from zero to one.
    pub utilisation: f64,
    /// What a return should deviate in a year.
    pub target: f64,
    /// What it did deviate, annualised; `None` if that is not known.
    pub realised: Option<f64>,
    /// How far it stands below its highest point, as a share.
    pub drawdown: f64,
    /// At which drawdown it trades no more.
    pub drawdown_max: f64,
}

/// `|strength| × confidence × (1 − utilisation) × min(1, target/realised) × (1 − drawdown/limit)`: the
/// specification's own formula (§6.2). What is not known counts as nothing to trade.
pub fn risk_aware(of: &Appetite) -> f64 {
    let calm = of.realised.map_or(0.0, |realised| volatility(of.target, realised));
    let room = if of.drawdown_max > 0.0 { 1.0 - of.drawdown / of.drawdown_max } else { 0.0 };
    let parts = [of.strength.abs(), of.confidence, 1.0 - of.utilisation, calm, room].map(share);
    parts.into_iter().product()
}

/// Volatility targeting: `target/realised`, at most one (Moreira and Muir 2017, with volatility for variance). A market
/// that did not move says nothing of how far it will: nothing.
pub fn volatility(target: f64, realised: f64) -> f64 {
    if realised > 0.0 { share(target / realised) } else { 0.0 }
}

/// Fractional Kelly: `fraction × mean/variance` of returns, at most the cap (Kelly 1956; Thorp 2006 for returns that
/// are nearly continuous). Without an edge nothing.
pub fn kelly(mean: f64, variance: f64, fraction: f64, cap: f64) -> f64 {
    if variance > 0.0 { (fraction * mean / variance).clamp(0.0, share(cap)) } else { 0.0 }
}

/// From zero to one; what is no number is nothing.
fn share(value: f64) -> f64 {
    if value.is_nan() { 0.0 } else { value.clamp(0.0, 1.0) }
}

/// A share of the largest position as whole steps of what the venue takes, rounded down; nothing if that is less than
/// its least.
pub fn lots(part: f64, most: Qty, instrument: &Instrument) -> Qty {
    let wanted = (share(part) * most.get() as f64).floor();
    // The product may round up to more than there is.
    let wanted = (wanted as i64).min(most.get());
    let stepped = Qty::new(wanted - wanted.rem_euclid(instrument.qty_step.max(1)));
    if stepped < instrument.qty_min { Qty::ZERO } else { stepped }
}

/// Which policy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Policy {
    /// Always the largest.
    Fixed,
    /// [`volatility`].
    Volatility,
    /// [`kelly`].
    Kelly,
    /// [`risk_aware`].
    RiskAware,
}

/// How a policy is set.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Sizing {
    /// Which.
    pub policy: Policy,
    /// Over how many returns the market is judged.
    pub lookback: usize,
    /// How many of them a year has.
    pub per_year: f64,
    /// What a return should deviate in a year.
    pub target: f64,
    /// How much of Kelly's share to use, and how much at most.
    pub kelly: (f64, f64),
    /// At which drawdown it trades no more, of the capital below.
    pub drawdown_max: f64,
    /// What the strategy trades with, in ticks times lots; zero for unknown, and then nothing is lost of it.
    pub capital: f64,
}

/// A sizing as a config writes it: target, Kelly's fraction and cap, drawdown and capital; a return takes `bar`
/// nanoseconds (zero: not known, and a year then counts as one of seconds), and `step` is tick, lot and multiplier.
pub(crate) fn sizing(
    policy: Policy,
    lookback: usize,
    bar: i64,
    written: [Decimal; 5],
    step: [Decimal; 3],
) -> Sizing {
    const YEAR: f64 = 365.25 * 86_400e9;
    let float = |it: Decimal| it.mantissa() as f64 / libm::pow(10.0, f64::from(it.scale()));
    let [target, fraction, cap, drawdown_max, capital] = written.map(float);
    let unit: f64 = step.map(float).into_iter().product();
    let per_year = if bar > 0 { YEAR / bar as f64 } else { YEAR / 1e9 };
    let capital = if unit > 0.0 { capital / unit } else { 0.0 };
    Sizing { policy, lookback, per_year, target, kelly: (fraction, cap), drawdown_max, capital }
}

/// A policy and what it has learned.
#[derive(Clone, Debug)]
pub struct Sizer {
    set: Sizing,
    last: Option<f64>,
    returns: VecDeque<f64>,
    /// What it holds, in lots, and what it has earned: cash in ticks times lots, without what is held.
    held: f64,
    cash: f64,
    peak: f64,
}

tse_model::kept_fields! {
    Sizer { saved: last, returns, held, cash, peak; built: set }
}

impl Sizer {
    /// Nothing learned yet.
    pub fn new(set: Sizing) -> Self {
        let returns = VecDeque::with_capacity(set.lookback + 1);
        Self { set, last: None, returns, held: 0.0, cash: 0.0, peak: 0.0 }
    }

    /// Whether it answers always the same, and need learn nothing.
    pub fn is_fixed(&self) -> bool {
        self.set.policy == Policy::Fixed
    }

    /// The market stands at this price, in half ticks.
    pub(crate) fn half_ticks(&mut self, half: i64) {
        self.price(half as f64 / 2.0);
    }

    /// The market stands at this price, in ticks.
    pub fn price(&mut self, ticks: f64) {
        if let Some(before) = self.last.filter(|before| *before > 0.0) {
            self.returns.push_back(ticks / before - 1.0);
            if self.returns.len() > self.set.lookback {
                self.returns.pop_front();
            }
        }
        self.last = Some(ticks);
        self.peak = self.peak.max(self.earned());
    }

    /// It traded so many lots at a price in ticks.
    pub fn fill(&mut self, side: Side, lots: i64, ticks: i64) {
        let signed = (side.sign() * lots) as f64;
        self.held += signed;
        self.cash -= signed * ticks as f64;
    }

    /// What it has earned, marked at the last price, before fees.
    fn earned(&self) -> f64 {
        self.cash + self.held * self.last.unwrap_or(0.0)
    }

    /// How far below its highest point it stands, as a share of the capital and that point.
    ///
    /// Nothing where the capital is not known: of what it earned alone any loss would be all.
    pub fn drawdown(&self) -> f64 {
        if self.set.capital <= 0.0 {
            return 0.0;
        }
        let top = self.set.capital + self.peak;
        let fall = self.peak - self.earned();
        if top > 0.0 { share(fall / top) } else { 0.0 }
    }

    /// Mean and variance (n − 1) of the returns; `None` until there are as many as are looked back on.
    fn moments(&self) -> Option<(f64, f64)> {
        let n = self.returns.len();
        if n < self.set.lookback || n < 2 {
            return None;
        }
        let mean = self.returns.iter().sum::<f64>() / n as f64;
        let squares: f64 = self.returns.iter().map(|r| (r - mean) * (r - mean)).sum();
        Some((mean, squares / (n - 1) as f64))
    }

    /// What share of the largest position to take in the direction of `side`, from flat.
    pub fn share(&self, side: Side) -> f64 {
        let moments = self.moments();
        let deviation = moments.map(|(_, variance)| (variance * self.set.per_year).sqrt());
        match self.set.policy {
            Policy::Fixed => 1.0,
            Policy::Volatility => deviation.map_or(0.0, |it| volatility(self.set.target, it)),
            Policy::Kelly => moments.map_or(0.0, |(mean, variance)| {
                let (fraction, cap) = self.set.kelly;
                kelly(mean * side.sign() as f64, variance, fraction, cap)
            }),
            Policy::RiskAware => risk_aware(&Appetite {
                strength: 1.0,
                confidence: 1.0,
                utilisation: 0.0,
                target: self.set.target,
                realised: deviation,
                drawdown: self.drawdown(),
                drawdown_max: self.set.drawdown_max,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-12
    }

    #[test]
    fn the_formula_of_the_specification_is_a_product_and_knows_its_ends() {
        let all = Appetite {
            strength: -0.8,
            confidence: 0.5,
            utilisation: 0.25,
            target: 0.2,
            realised: Some(0.4),
            drawdown: 0.03,
            drawdown_max: 0.15,
        };
        assert!(near(risk_aware(&all), 0.8 * 0.5 * 0.75 * 0.5 * 0.8));
        // Calm gives no more than all of it, and neither does a strength beyond one.
        let loud = Appetite { strength: 2.0, realised: Some(0.1), ..all };
        assert!(near(risk_aware(&loud), 0.5 * 0.75 * 0.8));
        for nothing in [
            Appetite { realised: None, ..all },
            Appetite { realised: Some(0.0), ..all },
            Appetite { drawdown: 0.15, ..all },
            Appetite { drawdown: 0.5, ..all },
            Appetite { drawdown_max: 0.0, ..all },
            Appetite { utilisation: 1.0, ..all },
            Appetite { utilisation: 1.5, ..all },
            Appetite { confidence: f64::NAN, ..all },
        ] {
            assert_eq!(risk_aware(&nothing), 0.0, "{nothing:?}");
        }
    }

    #[test]
    fn kelly_is_edge_over_variance_by_a_fraction_and_capped() {
        // Half of 0.01 over 0.04 is an eighth.
        assert!(near(kelly(0.01, 0.04, 0.5, 0.25), 0.125));
        assert!(near(kelly(0.01, 0.01, 0.5, 0.25), 0.25));
        assert_eq!(kelly(-0.01, 0.04, 0.5, 0.25), 0.0, "no edge, no bet");
        assert_eq!(kelly(0.01, 0.0, 0.5, 0.25), 0.0, "what does not vary is not known");
    }

    fn sizer(policy: Policy) -> Sizer {
        Sizer::new(Sizing {
            policy,
            lookback: 4,
            per_year: 4.0,
            target: 0.02,
            kelly: (0.5, 0.9),
            drawdown_max: 0.1,
            capital: 1_000.0,
        })
    }

    #[test]
    fn a_market_is_judged_by_as_many_returns_as_are_asked_for() {
        let mut all =
            [Policy::Fixed, Policy::Volatility, Policy::RiskAware, Policy::Kelly].map(sizer);
        let prices = [100.0, 101.0, 100.0, 101.0, 100.0];
        for (n, price) in prices.into_iter().enumerate() {
            let shares = all.each_ref().map(|it| it.share(Side::Buy));
            assert_eq!(shares, [1.0, 0.0, 0.0, 0.0], "after {n} prices");
            all.iter_mut().for_each(|it| it.price(price));
        }
        let (up, down) = (0.01f64, 100.0 / 101.0 - 1.0);
        let mean = (up + down) / 2.0;
        let variance = 2.0 * ((up - mean) * (up - mean) + (down - mean) * (down - mean)) / 3.0;
        let calm = 0.02 / (variance * 4.0).sqrt();
        let [fixed, volatile, aware, kelly] = all.each_ref().map(|it| it.share(Side::Buy));
        assert_eq!(fixed, 1.0);
        assert!(near(volatile, calm) && near(aware, calm), "{volatile} {aware} {calm}");
        assert!(near(kelly, 0.5 * mean / variance), "{kelly}");
        assert_eq!(all[3].share(Side::Sell), 0.0, "it rose");
    }

    #[test]
    fn what_was_lost_since_the_highest_point_shrinks_what_is_taken() {
        let mut sizer = sizer(Policy::RiskAware);
        [100.0, 101.0, 100.0, 101.0, 100.0].into_iter().for_each(|price| sizer.price(price));
        let whole = sizer.share(Side::Buy);
        sizer.fill(Side::Buy, 10, 100);
        sizer.price(101.0);
        assert_eq!(sizer.drawdown(), 0.0);
        sizer.fill(Side::Sell, 10, 96);
        sizer.price(101.0);
        // From ten up to forty down, of a thousand and ten.
        assert!(near(sizer.drawdown(), 50.0 / 1_010.0));
        assert!(sizer.share(Side::Buy) < whole * 0.6 && sizer.share(Side::Buy) > 0.0);
        sizer.set.capital = 0.0;
        assert_eq!(sizer.drawdown(), 0.0, "without capital it says nothing");
    }
}
