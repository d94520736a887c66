"""The runner of behaviour cases on a busy machine: what it waits for, and what may be later there than in the recording."""
import asyncio
import subprocess
import sys

import compare
import pytest
import wire
from runner import Ports, Run

LEFT = "x-envoy-expected-rq-timeout-ms"


def step(value, status=200):
    return [{"step": "http", "status": status, "origins": [{"headers": [["host", "a"], [LEFT, value]]}]}]


@pytest.mark.parametrize("value,same", [("15000", True), ("14950", True), ("14500", True), ("14450", False), ("15050", False), ("none", False)])
def test_what_is_left_of_a_timeout(value, same):
    assert (compare.compare(step("15000"), step(value), {}) is None) == same
    assert (compare.compare(step("15000"), step(value), {}, exact=True) is None) == (value == "15000")


def test_less_time_hides_nothing_else():
    assert compare.compare(step("15000"), step("14950", 503), {})
    assert compare.compare(step("15000"), [{**step("14950")[0], "origins": []}], {})


def test_what_is_ignored_may_come_at_the_end():
    left = [{"step": "http"}, {"step": "left at the end", "origins": [{"ended": "complete"}]}]
    assert compare.compare([{"step": "http"}], left, {"ignore": ["origins"]}) is None
    assert compare.compare(left, [{"step": "http"}], {"ignore": ["origins"]}) is None
    assert compare.compare([{"step": "http"}], left, {}) and compare.compare(left, [{"step": "http"}], {})


@pytest.fixture
def watched(tmp_path):
    """A Run whose proxy is a Python program; it says when it began."""
    started = []

    def begin(program):
        run = Run.__new__(Run)
        run.proc = subprocess.Popen([sys.executable, "-c", "print(1, flush=True)\n" + program], stdout=subprocess.PIPE)
        started.append(run.proc)
        run.proc.stdout.readline()
        return run
    yield begin
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_process_at_rest(watched):
    run = watched("import threading, time\nthreading.Thread(target=time.sleep, args=[60]).start()\ntime.sleep(60)")
    asyncio.run(asyncio.wait_for(run.rest(limit=60), 50))
    assert run.asleep()


def test_a_thread_that_works(watched):
    """Looks at a process with much to do hardly ever find it asleep; rest() gives up in the end."""
    run = watched("import threading\ndef work():\n    while True: pass\nthreading.Thread(target=work).start()")
    assert sum(run.asleep() for _ in range(20)) < 10
    asyncio.run(asyncio.wait_for(run.rest(limit=0.2), 50))


def test_time_stands_still_while_the_proxy_works(monkeypatch):
    """100 ms of a case: 20 ticks at which the proxy is at rest, however many there are at which it is not."""
    busy, ticks = [True] * 50, []
    monkeypatch.setattr(wire, "LONGEST", 60)
    monkeypatch.setattr(wire.Pace, "busy", lambda: busy.pop() if busy else False)

    async def tick(seconds):
        ticks.append(seconds)
        await asyncio.sleep(seconds)
    asyncio.run(wire.Pace.wait(100, tick))
    assert not busy and 50 < len(ticks) <= 71


def test_a_pause_ends_with_what_it_waits_for(monkeypatch):
    monkeypatch.setattr(wire.Pace, "busy", lambda: True)

    async def over(seconds):
        return True
    assert asyncio.run(wire.Pace.wait(100000, over))


def test_ports_of_a_case_rise():
    block = Ports()
    block.next = block.first + 3 * block.BLOCK // 4
    block.rewind()
    taken = [block.take("") for _ in range(20)]
    block.lock.close()
    assert taken == sorted(taken)
