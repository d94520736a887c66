"""What tools/scaffold writes, and what it refuses. That it compiles and works is test/scaffold."""
import os
import subprocess

import pytest


def scaffold(root, *args):
    return subprocess.run([os.path.join(root, "tools/scaffold"), *args], capture_output=True, text=True, timeout=30)


def test_a_name_of_several_words(root, tmp_path):
    done = scaffold(root, "count_words", "--to", str(tmp_path))
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "filters/http/count_words/count_words.h").read_text()
    assert "class CountWordsFactory" in text and "namespace sluice::filters::count_words" in text and "NAME" not in text and "Name" not in text
    builtin = (tmp_path / "filters/builtin.cc").read_text()
    assert builtin.count('#include "filters/http/count_words/count_words_config.h"') == 1
    assert builtin.count("  extensions.add(count_words::extension());") == 1
    assert "http/count_words" in (tmp_path / "filters/CMakeLists.txt").read_text()


def test_the_new_files_keep_the_rules(root, tmp_path):
    assert scaffold(root, "greeting", "--to", str(tmp_path)).returncode == 0
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "cmake").mkdir()
    (tmp_path / "cmake/rooms.txt").write_text(open(os.path.join(root, "cmake/rooms.txt")).read())
    done = subprocess.run(["python3", os.path.join(root, "tools/lint/rooms.py"), str(tmp_path)], capture_output=True, text=True, timeout=60)
    # Headers of the rest of the tree are not there.
    assert not [line for line in done.stdout.splitlines() if "greeting" in line and "unknown header" not in line], done.stdout


@pytest.mark.parametrize("name", ["Greeting", "two-words", "_x", "", "a b", "../x"])
def test_no_name(root, tmp_path, name):
    done = scaffold(root, name, "--to", str(tmp_path))
    assert done.returncode != 0 and not list(tmp_path.iterdir())


def test_nothing_is_overwritten(root):
    done = scaffold(root, "buffer")
    assert done.returncode != 0 and "there already" in done.stderr
