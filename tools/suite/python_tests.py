#!/usr/bin/env python3
"""Runs pytest on these paths, and what fails once more, alone (once_more.py).    python_tests.py PATH... [pytest's options]

The last line is 'N passed, M failed'.
"""
import os
import re
import subprocess
import sys

from once_more import believed
from steps import pytest_line

FAILED = 1              # pytest's status when tests failed; others say that it could not run them


def run(arguments):
    """(what pytest wrote, its status)"""
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "--tb=short", "-p", "no:cacheprovider", "-rfE", *arguments],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                          env={**os.environ, "COLUMNS": "1000"})
    print(done.stdout, end="", flush=True)
    return done.stdout, done.returncode


def failures(text):
    """The names in pytest's closing summary, in its order."""
    return list(dict.fromkeys(re.findall(r"^(?:FAILED|ERROR) (\S+::.+?)(?: - .*)?$", text, re.M)))


def main(arguments):
    text, code = run(arguments)
    passed, failed = pytest_line(text, code)
    names = failures(text)

    def again(names):
        text, code = run(names)
        return failures(text) if code in (0, FAILED) else names

    if code == FAILED and names:
        failed = len(believed(names, again))
        passed += len(names) - failed
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
