"""A proxy in front of origins, from outside: what it answers, and what it costs by /proc."""
import http.client
import json
import os
import resource
import signal
import socket
import subprocess
import threading
import time

import yaml

from proc import cpu_seconds, owned, small_pages
from runner import die_with_parent

TYPE = "type.googleapis.com/envoy.extensions."
HCM = TYPE + "filters.network.http_connection_manager.v3.HttpConnectionManager"
ROUTER = {"name": "router", "typed_config": {"@type": TYPE + "filters.http.router.v3.Router"}}


def address(port, host="127.0.0.1"):
    return {"socket_address": {"address": host, "port_value": port}}


def cluster(name, port, **more):
    return {"name": name, "connect_timeout": "2s",
            "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address(port)}}]}]}, **more}


def tls_listener(context):
    """What Proxy takes as `listener`: TLS with the fields of that DownstreamTlsContext, and 200 for every request."""
    manager = {"@type": HCM, "stat_prefix": "in", "http_filters": [ROUTER], "route_config": {"virtual_hosts": [{
        "name": "all", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "direct_response": {"status": 200}}]}]}}
    socket = {"name": "tls", "typed_config": {"@type": TYPE + "transport_sockets.tls.v3.DownstreamTlsContext", **context}}
    return {"stat_prefix": "in", "filter_chains": [{"filters": [{"name": "hcm", "typed_config": manager}], "transport_socket": socket}]}


def wait_for(condition, seconds=20):
    """The first value of condition() that counts as true; the last one when none came in time."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value or time.monotonic() > end:
            return value
        time.sleep(0.02)


def at_best(measure, limit, tries=5):
    """The least that measure() gives in so many tries, or the first within the limit: other work on the machine only adds to a time."""
    least = measure()
    while least > limit and tries > 1:
        least, tries = min(least, measure()), tries - 1
    return least


class Proxy:
    """Routes: "/" to the cluster `origin` (its port is given) without a time limit, "/direct" answers by itself.
    A `bootstrap` takes the place of all this; only the admin server is added."""

    def __init__(self, binary, ports, folder, origin=None, clusters=(), routes=(), hcm=None, listener=None, args=(), files=None,
                 bootstrap=None, patience=20):
        self.port, self.admin_port = ports(), ports()
        clusters = list(clusters) + ([cluster("origin", origin, per_connection_buffer_limit_bytes=32768)] if origin else [])
        last = {"match": {"prefix": "/"}, "route": {"cluster": "origin", "timeout": "0s"}} if origin else None
        direct = {"match": {"path": "/direct"}, "direct_response": {"status": 200, "body": {"inline_string": "direct"}}}
        manager = {"@type": HCM, "stat_prefix": "in", "http_filters": [ROUTER],
                   "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"],
                                                       "routes": [r for r in [*routes, direct, last] if r]}]}, **(hcm or {})}
        config = {"node": {"id": "proxy", "cluster": "live"}, "admin": {"address": address(self.admin_port)},
                  "static_resources": {"clusters": clusters,
                                       "listeners": [{"name": "in", "address": address(self.port), "per_connection_buffer_limit_bytes": 32768,
                                                      "filter_chains": [{"filters": [{"name": "hcm", "typed_config": manager}]}], **(listener or {})}]}}
        if bootstrap:
            config = {"admin": config["admin"], **bootstrap}
        path = os.path.join(folder, "proxy-%d.yaml" % self.port)
        with open(path, "w") as f:
            yaml.safe_dump(config, f)
        self.log = open(os.path.join(folder, "proxy-%d.log" % self.port), "w")

        def before():
            die_with_parent()
            small_pages()
            if files:
                resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
        self.process = subprocess.Popen([binary, "-c", path, "--concurrency", "1", *args], stdin=subprocess.DEVNULL, stdout=self.log,
                                        stderr=subprocess.STDOUT, preexec_fn=before)
        assert wait_for(self.ready, patience), open(self.log.name).read()

    def ready(self):
        try:
            return self.process.poll() is None and self.admin("/ready")[0] == 200
        except OSError:
            return False

    def admin(self, path, method="GET"):
        connection = http.client.HTTPConnection("127.0.0.1", self.admin_port, timeout=10)
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def stat(self, name):
        for line in self.admin("/stats?filter=^%s$" % name)[1].splitlines():
            if line.startswith(name + ": "):
                return int(line.split(": ")[1])
        return 0

    def owners(self):
        """Bytes of our accounts by name."""
        return {k: int(v) for k, v in json.loads(self.admin("/memory")[1])["owners"].items()}

    def get(self, path="/direct", timeout=10):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def connect(self, receive=0):
        s = socket.socket()
        if receive:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
        s.connect(("127.0.0.1", self.port))
        return s

    def owned(self):
        """Bytes of memory that only it holds (proc.owned)."""
        return owned(self.process.pid)

    def descriptors(self):
        return len(os.listdir("/proc/%d/fd" % self.process.pid))

    def cpu(self, seconds):
        """The share of one CPU that it takes during the next seconds."""
        before, begun = cpu_seconds(self.process.pid), time.monotonic()
        time.sleep(seconds)
        return (cpu_seconds(self.process.pid) - before) / (time.monotonic() - begun)

    def rests(self, share, seconds=1):
        """True once it took no more than that share of one CPU for so long. Who spins never does; who is only slow, or finishes
        something, gets there."""
        return wait_for(lambda: self.cpu(seconds) <= share)

    def alive(self):
        return self.process.poll() is None

    def signal(self, number):
        self.process.send_signal(number)

    def end(self):
        if self.alive():
            self.process.kill()
        self.process.wait()
        self.log.close()


class Origin:
    """Listens, and gives every connection to `serve(socket)` on a thread of its own with a small stack."""

    def __init__(self, serve, send=0, receive=0, backlog=4096, at=("127.0.0.1", 0)):
        threading.stack_size(256 * 1024)
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        for option, size in ((socket.SO_SNDBUF, send), (socket.SO_RCVBUF, receive)):
            if size:
                self.socket.setsockopt(socket.SOL_SOCKET, option, size)  # accepted ones have it from the start
        self.socket.bind(at)
        self.socket.listen(backlog)
        self.port = self.socket.getsockname()[1]
        self.serve, self.open = serve, set()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.open.add(connection)
            threading.Thread(target=self.run, args=(connection,), daemon=True).start()

    def run(self, connection):
        try:
            self.serve(connection)
        except OSError:
            pass
        finally:
            self.open.discard(connection)
            connection.close()

    def end(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        for connection in list(self.open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def read_head(connection):
    """Bytes up to the empty line, and what came after it."""
    got = b""
    while b"\r\n\r\n" not in got:
        piece = connection.recv(65536)
        if not piece:
            return None, b""
        got += piece
    head, rest = got.split(b"\r\n\r\n", 1)
    return head, rest


class Client(threading.Thread):
    """Sends one request after another. A connection that is told to close, or that ends between two requests, is given up;
    with `again` a new one takes its place, else that was it."""

    def __init__(self, connect, again):
        super().__init__(daemon=True)
        self.connect, self.again, self.over = connect, again, threading.Event()
        self.answered, self.closed, self.lost = 0, 0, []
        self.start()

    def run(self):
        while not self.over.is_set():
            try:
                connection = self.connect()
            except ConnectionRefusedError:
                return
            connection.settimeout(20)
            told = self.use(connection)
            connection.close()
            if not told or not self.again:
                return

    def use(self, connection):
        """True when it was told to close."""
        while not self.over.is_set():
            try:
                connection.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
                head, body = read_head(connection)
                while head and len(body) < 5:
                    body += connection.recv(5)
            except OSError as error:
                head, body = None, error
            if not head or not head.startswith(b"HTTP/1.1 200") or body != b"hello":
                self.lost.append((head, body))
                return False
            self.answered += 1
            if b"connection: close" in head.lower():
                self.closed += 1
                return True
        return False


def lost(clients):
    return [one for client in clients for one in client.lost]
