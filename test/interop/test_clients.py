"""Clients that people use, through plain text and TLS, HTTP/1.1 and HTTP/2; and WebSockets."""
import hashlib
import json
import os
import shutil
import subprocess

import pytest

import packages
from edge import Edge, Origin, Pki
from go_module import FOLDER
from runner import die_with_parent

CLIENTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "clients")
HTTPX, WEBSOCKETS, WS = "httpx[http2]==0.28.1", "websockets==15.0.1", "ws@8.18.3"
WAYS = ["h1 clear", "h1 secure", "h2 clear", "h2 secure"]
VERSIONS = {"h1": "HTTP/1.1", "h2": "HTTP/2.0"}
WANTED = {"text": Origin.TEXT.decode(), "echo": True, "big": hashlib.sha256(Origin.MIB).hexdigest(), "head": len(Origin.TEXT), "parallel": 50}


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    return Pki(str(tmp_path_factory.mktemp("pki"))).ensure()


@pytest.fixture
def edge(sluice, block, tmp_path, pki):
    origin = Origin()
    one = Edge(sluice, lambda: block.take(""), str(tmp_path), pki, origin.port)
    yield one
    assert one.alive()
    one.end()
    origin.end()


def url(edge, way, plain="http", secure="https"):
    return "%s://127.0.0.1:%d" % ((secure, edge.secure) if way.endswith("secure") else (plain, edge.clear))


def run(argv, **more):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, **more)
    assert done.returncode == 0, (done.stdout + done.stderr)[-2000:]
    return done.stdout


def judge(text, way, version=None):
    seen = json.loads(text)
    assert seen.pop("version") == (version if version and way.startswith("h2") else VERSIONS[way[:2]])
    assert seen == WANTED


@pytest.mark.parametrize("way", WAYS)
def test_go(edge, pki, way):
    if not shutil.which("go"):
        pytest.skip("Go: there is none on this machine")
    program = os.path.join(FOLDER, "net-http-client")
    run(["go", "build", "-p", "2", "-o", program, os.path.join(CLIENTS, "client.go")], env={**os.environ, "GO111MODULE": "off"})
    judge(run([program, way[:2], url(edge, way), pki.path("ca.pem")]), way)


@pytest.mark.parametrize("way", WAYS)
def test_node(edge, pki, way):
    judge(run(["node", os.path.join(CLIENTS, "client.js"), way[:2], url(edge, way), pki.path("ca.pem")], env=packages.node(WS)), way)


@pytest.mark.parametrize("way", [w for w in WAYS if w != "h2 clear"])       # httpx asks for HTTP/2 by ALPN only
def test_httpx(edge, pki, way):
    program = packages.python(HTTPX, WEBSOCKETS)
    judge(run([program, os.path.join(CLIENTS, "client_httpx.py"), way[:2], url(edge, way), pki.path("ca.pem")]), way, "HTTP/2")


@pytest.mark.parametrize("way", WAYS)
def test_curl(edge, pki, tmp_path, way):
    if not shutil.which("curl"):
        pytest.skip("curl: there is none on this machine")
    words = {"h1": ["--http1.1"], "h2": ["--http2"] if way.endswith("secure") else ["--http2-prior-knowledge"]}[way[:2]]
    base, out = url(edge, way), tmp_path / "out"
    curl = ["curl", "-sS", "--fail", "--noproxy", "*", "--cacert", pki.path("ca.pem"), *words]

    def ask(*more):
        told = run([*curl, "-o", str(out), "-w", "%{http_version} %{http_code} %{num_connects}", *more])
        return told.split(), out.read_bytes()
    version = {"h1": "1.1", "h2": "2"}[way[:2]]
    assert ask(base + "/") == ([version, "200", "1"], Origin.TEXT)
    assert ask(base + "/big") == ([version, "200", "1"], Origin.MIB)
    (tmp_path / "sent").write_bytes(b"0123456789abcdef" * 20000)
    for more in ([], ["-H", "transfer-encoding: chunked"], ["-H", "expect: 100-continue"]):
        assert ask("--data-binary", "@%s" % (tmp_path / "sent"), *more, base + "/")[1] == (tmp_path / "sent").read_bytes()
    head = run([*curl, "-I", base + "/"])
    assert "content-length: %d" % len(Origin.TEXT) in head.lower()
    if way != "h2 clear":       # a second stream with prior knowledge is an error in curl 7.88, towards every server
        many = run([*curl, "--parallel", "--parallel-max", "8", "-w", "%{http_code}\n", "-o", str(tmp_path / "many-#1"), base + "/[1-50]"])
        assert many.split() == ["200"] * 50
        assert all((tmp_path / ("many-%d" % n)).read_bytes() == Origin.TEXT for n in range(1, 51))
    # HTTP/2 is offered by ALPN, and by Upgrade, which is not taken: the answer is HTTP/1.1.
    if way == "h1 clear":
        assert run(["curl", "-sS", "--http2", "-o", str(out), "-w", "%{http_version}", base + "/"]) == "1.1"


# ---- WebSockets

@pytest.fixture
def sockets(sluice, block, tmp_path, pki):
    program = packages.python(HTTPX, WEBSOCKETS)
    origin = subprocess.Popen([program, os.path.join(CLIENTS, "websocket_origin.py")], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              text=True, preexec_fn=die_with_parent)
    one = None
    try:
        one = Edge(sluice, lambda: block.take(""), str(tmp_path), pki, int(origin.stdout.readline()),
                   hcm={"upgrade_configs": [{"upgrade_type": "websocket"}], "http2_protocol_options": {"allow_connect": True}})
        yield one
        assert one.alive()
    finally:
        origin.kill()
        origin.wait()
        if one:
            one.end()


@pytest.mark.parametrize("way", ["h1 clear", "h1 secure"])
def test_websockets(sockets, pki, way):
    program = packages.python(HTTPX, WEBSOCKETS)
    assert run([program, os.path.join(CLIENTS, "websocket_client.py"), url(sockets, way, "ws", "wss"), pki.path("ca.pem")]) == "ok\n"


@pytest.mark.parametrize("way", WAYS)
def test_ws(sockets, pki, way):
    schemes = ("h2", "h2s") if way.startswith("h2") else ("ws", "wss")
    told = run(["node", os.path.join(CLIENTS, "websocket_client.js"), url(sockets, way, *schemes), pki.path("ca.pem")], env=packages.node(WS))
    assert told == "ok\n"
