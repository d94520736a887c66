#!/usr/bin/env python3
"""Checks the rules of the house: who includes what (cmake/rooms.txt), sizes of files, words that must not be committed.

    tools/lint/rooms.py [ROOT]       prints FILE:LINE: message for each violation; the status is 1 if there is one
"""
import fnmatch
import os
import re
import subprocess
import sys

MAX_HEADER, MAX_SOURCE = 350, 700           # lines: more is an error
AIM_HEADER, AIM_SOURCE = 250, 500           # lines: more is a note
CODE = (".h", ".cc")
FREE = ("test/", "tools/")                  # may include everything
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
C_HEADER = re.compile(r"^(assert|ctype|errno|limits|locale|math|stdarg|stddef|stdint|stdio|stdlib|string|strings|inttypes"
                      r"|immintrin|emmintrin|nmmintrin|tmmintrin|smmintrin|x86intrin)\.h$")
# Written in pieces, so that this file passes its own check.
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME)\b")
MACHINE = re.compile(r"(?<![\w.])/(wo" r"rk|tmp/w)/")
REGISTRY = re.compile(r"\b(py" r"pi\.org|pythonhost" r"ed\.org|deb\.debian" r"\.org|security\.debian" r"\.org|registry\.npm" r"js\.org|crates" r"\.io"
                      r"|proxy\.golang" r"\.org|repo1?\.maven" r"\.(?:apache\.)?org)\b")
TEXT_RULES = [(UNFINISHED, "unfinished work is an issue, not a comment"), (MACHINE, "a path of one machine"),
              (REGISTRY, "the host of a package registry")]
CORPORA = re.compile(r"^test/(conformance|fuzz)/.*\.(jsonl?|bin|yaml|txt)$|^test/fuzz/corpus/|^LICENSE$")


class Rules:
    """cmake/rooms.txt, read."""

    def __init__(self, text):
        self.rank, self.deny, self.rooms = {}, {}, []
        for number, line in enumerate(text.splitlines(), 1):
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            kind, _, rest = line.partition(" ")
            what, _, where = rest.rpartition(" : ") if kind != "rank" else ("", "", rest)
            what, where = what.strip(), where.split()
            if kind == "rank":
                level = 1 + max(self.rank.values(), default=0)
                self.rank.update(dict.fromkeys(where, level))
            elif kind == "deny" and what:
                self.deny[what] = where
            elif kind == "room" and what:
                self.rooms.append((re.compile(what), where))
            else:
                raise SystemExit("rooms.txt:%d: cannot read: %s" % (number, line))

    def may_include(self, folder, target):
        return target == folder or (self.rank[target] < self.rank[folder] and target not in self.deny.get(folder, []))

    def room_of(self, header):
        return next((where for pattern, where in self.rooms if pattern.search(header)), None)


def folder_of(path):
    """The folder of rooms.txt that a file belongs to: source/http/http1/x.h -> http; None outside the house."""
    parts = path.split("/")
    if path == "source/main.cc":
        return "main"
    if parts[0] == "source" and len(parts) > 2:
        return parts[1]
    if parts[0] in ("filters", "xds"):
        return parts[0]
    return None


def resolve(header, path, files):
    """The path of a header in quotes, as the compiler would look it up: beside the file, then the include folders."""
    for base in (os.path.dirname(path), "source", ""):
        candidate = os.path.normpath(os.path.join(base, header))
        if candidate in files:
            return candidate
    return None


def check_include(rules, path, folder, bracket, header, files):
    """None, or what is wrong with one #include."""
    target = resolve(header, path, files) if bracket == '"' else None
    if target and not target.startswith("api/"):        # api/ is protobuf's: a room
        to = folder_of(target)
        if target.startswith(FREE):
            return "%s is for tests and tools" % header
        if to is None or to not in rules.rank:
            return "%s is in no folder of cmake/rooms.txt" % header
        if not rules.may_include(folder, to):
            return "%s may not include %s (%s)" % (folder, to, header)
        return None
    room = rules.room_of(header)
    if room is not None:
        return None if any(fnmatch.fnmatch(path, glob) for glob in room) else "%s is not in its room (%s)" % (header, " ".join(room))
    if header.startswith("absl/") or C_HEADER.match(header) or (bracket == "<" and re.fullmatch(r"[a-z_0-9]+", header)):
        return None
    return "%s: unknown header; is it in cmake/rooms.txt?" % header


def check_code(rules, path, lines, files):
    """(line, message) of one source file, without the sizes."""
    folder = folder_of(path)
    if folder is None:
        return []
    if folder not in rules.rank:
        return [(1, "the folder '%s' is not in cmake/rooms.txt" % folder)]
    found = []
    for number, line in enumerate(lines, 1):
        m = INCLUDE.match(line)
        wrong = m and check_include(rules, path, folder, m.group(1), m.group(2), files)
        if wrong:
            found.append((number, wrong))
    if path.endswith(".h") and not any(line.startswith("#pragma once") for line in lines):
        found.append((1, "a header without #pragma once"))
    return found


def check_size(path, count):
    """(is an error, message) or None."""
    most, aim = (MAX_HEADER, AIM_HEADER) if path.endswith(".h") else (MAX_SOURCE, AIM_SOURCE)
    if count > most:
        return True, "%d lines; at most %d" % (count, most)
    return (False, "%d lines; aim at %d" % (count, aim)) if count > aim else None


def committed(root):
    """Files that are in git or would be added by it."""
    out = subprocess.run(["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                         capture_output=True, text=True, check=True).stdout
    return sorted(f for f in set(out.split("\0")) if f and os.path.isfile(os.path.join(root, f)))


def lint(root, files):
    """({path: [(line, message)]}, [(path, note)])"""
    with open(os.path.join(root, "cmake/rooms.txt")) as f:
        rules = Rules(f.read())
    errors, notes, known = {}, [], set(files)
    for path in files:
        with open(os.path.join(root, path), "rb") as f:
            data = f.read()
        if b"\0" in data[:8000]:
            continue
        lines, found = data.decode("utf-8", "replace").splitlines(), []
        if not CORPORA.match(path):
            for number, line in enumerate(lines, 1):
                found += [(number, why) for pattern, why in TEXT_RULES if pattern.search(line)]
        if path.endswith(CODE):
            found += check_code(rules, path, lines, known)
            size = check_size(path, len(lines))
            if size and size[0]:
                found.append((1, size[1]))
            elif size:
                notes.append((path, size[1]))
        errors[path] = found
    return errors, notes


def main():
    root = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "../.."))
    errors, notes = lint(root, committed(root))
    for path, note in notes:
        print("note: %s: %s" % (path, note))
    for path, found in errors.items():
        for line, why in found:
            print("%s:%d: %s" % (path, line, why))
    failed = sum(bool(found) for found in errors.values())
    print("%d files, %d with a violation" % (len(errors), failed))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
