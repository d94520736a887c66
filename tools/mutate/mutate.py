"""Plants each bug of test/sim/mutants.yaml, and says which campaign of the simulation finds it after how many seeds.

Builds on build/release: of each mutant only its one file is compiled, and put in front of the libraries that have the
right one. The last line is `N caught, M missed`.
"""
import argparse
import json
import os
import re
import shlex
import subprocess
import sys

from mutants import ROOT, load, mutated

RELEASE = os.path.join(ROOT, "build/release")
PLACE = os.path.join(ROOT, "build/mutants")
LIMIT = 300             # seconds for one campaign; who needs more hangs


def unit_of(path):
    """The translation unit that the file is, or is a part of, and its command."""
    with open(os.path.join(RELEASE, "compile_commands.json")) as f:
        entries = json.load(f)
    whole = os.path.join(ROOT, path)
    for entry in entries:
        if entry["file"] == whole:
            return whole, entry["command"]
    for entry in entries:
        if "/units/" in entry["file"]:
            with open(entry["file"]) as f:
                if '"%s"' % path in f.read():
                    return entry["file"], entry["command"]
    sys.exit("mutate: nothing compiles %s" % path)


def link_command():
    commands = subprocess.run(["ninja", "-C", RELEASE, "-t", "commands", "test/sim/sim"], capture_output=True, text=True, check=True)
    return commands.stdout.strip().splitlines()[-1]


def build(mutant):
    """The program that plays campaigns, with the bug."""
    stem = os.path.join(PLACE, mutant["name"].replace(" ", "_"))
    source, made, program = stem + ".cc", stem + ".o", stem
    with open(source, "w") as f:
        f.write(mutated(mutant))
    unit, command = unit_of(mutant["file"])
    if "/units/" in unit:
        with open(unit) as f:
            parts = f.read().replace('"%s"' % mutant["file"], '"%s"' % source)
        source = stem + "_unit.cc"
        with open(source, "w") as f:
            f.write(parts)
    words = shlex.split(command)
    words[words.index("-o") + 1] = made
    words[words.index("-c") + 1] = source
    subprocess.run([*words, "-Wno-error"], cwd=RELEASE, check=True)
    link = link_command().replace("-o test/sim/sim ", "-o %s %s " % (shlex.quote(program), shlex.quote(made)), 1)
    subprocess.run(link, shell=True, cwd=RELEASE, check=True)
    return program


def campaigns():
    """Each with the number of seeds that the tests play."""
    listed = subprocess.run([os.path.join(RELEASE, "test/sim/sim"), "--list"], capture_output=True, text=True, check=True)
    return [(name, int(seeds)) for name, seeds in map(str.split, listed.stdout.splitlines())]


def play(program, campaign, seeds):
    """None, or (seed, what was seen)."""
    run = subprocess.Popen([program, "--campaign", campaign, "--seeds", str(seeds), "--until-failure"],
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    try:
        text = run.communicate(timeout=LIMIT)[0]
    except subprocess.TimeoutExpired:
        run.terminate()                     # it says at which seed it was
        text = run.communicate()[0]
    found = re.search(r"^FAIL \S+, seed (\d+): (?:seed \d+, step \d+: )?(.*)", text, re.M)
    if not found and run.returncode != 0:
        return 0, "ended with status %d" % run.returncode
    return (int(found[1]), found[2]) if found else None


def main():
    p = argparse.ArgumentParser(prog="tools/dev mutate", description=__doc__)
    p.add_argument("--seeds", type=int, help="of each campaign (default: as many as the tests play)")
    p.add_argument("--only", metavar="TEXT", help="only mutants whose name has TEXT")
    p.add_argument("--campaign", metavar="NAME", help="only this campaign")
    options = p.parse_args()
    os.makedirs(PLACE, exist_ok=True)
    caught = missed = 0
    plan = [(name, options.seeds or seeds) for name, seeds in campaigns() if options.campaign in (None, name)]
    for mutant in load():
        if options.only and options.only not in mutant["name"]:
            continue
        program = build(mutant)
        print("%s: %s" % (mutant["name"], mutant["what"]), flush=True)
        seen = [(name, play(program, name, seeds)) for name, seeds in plan]
        os.remove(program)
        for name, found in seen:
            if found:
                print("    %-10s at seed %3d: %s" % (name, *found))
        hit = any(found for _, found in seen)
        caught, missed = caught + hit, missed + (not hit)
        if not hit:
            print("    MISSED by " + ", ".join("%d seeds of %s" % (seeds, name) for name, seeds in plan))
        sys.stdout.flush()
    print("%d caught, %d missed" % (caught, missed))
    sys.exit(missed > 0 or caught == 0)


if __name__ == "__main__":
    main()
