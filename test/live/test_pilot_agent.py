"""What Istio's pilot-agent does with the program it starts, without Istio: its command line and the bootstrap that it writes (commas too
many, sockets below the working directory, delta for all but secrets), its questions on the admin port, its drain, and its kill at the end.
What istiod sends stands in test_istio.py."""
import http.client
import json
import os
import re
import signal
import socket
import ssl
import subprocess

import pytest

from pki import Pki
from plane_rig import ADS, API, cluster, endpoints, routes, secret
from rig import HCM, ROUTER, TYPE, Origin, address, read_head, wait_for
from runner import die_with_parent

WORDS = ["-c", "etc/istio/proxy/envoy-rev.json", "--drain-time-s", "45", "--drain-strategy", "immediate", "--local-address-ip-version", "v4",
         "--file-flush-interval-msec", "1000", "--disable-hot-restart", "--allow-unknown-static-fields", "-l", "warning",
         "--component-log-level", "misc:error", "--skip-deprecated-logs", "--concurrency", "2"]
XDS, SECRETS = "etc/istio/proxy/XDS", "var/run/secrets/workload-spiffe-uds/socket"
# As pilot-agent's: pages of /stats that it asks for without escaping anything.
CONFIGURED = r"/stats?usedonly&filter=^(cluster_manager\.cds|listener_manager\.lds)\.(update_success|update_rejected)$"
SERVES = r"/stats?usedonly&filter=^(server\.state|listener_manager\.workers_started)"
CONNECTIONS = "/stats?usedonly&filter=downstream_cx_active$"


def static(name, port, path, cluster):
    table = {"name": "backend", "virtual_hosts": [{"name": "backend", "domains": ["*"], "routes": [
        {"match": {"prefix": path}, "route": {"cluster": cluster}}]}]}
    return {"name": name, "address": address(port), "bypass_overload_manager": True, "filter_chains": [{"filters": [{
        "name": "envoy.filters.network.http_connection_manager",
        "typed_config": {"@type": HCM, "codec_type": "AUTO", "stat_prefix": name, "route_config": table, "http_filters": [ROUTER]}}]}]}


def at(name, where, http2=False):
    out = {"name": name, "alt_stat_name": name + ";", "type": "STATIC", "connect_timeout": "0.250s", "lb_policy": "ROUND_ROBIN",
           "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [{"endpoint": {"address": where}}]}]}}
    if http2:
        out["typed_extension_protocol_options"] = {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": TYPE + "upstreams.http.v3.HttpProtocolOptions", "explicit_http_config": {"http2_protocol_options": {}}}}
    return out


class Agent:
    def __init__(self, sluice, ports, folder, pki):
        self.sluice, self.plane, self.folder, self.pki = sluice, os.path.join(os.path.dirname(sluice), "control_plane"), folder, pki
        self.admin, self.metrics, self.probe, self.inbound, self.outbound = (ports() for _ in range(5))
        self.pages = ports(), ports()
        self.running, self.planes, self.proxy = [], [], None
        self.app = Origin(lambda s: self.answer(s, b"app"))
        self.status = Origin(lambda s: self.answer(s, b"agent"))
        self.asked = []

    def answer(self, connection, name):
        while head := read_head(connection)[0]:
            self.asked.append((name, head.split(b"\r\n")[0]))
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(name), name))

    def path(self, name):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return path

    def write(self, name, text):
        with open(self.path(name), "w") as f:
            f.write(text)

    def bootstrap(self):
        wait = {"ads": {}, "initial_fetch_timeout": "0s", "resource_api_version": "V3"}
        text = json.dumps({
            "application_log_config": {"log_format": {"text_format": "%Y-%m-%dT%T.%fZ\t%l\tenvoy %n %g:%#\t%v\tthread=%t"}},
            "node": {"id": "sidecar~127.0.0.1~a.b~b.svc.cluster.local", "cluster": "a.b", "locality": {},
                     "metadata": {"NAMESPACE": "b", "LABELS": {"app": "a"}, "ISTIO_VERSION": "1.31.0", "PILOT_SAN": ["x"]}},
            "layered_runtime": {"layers": [{"name": "global config", "static_layer": {"re2.max_program_size.error_level": "32768"}},
                                           {"name": "admin", "admin_layer": {}}]},
            "bootstrap_extensions": [{"name": "envoy.bootstrap.internal_listener", "typed_config": {
                "@type": "type.googleapis.com/udpa.type.v1.TypedStruct", "value": {"buffer_size_kb": 64},
                "type_url": API + "extensions.bootstrap.internal_listener.v3.InternalListener"}}],
            "stats_config": {"use_all_default_tags": False, "stats_tags": [
                {"tag_name": "cluster_name", "regex": r"^cluster(\.(.+);)"},
                {"tag_name": "http_conn_manager_listener_prefix", "regex": r"^listener(?=\.).*?\.http\.(((?:[_.[:digit:]]*))\.)"}],
                "stats_matcher": {"inclusion_list": {"patterns": [{"prefix": p} for p in ("cluster_manager", "listener", "server", "cluster.xds-grpc")]}}},
            "admin": {"address": address(self.admin), "profile_path": "/var/lib/istio/data/envoy.prof"},
            "dynamic_resources": {"lds_config": wait, "cds_config": wait, "ads_config": {
                "api_type": "DELTA_GRPC", "set_node_on_first_message_only": True, "transport_api_version": "V3",
                "grpc_services": [{"envoy_grpc": {"cluster_name": "xds-grpc"}}]}},
            "static_resources": {
                "clusters": [at("prometheus_stats", address(self.admin)), at("agent", address(self.status.port)),
                             at("sds-grpc", {"pipe": {"path": "./" + SECRETS}}, http2=True), at("xds-grpc", {"pipe": {"path": "./" + XDS}}, http2=True)],
                "listeners": [static("metrics", self.metrics, "/stats/prometheus", "prometheus_stats"),
                              static("probe", self.probe, "/healthz/ready", "agent")]}}, indent=2)
        return re.sub(r"\n( *)\}$", r",\n\n\1}", text, count=1)     # one comma too many

    def inbound_listener(self):
        own = {"name": "default", "sds_config": {"resource_api_version": "V3", "initial_fetch_timeout": "0s", "api_config_source": {
            "api_type": "GRPC", "transport_api_version": "V3", "set_node_on_first_message_only": True,
            "grpc_services": [{"envoy_grpc": {"cluster_name": "sds-grpc"}}]}}}
        tls = {"name": "tls", "typed_config": {"@type": TYPE + "transport_sockets.tls.v3.DownstreamTlsContext",
                                               "common_tls_context": {"tls_certificate_sds_secret_configs": [own]}}}
        log = {"name": "file", "typed_config": {"@type": TYPE + "access_loggers.file.v3.FileAccessLog", "path": self.path("access.log"),
                                                "log_format": {"text_format_source": {"inline_string": "%REQ(:PATH)% %RESPONSE_CODE%\n"}}}}
        manager = {"@type": HCM, "stat_prefix": "inbound;", "access_log": [log], "http_filters": [ROUTER],
                   "rds": {"route_config_name": "in", "config_source": {**ADS, "initial_fetch_timeout": "0s"}}}
        chain = {"filters": [{"name": "hcm", "typed_config": manager}]}
        return {"@type": API + "config.listener.v3.Listener", "name": "inbound", "address": address(self.inbound), "traffic_direction": "INBOUND",
                "listener_filters": [{"name": "tls", "typed_config": {"@type": TYPE + "filters.listener.tls_inspector.v3.TlsInspector"}}],
                "listener_filters_timeout": "0s", "continue_on_listener_filters_timeout": True,
                "filter_chains": [{**chain, "filter_chain_match": {"transport_protocol": "tls"}, "transport_socket": tls},
                                  {**chain, "filter_chain_match": {"transport_protocol": "raw_buffer"}}]}

    def run(self, log, *words):
        with open(self.path(log), "w") as out:
            self.running.append(subprocess.Popen(words, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                                 preexec_fn=die_with_parent))
        return self.running[-1]

    def serve(self, app, leaf):
        """What istiod and the agent's certificates are from now on."""
        outbound = {**self.inbound_listener(), "name": "outbound", "address": address(self.outbound), "traffic_direction": "OUTBOUND",
                    "listener_filters": []}
        outbound["filter_chains"] = [{"filters": outbound["filter_chains"][1]["filters"]}]
        self.write("resources/all.json", json.dumps({"resources": [
            cluster("app"), endpoints("app", [app]), routes("in", {"app": 1}), self.inbound_listener(), outbound]}))
        self.write("secrets/all.json", json.dumps({"resources": [secret("default", self.pki.path(leaf + ".pem"), self.pki.path(leaf + ".key"))]}))

    def start(self):
        self.serve(self.app.port, "server")
        self.write("etc/istio/proxy/envoy-rev.json", self.bootstrap())
        self.start_planes()
        self.proxy = self.run("proxy.log", self.sluice, *WORDS)
        assert wait_for(self.is_ready, 40), open(self.path("proxy.log")).read()

    def start_planes(self):
        """What it serves on its two sockets."""
        for place, folder, page in ((XDS, "resources", self.pages[0]), (SECRETS, "secrets", self.pages[1])):
            os.makedirs(os.path.dirname(self.path(place)), exist_ok=True)
            self.planes.append(self.run(folder + ".log", self.plane, folder, "--listen", "unix:" + place, "--status-page", "127.0.0.1:%d" % page))
            assert wait_for(lambda: os.path.exists(self.path(place))), open(self.path(folder + ".log")).read()

    def end_planes(self):
        for one in self.planes:
            one.kill()
            one.wait()
            self.running.remove(one)
        self.planes = []
        for place in (XDS, SECRETS):
            if os.path.exists(self.path(place)):
                os.unlink(self.path(place))

    def is_ready(self):
        """As the agent judges it on each probe."""
        try:
            configured, serves = (dict(line.split(": ") for line in self.ask(self.admin, page)[2].splitlines()) for page in (CONFIGURED, SERVES))
        except OSError:
            return False
        return (int(configured.get("cluster_manager.cds.update_success", 0)) > 0 and int(configured.get("listener_manager.lds.update_success", 0)) > 0
                and serves.get("server.state") == "0" and serves.get("listener_manager.workers_started") == "1")

    def ask(self, port, path, method="GET", connection=None):
        """(status, headers, body)."""
        one = connection or http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        try:
            one.request(method, path)
            answer = one.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read().decode()
        finally:
            if connection is None:
                one.close()

    def certificate(self):
        """What the inbound listener shows."""
        context = ssl.create_default_context(cafile=self.pki.path("ca.pem"))
        context.check_hostname = False
        with socket.create_connection(("127.0.0.1", self.inbound), timeout=20) as raw, context.wrap_socket(raw) as secure:
            return secure.getpeercert(True)

    def connections(self):
        """{listener: connections} as the agent counts them while it waits for the last one."""
        found = {}
        for line in self.ask(self.admin, CONNECTIONS)[2].splitlines():
            name, value = line.split(": ")
            if name.startswith("listener.") and "worker_" not in name and not name.startswith("listener.admin."):
                found[name] = int(value)
        return found

    def end(self):
        for one in reversed(self.running):
            one.kill()
            one.wait()


@pytest.fixture
def agent(sluice, ports, tmp_path):
    one = Agent(sluice, ports, str(tmp_path), Pki(str(tmp_path / "pki")).ensure())
    try:
        one.start()
        yield one
    finally:
        one.end()


def test_its_ports(agent):
    """The kubelet's probe goes to the agent, the scrape to the admin port; requests go to the app, in the clear and with its certificate."""
    assert agent.ask(agent.probe, "/healthz/ready")[::2] == (200, "agent")
    assert (b"agent", b"GET /healthz/ready HTTP/1.1") in agent.asked
    status, headers, text = agent.ask(agent.metrics, "/stats/prometheus")
    assert status == 200 and headers["content-type"].startswith("text/plain")
    line = re.compile(r'(# TYPE \w+ (counter|gauge|histogram)|\w+(\{(\w+="[^"]*",?)*\})? [-+.\w]+)?')
    assert [x for x in text.split("\n") if not line.fullmatch(x)] == []
    assert "\nenvoy_server_state{} 0\n" in text and "envoy_http_" not in text
    assert agent.ask(agent.inbound, "/clear")[::2] == (200, "app")
    context = ssl.create_default_context(cafile=agent.pki.path("ca.pem"))
    context.check_hostname = False
    secure = http.client.HTTPSConnection("127.0.0.1", agent.inbound, timeout=20, context=context)
    assert agent.ask(0, "/secure", connection=secure)[::2] == (200, "app")
    secure.close()


def test_its_drain(agent):
    """Inbound clients are told, new ones are still taken; the numbers that it polls come down to a zero that is shown."""
    inbound, outbound = ("listener.127.0.0.1_%d.downstream_cx_active" % port for port in (agent.inbound, agent.outbound))
    kept = http.client.HTTPConnection("127.0.0.1", agent.inbound, timeout=20)
    assert agent.ask(0, "/", connection=kept)[0] == 200 and agent.connections()[inbound] == 1
    assert agent.ask(agent.admin, "/drain_listeners?inboundonly&graceful", "POST")[::2] == (200, "OK\n")
    assert agent.ask(agent.admin, "/drain_listeners?inboundonly&graceful", "POST")[::2] == (200, "OK\n")
    status, headers, _ = agent.ask(0, "/", connection=kept)
    assert status == 200 and headers.get("connection") == "close"
    kept.close()
    status, headers, _ = agent.ask(agent.inbound, "/")
    assert status == 200 and headers.get("connection") == "close"
    status, headers, _ = agent.ask(agent.outbound, "/")
    assert status == 200 and "connection" not in headers
    assert wait_for(lambda: (agent.connections().get(inbound), agent.connections().get(outbound)) == (0, 0)), agent.connections()
    assert agent.proxy.poll() is None


def test_its_restart(agent):
    """While it is away requests go on as they did. When it is back, what changed meanwhile is taken: an endpoint and a certificate."""
    assert agent.certificate() == agent.pki.der("server")
    agent.end_planes()
    assert agent.ask(agent.inbound, "/away")[::2] == (200, "app") and agent.certificate() == agent.pki.der("server")
    other = Origin(lambda s: agent.answer(s, b"other"))
    agent.serve(other.port, "server2")
    agent.start_planes()
    assert wait_for(lambda: agent.certificate() == agent.pki.der("server2"), 60)
    assert wait_for(lambda: agent.ask(agent.inbound, "/back")[::2] == (200, "other"), 60)
    assert agent.is_ready()
    other.end()


def test_its_kill(agent):
    """It ends the program without a warning: what was logged is in the file by then, without anybody asking for it."""
    assert agent.ask(agent.inbound, "/last")[0] == 200
    assert wait_for(lambda: "/last 200\n" in open(agent.path("access.log")).read())
    agent.proxy.send_signal(signal.SIGKILL)
    assert agent.proxy.wait(20) == -signal.SIGKILL


def test_an_end_and_a_mistake(agent):
    """0 for an end that was asked for; else a reason, and not 0."""
    assert agent.ask(agent.admin, "/quitquitquit", "POST")[::2] == (200, "OK\n")
    assert agent.proxy.wait(20) == 0
    agent.write("etc/istio/proxy/envoy-rev.json", agent.bootstrap().replace('"sds-grpc"', '"prometheus_stats"', 1))
    done = subprocess.run([agent.sluice, *WORDS], cwd=agent.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "prometheus_stats" in done.stderr, done
