#!/usr/bin/env python3
"""Runs tests that use real processes, sockets and clocks: what fails is run once more, alone.    live_tests.py PATH...

A fault of ours fails twice. What a busy machine does (a client that was not scheduled for a second) passes the second time: it
is told as not stable, since it may also be a fault that shows rarely. The last line is 'N passed, M failed'.
"""
import os
import re
import subprocess
import sys

from steps import pytest_line

MANY = 8                # more failures than these are no accident


def run(paths):
    """(what pytest wrote, its status)"""
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "--tb=short", "-p", "no:cacheprovider", "-rfE", *paths],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                          env={**os.environ, "COLUMNS": "1000"})
    print(done.stdout, end="", flush=True)
    return done.stdout, done.returncode


def failures(text):
    """The names in pytest's closing summary, in its order."""
    return list(dict.fromkeys(re.findall(r"^(?:FAILED|ERROR) (\S+::.+?)(?: - .*)?$", text, re.M)))


def main(paths):
    text, code = run(paths)
    passed, failed = pytest_line(text, code)
    names = failures(text)
    if code and len(names) == failed <= MANY:
        again, code = run(names)
        better, failed = pytest_line(again, code)
        passed += better
        for name in names:
            if name not in failures(again):
                print("note: %s is not stable: it failed, then passed" % name)
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
