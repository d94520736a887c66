"""Spans of the proxy in a real OpenTelemetry collector: by gRPC and by HTTP, with the resource and the sampling that are asked for."""
import os
import re
import subprocess

import pytest

import go_module
from runner import die_with_parent
from rig import TYPE, Origin, cluster, read_head, wait_for

VERSION = "v0.165.0"
MODULES = ["go.opentelemetry.io/collector/%s@%s" % one for one in (
    ("otelcol", VERSION), ("receiver/otlpreceiver", VERSION), ("exporter/debugexporter", VERSION), ("service/telemetry", VERSION),
    ("confmap/provider/yamlprovider", "v1.71.0"))] + ["go.uber.org/zap"]
CONFIG = """
receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:%d"}, http: {endpoint: "127.0.0.1:%d"}}}}
exporters: {debug: {verbosity: detailed}}
service:
  pipelines:
    traces: {receivers: [otlp], exporters: [debug]}
    logs: {receivers: [otlp], exporters: [debug]}
"""


class Collector:
    def __init__(self, program, block, folder):
        self.grpc, self.http = block.take(""), block.take("")
        self.log = open(os.path.join(folder, "collector.log"), "w")
        self.process = subprocess.Popen([program, "--config", "yaml:" + CONFIG % (self.grpc, self.http)], stdin=subprocess.DEVNULL,
                                        stdout=self.log, stderr=subprocess.STDOUT, preexec_fn=die_with_parent)
        assert wait_for(lambda: "Everything is ready" in self.text() or self.process.poll() is not None)
        assert self.process.poll() is None, self.text()

    def text(self):
        with open(self.log.name) as f:
            return f.read()

    def spans(self):
        """One text for each span."""
        return re.split(r"\nSpan #", self.text())[1:]

    def end(self):
        self.process.kill()
        self.process.wait()
        self.log.close()


@pytest.fixture(scope="session")
def program():
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "otel_collector/main.go")
    return go_module.build_own("otel_collector-" + VERSION, source, MODULES)


@pytest.fixture
def collector(program, block, tmp_path):
    one = Collector(program, block, str(tmp_path))
    yield one
    one.end()


@pytest.fixture
def origin():
    seen = []

    def serve(connection):
        head, _ = read_head(connection)
        while head:
            seen.append(head.decode().lower())
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello")
            head, _ = read_head(connection)
    one = Origin(serve)
    one.seen = seen
    yield one
    one.end()


def ask(proxy, *fields):
    connection = proxy.connect()
    connection.settimeout(10)
    connection.sendall("\r\n".join(["GET /path?q HTTP/1.1", "host: example.test", *fields, "", ""]).encode())
    assert read_head(connection)[0].startswith(b"HTTP/1.1 200")
    connection.close()


HTTP2 = {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
    "@type": TYPE + "upstreams.http.v3.HttpProtocolOptions", "explicit_http_config": {"http2_protocol_options": {}}}}
PARENT, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.mark.parametrize("over", ["grpc", "http"])
def test_spans_arrive(start, collector, origin, over):
    if over == "grpc":
        made = cluster("collector", collector.grpc, typed_extension_protocol_options=HTTP2)
        service = {"grpc_service": {"envoy_grpc": {"cluster_name": "collector"}, "timeout": "5s"}}
    else:
        made = cluster("collector", collector.http)
        service = {"http_service": {"http_uri": {"uri": "http://127.0.0.1:%d/v1/traces" % collector.http, "cluster": "collector", "timeout": "5s"}}}
    tracer = {"@type": "type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig", "service_name": "front", **service,
              "resource_detectors": [{"name": "s", "typed_config": {
                  "@type": TYPE + "tracers.opentelemetry.resource_detectors.v3.StaticConfigResourceDetectorConfig", "attributes": {"zone": "z1"}}}],
              "sampler": {"name": "p", "typed_config": {
                  "@type": TYPE + "tracers.opentelemetry.samplers.v3.ParentBasedSamplerConfig", "wrapped_sampler": {"name": "a", "typed_config": {
                      "@type": TYPE + "tracers.opentelemetry.samplers.v3.AlwaysOnSamplerConfig"}}}}}
    proxy = start(origin=origin.port, clusters=[made], hcm={"tracing": {
        "spawn_upstream_span": True, "provider": {"name": "o", "typed_config": tracer},
        "custom_tags": [{"tag": "who", "request_header": {"name": "x-who"}}]}})
    ask(proxy, "x-who: somebody")
    ask(proxy, "traceparent: 00-%s-%s-01" % (PARENT, SPAN))
    ask(proxy, "traceparent: 00-%s-%s-00" % ("1" * 32, SPAN))  # its parent is not sampled
    assert wait_for(lambda: len(collector.spans()) >= 4, 15), collector.text()
    text, spans = collector.text(), collector.spans()
    assert len(spans) == 4  # a server's and a client's of each request
    assert "service.name: Str(front)" in text and "zone: Str(z1)" in text
    assert sum("who: Str(somebody)" in span for span in spans) == 1
    assert sum("http.status_code: Str(200)" in span for span in spans) == 4
    ours = [span for span in spans if PARENT in span]
    assert len(ours) == 2 and any(re.search(r"Parent ID\s*: %s" % SPAN, span) for span in ours)
    # What went upstream is the client's span.
    sent = re.search(r"traceparent: 00-%s-(\w{16})-01" % PARENT, "".join(origin.seen)).group(1)
    assert any(re.search(r"\bID\s*: %s" % sent, span) and "Kind           : Client" in span for span in ours), ours
    assert proxy.stat("tracing.opentelemetry.spans_sent") == 4
    assert proxy.stat("tracing.opentelemetry.spans_dropped") == 0
