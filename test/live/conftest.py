"""Shared by the tests of this folder: the binary under test (SLUICE=path for another one), and free ports."""
import os
import sys

import pytest

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
sys.path[:0] = [os.path.dirname(__file__), os.path.join(ROOT, "test/conformance"), os.path.join(ROOT, "test/conformance/behaviour")]


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
def start(sluice, ports, tmp_path):
    """start(**options) is a running proxy (rig.Proxy); all of them end with the test."""
    from rig import Proxy
    running = []

    def begin(**options):
        running.append(Proxy(sluice, ports, str(tmp_path), **options))
        return running[-1]
    yield begin
    for proxy in running:
        proxy.end()


@pytest.fixture
def plane(sluice, ports, tmp_path):
    """A tools/control_plane that is not started yet (plane_rig.ControlPlane)."""
    from plane_rig import ControlPlane
    binary = os.path.join(os.path.dirname(sluice), "control_plane")
    assert os.access(binary, os.X_OK), binary + " is not built"
    one = ControlPlane(binary, ports, str(tmp_path))
    yield one
    one.end()
