"""The planted bugs of test/sim/mutants.yaml, and how each is put into a copy of its source file."""
import os
import textwrap

import yaml

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))


class DoesNotApply(Exception):
    pass


def load(root=ROOT):
    with open(os.path.join(root, "test/sim/mutants.yaml")) as f:
        return yaml.safe_load(f)


def indented(text, like):
    """YAML takes the indentation of the first line off: here it comes back."""
    return textwrap.indent(text, " " * like)


def mutated(mutant, root=ROOT):
    """The text of the file with the bug in it."""
    with open(os.path.join(root, mutant["file"])) as f:
        text = f.read()
    for edit in mutant["edits"]:
        wanted = [n for n in range(0, 12, 2) if text.count(indented(edit["from"], n)) == 1 and starts_a_line(text, edit["from"], n)]
        if not wanted:
            raise DoesNotApply("%s: not there exactly once: %s" % (mutant["file"], edit["from"]))
        text = text.replace(indented(edit["from"], wanted[0]), indented(edit["to"], wanted[0]))
    return text


def starts_a_line(text, edit, indentation):
    return "\n" not in edit or text[text.index(indented(edit, indentation)) - 1] == "\n"
