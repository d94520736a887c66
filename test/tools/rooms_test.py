"""The lint must find what it promises: every fixture here is one violation, or something that is allowed."""
import os

import pytest
import rooms

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))

with open(os.path.join(ROOT, "cmake/rooms.txt")) as f:
    TEXT = f.read()

# what every fixture finds in its house
HOUSE = {"source/base/log.h": "#pragma once\n", "source/http/header_map.h": "#pragma once\n", "source/net/transport.h": "#pragma once\n",
         "source/stats/cell.h": "#pragma once\n", "source/proxy/exchange.h": "#pragma once\n", "filters/http/router/router.h": "#pragma once\n",
         "xds/ads_session.h": "#pragma once\n", "source/server/server.h": "#pragma once\n", "source/strange/thing.h": "#pragma once\n",
         "test/support/fake_loop.h": "#pragma once\n", "api/messages.h": "#pragma once\n"}


def wrong(tmp_path, path, text):
    """The messages for one file in the house."""
    for name, content in {**HOUSE, path: text, "cmake/rooms.txt": TEXT}.items():
        target = tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content)
    errors, notes = rooms.lint(str(tmp_path), [*HOUSE, path])
    return [why for _, why in errors[path]], [note for p, note in notes if p == path]


@pytest.mark.parametrize("path,include,message", [
    ("source/base/a.cc", '"http/header_map.h"', "base may not include http"),
    ("source/http/a.cc", '"net/transport.h"', "http may not include net"),              # same rank
    ("source/http/http1/a.cc", '"net/transport.h"', "http may not include net"),        # a subfolder is its folder
    ("source/http/a.cc", '"proxy/exchange.h"', "http may not include proxy"),
    ("source/proxy/a.cc", '"filters/http/router/router.h"', "proxy may not include filters"),
    ("source/proxy/a.cc", '"xds/ads_session.h"', "proxy may not include xds"),
    ("source/server/a.cc", '"filters/http/router/router.h"', "server may not include filters"),
    ("filters/http/router/a.cc", '"xds/ads_session.h"', "filters may not include xds"),
    ("filters/http/router/a.cc", '"server/server.h"', "filters may not include server"),
    ("xds/a.cc", '"../filters/http/router/router.h"', "xds may not include filters"),     # the long way round
    ("source/http/a.cc", '"strange/thing.h"', "in no folder of cmake/rooms.txt"),
    ("source/http/a.cc", '"test/support/fake_loop.h"', "is for tests and tools"),
    ("source/proxy/a.cc", "<uv.h>", "not in its room"),
    ("source/event/timer_wheel.cc", "<uv.h>", "not in its room"),
    ("source/http/http1/a.cc", "<nghttp2/nghttp2.h>", "not in its room"),
    ("source/net/address.cc", "<openssl/ssl.h>", "not in its room"),
    ("filters/http/rbac/rbac.cc", "<re2/re2.h>", "not in its room"),
    ("source/config/compile.cc", "<yaml-cpp/yaml.h>", "not in its room"),
    ("filters/http/router/router.cc", '"envoy/config/route/v3/route.pb.h"', "not in its room"),
    ("source/model/route_table.h", "<google/protobuf/message.h>", "not in its room"),
    ("source/model/route_table.cc", '"api/messages.h"', "not in its room"),
    ("source/http/a.cc", "<sys/socket.h>", "not in its room"),
    ("source/http/a.cc", "<fstream>", "not in its room"),
    ("source/proxy/a.cc", "<random>", "not in its room"),
    ("source/proxy/a.cc", "<mutex>", "not in its room"),
    ("source/base/a.cc", "<boost/asio.hpp>", "unknown header"),
    ("source/base/a.cc", '"http/no_such_header.h"', "unknown header"),
])
def test_finds_a_wrong_include(tmp_path, path, include, message):
    errors, _ = wrong(tmp_path, path, "#pragma once\n#include " + include + "\n")
    assert len(errors) == 1 and message in errors[0]


@pytest.mark.parametrize("path,include", [
    ("source/http/a.cc", '"base/log.h"'), ("source/http/http1/a.cc", '"http/header_map.h"'), ("source/proxy/a.cc", '"net/transport.h"'),
    ("filters/http/router/a.cc", '"proxy/exchange.h"'), ("filters/http/router/a.cc", '"filters/http/router/router.h"'),
    ("source/server/a.cc", '"xds/ads_session.h"'), ("source/main.cc", '"filters/http/router/router.h"'), ("source/main.cc", '"server/server.h"'),
    ("source/event/uv_loop.cc", "<uv.h>"), ("source/http/http2/codec.cc", "<nghttp2/nghttp2.h>"), ("source/match/regex.cc", "<re2/re2.h>"),
    ("filters/http/rbac/rbac_config.cc", '"envoy/config/rbac/v3/rbac.pb.h"'), ("source/base/a.cc", "<string_view>"),
    ("source/config/message_reader.cc", '"api/messages.h"'),
    ("source/base/a.cc", "<absl/strings/str_cat.h>"), ("test/http/a_test.cc", "<uv.h>"), ("source/net/uv_network.cc", "<sys/socket.h>"),
])
def test_lets_a_right_include_pass(tmp_path, path, include):
    assert wrong(tmp_path, path, "#include " + include + "\n")[0] == []


def test_unknown_folder(tmp_path):
    assert "not in cmake/rooms.txt" in wrong(tmp_path, "source/manager/a.cc", "int x;\n")[0][0]


@pytest.mark.parametrize("path,lines,errors,notes", [
    ("source/http/a.h", 351, 1, 0), ("source/http/a.h", 350, 0, 1), ("source/http/a.h", 250, 0, 0),
    ("source/http/a.cc", 701, 1, 0), ("source/http/a.cc", 700, 0, 1), ("source/http/a.cc", 500, 0, 0), ("test/http/a_test.cc", 701, 1, 0),
])
def test_sizes(tmp_path, path, lines, errors, notes):
    found = wrong(tmp_path, path, "#pragma once\n" + "\n" * (lines - 1))
    assert (len(found[0]), len(found[1])) == (errors, notes)


def test_header_without_pragma_once(tmp_path):
    assert wrong(tmp_path, "source/http/a.h", "int x;\n")[0] == ["a header without #pragma once"]


@pytest.mark.parametrize("line,message", [
    ("// TO" + "DO: later", "unfinished"), ("# FIX" + "ME", "unfinished"), ("cd /wo" + "rk/main", "one machine"),
    ("see /tmp" + "/w/out", "one machine"), ("https://py" + "pi.org/simple", "registry"), ("http://deb.debian" + ".org/", "registry"),
])
def test_words_that_are_not_committed(tmp_path, line, message):
    errors, _ = wrong(tmp_path, "docs/a.md", "x\n" + line + "\n")
    assert len(errors) == 1 and message in errors[0]


def test_words_that_only_look_alike(tmp_path):
    assert wrong(tmp_path, "docs/a.md", "TODOS of others, /network/x, tools/work/y, PyPI\n")[0] == []


def test_a_line_it_cannot_read():
    with pytest.raises(SystemExit):
        rooms.Rules("rank base\nroom without globs\n")
