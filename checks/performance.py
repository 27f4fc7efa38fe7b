#!/usr/bin/env python3
"""Computes the statistics of docs/statistics.md a second time and compares them with what `tse` prints.

What goes in: the binary, made-up and real equity curves, and the example runs. What comes out: a line for
each group with how many figures were compared and the worst relative difference, every figure that differs,
and exit code 1 if there is one.

    python3 checks/performance.py --tse target/release/tse [--shared ../shared] [--require-data]

It is slow and plain on purpose: equity, prices and amounts are exact (Decimal, Fraction), times are whole
nanoseconds, and only the statistics themselves are floats, so a difference is an error of the engine or of
the page. It was written from docs/statistics.md alone and shares no code with the engine.

What it does not know: how a run came about. It believes the fills, the orders and the samples in the run
folder, and the prices that positions are valued at. It checks no markouts, breaches and emergency
stops, whose causes are not in the files, no inverse instruments, and no run that settles in a currency
other than its base.

Begin at `curve_statistics`, `trading_statistics` and `shortfall`; the made-up curves are in `random_curve`
and `edge_curves`.
"""

import argparse
import csv
import decimal
import json
import math
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

ROOT = pathlib.Path(__file__).resolve().parent.parent
SECOND = 1_000_000_000
HOUR = 3_600 * SECOND
DAY = 24 * HOUR
Z_TWO_SIDED_95 = 1.959963985
Z = {95: 1.6448536269514722, 99: 2.3263478740408408}
TOLERANCE = 1e-9
# A relative difference of figures smaller than this is measured against this.
FLOOR = 1e-9
# Where returns have no variance, their deviation is nothing but the rounding of floats.
ROUNDING_NOISE = 1e-12

# Amounts must never be rounded unseen: an operation that would round raises instead, in every thread.
decimal.DefaultContext.prec = 100
decimal.DefaultContext.traps[decimal.Inexact] = True
decimal.setcontext(decimal.DefaultContext)


# --- Curves -------------------------------------------------------------------------------------------------


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


# --- Comparing ----------------------------------------------------------------------------------------------

KIND = {
    "recovered": "exact", "method": "exact", "samples": "exact",
    "daily_returns": "exact", "days_per_year": "exact",
    "round_trips": "exact", "won": "exact", "lost": "exact",
    "drawdown_ns": "nanoseconds", "underwater_ns": "nanoseconds",
    "mean_equity": "quotient", "average_trip": "quotient",
    "delay": "amount", "execution": "amount", "unfilled": "amount", "total": "amount",
    "spread": "amount", "inventory": "amount", "fees": "amount", "funding": "amount", "residual": "amount",
}


class Group:
    """Figures that were compared under one heading."""

    def __init__(self, name):
        self.name = name
        self.things = 0
        self.figures = 0
        self.worst = (0.0, "")
        self.mismatches = []
        self.notes = []

    def miss(self, thing, field, ours, theirs, why=""):
        why = f" ({why})" if why else ""
        self.mismatches.append(f"{thing}: {field}: ours {show(ours)}, theirs {show(theirs)}{why}")

    def compare(self, thing, field, ours, theirs, kind=None, absolute=0.0):
        """Ours is from this file, theirs from the engine. Null only ever equals null."""
        self.figures += 1
        kind = kind or KIND.get(field.rpartition(".")[2], "number")
        if ours is None or theirs is None:
            if not (ours is None and theirs is None):
                self.miss(thing, field, ours, theirs)
        elif kind == "exact":
            if isinstance(ours, bool) != isinstance(theirs, bool) or ours != theirs:
                self.miss(thing, field, ours, theirs)
        elif kind == "nanoseconds":
            if not isinstance(theirs, str) or theirs != str(ours):
                self.miss(thing, field, ours, theirs)
        elif kind == "amount":
            if not isinstance(theirs, str) or Decimal(theirs) != ours:
                self.miss(thing, field, ours, theirs)
        elif kind == "quotient":
            # Decimal text cut to some decimals: within 1e-9, or one unit of the last decimal that is shown.
            if not isinstance(theirs, str):
                return self.miss(thing, field, ours, theirs, "not decimal text")
            unit = Fraction(Decimal(1).scaleb(Decimal(theirs).as_tuple().exponent))
            if abs(Fraction(theirs) - ours) > unit:
                self.near(thing, field, float(ours), float(Fraction(theirs)), absolute)
        else:
            if isinstance(theirs, bool) or not isinstance(theirs, (int, float)):
                return self.miss(thing, field, ours, theirs, "not a number")
            self.near(thing, field, ours, theirs, absolute)

    def near(self, thing, field, ours, theirs, absolute):
        difference = abs(ours - theirs)
        if difference <= absolute:
            return
        relative = difference / max(abs(ours), abs(theirs), FLOOR)
        if not relative <= TOLERANCE:  # also where it is not a number
            self.miss(thing, field, ours, theirs, f"relative difference {relative:.1e}")
        if not relative <= self.worst[0]:
            self.worst = (relative, f"{thing}: {field}")

    def compare_all(self, thing, ours, theirs, prefix=""):
        """Every field of ours must be there; nested objects are compared field by field."""
        if not isinstance(theirs, dict):
            return self.miss(thing, prefix or "everything", "an object", theirs)
        for field, value in ours.items():
            path = f"{prefix}{field}"
            if field not in theirs:
                self.figures += 1
                self.miss(thing, path, value, "no such field")
            elif isinstance(value, dict) and theirs[field] is not None:
                self.compare_all(thing, value, theirs[field], f"{path}.")
            elif isinstance(value, dict):
                self.figures += 1
                self.miss(thing, path, value, None)
            else:
                flat = field == "volatility" and value is not None and ours.get("sharpe") is None
                self.compare(thing, path, value, theirs[field], absolute=ROUNDING_NOISE if flat else 0.0)

    def report(self, what):
        where = f" ({self.worst[1]})" if self.worst[1] else ""
        state = "ok" if not self.mismatches else f"{len(self.mismatches)} DIFFER"
        print(f"{self.name}: {state}: {self.things} {what}, {self.figures} figures compared, "
              f"worst relative difference {self.worst[0]:.1e}{where}")
        for note in self.notes:
            print(f"  note: {note}")
        for mismatch in self.mismatches:
            print(f"  MISMATCH {self.name}: {mismatch}")
        sys.stdout.flush()


def show(value):
    if isinstance(value, Fraction):
        return repr(float(value))
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {show(part)}" for key, part in value.items()) + "}"
    return "null" if value is None else str(value)


class Failed(Exception):
    """What was asked of the binary or of a run cannot be compared at all."""


def tse(setting, *arguments):
    """Runs the binary and returns what it printed as JSON and its exit code."""
    environment = os.environ | {"TSE_SHARED": str(setting.shared)}
    done = subprocess.run([str(setting.tse), *map(str, arguments)], capture_output=True, text=True, cwd=ROOT,
                          env=environment, stdin=subprocess.DEVNULL)
    try:
        return json.loads(done.stdout), done.returncode
    except ValueError:
        said = (done.stderr or done.stdout).strip()[:500]
        asked = " ".join(map(str, arguments))
        raise Failed(f"`tse {asked}` printed no JSON, exit code {done.returncode}: {said}")


def data_of(setting, schema, *arguments):
    """The data of an answer that must be a success."""
    answer, code = tse(setting, *arguments)
    if code != 0 or answer.get("ok") is not True or answer.get("schema") != schema:
        raise Failed(f"`tse {' '.join(map(str, arguments))}`: exit code {code}, {json.dumps(answer)[:500]}")
    return answer["data"]


# --- Made-up curves -----------------------------------------------------------------------------------------


def nanoseconds(text):
    """Of an RFC 3339 moment or a date."""
    return int(pd.Timestamp(text).as_unit("ns").value)


def spell(ts, spelling):
    if spelling == "ns":
        return str(ts)
    day = np.datetime64(ts, "ns")
    if spelling == "date":
        return str(day.astype("datetime64[D]"))
    text = str(day)  # with nine decimals
    return (text.rstrip("0").rstrip(".") if spelling == "short" and "." in text else text) + "Z"


def plain(number):
    """A decimal without an exponent."""
    return format(number, "f")


def write_curve(curve, path):
    with open(path, "w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        if curve.flow is None:
            rows.writerow(["ts", "equity"])
            rows.writerows((spell(t, curve.spelling), plain(e)) for t, e in zip(curve.ts, curve.equity))
        else:
            rows.writerow(["ts", "equity", "flow"])
            rows.writerows((spell(t, curve.spelling), plain(e), plain(f) if f != 0 else "")
                           for t, e, f in zip(curve.ts, curve.equity, curve.flow))


def random_times(rng, kind):
    start = int(rng.integers(nanoseconds("1999-01-01") // DAY, nanoseconds("2026-01-01") // DAY)) * DAY
    within = int(rng.integers(0, DAY))
    if kind == "minutes":
        step = int(rng.choice([1, 5, 15, 60])) * 60 * SECOND
        return start + within + step * np.arange(int(rng.integers(50, 700)), dtype="int64")
    if kind == "irregular":
        steps = rng.exponential(3 * HOUR, int(rng.integers(30, 500))).astype("int64") + 1
        return start + within + np.cumsum(steps)
    if kind == "dates":
        return start + DAY * np.arange(int(rng.integers(2, 400)), dtype="int64")
    if kind == "business dates":
        first = np.busday_offset(np.datetime64(start, "ns").astype("datetime64[D]"), 0, roll="forward")
        days = np.busday_offset(first, np.arange(int(rng.integers(3, 400))))
        return days.astype("datetime64[ns]").astype("int64")
    if kind == "gaps":
        n = int(rng.integers(30, 250))
        steps = rng.exponential(5 * HOUR, n).astype("int64") + 1
        steps += np.where(rng.random(n) < 0.08, rng.integers(DAY, 40 * DAY, n), 0)
        return start + within + np.cumsum(steps)
    if kind == "midnights":
        step = int(rng.choice([4, 6, 8, 12])) * HOUR
        return start + step * np.arange(int(rng.integers(20, 300)), dtype="int64")
    if kind == "years":
        steps = rng.integers(DAY // 2, 9 * DAY, int(rng.integers(100, 500)))
        return start + within + np.cumsum(steps)
    assert kind == "short"
    steps = rng.integers(1, 6 * HOUR, int(rng.integers(2, 30)))
    return start + within + np.cumsum(steps)


CURVE_KINDS = ["minutes", "irregular", "dates", "business dates", "gaps", "midnights", "years", "short"]
RANDOM_CURVES = 256


def random_curve(seed):
    """A geometric random walk over some pattern of times, with some settings; one seed, one curve."""
    rng = np.random.default_rng(seed)
    kind = CURVE_KINDS[seed % len(CURVE_KINDS)]
    ts = random_times(rng, kind)
    n = len(ts)
    near_flat = rng.random() < 0.15
    # Near-flat returns are still far above the rounding of floats, about 1e-16 of equity.
    volatility = 2e-5 if near_flat else float(rng.choice([0.002, 0.01, 0.03]))
    root_of_days = np.sqrt(np.diff(ts, prepend=ts[0]) / DAY)
    drift = volatility * float(rng.normal(0, 0.2))
    growth = np.exp(rng.normal(0, 1, n) * volatility * root_of_days + drift * root_of_days**2)

    scale = float(rng.choice([0.01, 1, 250, 1e5, 1e7, 1e9]))
    decimals = int(rng.integers(max(2, 8 - int(math.log10(scale))), 13))
    unit = Decimal(1).scaleb(-decimals)
    equity, flow = [], []
    moving = rng.random() < 0.45
    moves = set(rng.integers(0, n, int(rng.integers(1, 8))).tolist()) if moving else set()
    now = Decimal(repr(scale * float(rng.uniform(1, 10))))
    with decimal.localcontext(traps=[]):
        for i in range(n):
            now = (now * Decimal(repr(float(growth[i])))).quantize(unit)
            came = Decimal(0)
            if i in moves:
                share = float(rng.choice([-0.8, -0.3, -0.01, 0.01, 0.5, 3])) * float(rng.uniform(0.5, 1))
                came = (now * Decimal(repr(share))).quantize(unit)
                now += came
            equity.append(now)
            flow.append(came)

    at_midnight = bool(np.all(ts % DAY == 0))
    weekdays = kind == "business dates" or rng.random() < 0.35
    return Curve(
        name=f"random {seed} ({kind})",
        ts=ts.tolist(),
        equity=equity,
        flow=flow if moving or rng.random() < 0.2 else None,
        days="weekdays" if weekdays else "all",
        days_per_year=int(rng.choice([252, 260, 365])),
        risk_free=float(rng.choice([0, 0, 0.03, 0.0425])),
        minimum_return=float(rng.choice([0, 0, 0.02, 0.1])),
        spelling=str(rng.choice(["ns", "nine", "short", "date"] if at_midnight else ["ns", "nine", "short"])),
    )


def daily(name, values, start="2024-03-04", hour=0, **settings):
    """One point a day."""
    first = nanoseconds(start) + hour * HOUR
    equity = [Decimal(str(value)) for value in values]
    return Curve(name, [first + i * DAY for i in range(len(equity))], equity, **settings)


def points(name, rows, **settings):
    """Of rows (moment, equity) or (moment, equity, flow)."""
    flow = [Decimal(str(row[2])) if len(row) > 2 else Decimal(0) for row in rows]
    return Curve(name, [nanoseconds(row[0]) for row in rows], [Decimal(str(row[1])) for row in rows],
                 flow if any(flow) else None, spelling="short", **settings)


def wobbling(n, seed=1):
    """n values that go up and down, of which no two falls are alike."""
    rng = np.random.default_rng(seed)
    return [format(1000 * value, ".8f") for value in np.exp(np.cumsum(rng.normal(0.001, 0.02, n)))]


def falling(n, seed=2):
    rng = np.random.default_rng(seed)
    return [format(1000 * value, ".8f") for value in np.exp(-np.cumsum(rng.uniform(0.001, 0.02, n)))]


def compounding(name, n, rate, **settings):
    """Growth by the same rate on each of n days, the first too, as exactly as 12 decimals can say it."""
    with decimal.localcontext(traps=[]):
        equity = [(100 * (1 + Decimal(rate)) ** i).quantize(Decimal("1e-12")) for i in range(n + 1)]
    first = nanoseconds("2024-03-04")
    return Curve(name, [first, *(first + i * DAY + 20 * HOUR for i in range(n))], equity, **settings)


def with_flow(curve, at, amount, name):
    """The same curve with an amount that came in at a point and stayed."""
    came = Decimal(str(amount))
    curve.equity = [e + came if i >= at else e for i, e in enumerate(curve.equity)]
    curve.flow = [came if i == at else Decimal(0) for i in range(len(curve.equity))]
    curve.name = name
    return curve


def edge_curves():
    out = [
        points("one point", [("2024-03-05T12:00:00Z", 1000)]),
        points("one point with a flow", [("2024-03-05T12:00:00Z", 1000, 1000)]),
        points("one point below zero", [("2024-03-05T12:00:00Z", -5)]),
        points("two points of one day", [("2024-03-05T12:00:00Z", 1000), ("2024-03-05T13:00:00Z", "1010.5")]),
        points("one day", [(f"2024-03-05T{hour:02}:30:00Z", 1000 + hour % 5) for hour in range(24)]),
        points("two days", [("2024-03-05T12:00:00Z", 1000), ("2024-03-06T12:00:00Z", 1010)]),
        points("three days within 47 hours", [
            ("2024-03-05T23:30:00Z", 1000), ("2024-03-06T12:00:00Z", 1010), ("2024-03-07T22:30:00Z", 1005)]),
        points("a nanosecond under 48 hours", [
            ("2024-03-05T12:00:00.000000001Z", 1000), ("2024-03-06T12:00:00Z", 1010),
            ("2024-03-07T12:00:00Z", 1005)]),
        points("48 hours", [("2024-03-05T12:00:00Z", 1000), ("2024-03-06T12:00:00Z", 1010),
                            ("2024-03-07T12:00:00Z", 1005)]),
        points("48 hours from midnight", [("2024-03-05T00:00:00Z", 1000), ("2024-03-06T12:00:00Z", 1010),
                                          ("2024-03-07T00:00:00Z", 1005)]),
        points("around midnight", [("2024-03-05T12:00:00Z", 1000), ("2024-03-05T23:59:59.999999999Z", 1010),
                                   ("2024-03-06T00:00:00Z", 1020), ("2024-03-06T00:00:00.000000001Z", 1017),
                                   ("2024-03-08T00:00:00Z", 1012), ("2024-03-08T09:00:00Z", 1019)]),
        daily("two dates", [1000, 1003], spelling="date"),
        daily("three dates", [1000, 1003, 1001], spelling="date"),
        daily("constant equity", [1000] * 45),
        daily("constant equity, few days", [1000] * 12, hour=9),
        daily("constant equity against a rate", [1000] * 12, risk_free=0.04),
        daily("constant equity, wanted more", [1000] * 12, risk_free=0.04, minimum_return=0.05),
        compounding("constant growth", 40, "0.001"),
        compounding("constant growth, few days", 20, "0.001"),
        compounding("constant growth, wanted more", 40, "0.0001", minimum_return=0.2, risk_free=0.01),
        compounding("constant fall", 40, "-0.002"),
        compounding("doubling", 20, "1"),
        daily("constant growth after the first day", [1000 * 2**i for i in range(20)]),
        daily("all losses", falling(60)),
        daily("all losses, few days", falling(9), hour=17),
        daily("all gains", reversed(falling(60))),
        daily("leap day", wobbling(6), start="2024-02-27", days_per_year=252),
        with_flow(daily("", wobbling(50)), 25, 5000, "deposit in the middle"),
        with_flow(daily("", wobbling(50)), 25, "-650.5", "withdrawal in the middle"),
        with_flow(daily("", wobbling(50)), 0, 1000, "flow on the very first point"),
        with_flow(daily("", wobbling(50)), 49, "-123.456", "flow on the last point"),
        with_flow(daily("", falling(50)), 25, 5000, "deposit while falling"),
        with_flow(daily("", [1000] * 40), 20, 1000, "deposit into constant equity"),
        with_flow(daily("", [1000] * 40), 20, -300, "withdrawal from constant equity"),
        daily("fall that never recovers", [100, 120, 110, 80, 90, 119.99]),
        daily("fall that just recovers", [100, 120, 110, 80, 90, 120, 119]),
        daily("fall from a flat top", [100, 120, 120, 120, 90, 100, 120, 121]),
        daily("flat start, then a fall", [100, 100, 100, 90, 95]),
        daily("two equal falls", [100, 90, 100, 101, 100, 90, 100, 110]),
        daily("the longest wait is not the deepest fall", [100, 99, 99, 99, 99, 101, 80, 102, 101]),
        daily("waiting at the end", [100, 101, 80, 102, 101, 100, 101, 101.5, 101.9]),
        daily("equity reaches zero at the end", [100, 90, 50, 0]),
        daily("equity ends below zero", [100, 90, 50, -20]),
        daily("equity at zero for a day", [100, 90, 0, 40, 50]),
        daily("equity below zero for days", [100, 90, -10, -20, 40, 50]),
        points("equity at zero within a day", [
            ("2024-03-05T12:00:00Z", 100), ("2024-03-06T08:00:00Z", 0), ("2024-03-06T18:00:00Z", 60),
            ("2024-03-07T18:00:00Z", 66), ("2024-03-08T18:00:00Z", 64)]),
        points("equity below zero within a day", [
            ("2024-03-05T12:00:00Z", 100), ("2024-03-06T08:00:00Z", -10), ("2024-03-06T18:00:00Z", 60),
            ("2024-03-07T18:00:00Z", 66), ("2024-03-08T18:00:00Z", 64)]),
        daily("equity begins at zero", [0, 10, 12, 11]),
        daily("equity begins below zero", [-10, 10, 12, 11]),
        points("everything lost, then a deposit", [
            ("2024-03-05T12:00:00Z", 100), ("2024-03-06T12:00:00Z", 50), ("2024-03-07T12:00:00Z", 80, 80),
            ("2024-03-08T12:00:00Z", 88), ("2024-03-09T12:00:00Z", 84)]),
        points("everything withdrawn, then a deposit", [
            ("2024-03-05T12:00:00Z", 100), ("2024-03-06T12:00:00Z", 0, -110),
            ("2024-03-07T12:00:00Z", 80, 80), ("2024-03-08T12:00:00Z", 88)]),
        daily("growth beyond every float", [1, 1000, 1000000], hour=1),
        daily("a Saturday and a Sunday", [100, 103], start="2024-03-09", days="weekdays", days_per_year=252),
        daily("begins on a Saturday", wobbling(8), start="2024-03-09", days="weekdays", days_per_year=260),
        daily("ends on a Sunday", wobbling(7), start="2024-03-04", days="weekdays", days_per_year=260),
        with_flow(daily("", wobbling(20), days="weekdays"), 12, 500, "deposit on a Saturday"),
        points("weekend move with --days weekdays", [
            ("2024-03-07T12:00:00Z", 100), ("2024-03-08T23:00:00Z", 101), ("2024-03-09T10:00:00Z", 104),
            ("2024-03-10T23:59:59Z", 99), ("2024-03-11T00:00:00Z", 98), ("2024-03-11T20:00:00Z", 103),
            ("2024-03-12T20:00:00Z", 102)], days="weekdays", days_per_year=260),
        points("two weeks without a point", [
            ("2024-03-05T12:00:00Z", 100), ("2024-03-06T12:00:00Z", 102), ("2024-03-20T12:00:00Z", 99),
            ("2024-03-21T12:00:00Z", 101)], risk_free=0.02),
        points("two weeks without a point with --days weekdays", [
            ("2024-03-05T12:00:00Z", 100), ("2024-03-06T12:00:00Z", 102), ("2024-03-20T12:00:00Z", 99),
            ("2024-03-21T12:00:00Z", 101)], days="weekdays", days_per_year=252),
        daily("tiny equity", ["0.000000012345", "0.000000012399", "0.000000012201", "0.000000012500"]),
        daily("huge equity", ["90071992547409931.25", "90971992547609931.5", "90771992537409931.75",
                              "90971992547409931.125"]),
    ]
    for n in (29, 30, 31):
        out.append(daily(f"{n} daily returns", wobbling(n), hour=20))
        out.append(daily(f"{n} daily returns, many alike", [1000 + i % 2 * 7 for i in range(n)], hour=20))
        until_then = (n - 1) // 5 * 7 + (n - 1) % 5 + 1  # from a Monday to the nth weekday
        out.append(daily(f"{n} weekday returns", wobbling(until_then), days="weekdays", days_per_year=252))
    return out


# --- Real bars ----------------------------------------------------------------------------------------------


def bar_curves(shared):
    """Buy and hold of one unit: equity is the close of the day, or the middle of both closes."""
    out = []
    bars = shared / "data" / "bars"
    for path in sorted((bars / "equity" / "usa" / "daily").glob("*.zip")):
        rows = lean_rows(path)
        equity = [Decimal(row[4]).scaleb(-4) for row in rows]  # prices are ten-thousandths of a dollar
        out.append(Curve(f"{path.stem} daily", lean_days(rows), equity, days="weekdays", days_per_year=252,
                         risk_free=0.02, minimum_return=0.02, spelling="date"))
    for path in sorted((bars / "crypto" / "coinbase" / "daily").glob("*.zip")):
        rows = lean_rows(path)
        if path.stem.endswith("_quote"):
            equity = [(Decimal(row[4]) + Decimal(row[9])) * Decimal("0.5") for row in rows]
        else:
            equity = [Decimal(row[4]) for row in rows]
        out.append(Curve(f"{path.stem} daily", lean_days(rows), equity, spelling="date"))
    return out


def lean_rows(path):
    with zipfile.ZipFile(path) as archive:
        (name,) = archive.namelist()
        return list(csv.reader(archive.read(name).decode().splitlines()))


def lean_days(rows):
    days = [f"{row[0][:4]}-{row[0][4:6]}-{row[0][6:8]}" for row in rows]
    return [nanoseconds(day) for day in days]


# --- Runs ---------------------------------------------------------------------------------------------------

RUNS = ["market-making", "arbitrage", "chaos-runaway"]
RUNS_OF_SHARED_DATA = ["btc-ema-cross", "arbitrage-fx"]
# What `tse stats RUN` cannot find in the files of a run.
NOT_IN_FILES = {"markouts", "breaches", "emergency_stops", "recovery_ns"}
SIGN = {"buy": 1, "sell": -1}


def table(path):
    """A Parquet file as rows; moments become whole nanoseconds, decimals stay exact."""
    columns = pq.read_table(path)
    for i, column in enumerate(columns.schema):
        if pa.types.is_timestamp(column.type):
            whole = columns.column(i).cast(pa.timestamp("ns", tz=column.type.tz)).cast(pa.int64())
            columns = columns.set_column(i, column.name, whole)
    return columns.to_pylist()


@dataclass
class Run:
    """What a finished run left, and what it is measured by."""

    data: dict
    config: dict
    equity: list
    pnl: list
    orders: list
    fills: list

    @classmethod
    def read(cls, data, folder):
        config = tomllib.loads((folder / "run.toml").read_text())
        names = ("equity", "pnl", "orders", "fills")
        run = cls(data, config, *(table(folder / f"{name}.parquet") for name in names))
        settled = {fill["currency"] for fill in run.fills}
        settled |= {position["currency"] for position in data["positions"]}
        settled |= {instrument["currency"] for instrument in data["instruments"]}
        if settled != {data["base"]}:
            raise NotComparable(f"it settles in {', '.join(sorted(settled))}, and its base is {data['base']}")
        multiplier = {part["symbol"]: Decimal(part.get("multiplier", "1")) for part in config["instruments"]}
        # Another leg of their group was refused: they never left.
        run.orders = [order for order in run.orders if order["state"] != "withdrawn"]
        for order in run.orders:
            order["multiplier"] = multiplier[order["symbol"]]
        for fill in run.fills:
            fill["multiplier"] = multiplier[fill["symbol"]]
            fill["paid"] = fee_in_settlement(fill)
        return run

    def start(self):
        return nanoseconds(self.data["start"])

    def end(self):
        return nanoseconds(self.data["end"])

    def days(self):
        return Fraction(self.end() - self.start(), DAY)

    def days_per_year(self):
        kinds = {kind_of(part) for part in self.config["instruments"]}
        if kinds <= {"fx"}:
            return 260
        return 252 if kinds <= {"fx", "equity", "future"} else 365

    def curve(self, name, equity):
        """The settings are in the config as it was run."""
        run = self.config["run"]
        return Curve(name, [row["ts"] for row in self.equity], equity, days=run["days"],
                     days_per_year=self.days_per_year(), risk_free=float(run.get("risk_free", 0)),
                     minimum_return=float(run.get("minimum_return", 0)))


class NotComparable(Exception):
    """A run whose figures this file cannot say."""


def kind_of(instrument):
    """As the config says it, or else as the symbol does: BASE-QUOTE[-PERP|-YYMMDD][:SETTLE].VENUE."""
    if "kind" in instrument:
        return instrument["kind"]
    parts = instrument["symbol"].rpartition(".")[0].partition(":")[0].split("-")
    return "spot" if len(parts) == 2 else "perpetual" if parts[2] == "PERP" else "future"


def fee_in_settlement(fill):
    """The fee of a fill in the settlement currency, as round trips and shortfall count it."""
    if fill["fee_currency"] == fill["currency"]:
        return fill["fee"]
    if fill["fee_currency"] == fill["symbol"].split("-")[0]:
        return fill["fee"] * fill["price"]
    raise NotComparable(f"a fee was paid in {fill['fee_currency']}")


def worth(size, price, multiplier):
    return size * price * multiplier


def exposure(run, fills):
    """Share of the run's time in which anything was held."""
    held, since, position = 0, run.start(), {}
    for fill in fills:
        if any(position.values()):
            held += fill["ts"] - since
        since = fill["ts"]
        position[fill["strategy"], fill["symbol"]] = fill["position"]
    if any(position.values()):
        held += run.end() - since
    return held / (run.end() - run.start())


def round_trips(fills):
    """The profit of every finished trip, from flat to flat."""
    trips, position, earned = [], {}, {}
    for fill in fills:
        key = fill["strategy"], fill["symbol"]
        before = position.get(key, Decimal(0))
        after = before + SIGN[fill["side"]] * fill["size"]
        position[key] = after
        # Realised profit and fee of a fill through zero both belong to the trip that it ends.
        earned[key] = earned.get(key, Decimal(0)) + fill["realized"] - fill["paid"]
        if before != 0 and before * after <= 0:
            trips.append(earned.pop(key))
    return trips


def trading_statistics(run, orders, fills, mean):
    """The fields of "Holding and trading" of some orders and their fills; `mean` is mean equity."""
    days = run.days()
    traded = sum((fill["value"] for fill in fills), Decimal(0))
    resting = sum((fill["value"] for fill in fills if fill["liquidity"] == "maker"), Decimal(0))
    per_day = float(Fraction(traded) / mean / days)
    trips = round_trips(fills)
    won, lost = [trip for trip in trips if trip > 0], [trip for trip in trips if trip < 0]

    # Of each instrument, weighted by its orders.
    by_symbol = pd.DataFrame(orders, columns=["symbol", "submitted", "filled"]).groupby("symbol")
    weighted = [len(part) * Fraction(sum(part["filled"])) / Fraction(sum(part["submitted"]))
                for _, part in by_symbol]

    mid_sent = {order["order_id"]: order["mid_sent"] for order in orders}
    slipped = []
    for fill in fills:
        mid = mid_sent.get(fill["order_id"])  # a liquidation was never sent
        if mid is not None:
            worse = SIGN[fill["side"]] * Fraction(fill["price"] - mid) / Fraction(mid)
            slipped.append((Fraction(fill["value"]), worse))
    weight = sum(value for value, _ in slipped)

    return dict(
        exposure=exposure(run, fills),
        turnover_per_day=per_day,
        turnover_per_year=per_day * 365.25,
        round_trips=len(trips),
        won=len(won),
        lost=len(lost),
        win_rate=len(won) / len(trips) if trips else None,
        profit_factor=float(Fraction(sum(won)) / Fraction(-sum(lost))) if lost else None,
        average_trip=Fraction(sum(won) + sum(lost)) / len(trips) if trips else None,
        round_trips_per_day=float(len(trips) / days),
        fill_ratio=float(sum(weighted) / len(orders)) if orders else None,
        maker_ratio=float(Fraction(resting) / Fraction(traded)) if fills else None,
        slippage_bps=float(sum(value * worse for value, worse in slipped) / weight * 10_000)
        if slipped else None,
    )


def shortfall(orders, fills):
    """What was lost against a paper portfolio (Perold 1988). An order with an unknown mid is left out."""
    fills_of = {}
    for fill in fills:
        fills_of.setdefault(fill["order_id"], []).append(fill)
    delay = execution = unfilled = fees = Decimal(0)
    for order in orders:
        decided, heard, ended = order["mid_sent"], order["mid_heard"], order["mid_ended"]
        if decided is None or heard is None or ended is None:
            continue
        s, filled, multiplier = SIGN[order["side"]], order["filled"], order["multiplier"]
        delay += s * (worth(filled, heard, multiplier) - worth(filled, decided, multiplier))
        left = order["size"] - filled
        unfilled += s * (worth(left, ended, multiplier) - worth(left, decided, multiplier))
        for fill in fills_of.get(order["order_id"], []):
            execution += s * (fill["value"] - worth(fill["size"], heard, multiplier))
            fees += fill["paid"]
    return dict(delay=delay, execution=execution, unfilled=unfilled, fees=fees,
                total=delay + execution + unfilled + fees)


def attribution(run, fills, strategies, net):
    """Where the profit came from.

    A fill without a mid counts as if the mid were its own price.
    """
    spread = inventory = Decimal(0)
    position, mid = {}, {}
    for fill in fills:
        key = fill["strategy"], fill["symbol"]
        now = fill["price"] if fill["mid"] is None else fill["mid"]
        spread += SIGN[fill["side"]] * (worth(fill["size"], now, fill["multiplier"]) - fill["value"])
        moved = now - mid.get(key, now)
        inventory += worth(position.get(key, Decimal(0)), moved, fill["multiplier"])
        position[key], mid[key] = fill["position"], now
    multiplier = {fill["symbol"]: fill["multiplier"] for fill in fills}
    funding = Decimal(0)
    for last in run.data["positions"]:
        if last["strategy"] in strategies:
            key = last["strategy"], last["symbol"]
            funding += Decimal(last["funding"])
            if position.get(key) and key in mid:
                inventory += worth(position[key], Decimal(last["mark_price"]) - mid[key], multiplier[key[1]])
    fees = -sum((fill["paid"] for fill in fills), Decimal(0))
    return dict(spread=spread, inventory=inventory, fees=fees, funding=funding,
                residual=net - spread - inventory - fees - funding)


def check_files(group, run):
    """What the files must agree on before anything is computed from them."""
    group.compare("files", "days", float(run.days()), run.data["days"])
    group.compare("files", "equity_start", run.equity[0]["equity"], run.data["equity_start"], "amount")
    for strategy in run.data["strategies"]:
        times = [row["ts"] for row in run.pnl if row["strategy"] == strategy["name"]]
        same = times == [row["ts"] for row in run.equity]
        group.compare("files", f"times of {strategy['name']} in pnl.parquet", True, same, "exact")
    position, filled, wrong_value, wrong_position = {}, {}, 0, 0
    for fill in run.fills:
        key = fill["strategy"], fill["symbol"]
        position[key] = position.get(key, Decimal(0)) + SIGN[fill["side"]] * fill["size"]
        filled[fill["order_id"]] = filled.get(fill["order_id"], Decimal(0)) + fill["size"]
        wrong_position += position[key] != fill["position"]
        wrong_value += fill["value"] != worth(fill["size"], fill["price"], fill["multiplier"])
    wrong_filled = sum(filled.get(order["order_id"], Decimal(0)) != order["filled"] for order in run.orders)
    group.compare("files", "fills whose position is not the sum of sizes", 0, wrong_position, "exact")
    group.compare("files", "fills whose value is not price·size·multiplier", 0, wrong_value, "exact")
    group.compare("files", "orders whose fills are not what was filled", 0, wrong_filled, "exact")


def check_performance(group, run, thing, equity, orders, fills, strategies, net, theirs):
    """One whole run or one strategy against its `performance`."""
    group.things += 1
    curve = curve_statistics(run.curve(thing, equity))
    group.compare_all(thing, curve, theirs)
    group.compare_all(thing, trading_statistics(run, orders, fills, curve["mean_equity"]), theirs)
    group.compare_all(thing, dict(shortfall=shortfall(orders, fills)), theirs)
    group.compare_all(thing, dict(attribution=attribution(run, fills, strategies, net)), theirs)
    said = theirs.get("attribution") or {}
    names = ("spread", "inventory", "fees", "funding", "residual")
    if all(isinstance(said.get(name), str) for name in names):
        total = sum(Decimal(said[name]) for name in names)
        group.compare(thing, "spread + inventory + fees + funding + residual", net, str(total), "amount")


def check_run(setting, name, runs):
    """Runs one example and compares all that can be said of it."""
    config = ROOT / "examples" / f"{name}.toml"
    group = Group(f"run {name}")
    runs.mkdir()
    try:
        data = data_of(setting, "tse.backtest/1", "backtest", config, "--runs", runs, "--json")
        folders = [path for path in runs.iterdir() if path.is_dir() and not path.name.startswith(".")]
        if len(folders) != 1:
            raise Failed(f"a run left {len(folders)} folders")
        (folder,) = folders
        run = Run.read(data, folder)
        check_files(group, run)
        everyone = {part["name"] for part in data["strategies"]}
        equity = [row["equity"] for row in run.equity]
        check_performance(group, run, "the run", equity, run.orders, run.fills, everyone,
                          Decimal(data["net_pnl"]), data["performance"])
        for part in data["strategies"]:
            mine = part["name"]
            earned = [row["net"] for row in run.pnl if row["strategy"] == mine]
            equity = [run.equity[0]["equity"] + net for net in earned]
            orders = [order for order in run.orders if order["strategy"] == mine]
            fills = [fill for fill in run.fills if fill["strategy"] == mine]
            check_performance(group, run, f"strategy {mine}", equity, orders, fills, {mine},
                              Decimal(part["net_pnl"]), part["performance"])
        kept = json.loads((folder / "stats.json").read_text())
        kept = kept.get("data", kept)
        check_recomputed(group, setting, folder, runs, data, kept)
    except NotComparable as why:
        group.notes.append(f"SKIPPED {name}: {why}")
    except Failed as why:
        group.mismatches.append(str(why))
    except Exception as why:  # a file or a column that is not what the pages say is a finding too
        group.mismatches.append(f"{type(why).__name__}: {why}, line {line_of(why)} of this file")
    return group


def line_of(error):
    trace = error.__traceback__
    while trace.tb_next and trace.tb_next.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    return trace.tb_lineno


def check_recomputed(group, setting, folder, runs, data, kept):
    """stats.json says what was printed, and `tse stats RUN` says it again from the files."""
    again = data_of(setting, "tse.stats/1", "stats", folder, "--runs", runs, "--json")
    for source, printed in (("as printed", data), ("in stats.json", kept)):
        compare_texts(group, f"tse stats RUN against the run {source}", printed["performance"], again)
        said = {part["name"]: part["performance"] for part in again["strategies"]}
        for part in printed["strategies"]:
            compare_texts(group, f"tse stats RUN against {part['name']} {source}", part["performance"],
                          said.get(part["name"], {}))
    for run in ("last", data["run_id"][:8]):
        named = data_of(setting, "tse.stats/1", "stats", run, "--runs", runs, "--json")
        group.compare(f"tse stats {run}", "same as by its folder", True, named == again, "exact")


def compare_texts(group, thing, ours, theirs, prefix=""):
    """Floats to 1e-9, everything else to the letter; here "ours" is the result of the run itself."""
    for field, value in ours.items():
        path = f"{prefix}{field}"
        if field in NOT_IN_FILES:
            continue
        if field not in theirs:
            group.figures += 1
            group.miss(thing, path, value, "no such field")
        elif isinstance(value, dict) and isinstance(theirs[field], dict):
            compare_texts(group, thing, value, theirs[field], f"{path}.")
        else:
            kind = "number" if isinstance(value, float) else "exact"
            group.compare(thing, path, value, theirs[field], kind)


# --- Groups -------------------------------------------------------------------------------------------------


def check_curve(setting, folder, group, job):
    """One curve through the binary; the answer is compared where all are collected."""
    number, curve = job
    path = folder / f"{group.name.split()[0]}-{number}.csv"
    write_curve(curve, path)
    arguments = ["stats", path, "--json", "--days", curve.days, "--days-per-year", curve.days_per_year,
                 "--risk-free", plain(Decimal(repr(curve.risk_free))),
                 "--minimum-return", plain(Decimal(repr(curve.minimum_return)))]
    if (curve.days, curve.days_per_year, curve.risk_free, curve.minimum_return) == ("all", 365, 0, 0):
        arguments = arguments[:3]  # these are what is used if nothing is said
    try:
        return curve, path, data_of(setting, "tse.stats/1", *arguments), None
    except Failed as why:
        return curve, path, None, why


def check_curves(setting, folder, name, curves):
    group = Group(name)
    with ThreadPoolExecutor(max_workers=2) as pool:
        for curve, path, theirs, failure in pool.map(lambda job: check_curve(setting, folder, group, job),
                                                     enumerate(curves)):
            group.things += 1
            thing = f"{curve.name} [{path.name}]"
            if failure:
                group.mismatches.append(f"{thing}: {failure}")
            else:
                group.compare_all(thing, curve_statistics(curve), theirs)
    return group


def check_no_points(setting, folder, group):
    """A curve without a point is an error with words, not a result of nulls."""
    path = folder / "no-points.csv"
    path.write_text("ts,equity\n")
    group.things += 1
    group.figures += 1
    try:
        answer, code = tse(setting, "stats", path, "--json")
        errors = answer.get("errors") or []
        if code == 0 or answer.get("ok") is not False or not errors or not errors[0].get("title"):
            group.mismatches.append(f"no points: exit code {code}, {json.dumps(answer)[:300]}")
    except Failed as why:
        group.mismatches.append(f"no points: {why}")


def check_examples(setting, folder, names):
    (folder / "runs").mkdir(exist_ok=True)
    with ThreadPoolExecutor(max_workers=2) as pool:
        return list(pool.map(lambda name: check_run(setting, name, folder / "runs" / name), names))


def main():
    parser = argparse.ArgumentParser(description="Computes all statistics a second time and compares.")
    parser.add_argument("--tse", type=pathlib.Path, required=True, help="the binary")
    parser.add_argument("--shared", type=pathlib.Path, default=ROOT.parent / "shared", help="real data")
    parser.add_argument("--require-data", action="store_true", help="fail if real data are missing")
    parser.add_argument("--only", choices=["curves", "bars", "runs"], help="one part alone")
    setting = parser.parse_args()
    setting.tse, setting.shared = setting.tse.resolve(), setting.shared.resolve()
    if not os.access(setting.tse, os.X_OK) or setting.tse.is_dir():
        parser.error(f"{setting.tse} is no program")

    folder = pathlib.Path(tempfile.mkdtemp(prefix="tse-checks-"))
    groups, missing = [], []

    def done(group, what):
        group.report(what)
        groups.append(group)

    if setting.only in (None, "curves"):
        random_curves = map(random_curve, range(RANDOM_CURVES))
        done(check_curves(setting, folder, "random curves", random_curves), "curves")
        edges = check_curves(setting, folder, "edge curves", edge_curves())
        check_no_points(setting, folder, edges)
        done(edges, "curves")
    if setting.only in (None, "bars"):
        curves = bar_curves(setting.shared)
        if curves:
            done(check_curves(setting, folder, "bars", curves), "instruments")
        else:
            missing.append(f"bars: no daily bars under {setting.shared / 'data' / 'bars'}")
    if setting.only in (None, "runs"):
        names = list(RUNS)
        if (setting.shared / "data").is_dir():
            names += RUNS_OF_SHARED_DATA
        else:
            missing += [f"run {name}: no {setting.shared / 'data'}" for name in RUNS_OF_SHARED_DATA]
        for group in check_examples(setting, folder, names):
            done(group, "results")

    for what in missing:
        print(f"{'MISSING' if setting.require_data else 'SKIPPED'} {what}")
    mismatches = sum(len(group.mismatches) for group in groups)
    if mismatches:
        print(f"{mismatches} figures differ; the curves and runs are kept in {folder}")
    else:
        shutil.rmtree(folder)
        print(f"{sum(group.figures for group in groups)} figures agree")
    return 1 if mismatches or (missing and setting.require_data) else 0


if __name__ == "__main__":
    sys.exit(main())
