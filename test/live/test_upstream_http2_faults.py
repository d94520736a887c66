"""HTTP/2 upstreams that go away, refuse, or shut their windows (reliability.md T26): requests are queued or tried again as allowed,
and none hangs beyond its timeout."""
import threading
import time

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings
import pytest

from rig import TYPE, Origin, cluster, wait_for
from test_upstream_faults import ask, nothing_left

Codes = h2.settings.SettingCodes


class Http2(Origin):
    """One connection after another gets `act(connection, event, number)`, with what h2 tells; `settings` go out first."""

    def __init__(self, act, settings=None):
        self.act, self.settings, self.count, self.lock = act, settings or {}, 0, threading.Lock()
        super().__init__(self.serve_http2)

    def serve_http2(self, socket):
        with self.lock:
            self.count += 1
            number = self.count
        h = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        h.initiate_connection()
        if self.settings:
            h.update_settings(self.settings)  # in force once they are acknowledged
        socket.sendall(h.data_to_send())
        while True:
            piece = socket.recv(65536)
            if not piece:
                return
            try:
                for event in h.receive_data(piece):
                    self.act(h, event, number)
            except h2.exceptions.ProtocolError:
                return
            socket.sendall(h.data_to_send())


def answer(h, stream):
    h.send_headers(stream, [(":status", "200"), ("content-length", "5")])
    h.send_data(stream, b"hello", end_stream=True)


def http2_cluster(port, **more):
    return cluster("two", port, typed_extension_protocol_options={"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": TYPE + "upstreams.http.v3.HttpProtocolOptions", "explicit_http_config": {"http2_protocol_options": {}}}}, **more)


RETRY = {"retry_on": "refused-stream", "num_retries": 2, "retry_back_off": {"base_interval": "0.005s", "max_interval": "0.01s"}}


def route(path="/two", **action):
    return {"match": {"path": path}, "route": {"cluster": "two", "timeout": "2s", **action}}


@pytest.mark.parametrize("how", ["goaway", "refused"])
def test_what_was_not_begun_may_be_sent_again(start, how):
    def act(h, event, number):
        if not isinstance(event, h2.events.RequestReceived):
            return
        if number > 1 and how == "goaway" or tries[0] > 0 and how == "refused":
            answer(h, event.stream_id)
        elif how == "goaway":
            h.close_connection(last_stream_id=0)
        else:
            h.reset_stream(event.stream_id, h2.errors.ErrorCodes.REFUSED_STREAM)
        tries[0] += 1
    tries = [0]
    origin = Http2(act)
    proxy = start(clusters=[http2_cluster(origin.port)], routes=[route(retry_policy=RETRY), route("/once")])
    descriptors = proxy.descriptors()
    assert ask(proxy, "/two", "POST", b"body") == (200, b"hello", True)
    assert tries[0] == 2
    origin.count, tries[0] = 0, 0
    if how == "goaway":
        assert wait_for(lambda: proxy.stat("cluster.two.upstream_cx_active") <= 1)
    status = ask(proxy, "/once")[0]
    assert status == (503 if how == "refused" else 200)  # the connection that was not told to go is used again
    origin.end()
    nothing_left(proxy, descriptors, "two")


def test_one_stream_at_a_time(start):
    """The pool opens more connections."""
    hold = threading.Event()

    def act(h, event, number):
        if isinstance(event, h2.events.RequestReceived):
            hold.wait(20)
            answer(h, event.stream_id)
    origin = Http2(act, {Codes.MAX_CONCURRENT_STREAMS: 1})
    proxy = start(clusters=[http2_cluster(origin.port)], routes=[route(timeout="10s")])
    descriptors = proxy.descriptors()
    hold.set()
    assert ask(proxy, "/two") == (200, b"hello", True)  # before a peer's settings have come anything goes
    hold.clear()
    got = []
    clients = [threading.Thread(target=lambda: got.append(ask(proxy, "/two"))) for _ in range(5)]
    for number, client in enumerate(clients, 1):  # a new connection takes what waits for it until its settings come
        client.start()
        assert wait_for(lambda: origin.count == number and proxy.stat("cluster.two.upstream_rq_active") == number)
    hold.set()
    for client in clients:
        client.join(20)
    assert got == [(200, b"hello", True)] * 5
    origin.end()
    nothing_left(proxy, descriptors, "two")


def test_no_stream_at_all(start):
    """Nobody waits longer than the route says."""
    origin = Http2(lambda h, event, number: None, {Codes.MAX_CONCURRENT_STREAMS: 0})
    proxy = start(clusters=[http2_cluster(origin.port)], routes=[route(timeout="0.5s")])
    descriptors = proxy.descriptors()
    assert ask(proxy, "/two")[0] in (503, 504)  # the first may leave before the settings come
    begun = time.monotonic()
    assert ask(proxy, "/two")[0] in (503, 504)
    assert time.monotonic() - begun < 5  # a client waits for 15
    origin.end()
    nothing_left(proxy, descriptors, "two")


def test_a_shut_window(start):
    """An upload into a window of 0 waits for it, and for no longer than the route says; when it opens the bytes are intact."""
    opens = threading.Event()
    got = []

    def act(h, event, number):
        if isinstance(event, h2.events.RequestReceived) and opens.is_set():
            h.increment_flow_control_window(1 << 20, event.stream_id)
        elif isinstance(event, h2.events.DataReceived):
            got.append(event.data)
            h.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamEnded):
            answer(h, event.stream_id)
    origin = Http2(act, {Codes.INITIAL_WINDOW_SIZE: 0})
    proxy = start(clusters=[http2_cluster(origin.port)], routes=[route(timeout="10s"), route("/short", timeout="0.5s")])
    descriptors = proxy.descriptors()
    opens.set()
    assert ask(proxy, "/two") == (200, b"hello", True)  # from here on its settings are known
    body = bytes(range(256)) * 400
    assert ask(proxy, "/two", "POST", body) == (200, b"hello", True)
    assert b"".join(got) == body
    opens.clear()
    del got[:]
    begun = time.monotonic()
    status = ask(proxy, "/short", "POST", body)[0]
    # The proxy has room for the whole request, and then the route's time runs.
    assert status == 504 and 0.4 < time.monotonic() - begun < 5
    assert got == []
    origin.end()
    nothing_left(proxy, descriptors, "two")
