"""Zero failed requests: clusters, endpoints, routes, listeners and certificates come, change and go a hundred times in a second
while requests run (HTTP/1, HTTP/2, TLS; wrk and h2load where they are installed), bad ones are among them, and the control plane
dies and comes back.

ZERO_FAILED_SECONDS sets how long (4 by default for each protocol; 60 is the long form: ten deaths, and memory within 5 %).
"""
import itertools
import os
import re
import shutil
import socket
import ssl
import subprocess
import time

import pytest

from pki import Pki
from plane_rig import API, bootstrap, cluster, endpoints, listener, routes, secret
from rig import HCM, ROUTER, TYPE, Client, Proxy, address, lost, wait_for

SECONDS = float(os.environ.get("ZERO_FAILED_SECONDS", "4"))
LONG = SECONDS >= 60
CHANGES = 60                    # at least, however slow the machine is
PACE = 0.01                     # seconds from one change to the next
DEATHS = 10 if LONG else 2      # of the control plane
# What the proxy may have more than after the first changes: a share of it in the long form, in bytes in the short one, where it
# has not met all kinds of change by then.
GROWTH = 0.05 if LONG else 16 * 1024 * 1024
ORIGINS = 4


@pytest.fixture
def origins(start, ports):
    """Ports of one process that answers by itself."""
    listening = [ports() for _ in range(ORIGINS)]
    hello = {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [
        {"match": {"prefix": "/"}, "direct_response": {"status": 200, "body": {"inline_string": "hello"}}}]}]}
    start(bootstrap={"static_resources": {"listeners": [
        {"name": str(port), "address": address(port), "filter_chains": [{"filters": [{"name": "hcm", "typed_config": {
            "@type": HCM, "stat_prefix": "origin", "route_config": hello, "http_filters": [ROUTER]}}]}]} for port in listening]}})
    return listening


class Updates:
    """What the control plane is told, one change after another. Each leaves a world in which every request has an answer."""

    def __init__(self, plane, listening, origins, pki, log):
        self.plane, self.ports, self.origins, self.pki = plane, listening, origins, pki
        self.log = {"name": "failed", "filter": {"status_code_filter": {"comparison": {
            "op": "GE", "value": {"default_value": 400, "runtime_key": "none"}}}}, "typed_config": {
            "@type": TYPE + "access_loggers.file.v3.FileAccessLog", "path": log, "log_format": {"text_format_source": {
                "inline_string": "%START_TIME% %RESPONSE_CODE% %RESPONSE_CODE_DETAILS% %UPSTREAM_CLUSTER% %ROUTE_NAME%\n"}}}}
        self.number, self.bad = 0, 0
        self.turns = itertools.cycle([self.routes, self.endpoints, self.clusters, self.endpoints, self.bad_cluster, self.routes,
                                      self.moved, self.bad_file, self.endpoints, self.listeners, self.secret, self.good_again])
        self.weights = {"a": 50, "b": 50}
        self.moved_to = "m0"
        self.clusters()
        self.routes()
        self.endpoints()
        self.listeners()
        self.secret()

    def next(self):
        self.number += 1
        next(self.turns)()

    def routes(self):
        self.weights = {"a": 10 + self.number % 80, "b": 90 - self.number % 80}
        self.moved()

    def endpoints(self):
        first = self.number % ORIGINS
        some = [self.origins[(first + i) % ORIGINS] for i in range(1 + self.number % (ORIGINS - 1))]
        self.plane.put("endpoints", endpoints("a", some), endpoints("b", some[::-1]))

    def clusters(self):
        """Both are others, and warm again."""
        self.plane.put("clusters", cluster("a", connect_timeout="%.3fs" % (2 + self.number / 1000)),
                       cluster("b", lb_policy="RANDOM" if self.number // 12 % 2 else "ROUND_ROBIN"))

    def moved(self):
        """A cluster that traffic goes to is replaced by one of another name, and goes, all in one change."""
        self.moved_to = "m%d" % self.number
        self.plane.put("routes", routes("main", {**self.weights, self.moved_to: 20}), cluster(self.moved_to),
                       endpoints(self.moved_to, self.origins[:2]))

    def listeners(self):
        """Filter chains are others: connections are told to go. One listener goes, and another one comes on its port. The sockets
        stay."""
        more = {"stream_idle_timeout": "%ds" % (300 + self.number), "access_log": [self.log]}
        plain, tls, renamed = self.ports
        self.plane.put("listeners", listener("plain", plain, "main", hcm=more), listener("tls", tls, "main", secret="own", hcm=more),
                       listener("renamed-%d" % self.number, renamed, "main", hcm=more))

    def secret(self):
        name = ("server", "server2")[self.number // 12 % 2]     # there are twelve turns
        self.plane.put("secrets", secret("own", self.pki.path(name + ".pem"), self.pki.path(name + ".key")))

    def bad_cluster(self):
        """The proxy refuses it."""
        self.bad += 1
        self.plane.put("bad", {"@type": API + "config.cluster.v3.Cluster", "name": "bad", "connect_timeout": "%ds" % self.bad,
                               "lb_policy": "LOAD_BALANCING_POLICY_CONFIG"})

    def bad_file(self):
        """The control plane refuses it, and so everything until it is good again."""
        self.plane.write("bad", '{"resources": [{"@type": "%sconfig.cluster.v3.Cluster", "name": ' % API)

    def good_again(self):
        self.plane.put("bad")

    def settle(self):
        """Until the proxy has all that was written before this, in force."""
        def version():
            return self.plane.status()["everybody"]["RTDS"]["version"]
        before = version()
        self.good_again()
        self.plane.put("marker", {"@type": API + "service.runtime.v3.Runtime", "name": "nobody asks for it", "layer": {"n": self.number}})

        def done():
            return version() != before and (self.plane.client() or {}).get("in_force")
        assert wait_for(done, 30), self.plane.status()


def tls_connection(port):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(socket.create_connection(("127.0.0.1", port)))


class OneRequestEach(Client):
    """A new connection for each request."""

    def use(self, connection):
        before = self.answered
        super().use(OnlyOne(connection, self))
        return self.answered > before


class OnlyOne:
    """A connection on which the second request is not sent."""

    def __init__(self, connection, client):
        self.connection, self.client, self.sent = connection, client, False

    def sendall(self, data):
        self.connection.sendall(data.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"))

    def recv(self, size):
        return self.connection.recv(size)


@pytest.mark.parametrize("api_type", ["GRPC", "DELTA_GRPC"])
def test_zero_failed_requests(plane, origins, sluice, ports, tmp_path, api_type):
    pki = Pki(str(tmp_path / "pki")).ensure()
    listening = ports(), ports(), ports()
    updates = Updates(plane, listening, origins, pki, str(tmp_path / "failed.log"))
    plane.start()
    proxy = Proxy(sluice, ports, str(tmp_path), bootstrap=bootstrap(plane, api_type),
                  args=["--drain-time-s", "1", "--drain-strategy", "immediate"])
    try:
        run(plane, proxy, updates, *listening)
    finally:
        proxy.end()


def failures(proxy, updates):
    """For the message of a failure: what the proxy says of it."""
    proxy.admin("/reopen_logs", "POST")
    wait_for(lambda: os.path.getsize(updates.log["typed_config"]["path"]) > 0, 3)
    with open(updates.log["typed_config"]["path"]) as f:
        return f.read()


def moved_from(proxy):
    """The clusters of which traffic was moved away, and the last one, as far as there are stats of them."""
    return set(re.findall(r"^cluster\.(m\d+)\.", proxy.admin("/stats?filter=^cluster\\.m")[1], re.MULTILINE))


def load(program, *words):
    return shutil.which(program) and subprocess.Popen([program, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def run(plane, proxy, updates, port, tls_port, renamed_port):
    clients = [Client(lambda: socket.create_connection(("127.0.0.1", port)), again=True) for _ in range(4)]
    clients += [Client(lambda: socket.create_connection(("127.0.0.1", renamed_port)), again=True) for _ in range(2)]
    clients += [OneRequestEach(lambda: tls_connection(tls_port), again=True) for _ in range(2)]
    wrk = load("wrk", "-t1", "-c10", "-d%ds" % (SECONDS + 2), "--timeout", "10", "http://127.0.0.1:%d/" % port)
    h2load = load("h2load", "-t1", "-c4", "-m4", "-D%d" % (SECONDS + 2), "http://127.0.0.1:%d/" % port)
    assert wait_for(lambda: all(client.answered > 5 for client in clients), 30), lost(clients)

    owned, begun, deaths = None, time.monotonic(), 0
    due = begun
    while time.monotonic() - begun < SECONDS or updates.number < CHANGES:
        if deaths < DEATHS and (time.monotonic() - begun) / SECONDS > (deaths + 1) / (DEATHS + 1):
            deaths += 1
            if not plane.client()["protocol"] == "delta":
                # After a restart nobody knows what a SotW client holds: what it was still to move away from would be gone.
                updates.settle()
            plane.kill()
            for _ in range(3):                     # the world goes on without it
                updates.endpoints()
                updates.clusters()
            updates.good_again()
            plane.start()
            assert wait_for(plane.client, 30), "the proxy did not come back"
        updates.next()
        due = max(due + PACE, time.monotonic())
        time.sleep(max(0, due - time.monotonic()))
        if owned is None and time.monotonic() - begun > SECONDS / 4:
            owned = proxy.owned()
    updates.settle()

    answered = sum(client.answered for client in clients)
    assert all(client.is_alive() for client in clients), lost(clients)
    for client in clients:
        client.over.set()
        client.join(20)
    assert not lost(clients), failures(proxy, updates)
    if wrk:
        text = wrk.communicate(timeout=60)[0]
        assert "Socket errors" not in text and "Non-2xx" not in text, (text, failures(proxy, updates))
    if h2load:
        report = h2load.communicate(timeout=60)[0]
        print(report)
        assert re.search(r" 0 failed, 0 errored, 0 timeout", report), (report, failures(proxy, updates))
    now = proxy.owned()
    print("%d changes, %d requests, %d deaths; memory %.1f -> %.1f MB" % (updates.number, answered, deaths, owned / 1e6, now / 1e6),
          text.splitlines()[-2:] if wrk else "")

    # It was what it is meant to be: changes arrived, bad ones were refused, and the last of each is in force.
    for name, least in (("cluster_manager.cds", 5), ("listener_manager.lds", 3), ("http.plain.rds.main", 5), ("sds.own", 3)):
        assert proxy.stat(name + ".update_success") >= least, name
    assert proxy.stat("cluster_manager.cds.update_rejected") > 0
    assert deaths == DEATHS
    dump = proxy.admin("/config_dump?include_eds")[1]
    assert '"%s"' % updates.moved_to in dump
    # Nothing of all that came and went is left.
    assert wait_for(lambda: proxy.stat("cluster_manager.active_clusters") == 4, 10)      # xds, a, b and the one that was moved to last
    assert proxy.stat("cluster_manager.warming_clusters") == 0
    assert wait_for(lambda: proxy.stat("listener_manager.total_filter_chains_draining") == 0, 10)
    assert wait_for(lambda: moved_from(proxy) == {updates.moved_to}, 20), moved_from(proxy)
    now = proxy.owned()
    assert now - owned < (owned * GROWTH if LONG else GROWTH), (owned, now)
