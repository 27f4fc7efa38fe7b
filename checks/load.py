"""How fast a service answers while its engine trades, and what that costs the engine.

    load.py --tse target/release/tse --wrk wrk [--seconds 10] [--speed 800]

Prints, and judges nothing: from start to ready, memory, orders a second, requests a second with their p99 while the
engine trades, and how many market events a second the engine takes as fast as it can, with and without that load.
"""

import argparse
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Engine:
    """`tse run` on free ports in a folder of its own."""

    def __init__(self, tse, speed, *more):
        self.folder = tempfile.TemporaryDirectory()
        self.port = free_port()
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TSE_")}
        environment["LOG_LEVEL"] = "WARNING"
        begun = time.monotonic()
        self.process = subprocess.Popen(
            [tse, "run", str(ROOT / "examples/demo.toml"), "--arm", "--quiet", "--speed", str(speed)]
            + ["--http-port", str(self.port), "--grpc-port", str(free_port()), *more],
            cwd=self.folder.name,
            env=environment,
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

    def rate(self, key, seconds):
        before, begun = self.status()[key], time.monotonic()
        time.sleep(seconds)
        return (self.status()[key] - before) / (time.monotonic() - begun)

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.folder.cleanup()


def load(wrk, port, path, seconds):
    """Requests a second and their p99 in milliseconds."""
    command = [wrk, "-t1", "-c16", f"-d{seconds}s", "--latency", f"http://127.0.0.1:{port}{path}"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1))
    number, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", text).groups()
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    return rate, float(number) * {"us": 1e-3, "ms": 1.0, "s": 1e3}[unit], int(bad.group(1)) if bad else 0


def main():
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--tse", required=True)
    words.add_argument("--wrk", required=True)
    words.add_argument("--seconds", type=int, default=10)
    words.add_argument("--speed", type=float, default=800)
    args = words.parse_args()
    idle = Engine(args.tse, 1)
    print(f"start to ready           {idle.ready_after * 1e3:8.0f} ms")
    time.sleep(3)
    print(f"memory, idle             {idle.memory():8.0f} MiB")
    for path in ["/health", "/api/v1/portfolio/pnl", "/api/v1/status"]:
        rate, late, bad = load(args.wrk, idle.port, path, args.seconds)
        print(f"idle   {path:<24} {rate:9.0f} requests/s, p99 {late:.2f} ms, {bad} refused")
    idle.end()
    busy = Engine(args.tse, args.speed)
    time.sleep(3)
    print(f"busy   orders            {busy.rate('sent', args.seconds):9.0f} /s without requests")
    for path in ["/health", "/api/v1/portfolio/pnl", "/api/v1/status"]:
        before, begun = busy.status()["sent"], time.monotonic()
        rate, late, bad = load(args.wrk, busy.port, path, args.seconds)
        orders = (busy.status()["sent"] - before) / (time.monotonic() - begun)
        print(
            f"busy   {path:<24} {rate:9.0f} requests/s, p99 {late:.2f} ms, {bad} refused, "
            f"beside {orders:.0f} orders/s"
        )
    print(f"memory, busy             {busy.memory():8.0f} MiB")
    busy.end()


if __name__ == "__main__":
    main()
