"""tools/control_plane as a process, with the directory that it serves; and a proxy's configuration that asks it."""
import http.client
import json
import os
import subprocess

from rig import HCM, ROUTER, TYPE, address, wait_for
from runner import die_with_parent

ADS = {"resource_api_version": "V3", "ads": {}}
API = "type.googleapis.com/envoy."


def cluster(name, **more):
    return {"@type": API + "config.cluster.v3.Cluster", "name": name, "type": "EDS", "connect_timeout": "2s",
            "eds_cluster_config": {"eds_config": ADS}, **more}


def endpoints(name, ports):
    return {"@type": API + "config.endpoint.v3.ClusterLoadAssignment", "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address(p)}} for p in ports]}]}


def routes(name, weights):
    return {"@type": API + "config.route.v3.RouteConfiguration", "name": name, "virtual_hosts": [
        {"name": "all", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "route": {"weighted_clusters": {
            "clusters": [{"name": cluster, "weight": weight} for cluster, weight in weights.items()]}}}]}]}


def listener(name, port, table, secret=None, hcm=None):
    chain = {"filters": [{"name": "hcm", "typed_config": {
        "@type": HCM, "stat_prefix": name, "http_filters": [ROUTER], "rds": {"route_config_name": table, "config_source": ADS}, **(hcm or {})}}]}
    if secret:
        chain["transport_socket"] = {"name": "tls", "typed_config": {
            "@type": TYPE + "transport_sockets.tls.v3.DownstreamTlsContext",
            "common_tls_context": {"tls_certificate_sds_secret_configs": [{"name": secret, "sds_config": ADS}]}}}
    return {"@type": API + "config.listener.v3.Listener", "name": name, "address": address(port), "filter_chains": [chain]}


def secret(name, certificate, key):
    texts = [open(path).read() for path in (certificate, key)]
    return {"@type": TYPE + "transport_sockets.tls.v3.Secret", "name": name, "tls_certificate": {
        "certificate_chain": {"inline_string": texts[0]}, "private_key": {"inline_string": texts[1]}}}


def bootstrap(plane, api_type="GRPC"):
    """Of a proxy that has everything from the control plane."""
    return {"node": {"id": "live", "cluster": "live"},
            "dynamic_resources": {"ads_config": {"api_type": api_type, "transport_api_version": "V3",
                                                 "grpc_services": [{"envoy_grpc": {"cluster_name": "xds"}}]},
                                  "cds_config": ADS, "lds_config": ADS},
            "static_resources": {"clusters": [{
                "name": "xds", "connect_timeout": "1s",
                "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                    "@type": TYPE + "upstreams.http.v3.HttpProtocolOptions", "explicit_http_config": {"http2_protocol_options": {}}}},
                "load_assignment": {"cluster_name": "xds", "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address(plane.port)}}]}]}}]}}


class ControlPlane:
    def __init__(self, binary, ports, folder):
        self.binary, self.folder = binary, os.path.join(folder, "resources")
        self.port, self.page = ports(), ports()
        self.log = open(os.path.join(folder, "control_plane.log"), "w")
        self.process = None
        os.makedirs(self.folder)

    def put(self, name, *resources):
        """Another file takes the place of NAME.json: a client sees all of it or nothing."""
        self.write(name, json.dumps({"resources": resources}))

    def write(self, name, text):
        path = os.path.join(self.folder, name + ".json")
        with open(path + ".new", "w") as f:
            f.write(text)
        os.rename(path + ".new", path)

    def start(self, patience=20, tls=()):
        self.process = subprocess.Popen(
            [self.binary, self.folder, "--listen", "127.0.0.1:%d" % self.port, "--status-page", "127.0.0.1:%d" % self.page, *tls],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT, preexec_fn=die_with_parent)
        assert wait_for(lambda: self.process.poll() is not None or self.status(), patience) and self.process.poll() is None, open(self.log.name).read()

    def status(self):
        """Of the JSON page; None while there is none."""
        connection = http.client.HTTPConnection("127.0.0.1", self.page, timeout=10)
        try:
            connection.request("GET", "/json")
            return json.loads(connection.getresponse().read())
        except OSError:
            return None
        finally:
            connection.close()

    def client(self):
        """The one that there is; None when there are none or several."""
        clients = (self.status() or {}).get("clients", [])
        return clients[0] if len(clients) == 1 else None

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def end(self):
        self.kill()
        self.log.close()
