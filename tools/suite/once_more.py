"""The rule of every runner for what fails: it is run once more, alone, before that is believed.

A fault of ours fails twice. What a busy machine does (a peer that was not scheduled for a second) passes the second time: it is
told as not stable, since it may also be a fault that shows rarely. What no busy machine does is believed at once: the death of a
process of ours, a sanitizer's report.
"""
import re

MANY = 40               # more failures than these are no accident
WHY = 30                # lines
TOLD = re.compile(r"^note: .* is not stable: it \w+, then \w+$", re.M)


def believed(names, again, outcomes=("failed", "passed"), why=None):
    """Those of `names` that fail a second time. again(names) runs them with nothing beside them, and returns those that fail.
    why: {name: what the first run said}, shown with those that pass then."""
    names, why = list(names), dict(why or {})
    if not 0 < len(names) <= MANY:
        return names
    still = set(again(names))
    for name in names:
        if name not in still:
            print("note: %s is not stable: it %s, then %s" % (name, *outcomes))
            print("".join("    %s\n" % line for line in why.get(name, "").splitlines()[:WHY]), end="", flush=True)
    return [name for name in names if name in still]


def told(text):
    """How many notes of believed() there are in what a runner wrote."""
    return len(TOLD.findall(text))
