"""What the decompressor does with bodies that are not what they say, or that are bombs: refused, and counted."""
import base64
import gzip
import http.client

import pytest

from rig import ROUTER, TYPE, Origin, read_head, wait_for

TEXT = b"hello wide world"
# Of each coding: its name in content-encoding and in types, TEXT, and a million zeros.
CODINGS = {
    "gzip": ("gzip", gzip.compress(TEXT), gzip.compress(bytes(1_000_000))),
    "br": ("brotli", base64.b64decode("Ew8AACRAchBFFkmK8zxdhgk="), base64.b64decode("o///A0ACIB4LJPf+oH6EDoAEQBwWgH7OAQ==")),
    "zstd": ("zstd", base64.b64decode("KLUv/SAQgQAAaGVsbG8gd2lkZSB3b3JsZA=="),
             base64.b64decode("KLUv/aBAQg8AVAAAEAAAAQD7/znAAgIAEAACABAAAgAQAAIAEAACABAAAgAQAAMSCgA=")),
}
ERRORS = {"gzip": "zlib_data_error", "br": "brotli_error", "zstd": "zstd_generic_error"}


def decompressor(library):
    config = {"@type": TYPE + "compression.%s.decompressor.v3.%s" % (library, library.title())}
    return {"name": "unpack", "typed_config": {"@type": TYPE + "filters.http.decompressor.v3.Decompressor",
                                               "decompressor_library": {"name": "lib", "typed_config": config}}}


def exchange(proxy, coding, body):
    """Status and body of the answer to a request with that body; a body that is cut is None."""
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=20)
    try:
        connection.request("POST" if body else "GET", "/", body, {"content-encoding": coding} if body else {})
        answer = connection.getresponse()
        try:
            return answer.status, answer.read()
        except http.client.IncompleteRead:
            return answer.status, None
    finally:
        connection.close()


@pytest.mark.parametrize("coding", CODINGS)
def test_requests(start, coding):
    library, good, bomb = CODINGS[coding]
    served = []

    def serve(connection):
        head, body = read_head(connection)
        served.append(head)
        # Only a whole request is answered: an early answer would win against the refusal of the rest.
        while head is not None and not body.endswith(b"0\r\n\r\n"):
            more = connection.recv(65536)
            if not more:
                break
            body += more
        else:
            connection.sendall(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
        connection.close()
    origin = Origin(serve)
    try:
        proxy = start(origin=origin.port, hcm={"http_filters": [decompressor(library), ROUTER]})
        assert exchange(proxy, coding, good)[0] == 200
        for bad in (b"this is not packed at all", good + b"more", bomb):
            assert exchange(proxy, coding, bad)[0] == 400
        prefix = "http.in.decompressor.lib.%s." % library
        errors = prefix + "decompressor_library."
        # A bomb is an error of its own for brotli, too.
        assert wait_for(lambda: proxy.stat(errors + ERRORS[coding]) == 3)
        assert coding != "br" or proxy.stat(errors + "brotli_output_overflow") == 1
        assert proxy.stat(prefix + "request.total_uncompressed_bytes") == len(TEXT)
    finally:
        origin.end()


@pytest.mark.parametrize("coding", CODINGS)
def test_answers(start, coding):
    library, good, bomb = CODINGS[coding]
    bodies = [good, b"this is not packed at all", good + b"more", bomb]

    def serve(connection):
        read_head(connection)
        body = bodies.pop(0)
        connection.sendall(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-encoding: %s\r\ncontent-length: %d\r\n\r\n%s"
                           % (coding.encode(), len(body), body))
        connection.close()
    origin = Origin(serve)
    try:
        proxy = start(origin=origin.port, hcm={"http_filters": [decompressor(library), ROUTER]})
        assert exchange(proxy, coding, None) == (200, TEXT)
        for _ in range(3):
            # Whether the head was on its way already or not, nothing looks whole that is not.
            status, body = exchange(proxy, coding, None)
            assert status == 502 or body is None
        assert proxy.stat("http.in.decompressor.lib.%s.decompressor_library.%s" % (library, ERRORS[coding])) == 3
        assert proxy.alive()
    finally:
        origin.end()
