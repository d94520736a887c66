"""The bugs that tools/dev mutate plants: each still fits the source. That the simulation finds them is its own run."""
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../tools/mutate"))
from mutants import DoesNotApply, load, mutated  # noqa: E402


@pytest.mark.parametrize("mutant", load(), ids=lambda mutant: mutant["name"])
def test_it_can_be_planted(mutant, root):
    with open(os.path.join(root, mutant["file"])) as f:
        assert mutated(mutant, root) != f.read()


def test_there_are_ten_kinds():
    assert len({mutant["name"] for mutant in load()}) == len(load()) >= 10


def test_what_is_not_in_the_source_is_told(root):
    mutant = {**load()[0], "edits": [{"from": "this is not there", "to": ""}]}
    with pytest.raises(DoesNotApply, match=mutant["file"]):
        mutated(mutant, root)
