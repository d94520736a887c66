"""Programs of others as acceptance tests. They are built from their Go modules into build/interop, with the ordinary client; where
the modules cannot be had, their tests are skipped, and the last lines say so."""
import os
import sys

import pytest

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
sys.path[:0] = [os.path.dirname(__file__), os.path.join(ROOT, "test/live"), os.path.join(ROOT, "test/conformance/behaviour")]


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


def pytest_terminal_summary(terminalreporter):
    """One line for each reason (tools/suite prints the lines that begin so)."""
    skipped = terminalreporter.stats.get("skipped", [])
    for reason in sorted({report.longrepr[2] for report in skipped}):
        terminalreporter.write_line("note: %d skipped: %s" % (sum(r.longrepr[2] == reason for r in skipped), reason))
