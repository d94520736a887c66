"""The same seeds of the simulation in two builds: their traces must have the same hashes.

    tools/suite/same_traces.py release asan
"""
import re
import subprocess
import sys

SEEDS = 5


def hashes(preset):
    """By campaign, and that of a small mesh."""
    program, found = "build/%s/test/sim/sim" % preset, {}
    for arguments in (["--seeds", str(SEEDS)], ["--mesh", "50"]):
        run = subprocess.run([program, *arguments], capture_output=True, text=True)
        if run.returncode != 0:
            sys.exit("%s %s\n%s%s" % (program, " ".join(arguments), run.stdout, run.stderr))
        for line in run.stdout.splitlines():
            if match := re.search(r"trace hash (\w+)$", line):
                found[line.split()[0] if "--seeds" in arguments else "mesh"] = match[1]
    return found


def main():
    one, other = (hashes(preset) for preset in sys.argv[1:3])
    differ = [name for name in one if other.get(name) != one[name]]
    for name in differ:
        print("%s: %s in %s, %s in %s" % (name, one[name], sys.argv[1], other.get(name), sys.argv[2]))
    print("%d passed, %d failed" % (len(one) - len(differ), len(differ)))
    sys.exit(bool(differ) or not one)


if __name__ == "__main__":
    main()
