//! Statistics of an equity curve, as it passes by, in constant memory.
//!
//! The one module of this crate with floats: what it says is shown to people and never booked.
//! Days are cut at 00:00 UTC moved by an offset; the last, unfinished day counts as a day.

use tse_model::{Money, Span, Timestamp};

/// Which days can have a return.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Days {
    /// Every day: something trades around the clock.
    All,
    /// Monday to Friday. What happens at a weekend belongs to the Monday.
    Weekdays,
}

/// The deepest fall of equity below its highest point before.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Drawdown {
    /// As a share of the peak, `1 − E/peak`.
    pub ratio: f64,
    /// The same fall as money, exact.
    pub money: Money,
    /// When the peak stood.
    pub peak_at: Timestamp,
    /// When it was deepest.
    pub trough_at: Timestamp,
    /// When equity was back at the peak; `None` if it never was.
    pub recovered_at: Option<Timestamp>,
}

/// An equity curve, reduced to what its statistics need.
#[derive(Clone, Debug)]
pub struct EquityCurve {
    days: Days,
    day_cut: Span,
    first: Option<(Timestamp, Money)>,
    last: (Timestamp, Money),
    peak: (Timestamp, Money),
    deepest: Option<Drawdown>,
    /// Largest fall in money: not always the largest as a share.
    fall: Money,
    returns: Moments,
    /// Equity at the end of the last finished day.
    day_start: Money,
    undefined: bool,
}

/// Mean and spread of a stream (Welford 1962; runs of zeros by Chan, Golub and LeVeque 1979).
#[derive(Clone, Copy, Debug, Default)]
struct Moments {
    n: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    fn add(&mut self, x: f64) {
        self.n += 1.0;
        let off = x - self.mean;
        self.mean += off / self.n;
        self.squares += off * (x - self.mean);
    }

    fn add_zeros(&mut self, count: i64) {
        if count <= 0 {
            return;
        }
        let (count, n) = (count as f64, self.n);
        self.squares += self.mean * self.mean * n * count / (n + count);
        self.mean *= n / (n + count);
        self.n += count;
    }
}

impl EquityCurve {
    /// A curve without points. Days are cut at 00:00 UTC plus `day_cut`.
    pub fn new(days: Days, day_cut: Span) -> Self {
        Self {
            days,
            day_cut,
            first: None,
            last: (Timestamp::MIN, Money::ZERO),
            peak: (Timestamp::MIN, Money::ZERO),
            deepest: None,
            fall: Money::ZERO,
            returns: Moments::default(),
            day_start: Money::ZERO,
            undefined: false,
        }
    }

    /// Adds a point. Points come in order of time; the first is the equity at the start.
    #[inline]
    pub fn observe(&mut self, at: Timestamp, equity: Money) {
        let Some(_) = self.first else {
            self.first = Some((at, equity));
            (self.last, self.peak, self.day_start) = ((at, equity), (at, equity), equity);
            return;
        };
        let (before, now) = (self.day(self.last.0), self.day(at));
        if now > before {
            let end = self.last.1;
            match ratio(end, self.day_start) {
                Some(growth) => self.returns.add(growth),
                None => self.undefined = true,
            }
            self.returns.add_zeros(now - before - 1);
            self.day_start = end;
        }
        self.last = (at, equity);
        if equity >= self.peak.1 {
            if let Some(deepest) = &mut self.deepest
                && deepest.recovered_at.is_none()
            {
                deepest.recovered_at = Some(at);
            }
            if equity > self.peak.1 {
                self.peak = (at, equity);
            }
        } else {
            self.sink(at, equity);
        }
    }

    fn sink(&mut self, at: Timestamp, equity: Money) {
        let Some(money) = self.peak.1.checked_sub(equity) else { return };
        self.fall = self.fall.max(money);
        let Some(growth) = ratio(equity, self.peak.1) else { return };
        if self.deepest.is_none_or(|deepest| -growth > deepest.ratio) {
            self.deepest = Some(Drawdown {
                ratio: -growth,
                money,
                peak_at: self.peak.0,
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

    /// The deepest fall as a share of the peak; `None` if equity never fell, or only from a peak
    /// that was not above zero.
    pub fn max_drawdown(&self) -> Option<Drawdown> {
        self.deepest
    }

    /// The largest fall in money, exact; nothing if equity never fell.
    pub fn max_fall(&self) -> Money {
        self.fall
    }

    /// How many daily returns there are, the unfinished day included.
    pub fn days(&self) -> u64 {
        self.with_today().map_or(0, |returns| returns.n as u64)
    }

    /// Mean of the daily returns.
    pub fn mean_return(&self) -> Option<f64> {
        self.with_today().map(|returns| returns.mean)
    }

    /// Sharpe ratio, annualised: `mean(r_d) / sd(r_d, n−1) × √days_per_year`, idle days counted.
    /// `None` with fewer than two daily returns, on less than 48 hours (minutes on both sides of a
    /// day's cut are no two days), without any variance, or where equity was not above zero at a day's
    /// start.
    pub fn sharpe(&self, days_per_year: f64) -> Option<f64> {
        let returns = self.with_today()?;
        let long = self.first?.0 + Span::from_secs(2 * 86_400) <= self.last.0;
        if returns.n < 2.0 || !long {
            return None;
        }
        let deviation = (returns.squares / (returns.n - 1.0)).sqrt();
        // Equal returns leave a spread of rounding noise, which is no variance.
        if deviation <= returns.mean.abs() * 1e-9 {
            return None;
        }
        Some(returns.mean / deviation * days_per_year.sqrt())
    }

    fn with_today(&self) -> Option<Moments> {
        self.first?;
        if self.undefined {
            return None;
        }
        let mut returns = self.returns;
        returns.add(ratio(self.last.1, self.day_start)?);
        Some(returns)
    }

    /// The number of the day that a moment belongs to, counting only days that can have a return.
    fn day(&self, at: Timestamp) -> i64 {
        const DAY: i64 = 86_400_000_000_000;
        let day = (at - self.day_cut).nanos().div_euclid(DAY);
        match self.days {
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
        let mut curve = EquityCurve::new(days, Span::ZERO);
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
        assert!(near(curve.sharpe(365.0).unwrap(), expected));
        assert_eq!(curve.start(), Some(Money::from_units(1_000)));
        assert_eq!(curve.end(), Some(Money::from_units(1_254)));
    }

    #[test]
    fn sharpe_is_undefined_under_two_days_and_without_variance() {
        let one_day = curve(Days::All, &[(0, 100), (5, 110), (23, 90)]);
        assert_eq!((one_day.days(), one_day.sharpe(365.0)), (1, None));
        let still = curve(Days::All, &[(0, 100), (30, 100), (60, 100)]);
        assert_eq!((still.days(), still.sharpe(365.0)), (3, None));
        let minutes = curve(Days::All, &[(23, 100), (24, 110), (25, 90)]);
        assert_eq!((minutes.days(), minutes.sharpe(365.0)), (2, None));
        let two = |end| curve(Days::All, &[(0, 100), (24, 110), (end, 90)]).sharpe(365.0);
        assert!(two(47).is_none() && two(48).is_some());
        let steady = curve(Days::All, &[(0, 10_000), (1, 11_000), (25, 12_100), (49, 13_310)]);
        assert_eq!((steady.days(), steady.sharpe(365.0)), (3, None));
        let ruined = curve(Days::All, &[(0, 100), (1, -5), (25, 3), (49, 9)]);
        assert_eq!(ruined.sharpe(365.0), None);
        assert_eq!(curve(Days::All, &[]).sharpe(365.0), None);
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
        let mut curve = EquityCurve::new(Days::All, Span::from_secs(21 * HOUR));
        for (hour, equity) in [(1, 1_000), (20, 1_100), (22, 1_200)] {
            curve.observe(crate::testing::at(hour * HOUR), Money::from_units(equity));
        }
        assert_eq!(curve.days(), 2);
    }
}
