"""grpc-go's interop client and server with the proxy between them, and gRPC-Web, framed by hand, to the same server."""
import base64
import os
import struct
import subprocess
import urllib.request

import pytest

import go_module
from edge import Edge, Pki, filter_of
from runner import die_with_parent
from rig import wait_for

MODULE, VERSION = "google.golang.org/grpc", "v1.85.0"
# pick_first_unary, orca_per_rpc and orca_oob fail without a proxy, too: this server sends no id and no load.
CASES = ["empty_unary", "large_unary", "client_streaming", "server_streaming", "ping_pong", "empty_stream",
         "timeout_on_sleeping_server", "cancel_after_begin", "cancel_after_first_response", "status_code_and_message",
         "special_status_message", "custom_metadata", "unimplemented_method", "unimplemented_service", "rpc_soak", "channel_soak"]


@pytest.fixture(scope="module")
def programs():
    return [go_module.build("grpc-" + side, MODULE, VERSION, MODULE + "/interop/" + side) for side in ("server", "client")]


@pytest.fixture
def edge(sluice, block, programs, tmp_path):
    port = block.take("")
    server = subprocess.Popen([programs[0], "-port=%d" % port], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, preexec_fn=die_with_parent)
    one = None
    try:
        one = Edge(sluice, lambda: block.take(""), str(tmp_path), Pki(str(tmp_path / "pki")).ensure(), port, http2=True,
                   filters=[filter_of("web", "grpc_web.v3.GrpcWeb"),
                            filter_of("stats", "grpc_stats.v3.FilterConfig", stats_for_all_methods=True)])
        assert wait_for(lambda: web(one, "EmptyCall", b"")[0] == 200)
        yield one
        assert one.alive()
    finally:
        server.kill()
        server.wait()
        if one:
            one.end()


@pytest.mark.parametrize("way", ["h2c", "tls"])
def test_the_client_is_content_with_the_server(edge, programs, way):
    words = ["-server_port=%d" % edge.clear] if way == "h2c" else [
        "-server_port=%d" % edge.secure, "-use_tls", "-use_test_ca", "-ca_file=" + edge.pki.path("ca.pem"),
        "-server_host_override=server.test"]
    failed = []
    for case in CASES:
        run = subprocess.run([programs[1], "-server_host=127.0.0.1", "-test_case=" + case, *words], stdin=subprocess.DEVNULL,
                             capture_output=True, text=True, timeout=60, env={**os.environ, "GRPC_GO_LOG_SEVERITY_LEVEL": "error"})
        if run.returncode:
            failed.append("%s: %s" % (case, (run.stdout + run.stderr)[-400:]))
    assert not failed, "\n".join(failed)
    assert edge.stat("cluster.origin.grpc.grpc.testing.TestService.UnaryCall.success") > 0


# ---- gRPC-Web

def varint(number):
    out = b""
    while True:
        out += bytes([number & 127 | (128 if number > 127 else 0)])
        number >>= 7
        if not number:
            return out


def web(edge, method, message, text=False, headers=None):
    """Status, headers, messages, trailers."""
    body = b"\0" + struct.pack(">I", len(message)) + message
    kind = "application/grpc-web-text+proto" if text else "application/grpc-web+proto"
    call = urllib.request.Request("http://127.0.0.1:%d/grpc.testing.TestService/%s" % (edge.clear, method),
                                  base64.b64encode(body) if text else body,
                                  {"content-type": kind, "accept": kind, "x-grpc-web": "1", **(headers or {})})
    with urllib.request.urlopen(call, timeout=10) as answer:
        got, fields = answer.read(), {k.lower(): v for k, v in answer.getheaders()}
    if text:        # each message may end in its own padding
        got = b"".join(base64.b64decode(got[at:at + 4]) for at in range(0, len(got), 4))
    messages, trailers = [], {}
    while got:
        end = 5 + struct.unpack(">I", got[1:5])[0]
        if got[0] & 0x80:
            trailers.update(line.split(":", 1) for line in got[5:end].decode().split("\r\n") if line)
        else:
            messages.append(got[5:end])
        got = got[end:]
    assert fields["content-type"] == kind
    return answer.status, fields, messages, trailers


@pytest.mark.parametrize("text", [False, True], ids=["binary", "text"])
def test_web(edge, text):
    # SimpleRequest: response_size = 2, payload = 3 {body = 2}, response_status = 7
    status, _, messages, trailers = web(edge, "UnaryCall", b"\x10" + varint(3000) + b"\x1a\x07\x12\x05hello", text)
    assert status == 200 and [len(m) > 3000 for m in messages] == [True] and trailers["grpc-status"] == "0"

    sizes = (31415, 9, 2653, 58979)
    wanted = b"".join(b"\x12" + varint(1 + len(varint(n))) + b"\x08" + varint(n) for n in sizes)
    status, _, messages, trailers = web(edge, "StreamingOutputCall", wanted, text)
    assert [len(m) > n for m, n in zip(messages, sizes, strict=True)] == [True] * 4 and trailers["grpc-status"] == "0"

    _, fields, messages, trailers = web(edge, "UnaryCall", b"\x3a\x09\x08\x02\x12\x05words", text)
    assert not messages and {**fields, **trailers}["grpc-status"] == "2" and {**fields, **trailers}["grpc-message"] == "words"

    _, fields, _, trailers = web(edge, "UnimplementedCall", b"", text)
    assert {**fields, **trailers}["grpc-status"] == "12"

    _, fields, _, trailers = web(edge, "UnaryCall", b"\x10\x0a", text, {
        "x-grpc-test-echo-initial": "one", "x-grpc-test-echo-trailing-bin": base64.b64encode(b"\xab\xab\xab").decode()})
    assert fields["x-grpc-test-echo-initial"] == "one" and trailers["x-grpc-test-echo-trailing-bin"].rstrip("=") == "q6ur"
    assert edge.stat("cluster.origin.grpc-web.grpc.testing.TestService.UnaryCall.success") > 0
