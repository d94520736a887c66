"""What a real istiod sent to three kinds of pod, served by tools/control_plane to a proxy with the pod's own bootstrap: it carries
requests. In a network namespace of its own, where istiod's addresses and ports are free.

The data are others' and stand beside this repository (../shared/cases/istio, or below $SLUICE_CORPORA); without them, or without the
right to make a namespace, the tests are skipped. One thing is changed: nothing redirects connections here (iptables does in a pod),
so listeners that wait for redirected ones listen themselves. What can only be reached by redirection is in place, and gets no request.
"""
import contextlib
import ctypes
import http.client
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys

import pytest

from plane_rig import API, secret
from rig import HCM, ROUTER, TYPE, address, wait_for
from runner import die_with_parent

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
DATA = os.path.join(os.environ.get("SLUICE_CORPORA", os.path.join(ROOT, "../shared/cases")), "istio")
CLONE_NEWNET = 0x40000000
MESH = ("10.77.0.12", "10.77.0.13")     # endpoints that want mutual TLS
OUTSIDE = "10.77.0.30"                  # one that does not
ADDRESSES = (*MESH, OUTSIDE, "10.77.0.11", "10.78.0.10", "10.78.0.20", "10.78.0.21")
PROBE = 18888                           # a listener of ours: /N goes to the N-th cluster
REDIRECTED = ("virtualInbound", "virtualOutbound")


@pytest.fixture
def namespace():
    """This thread, and what it starts, is in a network of its own, whose only interface has istiod's addresses."""
    if not os.path.isdir(DATA):
        pytest.skip("there is no %s" % os.path.relpath(DATA))
    libc = ctypes.CDLL(None, use_errno=True)
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    if not shutil.which("ip") or libc.unshare(CLONE_NEWNET):
        os.close(home)
        pytest.skip("no network namespace can be made")
    try:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        for one in ADDRESSES:
            subprocess.run(["ip", "addr", "add", one + "/32", "dev", "lo"], check=True)
        yield
    finally:
        libc.setns(home, CLONE_NEWNET)
        os.close(home)


def not_yet(pod):
    """Names of listeners that are refused, with the reason."""
    with open(os.path.join(ROOT, "test/conformance/istio/not_yet.txt")) as f:
        rows = [line.split(None, 3) for line in f if line.strip() and not line.startswith("#")]
    return {row[2]: row[3].strip() for row in rows if row[:2] == [pod, "listener"]}


def resources(pod):
    """(clusters, endpoints, listeners, tables) of its /config_dump."""
    with open(os.path.join(DATA, pod + ".config_dump.json")) as f:
        parts = json.load(f)["configs"]

    def every(key):
        return [one for part in parts for one in part.get(key, [])]
    clusters = [x["cluster"] for x in every("dynamic_active_clusters")]
    eds = {c.get("eds_cluster_config", {}).get("service_name", c["name"]) for c in clusters if c.get("type") == "EDS"}
    endpoints = [x["endpoint_config"] for x in every("dynamic_endpoint_configs") if x["endpoint_config"].get("cluster_name") in eds]
    listeners = [x["active_state"]["listener"] for x in every("dynamic_listeners")]
    for one in listeners:
        one.pop("bind_to_port", None)
    return clusters, endpoints, listeners, [x["route_config"] for x in every("dynamic_route_configs")]


class Certificates:
    def __init__(self, folder):
        self.folder = folder
        self.make("ca", None, "basicConstraints=critical,CA:TRUE")
        self.make("echo", "ca", "subjectAltName=URI:spiffe://cluster.local/ns/demo/sa/echo")
        self.make("client", "ca", "subjectAltName=URI:spiffe://cluster.local/ns/demo/sa/client")
        self.make("shop", "ca", "subjectAltName=DNS:shop.example.test,DNS:files.example.test")

    def path(self, name):
        return os.path.join(self.folder, name)

    def make(self, name, issuer, extension):
        signed = ["-CA", self.path(issuer + ".pem"), "-CAkey", self.path(issuer + ".key")] if issuer else []
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=" + name,
                        "-addext", extension, "-keyout", self.path(name + ".key"), "-out", self.path(name + ".pem"), *signed],
                       check=True, capture_output=True)

    def trust(self, name):
        with open(self.path("ca.pem")) as f:
            return {"@type": TYPE + "transport_sockets.tls.v3.Secret", "name": name,
                    "validation_context": {"trusted_ca": {"inline_string": f.read()}}}

    def own(self, name, leaf):
        return secret(name, self.path(leaf + ".pem"), self.path(leaf + ".key"))


def origin_bootstrap(endpoints, certificates):
    """Answers "hello" on all endpoints."""
    wanted = {(a["address"], a["port_value"]) for e in endpoints for group in e.get("endpoints", []) for one in group["lb_endpoints"]
              for a in [one["endpoint"]["address"]["socket_address"]]} | {(OUTSIDE, 8080)}
    table = {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [
        {"match": {"prefix": "/"}, "direct_response": {"status": 200, "body": {"inline_string": "hello"}}}]}]}
    listeners = []
    for ip, port in sorted(wanted):
        chain = {"filters": [{"name": "hcm", "typed_config": {"@type": HCM, "stat_prefix": "origin", "route_config": table, "http_filters": [ROUTER]}}]}
        if ip in MESH or port == 8443:
            leaf = "echo" if ip in MESH else "shop"
            common = {"tls_certificates": [{"certificate_chain": {"filename": certificates.path(leaf + ".pem")},
                                            "private_key": {"filename": certificates.path(leaf + ".key")}}]}
            if ip in MESH:
                common["validation_context"] = {"trusted_ca": {"filename": certificates.path("ca.pem")}}
            chain["transport_socket"] = {"name": "tls", "typed_config": {
                "@type": TYPE + "transport_sockets.tls.v3.DownstreamTlsContext", "common_tls_context": common,
                "require_client_certificate": ip in MESH}}
        one = {"name": "%s:%d" % (ip, port), "address": address(port, ip), "filter_chains": [chain]}
        if ip not in MESH and "transport_socket" in chain:      # some clusters leave TLS to the client
            one["listener_filters"] = [{"name": "tls", "typed_config": {"@type": TYPE + "filters.listener.tls_inspector.v3.TlsInspector"}}]
            one["filter_chains"] = [{**chain, "filter_chain_match": {"transport_protocol": "tls"}}, {"filters": chain["filters"]}]
        listeners.append(one)
    return {"static_resources": {"listeners": listeners}}


class Pod:
    """Its proxy, its control plane, its agent's secrets, and the origins of the mesh."""

    def __init__(self, name, sluice, folder):
        self.name, self.folder, self.running = name, folder, []
        self.sluice, self.plane = sluice, os.path.join(os.path.dirname(sluice), "control_plane")
        self.clusters, self.endpoints, self.listeners, self.tables = resources(name)
        certificates = Certificates(folder)
        with open(os.path.join(DATA, name + ".bootstrap.json")) as f:
            text = f.read()
        for place in ("etc/istio/proxy", "var/run/secrets/workload-spiffe-uds", "resources", "secrets"):
            os.makedirs(self.path(place))
        self.write("etc/istio/proxy/envoy-rev.json", text)
        self.serve("resources/clusters.json", self.clusters + self.endpoints)
        self.serve("resources/listeners.json", self.listeners + self.tables + [self.probe()])
        done = subprocess.run([self.plane, "--check", self.path("resources")], capture_output=True, text=True)
        if done.returncode:
            # A message that this build does not know at all, so neither does the control plane: it says so by name as well.
            assert any(why in done.stderr for why in not_yet(name).values()), done.stderr
            self.listeners = [x for x in self.listeners if x["name"] not in not_yet(name)]
            self.serve("resources/listeners.json", self.listeners + self.tables + [self.probe()])
        wanted = set(re.findall(r'"name": "((?:file-root|file-cert):[^"]*)"', json.dumps([self.clusters, self.listeners])))
        self.serve("secrets/all.json", [certificates.own("default", "client"), certificates.trust("ROOTCA")] + [
            certificates.trust(one) if one.startswith("file-root") else certificates.own(one, "shop") for one in sorted(wanted)])
        self.write("origin.json", json.dumps(origin_bootstrap(self.endpoints, certificates)))

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w") as f:
            f.write(text)

    def serve(self, name, some):
        self.write(name, json.dumps({"resources": some}))

    def probe(self):
        """N -> the N-th cluster."""
        routes = [{"match": {"path": "/%d" % i}, "route": {"cluster": c["name"], "auto_host_rewrite": False}} for i, c in enumerate(self.clusters)]
        table = {"name": "probe", "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]}
        return {"@type": API + "config.listener.v3.Listener", "name": "probe", "address": address(PROBE), "filter_chains": [{"filters": [
            {"name": "hcm", "typed_config": {"@type": HCM, "stat_prefix": "probe", "route_config": table, "http_filters": [ROUTER]}}]}]}

    def run(self, log, *words):
        with open(self.path(log), "w") as out:
            self.running.append(subprocess.Popen(words, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                                 preexec_fn=die_with_parent))

    def start(self):
        self.run("origin.log", self.sluice, "-c", "origin.json", "--concurrency", "1")
        self.run("plane.log", self.plane, "resources", "--listen", "unix:etc/istio/proxy/XDS", "--status-page", "127.0.0.1:18001")
        self.run("secrets.log", self.plane, "secrets", "--listen", "unix:var/run/secrets/workload-spiffe-uds/socket",
                 "--status-page", "127.0.0.1:18002")
        assert wait_for(lambda: all(self.page(port, "/json") for port in (18001, 18002))), self.logs()
        with open(os.path.join(DATA, "command_lines.json")) as f:
            words = json.load(f)[self.name]
        self.run("proxy.log", self.sluice, *words[1:])
        assert wait_for(lambda: self.page(15000, "/ready") == "LIVE\n", 30), self.logs()
        # All types are answered, and what was refused was refused for good.
        assert wait_for(lambda: all(t["answer"] for t in self.client()["types"].values()) and "LDS" in self.client()["types"], 20), self.client()

    def logs(self):
        return {name: open(self.path(name)).read()[-3000:] for name in ("proxy.log", "plane.log", "secrets.log", "origin.log")
                if os.path.exists(self.path(name))}

    def page(self, port, path):
        with contextlib.suppress(OSError):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request("GET", path)
            return connection.getresponse().read().decode()

    def client(self):
        return json.loads(self.page(18001, "/json"))["clients"][0]

    def end(self):
        for one in reversed(self.running):
            one.kill()
            one.wait()


@pytest.fixture
def pod(request, namespace, sluice, tmp_path):
    one = Pod(request.param, sluice, str(tmp_path))
    try:
        one.start()
        yield one
    finally:
        one.end()


def get(where, host, path="/", tls=None):
    """(status, body)."""
    connection = http.client.HTTPConnection(where[0], where[1], timeout=10)
    connection.connect()
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection.sock = context.wrap_socket(connection.sock, server_hostname=tls)
    try:
        connection.request("GET", path, headers={"host": host})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    except (OSError, http.client.HTTPException) as error:
        return repr(error)
    finally:
        connection.close()


def calls(pod, refused):
    """(what, where, host, sni) of every listener that can be reached."""
    tables = {t["name"]: t for t in pod.tables}
    for one in pod.listeners:
        if one["name"] in refused or one["name"] in REDIRECTED:
            continue
        where = (one["address"]["socket_address"]["address"].replace("0.0.0.0", "127.0.0.1"), one["address"]["socket_address"]["port_value"])
        for chain in one["filter_chains"]:
            names = chain.get("filter_chain_match", {}).get("server_names", [None])
            last = chain["filters"][-1]["typed_config"]
            if "rds" not in last:
                yield one["name"], where, "any", names[0]
                continue
            for host in tables[last["rds"]["route_config_name"]]["virtual_hosts"]:
                # For any other host: to wherever the connection was meant to go.
                if host["name"] not in ("allow_any", "block_all"):
                    yield one["name"] + " " + host["name"], where, host["domains"][0].replace("*", "any"), names[0]


@pytest.mark.parametrize("pod", ["client", "echo-v1", "ingress"], indirect=True)
def test_what_istiod_sent_carries_requests(pod):
    refused = {name: why for name, why in not_yet(pod.name).items() if name in {x["name"] for x in pod.listeners}}
    types = pod.client()["types"]
    for name in ("CDS", "EDS", "RDS"):
        assert name not in types or types[name]["answer"] == "ACK", types[name]
    assert types["LDS"]["answer"] == ("NACK" if refused else "ACK"), types["LDS"]
    for name, why in refused.items():
        assert "'%s'" % name in types["LDS"]["error"] and why in types["LDS"]["error"], types["LDS"]
    dump = json.loads(pod.page(15000, "/config_dump"))["configs"]
    active = {x["name"] for part in dump for x in part.get("dynamic_listeners", []) if "active_state" in x}
    assert active == {x["name"] for x in pod.listeners} - set(refused) | {"probe"}
    assert {x["cluster"]["name"] for part in dump for x in part.get("dynamic_active_clusters", [])} == {c["name"] for c in pod.clusters}

    failed, done = [], 0
    for i, cluster in enumerate(pod.clusters):
        # ORIGINAL_DST: nowhere to go without a redirected connection; BlackHoleCluster: nowhere at all.
        if cluster.get("type") != "ORIGINAL_DST" and cluster["name"] != "BlackHoleCluster":
            got = get(("127.0.0.1", PROBE), "any", "/%d" % i)
            done += 1
            if got != (200, "hello"):
                failed.append((cluster["name"], got))
    for what, where, host, sni in calls(pod, refused):
        got = get(where, host, tls=sni)
        done += 1
        if got != (200, "hello"):
            failed.append((what, where, host, sni, got))
    print("%s: %d requests" % (pod.name, done), file=sys.stderr)
    assert not failed, (failed, pod.logs())
    assert done > 20
