"""Programs out of Go modules."""
import os
import shutil
import subprocess

import pytest

FOLDER = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../build/interop"))


def build(name, module, version, package):
    """The program `package` of `module`, through a small module of our own; skips the test when there is no Go, or no module."""
    made = os.path.join(FOLDER, "%s-%s" % (name, version))
    if os.path.exists(made):
        return made
    if not shutil.which("go"):
        pytest.skip("%s: there is no Go on this machine" % name)
    folder = os.path.join(FOLDER, "src-" + name)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)

    def go(*words):
        return subprocess.run(["go", *words], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=1200)
    assert go("mod", "init", "interop.local/" + name).returncode == 0
    got = go("get", "%s@%s" % (package, version))
    if got.returncode:
        lines = got.stderr.strip().splitlines() or ["no reason given"]
        pytest.skip("%s: the module cannot be had: %s" % (name, lines[-1]))
    built = go("build", "-p", "2", "-o", made, package)
    assert built.returncode == 0, built.stderr
    return made
