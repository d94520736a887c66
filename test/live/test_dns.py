"""DNS clusters on a real resolver, against a small DNS server: changes, TTL, failures, truncation, TCP, CNAME, both families."""
import http.client
import json
import socket
import socketserver
import struct
import threading
import time

import pytest

from rig import ROUTER, TYPE, Origin, cluster, read_head, wait_for

A, CNAME, AAAA, TXT = 1, 5, 28, 16


class Zone:
    """A DNS server for names under test.; `names` may be changed at any time: name -> list of (ttl, type, value)."""

    def __init__(self):
        self.names, self.mood, self.asked = {}, "well", []
        zone = self

        class Udp(socketserver.BaseRequestHandler):
            def handle(self):
                question, s = self.request
                answer = zone.answer(question, "udp")
                if answer:
                    s.sendto(answer, self.client_address)

        class Tcp(socketserver.BaseRequestHandler):
            def handle(self):
                while True:
                    head = self.request.recv(2, socket.MSG_WAITALL)
                    if len(head) < 2:
                        return
                    answer = zone.answer(self.request.recv(struct.unpack("!H", head)[0], socket.MSG_WAITALL), "tcp")
                    if answer:
                        self.request.sendall(struct.pack("!H", len(answer)) + answer)
        socketserver.ThreadingTCPServer.allow_reuse_address = True
        self.udp, self.tcp = self.both(Udp, Tcp)
        self.port = self.udp.server_address[1]
        for server in (self.udp, self.tcp):
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()

    @staticmethod
    def both(udp, tcp):
        """Servers on one port; one that is free for UDP may be another's for TCP."""
        for _ in range(20):
            first = socketserver.ThreadingUDPServer(("127.0.0.1", 0), udp)
            try:
                return first, socketserver.ThreadingTCPServer(first.server_address, tcp)
            except OSError:
                first.server_close()
        raise OSError("no port is free for both UDP and TCP")

    def answer(self, question, how):
        at, labels = 12, []
        while question[at]:
            labels.append(question[at + 1:at + 1 + question[at]].decode().lower())
            at += 1 + question[at]
        name, kind = labels[0], struct.unpack("!H", question[at + 1:at + 3])[0]
        asked = question[12:at + 5]
        self.asked.append((name, kind, how))
        if self.mood == "silent":
            return None
        code, records = (2 if self.mood == "servfail" else 0), []
        if not code and name not in self.names:
            code = 3
        while not code:
            for ttl, type_, value in self.names.get(name, []):
                if type_ in (kind, CNAME):
                    records.append(b"\xc0\x0c" if name == labels[0] else b"\x00")
                    data = {A: lambda: socket.inet_aton(value), AAAA: lambda: socket.inet_pton(socket.AF_INET6, value),
                            CNAME: lambda: self.wire(value), TXT: lambda: b"\x01x"}[type_]()
                    records[-1] = (self.wire(name) if name != labels[0] else b"\xc0\x0c") + struct.pack("!HHIH", type_, 1, ttl, len(data)) + data
            aliases = [v for _, t, v in self.names.get(name, []) if t == CNAME]
            if not aliases:
                break
            name = aliases[0]
        body = asked + b"".join(records)
        flags, count = 0x8180 | code, len(records)
        if how == "udp" and len(body) > 500:
            flags, count, body = flags | 0x0200, 0, asked
        return question[:2] + struct.pack("!HHHHH", flags, 1, count, 0, 0) + body

    @staticmethod
    def wire(name):
        return bytes([len(name)]) + name.encode() + b"\x04test\x00"

    def count(self, name, kind=A):
        return sum(1 for n, k, _ in list(self.asked) if (n, k) == (name, kind))

    def set(self, name, *ips, ttl=1):
        self.names[name] = [(ttl, AAAA if ":" in ip else A, ip) for ip in ips]

    def end(self):
        for server in (self.udp, self.tcp):
            server.shutdown()
            server.server_close()


ONCE = {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
    "@type": TYPE + "upstreams.http.v3.HttpProtocolOptions", "common_http_protocol_options": {"max_requests_per_connection": 1},
    "explicit_http_config": {"http_protocol_options": {}}}}


class Bench:
    def __init__(self, zone, start):
        self.zone, self.begin = zone, start
        self.servers, self.origins = [], []
        first = socket.socket()
        first.bind(("127.0.0.1", 0))
        self.port = first.getsockname()[1]
        first.close()
        for i in range(1, 5):
            self.serve("127.0.0.%d" % i)

    def serve(self, ip):
        tag = ip.encode()

        def answer(connection):
            while read_head(connection)[0]:
                connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(tag), tag))
        self.origins.append(Origin(answer, at=(ip, self.port)))

    def start(self, *clusters):
        self.proxy = self.begin(clusters=list(clusters), routes=[{"match": {"prefix": "/%s/" % c["name"]}, "route": {"cluster": c["name"]}} for c in clusters])
        return self.proxy

    def resolver(self, tcp=False):
        return {"name": "cares", "typed_config": {
            "@type": TYPE + "network.dns_resolver.cares.v3.CaresDnsResolverConfig",
            "resolvers": [{"socket_address": {"address": "127.0.0.1", "port_value": self.zone.port}}],
            "query_timeout_seconds": 1, "query_tries": 2,
            "dns_resolver_options": {"use_tcp_for_dns_lookups": tcp, "no_default_search_domain": True}}}

    def dns(self, name, kind="STRICT_DNS", tcp=False, **more):
        out = cluster(name, self.port, type=kind, dns_refresh_rate="0.2s", dns_lookup_family="V4_ONLY", typed_dns_resolver_config=self.resolver(tcp),
                      dns_failure_refresh_rate={"base_interval": "0.2s", "max_interval": "0.5s"}, **more)
        out["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"]["socket_address"]["address"] = name + ".test"
        return out

    def hosts(self, name):
        for status in json.loads(self.proxy.admin("/clusters?format=json")[1])["cluster_statuses"]:
            if status["name"] == name:
                return sorted(h["address"]["socket_address"]["address"] for h in status.get("host_statuses", []))
        return None

    def become(self, name, *ips):
        assert wait_for(lambda: self.hosts(name) == sorted(ips), 10), (self.hosts(name), ips)

    def answers(self, name, count=12):
        return {self.proxy.get("/%s/" % name)[1].decode() for _ in range(count)}


@pytest.fixture
def zone():
    """Another one takes its place in test/interop."""
    one = Zone()
    yield one
    one.end()


@pytest.fixture
def bench(zone, start):
    one = Bench(zone, start)
    yield one
    for origin in one.origins:
        origin.end()


def test_strict_follows_the_records(bench):
    bench.zone.set("many", "127.0.0.1", "127.0.0.2")
    bench.start(bench.dns("many"))
    bench.become("many", "127.0.0.1", "127.0.0.2")
    assert bench.answers("many") == {"127.0.0.1", "127.0.0.2"}
    bench.zone.set("many", "127.0.0.2", "127.0.0.3", "127.0.0.4")
    bench.become("many", "127.0.0.2", "127.0.0.3", "127.0.0.4")
    assert bench.answers("many") == {"127.0.0.2", "127.0.0.3", "127.0.0.4"}
    assert bench.proxy.stat("cluster.many.update_success") > 1


def test_logical_moves_its_one_host(bench):
    bench.zone.set("one", "127.0.0.1", "127.0.0.2")
    bench.start(bench.dns("one", "LOGICAL_DNS", typed_extension_protocol_options=ONCE))
    bench.become("one", "127.0.0.1")
    assert bench.answers("one", 4) == {"127.0.0.1"}
    bench.zone.set("one", "127.0.0.4")
    bench.become("one", "127.0.0.4")
    assert bench.answers("one", 4) == {"127.0.0.4"}


def test_an_alias(bench):
    bench.zone.names["alias"] = [(1, CNAME, "real")]
    bench.zone.set("real", "127.0.0.3")
    bench.start(bench.dns("alias"))
    bench.become("alias", "127.0.0.3")


def test_sixty_addresses_are_asked_for_again_by_tcp(bench):
    ips = ["127.0.2.%d" % i for i in range(1, 61)]
    bench.zone.set("big", *ips)
    bench.start(bench.dns("big"))
    bench.become("big", *ips)
    assert {how for name, _, how in bench.zone.asked if name == "big"} == {"udp", "tcp"}


def test_tcp_only(bench):
    bench.zone.set("tcp", "127.0.0.1")
    bench.start(bench.dns("tcp", tcp=True))
    bench.become("tcp", "127.0.0.1")
    assert {how for _, _, how in bench.zone.asked} == {"tcp"}


def test_families(bench):
    bench.zone.set("both", "127.0.0.1", "::1")
    bench.start({**bench.dns("both"), "dns_lookup_family": "ALL"})
    bench.become("both", "127.0.0.1", "::1")


@pytest.mark.parametrize("how", ["the name", "its addresses"])
def test_what_ends_empties_strict(bench, how):
    bench.zone.set("gone", "127.0.0.1")
    bench.start(bench.dns("gone"))
    bench.become("gone", "127.0.0.1")
    assert bench.proxy.get("/gone/")[0] == 200
    if how == "the name":
        del bench.zone.names["gone"]
    else:
        bench.zone.names["gone"] = [(1, TXT, "x")]
    bench.become("gone")
    assert bench.proxy.get("/gone/")[0] == 503
    bench.zone.set("gone", "127.0.0.2")
    bench.become("gone", "127.0.0.2")
    assert bench.proxy.get("/gone/")[0] == 200


@pytest.mark.parametrize("mood", ["servfail", "silent"])
def test_failure_keeps_the_last_good_hosts(bench, mood):
    bench.zone.set("fail", "127.0.0.1", "127.0.0.2")
    bench.start(bench.dns("fail"))
    bench.become("fail", "127.0.0.1", "127.0.0.2")
    bench.zone.mood = mood
    assert wait_for(lambda: bench.proxy.stat("cluster.fail.update_failure") >= 2, 20)
    assert bench.hosts("fail") == ["127.0.0.1", "127.0.0.2"]
    assert bench.proxy.get("/fail/")[0] == 200
    bench.zone.set("fail", "127.0.0.3")
    bench.zone.mood = "well"
    bench.become("fail", "127.0.0.3")


def test_the_time_to_live_is_the_rate(bench):
    bench.zone.set("ttl", "127.0.0.1", ttl=2)
    bench.start({**bench.dns("ttl", respect_dns_ttl=True), "dns_refresh_rate": "60s"})
    bench.become("ttl", "127.0.0.1")
    before, begun = bench.zone.count("ttl"), time.monotonic()
    time.sleep(5)
    asked = bench.zone.count("ttl") - before
    assert 1 <= asked <= (time.monotonic() - begun) / 2 + 1


def test_a_name_that_comes_later(bench):
    bench.start(bench.dns("late"))
    assert bench.hosts("late") == []
    bench.zone.set("late", "127.0.0.2")
    bench.become("late", "127.0.0.2")


def test_the_forward_proxy_asks_for_what_requests_name(bench):
    """The names come from requests; what is not there is answered, and what moves is followed."""
    cache = {"name": "c", "dns_lookup_family": "V4_ONLY", "dns_refresh_rate": "1s", "host_ttl": "10s", "dns_min_refresh_rate": "1s",
             "typed_dns_resolver_config": bench.resolver()}
    forward = {"name": "forward", "connect_timeout": "1s", "lb_policy": "CLUSTER_PROVIDED", "typed_extension_protocol_options": ONCE,
               "cluster_type": {"name": "envoy.clusters.dynamic_forward_proxy", "typed_config": {
                   "@type": TYPE + "clusters.dynamic_forward_proxy.v3.ClusterConfig", "dns_cache_config": cache,
                   "allow_insecure_cluster_options": True}}}
    filters = [{"name": "forward", "typed_config": {"@type": TYPE + "filters.http.dynamic_forward_proxy.v3.FilterConfig", "dns_cache_config": cache}}, ROUTER]
    bench.zone.set("dfp", "127.0.0.3")
    proxy = bench.begin(clusters=[forward], routes=[{"match": {"prefix": "/"}, "route": {"cluster": "forward"}}], hcm={"http_filters": filters})

    def get(host):
        connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=10)
        try:
            connection.request("GET", "/", headers={"host": "%s.test:%d" % (host, bench.port)})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()
    assert get("dfp") == (200, "127.0.0.3")
    assert get("nosuch")[0] == 503
    bench.zone.set("dfp", "127.0.0.4")
    assert wait_for(lambda: get("dfp") == (200, "127.0.0.4"), 12)
