"""What fails is run once more before it is believed: the rule, and that runners of corpora keep it."""
import argparse
import importlib.machinery
import importlib.util
import json
import os

import hostile
import once_more
import pending
import pytest

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))


def test_what_fails_once_is_told(capsys):
    asked = []

    def again(names):
        asked.append(names)
        return ["b", "never asked"]
    assert once_more.believed(["a", "b", "c"], again) == ["b"] and asked == [["a", "b", "c"]]
    out = capsys.readouterr().out
    assert out == "note: a is not stable: it failed, then passed\nnote: c is not stable: it failed, then passed\n"
    assert once_more.told("before\n" + out) == 2


def test_why_it_failed_is_told_too(capsys):
    assert once_more.believed(["a", "b"], lambda names: ["b"], why={"a": "it came\nlate", "b": "no"}) == ["b"]
    assert capsys.readouterr().out == "note: a is not stable: it failed, then passed\n    it came\n    late\n"


def test_what_fails_too_often_is_no_accident(capsys):
    names = ["case %d" % i for i in range(once_more.MANY + 1)]
    assert once_more.believed(names, lambda names: pytest.fail("it ran again")) == names
    assert once_more.believed([], lambda names: pytest.fail("it ran again")) == []
    assert capsys.readouterr().out == ""


class Proxy:
    def __init__(self, failure=None):
        self.failure = failure

    def __exit__(self, *_):
        pass


class Runner:
    returncode = 0

    def wait(self):
        pass


@pytest.mark.parametrize("rounds,failure,code,last", [
    ([{"a"}, set()], None, 0, "5 passed, 0 failed"), ([{"a"}, {"a"}], None, 1, "4 passed, 1 failed"), ([set()], "it died", 1, "3 passed, 1 failed")])
def test_hostile_cases(capsys, rounds, failure, code, last):
    """Each proxy's end is a test, too: also that of the second run."""
    played = []

    def start(cases, out):
        bad = rounds[len(played)]
        played.append([c["id"] for c in cases])
        with open(out, "w") as f:
            json.dump([{"id": c["id"], "ok": c["id"] not in bad, "why": "w"} for c in cases], f)
        return Proxy(failure), Runner()
    with pytest.raises(SystemExit) as status:
        hostile.judge(argparse.Namespace(jobs=1, json=None), [{"id": i} for i in "abc"], start, lambda r: "shown")
    out = capsys.readouterr().out
    assert status.value.code == code and out.endswith(last + "\n"), out
    assert played[1:] == [["a"]] * (len(rounds) - 1) and once_more.told(out) == (len(rounds) == 2 and not code)


def script(corpus):
    name = corpus + "_run"
    loader = importlib.machinery.SourceFileLoader(name, "%s/test/conformance/%s/run" % (ROOT, corpus))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


@pytest.mark.parametrize("rounds,code", [([{}, {"cds": True}], 0), ([{}, {}], 1), ([{"cds": "died"}], 1)])
def test_conversations(monkeypatch, tmp_path, capsys, rounds, code):
    run, asked = script("xds"), []
    (tmp_path / "cases").mkdir()
    for name in ("cds", "lds"):
        (tmp_path / "cases" / (name + ".yaml")).touch()
    (tmp_path / "pending.txt").touch()
    monkeypatch.setattr(run, "HERE", str(tmp_path))
    monkeypatch.setattr(run, "PENDING", str(tmp_path / "pending.txt"))
    monkeypatch.setattr("sys.argv", ["run"])

    def outcomes(options, ids, jobs):
        now = {"lds": True, **rounds[len(asked)]}
        asked.append((ids, jobs))
        return {i: {"id": i, "ok": now.get(i) is True, "died": now.get(i) == "died", "why": "w", "message": "m"} for i in ids}
    monkeypatch.setattr(run, "outcomes", outcomes)
    with pytest.raises(SystemExit) as status:
        run.main()
    out = capsys.readouterr().out
    assert status.value.code == code and asked == [(["cds", "lds"], 2), (["cds"], 1)][:len(rounds)]
    assert once_more.told(out) == (not code) and out.endswith("%d passed, %d failed\n" % (2 - code, code))


def test_configurations(monkeypatch, capsys):
    """Below the floor what is wrong is judged once more; at the floor it is only what is known to be wrong."""
    run, rounds, asked = script("behaviour"), [], []

    def behaviour(options, *more):
        asked.append(more[-1])
        now = rounds.pop(0)
        return {i: {"id": i, "ok": i in now, "why": "", "message": ""} for i in (WANT if more[-1] == "--configs" else more[-1].split(","))}
    monkeypatch.setattr(run, "behaviour", behaviour)
    monkeypatch.setattr(run, "wanted", lambda: WANT)
    monkeypatch.setattr(pending, "floor", lambda: {"accept": 2, "reject": 0})
    options = argparse.Namespace(proxy="/none/sluice", refresh=False, verbose=False)
    for rounds[:], code, told in (["ab"], 0, 0), (["a", "b"], 0, 1), (["a", ""], 1, 0):
        asked.clear()
        again = len(rounds) == 2
        assert run.configs(options) == code
        assert once_more.told(capsys.readouterr().out) == told and asked == ["--configs", "b,c"][:1 + again]


WANT = {"a": "accept", "b": "accept", "c": "accept"}
