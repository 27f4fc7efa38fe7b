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

Begin at `curve_statistics` in curves.py, and `trading_statistics` and `shortfall` in runs.py. Which curves
are tried is in tried.py, and how figures are compared in compare.py.
"""

import argparse
import json
import os
import pathlib
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

from compare import ROOT, Failed, Group, data_of, tse
from curves import curve_statistics
from runs import RUNS, RUNS_OF_SHARED_DATA, check_run
from tried import RANDOM_CURVES, bar_curves, edge_curves, plain, random_curve, write_curve


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
