"""What a real istiod sent to three kinds of pod carries requests: each cluster, each filter chain of each listener, each route of each
virtual host is reached, and what comes to an origin came to one of those that were meant. In a network namespace of its own, where
istiod's addresses and ports are free.

The data are others' and stand beside this repository (../shared/cases/istio, or below $SLUICE_CORPORA); without them, or without the
right to make a namespace, the tests are skipped."""
import ctypes
import json
import os
import shutil
import subprocess
import sys

import pytest

import official_messages
from istio_pod import (ADDRESSES, APP, BYTES, DATA, FREE, NO_PROTOCOL, OUTSIDE, PROBE, REDIRECTED, Pod, client_hello, exchange_bytes,
                       get, not_yet, secure)

CLONE_NEWNET = 0x40000000
SERVICE = "10.78.0.10"                  # where a listener of all addresses is thought to have been asked
# Paths that fit the regular expressions of the routes.
FITTING = {"/item/[0-9]+": "/item/7"}
# An AuthorizationPolicy of this pod denies this port to everybody; for connections without HTTP that is all that it can say.
DENIED = {("echo-v1", 9091)}


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


@pytest.fixture
def pod(request, namespace, sluice, tmp_path):
    one = Pod(request.param, sluice, str(tmp_path))
    try:
        one.start()
        yield one
    finally:
        one.end()


class Calls:
    """Sends, compares, and counts."""

    def __init__(self, pod):
        self.pod, self.done, self.failed = pod, 0, []

    def compare(self, what, call, expected):
        """Each name of `expected` has one of these values in what call() gives."""
        self.done += 1
        try:
            got = call()
        except OSError as error:
            got = {"error": repr(error)}
        wrong = {k: got.get(k) for k, v in expected.items() if got.get(k) not in v}
        if wrong:
            self.failed.append((what, got, expected))

    def clusters(self):
        for i, cluster in enumerate(self.pod.clusters):
            # ORIGINAL_DST: nowhere to go without a redirected connection; BlackHoleCluster: nowhere at all.
            if cluster.get("type") != "ORIGINAL_DST" and cluster["name"] != "BlackHoleCluster":
                probe = {"address": {"socket_address": {"port_value": PROBE}}}
                self.compare(cluster["name"], lambda: get(self.pod.dial(probe, None), "any", "/%d" % i),
                             {"status": [200], "x-arrived-at": self.pod.addresses(cluster["name"])})

    def raw(self, what, connect, answer, sent=NO_PROTOCOL):
        self.compare(what, lambda: {"bytes": exchange_bytes(connect(), sent)}, {"bytes": [answer]})

    def outbound(self, listener):
        where = listener["address"]["socket_address"]
        here = (SERVICE if where["address"] == "0.0.0.0" else where["address"], where["port_value"])
        for chain in listener["filter_chains"]:
            sni = chain.get("filter_chain_match", {}).get("server_names", [None])[0]
            last = chain["filters"][-1]["typed_config"]
            if "rds" in last:
                table = next(t for t in self.pod.tables if t["name"] == last["rds"]["route_config_name"])
                for host in table["virtual_hosts"]:
                    for route in host["routes"]:
                        self.route(listener, here, sni, host, route)
            else:
                self.compare(listener["name"], lambda: get(self.tls(self.pod.dial(listener, here), sni), "any"),
                             {"status": [200], "body": ["hello"], "x-arrived-at": self.pod.addresses(last["cluster"])})
        if "default_filter_chain" in listener:
            cluster = listener["default_filter_chain"]["filters"][-1]["typed_config"]["cluster"]
            there = self.pod.addresses(cluster)     # origins of clusters speak HTTP: to these bytes they say 400
            self.raw(listener["name"] + " default", lambda: self.pod.dial(listener, here if there else (BYTES, here[1])),
                     b"HTT" if there else b"raw" if cluster == "PassthroughCluster" else b"")

    def tls(self, connection, sni):
        return secure(connection, sni) if sni else connection

    def route(self, listener, here, sni, host, route):
        match, action = route["match"], route.get("route", {})
        clusters = [action["cluster"]] if "cluster" in action else [c["name"] for c in action.get("weighted_clusters", {}).get("clusters", [])]
        destination = (OUTSIDE, here[1]) if host["name"] in ("allow_any", "block_all") else here
        path = match.get("path") or match.get("prefix") or FITTING[match["safe_regex"]["regex"]]
        query = "&".join("%s=%s" % (q["name"], q["string_match"]["exact"]) for q in match.get("query_parameters", []))
        headers = {h["name"]: h["string_match"]["exact"] for h in match.get("headers", []) if h["name"] != ":method"}
        name = "nowhere.example.test" if "*" in host["domains"] else host["domains"][0].replace("*", "any")
        asked = path + ("?" + query if query else "")
        abort = route.get("typed_per_filter_config", {}).get("envoy.filters.http.fault", {}).get("abort")
        if "redirect" in route:
            expected = {"status": [308], "location": ["http://%s%s" % (route["redirect"]["host_redirect"], route["redirect"]["path_redirect"])]}
        elif "direct_response" in route:
            expected = {"status": [route["direct_response"]["status"]],
                        "body": [route["direct_response"].get("body", {}).get("inline_string", "")]}
        elif abort and abort["percentage"]["numerator"] == {"HUNDRED": 100, "MILLION": 1000000}[abort["percentage"].get("denominator", "HUNDRED")]:
            expected = {"status": [abort["http_status"]]}
        elif abort:
            expected = {"status": [200, abort["http_status"]]}
        else:
            there = {"%s:%d" % destination} if clusters == ["PassthroughCluster"] else set().union(*map(self.pod.addresses, clusters))
            arrived = asked.replace(match["prefix"], action["prefix_rewrite"], 1) if "prefix_rewrite" in action else asked
            expected = {"status": [200], "body": ["hello"], "x-arrived-at": there,
                        "x-arrived-as": [action.get("host_rewrite_literal", name) + arrived]}
        self.compare("%s %s %s" % (listener["name"], host["name"], json.dumps(match)),
                     lambda: get(self.tls(self.pod.dial(listener, destination), sni), name, asked, headers), expected)

    def redirected(self, listener):
        """What has no listener of its own: out to wherever it goes or nowhere, or in to the app."""
        leaf = [self.pod.certificates.path("client" + end) for end in (".pem", ".key")]
        own = listener["address"]["socket_address"]["port_value"]
        for i, chain in enumerate(listener["filter_chains"]):
            match, last = chain.get("filter_chain_match") or {}, chain["filters"][-1]["typed_config"]
            port, what = match.get("destination_port", FREE), "%s %d" % (listener["name"], i)
            offers = [match["application_protocols"][0], "http/1.1"] if match.get("application_protocols") and "transport_socket" in chain else []

            def connect(host, port=port, chain=chain, offers=offers):
                connection = self.pod.dial(listener, (host, port))
                return secure(connection, offers=offers, leaf=leaf) if "transport_socket" in chain else connection
            if "http_filters" in last:
                self.compare(what, lambda: get(connect(APP), "app"), {"status": [200], "body": ["hello"], "x-arrived-at": ["%s:%d" % (APP, port)]})
            else:
                nowhere = port == own or last["cluster"] == "BlackHoleCluster" or (self.pod.name, port) in DENIED
                passed = match.get("transport_protocol") == "tls" and "transport_socket" not in chain
                self.raw(what, lambda: connect(BYTES), b"" if nowhere else b"raw", client_hello() if passed else NO_PROTOCOL)


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

    calls = Calls(pod)
    calls.clusters()
    for one in pod.listeners:
        if one["address"]["socket_address"]["port_value"] in REDIRECTED.values() and one["name"] not in refused:
            calls.redirected(one)
        elif one["name"] not in refused:
            calls.outbound(one)
    print("%s: %d requests" % (pod.name, calls.done), file=sys.stderr)
    assert not calls.failed, "\n".join(map(str, [*calls.failed, pod.logs()]))
    assert calls.done > 20


@pytest.mark.parametrize("pod", ["client"], indirect=True)
def test_istioctl_can_read_the_pages(pod):
    """proxy-config reads them as Envoy's messages, and shows these fields."""
    official_messages.know_all()
    dump = official_messages.read_dump(pod.page(15000, "/config_dump?include_eds"))
    assert list(dump) == ["BootstrapConfigDump", "ClustersConfigDump", "EndpointsConfigDump", "ListenersConfigDump", "ScopedRoutesConfigDump",
                          "RoutesConfigDump", "SecretsConfigDump"]
    assert dump["BootstrapConfigDump"].bootstrap.node.id.startswith("sidecar~")
    every = dump["ClustersConfigDump"].dynamic_active_clusters
    assert all(one.version_info and one.HasField("last_updated") for one in every) and len(every) == len(pod.clusters)
    listeners = dump["ListenersConfigDump"].dynamic_listeners
    assert {one.name for one in listeners if one.active_state.version_info} == {x["name"] for x in pod.listeners} | {"probe"}
    assert {one.version_info != "" for one in dump["RoutesConfigDump"].dynamic_route_configs} == {True}
    assert len(dump["EndpointsConfigDump"].dynamic_endpoint_configs) >= len(pod.endpoints)
    secrets = dump["SecretsConfigDump"].dynamic_active_secrets
    assert {"default", "ROOTCA"} <= {one.name for one in secrets}
    assert "PRIVATE KEY" not in pod.page(15000, "/config_dump?include_eds")

    info = official_messages.read("envoy.admin.v3.ServerInfo", json.loads(pod.page(15000, "/server_info")))
    assert info.state == 0 and info.node.id.startswith("sidecar~") and info.command_line_options.concurrency == 1
    clusters = official_messages.read("envoy.admin.v3.Clusters", json.loads(pod.page(15000, "/clusters?format=json")))
    assert {one.name for one in clusters.cluster_statuses} >= {c["name"] for c in pod.clusters}
    listening = official_messages.read("envoy.admin.v3.Listeners", json.loads(pod.page(15000, "/listeners?format=json")))
    assert {"virtualInbound", "virtualOutbound"} <= {one.name for one in listening.listener_statuses}
    certificates = official_messages.read("envoy.admin.v3.Certificates", json.loads(pod.page(15000, "/certs")))
    assert any("spiffe://cluster.local/ns/demo/sa/client" in [name.uri for name in chain.subject_alt_names]
               for one in certificates.certificates for chain in one.cert_chain)
    official_messages.read("envoy.admin.v3.Memory", {k: v for k, v in json.loads(pod.page(15000, "/memory")).items() if k != "owners"})
    metrics = pod.page(15090, "/stats/prometheus").splitlines()
    assert 'envoy_cluster_upstream_cx_total{cluster_name="xds-grpc"} 1' in metrics
    assert "envoy_listener_manager_lds_update_success{} 1" in metrics and "envoy_server_state{} 0" in metrics
    assert "upstream: debug" in pod.page(15000, "/logging?paths=upstream:debug,rbac:debug", "POST")
    assert "error" not in pod.page(15000, "/logging?rbac=warning", "POST")
    part = json.loads(pod.page(15000, "/config_dump?resource=dynamic_listeners&name_regex=virtualInbound"))["configs"]
    assert [one["name"] for one in part] == ["virtualInbound"]
    assert json.loads(pod.page(15000, "/config_dump?mask=bootstrap.node.id"))["configs"][0]["bootstrap"]["node"]["id"].startswith("sidecar~")
