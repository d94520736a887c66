"""tools/control_plane as a program: its command line, its status page, what it refuses; and a proxy that it serves."""
import json
import os
import signal
import socket
import subprocess
import time

import pytest

from plane_rig import API, bootstrap, cluster, endpoints, listener, routes
from rig import Proxy, wait_for


@pytest.fixture
def run(plane):
    def run(*words):
        return subprocess.run([plane.binary, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
    return run


def page(plane, request):
    """The answer to some bytes, up to the end of the connection."""
    with socket.create_connection(("127.0.0.1", plane.page), timeout=20) as connection:
        answer = b""
        try:
            connection.sendall(request)
            while piece := connection.recv(65536):
                answer += piece
        except ConnectionError:
            pass
        return answer.decode()


def test_status_tells_what_a_proxy_took_and_refused(plane, run, sluice, ports, tmp_path):
    plane.put("good", cluster("a"), endpoints("a", [1]))
    os.mkdir(os.path.join(plane.folder, "live"))        # the node's id: these are for it alone
    plane.put("live/bad", {"@type": API + "config.cluster.v3.Cluster", "name": "bad", "lb_policy": "LOAD_BALANCING_POLICY_CONFIG"})
    plane.start()
    proxy = Proxy(sluice, ports, str(tmp_path), bootstrap=bootstrap(plane))
    try:
        at = "127.0.0.1:%d" % plane.page
        text = wait_for(lambda: "EDS  ACK" in (t := run("--status", at).stdout) and "LDS  ACK" in t and t)
        assert text, run("--status", at)
        assert "ads sotw  node 'live', cluster 'live'" in text
        assert "CDS  NACK" in text and "'bad': lb_policy: needs load_balancing_policy" in text
        client = json.loads(run("--status", at, "--json").stdout)["clients"][0]
        assert client["types"]["CDS"]["answer"] == "NACK" and client["types"]["EDS"]["answer"] == "ACK"

        plane.write("mistake", '{"resources": [{"@type": "%sconfig.cluster.v3.Cluster", "nam": "x"}]}' % API)
        assert wait_for(lambda: "mistake.json:1:" in run("--status", at).stdout)
        os.unlink(os.path.join(plane.folder, "mistake.json"))
        os.unlink(os.path.join(plane.folder, "live/bad.json"))
        assert wait_for(lambda: "CDS  ACK" in run("--status", at).stdout and not plane.status()["errors"])
    finally:
        proxy.end()


def test_a_proxy_that_asks_whether_it_is_there_keeps_its_connection(plane, sluice, ports, tmp_path):
    plane.put("good", cluster("a"), endpoints("a", [1]))
    plane.start()
    config = bootstrap(plane)
    protocol = next(iter(config["static_resources"]["clusters"][0]["typed_extension_protocol_options"].values()))
    protocol["explicit_http_config"]["http2_protocol_options"]["connection_keepalive"] = {"interval": "1.2s", "timeout": "10s"}
    proxy = Proxy(sluice, ports, str(tmp_path), bootstrap=config)
    try:
        time.sleep(6)       # five of them; gRPC ends the connection at the third that comes too soon
        assert proxy.stat("cluster.xds.upstream_cx_total") == 1
    finally:
        proxy.end()


def test_a_mistake_at_the_start_ends_it(plane, run):
    plane.write("bad", '{"resources": [{"@type": "%sconfig.cluster.v3.Cluster", "nam": "x"}]}' % API)
    for words in ([plane.folder], ["--check", plane.folder]):
        done = run(*words)
        assert done.returncode == 1 and "bad.json:1:" in done.stderr and "did you mean" in done.stderr, done
    assert "No such file" in run("--check", plane.folder + "/nowhere").stderr


@pytest.mark.parametrize("words, says", [
    ([], "which directory"), (["--nonsense"], "what is --nonsense"), (["a", "b"], "what is b"), (["--listen"], "--listen needs a value"),
    (["--status", "nowhere"], "nowhere is not IP:PORT"), (["--status", "127.0.0.1:1"], "no status from 127.0.0.1:1: Connection refused"),
    (["a", "--log-level", "loud"], "loud"), (["a", "--tls-key", "k"], "belong together"), (["a", "--tls-client-ca", "c"], "belong together")])
def test_the_command_line(run, words, says):
    done = run(*words)
    assert done.returncode == 1 and says in done.stderr, done


def test_a_port_in_use(plane, run):
    plane.put("a", cluster("a"), endpoints("a", [1]))
    for flag in ("--listen", "--status-page"):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            other = {"--listen": "--status-page", "--status-page": "--listen"}[flag]
            done = run(plane.folder, flag, "127.0.0.1:%d" % taken.getsockname()[1], other, "127.0.0.1:%d" % plane.port)
        assert done.returncode == 1 and "127.0.0.1:" in done.stderr, done


def test_the_page_answers_what_it_knows_and_ends_the_rest(plane):
    plane.put("a", cluster("a"), endpoints("a", [1]))
    plane.start()
    assert "CDS 1 EDS 1" in page(plane, b"GET / HTTP/1.1\r\n\r\n")
    assert "404" in page(plane, b"GET /nowhere HTTP/1.1\r\n\r\n")
    assert "404" in page(plane, b"POST / HTTP/1.1\r\n\r\n")
    assert "404" in page(plane, b"\x16\x03\x01\r\n\r\n")
    assert page(plane, b"GET / HTTP/1.1\r\nx: " + b"y" * 100000) == ""
    many = [socket.create_connection(("127.0.0.1", plane.page)) for _ in range(100)]
    assert wait_for(lambda: page(plane, b"GET / HTTP/1.1\r\n\r\n") == "")      # one more than it takes
    for connection in many:
        connection.close()
    assert wait_for(lambda: page(plane, b"GET / HTTP/1.1\r\n\r\n"))
    plane.process.send_signal(signal.SIGTERM)
    assert plane.process.wait(20) == 0


def call(plane, path, message):
    """The head of the answer to one gRPC message, with its status when there was nothing else to say."""
    frame = b"\0" + len(message).to_bytes(4, "big") + message
    return subprocess.run(["curl", "-s", "-i", "--max-time", "60", "--http2-prior-knowledge", "-H", "content-type: application/grpc", "-H", "te: trailers",
                           "--data-binary", "@-", "http://127.0.0.1:%d%s" % (plane.port, path)], input=frame, capture_output=True).stdout.decode()


def test_what_is_no_discovery_stream_ends(plane):
    plane.put("a", cluster("a"), endpoints("a", [1]))
    plane.start()
    ads = "/envoy.service.discovery.v3.AggregatedDiscoveryService/"
    answer = call(plane, ads + "StreamAggregatedResources", b"\xff\xff")
    assert "grpc-status: 3" in answer and "these bytes are no discovery request" in answer
    assert "the first request must have a node" in call(plane, ads + "DeltaAggregatedResources", b"")
    assert "grpc-status: 8" in call(plane, ads + "StreamAggregatedResources", b"\0" * (16 * 1024 * 1024 + 1))
    for path in ("/", ads + "Fetch", "/envoy.service.route.v3.VirtualHostDiscoveryService/DeltaVirtualHosts"):
        # gRPC resets such a stream at once; when that overtakes what curl still sends, curl shows no answer.
        assert wait_for(lambda: "grpc-status: 12" in call(plane, path, b"")), path
    assert wait_for(lambda: plane.status()["clients"] == [])


def test_the_history_tells_what_drained(plane, sluice, ports, tmp_path):
    port = ports()
    base = [cluster("a"), endpoints("a", [1]), routes("main", {"a": 1})]
    plane.put("all", *base, listener("in", port, "main"))
    plane.start()
    proxy = Proxy(sluice, ports, str(tmp_path), bootstrap=bootstrap(plane), args=["--drain-time-s", "60"])

    def drained():
        pushes = json.loads(proxy.admin("/xds/history")[1])["pushes"]
        return next(push["drained"] for push in pushes if push["type"] == "LDS")

    def client():
        connection = socket.create_connection(("127.0.0.1", port), timeout=20)
        connection.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        assert connection.recv(65536)
        return connection
    try:
        assert drained() == []
        clients = [client(), client()]
        plane.put("all", *base, listener("in", port, "main", hcm={"stream_idle_timeout": "10s"}))     # in place
        assert wait_for(lambda: drained() == ["listener 'in': 1 filter chain, 2 connections"]), drained()
        changed = listener("in", port, "main", hcm={"stream_idle_timeout": "10s"})
        clients.append(client())
        plane.put("all", *base, {**changed, "per_connection_buffer_limit_bytes": 9999})               # another plan on its sockets
        assert wait_for(lambda: drained() == ["listener 'in': 1 filter chain, 3 connections"]), drained()
        clients.append(client())
        plane.put("all", *base)
        assert wait_for(lambda: drained() == ["listener 'in': 1 filter chain, 1 connection"]), drained()
        for one in clients:
            one.close()
    finally:
        proxy.end()
