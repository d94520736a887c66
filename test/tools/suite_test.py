"""What ./tools/test counts, and what it shows of a step that failed."""
import re
import sys

import cpp_tests
import live_tests
import pytest
import steps


@pytest.fixture
def suite(monkeypatch, tmp_path):
    monkeypatch.setattr(steps, "LOGS", str(tmp_path))
    return steps.Steps(["one", "two"])


def shell(text):
    return ["bash", "-c", text]


def end(suite, capsys):
    with pytest.raises(SystemExit) as status:
        suite.end()
    return status.value.code, capsys.readouterr().out


def test_counts_are_added(suite, capsys):
    suite.run("one", shell("echo '7 passed, 0 failed'"))
    suite.run("two", shell("true"))
    code, out = end(suite, capsys)
    assert code == 0 and out.endswith("\n8 passed, 0 failed\n")


def test_a_failure_is_shown(suite, capsys):
    suite.run("one", shell("echo what happened; echo '7 passed, 2 failed'; exit 1"))
    code, out = end(suite, capsys)
    assert code == 1 and "| what happened" in out and out.endswith("\n7 passed, 2 failed\n")


def test_a_status_without_a_count_is_a_failure(suite, capsys):
    suite.run("one", shell("echo '7 passed, 0 failed'; exit 3"))
    suite.run("two", shell("exit 1"), count=steps.by_status)
    assert end(suite, capsys)[1].endswith("\n7 passed, 2 failed\n")


def test_what_a_step_needs(suite, capsys):
    suite.run("one", shell("exit 1"), count=steps.by_status)
    suite.run("two", shell("echo '9 passed, 0 failed'"), needs=["one"])
    code, out = end(suite, capsys)
    assert code == 1 and "two: not run, since 'one' failed" in out and out.endswith("\n0 passed, 2 failed\n")


def test_heartbeat(suite, capsys, monkeypatch):
    monkeypatch.setattr(steps, "HEARTBEAT", 0.05)
    suite.run("one", shell("sleep 0.3"))
    assert "one ..." in capsys.readouterr().out


@pytest.mark.parametrize("text,code,counts", [
    ("....\n59 passed in 0.18s\n", 0, (59, 0)), ("3 failed, 59 passed, 1 error in 0.18s\n", 1, (59, 4)),
    ("no tests ran in 0.01s\n", 5, (0, 1)), ("", 2, (0, 1)),
])
def test_pytest_line(text, code, counts):
    assert steps.pytest_line(text, code) == counts


def test_google_test_reports(tmp_path):
    (tmp_path / "a_test.xml").write_text(
        '<testsuites tests="4" failures="1" disabled="1" errors="0"><testsuite>'
        '<testcase name="x" result="completed"/><testcase name="y" result="skipped"/></testsuite></testsuites>')
    (tmp_path / "b_test.xml").write_text('<testsuites tests="3" failures="0" disabled="0" errors="0"/>')
    (tmp_path / "c_test.xml").write_text("<testsuites")
    assert cpp_tests.google_tests(str(tmp_path)) == (4, 1, 2, 1)


def test_ctest_report(tmp_path):
    (tmp_path / "r.xml").write_text('<testsuite><testcase status="run"/><testcase status="run"/><testcase status="fail"/></testsuite>')
    assert cpp_tests.ctest(str(tmp_path / "r.xml")) == (2, 1)


def test_python_is_the_one_of_the_build_folder():
    assert "/build/venv/" in sys.prefix + "/"


def test_a_step_that_does_not_end_is_ended(suite, capsys):
    suite.run("one", shell("echo before; sleep 60 & sleep 60"), limit=0.2)
    code, out = end(suite, capsys)
    assert code == 1 and "| before" in out and "the limit of this step" in out, out


LIVE = """import os, pytest
def test_fails(): assert %s
def test_passes(): pass
"""


def live(tmp_path, condition):
    path = tmp_path / "one_test.py"
    path.write_text(LIVE % condition)
    return live_tests.main([str(path)])


def test_what_fails_once_is_told(tmp_path, capfd):
    mark = tmp_path / "mark"
    assert live(tmp_path, "os.path.exists(%r) or open(%r, 'w').close()" % (str(mark), str(mark))) == 0
    out = capfd.readouterr().out
    assert re.search("^note: .*one_test.py::test_fails is not stable", out, re.M) and out.endswith("\n2 passed, 0 failed\n")


def test_what_fails_twice_is_a_failure(tmp_path, capfd):
    assert live(tmp_path, "False, 'a reason - with a dash'") == 1
    out = capfd.readouterr().out
    assert "not stable" not in out and out.endswith("\n1 passed, 1 failed\n")


def test_what_cannot_be_read_is_a_failure(tmp_path, capfd):
    assert live(tmp_path, "(") == 1
    assert capfd.readouterr().out.endswith("\n0 passed, 1 failed\n")
