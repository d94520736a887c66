"""Access logs that go to collectors: each entry says what Envoy says of the same request (log_collectors.json), and a collector
that comes late, goes or stands still costs nothing but entries.

The record is made with Envoy's binary:  RECORD=1 SLUICE=$(tools/peers envoy) pytest test/live/test_log_collectors.py
"""
import json
import os
import re
import socket
import ssl
import time

import pytest
from log_collectors import Collectors, as_dict
from pki import Pki
from rig import HCM, ROUTER, TYPE, Origin, address, cluster, read_head, wait_for

RECORD = os.path.join(os.path.dirname(__file__), "log_collectors.json")
HTTP2 = {"typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
    "@type": TYPE + "upstreams.http.v3.HttpProtocolOptions", "explicit_http_config": {"http2_protocol_options": {}}}}}
# The id that tcp_proxy leaves to the log of its listener.
NOT_SAID = re.compile(r"\.listener\[0\]\.common_properties\.stream_id")
TIMES = re.compile(r"time_unix_nano|start_time|time_to_.*|duration")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.fixture
def collectors():
    one = Collectors()
    yield one
    one.end()


@pytest.fixture
def origin():
    def serve(connection):
        while read_head(connection)[0] is not None:
            time.sleep(0.03)  # two digits, in x-envoy-upstream-service-time
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nx-back: b1\r\nx-back: b2\r\n\r\nhello")
    one = Origin(serve)
    yield one
    one.end()


def als(name, kind="Http", **more):
    common = {"log_name": name, "transport_api_version": "V3", "buffer_flush_interval": "0.1s",
              "grpc_service": {"envoy_grpc": {"cluster_name": "collector"}}, **more.pop("common", {})}
    return {"name": name, "typed_config": {"@type": TYPE + "access_loggers.grpc.v3.%sGrpcAccessLogConfig" % kind,
                                           "common_config": common, **more}}


def otlp(**more):
    return {"name": "otlp", "typed_config": {"@type": TYPE + "access_loggers.open_telemetry.v3.OpenTelemetryAccessLogConfig",
                                             "buffer_flush_interval": "0.1s", **more}}


def text(value):
    return {"string_value": value}


def pairs(**values):
    return {"values": [{"key": key, "value": value} for key, value in values.items()]}


TAGS = [{"tag": "literal", "literal": {"value": "v"}},
        {"tag": "header", "request_header": {"name": "x-one", "default_value": "none"}},
        {"tag": "absent", "request_header": {"name": "x-absent"}},
        {"tag": "environment", "environment": {"name": "NO_SUCH_VARIABLE", "default_value": "e"}},
        {"tag": "metadata", "metadata": {"kind": {"request": {}}, "metadata_key": {"key": "my", "path": [{"key": "a"}]}}}]
FILTERS = [{"name": "metadata", "typed_config": {"@type": TYPE + "filters.http.set_metadata.v3.Config", "metadata": [
               {"metadata_namespace": "my", "value": {"a": "A", "number": 3, "list": [1, None, True]}}]}},
           {"name": "state", "typed_config": {"@type": TYPE + "filters.http.set_filter_state.v3.Config", "on_request_headers": [
               {"object_key": "mine", "factory_key": "envoy.string",
                "format_string": {"text_format_source": {"inline_string": "state %REQ(x-one)%"}}}]}}, ROUTER]
ROUTES = [{"name": "dead", "match": {"prefix": "/dead"}, "route": {"cluster": "dead"}},
          {"match": {"path": "/direct"}, "direct_response": {"status": 200, "body": {"inline_string": "direct"}}},
          {"match": {"prefix": "/"}, "route": {"cluster": "origin"}}]


def listener(name, port, *filters, **more):
    return {"name": name, "address": address(port), "filter_chains": [{"filters": list(filters), **more.pop("chain", {})}], **more}


def manager(logs, **more):
    return {"name": "hcm", "typed_config": {
        "@type": HCM, "stat_prefix": "in", "server_name": "proxy", "access_log": logs, "http_filters": FILTERS,
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": ROUTES}]}, **more}}


def ask(port, request, tls=None):
    """The whole answer, which has a content-length."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
        with tls.wrap_socket(plain, server_hostname="server.test") if tls else plain as connection:
            connection.sendall(request)
            head, body = read_head(connection)
            while len(body) < int(re.search(rb"content-length: (\d+)", head)[1]):
                body += connection.recv(65536)
            return head, body


def plain(value, key=""):
    """Without what is different each time; a moment that is there is 'set'."""
    if isinstance(value, dict):
        return {k: plain(v, k) for k, v in value.items()}
    if isinstance(value, list):
        return [plain(v, key) for v in value]
    if TIMES.fullmatch(key):
        return "set"
    if key == "port_value" and value > 1:
        return "port"
    if key == "tls_session_id":
        return "set"
    return UUID.sub("uuid", value) if isinstance(value, str) else value


def bootstrap(collectors, origin, listeners, *more):
    return {"node": {"id": "n1", "cluster": "c1", "locality": {"region": "r", "zone": "z"}, "metadata": {"k": "v"}},
            "static_resources": {"listeners": listeners, "clusters": [
                cluster("origin", origin.port), cluster("dead", 1), cluster("collector", collectors.port, **HTTP2),
                cluster("otlp", collectors.http_port), *more]}}


def test_entries_say_what_envoys_say(start, ports, collectors, origin, tmp_path):
    pki = Pki(str(tmp_path / "pki")).ensure()
    at, secure, tcp = ports(), ports(), ports()
    fields = {"additional_request_headers_to_log": ["x-one", "x-absent", "X-Two", ":path", "x-bad"],
              "additional_response_headers_to_log": ["x-back", "content-length", ":status"],
              "additional_response_trailers_to_log": ["x-trailer"]}
    http = als("http", common={"filter_state_objects_to_log": ["mine", "other"], "custom_tags": TAGS}, **fields)
    told = otlp(grpc_service={"envoy_grpc": {"cluster_name": "collector"}, "initial_metadata": [{"key": "x-token", "value": "t"}]},
                log_name="records", stat_prefix="mine", resource_attributes=pairs(own=text("%REQ(x-one)%"), number={"int_value": 5}),
                body=text("%REQ(:METHOD)% %RESPONSE_CODE% %REQ(x-absent)%"),
                attributes=pairs(code=text("%RESPONSE_CODE%"), map={"kvlist_value": pairs(k=text("%PROTOCOL%"))},
                                 list={"array_value": {"values": [text("%REQ(x-two)%"), text("as it is")]}},
                                 metadata=text("%DYNAMIC_METADATA(my)%")),
                filter_state_objects_to_log=["mine"], custom_tags=TAGS[:1])
    posted = otlp(http_service={"http_uri": {"uri": "http://logs.test/v1/logs", "cluster": "otlp", "timeout": "1s"}},
                  disable_builtin_labels=True, body=text("%REQ(:PATH)%"))
    tls = {"@type": TYPE + "transport_sockets.tls.v3.DownstreamTlsContext", "common_tls_context": {
        "tls_certificates": [{"certificate_chain": {"filename": pki.dir + "/server.pem"}, "private_key": {"filename": pki.dir + "/server.key"}}],
        "validation_context": {"trusted_ca": {"filename": pki.dir + "/ca.pem"}}}}
    proxy = start(bootstrap=bootstrap(collectors, origin, [
        listener("http", at, manager([http, told, posted])),
        listener("secure", secure, manager([als("secure", common={"custom_tags": []})], access_log_options={"flush_access_log_on_new_request": True}),
                 chain={"transport_socket": {"name": "tls", "typed_config": tls}}),
        listener("tcp", tcp, {"name": "tcp", "typed_config": {"@type": TYPE + "filters.network.tcp_proxy.v3.TcpProxy", "stat_prefix": "t",
                                                              "cluster": "origin", "access_log": [als("tcp", "Tcp")]}},
                 access_log=[als("listener", "Tcp")])]))
    end = b"\r\n"
    ask(at, b"GET /a?q=1 HTTP/1.1\r\nhost: h.test\r\nx-one: 1\r\nx-one: 11\r\nx-two: 2\r\nuser-agent: ua\r\nreferer: http://ref/\r\n"
            b"x-envoy-original-path: /before\r\n" + end)
    assert wait_for(lambda: len(collectors.entries("http")) == 1)
    ask(at, b"POST /dead HTTP/1.1\r\nhost: h.test:80\r\ncontent-length: 3\r\nx-request-id: abc\r\nx-forwarded-for: 9.8.7.6\r\n" + end + b"abc")
    assert wait_for(lambda: len(collectors.entries("http")) == 2)
    ask(at, b"OPTIONS /direct HTTP/1.1\r\nhost: h.test\r\nx-bad: a\xff\xc3\xa4\xe4b\r\n" + end)
    assert wait_for(lambda: len(collectors.entries("http")) == 3)
    client = ssl.create_default_context(cafile=pki.dir + "/ca.pem")
    client.load_cert_chain(pki.dir + "/client.pem", pki.dir + "/client.key")
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    client.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")
    ask(secure, b"GET /b HTTP/1.1\r\nhost: h.test\r\n" + end, client)
    assert wait_for(lambda: len(collectors.entries("secure")) == 2)
    connection = socket.create_connection(("127.0.0.1", tcp))
    connection.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
    assert connection.recv(1000).startswith(b"HTTP/1.1 200")
    connection.close()
    assert wait_for(lambda: len(collectors.entries("tcp")) == 1 and len(collectors.entries("listener")) == 1)
    assert wait_for(lambda: sum(map(records_in, collectors.exports)) == 3 and sum(map(records_in, collectors.posts)) == 3)

    for stream in collectors.streams:  # who we are is said once
        assert [message.HasField("identifier") and bool(message.identifier.log_name) for message in stream] == [True] + [False] * (len(stream) - 1)
    nodes = [as_dict(stream[0])["identifier"]["node"] for stream in collectors.streams]
    got = {name: [plain(as_dict(entry)) for entry in collectors.entries(name)] for name in ("http", "secure", "tcp", "listener")}
    got["node"] = {key: nodes[0].get(key) for key in ("id", "cluster", "locality", "metadata")}
    got["export"] = exported(collectors.exports, ("x-token", "x-envoy-internal"))
    got["post"] = exported(collectors.posts, ("host", "content-type", "x-envoy-internal", "x-envoy-expected-rq-timeout-ms"))
    got["stats"] = {name: proxy.stat("access_logs." + name) for name in (
        "grpc_access_log.logs_dropped", "open_telemetry_access_log.logs_written", "open_telemetry_access_log.mine.logs_written")}
    if os.environ.get("RECORD"):
        with open(RECORD, "w") as f:
            json.dump(got, f, indent=1, sort_keys=True)
    with open(RECORD) as f:
        want = json.load(f)
    found = [one for one in different(got, want) if one[1] is not None or not NOT_SAID.fullmatch(one[0])]
    assert not found, "\n".join("%s: %r, recorded: %r" % one for one in found)


def different(got, want, where=""):
    """Every leaf that is not the same: where, what came, what was recorded."""
    if isinstance(got, dict) and isinstance(want, dict):
        return [line for key in sorted({*got, *want}) for line in different(got.get(key), want.get(key), "%s.%s" % (where, key))]
    if isinstance(got, list) and isinstance(want, list) and len(got) == len(want):
        return [line for i, pair in enumerate(zip(got, want)) for line in different(*pair, "%s[%d]" % (where, i))]
    return [] if got == want else [(where, got, want)]


def records_in(export):
    return sum(len(part.logs if hasattr(part, "logs") else part.log_records) for resource in export[-1].resource_logs
               for part in (resource.instrumentation_library_logs if hasattr(resource, "instrumentation_library_logs") else resource.scope_logs))


def exported(exports, fields):
    """The first one, its fields without those that say nothing; records of all."""
    first = exports[0]
    headers = {key.lower(): value for key, value in first[-2].items()}
    whole = [plain(as_dict(one[-1])) for one in exports]
    for one in whole[1:]:
        assert one["resource_logs"][0].get("resource") == whole[0]["resource_logs"][0].get("resource")
    members = [part for one in whole for resource in one["resource_logs"] for part in next(v for k, v in resource.items() if k != "resource")]
    records = [record for part in members for record in next(iter(part.values()))]
    return {"path": first[0] if len(first) == 3 else "", "fields": {key: headers.get(key) for key in fields},
            "resource": whole[0]["resource_logs"][0].get("resource"), "records": records}


def test_a_collector_that_is_away_costs_entries(start, ports, collectors, origin):
    """Nobody listens at first; then entries arrive again, and those that had no room are counted."""
    at, later = ports(), ports()
    log = als("http", common={"buffer_size_bytes": 2000, "grpc_service": {"envoy_grpc": {"cluster_name": "late"}}})
    proxy = start(bootstrap=bootstrap(collectors, origin, [listener("http", at, manager([log]))], cluster("late", later, **HTTP2)))
    for _ in range(40):
        assert ask(at, b"GET /direct HTTP/1.1\r\nhost: a\r\n\r\n")[1] == b"direct"
    assert wait_for(lambda: proxy.stat("access_logs.grpc_access_log.logs_dropped") > 0)
    arrived = Collectors(later)
    try:
        assert wait_for(lambda: ask(at, b"GET /direct HTTP/1.1\r\nhost: a\r\n\r\n") and arrived.entries("http"))
        assert proxy.alive()
    finally:
        arrived.end()


def test_what_is_detected_stands_in_the_resource(start, ports, collectors, origin):
    """resource_attributes win over detectors, as with Envoy."""
    at = ports()
    detector = {"name": "d", "typed_config": {
        "@type": TYPE + "tracers.opentelemetry.resource_detectors.v3.StaticConfigResourceDetectorConfig",
        "attributes": {"x": "found", "z": "found"}}}
    log = otlp(http_service={"http_uri": {"uri": "http://logs.test/v1/logs", "cluster": "otlp", "timeout": "1s"}}, disable_builtin_labels=True,
               body=text("hello"), resource_attributes=pairs(x=text("fixed"), w=text("fixed")), resource_detectors=[detector])
    start(bootstrap=bootstrap(collectors, origin, [listener("http", at, manager([log]))]))
    assert ask(at, b"GET /direct HTTP/1.1\r\nhost: a\r\n\r\n")[1] == b"direct"
    assert wait_for(lambda: collectors.posts)
    attributes = collectors.posts[0][2].resource_logs[0].resource.attributes
    assert sorted((one.key, one.value.string_value) for one in attributes) == [("w", "fixed"), ("x", "fixed"), ("z", "found")]


def by_library(port, prefix, **more):
    """A service that gRPC's own library calls; it tries again soon."""
    often = {"grpc.initial_reconnect_backoff_ms": {"int_value": 100}, "grpc.max_reconnect_backoff_ms": {"int_value": 100}}
    return {"google_grpc": {"target_uri": "127.0.0.1:%d" % port, "stat_prefix": prefix, "channel_args": {"args": often}}, **more}


def test_by_the_library_of_grpc(start, ports, collectors, origin):
    """Envoy passes it as well (SLUICE=$(tools/peers envoy))."""
    at = ports()
    fields = {"initial_metadata": [{"key": "X-Token", "value": "t"}]}
    logs = [als("one", common={"grpc_service": by_library(collectors.port, "streams", **fields)}),
            als("two", common={"grpc_service": by_library(collectors.port, "streams", **fields)}),
            otlp(grpc_service=by_library(collectors.port, "records", **fields), body=text("%REQ(:PATH)%"))]
    proxy = start(bootstrap=bootstrap(collectors, origin, [listener("http", at, manager(logs))]))
    for number in range(3):
        assert ask(at, b"GET /%d HTTP/1.1\r\nhost: a\r\n\r\n" % number)[1] == b"hello"
        assert wait_for(lambda: len(collectors.entries("one")) == len(collectors.entries("two")) == number + 1 and len(collectors.exports) == number + 1)
    assert [entry.request.path for entry in collectors.entries("two")] == ["/0", "/1", "/2"]
    for metadata, message in collectors.exports:
        assert metadata["x-token"] == "t" and metadata["user-agent"].startswith("grpc-c++/") and records_in((message,)) == 1
    assert (proxy.stat("grpc.streams.streams_total"), proxy.stat("grpc.records.streams_total")) == (2, 3)
    assert wait_for(lambda: proxy.stat("grpc.records.streams_closed_0") == 3)
    assert [proxy.stat("access_logs.grpc_access_log." + name) for name in ("logs_written", "logs_dropped")] == [6, 0]


def test_the_library_of_grpc_finds_a_collector_that_comes_late(start, ports, collectors, origin):
    at, later = ports(), ports()
    log = als("http", common={"buffer_size_bytes": 2000, "grpc_service": by_library(later, "late")})
    proxy = start(bootstrap=bootstrap(collectors, origin, [listener("http", at, manager([log]))]))
    for _ in range(40):
        assert ask(at, b"GET /direct HTTP/1.1\r\nhost: a\r\n\r\n")[1] == b"direct"
    assert wait_for(lambda: proxy.stat("access_logs.grpc_access_log.logs_dropped") > 0 and proxy.stat("grpc.late.streams_closed_14") > 0)
    arrived = Collectors(later)
    try:
        assert wait_for(lambda: ask(at, b"GET /direct HTTP/1.1\r\nhost: a\r\n\r\n") and arrived.entries("http"))
        assert proxy.alive()
    finally:
        arrived.end()
