"""The lists of pending cases: what is a surprise, and that docs/status.md says what they say."""
import argparse
import importlib.machinery
import importlib.util
import os

import pending
import pytest
import status

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))


@pytest.fixture
def runner(monkeypatch, tmp_path):
    """The run script over four cases, with results in place of proxies, and lists of its own."""
    loader = importlib.machinery.SourceFileLoader("behaviour_run", ROOT + "/test/conformance/behaviour/run")
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("behaviour_run", loader))
    loader.exec_module(module)
    (tmp_path / "pending.txt").write_text("# why\nx/late1  retries\nx/late2  retries, tls\n")
    monkeypatch.setattr(pending, "PENDING", str(tmp_path / "pending.txt"))
    (tmp_path / "not_simulated.txt").write_text("x/good2  timing: two at once\n")
    monkeypatch.setattr(pending, "NOT_SIMULATED", str(tmp_path / "not_simulated.txt"))
    monkeypatch.setattr(pending, "all_ids", lambda: ["x/good1", "x/good2", "x/late1", "x/late2"])
    module.list = tmp_path / "pending.txt"
    module.rounds = []

    def behaviour(options, *more):
        now = module.rounds.pop(0)
        return {i: {"id": i, "ok": now[i] is True, "died": now[i] == "died", "why": "", "message": ""} for i in more[-1].split(",")}
    module.behaviour = behaviour
    return module


def run(runner, *rounds, refresh=False, simulated=False):
    runner.rounds = list(rounds)
    return runner.cases(argparse.Namespace(area=None, ids=None, every=1, refresh=refresh, simulated=simulated))


AS_LISTED = {"x/good1": True, "x/good2": True, "x/late1": False, "x/late2": False}


def test_as_listed(runner, capsys):
    assert run(runner, AS_LISTED) == 0
    assert "pending: 2 of 4" in capsys.readouterr().out


def test_a_case_that_must_pass_fails_twice(runner, capsys):
    assert run(runner, {**AS_LISTED, "x/good2": False}, {"x/good2": False}) == 1
    out = capsys.readouterr().out
    assert "FAIL x/good2" in out and out.endswith("1 passed, 1 failed\n")


def test_a_case_that_fails_once(runner, capsys):
    assert run(runner, {**AS_LISTED, "x/good2": False}, {"x/good2": True}) == 0
    assert "x/good2 is not stable: it failed, then passed" in capsys.readouterr().out


def test_a_proxy_that_dies_is_believed_at_once(runner, capsys):
    assert run(runner, {**AS_LISTED, "x/good2": "died"}) == 1
    assert "FAIL x/good2" in capsys.readouterr().out


def test_a_pending_case_that_passes(runner, capsys):
    assert run(runner, {**AS_LISTED, "x/late1": True}, {"x/late1": True}) == 1
    assert "x/late1 passes: remove it" in capsys.readouterr().out


def test_a_pending_case_that_passes_once(runner, capsys):
    assert run(runner, {**AS_LISTED, "x/late1": True}, {"x/late1": False}) == 0
    assert "it passed, then failed" in capsys.readouterr().out


def test_refresh_removes_only_what_passes(runner):
    assert run(runner, {**AS_LISTED, "x/late1": True}, {"x/late1": True}, refresh=True) == 0
    assert runner.list.read_text() == "# why\nx/late2  retries, tls\n"


def test_a_pending_case_that_does_not_exist(runner, capsys):
    runner.list.write_text("x/gone  retries\nx/late1  a\nx/late2  b\n")
    assert run(runner, AS_LISTED) == 1
    assert "x/gone is in pending.txt, but there is no such case" in capsys.readouterr().out


def test_the_simulation_plays_what_passes_live(runner, capsys):
    runner.SIMULATED = 0.5
    assert run(runner, {"x/good1": True, "x/good2": False}, simulated=True) == 0
    assert "pending: 1 of 2 cases cannot be simulated" in capsys.readouterr().out


def test_a_simulated_case_that_fails_twice(runner, capsys):
    runner.SIMULATED = 0.5
    assert run(runner, {"x/good1": False, "x/good2": False}, {"x/good1": False}, simulated=True) == 1
    assert "FAIL x/good1" in capsys.readouterr().out


def test_a_case_that_can_be_simulated_after_all(runner, capsys):
    runner.SIMULATED = 0.5
    (runner.list.parent / "not_simulated.txt").write_text("x/good2  its client\n")
    both = {"x/good1": True, "x/good2": True}
    assert run(runner, both, {"x/good2": True}, simulated=True) == 1
    assert "x/good2 passes: remove it from not_simulated.txt" in capsys.readouterr().out


def test_too_few_are_simulated(runner, capsys):
    assert run(runner, {"x/good1": True, "x/good2": False}, simulated=True) == 1
    assert "less than 70 %" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["x/late1\n", "x/late1  retries\nx/late1  tls\n"])
def test_a_line_that_is_wrong(runner, text):
    runner.list.write_text(text)
    with pytest.raises(SystemExit):
        pending.read()


def test_the_floor_only_rises(monkeypatch, tmp_path):
    (tmp_path / "floor.txt").write_text("# why\naccept 10\nreject 20\n")
    monkeypatch.setattr(pending, "FLOOR", str(tmp_path / "floor.txt"))
    pending.raise_floor({"accept": 12, "reject": 19})
    assert pending.floor() == {"accept": 12, "reject": 20}
    assert (tmp_path / "floor.txt").read_text().startswith("# why\n")


def test_status_is_up_to_date():
    with open(status.TARGET) as f:
        assert f.read() == status.text(), "run tools/dev status"


def test_every_pending_case_exists():
    assert set(pending.read()) <= set(pending.all_ids())
    assert set(pending.read(pending.NOT_SIMULATED)) <= set(pending.all_ids())
