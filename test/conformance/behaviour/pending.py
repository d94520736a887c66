"""The lists beside this file: cases that may fail (pending.txt), those that the simulation cannot play (not_simulated.txt) or in
which a paused filter is seen (not_paused.txt), and the floor of the acceptance corpus (floor.txt)."""
import glob
import os
import re

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.abspath(os.path.join(HERE, "../../.."))
PENDING, NOT_SIMULATED, NOT_PAUSED, FLOOR = (
    os.path.join(HERE, name) for name in ("pending.txt", "not_simulated.txt", "not_paused.txt", "floor.txt"))


def all_ids():
    """Every case's id, which is its path."""
    paths = glob.glob(os.path.join(HERE, "cases/**/*.yaml"), recursive=True)
    return sorted(os.path.relpath(p, os.path.join(HERE, "cases"))[:-5] for p in paths if not p.endswith(".configs.yaml"))


def rows(path):
    """Lines without comments, as (first word, the rest)."""
    with open(path) as f:
        lines = [line.split("#")[0].strip() for line in f]
    return [(line.split(None, 1) + [""])[:2] for line in lines if line]


def read(path=None):
    """{id: features it waits for, or why it is not played}"""
    path, found = path or PENDING, {}
    for name, features in rows(path):
        if not features or name in found:
            raise SystemExit("%s: %s %s" % (os.path.basename(path), name, "is there twice" if name in found else "does not say what it waits for"))
        found[name] = features
    return found


def remove(ids, path=None):
    with open(path or PENDING) as f:
        lines = f.readlines()
    with open(path or PENDING, "w") as f:
        f.writelines(line for line in lines if (line.split() or [""])[0] not in ids)


def floor():
    return {name: int(number) for name, number in rows(FLOOR)}


def raise_floor(score):
    with open(FLOOR) as f:
        text = f.read()
    for name, old in floor().items():
        text = re.sub(r"(?m)^%s \d+$" % name, "%s %d" % (name, max(old, score[name])), text)
    with open(FLOOR, "w") as f:
        f.write(text)


def judge(ok, pending):
    """({id: passed}, {id: features}) -> (cases that should pass and do not, cases that pass and should not be pending).

    What waits for "timing: ..." may pass or fail: the recording depends on when something happened to be seen."""
    return (sorted(i for i in ok if not ok[i] and i not in pending),
            sorted(i for i in ok if ok[i] and i in pending and not pending[i].startswith("timing:")))
