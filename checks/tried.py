"""The curves that are tried: random ones by seed, the edges of every definition, and real bars.

It writes them as the binary reads them, and does not know what is to come out.
"""

import csv
import decimal
import math
import zipfile
from decimal import Decimal

import numpy as np
import pandas as pd

from curves import DAY, HOUR, SECOND, Curve


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
