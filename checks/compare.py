"""Asks the binary, and compares its figures with ours; keeps count of both and of the worst difference.

It does not know what a figure means, only how near it has to be: the table `KIND`, and a number otherwise.
"""

import json
import os
import pathlib
import subprocess
import sys
from decimal import Decimal
from fractions import Fraction

ROOT = pathlib.Path(__file__).resolve().parent.parent
TOLERANCE = 1e-9
# A relative difference of figures smaller than this is measured against this.
FLOOR = 1e-9
# Where returns have no variance, their deviation is nothing but the rounding of floats.
ROUNDING_NOISE = 1e-12

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
