"""Cases in the simulation. Each is written down expanded, as JSON; test/player plays many of them in one process and in
virtual time; what it saw is shown and compared like that of a live run."""
import base64
import json
import os
import re
import shutil
import subprocess
import tempfile
import time

import pending
from compare import normal
from origins import sorted_json
from results import admin_result, log_result, read_stats, repeat_result, stats_result
from runner import Run
from wire import show

SHORT = {"close": "conn", "admin": "path", "stats": "match", "log": "file", "signal": "name"}
LIMIT = 120             # seconds of real time for one process of the player


class SimPorts:
    """Every case has the machine to itself."""

    def __init__(self):
        self.next = 20000

    def take(self, avoid):
        while True:
            self.next += 1
            if self.next % 100 and str(self.next) not in avoid:
                return self.next


class Expanded(Run):
    """A case with nothing left to fill in."""

    def __init__(self, case, pki, options, folder):
        super().__init__(case, "sluice", SimPorts(), pki, options, folder)

    def spec(self):
        files = dict(self.files())
        if re.search(r'"(tls|protocol)": ("https|"h2"|"tls|true|\{)|\$\{(pki|hash|spki)', self.text):
            self.pki.ensure()
        if self.pki.dir in json.dumps(files):
            for name in os.listdir(self.pki.dir):
                if name.endswith((".pem", ".key")):
                    with open(self.pki.path(name)) as f:
                        files[self.pki.path(name)] = f.read()
        origins = [{**plain(self.fill(spec or {})), "name": name, "port": self.port("origin:" + name)}
                   for name, spec in self.case["origins"].items()]
        return {"id": self.case["id"], "dir": self.dir, "pki": self.pki.dir, "admin": {"spec": {"port": self.port("admin")}}, "argv": self.arguments(), "files": files,
                "env": {k: str(self.fill(v)) for k, v in (self.case.get("env") or {}).items()}, "origins": origins,
                "time": time.time(), "ready": self.case.get("ready", True), "keep_case": self.case.get("keep_case", False),
                "steps": [self.expanded(step) for step in self.case.get("steps") or []]}

    def expanded(self, step):
        kind = self.kind(step)
        spec = plain(self.fill(step[kind]))
        if kind in SHORT and isinstance(spec, str):
            spec = {SHORT[kind]: spec}
        if kind in ("http", "h2", "raw", "tcp"):
            spec["port"] = self.port("port:" + spec.get("listener", "main"))
            if kind == "tcp":
                spec.setdefault("read", "until_idle")
            if "streams" in spec:
                common = {k: v for k, v in spec.items() if k != "streams"}
                spec["streams"] = [{**common, **one} for one in spec["streams"]]
        elif kind == "parallel":
            spec = {"steps": spec} if isinstance(spec, list) else spec
            spec["steps"] = [self.expanded(one) for one in spec["steps"]]
        elif kind == "repeat":
            spec["step"] = self.expanded(spec["step"])
            spec["step"]["spec"]["quick"] = True
        elif kind == "wait_for" and "http" in spec:
            spec["http"] = self.expanded({"http": spec["http"]})
        elif kind == "write":
            spec["path"], spec["content"] = os.path.join(self.dir, spec["file"]), self.content(spec)
        return {"kind": kind, "spec": spec, **{k: step[k] for k in ("async", "settle_ms") if k in step}}

    # --- what was seen, as a live run shows it
    def result(self, step, seen):
        kind = self.kind(step)
        spec = self.fill(step[kind])
        if "async" in step:
            return self.shown(seen)
        if kind in SHORT and isinstance(spec, str):
            spec = {SHORT[kind]: spec}
        if kind == "parallel":
            parts = spec if isinstance(spec, list) else spec["steps"]
            return {"parallel": [self.result(part, one) for part, one in zip(parts, seen["parallel"])]}
        if kind == "join":
            begun = next(s for s in self.case["steps"] if s.get("async") == spec)
            return self.result({k: v for k, v in begun.items() if k != "async"}, seen)
        if kind == "admin" and "admin" in seen:
            got = dict(seen["admin"])
            if "exit" in got:
                return {"status": got.get("status"), "exit": got["exit"]}
            if "raw" in got:
                got["raw"] = raw(got["raw"])
            return admin_result(spec, got)
        if kind == "stats" and "stats_text" in seen:
            page = raw(seen["stats_text"]).decode("utf-8", "replace")
            histograms = raw(seen["histograms_text"]) if "histograms_text" in seen else None
            return stats_result(spec, read_stats(page, spec["match"], spec.get("text", False)), histograms)
        if kind == "log" and "log_text" in seen:
            return log_result(self.case, spec, raw(seen["log_text"]).split(b"\n")[:-1])
        if kind == "repeat" and "results" in seen:
            return repeat_result(spec, [self.shown(one) for one in seen["results"]], seen["at"])
        return self.shown(seen)

    def shown(self, value):
        """The player gives bytes as they are, and certificates by their digest."""
        if isinstance(value, dict):
            if "$bytes" in value:
                return show(raw(value))
            if "$json" in value:
                return show(sorted_json(base64.b64decode(value["$json"])))
            if "$cert" in value:
                return self.pki.by_digest.get(value["$cert"], "unknown")
            return {k: self.shown(v) for k, v in value.items()}
        return [self.shown(v) for v in value] if isinstance(value, list) else value

    def steps(self, seen):
        of_case = self.case.get("steps") or []
        out = []
        for i, one in enumerate(seen):
            origins = self.shown(one.pop("origins", None))
            step = of_case[i] if i < len(of_case) and "start" not in one else {}
            label = self.label(step) if step else "start" if "start" in one else "left at the end"
            result = self.result(step, one) if step else self.shown(one)
            out.append(normal(self, {"step": label, **result, **({"origins": origins} if origins else {})}, step))
        return out


def plain(value, key=None):
    """Header fields as text, as the clients and origins write them."""
    if isinstance(value, dict):
        return {k: plain(v, k) for k, v in value.items()}
    if key in ("headers", "trailers") and isinstance(value, list):
        return [[str(k), str(v)] for k, v in value]
    return [plain(v, key) for v in value] if isinstance(value, list) else value


def raw(value):
    return base64.b64decode(value["$bytes"])


def emit(cases, folder, pki, options):
    """Writes each case to FOLDER/NUMBER.json; its proxy has the folder of that name: [(path, Expanded)]."""
    os.makedirs(folder, exist_ok=True)
    out = []
    for i, (_, case) in enumerate(cases):
        run = Expanded(case, pki, options, os.path.join(os.path.abspath(folder), "%04d" % i))
        path = run.dir + ".json"
        with open(path, "w") as f:
            json.dump(run.spec(), f, default=str)
        out.append((path, run))
    return out


def play(player, seed, emitted, *more):
    """{id: what was seen}. A case that ends the player has its end for a reason; the rest is played by another one."""
    seen, left = {}, list(emitted)
    with tempfile.TemporaryDirectory(prefix="bhv-player-") as folder:
        while left:
            names = [os.path.join(folder, n) for n in ("out", "err")]
            with open(names[0], "w") as out, open(names[1], "w") as err:
                try:
                    code = subprocess.run([player, "--seed", str(seed), *more, *(path for path, _ in left)], stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                          cwd=folder, timeout=LIMIT).returncode
                except subprocess.TimeoutExpired:
                    code = "none in %d s" % LIMIT
            with open(names[0]) as out, open(names[1], errors="replace") as err:
                found, said = [json.loads(line) for line in out if line.endswith("\n")], err.read()[-600:]
            seen.update({one["id"]: one for one in found})
            left = left[len(found):]
            if left and code != 0:
                case = left.pop(0)[1].case
                seen[case["id"]] = {"steps": [], "failed": "the player ended, status %s: %s" % (code, said)}
    return seen


def cut_cases(cases, pki, options):
    """Plays each case whole and with options.cuts seeded cuts of its connections: {id: what failed}."""
    return campaign(cases, pki, options, "--cuts", str(options.cuts))


def campaign(cases, pki, options, *how):
    """What the player says of cases that it plays and judges itself: {id: what failed}."""
    with tempfile.TemporaryDirectory(prefix="bhv-emit-") as folder:
        emitted = emit(cases, folder, pki, options)
        if not emitted:
            return {}                       # one of more jobs than cases
        done = subprocess.run([options.player, "--seed", str(options.seed), *how, *(path for path, _ in emitted)],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", cwd=folder)
    failed, lines = {}, done.stdout.splitlines()
    for line in lines:
        if line.startswith("FAIL "):
            failed.setdefault(line[5:].split(",")[0], []).append(line)
    if done.returncode not in (0, 1):       # it printed what it began
        failed.setdefault(lines[-1].split()[0], []).append("the player ended, status %s, in '%s': %s" % (
            done.returncode, lines[-1], done.stderr[-600:]))
    return {name: "\n".join(found) for name, found in failed.items()}


def probe_cases(cases, pki, options, judge):
    """Plays each case with probe filters at seeded places, options.hooks times: with those that pause, which change nothing
    that `judge` compares, and with those that do everything: {id: what failed}."""
    failed, stopped, seen = {}, set(), pending.read(pending.NOT_PAUSED)
    for probes in range(options.seed, options.seed + options.hooks):
        for path, case, steps, why, stops in run_cases(cases, pki, options, "--pauses", "--probes", str(probes)):
            ok, message = judge(path, case, steps, why)
            stopped |= {case["id"]} if stops else set()
            if not ok and case["id"] not in seen:
                failed.setdefault(case["id"], []).append("with pausing probes %d: %s" % (probes, message))
    for name, lines in campaign(cases, pki, options, "--hooks", str(options.hooks)).items():
        failed.setdefault(name, []).append(lines)
    if len(cases) > 20 and len(stopped) < len(cases) / 2:
        failed.setdefault(cases[0][1]["id"], []).append("only in %d of %d cases did a probe stop anything" % (len(stopped), len(cases)))
    return {name: "\n".join(found) for name, found in failed.items()}


def run_cases(cases, pki, options, *more):
    """[(path, case, steps, failed, how often probes stopped it)]"""
    folder = tempfile.mkdtemp(prefix="bhv-emit-")
    emitted = emit(cases, folder, pki, options)
    try:
        seen = play(options.player, options.seed, emitted, *more)
        out = []
        for (path, case), (_, run) in zip(cases, emitted):
            one = seen[case["id"]]
            try:
                out.append((path, case, run.steps(one["steps"]), one.get("failed"), one.get("stops", 0)))
            except (KeyError, ValueError, TypeError, IndexError, StopIteration) as e:
                out.append((path, case, [], one.get("failed") or "harness: %s: %s" % (type(e).__name__, e), 0))
        return out
    finally:
        shutil.rmtree(folder, ignore_errors=True)
