"""h2spec, every case, in its strict mode too, through plain text and TLS. Nothing is forgiven."""
import re
import subprocess
import xml.etree.ElementTree as ET

import pytest

import go_module
from edge import Edge, Origin, Pki

MODULE, VERSION = "github.com/summerwind/h2spec", "v2.2.1+incompatible"
# It has no go.mod, so that what it needs would be the newest.
PINS = ["golang.org/x/net@v0.62.0", "github.com/spf13/cobra@v1.10.2", "github.com/fatih/color@v1.19.0"]


@pytest.fixture(scope="module")
def h2spec():
    return go_module.build("h2spec", MODULE, VERSION, MODULE + "/cmd/h2spec", PINS)


@pytest.fixture
def edge(sluice, block, tmp_path):
    origin = Origin()
    # It opens all streams that it may, each of which is a connection to the origin, which would be busy with a thousand for seconds.
    one = Edge(sluice, lambda: block.take(""), str(tmp_path), Pki(str(tmp_path / "pki")).ensure(), origin.port,
               hcm={"http2_protocol_options": {"max_concurrent_streams": 100}})
    yield one
    one.end()
    origin.end()


@pytest.mark.parametrize("words", [[], ["-S"], ["-t", "-k"], ["-t", "-k", "-S"]], ids=["h2c", "h2c strict", "tls", "tls strict"])
def test_every_case_passes(edge, h2spec, tmp_path, words):
    junit = tmp_path / "junit.xml"
    run = subprocess.run([h2spec, "-h", "127.0.0.1", "-p", str(edge.secure if "-t" in words else edge.clear), "-o", "3", "-j", str(junit),
                          *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600)
    assert junit.exists(), run.stdout + run.stderr
    # Payloads of PING are written as they are: bytes that XML does not allow.
    cases = list(ET.fromstring(re.sub(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]", b"", junit.read_bytes())).iter("testcase"))
    bad = ["%s: %s: %s" % (c.get("package"), c.get("classname"), " ".join("".join(part.itertext()).split()))
           for c in cases for part in c if part.tag in ("failure", "error")]
    assert not bad, "\n".join(bad)
    assert len(cases) >= 145 and edge.alive()
