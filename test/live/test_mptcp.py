"""enable_mptcp: a client that has multipath TCP (RFC 8684) gets it, everybody else TCP; without it nobody does."""
import socket
import struct

import pytest

IPPROTO_MPTCP, SOL_MPTCP, MPTCP_INFO = 262, 284, 1
FALLBACK = 1             # of mptcpi_flags, which stand behind six counters


def says_multipath(connection):
    try:
        return not struct.unpack_from("=I", connection.getsockopt(SOL_MPTCP, MPTCP_INFO, 128), 8)[0] & FALLBACK
    except OSError:      # what became plain TCP has no such option
        return False


def is_multipath(port):
    """Whether a connection of a client with multipath TCP, which got an answer, is one."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_MPTCP) as client:
        client.settimeout(20)
        client.connect(("127.0.0.1", port))
        client.sendall(b"GET /direct HTTP/1.1\r\nhost: a\r\n\r\n")
        assert client.recv(1000).startswith(b"HTTP/1.1 200")
        return says_multipath(client)


@pytest.fixture(autouse=True)
def multipath():
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_MPTCP) as server, \
                socket.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_MPTCP) as client:
            server.bind(("127.0.0.1", 0))
            server.listen()
            client.connect(server.getsockname())
            if says_multipath(client):
                return
        pytest.skip("this system's multipath TCP does not say of itself")
    except OSError as why:
        pytest.skip("this system has no multipath TCP: %s" % why)


@pytest.mark.parametrize("wanted", [True, False])
def test_clients_get_it_when_it_is_wanted(start, wanted):
    proxy = start(listener={"enable_mptcp": wanted})
    assert proxy.get() == (200, b"direct")
    assert is_multipath(proxy.port) == wanted
