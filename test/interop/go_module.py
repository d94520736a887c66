"""Programs out of Go modules."""
import os
import shutil
import subprocess

import pytest

FOLDER = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../build/interop"))


def build(name, module, version, package, pins=()):
    """The program `package` of `module`, through a small module of our own; skips the test when there is no Go, or no module.
    `pins`: modules with their versions, for a module that does not say them itself."""
    return made_in_a_module("%s-%s" % (name, version), ["%s@%s" % (package, version), *pins], package)


def build_own(name, source, modules):
    """A program of ours, the Go file `source`, that uses `modules` ("PATH@VERSION"); skips as build() does."""
    return made_in_a_module(name, modules, ".", source)


def made_in_a_module(name, modules, package, source=None):
    made = os.path.join(FOLDER, name)
    if os.path.exists(made):
        return made
    if not shutil.which("go"):
        pytest.skip("%s: there is no Go on this machine" % name)
    folder = os.path.join(FOLDER, "src-" + name)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    if source:
        shutil.copy(source, folder)

    def go(*words):
        return subprocess.run(["go", *words], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=1800)
    assert go("mod", "init", "interop.local/" + name).returncode == 0
    got = go("get", *modules)
    if got.returncode:
        lines = got.stderr.strip().splitlines() or ["no reason given"]
        pytest.skip("%s: the modules cannot be had: %s" % (name, lines[-1]))
    built = go("build", "-p", "2", "-o", made, package)
    assert built.returncode == 0, built.stderr
    return made
