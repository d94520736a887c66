#!/usr/bin/env python3
"""Runs the C++ tests of one build folder and counts what GoogleTest counted.    cpp_tests.py PRESET [ctest arguments]"""
import glob
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as xml

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))


def google_tests(folder):
    """(tests that ran and passed, tests that failed, executables that said anything, executables with a failure)"""
    passed = failed = said = bad = 0
    for path in glob.glob(os.path.join(folder, "*.xml")):
        try:
            top = xml.parse(path).getroot()
        except xml.ParseError:      # it died while it wrote: ctest's verdict counts
            continue
        skipped = sum(case.get("result") == "skipped" for case in top.iter("testcase"))
        wrong = int(top.get("failures")) + int(top.get("errors", 0))
        passed += int(top.get("tests")) - wrong - int(top.get("disabled", 0)) - skipped
        failed, said, bad = failed + wrong, said + 1, bad + bool(wrong)
    return passed, failed, said, bad


def ctest(path):
    """(passed, failed) executables, from ctest's own report."""
    top = xml.parse(path).getroot()
    cases = list(top.iter("testcase"))
    failed = sum(case.get("status") == "fail" for case in cases)
    return sum(case.get("status") == "run" for case in cases), failed


def main():
    build = os.path.join(ROOT, "build", sys.argv[1])
    folder, report = os.path.join(build, "gtest-results"), os.path.join(build, "ctest.xml")
    shutil.rmtree(folder, ignore_errors=True)
    if os.path.exists(report):
        os.remove(report)
    code = subprocess.run(["ctest", "--test-dir", build, "-j2", "--output-on-failure", "--timeout", "120", "--output-junit", report, *sys.argv[2:]],
                          env={**os.environ, "GTEST_OUTPUT": "xml:" + folder + "/"}).returncode
    if not os.path.exists(report):
        sys.exit("ctest ended with status %d and left no report" % code)
    passed, failed, said, bad = google_tests(folder)
    whole_passed, whole_failed = ctest(report)
    # Programs that are not GoogleTest, or died, are one test each.
    died = max(0, whole_failed - bad)
    passed, failed = passed + max(0, whole_passed + whole_failed - said - died), failed + died
    if not passed and not failed:
        print("no C++ test was found")
        failed = 1
    print("%d passed, %d failed" % (passed, failed))
    sys.exit(1 if failed or code else 0)


if __name__ == "__main__":
    main()
