"""The statistics of an equity curve, as docs/statistics.md defines them.

It knows points in time and what was owned, and nothing of fills, of files or of the engine.
"""

import decimal
import math
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate

import numpy as np
import pandas as pd

SECOND = 1_000_000_000
HOUR = 3_600 * SECOND
DAY = 24 * HOUR
Z_TWO_SIDED_95 = 1.959963985
Z = {95: 1.6448536269514722, 99: 2.3263478740408408}

# Amounts must never be rounded unseen: an operation that would round raises instead, in every thread.
decimal.DefaultContext.prec = 100
decimal.DefaultContext.traps[decimal.Inexact] = True
decimal.setcontext(decimal.DefaultContext)


@dataclass
class Curve:
    """An equity curve and the settings its statistics are asked for with."""

    name: str
    ts: list  # int, nanoseconds since the epoch, rising
    equity: list  # Decimal, in the base currency, after the flow of the same point
    flow: list = None  # Decimal, what came in (above zero) or went out (below) at the point
    days: str = "all"
    days_per_year: int = 365
    risk_free: float = 0.0
    minimum_return: float = 0.0
    spelling: str = "ns"  # how times are written into the CSV

    def flows(self):
        return self.flow or [Decimal(0)] * len(self.ts)


def growth_index(equity, flow):
    """The product of the growths from point to point; None from where there was nothing that could grow.

    Between two flows it is computed as E over the E after the earlier flow, which is the same product
    without dividing by every point: equity may pass through zero between flows, and E/E₀ still says where it
    stands.
    """
    level, base = Fraction(1), Fraction(equity[0])  # the index at the last flow, and equity after it
    index = [level if base > 0 else None]
    for i in range(1, len(equity)):
        if base > 0:
            index.append(level * (Fraction(equity[i]) - Fraction(flow[i])) / base)
        else:
            index.append(None)
        if flow[i] != 0 and base > 0:
            level, base = index[i], Fraction(equity[i])
    return index


def day_of_points(ts, days):
    """The day every point belongs to. A point at 00:00 belongs to the day that it begins."""
    day = np.array(ts, dtype="int64").astype("datetime64[ns]").astype("datetime64[D]")
    if days == "weekdays":
        day = np.busday_offset(day, 0, roll="forward")  # Saturday and Sunday belong to the Monday
    return pd.DatetimeIndex(day.astype("datetime64[ns]"))


def daily_returns(ts, equity, index, days):
    """The return of every day, or None if some day began with nothing; and how many days there are."""
    day = day_of_points(ts, days)
    calendar = pd.date_range(day[0], day[-1], freq="B" if days == "weekdays" else "D", unit="ns")
    if None in index:
        return None, len(calendar)
    # Without a point the last known value stands, so that such a day has return 0.
    points = pd.DataFrame(dict(index=index, equity=equity), index=day, dtype=object)
    ends = points.groupby(level=0).last().reindex(calendar).ffill()
    index_at_end, equity_at_end = list(ends["index"]), list(ends["equity"])
    index_at_start = [index[0], *index_at_end[:-1]]
    equity_at_start = [equity[0], *equity_at_end[:-1]]
    if any(start <= 0 for start in equity_at_start) or any(start <= 0 for start in index_at_start):
        return None, len(calendar)
    returns = [float(end / start - 1) for start, end in zip(index_at_start, index_at_end)]
    return np.array(returns), len(calendar)


def mean_equity(ts, equity):
    """Each sample stands until the next, so the last one weighs nothing."""
    if ts[-1] == ts[0]:
        return Fraction(equity[-1])
    weighted = sum(Fraction(equity[i]) * (ts[i + 1] - ts[i]) for i in range(len(ts) - 1))
    return weighted / (ts[-1] - ts[0])


def drawdown_statistics(ts, index):
    """The deepest fall and the longest wait for a new high. As high as before counts as a high."""
    none = dict(max_drawdown=None, drawdown_ns=None, recovered=None, underwater_ns=None)
    if None in index:
        return none
    highest = list(accumulate(index, max))
    high_points = [i for i in range(len(ts)) if index[i] == highest[i]]
    next_points = high_points[1:] + [len(ts)]
    # Only what has a lower point in between is below a peak.
    waits = [(point, after) for point, after in zip(high_points, next_points) if after > point + 1]
    underwater = max((ts[min(after, len(ts) - 1)] - ts[point] for point, after in waits), default=0)
    depth = [1 - now / high for now, high in zip(index, highest)]
    deepest = max(depth)
    if deepest == 0:
        return none | dict(max_drawdown=0.0, underwater_ns=underwater)
    trough = depth.index(deepest)  # the first, if two falls were equally deep
    peak = max(i for i in high_points if i < trough)
    back = [i for i in high_points if i > trough]
    return dict(
        max_drawdown=float(deepest),
        drawdown_ns=ts[back[0] if back else -1] - ts[peak],
        recovered=bool(back),
        underwater_ns=underwater,
    )


def value_at_risk(returns):
    """Of one day, over the last 30 daily returns, as a share of equity."""
    last = returns[-30:]
    out = dict(samples=len(last), method="historical" if len(last) == 30 else "parametric")
    losses = np.sort(-last)
    for percent in (95, 99):
        if len(last) == 30:
            rank = -(-percent * 30 // 100)  # rounded up; the smallest loss has rank 1
            out[f"var_{percent}"] = float(losses[rank - 1])
            out[f"es_{percent}"] = float(np.mean(losses[rank - 1:]))
        else:
            mean, sd, z, share = np.mean(last), np.std(last, ddof=1), Z[percent], (100 - percent) / 100
            density = math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
            out[f"var_{percent}"] = float(-(mean - z * sd))
            out[f"es_{percent}"] = float(-(mean - sd * density / share))
    return out


def growth_per_year(total_return, days):
    """Null where it is no number: below zero there is no power, and some powers are beyond every float."""
    if total_return < -1:
        return None
    if total_return == -1:
        return -1.0
    try:
        # (1 + x)^k - 1, written so that a small x keeps its digits.
        return math.expm1(365.25 / days * math.log1p(total_return))
    except OverflowError:
        return None


def curve_statistics(curve):
    """The fields of the section "The curve"."""
    ts, equity = curve.ts, curve.equity
    index = growth_index(equity, curve.flows())
    returns, n = daily_returns(ts, equity, index, curve.days)
    year = curve.days_per_year
    enough = n >= 2 and ts[-1] - ts[0] >= 48 * HOUR
    total_return = None if index[-1] is None else float(index[-1] - 1)
    out = dict(
        total_return=total_return,
        cagr=None, volatility=None, sharpe=None, sharpe_low=None, sharpe_high=None, sortino=None,
        **drawdown_statistics(ts, index),
        calmar=None, return_over_drawdown=None,
        daily_returns=n,
        days_per_year=year,
        mean_equity=mean_equity(ts, equity),
        risk=None,
    )
    if enough and total_return is not None:
        out["cagr"] = growth_per_year(total_return, (ts[-1] - ts[0]) / DAY)
    if enough and returns is not None:
        excess = returns - curve.risk_free / year
        sd = np.std(returns, ddof=1)
        out["volatility"] = float(sd * math.sqrt(year))
        if sd > 1e-9 * abs(np.mean(returns)):
            daily = np.mean(excess) / sd
            half = Z_TWO_SIDED_95 * math.sqrt((1 + daily**2 / 2) / n) * math.sqrt(year)
            out["sharpe"] = float(daily * math.sqrt(year))
            out["sharpe_low"] = out["sharpe"] - half
            out["sharpe_high"] = out["sharpe"] + half
        below = np.minimum(returns - curve.minimum_return / year, 0)
        if np.any(below < 0):
            out["sortino"] = float(np.mean(excess) / math.sqrt(np.sum(below**2) / n) * math.sqrt(year))
        out["risk"] = value_at_risk(returns)
    if out["max_drawdown"]:
        out["return_over_drawdown"] = total_return / out["max_drawdown"]
        if out["cagr"] is not None:
            out["calmar"] = out["cagr"] / out["max_drawdown"]
    return out
