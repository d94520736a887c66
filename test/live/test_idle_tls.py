"""What an idle TLS connection holds."""
import resource
import socket
import ssl

import pytest

from pki import Pki
from rig import tls_listener

CONNECTIONS = 1500
# OpenSSL 3.0's own share of a connection of TLS 1.3 is some 13,900 bytes.
MOST = 15_600


@pytest.fixture
def pki(tmp_path):
    return Pki(str(tmp_path / "pki")).ensure()


def test_bytes_of_an_idle_connection(start, pki):
    files = {"certificate_chain": {"filename": pki.path("server.pem")}, "private_key": {"filename": pki.path("server.key")}}
    proxy = start(listener=tls_listener({"common_tls_context": {"tls_params": {"tls_maximum_protocol_version": "TLSv1_3"}, "tls_certificates": [files]}}))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    idle = []
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 2 * CONNECTIONS), hard))

    def connect(count):
        for _ in range(count):
            one = context.wrap_socket(socket.create_connection(("127.0.0.1", proxy.port), timeout=20), server_hostname="server.test")
            one.sendall(b"GET /direct HTTP/1.1\r\nhost: a\r\n\r\n")
            got = one.recv(4096)
            assert got.startswith(b"HTTP/1.1 200"), got
            idle.append(one)

    connect(100)  # what is allocated once
    before = proxy.owned()
    connect(CONNECTIONS)
    held = (proxy.owned() - before) / CONNECTIONS
    print("%d bytes each" % held)
    assert held < MOST
    for one in idle:
        one.close()
