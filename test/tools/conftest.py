"""Shared by the tests of this folder: where things are, and the binary under test (SLUICE=path for another one)."""
import os
import sys

import pytest

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
sys.path[:0] = [os.path.join(ROOT, d) for d in ("tools/lint", "tools/suite", "test/conformance/behaviour", "test/conformance")]


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def sluice():
    path = os.path.abspath(os.environ.get("SLUICE") or os.path.join(ROOT, "build/release/sluice"))
    assert os.access(path, os.X_OK), path + " is not built"
    return path


@pytest.fixture(scope="session")
def ports():
    """ports() is a free port that no other run on this machine takes."""
    from runner import Ports
    block = Ports()
    return lambda: block.take("")


@pytest.fixture
def base_port():
    """The first of ten ports in a row, ending with 0."""
    from runner import Ports
    block = Ports()
    yield block.first + 50
    block.lock.close()
