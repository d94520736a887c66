"""Programs of others as acceptance tests. They come out of Go modules and packages into build/interop, with the ordinary clients; where
those cannot be had, their tests are skipped, and the last lines say so."""
import os
import sys

import pytest

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
sys.path[:0] = [os.path.dirname(__file__), os.path.join(ROOT, "test/live"), os.path.join(ROOT, "test/conformance"), os.path.join(ROOT, "test/conformance/behaviour")]


@pytest.fixture(scope="session")
def sluice():
    path = os.path.abspath(os.environ.get("SLUICE") or os.path.join(ROOT, "build/release/sluice"))
    assert os.access(path, os.X_OK), path + " is not built"
    return path


@pytest.fixture
def block():
    """A block of a hundred ports that no other run on this machine takes."""
    from runner import Ports
    ports = Ports()
    yield ports
    ports.lock.close()


@pytest.fixture
def start(sluice, block, tmp_path):
    """start(**options) is a running proxy (rig.Proxy); all of them end with the test."""
    from rig import Proxy
    running = []

    def begin(**options):
        running.append(Proxy(sluice, lambda: block.take(""), str(tmp_path), **options))
        return running[-1]
    yield begin
    for proxy in running:
        proxy.end()


def pytest_terminal_summary(terminalreporter):
    """One line for each reason (tools/suite prints the lines that begin so)."""
    skipped = terminalreporter.stats.get("skipped", [])
    for reason in sorted({report.longrepr[2] for report in skipped}):
        terminalreporter.write_line("note: %d skipped: %s" % (sum(r.longrepr[2] == reason for r in skipped), reason))
