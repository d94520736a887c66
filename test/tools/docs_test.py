"""Every command, configuration, link and name in the documents is true.

A fenced block says what it is: `yaml config` is validated by the binary; each line of `sh run` is run in the repository and must
succeed; the lines of `sh elsewhere` are run by other tests (they build, or never end), so here their programs, flags and files are
looked up. A block without such a word is not allowed.
"""
import glob
import json
import os
import re
import subprocess

import pytest

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
DOCS = sorted(glob.glob(ROOT + "/*.md") + glob.glob(ROOT + "/docs/*.md"))
BLOCK = re.compile(r"^```(.*?)\n(.*?)^```$", re.M | re.S)
ON_THE_MACHINE = {"gdb", "git", "valgrind", "callgrind_annotate"}


def name(path):
    return os.path.relpath(path, ROOT)


def read(path):
    with open(path) as f:
        return f.read()


def blocks(kind):
    return [pytest.param(text, id="%s-%d" % (name(doc), n)) for doc in DOCS
            for n, (what, text) in enumerate(BLOCK.findall(read(doc))) if what == kind]


def lines(kind):
    return [pytest.param(line, id=line[:70]) for block in blocks(kind) for line in block.values[0].splitlines() if line.strip()]


def test_there_are_documents():
    assert {"README.md", "CONTRIBUTING.md", "docs/lexicon.md", "docs/testing.md"} <= set(map(name, DOCS))
    assert blocks("yaml config") and lines("sh run") and lines("sh elsewhere")


@pytest.mark.parametrize("doc", DOCS, ids=name)
def test_every_block_says_what_it_is(doc):
    assert {what for what, _ in BLOCK.findall(read(doc))} <= {"yaml config", "sh run", "sh elsewhere", "text", "cpp"}


@pytest.mark.parametrize("text", blocks("yaml config"))
def test_a_configuration_loads(sluice, tmp_path, text):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    done = subprocess.run([sluice, "--mode", "validate", "-c", str(path)], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("line", lines("sh run"))
def test_a_command_succeeds(sluice, line):
    done = subprocess.run(["bash", "-c", line.replace("build/release/", os.path.dirname(sluice) + "/")], cwd=ROOT, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def help_of(program, sluice):
    """Where a program's flags are written down: its own text, with that of the program it calls; --help of what is built."""
    if program.endswith("/sluice"):
        return subprocess.run([sluice, "--help"], capture_output=True, text=True, timeout=30).stdout
    if program.startswith("build/release/"):
        return subprocess.run([os.path.join(ROOT, program), "--help"], capture_output=True, text=True, timeout=30).stdout
    calls = {"tools/test": ["tools/suite/run.py"], "tools/dev": ["test/conformance/behaviour/show_case.py", "tools/suite/run.py"]}
    return "\n".join(read(os.path.join(ROOT, p)) for p in [program, *calls.get(program, [])])


@pytest.mark.parametrize("line", lines("sh elsewhere"))
def test_a_command_exists(sluice, line):
    assert re.fullmatch(r"[\w./:=\"$()+ -]+", line.replace(",", "")), "too clever to be checked"
    words = line.replace("--args ", "").split()
    program = re.sub(r"^\./", "", words[0])
    if program in ON_THE_MACHINE:
        return
    if program == "build/venv/bin/python":
        program, words = words[1], words[1:]
    assert os.access(os.path.join(ROOT, program), os.R_OK), program
    text = help_of(program, sluice)
    for flag in [w for w in words[1:] if re.match(r"--?\w", w)]:
        assert re.search(r"(?<![\w-])%s\b" % re.escape(flag), text), "%s has no %s" % (program, flag)
    if program == "tools/dev":
        assert re.search(r"^  %s\)" % words[1], text, re.M), "tools/dev has no " + words[1]
    for word in words[1:]:
        if re.match(r"(configs|test|docs|tools|source)/", word) and "AREA" not in word:
            assert os.path.exists(os.path.join(ROOT, word)), word


@pytest.mark.parametrize("doc", DOCS, ids=name)
def test_links_lead_somewhere(doc):
    text = BLOCK.sub("", read(doc))
    wrong = [to for to in re.findall(r"\]\(([^)#]+)", text) if "://" not in to and not os.path.exists(os.path.join(os.path.dirname(doc), to))]
    assert not wrong


@pytest.mark.parametrize("doc", DOCS, ids=name)
def test_paths_are_there(doc):
    """`source/...` and the like in the text; with a folder's own name for what is built or generated."""
    text = BLOCK.sub("", read(doc))
    named = re.findall(r"`(?:\./)?((?:source|filters|xds|api|test|tools|cmake|configs|docs)/[\w./-]*)[` ]", text)
    wrong = [p for p in named if not os.path.exists(os.path.join(ROOT, p)) and "AREA" not in p and "greeting" not in p]
    assert not wrong


def test_the_code_of_the_walk_through_is_what_the_scaffold_makes(tmp_path):
    subprocess.run([ROOT + "/tools/scaffold", "greeting", "--to", str(tmp_path)], check=True, capture_output=True, timeout=30)
    made = "\n".join(read(p) for p in glob.glob(str(tmp_path) + "/**/*.*", recursive=True) if os.path.isfile(p))
    shown = [text for what, text in BLOCK.findall(read(ROOT + "/docs/writing_a_filter.md")) if what == "cpp"]
    assert len(shown) >= 4
    assert not [text for text in shown if text not in made]


def declared():
    """Every type and function name that our headers declare."""
    text = "\n".join(read(p) for folder in ("source", "filters", "xds") for p in glob.glob("%s/%s/**/*.h" % (ROOT, folder), recursive=True))
    return set(re.findall(r"\b(?:enum class|class|struct|enum|using|concept)\s+(?:\[\[nodiscard\]\]\s+)?(\w+)", text)), set(re.findall(r"\b(\w+)\(", text))


@pytest.mark.parametrize("doc", [d for d in DOCS if name(d) != "docs/status.md"], ids=name)
def test_types_are_declared(doc):
    """A word in backticks that looks like one of our types, or Type::function, is one."""
    types, functions = declared()
    types |= names_of_our_tests()
    text, wrong = BLOCK.sub("", read(doc)), []
    for word in re.findall(r"`([A-Z][a-z]\w*(?:::\w+)?)(?:\(\))?`", text):
        kind, _, function = word.partition("::")
        if kind not in types and kind != "Thread" or (function and function not in functions):
            wrong.append(word)
    assert not wrong


def test_the_lexicon_names_the_right_files():
    for ours, where in re.findall(r"^\| `(\w+)` \| `([\w/.]+)` \|", read(ROOT + "/docs/lexicon.md"), re.M):
        assert re.search(r"\b(class|struct)\s+%s\b" % ours, read(os.path.join(ROOT, where))), "%s is not in %s" % (ours, where)


def names_of_our_tests():
    """The names of all C++ tests."""
    text = "\n".join(read(p) for p in glob.glob(ROOT + "/test/**/*_test.cc", recursive=True))
    return set(re.findall(r"\bTEST(?:_F|_P)?\(\w+,\s*(\w+)\)", text))


def recorded():
    """The ids of the hostile corpora and of the behaviour cases."""
    lines = "".join(read("%s/test/conformance/%s/%s.jsonl" % (ROOT, corpus, name)) for corpus in ("http1", "http2") for name in ("open", "neighbours"))
    cases = ROOT + "/test/conformance/behaviour/cases/"
    return {json.loads(line)["id"] for line in lines.splitlines()} | {p[len(cases):-5] for p in glob.glob(cases + "**/*.yaml", recursive=True)}


def test_differences_are_pinned_by_cases():
    """The last column of each row names a case, a test or the file of one; where it says why, the text above names the file."""
    known, rows, pinned = recorded() | names_of_our_tests(), 0, False
    for line in read(ROOT + "/docs/envoy_differences.md").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("| ") else []
        if cells and cells[0] == "subject":
            pinned = cells[-1] in ("cases", "pinned by")
        elif cells and pinned:
            rows += 1
            named = re.findall(r"`([\w./-]+)`", cells[-1])
            assert named and all(n in known or os.path.exists(os.path.join(ROOT, n)) for n in named), line
    assert rows


@pytest.mark.parametrize("flag", sorted({f for doc in DOCS for f in re.findall(r"`(?:build/release/sluice )?(--[a-z-]+)", BLOCK.sub("", read(doc)))
                                         if f not in ("--once", "--quick", "--keep", "--base-port", "--refresh", "--record", "--interop")}))
def test_flags_in_the_text_are_sluices(sluice, flag):
    assert flag in help_of("build/release/sluice", sluice)
