#!/usr/bin/env python3
"""Instructions of each step of a request (docs/life_of_a_request.md), counted by callgrind and held to what
instructions.json records: a step or a whole request that costs over 3 % more is a failure. Who has a reason for it
records the new counts with the change, and so does who made it cheaper.

    build/venv/bin/python test/perf/instructions.py             judge
    build/venv/bin/python test/perf/instructions.py --record    write down what is counted now, and the document's column

Counts hang on the compiler: another one than the recorded is told and not judged.
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
RECORD = os.path.join(ROOT, "test/perf/instructions.json")
DOCUMENT = os.path.join(ROOT, "docs/life_of_a_request.md")
SCENARIOS = {"small": "GET, 512 bytes back", "post_10k": "POST of 10 KB, 512 bytes back", "body_100k": "GET, 100 KB back",
             "edge": "as small, with 500 virtual hosts of 10 routes"}
REQUESTS = 8
MARGIN = 0.03
FEW = 12                # instructions: less than that is no news in a step, whatever it is in percent
EDGE = 1.10             # a request with 5000 routes, against one with a single route


def count(binary, scenario):
    """Instructions of one request: {step: count}. The dumps are named after the step that begins."""
    with tempfile.TemporaryDirectory() as folder:
        # The C library chooses its memcpy by the processor: the same one everywhere.
        environment = dict(os.environ, GLIBC_TUNABLES="glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX2,-AVX,-ERMS,-FSRM")
        subprocess.run(["valgrind", "--tool=callgrind", "--collect-atstart=no", "--callgrind-out-file=%s/out" % folder,
                        binary, scenario, str(REQUESTS)], check=True, env=environment, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, timeout=600)
        dumps = []
        for name in os.listdir(folder):
            with open(os.path.join(folder, name)) as f:
                text = f.read()
            part = re.search(r"^part: (\d+)$", text, re.M)
            trigger = re.search(r"^desc: Trigger: Client Request: (.*)$", text, re.M)
            if trigger:
                dumps.append((int(part.group(1)), trigger.group(1), int(re.search(r"^totals: (\d+)|^summary: (\d+)", text, re.M).group(0).split()[1])))
    steps, step = {}, "before"
    for _, name, instructions in sorted(dumps):
        steps[step] = steps.get(step, 0) + instructions
        step = "before" if name == "end" else name
    return {name: round(total / REQUESTS) for name, total in steps.items()}


def judge(scenario, was, now):
    """Lines that tell what changed too much."""
    out = []
    for step in sorted(set(was) | set(now)):
        a, b = was.get(step, 0), now.get(step, 0)
        if b - a > max(FEW, MARGIN * a):
            out.append("%s, %s: %d instructions, recorded %d" % (scenario, step, b, a))
    a, b = sum(was.values()), sum(now.values())
    if b - a > MARGIN * a:
        out.append("%s, the whole request: %d instructions, recorded %d" % (scenario, b, a))
    return out


def write_document(small):
    """Fills the last column of the document's table; a step that no kept connection has gets a dash."""
    lines = open(DOCUMENT).read().split("\n")
    for i, line in enumerate(lines):
        step = re.match(r"\| \d+ \| \*\*(.*?)\*\*", line)
        if step:
            lines[i] = "%s | %s |" % (line.rsplit(" | ", 1)[0], small.get(step.group(1), "-"))
    open(DOCUMENT, "w").write("\n".join(lines))


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--binary", default=os.path.join(ROOT, "build/release/test/perf/request_steps"))
    p.add_argument("--record", action="store_true")
    options = p.parse_args()
    if shutil.which("valgrind") is None or not os.path.exists(options.binary):
        print("note: instructions are not counted: no valgrind\n0 passed, 0 failed")
        return 0
    compiler = subprocess.run(["c++", "-dumpfullversion"], capture_output=True, text=True).stdout.strip()
    recorded = json.load(open(RECORD)) if os.path.exists(RECORD) else {"compiler": None, "steps": {}}
    if recorded["compiler"] != compiler and not options.record:
        print("note: instructions are not judged: recorded with %s, this is %s\n0 passed, 0 failed" % (recorded["compiler"], compiler))
        return 0
    counted = {scenario: count(options.binary, scenario) for scenario in SCENARIOS}
    failures = []
    for scenario, steps in counted.items():
        print("%s (%s): %d instructions a request" % (scenario, SCENARIOS[scenario], sum(steps.values())))
        for step, instructions in steps.items():
            print("    %6d  %s" % (instructions, step))
        failures += judge(scenario, recorded["steps"].get(scenario, {}), steps)
    small, edge = (sum(counted[scenario].values()) for scenario in ("small", "edge"))
    if edge > EDGE * small:
        failures.append("5000 routes cost %d instructions a request, one route %d" % (edge, small))
    if options.record:
        with open(RECORD, "w") as f:
            json.dump({"compiler": compiler, "steps": counted}, f, indent=1)
            f.write("\n")
        write_document(counted["small"])
        return 0
    print("\n".join(failures))
    if failures:
        print("If there is a reason for it: test/perf/instructions.py --record, and the reason in the commit message.")
    print("%d passed, %d failed" % (max(0, len(SCENARIOS) + 1 - len(failures)), len(failures)))
    return int(bool(failures))


if __name__ == "__main__":
    sys.exit(main())
