//! An equity curve, reduced to what its statistics need, as it passes by and in constant memory.
//!
//! What each figure means is said in `docs/statistics.md`. Days are cut at 00:00 UTC moved by an offset; the
//! last, unfinished day counts as a day. Money that came in or went out is no gain: every figure that rests on
//! returns is one of the growth index, which such money does not move.

use super::moments::Moments;
use super::tail::{Tail, TailRisk};
use tse_model::{Money, Span, Timestamp};

/// Which days can have a return.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Days {
    /// Every day: something trades around the clock.
    All,
    /// Monday to Friday. What happens at a weekend belongs to the Monday.
    Weekdays,
}

/// What a curve is measured by.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Basis {
    /// Which days have returns.
    pub days: Days,
    /// Days are cut at 00:00 UTC and so much.
    pub day_cut: Span,
    /// Days with returns in a year: 365, 260 or 252.
    pub days_per_year: f64,
    /// What money earns without risk, as a share a year.
    pub risk_free: f64,
    /// Below this, as a share a year, a return counts as a loss (the Sortino ratio's).
    pub minimum_return: f64,
}

impl Basis {
    /// Days cut at 00:00 UTC, and nothing that returns are compared with.
    pub fn plain(days: Days, days_per_year: f64) -> Self {
        Self { days, day_cut: Span::ZERO, days_per_year, risk_free: 0.0, minimum_return: 0.0 }
    }
}

/// The deepest fall of equity below its highest point before.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Drawdown {
    /// As a share of the peak, `1 − E/peak`, of the growth index.
    pub ratio: f64,
    /// The same fall as money, of what there was then; exact where no money came in or went out.
    pub money: Money,
    /// When it was last at its peak.
    pub peak_at: Timestamp,
    /// When it was deepest.
    pub trough_at: Timestamp,
    /// When it was back at the peak; `None` if it never was.
    pub recovered_at: Option<Timestamp>,
}

/// The highest point so far.
#[derive(Clone, Copy, Debug)]
struct Peak {
    /// The last moment at it.
    at: Timestamp,
    money: Money,
    index: f64,
    /// Whether money flowed since: then only the index compares.
    flowed: bool,
    /// Whether it is lower since.
    sunk: bool,
}

/// An equity curve, reduced to what its statistics need.
#[derive(Clone, Debug)]
pub struct EquityCurve {
    basis: Basis,
    first: Option<(Timestamp, Money)>,
    last: (Timestamp, Money),
    /// The growth index at the last point; `None` from where it cannot be said: growth from nothing is none.
    index: Option<f64>,
    /// The same where the present stretch without flows began, and equity there.
    index_begin: f64,
    begin: Money,
    peak: Peak,
    deepest: Option<Drawdown>,
    /// Largest fall in money: not always the largest as a share.
    fall: Money,
    underwater: Span,
    returns: Moments,
    tail: Tail,
    /// Growth of the present day up to its last flow, and equity since.
    day_growth: f64,
    day_begin: Money,
    /// How many days are over.
    ended: u64,
    /// Whether a day began with nothing: then nothing can be said that rests on daily returns.
    undefined: bool,
    /// Σ equity × seconds, with what rounding dropped.
    area: [f64; 2],
}

impl EquityCurve {
    /// A curve without points.
    pub fn new(basis: Basis) -> Self {
        Self {
            basis,
            first: None,
            last: (Timestamp::MIN, Money::ZERO),
            index: None,
            index_begin: 1.0,
            begin: Money::ZERO,
            peak: Peak {
                at: Timestamp::MIN,
                money: Money::ZERO,
                index: 1.0,
                flowed: false,
                sunk: false,
            },
            deepest: None,
            fall: Money::ZERO,
            underwater: Span::ZERO,
            returns: Moments::above(basis.minimum_return / basis.days_per_year),
            tail: Tail::default(),
            day_growth: 1.0,
            day_begin: Money::ZERO,
            ended: 0,
            undefined: false,
            area: [0.0; 2],
        }
    }

    /// Adds a point. Points come in order of time; the first is the equity at the start.
    #[inline]
    pub fn observe(&mut self, at: Timestamp, equity: Money) {
        let Some(_) = self.first else {
            self.first = Some((at, equity));
            (self.last, self.begin, self.day_begin) = ((at, equity), equity, equity);
            (self.peak.at, self.peak.money) = (at, equity);
            self.index = (equity > Money::ZERO).then_some(1.0);
            return;
        };
        self.pass(at);
        self.last = (at, equity);
        self.index =
            self.index.and_then(|_| Some(self.index_begin * (1.0 + ratio(equity, self.begin)?)));
        self.compare(at, equity);
    }

    /// Adds a point at which money came in (below zero: went out), which `equity` holds already. What comes
    /// in at the first point is what it begins with.
    pub fn observe_flow(&mut self, at: Timestamp, equity: Money, flow: Money) {
        if flow.is_zero() || self.first.is_none() {
            return self.observe(at, equity);
        }
        let Some(before) = equity.checked_sub(flow) else {
            (self.index, self.undefined) = (None, true);
            return;
        };
        self.observe(at, before);
        match ratio(before, self.day_begin) {
            Some(growth) => self.day_growth *= 1.0 + growth,
            None => self.undefined = true,
        }
        self.index_begin = self.index.unwrap_or(self.index_begin);
        (self.begin, self.day_begin, self.last) = (equity, equity, (at, equity));
        // Whoever stands at the peak goes on from there, with other money.
        if self.peak.sunk {
            self.peak.flowed = true;
        } else {
            (self.peak.money, self.peak.index, self.peak.flowed) =
                (equity, self.index_begin, false);
        }
    }

    /// Lets the time pass up to the next point.
    fn pass(&mut self, at: Timestamp) {
        let held = (at - self.last.0).nanos() as f64 / 1e9 * self.last.1.units() as f64;
        // Neumaier's sum: years of samples lose no digits.
        let sum = self.area[0] + held;
        self.area[1] += if self.area[0].abs() >= held.abs() {
            (self.area[0] - sum) + held
        } else {
            (held - sum) + self.area[0]
        };
        self.area[0] = sum;
        let (before, now) = (self.day(self.last.0), self.day(at));
        if now > before {
            match self.today() {
                Some(growth) => {
                    self.returns.add(growth);
                    self.tail.add(growth);
                }
                None => self.undefined = true,
            }
            self.returns.add_zeros(now - before - 1);
            self.tail.add_zeros(now - before - 1);
            self.ended += (now - before).unsigned_abs();
            (self.day_growth, self.day_begin) = (1.0, self.last.1);
            // Whoever lost everything grows no more, whatever comes in.
            self.undefined |= self.index.is_none_or(|index| index <= 0.0);
        }
    }

    /// The return of the day that the last point belongs to, up to it.
    fn today(&self) -> Option<f64> {
        let growth = ratio(self.last.1, self.day_begin)?;
        // Without flows the exact ratio keeps its digits.
        let flowed = self.day_growth != 1.0;
        Some(if flowed { self.day_growth * (1.0 + growth) - 1.0 } else { growth })
    }

    fn compare(&mut self, at: Timestamp, equity: Money) {
        let Some(index) = self.index else { return };
        let above = match self.peak.flowed {
            false => equity.cmp(&self.peak.money),
            true => index.total_cmp(&self.peak.index),
        };
        if above.is_lt() {
            self.peak.sunk = true;
            return self.sink(at, equity, index);
        }
        if let Some(deepest) = &mut self.deepest
            && deepest.recovered_at.is_none()
        {
            deepest.recovered_at = Some(at);
        }
        if std::mem::take(&mut self.peak.sunk) {
            self.underwater = self.underwater.max(at - self.peak.at);
        }
        self.peak.at = at;
        if above.is_gt() || self.peak.flowed {
            (self.peak.money, self.peak.flowed) = (equity, false);
            self.peak.index = index;
        }
    }

    fn sink(&mut self, at: Timestamp, equity: Money, index: f64) {
        let (share, money) = if self.peak.flowed {
            let share = 1.0 - index / self.peak.index;
            // The same share of what there would have been now at the peak.
            let units = equity.units() as f64 / (1.0 - share) * share;
            (Some(share), Money::from_units(units as i128))
        } else {
            let Some(money) = self.peak.money.checked_sub(equity) else { return };
            (ratio(equity, self.peak.money).map(|growth| -growth), money)
        };
        self.fall = self.fall.max(money);
        let Some(share) = share else { return };
        if self.deepest.is_none_or(|deepest| share > deepest.ratio) {
            self.deepest = Some(Drawdown {
                ratio: share,
                money,
                peak_at: self.peak.at,
                trough_at: at,
                recovered_at: None,
            });
        }
    }

    /// Equity at the first point.
    pub fn start(&self) -> Option<Money> {
        self.first.map(|(_, equity)| equity)
    }

    /// Equity at the last point.
    pub fn end(&self) -> Option<Money> {
        self.first.map(|_| self.last.1)
    }

    /// Whether growth can be said: it began, and never from nothing.
    pub fn has_index(&self) -> bool {
        self.index.is_some()
    }

    /// The deepest fall as a share of the peak; `None` if equity never fell, or where growth cannot be said.
    pub fn max_drawdown(&self) -> Option<Drawdown> {
        self.deepest.filter(|_| self.has_index())
    }

    /// How long the deepest fall lasted, from its peak until it was back there, or until the last point.
    pub fn drawdown_lasted(&self) -> Option<Span> {
        let deepest = self.max_drawdown()?;
        Some(deepest.recovered_at.unwrap_or(self.last.0) - deepest.peak_at)
    }

    /// The longest time below a peak, the present one included.
    pub fn underwater(&self) -> Span {
        let present = if self.peak.sunk { self.last.0 - self.peak.at } else { Span::ZERO };
        self.underwater.max(present)
    }

    /// The largest fall in money, exact; nothing if equity never fell.
    pub fn max_fall(&self) -> Money {
        self.fall
    }

    /// How many daily returns there are, the unfinished day included.
    pub fn days(&self) -> u64 {
        self.first.map_or(0, |_| self.ended + 1)
    }

    /// Mean of the daily returns.
    pub fn mean_return(&self) -> Option<f64> {
        self.with_today().map(|returns| returns.mean)
    }

    /// Growth from the first point to the last, as a share.
    pub fn total_return(&self) -> Option<f64> {
        let first = self.first?.1;
        // Without flows the exact ratio keeps its digits.
        if self.index_begin == 1.0 && self.begin == first {
            return ratio(self.last.1, first);
        }
        self.index.map(|index| index - 1.0)
    }

    /// Growth a year, compounded: `(1 + total)^(365.25/days) − 1`. `None` under 48 hours, or where less than
    /// nothing is left.
    pub fn cagr(&self) -> Option<f64> {
        const YEAR: f64 = 365.25 * 86_400e9;
        let growth = 1.0 + self.total_return()?;
        let lasted = (self.last.0 - self.first?.0).nanos() as f64;
        if growth < 0.0 || !self.is_long() {
            return None;
        }
        Some(libm::pow(growth, YEAR / lasted) - 1.0)
    }

    /// Deviation of the daily returns, annualised.
    pub fn volatility(&self) -> Option<f64> {
        Some(self.enough()?.deviation()? * self.root())
    }

    /// Sharpe ratio, annualised: `mean(r_d − r_f) / sd(r_d, n−1) × √A`, idle days counted.
    /// `None` with fewer than two daily returns, on less than 48 hours (minutes on both sides of a
    /// day's cut are no two days), without any variance, or where equity was not above zero at a day's
    /// start.
    pub fn sharpe(&self) -> Option<f64> {
        let returns = self.enough()?;
        let deviation = returns.deviation()?;
        // Equal returns leave a spread of rounding noise, which is no variance.
        if deviation <= returns.mean.abs() * 1e-9 {
            return None;
        }
        let free = self.free();
        Some((returns.mean - free) / deviation * self.root())
    }

    /// The 95 % interval of [`sharpe`](Self::sharpe), `±1.96·√((1 + SR_d²/2)/n)` (Lo 2002).
    pub fn sharpe_interval(&self) -> Option<(f64, f64)> {
        let (sharpe, root) = (self.sharpe()?, self.root());
        let daily = sharpe / root;
        let error = ((1.0 + daily * daily / 2.0) / self.days() as f64).sqrt();
        let half = 1.959_963_985 * error * root;
        Some((sharpe - half, sharpe + half))
    }

    /// Sortino ratio, annualised: the same over `√mean(min(r_d − MAR, 0)²)` on all days. `None` also where no
    /// day is below the least return that is wanted.
    pub fn sortino(&self) -> Option<f64> {
        let returns = self.enough()?;
        let below = returns.below();
        let free = self.free();
        (below > 0.0).then(|| (returns.mean - free) / below * self.root())
    }

    /// Growth a year over the deepest fall.
    pub fn calmar(&self) -> Option<f64> {
        self.max_drawdown().and_then(|deepest| Some(self.cagr()? / deepest.ratio))
    }

    /// Growth over the deepest fall.
    pub fn return_over_drawdown(&self) -> Option<f64> {
        self.max_drawdown().and_then(|deepest| Some(self.total_return()? / deepest.ratio))
    }

    /// What a day may cost, as far as the last 30 daily returns can tell.
    pub fn tail(&self) -> Option<TailRisk> {
        self.enough()?;
        let mut tail = self.tail.clone();
        tail.add(self.today()?);
        tail.risk()
    }

    /// Equity in the mean over time, each point standing until the next, in smallest units.
    pub fn mean_equity(&self) -> Option<f64> {
        let (first, only) = self.first?;
        let seconds = (self.last.0 - first).nanos() as f64 / 1e9;
        let area = self.area[0] + self.area[1];
        Some(if seconds > 0.0 { area / seconds } else { only.units() as f64 })
    }

    /// What it is measured by.
    pub fn basis(&self) -> &Basis {
        &self.basis
    }

    fn root(&self) -> f64 {
        self.basis.days_per_year.sqrt()
    }

    /// What a day earns without risk.
    fn free(&self) -> f64 {
        self.basis.risk_free / self.basis.days_per_year
    }

    /// Whether it is as long as two days.
    fn is_long(&self) -> bool {
        let first = self.first.map(|(at, _)| at);
        first.is_some_and(|first| self.last.0 - first >= Span::from_secs(2 * 86_400))
    }

    /// The daily returns, if there are enough to speak of.
    fn enough(&self) -> Option<Moments> {
        let returns = self.with_today()?;
        (returns.n >= 2.0 && self.is_long()).then_some(returns)
    }

    fn with_today(&self) -> Option<Moments> {
        self.first?;
        if self.undefined {
            return None;
        }
        let mut returns = self.returns;
        returns.add(self.today()?);
        Some(returns)
    }

    /// The number of the day that a moment belongs to, counting only days that can have a return.
    fn day(&self, at: Timestamp) -> i64 {
        const DAY: i64 = 86_400_000_000_000;
        let day = (at - self.basis.day_cut).nanos().div_euclid(DAY);
        match self.basis.days {
            Days::All => day,
            Days::Weekdays => {
                // The epoch was a Thursday, the fourth day of its week.
                let (week, of_week) = ((day + 3).div_euclid(7), (day + 3).rem_euclid(7));
                week * 5 + of_week.min(5)
            }
        }
    }
}

/// `now / before − 1`; `None` unless `before` is above zero. The difference is taken exactly, so
/// that small returns on large equity keep their digits.
fn ratio(now: Money, before: Money) -> Option<f64> {
    if before.units() <= 0 {
        return None;
    }
    let gain = now.checked_sub(before)?;
    Some(gain.units() as f64 / before.units() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600;

    fn curve(days: Days, points: &[(i64, i128)]) -> EquityCurve {
        let mut curve = EquityCurve::new(Basis::plain(days, 365.0));
        for (hour, equity) in points {
            curve.observe(crate::testing::at(hour * HOUR), Money::from_units(*equity));
        }
        curve
    }

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() <= 1e-12 * b.abs().max(1.0)
    }

    #[test]
    fn the_deepest_fall_is_the_largest_share_and_the_largest_fall_is_counted_in_money() {
        let points = [(0, 100), (1, 60), (2, 100), (3, 1_000), (4, 700), (5, 900)];
        let curve = curve(Days::All, &points);
        let deepest = curve.max_drawdown().unwrap();
        assert!(near(deepest.ratio, 0.4), "{}", deepest.ratio);
        assert_eq!(deepest.money, Money::from_units(40));
        assert_eq!(deepest.peak_at, crate::testing::at(0));
        assert_eq!(deepest.trough_at, crate::testing::at(HOUR));
        assert_eq!(deepest.recovered_at, Some(crate::testing::at(2 * HOUR)));
        assert_eq!(curve.max_fall(), Money::from_units(300));
    }

    #[test]
    fn a_drawdown_that_never_ended_is_not_recovered_and_one_that_never_began_is_none() {
        let open = curve(Days::All, &[(0, 100), (1, 50), (2, 99)]);
        assert_eq!(open.max_drawdown().unwrap().recovered_at, None);
        let rising = curve(Days::All, &[(0, 100), (1, 100), (2, 101)]);
        assert_eq!(rising.max_drawdown(), None);
        assert_eq!(rising.max_fall(), Money::ZERO);
        assert_eq!(curve(Days::All, &[]).end(), None);
    }

    #[test]
    fn sharpe_is_mean_over_deviation_of_daily_returns_and_idle_days_count() {
        // Ends of days 0, 1 and 4; nothing happens on days 2 and 3.
        let points = [(1, 1_000), (20, 1_100), (30, 1_045), (100, 1_254)];
        let curve = curve(Days::All, &points);
        let returns = [0.1, -0.05, 0.0, 0.0, 0.2];
        let mean = returns.iter().sum::<f64>() / 5.0;
        let variance = returns.iter().map(|r| (r - mean) * (r - mean)).sum::<f64>() / 4.0;
        assert_eq!(curve.days(), 5);
        assert!(near(curve.mean_return().unwrap(), mean));
        let expected = mean / variance.sqrt() * 365f64.sqrt();
        assert!(near(curve.sharpe().unwrap(), expected));
        assert_eq!(curve.start(), Some(Money::from_units(1_000)));
        assert_eq!(curve.end(), Some(Money::from_units(1_254)));
    }

    #[test]
    fn sharpe_is_undefined_under_two_days_and_without_variance() {
        let one_day = curve(Days::All, &[(0, 100), (5, 110), (23, 90)]);
        assert_eq!((one_day.days(), one_day.sharpe()), (1, None));
        let still = curve(Days::All, &[(0, 100), (30, 100), (60, 100)]);
        assert_eq!((still.days(), still.sharpe()), (3, None));
        let minutes = curve(Days::All, &[(23, 100), (24, 110), (25, 90)]);
        assert_eq!((minutes.days(), minutes.sharpe()), (2, None));
        let two = |end| curve(Days::All, &[(0, 100), (24, 110), (end, 90)]).sharpe();
        assert!(two(47).is_none() && two(48).is_some());
        let steady = curve(Days::All, &[(0, 10_000), (1, 11_000), (25, 12_100), (49, 13_310)]);
        assert_eq!((steady.days(), steady.sharpe()), (3, None));
        let ruined = curve(Days::All, &[(0, 100), (1, -5), (25, 3), (49, 9)]);
        assert_eq!(ruined.sharpe(), None);
        assert_eq!(curve(Days::All, &[]).sharpe(), None);
    }

    #[test]
    fn what_comes_in_is_no_gain_and_what_goes_out_is_no_fall() {
        let mut curve = EquityCurve::new(Basis::plain(Days::All, 365.0));
        let money = Money::from_units;
        for (hour, equity, flow) in [
            (1, 1_000, 0),
            (25, 1_100, 0),
            (26, 2_200, 1_100),
            (27, 1_980, 0),
            (50, 990, -1_188),
            (51, 1_089, 0),
        ] {
            curve.observe_flow(crate::testing::at(hour * HOUR), money(equity), money(flow));
        }
        // Ten up; then ten down and ten up with other money.
        let (up, down) = (1.1, 0.9 * 1.1);
        assert!(near(curve.total_return().unwrap(), 1.1 * 0.9 * 1.1 * 1.1 - 1.0));
        assert_eq!(curve.days(), 3);
        let returns = [0.0, up * 0.9 - 1.0, down * 1.1 / 0.9 - 1.0];
        assert!(near(curve.mean_return().unwrap(), returns.iter().sum::<f64>() / 3.0));
        let deepest = curve.max_drawdown().unwrap();
        assert!(near(deepest.ratio, 0.1) && deepest.recovered_at.is_some(), "{deepest:?}");
        assert_eq!(curve.underwater(), Span::from_secs(25 * HOUR));
        assert_eq!(curve.drawdown_lasted(), Some(Span::from_secs(25 * HOUR)));
    }

    #[test]
    fn growth_from_nothing_is_none() {
        for begins in [0, -5] {
            let curve = curve(Days::All, &[(0, begins), (30, 10), (60, 20), (90, 5)]);
            assert!(!curve.has_index() && curve.total_return().is_none() && curve.cagr().is_none());
            assert_eq!((curve.max_drawdown(), curve.volatility(), curve.days()), (None, None, 4));
        }
        // Whoever loses everything has grown by less than nothing, and grows no more.
        let mut curve = curve(Days::All, &[(0, 100), (30, 0)]);
        assert_eq!((curve.total_return(), curve.days()), (Some(-1.0), 2));
        curve.observe_flow(
            crate::testing::at(31 * HOUR),
            Money::from_units(50),
            Money::from_units(50),
        );
        curve.observe(crate::testing::at(60 * HOUR), Money::from_units(80));
        assert_eq!((curve.total_return(), curve.cagr()), (Some(-1.0), Some(-1.0)));
        assert_eq!((curve.volatility(), curve.tail()), (None, None));
    }

    #[test]
    fn weekends_are_no_days_where_markets_are_closed() {
        // 1970-01-01 was a Thursday: hour 0. Friday 24, Saturday 48, Sunday 72, Monday 96.
        let points = [(1, 1_000), (30, 1_010), (60, 1_020), (90, 1_030), (100, 1_040)];
        assert_eq!(curve(Days::All, &points).days(), 5);
        // Thursday, Friday, and a Monday that began at the weekend.
        assert_eq!(curve(Days::Weekdays, &points).days(), 3);
        let idle = [(1, 1_000), (30, 1_010), (100, 1_040)];
        assert_eq!(curve(Days::Weekdays, &idle).days(), 3);
        // From Thursday to the Thursday after next are eleven weekdays.
        assert_eq!(curve(Days::Weekdays, &[(1, 1_000), (14 * 24 + 1, 1_040)]).days(), 11);
    }

    #[test]
    fn a_day_may_be_cut_at_a_session_close() {
        let mut curve = EquityCurve::new(Basis {
            day_cut: Span::from_secs(21 * HOUR),
            ..Basis::plain(Days::All, 365.0)
        });
        for (hour, equity) in [(1, 1_000), (20, 1_100), (22, 1_200)] {
            curve.observe(crate::testing::at(hour * HOUR), Money::from_units(equity));
        }
        assert_eq!(curve.days(), 2);
    }
}
