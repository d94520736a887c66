"""The simulation's traces are the same with every compiler and sanitizer: the same seeds in one or more builds give the hashes
that test/sim/trace_hashes.json has recorded.

    tools/suite/same_traces.py release asan              compares what the builds play with the record
    tools/suite/same_traces.py --record release          writes down what this build plays: whoever changes what happens does
"""
import json
import os
import re
import subprocess
import sys

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
RECORD = os.path.join(ROOT, "test/sim/trace_hashes.json")
SEEDS = 5


def hashes(preset):
    """By campaign, and that of a small mesh."""
    program, found = os.path.join(ROOT, "build", preset, "test/sim/sim"), {}
    for arguments in (["--seeds", str(SEEDS)], ["--mesh", "50"]):
        run = subprocess.run([program, *arguments], capture_output=True, text=True)
        if run.returncode != 0:
            sys.exit("%s %s\n%s%s" % (program, " ".join(arguments), run.stdout, run.stderr))
        for line in run.stdout.splitlines():
            if match := re.search(r"trace hash (\w+)$", line):
                found[line.split()[0] if "--seeds" in arguments else "mesh"] = match[1]
    return found


def main():
    builds = [a for a in sys.argv[1:] if a != "--record"]
    if "--record" in sys.argv:
        recorded = hashes(builds[0])
        with open(RECORD, "w") as f:
            json.dump(recorded, f, indent=1)
            f.write("\n")
        print("%d hashes recorded" % len(recorded))
        return
    with open(RECORD) as f:
        recorded = json.load(f)
    passed = failed = 0
    for build in builds:
        found = hashes(build)
        for name in sorted(set(recorded) | set(found)):
            same = recorded.get(name) == found.get(name)
            passed, failed = passed + same, failed + (not same)
            if not same:
                print("%s: %s in %s, recorded %s" % (name, found.get(name), build, recorded.get(name)))
    if failed:
        print("If the change is to happen: tools/suite/same_traces.py --record release; if only some builds differ, there is a bug.")
    print("%d passed, %d failed" % (passed, failed))
    sys.exit(bool(failed) or not passed)


if __name__ == "__main__":
    main()
