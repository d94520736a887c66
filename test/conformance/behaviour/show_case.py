#!/usr/bin/env python3
"""Runs one case on two proxies and shows how each differs from the recording, and from the other.

    show_case.py --sluice BIN --envoy BIN [--repeat N] [--show-config] ID
"""
import argparse
import asyncio
import json
import os
import sys
import tempfile

import pending
from compare import compare
from pki import Pki
from run_behaviour import find_cases, indent, run_once
from runner import Ports


def observe(case, options, binary, ports, pki):
    options.proxy = os.path.abspath(binary)
    return asyncio.run(run_once(case, options, ports, pki))


def verdict(name, run, want, case):
    diff = compare(want, run["steps"], case)
    print("%-7s %s (%d ms)" % (name, "differs from the recording" if diff or run["failed"] else "as recorded", run["ms"]))
    if diff:
        print(indent("step %d (%s)\n%s" % diff))
    if run["failed"]:
        print(indent(run["failed"] + "\n" + run["log"]))
    return not diff and not run["failed"]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("id", help="e.g. routing/path_exact")
    p.add_argument("--sluice", required=True)
    p.add_argument("--envoy", required=True)
    p.add_argument("--show-config", action="store_true")
    p.add_argument("--keep", action="store_true")
    p.add_argument("--start-timeout", type=float, default=5.0)
    p.add_argument("-v", "--verbose", action="store_true")
    options = p.parse_args()
    found = find_cases(None, None, {options.id})
    if not found:
        near = [i for i in pending.all_ids() if options.id in i]
        sys.exit("no case %s%s" % (options.id, "; did you mean: " + ", ".join(near[:8]) if near else ""))
    path, case = found[0]
    with open(path[:-5] + ".expected.json") as f:
        want = json.load(f)["steps"]
    print("case    %s: %s" % (case["id"], case["why"]))
    waits = pending.read().get(case["id"])
    print("state   %s" % ("pending, waits for: " + waits if waits else "must pass"))
    runs, good = {}, {}
    with tempfile.TemporaryDirectory(prefix="bhv-pki-") as folder:
        ports, pki = Ports(), Pki(folder)
        for name, binary in (("sluice", options.sluice), ("envoy", options.envoy)):
            if not os.access(binary, os.X_OK):
                sys.exit("%s: no binary at %s" % (name, binary))
            runs[name] = observe(case, options, binary, ports, pki)
            good[name] = verdict(name, runs[name], want, case)
            options.show_config = False
    diff = compare(runs["envoy"]["steps"], runs["sluice"]["steps"], case)
    print("both    %s" % ("the same" if not diff else "step %d (%s): envoy (-) and sluice (+)" % diff[:2]))
    if diff:
        print(indent(diff[2]))
    print("simulation: not built yet")
    sys.exit(0 if good["sluice"] else 1)


if __name__ == "__main__":
    main()
