"""The statistics of a finished run, from the fills, orders and samples in its folder.

It does not know how the run came about, and believes the prices that positions were valued at.
"""

import json
import tomllib
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from compare import ROOT, Failed, Group, data_of
from curves import DAY, Curve, curve_statistics
from tried import nanoseconds

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
