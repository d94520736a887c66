"""Peers that stop reading: what is kept for them is bounded, and not one byte is lost or changed when they go on."""
import array
import os
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from rig import Origin, read_head, wait_for

CLIENTS = int(os.environ.get("STALLED_CLIENTS", "1000"))
SIZE = 100 * 1024 * 1024
BOUND = CLIENTS * (32 + 64) * 1024
# What is stalled may wait for long here: see what is said of tcp_mem below.
PATIENT = {"stream_idle_timeout": "0s"}
# Every eight bytes say where they stand.
CONTENT = memoryview(array.array("Q", range(SIZE // 8)).tobytes())


def read_content(connection, at, until):
    """Reads on from offset `at`, compares, and returns where it stopped."""
    while at < until:
        piece = connection.recv(min(1 << 20, until - at))
        if not piece:
            raise ConnectionError("ended at %d" % at)
        assert CONTENT[at:at + len(piece)] == piece, "other bytes at %d" % at
        at += len(piece)
    return at


def settled(value, seconds=60):
    """Waits until value() has not moved for two seconds."""
    end, last, since = time.monotonic() + seconds, value(), time.monotonic()
    while time.monotonic() < end and time.monotonic() - since < 2:
        time.sleep(0.1)
        now = value()
        if now != last:
            last, since = now, time.monotonic()
    return last


@pytest.fixture
def origin():
    made = []

    def begin(*args, **more):
        made.append(Origin(*args, **more))
        return made[-1]
    yield begin
    for one in made:
        one.end()


def test_clients_that_ask_for_much_and_do_not_read(start, origin):
    sent, lock = [0], threading.Lock()

    def serve(connection):
        head, _ = read_head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % SIZE)
        at = 0
        while head and at < SIZE:
            n = connection.send(CONTENT[at:at + 65536])
            at += n
            with lock:
                sent[0] += n
        connection.recv(1)
    proxy = start(origin=origin(serve, send=16384).port, hcm=PATIENT)
    before, descriptors, owners = proxy.owned(), proxy.descriptors(), proxy.owners()
    clients = []
    for _ in range(CLIENTS):
        clients.append(proxy.connect(receive=32768))
        clients[-1].sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
    settled(lambda: sent[0])
    assert wait_for(lambda: proxy.stat("http.in.downstream_rq_active") == CLIENTS)
    grown, held = proxy.owned() - before, sum(proxy.owners().values()) - sum(owners.values())
    print("note: %d clients that do not read: %.1f MiB more memory, %.1f MiB in our accounts, bound %.1f MiB" %
          (CLIENTS, grown / 2**20, held / 2**20, BOUND / 2**20))
    assert grown <= BOUND
    assert held <= BOUND * 5 // 4  # the last slab of each part is rounded up
    assert proxy.get() == (200, b"direct")
    # Most of them give up: what the kernel holds for a thousand stalled connections is near its own limit (tcp_mem), and
    # beyond that it stalls everybody. The others read on, one of them to the end.
    for client in clients[20:]:
        client.close()
    assert wait_for(lambda: proxy.stat("http.in.downstream_rq_active") == min(20, CLIENTS))

    def read_on(client, until):
        # Under tcp_mem's pressure the kernel drops what came into a full queue, and asks again up to two minutes later:
        # all read at once, so that these waits are not added up.
        client.settimeout(240)
        head, rest = read_head(client)
        assert head.startswith(b"HTTP/1.1 200") and CONTENT[:len(rest)] == rest
        read_content(client, len(rest), until)
    with ThreadPoolExecutor(20) as readers:
        for done in [readers.submit(read_on, clients[0], SIZE)] + [readers.submit(read_on, c, 4 << 20) for c in clients[1:20]]:
            done.result()
    for client in clients:
        client.close()
    assert wait_for(lambda: proxy.descriptors() <= descriptors + 1), (proxy.descriptors(), descriptors)
    assert wait_for(lambda: proxy.owners().get("slabs", 0) <= owners.get("slabs", 0) + (4 << 20)), proxy.owners()  # kept for reuse


def test_an_origin_that_does_not_read_an_upload(start, origin):
    go_on, done = threading.Event(), []

    def serve(connection):
        head, rest = read_head(connection)
        if not head:
            return
        assert go_on.wait(120)
        until = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        assert CONTENT[:len(rest)] == rest
        done.append(read_content(connection, len(rest), until))
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        connection.recv(1)
    proxy = start(origin=origin(serve, receive=4096).port)
    before, descriptors = proxy.owned(), proxy.descriptors()
    clients, sent = [], []
    for i in range(CLIENTS):
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16384)
        s.connect(("127.0.0.1", proxy.port))
        size = SIZE if i == 0 else 4 << 20
        s.sendall(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n\r\n" % size)
        s.setblocking(False)
        clients.append(s)
        sent.append(0)

    def push():
        for i, s in enumerate(clients):
            try:
                while True:
                    sent[i] += s.send(CONTENT[sent[i]:min(sent[i] + 65536, 4 << 20)] or b"")
                    if sent[i] >= 4 << 20:
                        break
            except BlockingIOError:
                pass
        return sum(sent)
    settled(push)
    # The circuit breakers let 1024 requests through: all of them are with the origin.
    assert wait_for(lambda: proxy.stat("cluster.origin.upstream_rq_active") == CLIENTS)
    grown = proxy.owned() - before
    print("note: %d uploads to an origin that does not read: %.1f MiB more memory, bound %.1f MiB" % (CLIENTS, grown / 2**20, BOUND / 2**20))
    assert grown <= BOUND
    assert proxy.get() == (200, b"direct")
    go_on.set()
    for i in range(10):
        clients[i].settimeout(120)
        clients[i].sendall(CONTENT[sent[i]:SIZE if i == 0 else 4 << 20])
        assert read_head(clients[i])[0].startswith(b"HTTP/1.1 200")
    assert sorted(done)[-1] == SIZE and len(done) >= 10
    for client in clients:
        client.close()
    # The connections of those ten are kept for the next requests.
    assert wait_for(lambda: proxy.descriptors() <= descriptors + 11), (proxy.descriptors(), descriptors)


def test_origins_that_never_answer(start, origin):
    def serve(connection):
        while connection.recv(65536):
            pass
    proxy = start(origin=origin(serve).port)
    before, descriptors = proxy.owned(), proxy.descriptors()
    clients = [proxy.connect() for _ in range(CLIENTS)]
    for client in clients:
        client.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
    assert wait_for(lambda: proxy.stat("cluster.origin.upstream_rq_active") == CLIENTS, 60)
    assert proxy.owned() - before <= BOUND
    assert proxy.get() == (200, b"direct")
    for client in clients:
        client.close()
    assert wait_for(lambda: proxy.descriptors() <= descriptors + 1), (proxy.descriptors(), descriptors)
    assert wait_for(lambda: proxy.stat("cluster.origin.upstream_rq_active") == 0)
