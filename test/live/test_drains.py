"""Leaving: clients that obey `connection: close` lose no request, whatever makes the proxy go."""
import re
import shutil
import signal
import subprocess
import time

import pytest

from rig import Client, Origin, lost, read_head, wait_for

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"


@pytest.fixture
def origin():
    def serve(connection):
        while read_head(connection)[0]:
            connection.sendall(ANSWER)
    one = Origin(serve)
    yield one
    one.end()


def run_clients(proxy, leave, again, count=30, seconds=0.0):
    clients = [Client(proxy.connect, again) for _ in range(count)]
    assert wait_for(lambda: all(c.answered > 5 for c in clients), 30)
    leave()
    time.sleep(seconds)
    return clients


def test_sigterm(start, origin):
    proxy = start(origin=origin.port, args=["--drain-time-s", "5"])
    clients = run_clients(proxy, lambda: proxy.signal(signal.SIGTERM), again=False)
    for client in clients:
        client.join(20)
    assert not lost(clients)
    assert all(client.closed == 1 for client in clients)
    assert wait_for(lambda: not proxy.alive(), 10)
    assert proxy.process.returncode == 0


@pytest.mark.parametrize("strategy", ["gradual", "immediate"])
def test_graceful_drain(start, origin, strategy):
    """The listener serves on for the drain time, says so in its answers, and closes then."""
    proxy = start(origin=origin.port, args=["--drain-time-s", "3", "--drain-strategy", strategy])
    clients = run_clients(proxy, lambda: proxy.admin("/drain_listeners?graceful", "POST"), again=True, seconds=1)
    told = sum(client.closed for client in clients)
    answered = sum(client.answered for client in clients)
    assert told > 0
    if strategy == "immediate":
        time.sleep(0.2)
        more, told = sum(c.answered for c in clients) - answered, sum(c.closed for c in clients) - told
        assert told > 0.5 * more  # every answer that began since then
    for client in clients:
        client.join(20)
    # Who connects at the moment at which the socket closes may be refused or reset before it sent anything that counts.
    assert len(lost(clients)) == 0
    assert proxy.alive()
    with pytest.raises(OSError):
        proxy.connect()


def test_skip_exit_keeps_the_listener(start, origin):
    proxy = start(origin=origin.port, args=["--drain-time-s", "1", "--drain-strategy", "immediate"])
    clients = run_clients(proxy, lambda: proxy.admin("/drain_listeners?graceful&skip_exit", "POST"), again=True, seconds=3)
    for client in clients:
        client.over.set()
        client.join(20)
    assert not lost(clients)
    assert sum(client.closed for client in clients) > len(clients)
    assert proxy.get("/")[0] == 200


def test_without_graceful_the_sockets_close_and_connections_go_on(start, origin):
    proxy = start(origin=origin.port)
    clients = run_clients(proxy, lambda: proxy.admin("/drain_listeners", "POST"), again=False, seconds=1)
    answered = sum(client.answered for client in clients)
    with pytest.raises(OSError):
        proxy.connect()
    time.sleep(0.5)
    assert sum(client.answered for client in clients) > answered
    assert not lost(clients) and not sum(client.closed for client in clients)
    for client in clients:
        client.over.set()


@pytest.mark.parametrize("direction, closes", [("INBOUND", True), ("OUTBOUND", False)])
def test_inbound_only(start, origin, direction, closes):
    proxy = start(origin=origin.port, listener={"traffic_direction": direction})
    proxy.admin("/drain_listeners?inboundonly", "POST")
    if closes:
        def refused():
            try:
                proxy.connect().close()
            except OSError:
                return True
        assert wait_for(refused)
    else:
        time.sleep(0.5)
        assert proxy.get("/")[0] == 200


@pytest.mark.parametrize("drain_type, tells", [("DEFAULT", True), ("MODIFY_ONLY", False)])
def test_failed_health_checks(start, origin, drain_type, tells):
    proxy = start(origin=origin.port, listener={"drain_type": drain_type})
    clients = run_clients(proxy, lambda: proxy.admin("/healthcheck/fail", "POST"), again=True, seconds=1)
    assert (sum(client.closed for client in clients) > 0) == tells
    proxy.admin("/healthcheck/ok", "POST")
    time.sleep(0.3)
    before = sum(client.closed for client in clients)
    time.sleep(0.5)
    assert sum(client.closed for client in clients) <= before + len(clients) * tells
    for client in clients:
        client.over.set()
        client.join(20)
    assert not lost(clients)


@pytest.mark.skipif(not shutil.which("wrk"), reason="needs wrk")
@pytest.mark.parametrize("what", ["/drain_listeners?graceful&skip_exit", "/healthcheck/fail"])
def test_wrk_loses_nothing(start, origin, what):
    """wrk obeys `connection: close`; it counts what failed."""
    proxy = start(origin=origin.port, args=["--drain-time-s", "3"])
    wrk = subprocess.Popen(["wrk", "-t1", "-c20", "-d4", "--timeout", "10", "http://127.0.0.1:%d/" % proxy.port],
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    time.sleep(1)
    proxy.admin(what, "POST")
    text = wrk.communicate(timeout=40)[0]
    assert re.search(r"[1-9]\d* requests in", text), text
    assert "Socket errors" not in text and "Non-2xx" not in text, text
    assert proxy.stat("http.in.downstream_cx_drain_close") > 20


@pytest.mark.parametrize("behind, waits", [(b"", False), (b"GET / HTTP/1.1\r\nhost: a\r\n\r\n", True)])
def test_a_client_that_says_close_is_not_waited_for(start, origin, behind, waits):
    """Unless it broke its word: closing on unread bytes would be a reset, which may cost it the answer."""
    proxy = start(origin=origin.port, hcm={"delayed_close_timeout": "100s"})
    client = proxy.connect()
    client.settimeout(20)
    client.sendall(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n" + behind)
    head, body = read_head(client)
    assert head.startswith(b"HTTP/1.1 200") and b"connection: close" in head.lower()
    while len(body) < 5:
        body += client.recv(5)
    assert body == b"hello" and client.recv(1) == b""
    active = "http.in.downstream_cx_active"
    if waits:
        assert proxy.stat(active) == 1
        client.close()
    assert wait_for(lambda: proxy.stat(active) == 0)
    assert proxy.stat("http.in.downstream_cx_destroy_local") == 1
    client.close()
