"""Packages of Python and Node, in build/interop; a test whose packages cannot be had is skipped."""
import os
import shutil
import subprocess
import sys

import pytest

FOLDER = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../build/interop"))


def run(argv, name):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600)
    if done.returncode:
        pytest.skip("%s: the packages cannot be had: %s" % (name, ((done.stdout + done.stderr).strip().splitlines() or ["no reason given"])[-1][:200]))


def fresh(name, wanted):
    """The folder, and whether it has to be filled; filled() is called when it was."""
    folder = os.path.join(FOLDER, name)
    mark = os.path.join(folder, "packages")
    if os.path.exists(mark) and open(mark).read() == " ".join(wanted):
        return folder, None
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)

    def filled():
        with open(mark, "w") as out:
            out.write(" ".join(wanted))
    return folder, filled


def python(*wanted):
    """An interpreter that has them."""
    folder, filled = fresh("python", wanted)
    program = os.path.join(folder, "bin/python")
    if filled:
        run([sys.executable, "-m", "venv", folder], "Python")
        run([program, "-m", "pip", "install", "-q", "--disable-pip-version-check", *wanted], "Python")
        filled()
    return program


def node(*wanted):
    """The environment in which node finds them."""
    if not shutil.which("node") or (wanted and not shutil.which("npm")):
        pytest.skip("Node: there is none on this machine")
    folder, filled = fresh("node", wanted)
    if filled:
        if wanted:
            run(["npm", "install", "--prefix", folder, "--no-audit", "--no-fund", "--ignore-scripts", *wanted], "Node")
        filled()
    return {**os.environ, "NODE_PATH": os.path.join(folder, "node_modules")}
