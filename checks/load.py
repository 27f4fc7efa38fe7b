"""How fast a service answers while its engine trades, what that costs the engine, and how fast its rows are written.

    load.py --tse target/release/tse --wrk wrk [--postgres URL] [--seconds 10] [--speed 5]

Prints, and judges nothing: from start to ready, memory, orders a second, requests a second with their p99, what inputs
take the engine (p50 and p99, from record to release) without and with that load, and how fast a store catches up.
The engine that is loaded is `checks/load.toml` at `process` durability; what `power` allows is a line of its own.
"""

import argparse
import json
import os
import re
import signal
import socket
import statistics
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / "examples/demo.toml"
LOAD = ROOT / "checks/load.toml"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def environment(**more):
    ours = {name: value for name, value in os.environ.items() if not name.startswith("TSE_")}
    return {**ours, "LOG_LEVEL": "WARNING", **more}


class Engine:
    """`tse run` on free ports in a folder of its own."""

    def __init__(self, tse, config, speed, *more):
        self.folder = tempfile.TemporaryDirectory()
        self.port = free_port()
        begun = time.monotonic()
        self.process = subprocess.Popen(
            [tse, "run", str(config), "--arm", "--quiet", "--speed", str(speed)]
            + ["--http-port", str(self.port), "--grpc-port", str(free_port()), *more],
            cwd=self.folder.name,
            env=environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while not self.is_ready():
            if self.process.poll() is not None or time.monotonic() - begun > 60:
                raise SystemExit("it does not become ready")
            time.sleep(0.002)
        self.ready_after = time.monotonic() - begun

    def is_ready(self):
        try:
            return self.get("/ready")[0] == 200
        except (OSError, urllib.error.URLError):
            return False

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()

    def status(self):
        return json.loads(self.get("/api/v1/status")[1])

    def memory(self):
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", text).group(1)) / 1024

    def inputs(self):
        """p50 and p99 of what inputs took in the last second, in microseconds."""
        text = self.get("/metrics")[1]
        of = lambda share: re.search(rf'tse_engine_input_seconds{{[^}}]*share="{share}"[^}}]*}} (\S+)', text)
        return [float(of(share).group(1)) * 1e6 for share in ("0.5", "0.99")]

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(120)
        except subprocess.TimeoutExpired:
            self.process.kill()


class Watch:
    """Looks once a second what inputs take, and counts orders, while something else goes on."""

    def __init__(self, engine):
        self.engine = engine

    def __enter__(self):
        self.seen, self.over = [], threading.Event()
        self.before, self.begun = self.engine.status()["sent"], time.monotonic()
        self.thread = threading.Thread(target=self.look)
        self.thread.start()
        return self

    def look(self):
        while not self.over.wait(1):
            self.seen.append(self.engine.inputs())

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        self.orders = (self.engine.status()["sent"] - self.before) / (time.monotonic() - self.begun)
        # The first second began before.
        self.p50, self.p99 = (statistics.median(it) for it in zip(*self.seen[1:]))

    def __str__(self):
        return f"{self.orders:.0f} orders/s, inputs p50 {self.p50:.1f} us, p99 {self.p99:.1f} us"


def load(wrk, port, path, seconds):
    """Requests a second, their p99 in milliseconds, and how many were refused."""
    command = [wrk, "-t1", "-c16", f"-d{seconds}s", "--latency", f"http://127.0.0.1:{port}{path}"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1))
    number, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", text).groups()
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    return rate, float(number) * {"us": 1e-3, "ms": 1.0, "s": 1e3}[unit], int(bad.group(1)) if bad else 0


def answered(what, path, found):
    rate, late, bad = found
    print(f"{what:<7}{path:<24}{rate:9.0f} requests/s, p99 {late:.2f} ms, {bad} refused", flush=True)


def idle(args):
    engine = Engine(args.tse, DEMO, 1)
    print(f"start to ready           {engine.ready_after * 1e3:8.0f} ms")
    time.sleep(3)
    print(f"memory, idle             {engine.memory():8.0f} MiB")
    for path in ["/health", "/api/v1/portfolio/pnl", "/api/v1/status"]:
        answered("idle", path, load(args.wrk, engine.port, path, args.seconds))
    engine.end()
    engine.folder.cleanup()


def busy(args):
    engine = Engine(args.tse, LOAD, args.speed, "--durability", "process")
    time.sleep(3)
    with Watch(engine) as alone:
        time.sleep(args.seconds)
    print(f"alone  {alone}", flush=True)
    for path in ["/health", "/api/v1/portfolio/pnl", "/api/v1/status"]:
        with Watch(engine) as beside:
            found = load(args.wrk, engine.port, path, args.seconds)
        answered("busy", path, found)
        print(f"       beside {beside}: p99 is {beside.p99 / alone.p99:.2f} of what it is alone", flush=True)
    print(f"memory, busy             {engine.memory():8.0f} MiB")
    engine.end()
    return engine


def caught_up(args, engine):
    """The rows of what the engine did, made anew from its journal."""
    stores = [("SQLite", {})] + ([("PostgreSQL", {"POSTGRES_URL": args.postgres})] if args.postgres else [])
    for name, variables in stores:
        def tse(*words):
            said = subprocess.run(
                [args.tse, *words, "--json"],
                cwd=engine.folder.name,
                env=environment(**variables),
                capture_output=True,
                text=True,
                check=True,
            )
            return json.loads(said.stdout)["data"]

        if variables:
            tse("migrate")
        begun = time.monotonic()
        data = tse("store", "rebuild", "load")
        took = time.monotonic() - begun
        rows = sum(data["rows"].values()) if isinstance(data["rows"], dict) else data["rows"]
        print(
            f"catch-up, {name:<14} {data['records'] / took:9.0f} records/s, {rows / took:.0f} rows/s "
            f"({data['records']} records, {rows} rows, {took:.1f} s)",
            flush=True,
        )


def powerful(args):
    engine = Engine(args.tse, LOAD, args.speed)
    time.sleep(2)
    with Watch(engine) as seen:
        time.sleep(args.seconds)
    print(f"power  {seen}: as many as this disk lets through, a sync each")
    engine.end()
    engine.folder.cleanup()


def main():
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--tse", required=True)
    words.add_argument("--wrk", required=True)
    words.add_argument("--postgres", help="a database that may be written to")
    words.add_argument("--seconds", type=int, default=10)
    words.add_argument("--speed", type=float, default=5)
    args = words.parse_args()
    idle(args)
    engine = busy(args)
    caught_up(args, engine)
    engine.folder.cleanup()
    powerful(args)


if __name__ == "__main__":
    main()
