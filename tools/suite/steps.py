"""Runs steps one after another: one line for each, with dots while it runs, what it counted, and the time it took."""
import os
import re
import signal
import subprocess
import sys
import time

from once_more import told

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
LOGS = os.path.join(ROOT, "build/test-logs")
HEARTBEAT = 10          # seconds between dots
LIMIT = 900             # seconds that a step may take, unless it says otherwise
CLOSING = re.compile(r"^(\d+) passed, (\d+) failed$", re.M)
SHOWN = 120             # lines of a failing step's output


def closing_line(text, code):
    """The counts of a program that ends with 'N passed, M failed'; without that line it is one test by its status."""
    found = CLOSING.findall(text)
    passed, failed = map(int, found[-1]) if found else (int(code == 0), 0)
    return passed, failed or int(code != 0)


def by_status(text, code):
    """A step that is no test: it counts only when it fails."""
    return 0, int(code != 0)


def pytest_line(text, code):
    """pytest's own closing line: '3 failed, 59 passed in 0.18s'."""
    last = text.strip().splitlines()[-1] if text.strip() else ""
    number = {word: int(n) for n, word in re.findall(r"(\d+) (passed|failed|error|errors)\b", last)}
    failed = number.get("failed", 0) + number.get("error", 0) + number.get("errors", 0)
    return number.get("passed", 0), failed or int(code != 0)


class Steps:
    """Collects what the steps counted. A step whose requirement failed is not run, and counts as one failure."""

    def __init__(self, names):
        self.names, self.passed, self.failed, self.unstable, self.done = names, 0, 0, 0, {}
        self.started = time.monotonic()
        os.makedirs(LOGS, exist_ok=True)

    def run(self, name, argv, count=closing_line, needs=(), env=None, limit=LIMIT):
        at = "[%2d/%d] %s" % (self.names.index(name) + 1, len(self.names), name)
        missing = [n for n in needs if not self.done.get(n, True)]
        if missing:
            print("%s: not run, since '%s' failed" % (at, missing[0]), flush=True)
            self.failed += 1
            self.done[name] = False
            return
        print(at + " ", end="", flush=True)
        log, begun = os.path.join(LOGS, re.sub(r"\W+", "_", name) + ".log"), time.monotonic()
        with open(log, "w") as out:
            process = subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                       env={**os.environ, **(env or {})}, start_new_session=True)
        code = self.wait(process, limit)
        with open(log, errors="replace") as f:
            text = f.read()
        if code is None:
            text += "\nended after %g s, the limit of this step" % limit
        (passed, failed), unstable = count(text, code), told(text)
        self.passed, self.failed, self.done[name] = self.passed + passed, self.failed + failed, not failed
        self.unstable += unstable
        counted = "%d passed, %d failed, " % (passed, failed) if passed or failed else ""
        counted += "%d not stable, " % unstable if unstable else ""
        print("%s%s%.1f s" % (" " if counted else "", counted, time.monotonic() - begun), flush=True)
        for note in re.findall(r"^(?:note|pending|accept|reject): .*$", text, re.M)[:8] if not failed else []:
            print("        " + note)
        if failed:
            lines = text.splitlines()
            print("        the last lines of %s:" % os.path.relpath(log, ROOT))
            print("\n".join("        | " + line[:400] for line in lines[-SHOWN:]), flush=True)

    def wait(self, process, limit):
        """The status; None if the step took longer than its limit, and all its processes were killed."""
        begun = time.monotonic()
        while True:
            try:
                return process.wait(min(HEARTBEAT, limit))
            except subprocess.TimeoutExpired:
                print(".", end="", flush=True)
                if time.monotonic() - begun >= limit:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
                    return None
            except KeyboardInterrupt:
                os.killpg(process.pid, signal.SIGTERM)
                process.wait()
                raise

    def end(self):
        print("%.0f s in all, %d not stable" % (time.monotonic() - self.started, self.unstable))
        print("%d passed, %d failed" % (self.passed, self.failed), flush=True)
        sys.exit(1 if self.failed else 0)
