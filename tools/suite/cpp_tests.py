#!/usr/bin/env python3
"""Runs the C++ tests of one build folder and counts what GoogleTest counted.    cpp_tests.py PRESET [ctest arguments]

A test that fails, and a program that does not end, run once more, alone (once_more.py); a program that dies is believed at once.
"""
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml

from once_more import believed

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
LIMIT = 300             # seconds for one program


class Program:
    """How one entry of ctest ended. One that is no GoogleTest, or died, is a single test, which has the program's name."""

    def __init__(self, case, said):
        """case: ctest's verdict; said: GoogleTest's report, a path that need not exist."""
        self.name, good = case.get("name"), case.get("status") == "run"
        self.endless = not good and float(case.get("time", 0)) >= LIMIT
        self.passed, self.failed = google_tests(said) or (int(good), [])
        if not good and not self.failed:
            self.failed = [self.name]
        self.died = self.failed == [self.name] and not self.endless


def google_tests(path):
    """(tests that passed, names of those that failed) of a report; None without one."""
    try:
        top = xml.parse(path).getroot()
    except (OSError, xml.ParseError):       # it died before or while it wrote
        return None
    cases = [case for case in top.iter("testcase") if case.get("status") != "notrun"]
    failed = [case for case in cases if case.find("failure") is not None]
    skipped = sum(case.get("result") == "skipped" for case in cases)
    return len(cases) - len(failed) - skipped, ["%s.%s" % (case.get("classname"), case.get("name")) for case in failed]


def run(build, arguments, names=None):
    """{name: Program} of what ctest ran. names: only these tests of GoogleTest."""
    with tempfile.TemporaryDirectory(prefix="cpp-tests-") as folder:
        report = os.path.join(folder, "ctest.xml")
        environment = {**os.environ, "GTEST_OUTPUT": "xml:" + folder + "/", **({"GTEST_FILTER": ":".join(names)} if names else {})}
        code = subprocess.run(["ctest", "--test-dir", build, "--output-on-failure", "--timeout", str(LIMIT), "--output-junit", report,
                               *arguments], env=environment).returncode
        if not os.path.exists(report):
            sys.exit("ctest ended with status %d and left no report" % code)
        cases = [c for c in xml.parse(report).getroot().iter("testcase") if c.get("status") != "disabled"]
        return {c.get("name"): Program(c, os.path.join(folder, c.get("name") + "_test.xml")) for c in cases}


def main(build, arguments):
    programs = run(build, ["-j2", *arguments])
    failed = {"%s: %s" % (program.name, test): program for program in programs.values() for test in program.failed}

    def again(names):
        still = []
        for program in dict.fromkeys(failed[name] for name in names):
            now = run(build, ["-R", "^%s$" % re.escape(program.name)], [] if program.endless else program.failed)[program.name]
            left = program.failed if now.failed == [now.name] else now.failed
            still += ["%s: %s" % (program.name, test) for test in left]
        return still
    died = [name for name, program in failed.items() if program.died]
    bad = len(died) + len(believed([name for name in failed if name not in died], again))
    good = sum(program.passed for program in programs.values()) + len(failed) - bad
    if not good and not bad:
        print("no C++ test was found")
        bad = 1
    print("%d passed, %d failed" % (good, bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(os.path.join(ROOT, "build", sys.argv[1]), sys.argv[2:]))
