"""Clients that are not ours speak to `tse run`: a fuzzer of OpenAPI, Python's gRPC, an OTLP receiver.

    clients.py --tse target/release/tse [--promtool promtool] [--examples 30]

An engine is started on free ports in a folder of its own. Each part says `ok` or what is wrong; the exit code is 1
if anything is.
"""

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from concurrent import futures
from pathlib import Path

import grpc
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

ROOT = Path(__file__).resolve().parent.parent
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PATIENCE = 60


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Receiver(trace_service_pb2_grpc.TraceServiceServicer):
    """Takes spans, as a collector does."""

    def __init__(self):
        self.spans = []
        self.resources = []
        self.lock = threading.Lock()

    def Export(self, request, context):
        with self.lock:
            for resource in request.resource_spans:
                self.resources.append(
                    {it.key: it.value.string_value for it in resource.resource.attributes}
                )
                for scope in resource.scope_spans:
                    self.spans.extend(scope.spans)
        return trace_service_pb2.ExportTraceServiceResponse()

    def named(self, wanted):
        with self.lock:
            return [span for span in self.spans if wanted(span)]


def until(what, look):
    """The first answer that is something, or a failure after a while."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"waited in vain until {what}")


def get(url, headers=None):
    request = urllib.request.Request(url, headers=headers or {})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.status, dict(answer.headers), answer.read().decode()


def post(url, body, headers):
    data = json.dumps(body).encode()
    headers = {"content-type": "application/json", **headers}
    request = urllib.request.Request(url, data=data, headers=headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        raise AssertionError(error.read().decode()) from error


def is_ready(base):
    try:
        return get(f"{base}/ready")[0] == 200
    except OSError:
        return False


def health_and_reflection(port):
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        for service in ["", "trading-system-engine", "tse.v1.TradingService", "tse.v1.RiskService"]:
            request = health_pb2.HealthCheckRequest(service=service)
            answer = stub.Check(request, timeout=10)
            assert answer.status == health_pb2.HealthCheckResponse.SERVING, (service, answer)
        database = ProtoReflectionDescriptorDatabase(channel)
        services = set(database.get_services())
        wanted = {"tse.v1.TradingService", "tse.v1.RiskService", "grpc.health.v1.Health"}
        assert wanted <= services, services
        pool = DescriptorPool(database)
        trading = pool.FindServiceByName("tse.v1.TradingService")
        methods = [method.name for method in trading.methods]
        assert "ListActiveStrategies" in methods, methods
    return f"{len(services)} services"


def traces(base, receiver, token):
    parent = f"00-{TRACE}-00f067aa0ba902b7-01"
    get(f"{base}/api/v1/strategies/active", {"traceparent": parent})
    ours = bytes.fromhex(TRACE)
    request = until("the request's span came", lambda: receiver.named(lambda it: it.trace_id == ours))
    assert any("/api/v1/strategies/active" in span.name for span in request), request
    order = until("an order's span came", lambda: receiver.named(lambda it: it.name.startswith("order")))
    assert all(span.end_time_unix_nano >= span.start_time_unix_nano for span in order)
    stored = one_trace(base, receiver, token)
    resource = receiver.resources[0]
    assert resource["service.namespace"] == "trading-ecosystem", resource
    assert resource["service.instance.id"] == "trading-system-engine", resource
    return f"{len(receiver.spans)} spans; request, order and {stored} rows in one trace"


def one_trace(base, receiver, token):
    """A strategy is stopped and what it holds is closed: request, order and rows are one trace."""
    trace = "7c0ffee0000000000000000000000007"

    def held():
        rows = json.loads(get(f"{base}/api/v1/positions/current")[2])["positions"]
        return [row["strategy"] for row in rows]

    strategy = until("a strategy holds something", held)[0]
    body = {"id": strategy, "mode": "flatten", "reason": "one trace"}
    post(
        f"{base}/api/v1/strategies/stop",
        body,
        {
            "traceparent": f"00-{trace}-00f067aa0ba902b7-01",
            "x-correlation-id": "one-trace",
            "authorization": f"Bearer {token}",
        },
    )
    ours = bytes.fromhex(trace)
    rows = until(
        "rows of the closing order were in its trace",
        lambda: receiver.named(lambda it: it.trace_id == ours and it.name == "store order"),
    )
    closing = until(
        "the closing order was in its trace",
        lambda: receiver.named(lambda it: it.trace_id == ours and it.name == "order"),
    )
    request = until(
        "the request was in its trace",
        lambda: receiver.named(lambda it: it.trace_id == ours and "/strategies/stop" in it.name),
    )
    assert {span.parent_span_id for span in closing} == {request[0].span_id}, closing
    assert {span.parent_span_id for span in rows} <= {span.span_id for span in closing}, rows
    for span in closing + rows:
        names = {it.key: it.value.string_value for it in span.attributes}
        assert names["correlation_id"] == "one-trace", names
    return len(rows)


def fuzz(base, examples, python, token):
    """schemathesis over every route, whatever it makes of the description."""
    command = [
        str(Path(python).parent / "schemathesis"),
        "run",
        f"{base}/api/v1/openapi.json",
        "--url",
        base,
        "--header",
        f"Authorization: Bearer {token}",
        "--exclude-path",
        "/api/v1/stream",
        "--checks",
        "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
        "--max-examples",
        str(examples),
        "--seed",
        "7",
        "--no-color",
        "--suppress-health-check",
        "all",
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tempfile.gettempdir())
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    lines = [line.strip() for line in done.stdout.splitlines() if "generated" in line]
    return lines[-1] if lines else "no failure"


def lint(base, promtool):
    text = get(f"{base}/metrics")[2]
    done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True)
    said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    # The ecosystem's dashboards ask for this counter under the name that it has.
    kept = 'trading_risk_circuit_breaker_triggered counter metrics should have "_total" suffix'
    wrong = [line for line in said if line != kept]
    assert not wrong and (said or done.returncode == 0), said
    return f"{sum(not line.startswith('#') for line in text.splitlines())} series"


def main():
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--tse", required=True)
    words.add_argument("--promtool")
    words.add_argument("--examples", type=int, default=30)
    args = words.parse_args()
    receiver = Receiver()
    collector = grpc.server(futures.ThreadPoolExecutor(max_workers=2))
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(receiver, collector)
    otlp = collector.add_insecure_port("127.0.0.1:0")
    collector.start()
    http, calls = free_port(), free_port()
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("TSE_", "OTEL_"))
        }
        environment["OTEL_EXPORTER_ENDPOINT"] = f"http://127.0.0.1:{otlp}"
        engine = subprocess.Popen(
            [args.tse, "run", str(ROOT / "examples/demo.toml"), "--arm", "--speed", "20"]
            + ["--http-port", str(http), "--grpc-port", str(calls)],
            cwd=folder,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        drain = threading.Thread(target=engine.stderr.read, daemon=True)
        drain.start()
        base = f"http://127.0.0.1:{http}"
        try:
            until("the engine is ready", lambda: is_ready(base))
            token = (Path(folder) / "state/demo/token").read_text().strip()
            parts = [
                ("grpc health, reflection", lambda: health_and_reflection(calls)),
                ("otlp", lambda: traces(base, receiver, token)),
            ]
            if args.promtool:
                parts.append(("promtool check metrics", lambda: lint(base, args.promtool)))
            parts.append(
                ("schemathesis", lambda: fuzz(base, args.examples, sys.executable, token))
            )
            for name, act in parts:
                try:
                    print(f"  ok   {name:<24} {act()}", flush=True)
                except Exception as error:  # noqa: BLE001: whatever went wrong is what is to be told
                    bad += 1
                    print(f"  MISS {name:<24} {error}", flush=True)
            if engine.poll() is not None:
                bad += 1
                print("  MISS the engine has ended", flush=True)
            engine.send_signal(signal.SIGTERM)
            code = engine.wait(timeout=PATIENCE)
            if code != 0:
                bad += 1
                print(f"  MISS it ended with {code}", flush=True)
        finally:
            engine.kill()
            collector.stop(0)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
