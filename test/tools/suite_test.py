"""What ./tools/test counts, and what it shows of a step that failed."""
import re
import sys
import xml.etree.ElementTree as xml

import cpp_tests
import once_more
import pytest
import python_tests
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


def program(tmp_path, status, said=None, time="0.1"):
    """One entry of ctest's report, with what GoogleTest wrote beside it."""
    path = tmp_path / "a_test.xml"
    if said is not None:
        path.write_text(said)
    return cpp_tests.Program(xml.fromstring('<testcase name="a" status="%s" time="%s"/>' % (status, time)), str(path))


REPORT = """<testsuites tests="5"><testsuite name="S">
<testcase name="x" classname="S" status="run" result="completed"/><testcase name="y" classname="S" status="run" result="skipped"/>
<testcase name="off" classname="S" status="notrun" result="suppressed"/>
<testcase name="%s" classname="I/S" status="run" result="completed">%s</testcase></testsuite></testsuites>"""


def test_a_report_of_google_test(tmp_path):
    good = program(tmp_path, "run", REPORT % ("z/0", ""))
    assert (good.passed, good.failed) == (2, [])
    bad = program(tmp_path, "fail", REPORT % ("z/0", '<failure message="m"/><failure message="n"/>'))
    assert (bad.passed, bad.failed, bad.died) == (1, ["I/S.z/0"], False)


def test_a_program_that_is_no_google_test(tmp_path):
    assert program(tmp_path, "run").passed == 1
    assert program(tmp_path, "fail").failed == ["a"]


def test_a_program_that_dies_or_does_not_end(tmp_path):
    broken, leaks = program(tmp_path, "fail", "<testsuites"), program(tmp_path, "fail", REPORT % ("z", ""))
    assert broken.died and leaks.died and leaks.failed == ["a"]
    endless = program(tmp_path, "fail", time=str(cpp_tests.LIMIT + 0.2))
    assert endless.failed == ["a"] and not endless.died


SUBJECT = """import os, sys
out, mark = os.environ["GTEST_OUTPUT"][4:] + "a_test.xml", sys.argv[2]
wanted = os.environ.get("GTEST_FILTER", "S.x:S.y").split(":")
bad = [name for name in wanted if name == "S.y" and (sys.argv[1] == "always" or not os.path.exists(mark))]
open(mark, "w").close()
if sys.argv[1] == "dies" and bad:
    sys.exit(3)
with open(out, "w") as f:
    f.write("<testsuites>%s</testsuites>" % "".join('<testcase classname="S" name="%s" status="run">%s</testcase>' % (
        name[2:], "<failure/>" * (name in bad)) for name in wanted))
sys.exit(bool(bad))
"""


def cpp(tmp_path, how):
    """Runs a stand-in for a program of GoogleTest, whose test S.y fails the first time, or always, or dies the first time."""
    (tmp_path / "subject.py").write_text(SUBJECT)
    (tmp_path / "CTestTestfile.cmake").write_text('add_test(a "%s" "%s" "%s" "%s")\nadd_test(b "true")\n' % (
        sys.executable, tmp_path / "subject.py", how, tmp_path / "mark"))
    return cpp_tests.main(str(tmp_path), [])


@pytest.mark.parametrize("how,code,counts,notes", [("once", 0, "3 passed, 0 failed", 1), ("always", 1, "2 passed, 1 failed", 0),
                                                   ("dies", 1, "1 passed, 1 failed", 0)])
def test_a_cpp_test_that_fails_runs_once_more(tmp_path, capfd, how, code, counts, notes):
    assert cpp(tmp_path, how) == code
    out = capfd.readouterr().out
    assert out.endswith("\n%s\n" % counts) and once_more.told(out) == notes, out
    assert not notes or "note: a: S.y is not stable: it failed, then passed" in out


def test_python_is_the_one_of_the_build_folder():
    assert "/build/venv/" in sys.prefix + "/"


def test_a_step_that_does_not_end_is_ended(suite, capsys):
    suite.run("one", shell("echo before; sleep 60 & sleep 60"), limit=0.2)
    code, out = end(suite, capsys)
    assert code == 1 and "| before" in out and "the limit of this step" in out, out


PYTHON = """import os, pytest
def test_fails(): assert %s
def test_passes(): pass
"""


def python(tmp_path, condition):
    path = tmp_path / "one_test.py"
    path.write_text(PYTHON % condition)
    return python_tests.main([str(path)])


def test_a_python_test_that_fails_once_is_told(tmp_path, capfd):
    mark = tmp_path / "mark"
    assert python(tmp_path, "os.path.exists(%r) or open(%r, 'w').close()" % (str(mark), str(mark))) == 0
    out = capfd.readouterr().out
    assert re.search("^note: .*one_test.py::test_fails is not stable", out, re.M) and out.endswith("\n2 passed, 0 failed\n")


def test_a_python_test_that_fails_twice_is_a_failure(tmp_path, capfd):
    assert python(tmp_path, "False, 'a reason - with a dash'") == 1
    out = capfd.readouterr().out
    assert "not stable" not in out and out.endswith("\n1 passed, 1 failed\n")


def test_python_that_cannot_be_read_is_a_failure(tmp_path, capfd):
    assert python(tmp_path, "(") == 1
    assert capfd.readouterr().out.endswith("\n0 passed, 1 failed\n")


def test_a_step_tells_how_many_were_not_stable(suite, capsys):
    suite.run("one", shell("echo 'note: x is not stable: it failed, then passed'; echo 'note: y'; echo '7 passed, 0 failed'"))
    code, out = end(suite, capsys)
    assert code == 0 and "one  7 passed, 0 failed, 1 not stable, " in out and " s in all, 1 not stable\n7 passed, 0 failed\n" in out
