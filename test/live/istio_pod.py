"""What a real istiod sent to one pod, served by tools/control_plane to a proxy with the pod's own bootstrap, between origins that stand
at istiod's addresses (so in a network namespace of their own: test_istio.py).

Nothing redirects connections here, as iptables does in a pod. So the two listeners that take redirected ones are served with one thing
added: a PROXY header says where a connection was going, in the place of the socket option."""
import contextlib
import http.client
import json
import os
import re
import socket
import ssl
import subprocess

from plane_rig import API, secret
from rig import HCM, ROUTER, TYPE, Origin, address, wait_for
from runner import die_with_parent

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
DATA = os.path.join(os.environ.get("SLUICE_CORPORA", os.path.join(ROOT, "../shared/cases")), "istio")
MESH = ("10.77.0.12", "10.77.0.13")     # endpoints that want mutual TLS
OUTSIDE = "10.77.0.30"                  # one that does not
APP = "10.77.0.40"                      # the pod's own program: requests on all of its ports
BYTES = "10.77.0.41"                    # one that says "raw" to the first bytes, at any port
ADDRESSES = (*MESH, OUTSIDE, APP, BYTES, "10.77.0.11", "10.78.0.10", "10.78.0.20", "10.78.0.21")
PROBE = 18888                           # a listener of ours: /N goes to the N-th cluster
REDIRECTED = {"virtualInbound": 15006, "virtualOutbound": 15001}
FREE = 4444                             # a port that nothing istiod sent is about
PROXY_HEADER = {"name": "destination", "typed_config": {"@type": TYPE + "filters.listener.proxy_protocol.v3.ProxyProtocol"}}
NO_PROTOCOL = b"\0\1\2 neither HTTP nor TLS\r\n"
# HTTP filters that are not built yet. A listener that is refused for one is served without them, too.
NOT_BUILT = ("ext_authz.v3.ExtAuthz", "jwt_authn.v3.JwtAuthentication")


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
        if one["name"] in REDIRECTED:
            one["listener_filters"] = [PROXY_HEADER] + one.get("listener_filters", [])
        elif one.get("bind_to_port") is not False:      # a gateway's; other addresses are those of origins here
            one["address"]["socket_address"]["address"] = "127.0.0.1"
    return clusters, endpoints, listeners, [x["route_config"] for x in every("dynamic_route_configs")]


def without(listener, kinds):
    """A copy of it without the HTTP filters of those types."""
    one = json.loads(json.dumps(listener))
    one["name"] += " without what is not built"
    for chain in one["filter_chains"]:
        last = chain["filters"][-1]["typed_config"]
        if "http_filters" in last:
            last["http_filters"] = [f for f in last["http_filters"] if not f["typed_config"]["@type"].endswith(kinds)]
    return one


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


def origin_bootstrap(endpoints, listeners, certificates):
    """Answers "hello" on all endpoints, as the app behind all inbound ports, and outside on all ports that go out; it says where it was
    asked, and for what."""
    wanted = {(a["address"], a["port_value"]) for e in endpoints for group in e.get("endpoints", []) for one in group["lb_endpoints"]
              for a in [one["endpoint"]["address"]["socket_address"]]} | {(OUTSIDE, 8080)}
    wanted |= {(OUTSIDE, port) for port in outbound_ports(listeners)} | {(APP, port) for port in inbound_ports(listeners)}
    told = [{"header": {"key": "x-arrived-at", "value": "%DOWNSTREAM_LOCAL_ADDRESS%"}}, {"header": {"key": "x-arrived-as", "value": "%REQ(:AUTHORITY)%%REQ(:PATH)%"}}]
    table = {"response_headers_to_add": told, "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [
        {"match": {"prefix": "/"}, "direct_response": {"status": 200, "body": {"inline_string": "hello"}}}]}]}
    origins = []
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
        origins.append(one)
    return {"static_resources": {"listeners": origins}}


def outbound_ports(listeners):
    return {x["address"]["socket_address"]["port_value"] for x in listeners if x.get("bind_to_port") is False}


def inbound_ports(listeners):
    """Of the app: those that chains are about, and one that none is."""
    found = {c.get("filter_chain_match", {}).get("destination_port", FREE) for x in listeners if x.get("traffic_direction") == "INBOUND"
             for c in x["filter_chains"]}
    return found - set(REDIRECTED.values())


class Pod:
    """Its proxy, its control plane, its agent's secrets, and the origins of the mesh."""

    def __init__(self, name, sluice, folder):
        self.name, self.folder, self.running, self.origins = name, folder, [], []
        self.sluice, self.plane = sluice, os.path.join(os.path.dirname(sluice), "control_plane")
        self.clusters, self.endpoints, self.listeners, self.tables = resources(name)
        self.listeners += [without(x, NOT_BUILT) for x in self.listeners if not_yet(name).get(x["name"], "").endswith(NOT_BUILT)]
        self.certificates = certificates = Certificates(folder)
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
        self.write("origin.json", json.dumps(origin_bootstrap(self.endpoints, self.listeners, self.certificates)))

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
        if "virtualOutbound" in {x["name"] for x in self.listeners}:
            self.origins = [Origin(say_raw, at=(BYTES, port)) for port in outbound_ports(self.listeners) | inbound_ports(self.listeners)]
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

    def page(self, port, path, method="GET"):
        with contextlib.suppress(OSError):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request(method, path)
            return connection.getresponse().read().decode()

    def client(self):
        return json.loads(self.page(18001, "/json"))["clients"][0]

    def addresses(self, cluster):
        """Where requests to it may arrive; nothing: nowhere, or where the connection was going."""
        found = [e for e in self.endpoints if e.get("cluster_name") == cluster]
        found += [c["load_assignment"] for c in self.clusters if c["name"] == cluster and "load_assignment" in c]
        return {"%s:%d" % (a["address"], a["port_value"]) for e in found for group in e.get("endpoints", []) for one in group["lb_endpoints"]
                for a in [one["endpoint"]["address"]["socket_address"]]}

    def dial(self, listener, destination):
        """A connection that was going there when it was redirected to this listener, or to the one that gives it to this."""
        entry = listener["address"]["socket_address"]["port_value"]
        if listener.get("bind_to_port") is False:
            entry = REDIRECTED["virtualOutbound"]
        connection = socket.create_connection(("127.0.0.1", entry), timeout=20)
        if entry in REDIRECTED.values():
            connection.sendall(b"PROXY TCP4 127.0.0.1 %s 40000 %d\r\n" % (destination[0].encode(), destination[1]))
        return connection

    def end(self):
        for one in reversed(self.running):
            one.kill()
            one.wait()
        for one in self.origins:
            one.end()


def say_raw(connection):
    if connection.recv(65536):
        connection.sendall(b"raw")


def secure(connection, sni=None, offers=(), leaf=None):
    """TLS over it. `leaf`: (certificate, key) of the client."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if offers:
        context.set_alpn_protocols(list(offers))
    if leaf:
        context.load_cert_chain(*leaf)
    return context.wrap_socket(connection, server_hostname=sni)


def get(connection, host, path="/", headers=None):
    """{status, body, header: value}."""
    one = http.client.HTTPConnection("unused")
    one.sock = connection
    try:
        one.request("GET", path, headers={"host": host, **(headers or {})})
        answer = one.getresponse()
        return {"status": answer.status, "body": answer.read().decode(), **dict(answer.getheaders())}
    finally:
        one.close()


def exchange_bytes(connection, sent):
    """The first three bytes that are said to these; nothing: the connection ends."""
    got = b""
    with contextlib.closing(connection), contextlib.suppress(ConnectionError, ssl.SSLError):
        connection.sendall(sent)
        while len(got) < 3 and (piece := connection.recv(3 - len(got))):
            got += piece
    return got


def client_hello():
    """The first bytes of a client that means to speak TLS."""
    out = ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), out, server_hostname="any.example.test").do_handshake()
    return out.read()


