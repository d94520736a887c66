"""Stats that are sent to a statsd every flush interval, in datagrams and over a connection of a cluster."""
import collections
import os
import re
import socket
import threading

from rig import HCM, ROUTER, Origin, Proxy, address, cluster, wait_for

LINE = re.compile(r"^([\w.-]+):(\d+)\|(c|g|ms)(?:\|@([\d.]+))?$")


class Statsd:
    """What it was told: counters summed, gauges as they were told last, values of histograms."""

    def __init__(self):
        self.lines, self.counters, self.gauges, self.values = [], collections.Counter(), {}, collections.Counter()
        self.lock = threading.Lock()

    def take(self, line):
        name, value, kind, rate = LINE.match(line).groups()
        with self.lock:
            self.lines.append(line)
            if kind == "c":
                self.counters[name] += int(value)
            elif kind == "g":
                self.gauges[name] = int(value)
            else:
                self.values[name] += round(1 / float(rate or 1))

    def counter(self, name):
        with self.lock:
            return self.counters[name]


class Datagrams(Statsd):
    def __init__(self, where):
        super().__init__()
        family = socket.AF_UNIX if isinstance(where, str) else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.socket.bind(where)
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while data := self.socket.recv(65536):
            self.take(data.decode())


def bootstrap(sink, port, clusters=()):
    manager = {"@type": HCM, "stat_prefix": "in", "http_filters": [ROUTER], "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [
        {"match": {"prefix": "/"}, "direct_response": {"status": 200}}]}]}}
    return {"node": {"id": "node", "cluster": "mesh"}, "stats_flush_interval": "0.2s",
            "stats_sinks": [{"name": "s", "typed_config": {"@type": "type.googleapis.com/envoy.config.metrics.v3.StatsdSink", **sink}}],
            "static_resources": {"clusters": list(clusters), "listeners": [
                {"name": "in", "address": address(port), "filter_chains": [{"filters": [{"name": "hcm", "typed_config": manager}]}]}]}}


def serve(sluice, ports, folder, sink, clusters=()):
    port = ports()
    proxy = Proxy(sluice, ports, str(folder), bootstrap=bootstrap(sink, port, clusters))
    proxy.port = port
    return proxy


def check(proxy, statsd, prefix):
    """Requests are told of once, whenever the flushes come."""
    name = prefix + ".http.in.downstream_rq_total"
    for wanted in (3, 7):
        while proxy.stat("http.in.downstream_rq_total") < wanted:
            assert proxy.get("/")[0] == 200
        assert wait_for(lambda: statsd.counter(name) >= wanted), statsd.lines[-20:]
    assert wait_for(lambda: statsd.values[prefix + ".http.in.downstream_rq_time"] >= 7)
    assert statsd.counter(name) == 7 and statsd.values[prefix + ".http.in.downstream_rq_time"] == 7
    assert statsd.gauges[prefix + ".server.live"] == 1


def test_in_datagrams(sluice, ports, tmp_path):
    number = ports()
    statsd = Datagrams(("127.0.0.1", number))
    proxy = serve(sluice, ports, tmp_path, {"address": {"socket_address": {"protocol": "UDP", "address": "127.0.0.1", "port_value": number}}})
    try:
        check(proxy, statsd, "envoy")
    finally:
        proxy.end()


def test_in_datagrams_of_the_unix_domain(sluice, ports, tmp_path):
    """The kernel's queue of such a socket is short, so that most of a flush may be lost; what comes can be read."""
    statsd = Datagrams(str(tmp_path / "statsd"))
    proxy = serve(sluice, ports, tmp_path, {"address": {"pipe": {"path": str(tmp_path / "statsd")}}})
    try:
        assert wait_for(lambda: len(statsd.lines) >= 10) and all(LINE.match(line) for line in statsd.lines)
    finally:
        proxy.end()


def test_over_a_connection_that_comes_back(sluice, ports, tmp_path):
    statsd, connections = Statsd(), []

    def take(connection):
        connections.append(connection)
        for line in connection.makefile("r", encoding="ascii"):
            statsd.take(line.rstrip("\n"))
    origin = Origin(take)
    proxy = serve(sluice, ports, tmp_path, {"tcp_cluster_name": "statsd", "prefix": "mesh"}, [cluster("statsd", origin.port)])
    try:
        check(proxy, statsd, "mesh")
        assert len(connections) == 1 and proxy.stat("cluster.statsd.upstream_cx_total") == 1
        connections[0].shutdown(socket.SHUT_RDWR)
        assert wait_for(lambda: len(connections) == 2)
        before = statsd.counter("mesh.http.in.downstream_rq_total")
        proxy.get("/")
        assert wait_for(lambda: statsd.counter("mesh.http.in.downstream_rq_total") == before + 1)
    finally:
        proxy.end()
        origin.end()


def test_nobody_is_there(sluice, ports, tmp_path):
    """It costs nothing but the stats, and is found when it comes."""
    number = ports()
    proxy = serve(sluice, ports, tmp_path, {"address": {"socket_address": {"protocol": "UDP", "address": "127.0.0.1", "port_value": number}}})
    try:
        assert proxy.get("/")[0] == 200
        assert wait_for(lambda: proxy.stat("server.uptime") >= 1)
        statsd = Datagrams(("127.0.0.1", number))
        assert wait_for(lambda: statsd.gauges.get("envoy.server.live") == 1)
        assert proxy.process.poll() is None and os.path.exists("/proc/%d" % proxy.process.pid)
    finally:
        proxy.end()
