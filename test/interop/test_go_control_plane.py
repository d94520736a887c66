"""go-control-plane's own integration driver against the proxy.

The driver is the control plane, the access log service and the client: it loads three snapshots, and asks every listener of each in
five batches of requests. Here are the bootstrap and the upstream. The driver waits 100 ms for an answer, so a busy machine makes
failed batches; of the last snapshot two without a failure are wanted, and the driver itself wants one of each.
"""
import re
import subprocess

import pytest

import go_module
from plane_rig import ADS
from rig import TYPE, Origin, Proxy, address, read_head
from runner import die_with_parent

MODULE, VERSION = "github.com/envoyproxy/go-control-plane", "v0.14.0"
MESSAGE = b"Hi, there!\n"
# With -mux the driver itself works in two modes only: its cache of several has no Fetch and no delta.
MODES = [["ads"], ["xds"], ["rest"], ["delta"], ["delta-ads"], ["ads", "-mux"], ["xds", "-mux"],
         ["ads", "-tls"], ["xds", "-tls"], ["rest", "-tls"], ["delta", "-tls"], ["delta-ads", "-tls"]]


@pytest.fixture(scope="session")
def driver():
    return go_module.build("go-control-plane", MODULE, VERSION, MODULE + "/pkg/test/main")


@pytest.fixture
def upstream():
    def serve(connection):
        while read_head(connection)[0]:
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(MESSAGE), MESSAGE))
    one = Origin(serve)
    yield one
    one.end()


def source(kind):
    api = {"api_type": kind, "transport_api_version": "V3"}
    if kind == "REST":
        api.update(refresh_delay="0.5s", cluster_names=["xds_cluster"])
    else:
        api.update(set_node_on_first_message_only=True, grpc_services=[{"envoy_grpc": {"cluster_name": "xds_cluster"}}])
    return {"resource_api_version": "V3", "api_config_source": api}


def cluster(name, port, http2):
    made = {"name": name, "connect_timeout": "1s", "load_assignment": {
        "cluster_name": name, "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address(port)}}]}]}}
    if http2:
        made["typed_extension_protocol_options"] = {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": TYPE + "upstreams.http.v3.HttpProtocolOptions", "explicit_http_config": {"http2_protocol_options": {}}}}
    return made


def bootstrap(mode, plane, access_logs):
    out = {"node": {"id": "test-id", "cluster": "test-cluster"},
           # Named as the driver names them in what it sends.
           "static_resources": {"clusters": [cluster("xds_cluster", plane, mode != "rest"),
                                             cluster("als_cluster", access_logs, mode != "rest")]}}
    if mode.endswith("ads"):
        out["dynamic_resources"] = {"ads_config": source("DELTA_GRPC" if mode == "delta-ads" else "GRPC")["api_config_source"],
                                    "cds_config": ADS, "lds_config": ADS}
        return out
    ours = source({"xds": "GRPC", "delta": "DELTA_GRPC", "rest": "REST"}[mode])
    # The driver has its runtime layers in the state of the world only.
    layer = source("REST" if mode == "rest" else "GRPC")
    out["dynamic_resources"] = {"cds_config": ours, "lds_config": ours}
    out["layered_runtime"] = {"layers": [{"name": "runtime-0", "rtds_layer": {"name": "runtime-0", "rtds_config": layer}}]}
    return out


@pytest.mark.parametrize("words", MODES, ids=" ".join)
def test_the_driver_is_content(sluice, driver, upstream, block, tmp_path, words):
    mode = words[0]
    plane, gateway, access_logs = (block.take("") for _ in range(3))
    log = tmp_path / "driver.log"
    with open(log, "w") as out:
        process = subprocess.Popen(
            [driver, "--xds=" + mode, "--runtimes=%d" % (2 if mode == "ads" else 1), "-debug", "-message=" + MESSAGE.decode(),
             "-port=%d" % plane, "-gateway=%d" % gateway, "-als=%d" % access_logs, "-base=%d" % (block.first + 50),
             "-upstream=%d" % upstream.port, *words[1:]],
            cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, preexec_fn=die_with_parent)
    proxy = None
    try:
        proxy = Proxy(sluice, lambda: block.take(""), str(tmp_path), args=["--drain-time-s", "1"],
                      bootstrap=bootstrap(mode, gateway if mode == "rest" else plane, access_logs))
        process.wait(150)
        text = log.read_text(errors="replace")
        batches = re.findall(r"request batch (\d+), ok (\d+), failed (\d+)", text)
        assert process.returncode == 0 and "passed!" in text, text[-1500:]
        assert len(batches) == 15 and sum(int(ok) >= 6 and failed == "0" for _, ok, failed in batches[-5:]) >= 2, batches
        refused = [line for line in proxy.admin("/stats?filter=update_rejected$")[1].splitlines() if not line.endswith(": 0")]
        assert proxy.alive() and not refused
    finally:
        process.kill()
        process.wait()
        if proxy:
            proxy.end()
