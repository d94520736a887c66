"""What an attacker or a bad day brings: no descriptors, nobody there, a byte now and then."""
import os
import socket
import time

from rig import Origin, at_best, cluster, read_head, wait_for

SLOW_CLIENTS = int(os.environ.get("SLOW_CLIENTS", "5000"))


def test_no_descriptors_left(start):
    proxy = start(files=60)
    kept = proxy.connect()
    kept.settimeout(10)
    kept.sendall(b"GET /direct HTTP/1.1\r\nhost: a\r\n\r\n")
    assert read_head(kept)[0].startswith(b"HTTP/1.1 200")
    others = [proxy.connect() for _ in range(200)]  # the kernel takes them, the proxy cannot
    assert wait_for(lambda: proxy.descriptors() >= 59)
    used = at_best(lambda: proxy.cpu(2), 0.05)
    print("note: without descriptors it takes %.1f %% of a CPU" % (100 * used))
    assert used <= 0.05
    # Who is in is served.
    kept.sendall(b"GET /direct HTTP/1.1\r\nhost: a\r\n\r\n")
    assert read_head(kept)[0].startswith(b"HTTP/1.1 200")
    for other in others:
        other.close()
    assert wait_for(lambda: proxy.descriptors() < 40)
    assert wait_for(lambda: proxy.get()[0] == 200)
    assert proxy.alive()


def full_backlog():
    """An address that does not answer to SYN: its queue is full."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen(0)
    waiting = []
    for _ in range(8):
        s = socket.socket()
        s.setblocking(False)
        s.connect_ex(listening.getsockname())
        waiting.append(s)
    return listening, waiting


def test_origins_that_are_not_there(start, ports):
    hole, waiting = full_backlog()
    time.sleep(0.2)
    proxy = start(clusters=[cluster("refused", ports()), cluster("hole", hole.getsockname()[1], connect_timeout="0.5s")],
                  routes=[{"match": {"prefix": "/" + name}, "route": {"cluster": name}} for name in ("refused", "hole")])
    descriptors = proxy.descriptors()
    assert proxy.get("/refused")[0] == 503
    tries = []

    def to_the_hole():
        begun = time.monotonic()
        status, body = proxy.get("/hole")
        assert status == 503 and b"connection timeout" in body
        tries.append(time.monotonic() - begun)
        return tries[-1]
    assert at_best(to_the_hole, 1) <= 1
    assert min(tries) > 0.4
    assert proxy.stat("cluster.hole.upstream_cx_connect_timeout") == len(tries)
    assert proxy.stat("cluster.refused.upstream_cx_connect_fail") == 1
    assert wait_for(lambda: proxy.descriptors() <= descriptors + 1)
    assert proxy.get() == (200, b"direct")
    for s in [hole, *waiting]:
        s.close()


def test_slowloris(start):
    def serve(connection):
        while read_head(connection)[0]:
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
    origin = Origin(serve)
    proxy = start(origin=origin.port, hcm={"request_headers_timeout": "12s", "delayed_close_timeout": "0.5s"})
    assert proxy.get("/")[0] == 200
    descriptors, owners = proxy.descriptors(), proxy.owners()
    clients = [proxy.connect() for _ in range(SLOW_CLIENTS)]
    took = []
    for seconds in (5, 1):  # a byte in 5 s
        for client in clients:
            client.send(b"G")
        assert wait_for(lambda: proxy.stat("http.in.downstream_cx_active") >= SLOW_CLIENTS)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            begun = time.monotonic()
            assert proxy.get("/") == (200, b"ok")
            took.append(time.monotonic() - begun)
            time.sleep(0.05)
    took.sort()
    print("note: with %d slow clients the others waited %.0f ms, the slowest of them %.0f ms" % (
        SLOW_CLIENTS, 1000 * took[len(took) // 2], 1000 * took[-1]))
    assert took[len(took) * 9 // 10] < 2  # what one of them met may be the machine's
    # Their time ends: they are told so, and cut.
    assert wait_for(lambda: proxy.stat("http.in.downstream_rq_header_timeout") >= SLOW_CLIENTS, 60)
    clients[0].settimeout(10)
    assert clients[0].recv(100).startswith(b"HTTP/1.1 408")
    assert wait_for(lambda: proxy.descriptors() <= descriptors + 2, 30), (proxy.descriptors(), descriptors)
    for client in clients:
        client.close()
    assert wait_for(lambda: proxy.owners()["slabs"] <= owners["slabs"] + (4 << 20)), (owners, proxy.owners())
    assert proxy.get("/") == (200, b"ok")
    origin.end()
