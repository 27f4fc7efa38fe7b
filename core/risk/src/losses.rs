//! How much may be lost: since the day began, from the highest point, and in a short while (C15, C16).
//!
//! What is watched is profit and loss in one currency, money that came in or went out not counted, beside the
//! capital that it is earned with. A limit is reached when the loss is as large as it says. A value that
//! cannot be told trips nothing, since a price that cannot be read must not sell a healthy book; whoever
//! watches then refuses what adds risk instead.

use crate::gauge::Metric;
use crate::switch::{Cause, Level};
use std::collections::VecDeque;
use tse_model::{Money, Rate, Rounding, Span, Timestamp, kept_fields, recorded_fields};

/// How many finished days the value at risk looks back on.
pub const VAR_DAYS: usize = 30;

/// The standard normal quantile of 99 %, in billionths.
const Z_99: i128 = 2_326_347_874;

/// One day.
const DAY: Span = Span::from_secs(86_400);

/// A fall within a stretch of time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rapid {
    /// As a share of what there was.
    pub share: Rate,
    /// In so long, wherever it begins.
    pub window: Span,
}

/// The limits of one scope. Amounts are losses, so above zero.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LossLimits {
    /// What it trades with: shares are shares of this and of what was earned.
    pub capital: Money,
    /// C15: from this loss since the UTC day began only what shrinks positions is sent (K2).
    pub day_soft: Option<Money>,
    /// C15: from this loss since the UTC day began everything is taken back (K3).
    pub day_max: Option<Money>,
    /// C16: from this fall from the highest point everything is taken back, as a share of it.
    pub drawdown_max: Option<Rate>,
    /// C16: the same for a fall in a short while.
    pub rapid_max: Option<Rapid>,
    /// C12: from this value at risk of a day (99 %) only what shrinks positions is sent (K2).
    pub var_max: Option<Money>,
    /// Whether positions are closed as well then (K5).
    pub flatten: bool,
}

/// What is remembered of the profit and loss of one scope.
#[derive(Clone, Debug, Default)]
pub struct Losses {
    limits: LossLimits,
    /// Which day it is, and what the profit was when it began.
    day: Option<(i64, Money)>,
    /// The highest profit.
    peak: Option<Money>,
    /// Profits within the window of which no later one is higher, in order of time: the first is the highest.
    recent: VecDeque<(Timestamp, Money)>,
    last: Option<Money>,
    /// What each of the last finished days earned, idle ones too, oldest first.
    days: VecDeque<Money>,
    /// What the profit was when the day began, whatever was accepted since.
    opened: Option<Money>,
    /// The value at risk that a person has accepted.
    accepted: Option<Money>,
}

kept_fields! {
    Losses { saved: limits, day, peak, recent, last, days, opened, accepted; built: }
}
recorded_fields! {
    Rapid { share, window }
    LossLimits { capital, day_soft, day_max, drawdown_max, rapid_max, var_max, flatten }
}

/// Where a scope stands beside its limits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Standing {
    /// Lost since the day began; below zero for a gain.
    pub day: Money,
    /// Lost from the highest point.
    pub drawdown: Money,
    /// What there was at the highest point: capital and profit.
    pub peak: Money,
}

/// Whether a loss is at least a share of what there was; what fits no integer is.
fn is_share(loss: Money, of: Money, share: Rate) -> bool {
    // Without anything to lose, any loss is too much.
    let (loss, of) = (loss.units(), of.units().max(0));
    if loss <= 0 {
        return false;
    }
    let (Some(loss), Some(limit)) =
        (loss.checked_mul(i128::from(Rate::ONE)), of.checked_mul(i128::from(share.billionths())))
    else {
        return true;
    };
    loss >= limit
}

impl Losses {
    /// Nothing yet, within these limits.
    pub fn new(limits: LossLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Its limits.
    pub fn limits(&self) -> &LossLimits {
        &self.limits
    }

    /// Its limits, to change them.
    pub fn limits_mut(&mut self) -> &mut LossLimits {
        &mut self.limits
    }

    /// The last profit that was told.
    pub fn last(&self) -> Option<Money> {
        self.last
    }

    /// Where it stands; `None` before anything was told, or if figures fit no integer.
    pub fn standing(&self) -> Option<Standing> {
        let (last, (_, begin), peak) = (self.last?, self.day?, self.peak?);
        Some(Standing {
            day: begin.checked_sub(last)?,
            drawdown: peak.checked_sub(last)?,
            peak: self.limits.capital.checked_add(peak)?,
        })
    }

    /// What is limited beside its limit: the loss of the day (the soft limit only if there is no other), the fall
    /// from the highest point, and the value at risk.
    pub fn measures(&self) -> [Option<(Metric, Money, Money)>; 3] {
        let standing = self.standing();
        let day_limit = self.limits.day_max.or(self.limits.day_soft);
        let day = standing.zip(day_limit).map(|(at, limit)| (Metric::DayLoss, at.day, limit));
        let drawdown = standing.zip(self.limits.drawdown_max).and_then(|(at, share)| {
            let limit = share.of(at.peak.max(Money::ZERO), Rounding::Down)?;
            Some((Metric::Drawdown, at.drawdown, limit))
        });
        let var = self.limits.var_max.zip(self.value_at_risk());
        [day, drawdown, var.map(|(limit, var)| (Metric::ValueAtRisk, var, limit))]
    }

    /// The profit is this now. Says how far to cut back, if a limit was reached.
    pub fn observe(&mut self, now: Timestamp, profit: Money) -> Option<(Level, Cause)> {
        let day = now.nanos().div_euclid(DAY.nanos());
        if self.day.is_none_or(|(then, _)| then != day) {
            // What was earned up to midnight is what was told last.
            let midnight = self.last.unwrap_or(profit);
            if let Some(((then, _), opened)) = self.day.zip(self.opened) {
                self.finish_days(day.saturating_sub(then), midnight, opened);
            }
            (self.day, self.opened) = (Some((day, midnight)), Some(midnight));
        }
        self.peak = Some(self.peak.map_or(profit, |peak| peak.max(profit)));
        self.last = Some(profit);
        let fell = self.fell(now, profit);
        let worst = if self.limits.flatten { Level::Flatten } else { Level::Cancel };
        let Some(Standing { day, drawdown, peak }) = self.standing() else {
            // Figures that no integer holds are no small loss.
            return Some((worst, Cause::DayLoss));
        };
        let reached =
            |limit: Option<Money>| limit.is_some_and(|limit| day >= limit && day > Money::ZERO);
        if reached(self.limits.day_max) {
            Some((worst, Cause::DayLoss))
        } else if self.limits.drawdown_max.is_some_and(|share| is_share(drawdown, peak, share))
            || fell
        {
            Some((worst, Cause::Drawdown))
        } else if reached(self.limits.day_soft) {
            Some((Level::Reduce, Cause::DayLoss))
        } else if self.is_risky() {
            Some((Level::Reduce, Cause::Exposure))
        } else {
            None
        }
    }

    /// A day is over, and perhaps idle ones after it.
    fn finish_days(&mut self, over: i64, end: Money, begin: Money) {
        let mut push = |earned| {
            if self.days.len() == VAR_DAYS {
                self.days.pop_front();
            }
            self.days.push_back(earned);
        };
        // A difference that fits no integer trips as a loss of the day, which is more than a word here.
        push(end.checked_sub(begin).unwrap_or(Money::ZERO));
        (1..over.min(VAR_DAYS as i64 + 1)).for_each(|_| push(Money::ZERO));
    }

    /// What 99 % of days do not lose more than: with thirty finished days the largest loss of them (historical
    /// simulation: the 30th of 30 smallest), with fewer the normal distribution of their mean and deviation
    /// (RiskMetrics 1996). `None` under two days, or if figures fit no integer.
    pub fn value_at_risk(&self) -> Option<Money> {
        let n = self.days.len() as i128;
        if self.days.len() == VAR_DAYS {
            let worst = self.days.iter().min()?;
            return worst.units().checked_neg().map(Money::from_units);
        }
        if n < 2 {
            return None;
        }
        // Whole numbers, so that the same days give the same bits; of large ones the last digits do not matter.
        let largest = self.days.iter().map(|day| day.units().unsigned_abs()).max()?;
        let cut = (128 - largest.leading_zeros()).saturating_sub(48);
        let days = || self.days.iter().map(|day| day.units() >> cut);
        let sum: i128 = days().sum();
        // n times the sum of squares: n² times the variance with n.
        let spread = days().map(|day| day * day).sum::<i128>() * n - sum * sum;
        let deviation = (spread / (n * (n - 1))).unsigned_abs().isqrt() as i128;
        let tail = deviation * Z_99 / i128::from(Rate::ONE) - sum / n;
        Some(Money::from_units(tail.checked_mul(1 << cut).unwrap_or(i128::MAX)))
    }

    /// Whether the value at risk is what it may be, and more than anybody has accepted.
    fn is_risky(&self) -> bool {
        let Some((max, var)) = self.limits.var_max.zip(self.value_at_risk()) else { return false };
        var >= max && self.accepted.is_none_or(|accepted| var > accepted)
    }

    /// A person has looked at what a day may cost and lets it go on: until it may cost more.
    pub fn accept_risk(&mut self) {
        self.accepted = self.value_at_risk();
    }

    /// Whether it fell too far within the window.
    fn fell(&mut self, now: Timestamp, profit: Money) -> bool {
        let Some(Rapid { share, window }) = self.limits.rapid_max else { return false };
        while self.recent.front().is_some_and(|(at, _)| now - *at > window) {
            self.recent.pop_front();
        }
        while self.recent.back().is_some_and(|(_, before)| *before <= profit) {
            self.recent.pop_back();
        }
        self.recent.push_back((now, profit));
        let (_, highest) = self.recent[0];
        match (highest.checked_sub(profit), self.limits.capital.checked_add(highest)) {
            (Some(loss), Some(of)) => is_share(loss, of, share),
            _ => true,
        }
    }

    /// A person has looked and lets it go on: what is lost up to here is accepted, and counting begins anew.
    pub fn review(&mut self) {
        self.recent.clear();
        self.peak = self.last;
        self.day = self.day.zip(self.last).map(|((day, _), last)| (day, last));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tse_model::bytes::{Kept, Reader, Writer};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::EPOCH + Span::from_secs(seconds)
    }

    fn money(units: i128) -> Money {
        Money::from_units(units)
    }

    fn percent(n: i64) -> Rate {
        Rate::from_billionths(n * 10_000_000)
    }

    fn with(limits: LossLimits) -> Losses {
        Losses::new(LossLimits { capital: money(1_000), ..limits })
    }

    const CANCEL: Option<(Level, Cause)> = Some((Level::Cancel, Cause::DayLoss));
    const FALL: Option<(Level, Cause)> = Some((Level::Cancel, Cause::Drawdown));

    #[test]
    fn c15_a_loss_of_the_day_counts_from_what_there_was_at_midnight() {
        let limits = LossLimits {
            day_soft: Some(money(50)),
            day_max: Some(money(100)),
            ..LossLimits::default()
        };
        let mut losses = with(limits);
        let soft = Some((Level::Reduce, Cause::DayLoss));
        for (profit, said) in
            [(0, None), (-49, None), (-50, soft), (-99, soft), (-100, CANCEL), (-101, CANCEL)]
        {
            assert_eq!(losses.observe(at(10), money(profit)), said, "{profit}");
        }
        // The next day begins where this one ended.
        assert_eq!(losses.observe(at(86_400), money(-150)), None, "49 of this day");
        assert_eq!(losses.observe(at(86_401), money(-151)), soft);
        assert_eq!(losses.observe(at(86_402), money(-201)), CANCEL);
        assert_eq!(losses.standing().unwrap().day, money(100));
    }

    #[test]
    fn c15_what_was_won_on_a_day_can_be_lost_again_before_it_counts() {
        let mut losses = with(LossLimits { day_max: Some(money(100)), ..LossLimits::default() });
        assert_eq!(losses.observe(at(0), money(0)), None);
        assert_eq!(losses.observe(at(1), money(500)), None);
        assert_eq!(losses.observe(at(2), money(-99)), None, "drawdown is another matter");
        assert_eq!(losses.observe(at(3), money(-100)), CANCEL);
        let mut losses = with(LossLimits { day_max: Some(Money::ZERO), ..LossLimits::default() });
        assert_eq!(losses.observe(at(0), money(0)), None, "nothing lost is no loss");
        assert_eq!(losses.observe(at(1), money(-1)), CANCEL);
    }

    #[test]
    fn c16_a_fall_counts_from_the_highest_point_with_the_capital() {
        let mut losses =
            with(LossLimits { drawdown_max: Some(percent(10)), ..LossLimits::default() });
        assert_eq!(losses.observe(at(0), money(0)), None);
        assert_eq!(losses.observe(at(1), money(-99)), None);
        assert_eq!(losses.observe(at(2), money(1_000)), None, "2,000 now");
        assert_eq!(losses.observe(at(3), money(801)), None);
        assert_eq!(losses.observe(at(100_000), money(800)), FALL, "days do not matter");
        assert_eq!(losses.standing().unwrap().drawdown, money(200));
        // Accepted: counting begins at 1,800.
        losses.review();
        assert_eq!(losses.observe(at(100_001), money(621)), None);
        assert_eq!(losses.observe(at(100_002), money(620)), FALL);
    }

    #[test]
    fn c16_a_fall_in_a_short_while_counts_from_the_highest_of_that_while() {
        let rapid = Rapid { share: percent(5), window: Span::from_secs(600) };
        let mut losses = with(LossLimits { rapid_max: Some(rapid), ..LossLimits::default() });
        assert_eq!(losses.observe(at(0), money(1_000)), None);
        assert_eq!(losses.observe(at(300), money(950)), None);
        assert_eq!(losses.observe(at(600), money(901)), None, "99 of 2,000");
        assert_eq!(losses.observe(at(600), money(900)), FALL);
        // The high of the beginning has left the window: 950 is the highest.
        let mut losses = with(LossLimits { rapid_max: Some(rapid), ..LossLimits::default() });
        losses.observe(at(0), money(1_000));
        losses.observe(at(300), money(950));
        assert_eq!(losses.observe(at(601), money(853)), None);
        assert_eq!(losses.observe(at(602), money(852)), FALL, "98 of 1,950");
    }

    #[test]
    fn c12_value_at_risk_is_the_worst_of_thirty_days_and_with_fewer_the_normal_distribution() {
        let day = |n: i64| at(n * 86_400);
        let limits = LossLimits { var_max: Some(money(300)), ..LossLimits::default() };
        let mut losses = with(limits);
        let reduce = Some((Level::Reduce, Cause::Exposure));
        let mut profit = 0;
        losses.observe(day(0), money(profit));
        for n in 1..=2 {
            assert_eq!(losses.value_at_risk(), None, "day {n}");
            profit += if n == 1 { -100 } else { 100 };
            losses.observe(day(n) - Span::from_secs(1), money(profit));
            losses.observe(day(n), money(profit));
        }
        // Mean nothing, deviation 141 of -100 and 100: 2.326 of it.
        assert_eq!(losses.value_at_risk(), Some(money(328)));
        assert_eq!(losses.observe(day(2), money(profit)), reduce);
        // Idle days count, and then the worst of thirty is what there was.
        let mut idle = losses.clone();
        assert_eq!((idle.last(), idle.limits().var_max), (Some(money(profit)), Some(money(300))));
        idle.observe(day(2) + Span::from_secs(1), money(profit - 400));
        idle.observe(day(500), money(profit - 400));
        assert_eq!(idle.value_at_risk(), Some(Money::ZERO), "that was long ago");
        assert_eq!(losses.observe(day(31), money(profit)), None);
        assert_eq!(losses.value_at_risk(), Some(money(0)), "the loss is 31 days ago");
        losses.observe(day(31) + Span::from_secs(1), money(profit - 299));
        losses.observe(day(32), money(profit - 299));
        assert_eq!(losses.value_at_risk(), Some(money(299)));
        assert_eq!(losses.observe(day(32), money(profit - 299)), None);
        losses.observe(day(32) + Span::from_secs(1), money(profit - 599));
        // That a person accepts the loss of the day does not make it one that never was.
        losses.review();
        assert_eq!(losses.observe(day(33), money(profit - 599)), reduce);
        losses.accept_risk();
        assert_eq!(losses.observe(day(33), money(profit - 599)), None, "accepted as it is");
        losses.observe(day(33) + Span::from_secs(1), money(profit - 900));
        assert_eq!(losses.observe(day(34), money(profit - 900)), reduce, "and no more than that");
    }

    #[test]
    fn c12_value_at_risk_of_large_amounts_is_as_exact_as_of_small_ones() {
        let of = |unit: i128| {
            let mut losses = with(LossLimits::default());
            for (day, profit) in [0, -100, 0, -300, 50].into_iter().enumerate() {
                let now = at(day as i64 * 86_400);
                losses.observe(now, money(losses.last().map_or(0, Money::units)));
                losses.observe(now + Span::from_secs(1), money(profit * unit));
            }
            losses.observe(at(5 * 86_400), money(50 * unit));
            losses.value_at_risk().unwrap().units()
        };
        // Days of 0, -100, 100, -300 and 350: mean 10, variance 232,000 over 4.
        assert_eq!(of(1), 2_326_347_874 * 240 / 1_000_000_000 - 10);
        let large = of(1_000_000_000_000_000_000_000_000);
        let exact = (2.326_347_874 * 58_000f64.sqrt() - 10.0) * 1e24;
        assert!((large as f64 / exact - 1.0).abs() < 1e-9, "{large}");
    }

    #[test]
    fn a_limit_that_says_so_closes_positions_as_well() {
        let limits = LossLimits { day_max: Some(money(1)), flatten: true, ..LossLimits::default() };
        let mut losses = with(limits);
        losses.observe(at(0), money(0));
        assert_eq!(losses.observe(at(0), money(-1)), Some((Level::Flatten, Cause::DayLoss)));
    }

    #[test]
    fn without_capital_any_loss_is_too_much_and_so_are_figures_that_fit_nowhere() {
        let limits = LossLimits { drawdown_max: Some(percent(10)), ..LossLimits::default() };
        let mut losses = Losses::new(limits);
        assert_eq!(losses.observe(at(0), money(0)), None);
        assert_eq!(losses.observe(at(1), money(-1)), FALL);
        let mut losses = with(limits);
        losses.observe(at(0), money(i128::MAX));
        assert!(losses.observe(at(1), money(i128::MIN)).is_some());
        assert_eq!(Losses::new(LossLimits::default()).observe(at(0), money(-5)), None, "no limits");
    }

    #[test]
    fn peaks_and_days_come_back() {
        let rapid = Rapid { share: percent(5), window: Span::from_secs(600) };
        let limits = LossLimits {
            day_max: Some(money(100)),
            drawdown_max: Some(percent(50)),
            rapid_max: Some(rapid),
            ..LossLimits::default()
        };
        let mut losses = with(limits);
        for (second, profit) in [(0, 10), (5, 90), (9, 60)] {
            losses.observe(at(second), money(profit));
        }
        let mut out = Writer::default();
        losses.save(&mut out);
        let bytes = out.into_bytes();
        let mut again = with(limits);
        let mut reader = Reader::new(&bytes, Timestamp::EPOCH);
        assert_eq!(again.load(&mut reader), Some(()));
        assert_eq!((again.standing(), reader.is_empty()), (losses.standing(), true));
        assert_eq!(again.observe(at(10), money(30)), losses.observe(at(10), money(30)));
    }
}
